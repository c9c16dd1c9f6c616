/* Where TFLM's text goes: the harness's stream, outside frames. */
#ifndef HIL_LOG_H
#define HIL_LOG_H

#include <Arduino.h>

void hil_log_to(Print *out);

#endif
