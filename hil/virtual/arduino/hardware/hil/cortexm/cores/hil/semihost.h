// The machine's line to the host: Arm semihosting calls on the terminal that QEMU's arguments name.
// Source: Arm "Semihosting for AArch32 and AArch64", 2.0.
#ifndef HIL_SEMIHOST_H
#define HIL_SEMIHOST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
void semihost_open(void);  // once at start: opens the line of the command line's first argument
size_t semihost_read(uint8_t *data, size_t size);         // 0: nothing pending
size_t semihost_write(const uint8_t *data, size_t size);  // all of it, waiting if need be
int semihost_port_open(void);                             // 1 while a host holds the port open
const char *semihost_unit(void);                          // the machine's serial number
const char *semihost_core(void);                          // the emulator, its machine and icount
const char *semihost_lockup(void);                        // "", or as machine_recall takes it
#ifdef __cplusplus
}
#endif

#endif  // HIL_SEMIHOST_H
