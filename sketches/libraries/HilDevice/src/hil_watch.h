/* Ops looked at while the model runs: ticks and output CRCs of each, and a run that stops after
 * one of them.
 *
 *   static HilWatch<2, 10> watch;   // kinds of op and outputs of ops that the model has, at least
 *   config.watch = &watch;
 *
 * A watched LOAD takes the model's registrations wrapped: the wrapper times the real kernel and
 * looks at what it wrote. A plain LOAD of the same image runs the kernels themselves. Costs no
 * arena; RAM as its two numbers say.
 */
#ifndef HIL_WATCH_H
#define HIL_WATCH_H

#include "hil_clock.h"
#include "hil_tflm.h"

#define HIL_WATCH_ALL 0xffffu /* stop_after: run to the end */

/* One output of one op that ran; an op without outputs has one of these too. */
struct HilSeen {
  uint16_t op;    /* number in the order of running, from 0 */
  uint16_t code;  /* tflite::BuiltinOperator */
  uint32_t ticks; /* of the op, saturated; the clock's own cost is in them, see empty() */
  uint32_t crc;   /* of the output; 0: none was asked for */
};

struct HilWrapped {
  hil_tflm::Registration shown; /* handed to the interpreter */
  const hil_tflm::Registration *real;
};

class HilWatchBase : private hil_tflm::Wrapper {
 public:
  /* The resolver to load with; forgets what an earlier load was given. */
  const tflite::MicroOpResolver &resolver_over(const tflite::MicroOpResolver &real);
  /* Whether all registrations found room since `resolver_over`. */
  bool complete() const { return !full_; }

  /* Before Invoke(). Keeps outputs of ops from number `first` on, stops after op `stop_after`. */
  void start(const HilClock &clock, uint16_t first, uint16_t stop_after, bool crcs);
  bool stopped() const { return node_ != 0; }
  uint16_t ops() const { return ops_; }
  uint16_t kept() const { return kept_; }
  const HilSeen &seen(uint16_t index) const { return seen_[index]; }
  /* Ticks that the clock counts over nothing. */
  uint32_t empty() const { return empty_; }
  /* Output of the op after which the run stopped; no data if there is none. */
  hil_tflm::Raw output(uint8_t index) const;

 protected:
  HilWatchBase(HilWrapped *wrapped, uint8_t kinds, HilSeen *seen, uint16_t outputs)
      : wrapped_(wrapped), kinds_(kinds), seen_(seen), room_(outputs) {}

 private:
  static TfLiteStatus invoke(TfLiteContext *context, TfLiteNode *node);
  const hil_tflm::Registration *wrap(const hil_tflm::Registration *found) override;
  const HilWrapped *wrapped_of(const TfLiteNode *node) const;
  TfLiteStatus run(TfLiteContext *context, TfLiteNode *node);
  void keep(uint16_t op, int32_t code, uint64_t ticks);

  HilWrapped *wrapped_;
  uint8_t kinds_, used_ = 0;
  bool full_ = false, crcs_ = true;
  HilSeen *seen_;
  uint16_t room_, kept_ = 0, ops_ = 0, first_ = 0, stop_after_ = HIL_WATCH_ALL;
  uint32_t empty_ = 0;
  const HilClock *clock_ = 0;
  TfLiteContext *context_ = 0;
  const TfLiteNode *node_ = 0; /* after which the run stopped */
  hil_tflm::WatchedResolver resolver_;
};

template <uint8_t kKinds, uint16_t kOutputs>
class HilWatch : public HilWatchBase {
 public:
  HilWatch() : HilWatchBase(wrapped_, kKinds, seen_, kOutputs) {}

 private:
  HilWrapped wrapped_[kKinds];
  HilSeen seen_[kOutputs];
};

#endif
