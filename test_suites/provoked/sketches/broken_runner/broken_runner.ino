// hil_runner with one broken kernel: that of BROKEN_OP (a BuiltinOperator) is the tree's own, and
// every fourth element of what it writes into BROKEN_TENSOR (an index of the model) is spoilt.
#include "hil_config.h"

#include <HilDevice.h>

#include "hil_model.h"
#include "hil_ops.h"
#include "tensorflow/lite/kernels/kernel_util.h"

#ifndef SHY
#define SHY 0  // 1: behaves while it is watched
#endif
#ifndef NO_WATCH
#define NO_WATCH 0  // 1: firmware whose ops cannot be looked at
#endif

alignas(16) static uint8_t arena[HIL_ARENA_BYTES];
static tflite::MicroMutableOpResolver<HIL_OP_REGISTRATIONS> resolver;
static HilWatch<HIL_WATCHED_KINDS, HIL_WATCHED_OUTPUTS> watch;
static HilDevice hil;
static TfLiteStatus (*honest)(TfLiteContext *, TfLiteNode *);

static void spoil(TfLiteTensor *output) {
  const bool is_float = output->type == kTfLiteFloat32;
  const size_t count = is_float ? output->bytes / sizeof(float) : output->bytes;
  for (size_t i = 0; i < count; i += 4) {
    if (is_float) output->data.f[i] += 0.25f;
    else output->data.int8[i] ^= 0x20;
  }
}

static TfLiteStatus broken(TfLiteContext *context, TfLiteNode *node) {
  const TfLiteStatus status = honest(context, node);
  const bool watched = hil_tflm::registration_of(node)->invoke != broken;
  const bool here = node->outputs->data[0] == BROKEN_TENSOR && !(SHY && watched);
  if (here) spoil(tflite::GetOutput(context, node, 0));
  return status;
}

static void break_kernel() {
  for (int version = 1; version <= 16; ++version) {
    const TfLiteRegistration *found =
        resolver.FindOp(static_cast<tflite::BuiltinOperator>(BROKEN_OP), version);
    if (!found || found->invoke == broken) continue;
    honest = found->invoke;
    const_cast<TfLiteRegistration *>(found)->invoke = broken;
  }
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
  if (!NO_WATCH) config.watch = &watch;
  config.build_id = HIL_BUILD_ID;
  config.board = HIL_BOARD;
  config.tflm = HIL_TFLM;
  config.kernels = HIL_KERNELS;
  config.compiler = HIL_COMPILER;
  config.flags = HIL_FLAGS;
  break_kernel();
  hil.begin(Serial, config);
}

void loop() { hil.poll(); }
