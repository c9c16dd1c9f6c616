// Time, idling and the MPU of the MPS2 machines (Arm AN385, AN386 and AN500; Armv7-M ARM, B3).
#include "machine.h"

#include "Arduino.h"

namespace {

volatile uint32_t &reg(uint32_t address) { return *reinterpret_cast<volatile uint32_t *>(address); }

constexpr uint32_t kSysTickControl = 0xE000E010, kSysTickReload = 0xE000E014;
constexpr uint32_t kSysTickValue = 0xE000E018, kIcsr = 0xE000ED04, kAircr = 0xE000ED0C;
constexpr uint32_t kPendSysTickClear = 1u << 25, kPendSysTick = 1u << 26;  // of ICSR
constexpr uint32_t kIrqEnable = 0xE000E100;
constexpr uint32_t kMpuControl = 0xE000ED94, kMpuBase = 0xE000ED9C, kMpuAttributes = 0xE000EDA0;
constexpr uint32_t kTimerControl = 0x40000000, kTimerReload = 0x40000008, kTimerClear = 0x4000000C;
constexpr uint32_t kTimerIrq = 8;  // CMSDK timer 0
constexpr uint32_t kSecondControl = 0x40001000, kSecondValue = 0x40001004;  // CMSDK timer 1
constexpr uint32_t kSecondReload = 0x40001008, kSecondClear = 0x4000100C, kSecondIrq = 9;
constexpr unsigned kEmptyPollsBeforeIdle = 200;
// Waits get longer the longer nobody has spoken: a tenth of a second of 1 ms, a second of 5 ms,
// then 10 ms. Each wait costs the host a wake-up and the clock some microseconds.
constexpr unsigned kShortWaits = 100, kMiddleWaits = 200;

volatile uint32_t wraps;         // of the 24-bit SysTick since its last start
uint64_t ticks_before;           // that it counted before that
volatile uint32_t second_wraps;  // of the 32-bit timer 1, every 171 s
unsigned polls;
unsigned empty_polls;
bool busy;

enum Access { kReadOnlyExec = 0x06000000, kReadWrite = 0x13000000, kNone = 0x10000000 };

void region(uint32_t number, uint32_t base, uint32_t size, Access access) {
  const uint32_t log2 = 31u - static_cast<uint32_t>(__builtin_clz(size));
  reg(kMpuBase) = base | 0x10u | number;
  reg(kMpuAttributes) = access | ((log2 - 1u) << 1) | 1u;
}

unsigned idleMilliseconds(unsigned waits) {
  if (waits <= kShortWaits) return 1;
  return waits <= kShortWaits + kMiddleWaits ? 5 : 10;
}

// Until a number of ticks has passed, or another interrupt comes. Masked, so that a timer that
// ends before WFI still wakes it.
void waitTicks(uint32_t ticks) {
  uint32_t masked;
  asm volatile("mrs %0, primask\n cpsid i" : "=r"(masked)::"memory");
  reg(kIrqEnable) = 1u << kTimerIrq;
  reg(kTimerReload) = ticks;
  reg(kTimerControl) = 9;  // interrupt, enable
  asm volatile("wfi");
  if (!(masked & 1u)) asm volatile("cpsie i" ::: "memory");
}

uint32_t powerOfTwoFor(uint32_t size) {
  return (size & (size - 1u)) == 0 ? size : 1u << (32 - __builtin_clz(size));
}

}  // namespace

