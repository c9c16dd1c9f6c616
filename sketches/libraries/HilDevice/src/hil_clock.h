/* Ticks around an inference: the core's own clock, else DWT where it counts, else micros(); and
 * what a second clock says of the same interval, so that the host can tell a clock that is wrong. */
#ifndef HIL_CLOCK_H
#define HIL_CLOCK_H

#include "hil_platform.h"

/* A moment; only the difference of two means anything. */
struct HilMoment {
  uint64_t ticks;
  uint64_t second_ns;
  uint32_t us;
};

/* One interval by both clocks; `second_ns` is HIL_UNKNOWN_U64 where there is no second one. */
struct HilSpan {
  uint64_t ticks;
  uint64_t second_ns;
};

class HilClock {
 public:
  void begin();
  void now(HilMoment &moment) const;
  HilSpan since(const HilMoment &start) const;
  const hil_clock_info &info() const { return info_; }

 private:
  bool begin_dwt();
  uint64_t ticks_since(const HilMoment &start) const;
  uint64_t read(uint32_t us) const;
  hil_clock_info info_;
};

#endif
