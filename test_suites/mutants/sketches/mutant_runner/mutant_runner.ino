// hil_runner with a fault that is chosen after compiling: the four words of `hil_mutant` lie in
// flash, and whoever makes a mutant writes them into the image. All zero is the honest sketch.
#include "hil_config.h"

#include <HilDevice.h>
#include <string.h>

#include "hil_model.h"
#include "hil_ops.h"
#include "tensorflow/lite/kernels/kernel_util.h"

extern "C" {
extern const volatile uint32_t hil_mutant[4];
__attribute__((used, section(".rodata.hil_mutant"))) const volatile uint32_t hil_mutant[4] = {0, 0, 0, 0};
}

// hil_mutant[0], and what a, b, c (the other words) mean. Bytes are counted from 0.
enum Fault {
  NONE,
  OUT_XOR,    // output byte a ^= b, every c-th run (0: all)
  OUT_ADD,    // output byte a (kAll: each) += b, saturating, every c-th run (0: all)
  OUT_SWAP,   // output bytes a and b change places
  OUT_TURN,   // the output is rotated by a bytes
  OUT_FILL,   // every output byte is a
  OUT_FIRST,  // the first answer, for ever
  OUT_LATE,   // the answer to the input a runs ago
  OUT_WORD,   // 32-bit output word a is b, every c-th run (0: all)
  IN_CUT,     // the last a bytes of the input are b
  IN_SHIFT,   // the input moves by a bytes
  UNSET_RAM,  // output byte a ^= the arena's byte b from its end, which nobody wrote
  CHANCE,     // output byte a ^= the lowest byte of the time
  COUNT,      // output byte a += the number of runs / b
  FLIP_LATER, // before run a, bit c of the model's byte b flips: the model lies in RAM
  MODEL_AT,   // the model lies a bytes beside its alignment
  ARENA_AT,   // the arena lies a bytes beside its alignment
  ARENA_CAP,  // the arena has a bytes
  ZERO_POINT, // the zero point of the last output is a too high
  SCALE,      // the scale of the last output is a thousandths too large
  WORK,       // the last layer takes a loops longer
  REFUSE,     // the last layer's kernel fails, every c-th run (0: all)
  CRASH,      // the first layer dies in the way a, every c-th run (0: all)
  LOST_OPS,   // no op is registered
  CLOCK_RATE, // the clock counts a ticks for 2 to the power of b
  CLOCK_STOPS,// the clock stands still after run a
};
static const uint32_t kAll = 0xffff;
static const size_t kMostModel = 20 * 1024, kMostOutput = 256, kRing = 8;

alignas(16) static uint8_t arena[HIL_ARENA_BYTES];
alignas(16) static uint8_t copy[kMostModel + 16];
static tflite::MicroMutableOpResolver<HIL_OP_REGISTRATIONS> resolver;
static HilDevice hil;
static TfLiteStatus (*honest)(TfLiteContext *, TfLiteNode *);
static TfLiteStatus (*prepare)(TfLiteContext *, TfLiteNode *);
static int first_tensor, last_tensor;
static uint32_t runs;  // the one under way is number `runs`, from 1
static uint8_t answers[kRing][kMostOutput];

volatile uint32_t sink;

static uint32_t fault() { return hil_mutant[0]; }
static uint32_t a() { return hil_mutant[1]; }
static uint32_t b() { return hil_mutant[2]; }
static uint32_t c() { return hil_mutant[3]; }
static bool due() { return c() == 0 || runs % c() == 0; }

// -- ways to die

__attribute__((noinline)) void write_through_null() {
  volatile uintptr_t address = 0;
  *reinterpret_cast<volatile uint32_t *>(address) = 1;
}

__attribute__((noinline)) void overflow_the_stack(uint32_t depth) {
  volatile uint8_t room[256];
  room[depth % sizeof room] = (uint8_t)depth;
  overflow_the_stack(depth + 1);
  sink = sink + room[0];
}

// The MPS2's CMSDK watchdog (Arm DDI 0479, 4.6): counts down at 25 MHz, then raises the NMI.
__attribute__((noinline)) void spin_until_the_watchdog_bites() {
  *reinterpret_cast<volatile uint32_t *>(0x40008000) = 250000;  // WDOGLOAD: 10 ms
  *reinterpret_cast<volatile uint32_t *>(0x40008008) = 3;       // WDOGCONTROL: interrupt, reset
  for (;;) sink = sink + 1;
}

static void die() {
  switch (a()) {
    case 0: return write_through_null();
    case 1: return overflow_the_stack(1);
    case 2: asm volatile(".inst.n 0xde00"); return;
    case 3: sink = *reinterpret_cast<volatile uint32_t *>(0xA0000000); return;
    case 4: abort();
    default: return spin_until_the_watchdog_bites();
  }
}

// -- before the first layer, and after the last

static void spoil_input(TfLiteTensor *input) {
  int8_t *data = input->data.int8;
  const size_t size = input->bytes;
  if (fault() == IN_CUT) memset(data + size - a(), (int)b(), a());
  if (fault() == IN_SHIFT) memmove(data + a(), data, size - a());
  if (fault() == FLIP_LATER && runs == a()) copy[b()] ^= (uint8_t)(1u << c());
  if (fault() == CRASH && due()) die();
}

static void add(int8_t *byte, int32_t what) {
  const int32_t sum = *byte + what;
  *byte = (int8_t)(sum > 127 ? 127 : sum < -128 ? -128 : sum);
}

static void add_to(int8_t *data, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    if (a() == i || a() == kAll) add(data + i, (int32_t)b());
  }
}

static void turn(int8_t *data, size_t size) {
  static int8_t before[kMostOutput];  // not on the stack, whose depth is judged
  memcpy(before, data, size);
  for (size_t i = 0; i < size; ++i) data[(i + a()) % size] = before[i];
}

