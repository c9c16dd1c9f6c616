/* The device half of the hardware-in-the-loop harness.
 *
 *   #include <HilDevice.h>
 *   HilDevice hil;
 *   void setup() { Serial.begin(115200); ... hil.begin(Serial, config); }
 *   void loop()  { hil.poll(); }
 *
 * The device says nothing unasked, except text: what the sketch or TFLM prints is log.
 * Include the TFLM library's root header (TensorFlowLite.h) before this one.
 */
#ifndef HIL_DEVICE_H
#define HIL_DEVICE_H

#include <Arduino.h>

#include "hil_clock.h"
#include "hil_log.h"
#include "hil_platform.h"
#include "hil_tflm.h"
#include "hil_watch.h"
#include "hil_wire.h"

#ifndef HIL_WIRE_VERSION
#define HIL_WIRE_VERSION 2
#endif

/* Result of a request, u16 on the wire; hil/messages.py has the same list. */
enum HilStatus {
  HIL_OK = 0,
  HIL_SCHEMA_MISMATCH = 1,
  HIL_ALLOCATE_FAILED = 2,
  HIL_INVOKE_FAILED = 3,
  HIL_BAD_ARG = 4,
  HIL_INPUT_CRC = 5,
  HIL_NOT_LOADED = 6,
  HIL_ARENA_TOO_SMALL = 7,
  HIL_MISSING_OP = 8,
  HIL_MODEL_MISALIGNED = 9,
  HIL_RESOLVER_FULL = 10,
  HIL_WRONG_LOAD = 11,  /* INVOKE or READ of a watched load, WATCH, OPS or TAP of a plain one */
  HIL_CANNOT_WATCH = 12, /* no HilWatch, too small a one, or an interpreter of the firmware's own */
  HIL_NO_ROOM = 13      /* for the copy of the inputs that several inferences take */
};

/* What the firmware is. Pointers have to stay valid; a field left out is 0 or "". */
struct HilConfig {
  const uint8_t *model = 0; /* the .tflite, in flash */
  uint32_t model_len = 0;   /* bytes */
  uint8_t *arena = 0;
  uint32_t arena_size = 0; /* bytes: the most that LOAD can give */
  const tflite::MicroOpResolver *resolver = 0;
  bool resolver_full = false; /* an op did not fit: LOAD reports it */
  /* Firmware that owns its interpreter gives it here: LOAD then reports, and builds nothing. */
  tflite::MicroInterpreter *interpreter = 0;
  HilWatchBase *watch = 0; /* a HilWatch: LOAD can then be asked to watch the ops */
  const char *build_id = "";
  const char *board = "";
  const char *tflm = "";
  const char *kernels = "";
  const char *compiler = "";
  const char *flags = "";
  uint8_t version = HIL_WIRE_VERSION; /* protocol version; another one only to test the host */
};

class HilDevice {
 public:
  /* Starts a session-less device on a stream that is open. */
  void begin(Stream &stream, const HilConfig &config);
  /* Serves what has arrived. Call it from loop(), often. */
  void poll();

 private:
  static const size_t kRxBytes = 256;       /* longest encoded frame that is kept */
  static const uint32_t kArenaFloor = 1024; /* below, MicroAllocator can crash on creation */
  static const uint16_t kTxMax = 4096;      /* most bytes that one READ gives */

  /* The last reply of a request that must not run twice. */
  struct Kept {
    uint8_t type;
    uint16_t seq;
    uint8_t size;
    uint8_t payload[32];
  };

  void take(uint8_t byte);
  void frame();
  void dispatch(uint8_t type, HilIn &in);
  void reply(uint8_t type);
  void nak(uint8_t reason);
  bool repeat(uint8_t type);
  void keep(uint8_t type);
  void keep8(uint8_t value) { kept_.payload[kept_.size++] = value; }
  void keep16(uint16_t value);
  void keep32(uint32_t value);
  void keep64(uint64_t value);
  void send_kept();

  void on_hello(HilIn &in);
  void on_load(HilIn &in);
  void on_tensor(HilIn &in);
  void on_write(HilIn &in);
  void on_invoke(HilIn &in);
  TfLiteStatus timed(uint16_t times);
  TfLiteStatus block(uint16_t times, bool invoke);
  bool save_inputs();
  void restore_inputs();
  void on_read(HilIn &in);
  void on_watch(HilIn &in);
  void on_ops();
  void on_tap(HilIn &in);
  void on_stats(HilIn &in);
  void on_reset();
  void on_crash();
  void send_info(uint32_t nonce);
  void send_shape(const TfLiteTensor &tensor);
  void send_scales(const TfLiteTensor &tensor);

  uint16_t load(uint32_t size, uint8_t fill, bool watched);
  uint16_t load_fixed(uint32_t size);
  uint16_t check_ops();
  void drop_interpreter();
  uint32_t model_schema() const;
  uint32_t crc_of_all(bool outputs);
  uint16_t may_run(const HilIn &in, uint32_t wanted, uint32_t input_crc, bool watched) const;
  TfLiteStatus run(uint64_t *ticks);
  bool watching() const { return loaded_ && watched_; }
  TfLiteTensor *tensor(bool output, uint8_t index);
  uint16_t rx_max() const;

  Stream *stream_ = 0;
  HilConfig config_;
  HilFrameOut out_;
  HilClock clock_;
  uint8_t rx_[kRxBytes];
  size_t rx_used_ = 0; /* kRxBytes + 1: too long, waiting for its end */
  uint16_t seq_ = 0;
  uint32_t session_ = 0;
  uint32_t damaged_ = 0;
  uint32_t frames_ = 0;
  Kept kept_;

  tflite::MicroInterpreter *interpreter_ = 0;
  bool loaded_ = false;
  bool watched_ = false; /* the load was asked to watch */
  uint32_t arena_given_ = 0;
  HilMoment start_; /* of a block */
  HilSpan span_;
  uint64_t overhead_ = 0;
  uint8_t *saved_ = 0; /* the inputs of a block, behind the arena that TFLM was given */
  uint32_t missing_[2]; /* index in operator_codes, version */
  alignas(16) uint8_t room_[sizeof(tflite::MicroInterpreter)];
};

#endif
