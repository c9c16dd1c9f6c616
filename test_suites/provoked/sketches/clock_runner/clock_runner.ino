// hil_runner on a core whose clock is wrong: FAULT (a macro of the build) says how. The first three
// are faults of the counter itself, the others of what the core says of it.
#include "hil_config.h"

#include <HilDevice.h>

#include "hil_model.h"
#include "hil_ops.h"

#define STOPPED 1  // SysTick is switched off once the device serves
#define SLOW 2     // SysTick counts the 1 MHz reference in place of the core's 25 MHz
#define DOUBLED 3  // two ticks are counted for one
#define SECOND 4   // the second clock runs at half its speed
#define ABSENT 5   // the core says that it has no clock
#define AHEAD 6    // claims to be a part's own clock, at a hundredth of its frequency
#define BEHIND 7   // the same, at a hundred times its frequency
#define ALONE 8    // nothing is wrong, but there is no second clock

alignas(16) static uint8_t arena[HIL_ARENA_BYTES];
static tflite::MicroMutableOpResolver<HIL_OP_REGISTRATIONS> resolver;
static HilDevice hil;

extern "C" {
uint64_t machine_ticks(void);
uint64_t machine_second_ticks(void);

bool hil_platform_clock(struct hil_clock_info *info) {
  *info = {HIL_CLOCK_EMULATED, 25000000, 5, 2};
  if (FAULT == ABSENT) *info = {HIL_CLOCK_NONE, 0, 0, 0};
  if (FAULT == AHEAD) *info = {HIL_CLOCK_SYSTICK, 250000, 0, 0};
  if (FAULT == BEHIND) *info = {HIL_CLOCK_SYSTICK, 2500000000u, 0, 0};
  return true;
}

uint64_t hil_platform_ticks(void) { return machine_ticks() * (FAULT == DOUBLED ? 2 : 1); }

uint64_t hil_platform_second_ns(void) {
  if (FAULT >= AHEAD) return HIL_UNKNOWN_U64;
  return machine_second_ticks() * (FAULT == SECOND ? 20 : 40);
}
}

static void systick_control(uint32_t value) {
  *reinterpret_cast<volatile uint32_t *>(0xE000E010) = value;
}

void setup() {
  Serial.begin(115200);
  HilConfig config;
  config.model = hil_model;
  config.model_len = hil_model_len;
  config.arena = arena;
  config.arena_size = HIL_ARENA_BYTES;
  config.resolver = &resolver;
  config.resolver_full = !hil_register_ops(resolver);
  config.build_id = HIL_BUILD_ID;
  config.board = HIL_BOARD;
  config.tflm = HIL_TFLM;
  config.kernels = HIL_KERNELS;
  config.compiler = HIL_COMPILER;
  config.flags = HIL_FLAGS;
  hil.begin(Serial, config);
  if (FAULT == STOPPED) systick_control(0);
  if (FAULT == SLOW) systick_control(3);
}

void loop() { hil.poll(); }
