/* What HilDevice asks of the core it runs on.
 *
 * Every function has a weak default in hil_platform.cpp that says "unknown", or does the usual
 * thing of the architecture. A core, or a sketch, that knows better defines the same symbol. A
 * core that has all of them is compiled with HIL_PLATFORM_IN_CORE; its own may be weak, so that a
 * sketch still comes first. Plain C, so that a core can include this file or repeat it.
 */
#ifndef HIL_PLATFORM_H
#define HIL_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where ticks come from; the numbers travel in INFO. */
enum hil_clock_kind {
  HIL_CLOCK_NONE = 0,
  HIL_CLOCK_DWT = 1,
  HIL_CLOCK_SYSTICK = 2,
  HIL_CLOCK_MICROS = 3,
  HIL_CLOCK_EMULATED = 4 /* an emulator's instruction count, never a board's milliseconds */
};

struct hil_clock_info {
  uint8_t kind;             /* enum hil_clock_kind */
  uint32_t hz;              /* ticks in a second */
  uint16_t instr_per_tick_num; /* instructions per tick, as a fraction; 0/0: unknown */
  uint16_t instr_per_tick_den; /* emulated, 2.5 instructions a tick: 5/2 */
};

/* Why the part started. */
enum hil_reset_cause {
  HIL_RESET_UNKNOWN = 0,
  HIL_RESET_POWER_ON = 1,
  HIL_RESET_SOFTWARE = 2,
  HIL_RESET_WATCHDOG = 3,
  HIL_RESET_FAULT = 4,
  HIL_RESET_PIN = 5
};

/* What went wrong, in hil_crash.cause. */
enum hil_crash_cause {
  HIL_CRASH_UNKNOWN = 0,
  HIL_CRASH_HARD_FAULT = 1,
  HIL_CRASH_MEM_FAULT = 2,
  HIL_CRASH_BUS_FAULT = 3,
  HIL_CRASH_USAGE_FAULT = 4,
  HIL_CRASH_ABORT = 5, /* abort(), a failed assert, a pure virtual call; text says which */
  HIL_CRASH_WATCHDOG = 6,
  HIL_CRASH_STACK = 7
};

#define HIL_STACK_PAINT 0xa5a5a5a5u

/* The stack of setup() and loop(), as addresses; it grows from top down to bottom. */
struct hil_stack {
  uintptr_t bottom, top;
  bool painted; /* the core's start-up code filled it with HIL_STACK_PAINT */
};

/* Bytes, the allocator's own included. */
struct hil_heap {
  uint32_t used, peak; /* now, and at most since start */
};

#define HIL_CRASH_WORDS 48
#define HIL_CRASH_TEXT 64
#define HIL_UNKNOWN_U32 0xffffffffu
#define HIL_UNKNOWN_U64 0xffffffffffffffffull

/* The record of the last crash, kept in RAM that survives a reset. */
struct hil_crash {
  uint32_t cause; /* enum hil_crash_cause */
  uint32_t pc, lr, xpsr, sp, cfsr, hfsr, bfar, mmfar;
  uint32_t nwords; /* words of `stack` that are valid, from sp upwards */
  uint32_t stack[HIL_CRASH_WORDS];
  char text[HIL_CRASH_TEXT]; /* NUL-terminated */
};

/* Ticks for measuring. false: the core has none, DWT or micros() is used. */
bool hil_platform_clock(struct hil_clock_info *info);
uint64_t hil_platform_ticks(void);
/* Nanoseconds since some moment by a counter that has nothing to do with the one above, to check
 * it against. HIL_UNKNOWN_U64: none; then micros() checks the DWT counter, and nothing others. */
uint64_t hil_platform_second_ns(void);

uint32_t hil_platform_rx_overruns(void);        /* bytes lost at the RX ring since reset */
uint16_t hil_platform_rx_ring(void);            /* bytes that the RX ring holds; default 64 */
uint8_t hil_platform_reset_cause(void);         /* enum hil_reset_cause; a host is being told */
uint32_t hil_platform_boot_count(void);         /* starts since power-on; 0: unknown */
void hil_platform_reset(void);                  /* does not return */
const struct hil_crash *hil_platform_crash(void); /* NULL: none since power-on */
bool hil_platform_stack(struct hil_stack *stack); /* false: unknown; `painted` comes in false */
bool hil_platform_heap(struct hil_heap *heap);  /* false: unknown */
void hil_platform_unit(char *out, size_t size); /* unique id of the part, "" if none */
void hil_platform_core(char *out, size_t size); /* what executes: CPUID, an emulator; "" unknown */
void hil_platform_busy(int on);                 /* 1: measuring; stop timers that only idle */
void hil_platform_idle(void);                   /* nothing to read; may sleep for a moment */

#ifdef __cplusplus
}
#endif

#endif
