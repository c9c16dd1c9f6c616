// The first TinyML program: predict sin(x) from a float model, say so on the serial monitor.
// Says it once at start and again whenever a line arrives. README.md lists the generated files.
#include "hil_config.h"

#include <hil_log.h>
#include <hil_tflm.h>

#include "hil_model.h"
#include "hil_ops.h"

#ifndef HIL_ARENA_SKEW
#define HIL_ARENA_SKEW 0
#endif

alignas(16) static uint8_t tensor_arena[HIL_ARENA_BYTES + HIL_ARENA_SKEW];
alignas(16) static uint8_t interpreter_room[sizeof(tflite::MicroInterpreter)];
static tflite::MicroMutableOpResolver<HIL_OP_REGISTRATIONS> resolver;
static tflite::MicroInterpreter *interpreter = nullptr;
static const char *problem = "";
static bool ready = false;

static bool fail(const char *text) {
  problem = text; // said again whenever somebody asks
  Serial.println(text);
  return false;
}

static bool check_schema(const tflite::Model *model) {
  if (model->version() == TFLITE_SCHEMA_VERSION) return true;
  Serial.print("Model provided is schema version ");
  Serial.print((unsigned long)model->version());
  Serial.print(" not equal to supported version ");
  Serial.print((unsigned long)TFLITE_SCHEMA_VERSION);
  Serial.println(".");
  return false;
}

static bool start() {
  const tflite::Model *model = tflite::GetModel(hil_model);
  if (!check_schema(model)) return false;
  if (problem[0]) return fail(problem);
  if (!hil_register_ops(resolver)) return fail("The op resolver is too small!");
  interpreter = hil_tflm::make_interpreter(interpreter_room, model, resolver,
                                           tensor_arena + HIL_ARENA_SKEW, HIL_ARENA_BYTES);
  if (interpreter->AllocateTensors() != kTfLiteOk) return fail("AllocateTensors() failed!");
  if (interpreter->input(0)->type != kTfLiteFloat32) return fail("The input is not float32!");
  return true;
}

static void predict(float x) {
  interpreter->input(0)->data.f[0] = x;
  if (interpreter->Invoke() != kTfLiteOk) {
    Serial.println("Invoke() failed!");
    return;
  }
  Serial.print("sin(0) predicted: ");
  Serial.println(interpreter->output(0)->data.f[0], 4);
}

static void run() {
  if (!ready) ready = start();
  if (ready) predict(0.0f);
}

void setup() {
  Serial.begin(115200);
  while (!Serial) {
  }
  hil_log_to(&Serial);
  run();
}

void loop() {
  if (Serial.read() == '\n') run();
}
