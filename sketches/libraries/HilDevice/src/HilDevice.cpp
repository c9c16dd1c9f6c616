#include "HilDevice.h"

#include <string.h>

#include "hil_memory.h"
#include "hil_requests.h"

enum { NAK_CRC = 1, NAK_TOO_LONG, NAK_VERSION, NAK_SESSION, NAK_UNKNOWN };

static const size_t kHeader = 8;       /* version, type, seq, session */
static const size_t kBytesPerPoll = 512; /* a flooded port must not starve loop() */

void HilDevice::begin(Stream &stream, const HilConfig &config) {
  stream_ = &stream;
  config_ = config;
  kept_.type = 0;
  out_.attach(stream_);
  hil_log_to(stream_);
  clock_.begin();
  hil_memory_begin();
  const uint8_t zero = 0; /* closes a frame that a reset cut short */
  stream_->write(&zero, 1);
}

void HilDevice::poll() {
  size_t taken = 0;
  for (int c; taken < kBytesPerPoll && (c = stream_->read()) >= 0; ++taken) take((uint8_t)c);
  if (!taken) hil_platform_idle();
}

/* ---- frames in ---- */

void HilDevice::take(uint8_t byte) {
  if (byte) {
    if (rx_used_ < kRxBytes) rx_[rx_used_] = byte;
    if (rx_used_ <= kRxBytes) ++rx_used_;
    return;
  }
  if (rx_used_ > kRxBytes) {
    seq_ = 0;
    ++damaged_;
    nak(NAK_TOO_LONG);
  } else if (rx_used_) {
    frame();
  }
  rx_used_ = 0;
}

void HilDevice::frame() {
  const int size = hil_cobs_decode(rx_, rx_used_);
  seq_ = 0;
  if (size < (int)kHeader + 4) {
    ++damaged_;
    return nak(NAK_CRC);
  }
  HilIn tail(rx_ + size - 4, 4);
  if (tail.u32() != hil_crc32(0, rx_, size - 4)) {
    ++damaged_;
    return nak(NAK_CRC);
  }
  HilIn in(rx_, size - 4);
  const uint8_t version = in.u8(), type = in.u8();
  seq_ = in.u16();
  const uint32_t session = in.u32();
  ++frames_;
  if (version != config_.version) return nak(NAK_VERSION);
  if (type != HELLO && (session == 0 || session != session_)) return nak(NAK_SESSION);
  dispatch(type, in);
}

void HilDevice::dispatch(uint8_t type, HilIn &in) {
  if (repeat(type)) return send_kept();
  switch (type) {
    case HELLO: return on_hello(in);
    case LOAD: return on_load(in);
    case TENSOR: return on_tensor(in);
    case WRITE: return on_write(in);
    case INVOKE: return on_invoke(in);
    case READ: return on_read(in);
    case STATS: return on_stats(in);
    case RESET: return on_reset();
    case CRASH: return on_crash();
    case WATCH: return on_watch(in);
    case OPS: return on_ops();
    case TAP: return on_tap(in);
    case PING:
      reply(PING);
      out_.u32(in.u32());
      return out_.end();
    default: return nak(NAK_UNKNOWN);
  }
}

/* ---- replies ---- */

void HilDevice::reply(uint8_t type) {
  out_.begin(config_.version, type | 0x80, seq_, session_);
}

void HilDevice::nak(uint8_t reason) {
  out_.begin(config_.version, NAK, seq_, session_);
  out_.u8(reason);
  if (reason == NAK_VERSION) out_.u8(config_.version);
  out_.end();
}

/* LOAD, INVOKE and WATCH run once: the host that lost the reply asks again with the same seq. */
bool HilDevice::repeat(uint8_t type) {
  return type != HELLO && type == kept_.type && seq_ == kept_.seq;
}

void HilDevice::keep(uint8_t type) {
  kept_.type = type;
  kept_.seq = seq_;
  kept_.size = 0;
}

