#include "HilSerial.h"

#include "machine.h"
#include "semihost.h"

HilSerial Serial;

// Everything that the host sent since the last poll is taken at once: what a part's ring could
// not have held while the core was busy is lost here too, and counted.
void HilSerial::poll() {
  uint8_t chunk[128];
  size_t got;
  bool any = false;
  while ((got = semihost_read(chunk, sizeof(chunk))) > 0) {
    take(chunk, got);
    any = true;
  }
  machine_polled(any);
}

void HilSerial::take(const uint8_t *data, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    if (count_ == HIL_RX_RING) {
      overruns_ += size - i;
      return;
    }
    ring_[(head_ + count_++) % HIL_RX_RING] = data[i];
  }
}

HilSerial::operator bool() {
  machine_polled(false);
  return semihost_port_open();
}

int HilSerial::available() {
  if (count_ == 0) poll();
  return static_cast<int>(count_);
}

int HilSerial::peek() { return available() ? ring_[head_] : -1; }

int HilSerial::read() {
  if (!available()) return -1;
  const int value = ring_[head_];
  head_ = (head_ + 1) % HIL_RX_RING;
  --count_;
  return value;
}

size_t HilSerial::write(const uint8_t *data, size_t size) { return semihost_write(data, size); }
