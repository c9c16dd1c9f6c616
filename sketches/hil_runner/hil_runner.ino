// One model, compiled in, served to the harness over Serial.
// README.md lists the files that the build puts beside this one.
#include "hil_config.h"

#include <HilDevice.h>

#include "hil_model.h"
#include "hil_ops.h"

#ifndef HIL_ARENA_SKEW
#define HIL_ARENA_SKEW 0
#endif

alignas(16) static uint8_t arena[HIL_ARENA_BYTES + HIL_ARENA_SKEW];
static tflite::MicroMutableOpResolver<HIL_OP_REGISTRATIONS> resolver;
static HilWatch<HIL_WATCHED_KINDS, HIL_WATCHED_OUTPUTS> watch;
static HilDevice hil;

void setup() {
  Serial.begin(115200);
  HilConfig config;
  config.model = hil_model;
  config.model_len = hil_model_len;
  config.arena = arena + HIL_ARENA_SKEW;
  config.arena_size = HIL_ARENA_BYTES;
  config.resolver = &resolver;
  config.resolver_full = !hil_register_ops(resolver);
  config.watch = &watch;
  config.build_id = HIL_BUILD_ID;
  config.board = HIL_BOARD;
  config.tflm = HIL_TFLM;
  config.kernels = HIL_KERNELS;
  config.compiler = HIL_COMPILER;
  config.flags = HIL_FLAGS;
  config.version = HIL_WIRE_VERSION;
  hil.begin(Serial, config);
}

void loop() { hil.poll(); }
