#include "Stream.h"

#include "Arduino.h"

int Stream::timedRead() {
  const unsigned long start = millis();
  do {
    const int value = read();
    if (value >= 0) return value;
    yield();
  } while (millis() - start < timeout_ms_);
  return -1;
}

int Stream::timedPeek() {
  const unsigned long start = millis();
  do {
    const int value = peek();
    if (value >= 0) return value;
    yield();
  } while (millis() - start < timeout_ms_);
  return -1;
}

size_t Stream::readBytes(char *buffer, size_t size) {
  size_t count = 0;
  for (int value; count < size && (value = timedRead()) >= 0; ++count) {
    buffer[count] = static_cast<char>(value);
  }
  return count;
}

size_t Stream::readBytesUntil(char terminator, char *buffer, size_t size) {
  size_t count = 0;
  for (int value; count < size && (value = timedRead()) >= 0 && value != terminator; ++count) {
    buffer[count] = static_cast<char>(value);
  }
  return count;
}

String Stream::readString() {
  String text;
  for (int value; (value = timedRead()) >= 0;) text += static_cast<char>(value);
  return text;
}

String Stream::readStringUntil(char terminator) {
  String text;
  for (int value; (value = timedRead()) >= 0 && value != terminator;) {
    text += static_cast<char>(value);
  }
  return text;
}

namespace {
bool startsNumber(int value) { return value == '-' || (value >= '0' && value <= '9'); }
}  // namespace

long Stream::parseInt() { return static_cast<long>(parseFloat()); }

float Stream::parseFloat() {
  int value = timedPeek();
  while (value >= 0 && !startsNumber(value)) {
    read();
    value = timedPeek();
  }
  char text[32];
  size_t size = 0;
  while (size + 1 < sizeof(text) && (startsNumber(value) || value == '.')) {
    text[size++] = static_cast<char>(read());
    value = timedPeek();
  }
  text[size] = '\0';
  return static_cast<float>(atof(text));
}
