/* Every difference between the eras of TensorFlow Lite for Microcontrollers, and nothing else.
 *
 *   2020  MicroInterpreter takes an ErrorReporter; mid-2020 resolvers know op versions
 *   2023  no ErrorReporter; DebugLog takes a va_list from July on
 *   2024  the same constructor; C++17 headers
 *
 * Version strings do not tell them apart, headers and signatures do. The sketch has to include
 * the TFLM library's own root header first (TensorFlowLite.h, Chirale_TensorFlowLite.h), because
 * the Arduino builder finds a library by that alone.
 */
#ifndef HIL_TFLM_H
#define HIL_TFLM_H

#include <new>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

#if __has_include("tensorflow/lite/micro/micro_op_resolver.h")
#include "tensorflow/lite/micro/micro_op_resolver.h"
#endif

/* HIL_TFLM_REPORTER: the interpreter takes an ErrorReporter, and op kernels live in ops::micro. */
#if __has_include("tensorflow/lite/micro/micro_error_reporter.h")
#include "tensorflow/lite/micro/micro_error_reporter.h"
#define HIL_TFLM_REPORTER 1
#else
#define HIL_TFLM_REPORTER 0
#endif

#if __has_include("tensorflow/lite/version.h")
#include "tensorflow/lite/version.h"
#endif
#ifndef TFLITE_SCHEMA_VERSION
#define TFLITE_SCHEMA_VERSION 3
#endif

#if __has_include("tensorflow/lite/schema/schema_utils.h")
#include "tensorflow/lite/schema/schema_utils.h"
#define HIL_BUILTIN_CODE(opcode) tflite::GetBuiltinCode(opcode)
#else
#define HIL_BUILTIN_CODE(opcode) (opcode)->builtin_code()
#endif

namespace hil_tflm {

#if HIL_TFLM_REPORTER
/* TFLM's own reporter, which can hold its tongue. */
class Reporter : public tflite::MicroErrorReporter {
 public:
  int Report(const char *format, va_list args) override {
    return quiet ? 0 : tflite::MicroErrorReporter::Report(format, args);
  }
  bool quiet = false;

 private:
  TF_LITE_REMOVE_VIRTUAL_DELETE
};

/* Built once in place: a plain static would register its destructor at exit. */
inline Reporter *error_reporter() {
  alignas(Reporter) static uint8_t room[sizeof(Reporter)];
  static Reporter *reporter = nullptr;
  if (!reporter) reporter = new (room) Reporter;
  return reporter;
}

/* Bytes in use. The ErrorReporter eras print three lines on being asked. */
inline size_t arena_used(const tflite::MicroInterpreter &interpreter) {
  error_reporter()->quiet = true;
  const size_t used = interpreter.arena_used_bytes();
  error_reporter()->quiet = false;
  return used;
}
#else
inline size_t arena_used(const tflite::MicroInterpreter &interpreter) {
  return interpreter.arena_used_bytes();
}
#endif

/* Builds an interpreter in `where`, which has room and alignment for one. */
inline tflite::MicroInterpreter *make_interpreter(void *where, const tflite::Model *model,
                                                  const tflite::MicroOpResolver &resolver,
                                                  uint8_t *arena, size_t size) {
#if HIL_TFLM_REPORTER
  return new (where) tflite::MicroInterpreter(model, resolver, arena, size, error_reporter());
#else
  return new (where) tflite::MicroInterpreter(model, resolver, arena, size);
#endif
}

/* FindOp knows versions in mid-2020 only. */
template <class Resolver, class Op>
auto find_op(const Resolver &resolver, Op op, int version, int)
    -> decltype(resolver.FindOp(op, version)) {
  return resolver.FindOp(op, version);
}
template <class Resolver, class Op>
auto find_op(const Resolver &resolver, Op op, int, long) -> decltype(resolver.FindOp(op)) {
  return resolver.FindOp(op);
}

/* Whether the resolver has a kernel for this entry of the model's operator_codes. */
inline bool op_known(const tflite::MicroOpResolver &resolver, const tflite::OperatorCode *code) {
  const tflite::BuiltinOperator op = HIL_BUILTIN_CODE(code);
  if (op != tflite::BuiltinOperator_CUSTOM) {
    return find_op(resolver, op, code->version(), 0) != nullptr;
  }
  const char *name = code->custom_code() ? code->custom_code()->c_str() : "";
  return find_op(resolver, name, code->version(), 0) != nullptr;
}

/* State between invocations (variable tensors) back to its start. */
template <class Interpreter>
auto reset_state(Interpreter &interpreter, int) -> decltype(interpreter.Reset()) {
  return interpreter.Reset();
}
template <class Interpreter>
auto reset_state(Interpreter &interpreter, long)
    -> decltype(interpreter.ResetVariableTensors()) {
  return interpreter.ResetVariableTensors();
}

/* Per-channel parameters of a tensor, or null. */
inline const TfLiteAffineQuantization *affine(const TfLiteTensor &tensor) {
  if (tensor.quantization.type != kTfLiteAffineQuantization) return nullptr;
  return static_cast<const TfLiteAffineQuantization *>(tensor.quantization.params);
}

}  // namespace hil_tflm

#endif