void HilDevice::keep16(uint16_t value) {
  keep8((uint8_t)value);
  keep8((uint8_t)(value >> 8));
}

void HilDevice::keep32(uint32_t value) {
  keep16((uint16_t)value);
  keep16((uint16_t)(value >> 16));
}

void HilDevice::keep64(uint64_t value) {
  keep32((uint32_t)value);
  keep32((uint32_t)(value >> 32));
}

void HilDevice::send_kept() {
  reply(kept_.type);
  out_.bytes(kept_.payload, kept_.size);
  out_.end();
}

/* ---- HELLO ---- */

void HilDevice::on_hello(HilIn &in) {
  const uint32_t nonce = in.u32();
  if (!in.done() || nonce == 0) return nak(NAK_UNKNOWN);
  session_ = nonce;
  kept_.type = 0;
  send_info(nonce);
}

void HilDevice::send_info(uint32_t nonce) {
  const hil_clock_info &clock = clock_.info();
  const uint32_t model_crc = hil_crc32(0, config_.model, config_.model_len);
  char unit[33] = "";
  hil_platform_unit(unit, sizeof unit);
  char core[65] = "";
  hil_platform_core(core, sizeof core);
  reply(HELLO);
  out_.u8(config_.version);
  out_.u8(clock.kind);
  out_.u32(clock.hz);
  out_.u16(clock.instr_per_tick_num);
  out_.u16(clock.instr_per_tick_den);
  out_.u16(rx_max());
  out_.u16(kTxMax);
  out_.u8(hil_platform_reset_cause());
  out_.u32(hil_platform_boot_count());
  out_.u32(nonce);
  out_.u32(TFLITE_SCHEMA_VERSION);
  out_.u32(model_schema());
  out_.u32((uint32_t)(uintptr_t)config_.model);
  out_.u32(config_.model_len);
  out_.u32(model_crc);
  out_.u32((uint32_t)(uintptr_t)config_.arena);
  out_.u32(config_.arena_size);
  out_.u32(hil_platform_rx_overruns());
  out_.text(config_.build_id);
  out_.text(config_.board);
  out_.text(unit);
  out_.text(config_.tflm);
  out_.text(config_.kernels);
  out_.text(config_.compiler);
  out_.text(config_.flags);
  out_.text(core);
  out_.end();
}

/* Half the RX ring may be unacknowledged; every core has at least 64 bytes. */
uint16_t HilDevice::rx_max() const {
  const uint16_t half = hil_platform_rx_ring() / 2;
  if (half < 64) return 64;
  return half < kRxBytes ? half : kRxBytes;
}

/* The flatbuffer's version field, byte by byte: the model may lie at an odd address or be
 * damaged, and this has to answer anyway. 0: not readable. */
uint32_t HilDevice::model_schema() const {
  const uint8_t *data = config_.model;
  const uint32_t size = config_.model_len;
  if (!data || size < 16) return 0;
  const uint32_t table = HilIn(data, 4).u32();
  if (table > size - 4) return 0;
  const uint32_t vtable = table - HilIn(data + table, 4).u32();
  if (vtable > size - 6) return 0;
  const uint16_t field = HilIn(data + vtable + 4, 2).u16();
  if (field == 0 || field > size - 4 - table) return 0;
  return HilIn(data + table + field, 4).u32();
}

/* ---- LOAD ---- */

void HilDevice::on_load(HilIn &in) {
  const uint32_t size = in.u32();
  const uint8_t fill = in.u8();
  const uint8_t flags = in.u8();
  missing_[0] = missing_[1] = 0;
  const bool known = in.done() && (flags & ~LOAD_WATCHED) == 0;
  const uint16_t status = known ? load(size, fill, flags & LOAD_WATCHED) : (uint16_t)HIL_BAD_ARG;
  const uint32_t used = loaded_ ? hil_tflm::arena_used(*interpreter_) : 0;
  keep(LOAD);
  keep16(status);
  keep32((uint32_t)(uintptr_t)config_.arena);
  keep32(arena_given_);
  keep32(used);
  keep8(loaded_ ? interpreter_->inputs_size() : 0);
  keep8(loaded_ ? interpreter_->outputs_size() : 0);
  keep32(missing_[0]);
  keep32(missing_[1]);
  send_kept();
}

