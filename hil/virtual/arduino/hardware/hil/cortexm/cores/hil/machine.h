// The machine under the core: time, idling, memory protection, faults and what outlives a reset.
#ifndef HIL_MACHINE_H
#define HIL_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// SysTick runs at 25 MHz on all MPS2 machines; with `-icount shift=4` an instruction takes 16 ns,
// so a tick of 40 ns is 2.5 instructions.
#define MACHINE_CLOCK_HZ 25000000u

#define MACHINE_STACK_PAINT 0xA5A5A5A5u
#define MACHINE_CRASH_WORDS 48
#define MACHINE_CRASH_TEXT 64

#ifdef __cplusplus
extern "C" {
#endif

// Laid out as `struct hil_crash` of the HilDevice library, which reads it.
struct machine_crash {
  uint32_t cause, pc, lr, xpsr, sp, cfsr, hfsr, bfar, mmfar;
  uint32_t nwords;
  uint32_t stack[MACHINE_CRASH_WORDS];
  char text[MACHINE_CRASH_TEXT];
};

// Survives every reset but a power-on; see `.retained` in the linker script.
struct machine_retained {
  uint32_t magic;
  uint32_t boot_count;
  uint32_t next_cause;   // set by whoever resets the core; 0: the reset came from outside
  uint32_t reset_cause;  // why this start happened, as enum hil_reset_cause
  uint32_t crashed;      // 1: `crash` holds the last crash since power-on
  uint32_t untold;       // crashes in a row of which no host was told
  struct machine_crash crash;
};
extern struct machine_retained machine_retained;

void machine_clock_start(void);
uint64_t machine_ticks(void);
uint64_t machine_second_ticks(void);  // of another counter, at the same rate
void machine_polled(bool any);  // called by every poll of the line: idles after many empty ones
unsigned machine_polls(void);    // how often that was
void machine_busy(bool on);     // true while something is measured: no idling, no interrupt
void machine_protect(void);     // switches the MPU on
void machine_reset(uint32_t cause) __attribute__((noreturn));
// After lock-ups: pc, lr, xpsr and sp of the last one and their number in a row, as hex, 8 digits
// each.
void machine_recall(const char *lockup);
void machine_die(uint32_t cause, const char *text, const void *caller) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif

#endif  // HIL_MACHINE_H
