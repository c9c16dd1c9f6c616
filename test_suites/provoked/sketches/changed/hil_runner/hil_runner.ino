// hil_runner in which CHANGE (a macro of the build) makes something a little worse, or changes what
// no baseline is about. It has the reference sketch's name: baselines are of that sketch.
#include "hil_config.h"

#include <HilDevice.h>

#include "hil_model.h"
#include "hil_ops.h"
#include "tensorflow/lite/kernels/kernel_util.h"
#include "tensorflow/lite/micro/kernels/micro_ops.h"

#define OFF_BY_ONE 1  // the last layer's output is off by one step
#define LARGER 2      // the last layer takes 16 bytes of arena more
#define SLOWER 3      // the last layer takes 3 x SPIN instructions more
#define UNUSED_OP 4   // the resolver knows an op that the model does not have
#define LOG 5         // another log message

#if CHANGE == LOG
static const char *const kWords = "the last layer is prepared: a message that is longer than before";
#else
static const char *const kWords = "prepared";
#endif

typedef tflite::MicroMutableOpResolver<HIL_OP_REGISTRATIONS> OwnOps;

class Ops : public OwnOps {
 public:
  void operator delete(void *) {}  // TFLM's own is private: nothing of it lives on the heap
#if CHANGE == UNUSED_OP
  const TfLiteRegistration *FindOp(tflite::BuiltinOperator op, int version) const override {
    const TfLiteRegistration *found = OwnOps::FindOp(op, version);
    return found ? found : more_.FindOp(op, version);
  }
  void add() { more_.AddBuiltin(tflite::BuiltinOperator_ADD, tflite::ops::micro::Register_ADD()); }

 private:
  tflite::MicroMutableOpResolver<1> more_;
#else
  void add() {}
#endif
};

alignas(16) static uint8_t arena[HIL_ARENA_BYTES];
static Ops resolver;
static HilDevice hil;
static TfLiteStatus (*honest_prepare)(TfLiteContext *, TfLiteNode *);
static TfLiteStatus (*honest_invoke)(TfLiteContext *, TfLiteNode *);

// Volatile: the same instructions, whatever it is.
static volatile int8_t step = CHANGE == OFF_BY_ONE ? 1 : 0;

static bool is_last(TfLiteContext *context, TfLiteNode *node) {
  return tflite::GetOutput(context, node, 0)->bytes <= 4;  // of hello_sine 1, of gesture 4
}

static TfLiteStatus prepare(TfLiteContext *context, TfLiteNode *node) {
  const TfLiteStatus status = honest_prepare(context, node);
  if (status != kTfLiteOk || !is_last(context, node)) return status;
  Serial.println(kWords);
  void *more = nullptr;
  return CHANGE == LARGER ? context->AllocatePersistentBuffer(context, 16, &more) : status;
}

static TfLiteStatus invoke(TfLiteContext *context, TfLiteNode *node) {
  const TfLiteStatus status = honest_invoke(context, node);
  if (!is_last(context, node)) return status;
#if CHANGE == SLOWER
  uint32_t left = SPIN;
  asm volatile("1: sub %0, %0, #1\n cmp %0, #0\n bne 1b" : "+r"(left) : : "cc");
#endif
  tflite::GetOutput(context, node, 0)->data.int8[0] ^= step;
  return status;
}

static void change_kernels() {
  for (int version = 1; version <= 16; ++version) {
    const TfLiteRegistration *found =
        resolver.FindOp(tflite::BuiltinOperator_FULLY_CONNECTED, version);
    if (!found || found->invoke == invoke) continue;
    honest_prepare = found->prepare;
    honest_invoke = found->invoke;
    const_cast<TfLiteRegistration *>(found)->prepare = prepare;
    const_cast<TfLiteRegistration *>(found)->invoke = invoke;
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
  config.build_id = HIL_BUILD_ID;
  config.board = HIL_BOARD;
  config.tflm = HIL_TFLM;
  config.kernels = HIL_KERNELS;
  config.compiler = HIL_COMPILER;
  config.flags = HIL_FLAGS;
  resolver.add();
  change_kernels();
  hil.begin(Serial, config);
}

void loop() { hil.poll(); }