uint16_t HilDevice::load(uint32_t size, uint8_t fill, bool watched) {
  if (!config_.model) return HIL_NOT_LOADED; /* safe mode */
  if (watched && (config_.interpreter || !config_.watch)) return HIL_CANNOT_WATCH;
  if (config_.interpreter) return load_fixed(size);
  drop_interpreter();
  watched_ = watched;
  arena_given_ = size ? size : config_.arena_size;
  if (arena_given_ < kArenaFloor || arena_given_ > config_.arena_size) return HIL_ARENA_TOO_SMALL;
  if ((uintptr_t)config_.model & 3) return HIL_MODEL_MISALIGNED;
  if (model_schema() != TFLITE_SCHEMA_VERSION) return HIL_SCHEMA_MISMATCH;
  if (config_.resolver_full) return HIL_RESOLVER_FULL;
  const uint16_t ops = check_ops();
  if (ops != HIL_OK) return ops;
  memset(config_.arena, fill, config_.arena_size);
  const tflite::MicroOpResolver &resolver =
      watched ? config_.watch->resolver_over(*config_.resolver) : *config_.resolver;
  interpreter_ = hil_tflm::make_interpreter(room_, tflite::GetModel(config_.model), resolver,
                                            config_.arena, arena_given_);
  if (interpreter_->initialization_status() != kTfLiteOk) return HIL_ALLOCATE_FAILED;
  loaded_ = interpreter_->AllocateTensors() == kTfLiteOk;
  if (loaded_ && watched && !config_.watch->complete()) {
    drop_interpreter();
    return HIL_CANNOT_WATCH;
  }
  return loaded_ ? HIL_OK : HIL_ALLOCATE_FAILED;
}

/* The firmware's own interpreter: its arena cannot be changed, its state can be reset. */
uint16_t HilDevice::load_fixed(uint32_t size) {
  interpreter_ = config_.interpreter;
  arena_given_ = config_.arena_size;
  loaded_ = size == 0 || size == arena_given_;
  if (!loaded_) return HIL_BAD_ARG;
  hil_tflm::reset_state(*interpreter_, 0);
  return HIL_OK;
}

uint16_t HilDevice::check_ops() {
  const auto *codes = tflite::GetModel(config_.model)->operator_codes();
  for (uint32_t i = 0; codes && i < codes->size(); ++i) {
    const tflite::OperatorCode *code = codes->Get(i);
    if (hil_tflm::op_known(*config_.resolver, code)) continue;
    missing_[0] = i;
    missing_[1] = (uint32_t)code->version();
    return HIL_MISSING_OP;
  }
  return HIL_OK;
}

/* An interpreter whose allocation failed is abandoned: the destructor of 2020 walks
 * registrations that were never written. It owns nothing but the arena. */
void HilDevice::drop_interpreter() {
  if (loaded_) interpreter_->~MicroInterpreter();
  interpreter_ = 0;
  loaded_ = false;
}

/* ---- tensors ---- */

TfLiteTensor *HilDevice::tensor(bool output, uint8_t index) {
  if (!loaded_) return 0;
  if (output) return index < interpreter_->outputs_size() ? interpreter_->output(index) : 0;
  return index < interpreter_->inputs_size() ? interpreter_->input(index) : 0;
}

void HilDevice::on_tensor(HilIn &in) {
  const bool output = in.u8() != 0;
  const uint8_t index = in.u8();
  const TfLiteTensor *found = in.done() ? tensor(output, index) : 0;
  reply(TENSOR);
  out_.u16(found ? HIL_OK : loaded_ ? HIL_BAD_ARG : HIL_NOT_LOADED);
  if (found) {
    send_shape(*found);
    send_scales(*found);
  }
  out_.end();
}

