#include "WString.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "Print.h"

namespace {
// Formats numbers through Print, so that String(x) and print(x) agree.
class Text : public Print {
 public:
  explicit Text(String &out) : out_(out) {}
  size_t write(uint8_t byte) override { return out_.concat(static_cast<char>(byte)) ? 1 : 0; }

 private:
  String &out_;
};
}  // namespace

String::String(const char *text) { concat(text); }
String::String(const String &other) { concat(other); }
String::String(const __FlashStringHelper *text) { concat(reinterpret_cast<const char *>(text)); }
String::String(char value) { concat(value); }
String::String(unsigned char value, unsigned char base) { Text(*this).print(value, base); }
String::String(int value, unsigned char base) { Text(*this).print(value, base); }
String::String(unsigned value, unsigned char base) { Text(*this).print(value, base); }
String::String(long value, unsigned char base) { Text(*this).print(value, base); }
String::String(unsigned long value, unsigned char base) { Text(*this).print(value, base); }
String::String(float value, unsigned char digits) : String(static_cast<double>(value), digits) {}
String::String(double value, unsigned char digits) { Text(*this).print(value, digits); }
String::~String() { free(data_); }

bool String::reserve(size_t size) {
  if (size <= capacity_ && data_) return true;
  char *grown = static_cast<char *>(realloc(data_, size + 1));
  if (!grown) return false;
  if (!data_) grown[0] = '\0';
  data_ = grown;
  capacity_ = size;
  return true;
}

bool String::concat(const char *text, size_t size) {
  const bool own = data_ && text >= data_ && text <= data_ + size_;  // s += s
  const size_t offset = own ? static_cast<size_t>(text - data_) : 0;
  if (!reserve(size_ + size)) return false;
  memmove(data_ + size_, own ? data_ + offset : text, size);
  size_ += size;
  data_[size_] = '\0';
  return true;
}

bool String::concat(const String &text) { return concat(text.c_str(), text.size_); }
bool String::concat(const char *text) { return text ? concat(text, strlen(text)) : true; }

String &String::operator=(const String &other) {
  if (this == &other) return *this;
  size_ = 0;
  concat(other);
  return *this;
}

int String::compareTo(const String &other) const { return strcmp(c_str(), other.c_str()); }

bool String::equalsIgnoreCase(const String &other) const {
  return size_ == other.size_ && strcasecmp(c_str(), other.c_str()) == 0;
}

char &String::operator[](size_t index) {
  static char nowhere;
  nowhere = '\0';
  return index < size_ ? data_[index] : nowhere;
}

void String::toCharArray(char *buffer, size_t size, size_t from) const {
  if (!buffer || size == 0) return;
  const size_t left = from < size_ ? size_ - from : 0;
  const size_t count = left < size - 1 ? left : size - 1;
  if (count) memcpy(buffer, data_ + from, count);
  buffer[count] = '\0';
}

bool String::startsWith(const String &prefix, size_t from) const {
  return from <= size_ && prefix.size_ <= size_ - from &&
         memcmp(c_str() + from, prefix.c_str(), prefix.size_) == 0;
}

bool String::endsWith(const String &suffix) const {
  return suffix.size_ <= size_ && startsWith(suffix, size_ - suffix.size_);
}

int String::indexOf(char value, size_t from) const {
  for (size_t i = from; i < size_; ++i) {
    if (data_[i] == value) return static_cast<int>(i);
  }
  return -1;
}

int String::indexOf(const String &text, size_t from) const {
  if (from > size_) return -1;
  const char *found = strstr(c_str() + from, text.c_str());
  return found ? static_cast<int>(found - c_str()) : -1;
}

int String::lastIndexOf(char value) const {
  const char *found = strrchr(c_str(), value);
  return found ? static_cast<int>(found - c_str()) : -1;
}

String String::substring(size_t from, size_t to) const {
  String part;
  if (to > size_) to = size_;
  if (from < to) part.concat(data_ + from, to - from);
  return part;
}

void String::remove(size_t from, size_t count) {
  if (from >= size_) return;
  if (count > size_ - from) count = size_ - from;
  memmove(data_ + from, data_ + from + count, size_ - from - count + 1);
  size_ -= count;
}

void String::replace(const String &what, const String &with) {
  if (what.isEmpty()) return;
  String made;
  size_t from = 0;
  for (int at; (at = indexOf(what, from)) >= 0; from = static_cast<size_t>(at) + what.size_) {
    made.concat(data_ + from, static_cast<size_t>(at) - from);
    made.concat(with);
  }
  made.concat(c_str() + from, size_ - from);
  *this = made;
}

void String::toLowerCase() {
  for (size_t i = 0; i < size_; ++i) data_[i] = static_cast<char>(tolower(data_[i]));
}

void String::toUpperCase() {
  for (size_t i = 0; i < size_; ++i) data_[i] = static_cast<char>(toupper(data_[i]));
}

void String::trim() {
  size_t from = 0;
  size_t to = size_;
  while (from < to && isspace(static_cast<unsigned char>(data_[from]))) ++from;
  while (to > from && isspace(static_cast<unsigned char>(data_[to - 1]))) --to;
  *this = substring(from, to);
}

long String::toInt() const { return atol(c_str()); }
float String::toFloat() const { return static_cast<float>(toDouble()); }
double String::toDouble() const { return atof(c_str()); }
