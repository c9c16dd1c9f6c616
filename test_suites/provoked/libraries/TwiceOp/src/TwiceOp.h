/* A custom operator for tests: y = 2 x, int8, clipped. */
#ifndef TWICE_OP_H
#define TWICE_OP_H

#include "tensorflow/lite/c/common.h"

namespace twice_op {
TfLiteRegistration *Register_TWICE();
}

#endif
