// The Arduino API of the virtual bench: what sketches for TinyML use, on a QEMU Cortex-M machine.
#ifndef ARDUINO_H
#define ARDUINO_H

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HIGH 1
#define LOW 0
#define INPUT 0
#define OUTPUT 1
#define INPUT_PULLUP 2
#define LED_BUILTIN 13
#define PI 3.1415926535897932384626433832795
#define HALF_PI 1.5707963267948966192313216916398
#define TWO_PI 6.283185307179586476925286766559
#define DEC 10
#define HEX 16
#define OCT 8
#define BIN 2
#define A0 14
#define A1 15
#define A2 16
#define A3 17
#define PROGMEM
#define pgm_read_byte(address) (*reinterpret_cast<const uint8_t *>(address))
#define pgm_read_word(address) (*reinterpret_cast<const uint16_t *>(address))
#define bit(b) (1UL << (b))
#define bitRead(value, b) (((value) >> (b)) & 1UL)
#define bitSet(value, b) ((value) |= bit(b))
#define bitClear(value, b) ((value) &= ~bit(b))
#define lowByte(word) (static_cast<uint8_t>((word) & 0xFF))
#define highByte(word) (static_cast<uint8_t>((word) >> 8))
#define F(text) (reinterpret_cast<const __FlashStringHelper *>(text))

typedef uint8_t byte;
typedef bool boolean;
typedef uint16_t word;

#ifdef __cplusplus
extern "C" {
#endif
unsigned long millis(void);
unsigned long micros(void);
void delay(unsigned long ms);
void delayMicroseconds(unsigned int us);
void yield(void);
void pinMode(int pin, int mode);
void digitalWrite(int pin, int value);
int digitalRead(int pin);
int analogRead(int pin);
void analogWrite(int pin, int value);
void noInterrupts(void);
void interrupts(void);
void setup(void);
void loop(void);
#ifdef __cplusplus
}

class __FlashStringHelper;

#include "HilSerial.h"
#include "Print.h"
#include "Stream.h"
#include "WString.h"

template <class A, class B>
inline auto min(A a, B b) -> decltype(a < b ? a : b) {
  return a < b ? a : b;
}
template <class A, class B>
inline auto max(A a, B b) -> decltype(a > b ? a : b) {
  return a > b ? a : b;
}
template <class T, class L, class H>
inline T constrain(T value, L low, H high) {
  return value < low ? low : (value > high ? high : value);
}
long map(long value, long from_low, long from_high, long to_low, long to_high);
long random(long end);
long random(long start, long end);
void randomSeed(unsigned long seed);
#endif  // __cplusplus

#endif  // ARDUINO_H
