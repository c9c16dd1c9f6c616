/* Frames on a byte stream: 0x00, COBS(body), 0x00; the body ends in a CRC-32.
 *
 * Sending streams: a frame has no length limit and costs one block of 255 bytes. Receiving keeps
 * one frame, whole. No heap. docs/protocol.md of the harness is the reference.
 */
#ifndef HIL_WIRE_H
#define HIL_WIRE_H

#include <Arduino.h>
#include <stddef.h>
#include <stdint.h>

/* CRC-32 as zlib computes it; start with 0, chain by passing the last result. */
uint32_t hil_crc32(uint32_t crc, const void *data, size_t size);

/* Undoes COBS in place. Returns the decoded size, or -1 if it is not COBS. */
int hil_cobs_decode(uint8_t *data, size_t size);

/* Writes one frame to a stream, piece by piece. */
class HilFrameOut {
 public:
  HilFrameOut() : out_(0), used_(0), crc_(0), dead_(false) {}
  void attach(Print *out) { out_ = out; }
  void begin(uint8_t version, uint8_t type, uint16_t seq, uint32_t session);
  void u8(uint8_t value) { bytes(&value, 1); }
  void u16(uint16_t value);
  void u32(uint32_t value);
  void u64(uint64_t value);
  void f32(float value);
  void text(const char *value); /* u8 length, then at most 120 bytes */
  void bytes(const void *data, size_t size);
  void end();

 private:
  void encode(uint8_t value);
  void flush();
  void emit(const uint8_t *data, size_t size);

  Print *out_;
  uint8_t block_[255]; /* code byte, then up to 254 bytes that are not zero */
  uint8_t used_;
  uint32_t crc_;
  bool dead_; /* nobody reads: the rest of this frame is dropped */
};

/* Reads a payload; `bad` is set once it was shorter than asked. */
struct HilIn {
  const uint8_t *at;
  size_t left;
  bool bad;

  HilIn(const uint8_t *data, size_t size) : at(data), left(size), bad(false) {}
  uint8_t u8() { return (uint8_t)take(1); }
  uint16_t u16() { return (uint16_t)take(2); }
  uint32_t u32() { return take(4); }
  bool done() const { return !bad && left == 0; }

 private:
  uint32_t take(size_t size);
};

#endif
