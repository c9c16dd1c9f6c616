// Every way to die ends here: a record in retained RAM, then a reset. Never an endless loop.
#include <stdint.h>
#include <string.h>

#include "machine.h"

namespace {

constexpr uint32_t kHardFault = 1, kMemFault = 2, kBusFault = 3, kUsageFault = 4, kAbort = 5;
constexpr uint32_t kWatchdog = 6, kStackOverflow = 7;
constexpr uint32_t kResetWatchdog = 3, kResetFault = 4;

extern "C" uint8_t __ram_start[], __ram_end[], __stack_bottom[];

uint32_t word(uint32_t address) { return *reinterpret_cast<volatile uint32_t *>(address); }

// The fault handler must not fault: words outside RAM are not read.
bool readable(uint32_t address) {
  return (address & 3u) == 0 && address >= reinterpret_cast<uint32_t>(__ram_start) &&
         address < reinterpret_cast<uint32_t>(__ram_end);
}

void copyStack(machine_crash &crash, uint32_t from) {
  crash.sp = from;
  crash.nwords = 0;
  for (uint32_t at = from; crash.nwords < MACHINE_CRASH_WORDS && readable(at); at += 4) {
    crash.stack[crash.nwords++] = word(at);
  }
}

void copyText(machine_crash &crash, const char *text) {
  size_t i = 0;
  for (; text && text[i] && i + 1 < MACHINE_CRASH_TEXT; ++i) crash.text[i] = text[i];
  crash.text[i] = '\0';
}

// An Armv6-M part has no fault status registers; the machine that stands for it must not help.
void copyStatus(machine_crash &crash) {
#if __ARM_ARCH >= 7
  crash.cfsr = word(0xE000ED28);
  crash.hfsr = word(0xE000ED2C);
  crash.mmfar = word(0xE000ED34);
  crash.bfar = word(0xE000ED38);
#else
  crash.cfsr = crash.hfsr = crash.mmfar = crash.bfar = 0;
#endif
}

uint32_t causeOf(uint32_t exception, uint32_t sp) {
  if (sp < reinterpret_cast<uint32_t>(__stack_bottom)) return kStackOverflow;
  switch (exception) {
    case 2: return kWatchdog;  // NMI: nothing else is wired to it
    case 4: return kMemFault;
    case 5: return kBusFault;
    case 6: return kUsageFault;
    default: return kHardFault;
  }
}

}  // namespace

extern "C" {

uint32_t machine_handler_stack[192] __attribute__((section(".retained"), aligned(8)));
uint32_t *const machine_handler_stack_top = machine_handler_stack + 192;

// `frame`: where the core put r0-r3, r12, lr, pc, xpsr. A stack overflow leaves it outside RAM.
__attribute__((used, noreturn)) void fault_record(uint32_t frame) {
  machine_crash &crash = machine_retained.crash;
  const bool whole = readable(frame) && readable(frame + 28);
  crash.lr = whole ? word(frame + 20) : 0;
  crash.pc = whole ? word(frame + 24) : 0;
  crash.xpsr = whole ? word(frame + 28) : 0;
  const uint32_t exception = word(0xE000ED04) & 0x1FFu;
  crash.cause = causeOf(exception, frame);
  copyStack(crash, whole ? frame + 32 : frame);
  copyStatus(crash);
  copyText(crash, "");
  machine_retained.crashed = 1;
  machine_reset(crash.cause == kWatchdog ? kResetWatchdog : kResetFault);
}

void __attribute__((naked)) Fault_Handler(void) {
  asm volatile(
      "mrs r0, msp\n"
      "ldr r1, =machine_handler_stack + 768\n"
      "mov sp, r1\n"
      "bl fault_record\n");
}

void machine_die(uint32_t cause, const char *text, const void *caller) {
  machine_crash &crash = machine_retained.crash;
  memset(&crash, 0, sizeof(crash));
  crash.cause = cause;
  crash.pc = crash.lr = reinterpret_cast<uint32_t>(caller) & ~1u;
  copyStack(crash, reinterpret_cast<uint32_t>(__builtin_frame_address(0)));
  copyText(crash, text);
  machine_retained.crashed = 1;
  machine_reset(kResetFault);
}

void abort(void) { machine_die(kAbort, "abort()", __builtin_return_address(0)); }
void _exit(int) { machine_die(kAbort, "exit()", __builtin_return_address(0)); }
void __cxa_pure_virtual(void) {
  machine_die(kAbort, "pure virtual call", __builtin_return_address(0));
}
void __cxa_deleted_virtual(void) {
  machine_die(kAbort, "deleted virtual call", __builtin_return_address(0));
}

void __assert_func(const char *, int, const char *, const char *expression) {
  machine_die(kAbort, expression, __builtin_return_address(0));
}

}  // extern "C"
