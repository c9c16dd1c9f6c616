#include "Print.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "WString.h"

size_t Print::write(const uint8_t *data, size_t size) {
  size_t written = 0;
  while (written < size && write(data[written]) == 1) ++written;
  return written;
}

size_t Print::print(const __FlashStringHelper *text) {
  return write(reinterpret_cast<const char *>(text));
}

size_t Print::print(const String &text) { return write(text.c_str(), text.length()); }

size_t Print::print(unsigned char value, int base) { return printUnsigned(value, base, false); }
size_t Print::print(unsigned int value, int base) { return printUnsigned(value, base, false); }
size_t Print::print(unsigned long value, int base) { return printUnsigned(value, base, false); }
size_t Print::print(int value, int base) { return print(static_cast<long>(value), base); }

// As on other cores, only base 10 has a sign; other bases show the bits.
size_t Print::print(long value, int base) {
  if (base != 10) return printUnsigned(static_cast<unsigned long>(value), base, false);
  return print(static_cast<long long>(value), base);
}

size_t Print::print(long long value, int base) {
  const bool negative = base == 10 && value < 0;
  const unsigned long long bits = static_cast<unsigned long long>(value);
  return printUnsigned(negative ? 0 - bits : bits, base, negative);
}

size_t Print::print(unsigned long long value, int base) {
  return printUnsigned(value, base, false);
}

size_t Print::printUnsigned(unsigned long long value, int base, bool negative) {
  char text[66];
  char *at = text + sizeof(text);
  if (base < 2 || base > 36) base = 10;
  do {
    const int digit = static_cast<int>(value % static_cast<unsigned>(base));
    *--at = static_cast<char>(digit < 10 ? '0' + digit : 'A' + digit - 10);
    value /= static_cast<unsigned>(base);
  } while (value != 0);
  if (negative) *--at = '-';
  return write(at, static_cast<size_t>(text + sizeof(text) - at));
}

// The forms of the reference core: "nan", "inf", "ovf" past 32 bits, rounding half away from 0.
size_t Print::print(double value, int digits) {
  if (isnan(value)) return write("nan");
  if (isinf(value)) return write("inf");
  if (value > 4294967040.0 || value < -4294967040.0) return write("ovf");
  size_t size = 0;
  if (value < 0.0) {
    size += write("-");
    value = -value;
  }
  double rounding = 0.5;
  for (int i = 0; i < digits; ++i) rounding /= 10.0;
  value += rounding;
  const unsigned long whole = static_cast<unsigned long>(value);
  double rest = value - static_cast<double>(whole);
  size += print(whole);
  if (digits > 0) size += write(".");
  for (int i = 0; i < digits; ++i) {
    rest *= 10.0;
    const unsigned digit = static_cast<unsigned>(rest);
    size += print(digit);
    rest -= digit;
  }
  return size;
}

int Print::printf(const char *format, ...) {
  char text[256];
  va_list args;
  va_start(args, format);
  const int size = vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  if (size > 0) write(text, strlen(text));
  return size;
}
