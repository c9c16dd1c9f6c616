/* Weak defaults: "unknown", or what the architecture does. See hil_platform.h. */
#include "hil_platform.h"

#include <Arduino.h>

#ifndef HIL_PLATFORM_IN_CORE

#define HIL_WEAK extern "C" __attribute__((weak))

HIL_WEAK bool hil_platform_clock(struct hil_clock_info *) { return false; }
HIL_WEAK uint64_t hil_platform_ticks(void) { return 0; }
HIL_WEAK uint64_t hil_platform_second_ns(void) { return HIL_UNKNOWN_U64; }
HIL_WEAK uint32_t hil_platform_rx_overruns(void) { return 0; }
HIL_WEAK uint16_t hil_platform_rx_ring(void) { return 64; }
HIL_WEAK uint8_t hil_platform_reset_cause(void) { return HIL_RESET_UNKNOWN; }
HIL_WEAK uint32_t hil_platform_boot_count(void) { return 0; }
HIL_WEAK const struct hil_crash *hil_platform_crash(void) { return 0; }
HIL_WEAK void hil_platform_busy(int) {}
HIL_WEAK void hil_platform_idle(void) { yield(); }

HIL_WEAK void hil_platform_reset(void) {
#if defined(ESP32) || defined(ESP8266)
  ESP.restart();
#elif defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_7M__) || defined(__ARM_ARCH_7EM__) || \
    defined(__ARM_ARCH_8M_MAIN__) || defined(__ARM_ARCH_8M_BASE__)
  volatile uint32_t *const aircr = (volatile uint32_t *)0xE000ED0Cu;
  __asm volatile("dsb" ::: "memory");
  *aircr = (0x5FAu << 16) | (*aircr & 0x700u) | (1u << 2); /* SYSRESETREQ */
  __asm volatile("dsb" ::: "memory");
#endif
  for (;;) {
  }
}

#if defined(NRF_FICR)
static const volatile uint32_t *unit_words() { return &NRF_FICR->DEVICEID[0]; }
static const int kUnitWords = 2;
#elif defined(UID_BASE)
static const volatile uint32_t *unit_words() { return (const volatile uint32_t *)UID_BASE; }
static const int kUnitWords = 3;
#else
static const volatile uint32_t *unit_words() { return 0; }
static const int kUnitWords = 0;
#endif

HIL_WEAK void hil_platform_unit(char *out, size_t size) {
  size_t used = 0;
  for (int word = 0; word < kUnitWords; ++word) {
    for (int shift = 28; shift >= 0 && used + 1 < size; shift -= 4) {
      out[used++] = "0123456789abcdef"[(unit_words()[word] >> shift) & 15];
    }
  }
  if (size) out[used] = 0;
}

/* SCB->CPUID: part, variant and revision (Arm v6-M, v7-M and v8-M reference manuals). */
HIL_WEAK void hil_platform_core(char *out, size_t size) {
  size_t used = 0;
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_7M__) || defined(__ARM_ARCH_7EM__) || \
    defined(__ARM_ARCH_8M_MAIN__) || defined(__ARM_ARCH_8M_BASE__)
  const uint32_t cpuid = *(const volatile uint32_t *)0xE000ED00u;
  for (const char *at = "cpuid-"; *at && used + 1 < size; ++at) out[used++] = *at;
  for (int shift = 28; shift >= 0 && used + 1 < size; shift -= 4) {
    out[used++] = "0123456789abcdef"[(cpuid >> shift) & 15];
  }
#endif
  if (size) out[used] = 0;
}

#endif  /* HIL_PLATFORM_IN_CORE */
