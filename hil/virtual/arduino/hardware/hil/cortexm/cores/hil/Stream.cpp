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

// Skips what starts no number, takes its sign; the next character, or -1 at the time limit.
int Stream::seekNumber(bool fraction, bool *negative) {
  int value = timedPeek();
  while (value >= 0 && value != '-' && !isdigit(value) && !(fraction && value == '.')) {
    read();
    value = timedPeek();
  }
  *negative = value == '-';
  if (!*negative) return value;
  read();
  return timedPeek();
}

long Stream::parseInt() {
  bool negative;
  long number = 0;
  for (int value = seekNumber(false, &negative); isdigit(value); value = timedPeek()) {
    number = number * 10 + (read() - '0');
  }
  return negative ? -number : number;
}

float Stream::parseFloat() {
  bool negative;
  bool fraction = false;
  double number = 0;
  double scale = 1;
  int value = seekNumber(true, &negative);
  for (; isdigit(value) || (value == '.' && !fraction); value = timedPeek()) {
    read();
    fraction = fraction || value == '.';
    if (value == '.') continue;
    number = number * 10 + (value - '0');
    if (fraction) scale *= 10;
  }
  return static_cast<float>((negative ? -number : number) / scale);
}

bool Stream::find(const char *target) {
  size_t matched = 0;
  while (target[matched]) {
    const int value = timedRead();
    if (value < 0) return false;
    if (value != target[matched]) matched = 0;
    if (value == target[matched]) ++matched;
  }
  return true;
}
