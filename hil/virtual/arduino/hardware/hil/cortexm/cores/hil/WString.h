// String as Arduino users know it, in the part that sketches for TinyML use.
#ifndef HIL_WSTRING_H
#define HIL_WSTRING_H

#include <stddef.h>

class __FlashStringHelper;

class String {
 public:
  String(const char *text = "");
  String(const String &other);
  String(const __FlashStringHelper *text);
  explicit String(char value);
  explicit String(int value, unsigned char base = 10);
  explicit String(unsigned value, unsigned char base = 10);
  explicit String(long value, unsigned char base = 10);
  explicit String(unsigned long value, unsigned char base = 10);
  explicit String(double value, unsigned char digits = 2);
  ~String();

  String &operator=(const String &other);
  String &operator+=(const String &other);
  String &operator+=(const char *text);
  String &operator+=(char value);
  bool operator==(const String &other) const;
  bool operator!=(const String &other) const { return !(*this == other); }
  char operator[](size_t index) const { return index < size_ ? data_[index] : '\0'; }

  const char *c_str() const { return data_ ? data_ : ""; }
  size_t length() const { return size_; }
  bool concat(const char *text, size_t size);
  bool reserve(size_t size);
  bool startsWith(const String &prefix) const;
  bool endsWith(const String &suffix) const;
  int indexOf(char value, size_t from = 0) const;
  String substring(size_t from, size_t to = static_cast<size_t>(-1)) const;
  void trim();
  long toInt() const;
  float toFloat() const;

 private:
  char *data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

inline String operator+(String left, const String &right) { return left += right; }

#endif  // HIL_WSTRING_H
