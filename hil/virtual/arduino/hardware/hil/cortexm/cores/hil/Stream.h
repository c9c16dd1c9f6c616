// Stream as Arduino users know it: reading with a time limit on top of read() and peek().
#ifndef HIL_STREAM_H
#define HIL_STREAM_H

#include "Print.h"
#include "WString.h"

class Stream : public Print {
 public:
  virtual int available() = 0;
  virtual int read() = 0;
  virtual int peek() = 0;

  void setTimeout(unsigned long ms) { timeout_ms_ = ms; }
  unsigned long getTimeout() const { return timeout_ms_; }
  size_t readBytes(char *buffer, size_t size);
  size_t readBytes(uint8_t *buffer, size_t size) {
    return readBytes(reinterpret_cast<char *>(buffer), size);
  }
  size_t readBytesUntil(char terminator, char *buffer, size_t size);
  String readString();
  String readStringUntil(char terminator);
  long parseInt();
  float parseFloat();
  bool find(const char *target);

 protected:
  int timedRead();
  int timedPeek();
  int seekNumber(bool fraction, bool *negative);
  unsigned long timeout_ms_ = 1000;
};

#endif  // HIL_STREAM_H
