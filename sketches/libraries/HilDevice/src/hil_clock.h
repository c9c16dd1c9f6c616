/* Ticks around an inference: the core's own clock, else DWT where it counts, else micros(). */
#ifndef HIL_CLOCK_H
#define HIL_CLOCK_H

#include "hil_platform.h"

/* A moment; only the difference of two means anything. */
struct HilMoment {
  uint64_t ticks;
  uint32_t us;
};

class HilClock {
 public:
  void begin();
  HilMoment now() const;
  uint64_t ticks_since(const HilMoment &start) const;
  const hil_clock_info &info() const { return info_; }

 private:
  bool begin_dwt();
  uint64_t read(uint32_t us) const;
  hil_clock_info info_;
};

#endif
