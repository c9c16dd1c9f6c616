#include "hil_watch.h"

#include "hil_wire.h"

/* Kernels are plain functions: whose run this is has to stand in a variable. */
static HilWatchBase *running = 0;

const tflite::MicroOpResolver &HilWatchBase::resolver_over(const tflite::MicroOpResolver &real) {
  used_ = 0;
  full_ = false;
  kept_ = ops_ = 0;
  node_ = 0;
  resolver_.set(real, *this);
  return resolver_;
}

const hil_tflm::Registration *HilWatchBase::wrap(const hil_tflm::Registration *found) {
  for (uint8_t i = 0; i < used_; ++i) {
    if (wrapped_[i].real == found) return &wrapped_[i].shown;
  }
  if (used_ == kinds_) {
    full_ = true;
    return found;
  }
  HilWrapped &room = wrapped_[used_++];
  room.real = found;
  room.shown = *found;
  if (found->invoke) room.shown.invoke = invoke;
  return &room.shown;
}

/* By address, and only one of our own: an era that keeps nodes elsewhere fails here. */
const HilWrapped *HilWatchBase::wrapped_of(const TfLiteNode *node) const {
  const hil_tflm::Registration *shown = hil_tflm::registration_of(node);
  for (uint8_t i = 0; i < used_; ++i) {
    if (&wrapped_[i].shown == shown) return &wrapped_[i];
  }
  return 0;
}

void HilWatchBase::start(const HilClock &clock, uint16_t first, uint16_t stop_after, bool crcs) {
  clock_ = &clock;
  first_ = first;
  stop_after_ = stop_after;
  crcs_ = crcs;
  kept_ = ops_ = 0;
  node_ = 0;
  empty_ = 0xffffffffu;
  for (int i = 0; i < 4; ++i) {
    HilMoment moment;
    clock.now(moment);
    const uint64_t ticks = clock.since(moment).ticks;
    if (ticks < empty_) empty_ = (uint32_t)ticks;
  }
  running = this;
}

TfLiteStatus HilWatchBase::invoke(TfLiteContext *context, TfLiteNode *node) {
  return running->run(context, node);
}

TfLiteStatus HilWatchBase::run(TfLiteContext *context, TfLiteNode *node) {
  const HilWrapped *wrapped = wrapped_of(node);
  if (!wrapped) return kTfLiteError;
  const uint16_t op = ops_++;
  HilMoment start;
  clock_->now(start);
  const TfLiteStatus status = wrapped->real->invoke(context, node);
  const uint64_t ticks = clock_->since(start).ticks;
  if (status != kTfLiteOk) return status;
  context_ = context;
  node_ = node;
  if (op >= first_) keep(op, wrapped->real->builtin_code, ticks);
  if (op == stop_after_) return kTfLiteDelegateError; /* ends Invoke() without a word */
  node_ = 0;
  return kTfLiteOk;
}

void HilWatchBase::keep(uint16_t op, int32_t code, uint64_t ticks) {
  const int outputs = node_->outputs ? node_->outputs->size : 0;
  for (int i = 0; (i == 0 || i < outputs) && kept_ < room_; ++i) {
    const hil_tflm::Raw raw = crcs_ ? output((uint8_t)i) : hil_tflm::Raw();
    HilSeen &seen = seen_[kept_++];
    seen.op = op;
    seen.code = (uint16_t)code;
    seen.ticks = ticks < 0xffffffffu ? (uint32_t)ticks : 0xffffffffu;
    seen.crc = raw.data ? hil_crc32(0, raw.data, raw.bytes) : 0;
  }
}

hil_tflm::Raw HilWatchBase::output(uint8_t index) const {
  if (!node_ || !node_->outputs || index >= node_->outputs->size) return hil_tflm::Raw();
  return hil_tflm::raw_tensor(context_, node_->outputs->data[index], 0);
}
