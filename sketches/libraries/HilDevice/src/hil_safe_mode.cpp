/* What answers instead of a firmware that crashes at each start. */
#include "HilDevice.h"

/* A core that keeps count of crashes calls this before the sketch's constructors and setup(). It
 * states no model and loads none; the host asks for the record of the crash. RESET tries the
 * sketch again. */
extern "C" __attribute__((noreturn)) void hil_safe_mode(void) {
  HilDevice device;
  Serial.begin(115200);
  device.begin(Serial, HilConfig());
  for (;;) device.poll();
}
