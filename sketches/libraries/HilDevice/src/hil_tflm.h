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
#include <utility>

#include "tensorflow/lite/micro/compatibility.h"
#include "tensorflow/lite/micro/memory_helpers.h"
#include "tensorflow/lite/micro/micro_allocator.h"
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

/* TfLiteRegistration, TFLMRegistration since late 2023. */
typedef std::remove_cv<std::remove_pointer<decltype(find_op(
    std::declval<const tflite::MicroOpResolver &>(), tflite::BuiltinOperator_ADD, 1, 0))>::type>::type
    Registration;

/* What a resolver hands out in place of a registration that it found (never null). */
class Wrapper {
 public:
  virtual const Registration *wrap(const Registration *found) = 0;
};

/* Whether a resolver is asked by op alone, or by op and version (mid-2020). */
template <class Resolver>
auto asks_version(const Resolver &resolver, int)
    -> decltype(resolver.FindOp(tflite::BuiltinOperator_ADD), std::false_type());
template <class Resolver>
std::true_type asks_version(const Resolver &resolver, long);

/* A resolver that finds what another one finds and hands out what a Wrapper makes of it. Base is
 * tflite::MicroOpResolver, as a parameter: only the right one of the two is compiled. */
template <class Base>
class Wrapping : public Base {
 public:
  Wrapping() : real_(nullptr), wrapper_(nullptr) {}
  void set(const Base &real, Wrapper &wrapper) {
    real_ = &real;
    wrapper_ = &wrapper;
  }
  decltype(std::declval<const Base &>().GetOpDataParser(tflite::BuiltinOperator_ADD))
  GetOpDataParser(tflite::BuiltinOperator op) const override {
    return real_->GetOpDataParser(op);
  }
  /* Only mid-2020 asks for it, and never calls it here. */
  TfLiteStatus AddBuiltin(tflite::BuiltinOperator, Registration *, int) { return kTfLiteError; }

 protected:
  template <class Op>
  const Registration *find(Op op, int version) const {
    const Registration *found = find_op(*real_, op, version, 0);
    return found ? wrapper_->wrap(found) : nullptr;
  }

 private:
  const Base *real_;
  Wrapper *wrapper_;
  TF_LITE_REMOVE_VIRTUAL_DELETE
};

template <class Base, bool kVersions>
class WrappingResolver : public Wrapping<Base> {
 public:
  const Registration *FindOp(tflite::BuiltinOperator op) const override {
    return this->find(op, 1);
  }
  const Registration *FindOp(const char *op) const override { return this->find(op, 1); }

 private:
  TF_LITE_REMOVE_VIRTUAL_DELETE
};

template <class Base>
class WrappingResolver<Base, true> : public Wrapping<Base> {
 public:
  const Registration *FindOp(tflite::BuiltinOperator op, int version) const override {
    return this->find(op, version);
  }
  const Registration *FindOp(const char *op, int version) const override {
    return this->find(op, version);
  }

 private:
  TF_LITE_REMOVE_VIRTUAL_DELETE
};

typedef WrappingResolver<tflite::MicroOpResolver,
                         decltype(asks_version(std::declval<const tflite::MicroOpResolver &>(),
                                               0))::value>
    WatchedResolver;

/* The registration that the interpreter keeps beside a node, in all eras in one struct. */
inline const Registration *registration_of(const TfLiteNode *node) {
  return reinterpret_cast<const tflite::NodeAndRegistration *>(node)->registration;
}

/* The bytes of a tensor; null if it has none. */
struct Raw {
  const uint8_t *data;
  size_t bytes;
};

/* Tensor `index` of the graph that runs. Tensors are complete in mid-2020 only; since then
 * kernels see TfLiteEvalTensor, and a TfLiteTensor would cost arena. */
template <class Context>
auto raw_tensor(Context *context, int index, int)
    -> decltype(context->GetEvalTensor(context, index), Raw()) {
  using namespace tflite;
  const auto *tensor = context->GetEvalTensor(context, index);
  Raw raw = {nullptr, 0};
  if (!tensor || TfLiteEvalTensorByteLength(tensor, &raw.bytes) != kTfLiteOk) return raw;
  raw.data = reinterpret_cast<const uint8_t *>(tensor->data.raw);
  return raw;
}
template <class Context>
Raw raw_tensor(Context *context, int index, long) {
  const TfLiteTensor &tensor = context->tensors[index];
  Raw raw = {reinterpret_cast<const uint8_t *>(tensor.data.raw), tensor.bytes};
  return raw;
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