void HilDevice::send_shape(const TfLiteTensor &tensor) {
  out_.u8((uint8_t)tensor.type);
  out_.u32((uint32_t)tensor.bytes);
  out_.u8((uint8_t)tensor.dims->size);
  for (int i = 0; i < tensor.dims->size; ++i) out_.u32((uint32_t)tensor.dims->data[i]);
}

void HilDevice::send_scales(const TfLiteTensor &tensor) {
  const TfLiteAffineQuantization *channels = hil_tflm::affine(tensor);
  const bool many = channels && channels->scale && channels->zero_point;
  const int count = many ? channels->scale->size : tensor.params.scale != 0.0f ? 1 : 0;
  out_.u32(many ? (uint32_t)channels->quantized_dimension : 0);
  out_.u16((uint16_t)count);
  for (int i = 0; i < count; ++i) {
    const int zero = many && i < channels->zero_point->size ? i : 0;
    out_.f32(many ? channels->scale->data[i] : tensor.params.scale);
    out_.u32((uint32_t)(many ? channels->zero_point->data[zero] : tensor.params.zero_point));
  }
}

void HilDevice::on_write(HilIn &in) {
  TfLiteTensor *into = tensor(false, in.u8());
  const uint32_t offset = in.u32();
  const bool fits = into && !in.bad && offset <= into->bytes && in.left <= into->bytes - offset;
  if (fits) memcpy(into->data.raw + offset, in.at, in.left);
  reply(WRITE);
  out_.u16(fits ? HIL_OK : loaded_ ? HIL_BAD_ARG : HIL_NOT_LOADED);
  out_.u32(fits ? offset + in.left : 0);
  out_.end();
}

void HilDevice::on_read(HilIn &in) {
  const TfLiteTensor *from = tensor(true, in.u8());
  const uint32_t offset = in.u32(), size = in.u32();
  const bool fits = from && !watched_ && in.done() && size <= kTxMax && offset <= from->bytes &&
                    size <= from->bytes - offset;
  reply(READ);
  out_.u16(fits ? HIL_OK : !loaded_ ? HIL_NOT_LOADED : watched_ ? HIL_WRONG_LOAD : HIL_BAD_ARG);
  out_.u32(offset);
  if (fits) out_.bytes(from->data.raw + offset, size);
  out_.end();
}

/* ---- INVOKE ---- */

uint32_t HilDevice::crc_of_all(bool outputs) {
  uint32_t crc = 0;
  for (uint8_t i = 0;; ++i) {
    const TfLiteTensor *each = tensor(outputs, i);
    if (!each) return crc;
    crc = hil_crc32(crc, each->data.raw, each->bytes);
  }
}

uint16_t HilDevice::may_run(const HilIn &in, uint32_t wanted, uint32_t input_crc,
                            bool watched) const {
  if (!loaded_) return HIL_NOT_LOADED;
  if (watched != watched_) return HIL_WRONG_LOAD;
  if (!in.done()) return HIL_BAD_ARG;
  return input_crc != wanted ? HIL_INPUT_CRC : HIL_OK;
}

/* One run by itself, for WATCH. */
TfLiteStatus HilDevice::run(uint64_t *ticks) {
  hil_platform_busy(1);
  clock_.now(start_);
  const TfLiteStatus result = interpreter_->Invoke();
  *ticks = clock_.since(start_).ticks;
  hil_platform_busy(0);
  return result;
}

/* A copy of the inputs, in the part of the arena that TFLM was not given. */
bool HilDevice::save_inputs() {
  size_t at = arena_given_;
  saved_ = config_.arena + at;
  for (uint8_t i = 0;; ++i) {
    const TfLiteTensor *each = tensor(false, i);
    if (!each) return true;
    if (each->bytes > config_.arena_size - at) return false;
    memcpy(config_.arena + at, each->data.raw, each->bytes);
    at += each->bytes;
  }
}

