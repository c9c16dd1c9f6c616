// Print as Arduino users know it: text of numbers on top of write().
#ifndef HIL_PRINT_H
#define HIL_PRINT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

class __FlashStringHelper;
class Print;
class String;

class Printable {
 public:
  virtual size_t printTo(Print &out) const = 0;
};

class Print {
 public:
  virtual size_t write(uint8_t byte) = 0;
  virtual size_t write(const uint8_t *data, size_t size);
  virtual int availableForWrite() { return 0; }
  virtual void flush() {}
  size_t write(const char *text) { return text ? write(text, strlen(text)) : 0; }
  size_t write(const char *text, size_t size) {
    return write(reinterpret_cast<const uint8_t *>(text), size);
  }

  int getWriteError() const { return write_error_; }
  void clearWriteError() { write_error_ = 0; }

  size_t print(const __FlashStringHelper *text);
  size_t print(const String &text);
  size_t print(const char *text) { return write(text); }
  size_t print(char value) { return write(static_cast<uint8_t>(value)); }
  size_t print(unsigned char value, int base = 10);
  size_t print(int value, int base = 10);
  size_t print(unsigned int value, int base = 10);
  size_t print(long value, int base = 10);
  size_t print(unsigned long value, int base = 10);
  size_t print(long long value, int base = 10);
  size_t print(unsigned long long value, int base = 10);
  size_t print(double value, int digits = 2);
  size_t print(const Printable &value) { return value.printTo(*this); }

  size_t println() { return write("\r\n", 2); }
  template <class T>
  size_t println(const T &value) {
    const size_t size = print(value);
    return size + println();
  }
  template <class T>
  size_t println(const T &value, int format) {
    const size_t size = print(value, format);
    return size + println();
  }
  int printf(const char *format, ...) __attribute__((format(printf, 2, 3)));

 protected:
  void setWriteError(int error = 1) { write_error_ = error; }

 private:
  size_t printUnsigned(unsigned long long value, int base, bool negative);
  int write_error_ = 0;
};

#endif  // HIL_PRINT_H
