// hil_runner with a fault: FAULT (a macro of the build) says which. The kernel of the dense layers
// is the tree's own, followed or replaced by what is broken.
#include "hil_config.h"

#include <HilDevice.h>

#include "hil_model.h"
#include "hil_ops.h"
#include "tensorflow/lite/kernels/kernel_util.h"

#define FLIPPED 1   // the last layer's first output has its lowest bit flipped
#define COUNTING 2  // the last layer adds the number of its runs
#define UNWRITTEN 3 // the last layer mixes in a byte of the arena that nobody wrote
#define CHOSEN 4    // the first layer does what its input byte says, see `chosen`
#define OPLESS 5    // no op is registered
#define TASKED 6    // nothing wrong, but all runs on a stack that the core knows nothing of
#define SILENT 7    // nothing is ever read or written
#define FLOODING 8  // text without end, whoever reads it
#define UNWATCHED 9 // no op can be looked at

alignas(16) static uint8_t arena[HIL_ARENA_BYTES];
static tflite::MicroMutableOpResolver<HIL_OP_REGISTRATIONS> resolver;
static HilWatch<HIL_WATCHED_KINDS, HIL_WATCHED_OUTPUTS> watch;
static HilDevice hil;
static TfLiteStatus (*honest)(TfLiteContext *, TfLiteNode *);

volatile uint32_t sink;

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

// One frame larger than the whole stack: it lands far below, and touches nothing on the way.
__attribute__((noinline)) void jump_the_guard() {
  volatile uint8_t room[32 * 1024];
  room[0] = 1;
  sink = sink + room[0];
}

extern "C" uint32_t __stack_bottom[];

__attribute__((noinline)) void use_the_heap() {
  void *volatile room = malloc(3000);
  free(room);
  static void *volatile kept;
  if (!kept) kept = malloc(500);
}

__attribute__((noinline)) void read_unaligned() {
  alignas(4) static uint32_t words[2] = {0x04030201u, 0x08070605u};
  volatile uintptr_t address = reinterpret_cast<uintptr_t>(words) + 1;
  sink = *reinterpret_cast<volatile uint32_t *>(address);
}

__attribute__((noinline)) void spin() {
  for (;;) sink = sink + 1;
}

static void busy(unsigned long ms) {
  Serial.println("computing");
  for (const unsigned long start = millis(); millis() - start < ms;) sink = sink + 1;
}

// The MPS2's CMSDK watchdog (Arm DDI 0479, 4.6): counts down at 25 MHz, then raises the NMI.
__attribute__((noinline)) void spin_until_the_watchdog_bites() {
  *reinterpret_cast<volatile uint32_t *>(0x40008000) = 250000;  // WDOGLOAD: 10 ms
  *reinterpret_cast<volatile uint32_t *>(0x40008008) = 3;       // WDOGCONTROL: interrupt, reset
  spin();
}

static void chosen(int8_t what) {
  switch (what) {
    case 1: return write_through_null();
    case 2: return overflow_the_stack(1);
    case 3: return read_unaligned();
    case 4: return spin();
    case 5: return spin_until_the_watchdog_bites();
    case 6: return busy(4000);
    case 7: return jump_the_guard();
    case 8: __stack_bottom[0] = 0; return;
    case 9: return use_the_heap();
    default: return;
  }
}

static TfLiteStatus broken(TfLiteContext *context, TfLiteNode *node) {
  static uint8_t runs;
  if (FAULT == CHOSEN && node->inputs->data[0] == 0) {
    chosen(tflite::GetInput(context, node, 0)->data.int8[0]);
  }
  const TfLiteStatus status = honest(context, node);
  TfLiteTensor *output = tflite::GetOutput(context, node, 0);
  if (output->bytes != 1) return status;
  if (FAULT == FLIPPED) output->data.int8[0] ^= 1;
  if (FAULT == COUNTING) output->data.int8[0] += runs++;
  if (FAULT == UNWRITTEN) output->data.int8[0] ^= arena[HIL_ARENA_BYTES / 2];
  return status;
}

// As an RTOS does for a task.
__attribute__((naked, noinline)) void call_on(void *stack_top, void (*call)()) {
  asm volatile("push {r4, lr}\n mov r4, sp\n mov sp, r0\n blx r1\n mov sp, r4\n pop {r4, pc}");
}

alignas(8) static uint8_t task_stack[FAULT == TASKED ? 8192 : 8];

static void break_kernels() {
  for (int version = 1; version <= 16; ++version) {
    const TfLiteRegistration *found =
        resolver.FindOp(tflite::BuiltinOperator_FULLY_CONNECTED, version);
    if (!found || found->invoke == broken) continue;
    honest = found->invoke;
    const_cast<TfLiteRegistration *>(found)->invoke = broken;
  }
}

void setup() {
  Serial.begin(115200);
  if (FAULT == SILENT || FAULT == FLOODING) return;
  HilConfig config;
  config.model = hil_model;
  config.model_len = hil_model_len;
  config.arena = arena;
  config.arena_size = HIL_ARENA_BYTES;
  config.resolver = &resolver;
  config.resolver_full = FAULT == OPLESS ? false : !hil_register_ops(resolver);
  if (FAULT != UNWATCHED) config.watch = &watch;
  config.build_id = HIL_BUILD_ID;
  config.board = HIL_BOARD;
  config.tflm = HIL_TFLM;
  config.kernels = HIL_KERNELS;
  config.compiler = HIL_COMPILER;
  config.flags = HIL_FLAGS;
  break_kernels();
  hil.begin(Serial, config);
}

static void poll() { hil.poll(); }

void loop() {
  if (FAULT == FLOODING) Serial.println("a line that nobody asked for");
  if (FAULT == TASKED) return call_on(task_stack + sizeof task_stack, poll);
  if (FAULT != SILENT && FAULT != FLOODING) poll();
}
