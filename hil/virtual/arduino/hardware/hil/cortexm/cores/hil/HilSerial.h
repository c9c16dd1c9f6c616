// Serial: a semihosted terminal line with the RX ring of the part that the board stands for.
#ifndef HIL_SERIAL_H
#define HIL_SERIAL_H

#include "Stream.h"

class HilSerial : public Stream {
 public:
  void begin(unsigned long baud) { (void)baud; }
  void begin(unsigned long baud, int config) { (void)baud, (void)config; }
  void end() {}
  operator bool();  // true while a host holds the port open, as DTR tells on USB boards

  int available() override;
  int read() override;
  int peek() override;
  int availableForWrite() override { return 256; }
  size_t write(uint8_t byte) override { return write(&byte, 1); }
  size_t write(const uint8_t *data, size_t size) override;
  using Print::write;

  uint32_t overruns() const { return overruns_; }

 private:
  void poll();
  void take(const uint8_t *data, size_t size);

  uint8_t ring_[HIL_RX_RING];
  size_t head_ = 0;   // next byte to read
  size_t count_ = 0;  // bytes in the ring
  uint32_t overruns_ = 0;
};

extern HilSerial Serial;

#endif  // HIL_SERIAL_H
