#include "WString.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "Print.h"

namespace {
// Formats numbers through Print, so that String(x) and print(x) agree.
class Text : public Print {
 public:
  explicit Text(String &out) : out_(out) {}
  size_t write(uint8_t byte) override {
    out_ += static_cast<char>(byte);
    return 1;
  }

 private:
  String &out_;
};
}  // namespace

String::String(const char *text) { *this += text; }
String::String(const String &other) { concat(other.c_str(), other.size_); }
String::String(const __FlashStringHelper *text) { *this += reinterpret_cast<const char *>(text); }
String::String(char value) { *this += value; }
String::String(int value, unsigned char base) { Text(*this).print(value, base); }
String::String(unsigned value, unsigned char base) { Text(*this).print(value, base); }
String::String(long value, unsigned char base) { Text(*this).print(value, base); }
String::String(unsigned long value, unsigned char base) { Text(*this).print(value, base); }
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
  if (!reserve(size_ + size)) return false;
  memmove(data_ + size_, text, size);
  size_ += size;
  data_[size_] = '\0';
  return true;
}

String &String::operator=(const String &other) {
  if (this == &other) return *this;
  size_ = 0;
  concat(other.c_str(), other.size_);
  return *this;
}

String &String::operator+=(const String &other) {
  const String copy(other);
  concat(copy.c_str(), copy.size_);
  return *this;
}

String &String::operator+=(const char *text) {
  if (text) concat(text, strlen(text));
  return *this;
}

String &String::operator+=(char value) {
  concat(&value, 1);
  return *this;
}

bool String::operator==(const String &other) const {
  return size_ == other.size_ && memcmp(c_str(), other.c_str(), size_) == 0;
}

bool String::startsWith(const String &prefix) const {
  return prefix.size_ <= size_ && memcmp(c_str(), prefix.c_str(), prefix.size_) == 0;
}

bool String::endsWith(const String &suffix) const {
  return suffix.size_ <= size_ &&
         memcmp(c_str() + size_ - suffix.size_, suffix.c_str(), suffix.size_) == 0;
}

int String::indexOf(char value, size_t from) const {
  for (size_t i = from; i < size_; ++i) {
    if (data_[i] == value) return static_cast<int>(i);
  }
  return -1;
}

String String::substring(size_t from, size_t to) const {
  String part;
  if (to > size_) to = size_;
  if (from < to) part.concat(data_ + from, to - from);
  return part;
}

void String::trim() {
  size_t from = 0;
  size_t to = size_;
  while (from < to && isspace(static_cast<unsigned char>(data_[from]))) ++from;
  while (to > from && isspace(static_cast<unsigned char>(data_[to - 1]))) --to;
  *this = substring(from, to);
}

long String::toInt() const { return atol(c_str()); }
float String::toFloat() const { return static_cast<float>(atof(c_str())); }
