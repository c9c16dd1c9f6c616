#include "hil_log.h"

#include <stdarg.h>
#include <stdio.h>

#include "tensorflow/lite/micro/debug_log.h"

static Print *log_out = 0;

void hil_log_to(Print *out) { log_out = out; }

/* debug_log.h declares DebugLog(const char*) or, since July 2023, DebugLog(const char*, va_list).
 * The declaration itself says which, so one function serves both under an alias of its type. It
 * is weak: a TFLM library that brings its own DebugLog keeps it. */
template <class Function>
struct HilTakesArguments {
  static const bool value = true;
};
template <>
struct HilTakesArguments<void(const char *)> {
  static const bool value = false;
};

extern "C" void hil_debug_log(const char *format, va_list args) {
  Print *out = log_out ? log_out : &Serial;
  if (!HilTakesArguments<decltype(DebugLog)>::value) {
    out->print(format);
    return;
  }
  char line[160];
  vsnprintf(line, sizeof line, format, args);
  out->print(line);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wattribute-alias"
extern "C" decltype(DebugLog) DebugLog __attribute__((weak, alias("hil_debug_log")));
#pragma GCC diagnostic pop

/* Asked for by TFLM since late 2023; unused before, then the linker drops it. */
extern "C" __attribute__((weak)) int DebugVsnprintf(char *buffer, size_t size, const char *format,
                                                    va_list args) {
  return vsnprintf(buffer, size, format, args);
}
