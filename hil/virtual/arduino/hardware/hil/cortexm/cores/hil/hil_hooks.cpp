// What the HilDevice library asks of a core (its hil_platform.h), answered by this machine.
#include <stdint.h>
#include <string.h>

#include "HilSerial.h"
#include "machine.h"
#include "semihost.h"

extern "C" {

struct hil_clock_info {
  uint8_t kind;
  uint32_t hz;
  uint16_t instr_per_tick_num, instr_per_tick_den;
};

// The library has weak defaults of these, in an object that is linked before this archive: the
// linker script asks for this symbol so that the real ones come in.
extern const char hil_hooks_linked;
const char hil_hooks_linked = 1;

struct hil_stack {
  uintptr_t bottom, top;
  bool painted;
};
struct hil_heap {
  uint32_t used, peak;
};

extern uint32_t __stack_bottom[], __stack_top[];
void machine_heap(uint32_t *used, uint32_t *peak);

bool hil_platform_clock(hil_clock_info *info) {
  *info = {4 /* emulated */, MACHINE_CLOCK_HZ, 5, 2};
  return true;
}
uint64_t hil_platform_ticks(void) { return machine_ticks(); }
uint32_t hil_platform_rx_overruns(void) { return Serial.overruns(); }
uint16_t hil_platform_rx_ring(void) { return HIL_RX_RING; }
uint8_t hil_platform_reset_cause(void) { return machine_retained.reset_cause; }
uint32_t hil_platform_boot_count(void) { return machine_retained.boot_count; }
void hil_platform_reset(void) { machine_reset(2 /* software */); }
const void *hil_platform_crash(void) {
  return machine_retained.crashed ? &machine_retained.crash : nullptr;
}

// Painted with MACHINE_STACK_PAINT at every start.
bool hil_platform_stack(hil_stack *stack) {
  *stack = {reinterpret_cast<uintptr_t>(__stack_bottom), reinterpret_cast<uintptr_t>(__stack_top),
            true};
  return true;
}

bool hil_platform_heap(hil_heap *heap) {
  machine_heap(&heap->used, &heap->peak);
  return true;
}

void hil_platform_unit(char *out, size_t size) {
  strncpy(out, semihost_unit(), size);
  if (size > 0) out[size - 1] = '\0';
}

void hil_platform_core(char *out, size_t size) {
  strncpy(out, semihost_core(), size);
  if (size > 0) out[size - 1] = '\0';
}

void hil_platform_busy(int on) { machine_busy(on != 0); }
void hil_platform_idle(void) {}  // polling Serial idles by itself

}  // extern "C"