static void swap(int8_t *data) {
  const int8_t kept = data[a()];
  data[a()] = data[b()];
  data[b()] = kept;
}

static void remember(int8_t *data, size_t size, uint32_t ago) {
  memcpy(answers[runs % kRing], data, size);
  if (runs > ago) memcpy(data, answers[(runs - ago) % kRing], size);
}

static void keep(const int8_t *data, size_t size) { memcpy(answers[0], data, size); }
static void restore(int8_t *data, size_t size) { memcpy(data, answers[0], size); }

static void put(int8_t *data, uint32_t word) { memcpy(data + 4 * a(), &word, 4); }

static void spoil_output(TfLiteTensor *output) {
  int8_t *data = output->data.int8;
  const size_t size = output->bytes;
  switch (fault()) {
    case OUT_XOR: if (due()) data[a()] ^= (int8_t)b(); return;
    case OUT_ADD: if (due()) add_to(data, size); return;
    case OUT_SWAP: return swap(data);
    case OUT_TURN: return turn(data, size);
    case OUT_FILL: memset(data, (int)a(), size); return;
    case OUT_FIRST: return runs == 1 ? keep(data, size) : restore(data, size);
    case OUT_LATE: return remember(data, size, a());
    case OUT_WORD: if (due()) put(data, b()); return;
    case UNSET_RAM: data[a()] ^= (int8_t)arena[HIL_ARENA_BYTES - b()]; return;
    case CHANCE: data[a()] ^= (int8_t)micros(); return;
    case COUNT: data[a()] += (int8_t)(runs / b()); return;
    case WORK: for (uint32_t i = 0; i < a(); ++i) sink = sink + 1; return;
  }
}

// The stack of a kernel is judged: what is known of a run lies beside it, not below it.
static struct {
  TfLiteTensor *output;
  int32_t zero_point;
  bool last;
} under_way;

__attribute__((noinline)) static bool before(TfLiteContext *context, TfLiteNode *node) {
  under_way.last = node->outputs->data[0] == last_tensor;
  under_way.output = tflite::GetOutput(context, node, 0);
  under_way.zero_point = under_way.output->params.zero_point;
  if (node->inputs->data[0] == first_tensor) {
    ++runs;
    spoil_input(&context->tensors[first_tensor]);
  }
  if (under_way.last && fault() == ZERO_POINT) {
    under_way.output->params.zero_point += (int32_t)a();
  }
  return !(under_way.last && fault() == REFUSE && due());
}

__attribute__((noinline)) static void after() {
  under_way.output->params.zero_point = under_way.zero_point;
  if (under_way.last) spoil_output(under_way.output);
}

static TfLiteStatus spoiled(TfLiteContext *context, TfLiteNode *node) {
  if (!before(context, node)) return kTfLiteError;
  const TfLiteStatus status = honest(context, node);
  after();
  return status;
}

// -- the clock, in place of the core's own

extern "C" uint64_t machine_ticks(void);

extern "C" uint64_t hil_platform_ticks(void) {
  static uint64_t last;
  const uint64_t now = machine_ticks();
  if (fault() == CLOCK_RATE) return now * a() >> b();
  if (fault() != CLOCK_STOPS || runs <= a()) last = now;
  return last;
}

// A kernel takes the scales here, the zero point when it runs; the tensor is described as it should be.
static TfLiteStatus misread(TfLiteContext *context, TfLiteNode *node) {
  TfLiteTensor *output = tflite::GetOutput(context, node, 0);
  const TfLiteQuantizationParams before = output->params;
  const bool last = node->outputs->data[0] == last_tensor;
  if (last && fault() == SCALE) output->params.scale *= 1.0f + a() / 1000.0f;
  const TfLiteStatus status = prepare(context, node);
  output->params = before;
  return status;
}

// -- set-up

static void replace_kernels() {
  for (int version = 1; version <= 16; ++version) {
    const TfLiteRegistration *found =
        resolver.FindOp(tflite::BuiltinOperator_FULLY_CONNECTED, version);
    if (!found || found->invoke == spoiled) continue;
    honest = found->invoke;
    prepare = found->prepare;
    const_cast<TfLiteRegistration *>(found)->invoke = spoiled;
    const_cast<TfLiteRegistration *>(found)->prepare = misread;
  }
}

static void find_ends() {
  const tflite::SubGraph *graph = tflite::GetModel(hil_model)->subgraphs()->Get(0);
  first_tensor = graph->inputs()->Get(0);
  last_tensor = graph->outputs()->Get(0);
}

static const uint8_t *model() {
  const bool moved = fault() == MODEL_AT || fault() == FLIP_LATER;
  if (!moved || hil_model_len > kMostModel) return hil_model;
  const size_t skew = fault() == MODEL_AT ? a() : 0;
  memcpy(copy + skew, hil_model, hil_model_len);
  return copy + skew;
}

void setup() {
  Serial.begin(115200);
  HilConfig config;
  const size_t skew = fault() == ARENA_AT ? a() : 0;
  config.model = model();
  config.model_len = hil_model_len;
  config.arena = arena + skew;
  config.arena_size = fault() == ARENA_CAP ? a() : HIL_ARENA_BYTES - skew;
  config.resolver = &resolver;
  config.resolver_full = fault() == LOST_OPS ? false : !hil_register_ops(resolver);
  config.build_id = HIL_BUILD_ID;
  config.board = HIL_BOARD;
  config.tflm = HIL_TFLM;
  config.kernels = HIL_KERNELS;
  config.compiler = HIL_COMPILER;
  config.flags = HIL_FLAGS;
  find_ends();
  replace_kernels();
  hil.begin(Serial, config);
}

void loop() { hil.poll(); }
