#include "hil_clock.h"

#include <Arduino.h>

#if defined(__ARM_ARCH_7M__) || defined(__ARM_ARCH_7EM__) || defined(__ARM_ARCH_8M_MAIN__)
#define HIL_HAS_DWT 1
#else
#define HIL_HAS_DWT 0
#endif

#if HIL_HAS_DWT
static volatile uint32_t &reg(uint32_t address) { return *(volatile uint32_t *)address; }
static uint32_t cycles() { return reg(0xE0001004u); }

static uint32_t cycles_per_second() {
  const uint32_t us0 = micros(), c0 = cycles();
  while (micros() - us0 < 10000) {
  }
  const uint32_t us = micros() - us0, count = cycles() - c0;
  return (uint32_t)((uint64_t)count * 1000000u / us);
}
#endif

/* The counter may be missing, locked (Cortex-M7) or stand still without a debugger: enable it,
 * then believe it only if it counts. Its rate is the core's, checked against micros(). */
bool HilClock::begin_dwt() {
#if HIL_HAS_DWT
  reg(0xE000EDFCu) |= 1u << 24; /* DEMCR.TRCENA */
  reg(0xE0001FB0u) = 0xC5ACCE55u; /* DWT_LAR */
  reg(0xE0001000u) |= 1u; /* DWT_CTRL.CYCCNTENA */
  const uint32_t rate = cycles_per_second();
  if (rate == 0) return false;
  info_.kind = HIL_CLOCK_DWT;
  info_.hz = rate;
#ifdef F_CPU
  const uint32_t stated = (uint32_t)(F_CPU);
  const uint32_t off = rate > stated ? rate - stated : stated - rate;
  if (off < stated / 50) info_.hz = stated;
#endif
  return true;
#else
  return false;
#endif
}

void HilClock::begin() {
  info_.kind = HIL_CLOCK_NONE;
  info_.hz = 0;
  info_.instr_per_tick_num = info_.instr_per_tick_den = 0;
  if (hil_platform_clock(&info_) || begin_dwt()) return;
  info_.kind = HIL_CLOCK_MICROS;
  info_.hz = 1000000;
}

uint64_t HilClock::read(uint32_t us) const {
#if HIL_HAS_DWT
  if (info_.kind == HIL_CLOCK_DWT) return cycles();
#endif
  return info_.kind == HIL_CLOCK_MICROS ? us : hil_platform_ticks();
}

/* The ticks are read last here and first in since(): micros() divides, in a time that depends on
 * the value where the core has no divider, and must not be measured. */
void HilClock::now(HilMoment &moment) const {
  moment.second_ns = hil_platform_second_ns();
  moment.us = micros();
  moment.ticks = read(moment.us);
}

/* micros() checks the DWT counter only: of another clock of the core nobody knows whether micros()
 * is made from the same counter. */
HilSpan HilClock::since(const HilMoment &start) const {
  HilSpan span;
  span.ticks = ticks_since(start);
  const uint64_t ns = hil_platform_second_ns();
  const uint32_t us = (uint32_t)micros() - start.us;
  span.second_ns = ns != HIL_UNKNOWN_U64               ? ns - start.second_ns
                   : info_.kind == HIL_CLOCK_DWT ? (uint64_t)us * 1000u
                                                 : HIL_UNKNOWN_U64;
  return span;
}

/* 32-bit counters wrap (DWT in 67 s at 64 MHz): micros() tells how often. */
uint64_t HilClock::ticks_since(const HilMoment &start) const {
  if (info_.kind == HIL_CLOCK_MICROS) return (uint32_t)(micros() - start.us);
  const uint64_t end = read(0);
  if (info_.kind != HIL_CLOCK_DWT) return end - start.ticks;
  const uint32_t us = (uint32_t)micros() - start.us;
  const uint64_t low = (uint32_t)(end - start.ticks);
  const uint64_t about = (uint64_t)us * info_.hz / 1000000u;
  const uint64_t half = (uint64_t)1 << 31;
  return about < low + half ? low : low + ((about - low + half) >> 32 << 32);
}
