#include "hil_wire.h"

#include <string.h>

static const uint32_t kNoProgressMs = 1000;
static const size_t kTextMax = 120;

/* One entry a nibble: 64 bytes of flash instead of a kilobyte. */
static const uint32_t kNibble[16] = {
    0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u, 0x6b6b51f4u,
    0x4db26158u, 0x5005713cu, 0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu,
    0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu};

uint32_t hil_crc32(uint32_t crc, const void *data, size_t size) {
  const uint8_t *at = (const uint8_t *)data;
  crc = ~crc;
  for (size_t i = 0; i < size; ++i) {
    crc ^= at[i];
    crc = (crc >> 4) ^ kNibble[crc & 15];
    crc = (crc >> 4) ^ kNibble[crc & 15];
  }
  return ~crc;
}

int hil_cobs_decode(uint8_t *data, size_t size) {
  size_t from = 0, to = 0;
  while (from < size) {
    const uint8_t code = data[from++];
    if (code == 0 || from + code - 1 > size) return -1;
    for (uint8_t i = 1; i < code; ++i) data[to++] = data[from++];
    if (code < 255 && from < size) data[to++] = 0;
  }
  return (int)to;
}

void HilFrameOut::begin(uint8_t version, uint8_t type, uint16_t seq, uint32_t session) {
  const uint8_t zero = 0;
  dead_ = false;
  used_ = 0;
  crc_ = 0;
  emit(&zero, 1);
  u8(version);
  u8(type);
  u16(seq);
  u32(session);
}

void HilFrameOut::u16(uint16_t value) {
  const uint8_t raw[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
  bytes(raw, 2);
}

void HilFrameOut::u32(uint32_t value) {
  u16((uint16_t)value);
  u16((uint16_t)(value >> 16));
}

void HilFrameOut::u64(uint64_t value) {
  u32((uint32_t)value);
  u32((uint32_t)(value >> 32));
}

void HilFrameOut::f32(float value) {
  uint32_t raw;
  memcpy(&raw, &value, 4);
  u32(raw);
}

void HilFrameOut::text(const char *value) {
  size_t size = 0;
  while (value && size < kTextMax && value[size]) ++size;
  u8((uint8_t)size);
  bytes(value, size);
}

void HilFrameOut::bytes(const void *data, size_t size) {
  const uint8_t *at = (const uint8_t *)data;
  crc_ = hil_crc32(crc_, data, size);
  for (size_t i = 0; i < size; ++i) encode(at[i]);
}

void HilFrameOut::end() {
  const uint32_t crc = crc_;
  u32(crc);
  flush();
  const uint8_t zero = 0;
  emit(&zero, 1);
}

void HilFrameOut::encode(uint8_t value) {
  if (value) block_[1 + used_++] = value;
  if (!value || used_ == 254) flush();
}

void HilFrameOut::flush() {
  block_[0] = (uint8_t)(used_ + 1);
  emit(block_, (size_t)used_ + 1);
  used_ = 0;
}

/* A port that is not open takes nothing (USB cores return 0): give up after a second without
 * progress, or the board would hang until somebody listens. */
void HilFrameOut::emit(const uint8_t *data, size_t size) {
  uint32_t since = millis();
  while (size && !dead_) {
    const size_t sent = out_->write(data, size);
    data += sent;
    size -= sent;
    if (sent) {
      since = millis();
    } else if (millis() - since > kNoProgressMs) {
      dead_ = true;
    } else {
      yield();
    }
  }
}

uint32_t HilIn::take(size_t size) {
  if (size > left) {
    bad = true;
    left = 0;
    return 0;
  }
  uint32_t value = 0;
  for (size_t i = 0; i < size; ++i) value |= (uint32_t)at[i] << (8 * i);
  at += size;
  left -= size;
  return value;
}
