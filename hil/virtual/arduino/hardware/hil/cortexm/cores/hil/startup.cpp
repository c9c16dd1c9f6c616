// Reset, vectors and main: from power-on to setup() and loop().
#include "Arduino.h"
#include "machine.h"
#include "semihost.h"

#include <new>

extern "C" {

extern uint32_t __stack_bottom[], __stack_top[], __data_start[], __data_end[], __data_load[];
extern uint32_t __bss_start[], __bss_end[], __ram_start[], __ram_end[];
extern uint32_t __retained_start[], __retained_end[];
extern void (*__init_array_start[])(void);
extern void (*__init_array_end[])(void);

void Reset_Handler(void);
void Fault_Handler(void);
void SysTick_Handler(void);
void Timer0_Handler(void);
void Timer1_Handler(void);
void __libc_init_array(void);

struct machine_retained machine_retained __attribute__((section(".retained")));

void Spurious_Handler(void) { machine_die(0, "an interrupt without a handler", nullptr); }

typedef void (*Vector)(void);
__attribute__((section(".vectors"), used)) const Vector vectors[48] = {
    reinterpret_cast<Vector>(__stack_top),
    Reset_Handler,
    Fault_Handler,  // NMI
    Fault_Handler,  // HardFault
    Fault_Handler,  // MemManage
    Fault_Handler,  // BusFault
    Fault_Handler,  // UsageFault
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    Spurious_Handler,  // SVCall
    Spurious_Handler,  // DebugMonitor
    nullptr,
    Spurious_Handler,  // PendSV
    SysTick_Handler,
    Spurious_Handler, Spurious_Handler, Spurious_Handler, Spurious_Handler,
    Spurious_Handler, Spurious_Handler, Spurious_Handler, Spurious_Handler,
    Timer0_Handler,  // interrupt 8
    Timer1_Handler,
};

}  // extern "C"

namespace {

constexpr uint32_t kRetainedMagic = 0x48494C52;  // "HILR"
constexpr uint32_t kResetPowerOn = 1, kResetPin = 5;
constexpr uint32_t kMostUntold = 3;

void fill(uint32_t *from, uint32_t *to, uint32_t value) {
  for (volatile uint32_t *at = from; at < to; ++at) *at = value;
}

// QEMU's RAM is zero at power-on, a part's is not: code that relies on zeros must show here.
void noteReset() {
  if (machine_retained.magic != kRetainedMagic) {
    fill(__retained_end, __ram_end, MACHINE_STACK_PAINT);
    fill(__retained_start, __retained_end, 0);
    machine_retained.magic = kRetainedMagic;
    machine_retained.next_cause = kResetPowerOn;
  }
  const uint32_t cause = machine_retained.next_cause;
  machine_retained.reset_cause = cause ? cause : kResetPin;
  machine_retained.next_cause = 0;
  ++machine_retained.boot_count;
}

void prepareMemory() {
  uint32_t *here = static_cast<uint32_t *>(__builtin_frame_address(0));
  fill(__stack_bottom, here - 32, MACHINE_STACK_PAINT);
  const uint32_t *from = __data_load;
  for (volatile uint32_t *at = __data_start; at < __data_end; ++at) *at = *from++;
  fill(__bss_start, __bss_end, 0);
}

void configureCore() {
#ifdef __VFP_FP__
#ifdef __ARM_FP
  *reinterpret_cast<volatile uint32_t *>(0xE000ED88) |= 0xFu << 20;  // CPACR: FPU on
#endif
#endif
#ifdef HIL_UNALIGN_TRAP
  *reinterpret_cast<volatile uint32_t *>(0xE000ED14) |= 1u << 3;  // CCR.UNALIGN_TRP
#endif
  *reinterpret_cast<volatile uint32_t *>(0xE000ED24) |= 7u << 16;  // own fault handlers
  machine_protect();
}

}  // namespace

// Of the HilDevice library: answers the host instead of the sketch. Null where it is not linked.
extern "C" void hil_safe_mode(void) __attribute__((weak, noreturn));

// A firmware that crashes before it answers would do so for ever, and nobody would learn why.
static void stopCrashing() {
  if (machine_retained.untold < kMostUntold || !hil_safe_mode) return;
  new (&Serial) HilSerial;  // the sketch's own constructors may be what crashes
  hil_safe_mode();
}

extern "C" void __attribute__((noreturn)) start(void) {
  noteReset();
  prepareMemory();
  configureCore();
  machine_clock_start();
  semihost_open();
  machine_recall(semihost_lockup());
  stopCrashing();
  for (void (**constructor)(void) = __init_array_start; constructor < __init_array_end;
       ++constructor) {
    (*constructor)();
  }
  setup();
  for (;;) {
    const unsigned polls = machine_polls();
    loop();
    if (machine_polls() == polls) yield();  // a loop that never looks at Serial idles here
  }
}

// The stack may lie anywhere after a crash: set it before the first C++ statement runs.
extern "C" void __attribute__((naked)) Reset_Handler(void) {
  asm volatile(
      "ldr r0, =__stack_top\n"
      "msr msp, r0\n"
      "bl start\n");
}