extern "C" {

extern uint8_t __flash_size[], __ram_size[], __ram_start[];  // absolute symbols

void machine_clock_start(void) {
  reg(kSysTickReload) = 0xFFFFFF;
  reg(kSysTickValue) = 0;
  reg(kSysTickControl) = 7;  // processor clock, interrupt, enable
  reg(kSecondReload) = 0xFFFFFFFF;
  reg(kSecondValue) = 0xFFFFFFFF;
  reg(kSecondControl) = 9;  // interrupt, enable
  reg(kIrqEnable) = 1u << kSecondIrq;
}

void SysTick_Handler(void) { wraps = wraps + 1; }

void Timer1_Handler(void) {
  reg(kSecondClear) = 1;
  second_wraps = second_wraps + 1;
}

// A wrap whose interrupt is still pending counts already; read again if one came in between.
uint64_t machine_ticks(void) {
  uint32_t high;
  uint32_t value;
  bool pending;
  do {
    high = wraps;
    value = reg(kSysTickValue);
    pending = (reg(kIcsr) & kPendSysTick) != 0;
  } while (high != wraps || reg(kSysTickValue) > value);
  return ticks_before + (static_cast<uint64_t>(high + pending) << 24) + (0xFFFFFFu - value);
}

uint64_t machine_second_ticks(void) {
  uint32_t high;
  uint32_t value;
  bool pending;
  do {
    high = second_wraps;
    value = reg(kSecondValue);
    pending = (reg(kSecondClear) & 1u) != 0;
  } while (high != second_wraps || reg(kSecondValue) > value);
  return (static_cast<uint64_t>(high + pending) << 32) + (0xFFFFFFFFu - value);
}

void Timer0_Handler(void) {
  reg(kTimerClear) = 1;
  reg(kTimerControl) = 0;
}

// A core that polls burns a host core; one that waits in WFI does not. The timer runs only while
// waiting: its interrupts would show in a measurement.
void machine_polled(bool any) {
  ++polls;
  empty_polls = any ? 0 : empty_polls + 1;
  if (busy || empty_polls <= kEmptyPollsBeforeIdle) return;
  const unsigned waits = empty_polls - kEmptyPollsBeforeIdle;
  waitTicks(MACHINE_CLOCK_HZ / 1000u * idleMilliseconds(waits));
}

unsigned machine_polls(void) { return polls; }

// Starts SysTick afresh: its next wrap, and the interrupt of it, is 0.67 s away. The clock loses
// the few ticks that this takes.
static void restartSysTick(void) {
  uint32_t masked;
  asm volatile("mrs %0, primask\n cpsid i" : "=r"(masked)::"memory");
  ticks_before = machine_ticks();
  wraps = 0;
  reg(kSysTickValue) = 0;
  reg(kIcsr) = kPendSysTickClear;
  for (int n = 0; n < 32 && reg(kSysTickValue) == 0; ++n) {
  }  // until it has taken its reload value: a tick, unless somebody has switched it off
  if (!(masked & 1u)) asm volatile("cpsie i" ::: "memory");
}

void machine_busy(bool on) {
  busy = on;
  if (on) restartSysTick();
}

// Flash: read and run. RAM: read and write. The MPS2's devices. All else faults, a write through
// null included. The part of the flash region behind the usable flash (a bootloader's place)
// is closed by a second region, which wins because its number is higher.
void machine_protect(void) {
  const uint32_t flash = reinterpret_cast<uint32_t>(__flash_size);
  const uint32_t whole = powerOfTwoFor(flash);
  region(0, 0, whole, kReadOnlyExec);
  if (whole != flash) region(1, flash, whole - flash, kNone);
  region(2, reinterpret_cast<uint32_t>(__ram_start), reinterpret_cast<uint32_t>(__ram_size),
         kReadWrite);
  region(3, 0x40000000, 0x10000, kReadWrite);
  reg(kMpuControl) = 1;
  asm volatile("dsb\n isb");
}

void machine_reset(uint32_t cause) {
  machine_retained.next_cause = cause;
  asm volatile("dsb");
  reg(kAircr) = 0x05FA0004;
  for (;;) asm volatile("wfi");
}

unsigned long micros(void) {
  return static_cast<unsigned long>(machine_ticks() / (MACHINE_CLOCK_HZ / 1000000u));
}

unsigned long millis(void) {
  return static_cast<unsigned long>(machine_ticks() / (MACHINE_CLOCK_HZ / 1000u));
}

void yield(void) { machine_polled(false); }

void delay(unsigned long ms) {
  constexpr uint32_t kTicks = MACHINE_CLOCK_HZ / 1000u, kLongest = 1000u;
  const uint64_t end = machine_ticks() + static_cast<uint64_t>(ms) * kTicks;
  for (uint64_t now; (now = machine_ticks()) < end;) {
    const uint64_t left = end - now;
    if (!busy) waitTicks(left < kLongest * kTicks ? static_cast<uint32_t>(left) : kLongest * kTicks);
  }
}

void delayMicroseconds(unsigned int us) {
  const unsigned long start = micros();
  while (micros() - start < us) {
  }
}

// No pins are modelled: sketches that blink run, and blink nothing.
void pinMode(int, int) {}
void digitalWrite(int, int) {}
int digitalRead(int) { return LOW; }
int analogRead(int) { return 0; }
void analogWrite(int, int) {}
void noInterrupts(void) { asm volatile("cpsid i" ::: "memory"); }
void interrupts(void) { asm volatile("cpsie i" ::: "memory"); }

}  // extern "C"

long map(long value, long from_low, long from_high, long to_low, long to_high) {
  return (value - from_low) * (to_high - to_low) / (from_high - from_low) + to_low;
}
long random(long end) { return end > 0 ? rand() % end : 0; }
long random(long start, long end) { return start + random(end - start); }
void randomSeed(unsigned long seed) { srand(seed); }
