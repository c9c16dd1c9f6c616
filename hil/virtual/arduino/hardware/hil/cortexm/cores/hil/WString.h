// String as Arduino users know it.
#ifndef HIL_WSTRING_H
#define HIL_WSTRING_H

#include <stddef.h>

class __FlashStringHelper;

class String {
 public:
  String(const char *text = "");
  String(const char *text, size_t size) { concat(text, size); }
  String(const String &other);
  String(const __FlashStringHelper *text);
  explicit String(char value);
  explicit String(unsigned char value, unsigned char base = 10);
  explicit String(int value, unsigned char base = 10);
  explicit String(unsigned value, unsigned char base = 10);
  explicit String(long value, unsigned char base = 10);
  explicit String(unsigned long value, unsigned char base = 10);
  explicit String(float value, unsigned char digits = 2);
  explicit String(double value, unsigned char digits = 2);
  ~String();

  // Text and characters are appended as they are, numbers as text.
  bool concat(const char *text, size_t size);
  bool concat(const String &text);
  bool concat(const char *text);
  bool concat(char value) { return concat(&value, 1); }
  template <class T>
  bool concat(T number) {
    return concat(String(number));
  }

  String &operator=(const String &other);
  template <class T>
  String &operator+=(const T &value) {
    concat(value);
    return *this;
  }

  int compareTo(const String &other) const;
  bool equals(const String &other) const { return compareTo(other) == 0; }
  bool equalsIgnoreCase(const String &other) const;
  bool operator==(const String &other) const { return equals(other); }
  bool operator!=(const String &other) const { return !equals(other); }
  bool operator<(const String &other) const { return compareTo(other) < 0; }
  bool operator>(const String &other) const { return compareTo(other) > 0; }

  char operator[](size_t index) const { return charAt(index); }
  char &operator[](size_t index);
  char charAt(size_t index) const { return index < size_ ? data_[index] : '\0'; }
  void setCharAt(size_t index, char value) { (*this)[index] = value; }
  const char *c_str() const { return data_ ? data_ : ""; }
  void toCharArray(char *buffer, size_t size, size_t from = 0) const;
  size_t length() const { return size_; }
  bool isEmpty() const { return size_ == 0; }
  bool reserve(size_t size);

  bool startsWith(const String &prefix, size_t from = 0) const;
  bool endsWith(const String &suffix) const;
  int indexOf(char value, size_t from = 0) const;
  int indexOf(const String &text, size_t from = 0) const;
  int lastIndexOf(char value) const;
  String substring(size_t from, size_t to = static_cast<size_t>(-1)) const;
  void remove(size_t from, size_t count = static_cast<size_t>(-1));
  void replace(const String &what, const String &with);
  void toLowerCase();
  void toUpperCase();
  void trim();
  long toInt() const;
  float toFloat() const;
  double toDouble() const;

 private:
  char *data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

template <class T>
inline String operator+(String left, const T &right) {
  left += right;
  return left;
}
inline String operator+(const char *left, const String &right) { return String(left) += right; }
inline String operator+(char left, const String &right) { return String(left) += right; }
inline bool operator==(const char *left, const String &right) { return right.equals(left); }

#endif  // HIL_WSTRING_H
