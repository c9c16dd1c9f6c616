// hil_runner whose first layer dies, or stops, as its input byte says: one way for each kind of
// record that a core can leave behind. AT_START does the same in setup(), BEFORE_SETUP in a
// constructor.
#include "hil_config.h"

#include <HilDevice.h>
#include <assert.h>

#include "hil_model.h"
#include "hil_ops.h"
#include "tensorflow/lite/kernels/kernel_util.h"

alignas(16) static uint8_t arena[HIL_ARENA_BYTES];
static tflite::MicroMutableOpResolver<HIL_OP_REGISTRATIONS> resolver;
static HilDevice hil;
static TfLiteStatus (*honest)(TfLiteContext *, TfLiteNode *);

volatile uint32_t sink;

static volatile uint32_t &reg(uintptr_t address) {
  return *reinterpret_cast<volatile uint32_t *>(address);
}

__attribute__((noinline)) void run_undefined() { asm volatile(".inst.n 0xde00"); }

__attribute__((noinline)) void divide_by_zero() {
  reg(0xE000ED14) = reg(0xE000ED14) | (1u << 4);  // CCR.DIV_0_TRP
  volatile uint32_t zero = 0;
  sink = (sink | 8u) / zero;
}

__attribute__((noinline)) void touch_nothing() {
  reg(0xE000ED94) = 0;  // the MPU off: the bus itself has to refuse
  asm volatile("dsb\n isb");
  sink = reg(0xA0000000);
}

__attribute__((noinline)) void jump_to_even() {
  volatile uintptr_t even = reinterpret_cast<uintptr_t>(&run_undefined) & ~uintptr_t(1);
  reinterpret_cast<void (*)()>(even)();
  sink = 1;  // no tail call: the link register says who called
}

__attribute__((noinline)) void assert_falsehood() { assert(sink == 0xDEAD && "the sky is green"); }

// With faults masked (CPSID f, which Armv6-M lacks) a fault has nowhere to go: lock-up.
__attribute__((noinline)) void lock_up() {
  asm volatile(".inst.n 0xb671");
  run_undefined();
  sink = 2;
}

__attribute__((noinline)) void never_end() {
  for (;;) sink = sink + 1;
}

static void perish(int8_t what) {
  static uint8_t runs;
  ++runs;
  switch (what) {
    case 1: return run_undefined();
    case 2: return divide_by_zero();
    case 3: return touch_nothing();
    case 4: return jump_to_even();
    case 5: return assert_falsehood();
    case 6: return lock_up();
    case 7: return never_end();
    case 8: return runs == 4 ? never_end() : (void)0;  // by chance: setup() was the first
    default: return;
  }
}

static TfLiteStatus fatal(TfLiteContext *context, TfLiteNode *node) {
  if (node->inputs->data[0] == 0) perish(tflite::GetInput(context, node, 0)->data.int8[0]);
  return honest(context, node);
}

static void replace_kernels() {
  for (int version = 1; version <= 16; ++version) {
    const TfLiteRegistration *found =
        resolver.FindOp(tflite::BuiltinOperator_FULLY_CONNECTED, version);
    if (!found || found->invoke == fatal) continue;
    honest = found->invoke;
    const_cast<TfLiteRegistration *>(found)->invoke = fatal;
  }
}

#ifndef AT_START
#define AT_START 0
#endif

#ifdef BEFORE_SETUP
static struct Early {
  Early() { perish(BEFORE_SETUP); }
} early;
#endif

void setup() {
  perish(AT_START);
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
  replace_kernels();
  hil.begin(Serial, config);
}

void loop() { hil.poll(); }
