// Every way to die ends here: a record in retained RAM, then a reset. Never an endless loop.
#include <stdint.h>
#include <string.h>

#include "machine.h"

namespace {

constexpr uint32_t kHardFault = 1, kMemFault = 2, kBusFault = 3, kUsageFault = 4, kAbort = 5;
constexpr uint32_t kWatchdog = 6, kStackOverflow = 7;
constexpr uint32_t kResetWatchdog = 3, kResetFault = 4;

extern "C" uint8_t __ram_start[], __ram_end[], __stack_bottom[], __flash_size[];

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

// Thumb: an odd address in flash with a BL or BLX before it.
bool returnAddress(uint32_t value) {
  if (!(value & 1u) || value < 8u || value >= reinterpret_cast<uint32_t>(__flash_size)) return false;
  const uint16_t *code = reinterpret_cast<const uint16_t *>((value & ~1u) - 4u);
  const bool bl = (code[0] & 0xF800u) == 0xF000u && (code[1] & 0xD000u) == 0xD000u;
  return bl || (code[1] & 0xFF87u) == 0x4780u;
}

// Of an overflow nothing but the stack itself is left, and the calls at its bottom are the last.
uint32_t deepestCall() {
  uint32_t at = reinterpret_cast<uint32_t>(__stack_bottom);
  while (readable(at) && !returnAddress(word(at))) at += 4;
  return at;
}

uint32_t hex(const char *digits) {
  uint32_t value = 0;
  for (int i = 0; i < 8; ++i) {
    const char digit = digits[i];
    value = value << 4 | static_cast<uint32_t>(digit <= '9' ? digit - '0' : (digit | 32) - 'a' + 10);
  }
  return value;
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

void noteCrash() {
  machine_retained.crashed = 1;
  ++machine_retained.untold;
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
  copyStack(crash, crash.cause == kStackOverflow ? deepestCall() : whole ? frame + 32 : frame);
  copyStatus(crash);
  copyText(crash, "");
  noteCrash();
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
  noteCrash();
  machine_reset(kResetFault);
}

// A core that locks up ends the emulator, and RAM with it. Whoever runs the machine switches it on
// again and says what its registers were: seen from outside, a part that its watchdog restarted.
void machine_recall(const char *lockup) {
  if (strlen(lockup) != 40 || machine_retained.boot_count != 1) return;
  machine_crash &crash = machine_retained.crash;
  memset(&crash, 0, sizeof(crash));
  crash.cause = kHardFault;
  crash.pc = hex(lockup);
  crash.lr = hex(lockup + 8);
  crash.xpsr = hex(lockup + 16);
  crash.sp = hex(lockup + 24);
  copyText(crash, "lock-up: a fault while faults were masked or handled");
  noteCrash();
  machine_retained.untold = hex(lockup + 32);
  machine_retained.reset_cause = kResetFault;
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
  char text[MACHINE_CRASH_TEXT] = "assert: ";
  strncat(text, expression, sizeof(text) - strlen(text) - 1);
  machine_die(kAbort, text, __builtin_return_address(0));
}

}  // extern "C"