void HilDevice::restore_inputs() {
  const uint8_t *from = saved_;
  for (size_t i = 0; i < interpreter_->inputs_size(); ++i) {
    TfLiteTensor *each = interpreter_->input(i);
    memcpy(each->data.raw, from, each->bytes);
    from += each->bytes;
  }
}

/* Not inlined: with and without inferences it is the same code. */
__attribute__((noinline)) TfLiteStatus HilDevice::block(uint16_t times, bool invoke) {
  for (uint16_t i = 0; i < times; ++i) {
    if (i) restore_inputs();
    if (invoke && interpreter_->Invoke() != kTfLiteOk) return kTfLiteError;
  }
  return kTfLiteOk;
}

/* Inferences back to back, timed as one: a tick of the clock may be long against a single one. An
 * inference may overwrite its inputs, so they are put back in between; `overhead_` are the ticks of
 * the same without the inferences, reading the clock included. Nothing of this is on the stack,
 * whose depth is a figure of the model. */
TfLiteStatus HilDevice::timed(uint16_t times) {
  hil_platform_busy(1);
  clock_.now(start_);
  block(times, false);
  overhead_ = clock_.since(start_).ticks;
  clock_.now(start_);
  const TfLiteStatus result = block(times, true);
  span_ = clock_.since(start_);
  hil_platform_busy(0);
  return result;
}

void HilDevice::on_invoke(HilIn &in) {
  const uint32_t wanted = in.u32();
  const uint16_t times = in.u16();
  const uint32_t input_crc = crc_of_all(false);
  uint16_t status = may_run(in, wanted, input_crc, false);
  if (status == HIL_OK && !times) status = HIL_BAD_ARG;
  if (status == HIL_OK && times > 1 && !save_inputs()) status = HIL_NO_ROOM;
  span_.ticks = overhead_ = 0;
  span_.second_ns = HIL_UNKNOWN_U64;
  if (status == HIL_OK && timed(times) != kTfLiteOk) status = HIL_INVOKE_FAILED;
  keep(INVOKE);
  keep16(status);
  keep32(input_crc);
  keep32(status == HIL_OK ? crc_of_all(true) : 0);
  keep64(span_.ticks);
  keep32(overhead_ >> 32 ? HIL_UNKNOWN_U32 : (uint32_t)overhead_);
  keep64(span_.second_ns);
  send_kept();
}

/* ---- the rest ---- */

void HilDevice::on_stats(HilIn &in) {
  const bool repaint = in.u8() != 0;
  if (!in.done()) return nak(NAK_UNKNOWN);
  const HilMemory memory = hil_memory_figures();
  if (repaint) hil_memory_repaint();
  reply(STATS);
  out_.u32(hil_platform_rx_overruns());
  out_.u32(damaged_);
  out_.u32(frames_);
  out_.u32(memory.stack_used);
  out_.u32(memory.stack_size);
  out_.u32(memory.heap_used);
  out_.u32(memory.heap_peak);
  out_.end();
}

void HilDevice::on_reset() {
  reply(RESET);
  out_.end();
  stream_->flush();
  hil_platform_reset();
}

void HilDevice::on_crash() {
  const hil_crash *crash = hil_platform_crash();
  static const hil_crash none = {};
  const hil_crash &c = crash ? *crash : none;
  const uint32_t words = c.nwords < HIL_CRASH_WORDS ? c.nwords : HIL_CRASH_WORDS;
  const uint32_t registers[] = {c.pc, c.lr, c.xpsr, c.sp, c.cfsr, c.hfsr, c.bfar, c.mmfar};
  const uint16_t size = (uint16_t)strnlen(c.text, HIL_CRASH_TEXT);
  reply(CRASH);
  out_.u8(crash ? 1 : 0);
  out_.u8((uint8_t)c.cause);
  for (uint32_t value : registers) out_.u32(value);
  out_.u8((uint8_t)words);
  for (uint32_t i = 0; i < words; ++i) out_.u32(c.stack[i]);
  out_.u16(size);
  out_.bytes(c.text, size);
  out_.end();
}
