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

// Weak, so that a sketch that defines one of these comes first. The library leaves its own
// defaults out (HIL_PLATFORM_IN_CORE in platform.txt), or they would come before these.
#define HOOK __attribute__((weak))

struct hil_stack {
  uintptr_t bottom, top;
  bool painted;
};
struct hil_heap {
  uint32_t used, peak;
};

extern uint32_t __stack_bottom[], __stack_top[];
void machine_heap(uint32_t *used, uint32_t *peak);

HOOK bool hil_platform_clock(hil_clock_info *info) {
  *info = {4 /* emulated */, MACHINE_CLOCK_HZ, 5, 2};
  return true;
}
HOOK uint64_t hil_platform_ticks(void) { return machine_ticks(); }
HOOK uint64_t hil_platform_second_ns(void) {
  return machine_second_ticks() * (1000000000u / MACHINE_CLOCK_HZ);
}
HOOK uint32_t hil_platform_rx_overruns(void) { return Serial.overruns(); }
HOOK uint16_t hil_platform_rx_ring(void) { return HIL_RX_RING; }
// Asked for when a host shakes hands: it is told now.
HOOK uint8_t hil_platform_reset_cause(void) {
  machine_retained.untold = 0;
  return machine_retained.reset_cause;
}
HOOK uint32_t hil_platform_boot_count(void) { return machine_retained.boot_count; }
HOOK void hil_platform_reset(void) { machine_reset(2 /* software */); }
HOOK const void *hil_platform_crash(void) {
  return machine_retained.crashed ? &machine_retained.crash : nullptr;
}

// Painted with MACHINE_STACK_PAINT at every start.
HOOK bool hil_platform_stack(hil_stack *stack) {
  *stack = {reinterpret_cast<uintptr_t>(__stack_bottom), reinterpret_cast<uintptr_t>(__stack_top),
            true};
  return true;
}

HOOK bool hil_platform_heap(hil_heap *heap) {
  machine_heap(&heap->used, &heap->peak);
  return true;
}

HOOK void hil_platform_unit(char *out, size_t size) {
  strncpy(out, semihost_unit(), size);
  if (size > 0) out[size - 1] = '\0';
}

HOOK void hil_platform_core(char *out, size_t size) {
  strncpy(out, semihost_core(), size);
  if (size > 0) out[size - 1] = '\0';
}

HOOK void hil_platform_busy(int on) { machine_busy(on != 0); }
HOOK void hil_platform_idle(void) {}  // polling Serial idles by itself

}  // extern "C"
