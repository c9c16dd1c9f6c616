#include "hil_memory.h"

#include <Arduino.h>

#include "hil_platform.h"

#ifndef HIL_PLATFORM_IN_CORE

#define HIL_WEAK extern "C" __attribute__((weak))

/* ---- the stack of setup() and loop(), as the cores lay it out ---- */

#if defined(ARDUINO_ARCH_MBED) && __has_include("mbed_rtos_storage.h")
#include "mbed_rtos_storage.h"
/* The stack of this thread (CMSIS-RTOS RTX). Its lowest word is RTX's own mark, which it checks at
 * every switch. */
HIL_WEAK bool hil_platform_stack(struct hil_stack *stack) {
  const auto *thread = (const mbed_rtos_storage_thread_t *)osThreadGetId();
  if (!thread) return false;
  stack->bottom = (uintptr_t)thread->stack_mem + 8;
  stack->top = (uintptr_t)thread->stack_mem + thread->stack_size;
  return true;
}
#elif defined(ARDUINO_ARCH_RP2040) && !defined(ARDUINO_ARCH_MBED)
/* arduino-pico: core 0 has what the linker script leaves of SCRATCH_Y. */
extern "C" uint8_t __scratch_y_end__[], __StackTop[];
HIL_WEAK bool hil_platform_stack(struct hil_stack *stack) {
  stack->bottom = (uintptr_t)__scratch_y_end__;
  stack->top = (uintptr_t)__StackTop;
  return true;
}
#elif defined(ARDUINO_ARCH_STM32)
/* STM32duino: from the end of RAM down to the heap, wherever that ends now. */
#include <unistd.h>
extern "C" uint8_t _estack[];
HIL_WEAK bool hil_platform_stack(struct hil_stack *stack) {
  stack->bottom = ((uintptr_t)sbrk(0) + 7) & ~(uintptr_t)7;
  stack->top = (uintptr_t)_estack;
  return true;
}
#elif defined(ESP32)
/* FreeRTOS fills a task's stack with bytes of 0xA5 itself (tskSTACK_FILL_BYTE). */
HIL_WEAK bool hil_platform_stack(struct hil_stack *stack) {
  stack->bottom = (uintptr_t)pxTaskGetStackStart(NULL);
  stack->top = stack->bottom + getArduinoLoopTaskStackSize();
  stack->painted = true;
  return true;
}
#else
HIL_WEAK bool hil_platform_stack(struct hil_stack *) { return false; }
#endif

/* ---- the heap ---- */

#if defined(ESP32)
HIL_WEAK bool hil_platform_heap(struct hil_heap *heap) {
  heap->used = ESP.getHeapSize() - ESP.getFreeHeap();
  heap->peak = ESP.getHeapSize() - ESP.getMinFreeHeap();
  return true;
}
#elif defined(ARDUINO_ARCH_STM32) || (defined(ARDUINO_ARCH_RP2040) && !defined(ARDUINO_ARCH_MBED))
#include <malloc.h>
/* newlib: what was taken from sbrk is the most that there ever was, unless the end was given back. */
HIL_WEAK bool hil_platform_heap(struct hil_heap *heap) {
  const struct mallinfo now = mallinfo();
  heap->used = (uint32_t)now.uordblks;
  heap->peak = (uint32_t)now.arena;
  return true;
}
#else
HIL_WEAK bool hil_platform_heap(struct hil_heap *) { return false; }
#endif

#endif /* HIL_PLATFORM_IN_CORE */

/* ---- paint ---- */

/* What `paint` itself may have below its frame's address. An interrupt's frame comes and goes
 * between two words: it is no concern. */
static const uintptr_t kOwnFrame = 64;

/* False as well where the stack is another one than this code runs on, a task's for instance. */
static bool find(hil_stack *stack) {
  const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  stack->bottom = stack->top = 0;
  stack->painted = false;
  return hil_platform_stack(stack) && here > stack->bottom && here <= stack->top;
}

static void __attribute__((noinline)) paint(const hil_stack &stack) {
  const uintptr_t end = (uintptr_t)__builtin_frame_address(0) - kOwnFrame;
  volatile uint32_t *at = (volatile uint32_t *)((stack.bottom + 3) & ~(uintptr_t)3);
  for (; (uintptr_t)at < end; ++at) *at = HIL_STACK_PAINT;
}

void hil_memory_begin() {
  hil_stack stack;
  if (find(&stack) && !stack.painted) paint(stack);
}

void hil_memory_repaint() {
  hil_stack stack;
  if (find(&stack)) paint(stack);
}

HilMemory hil_memory_figures() {
  HilMemory figures = {HIL_UNKNOWN_U32, HIL_UNKNOWN_U32, HIL_UNKNOWN_U32, HIL_UNKNOWN_U32};
  hil_stack stack;
  if (find(&stack)) {
    const uint32_t *at = (const uint32_t *)((stack.bottom + 3) & ~(uintptr_t)3);
    while ((uintptr_t)at < stack.top && *at == HIL_STACK_PAINT) ++at;
    figures.stack_used = (uint32_t)(stack.top - (uintptr_t)at);
    figures.stack_size = (uint32_t)(stack.top - stack.bottom);
  }
  hil_heap heap;
  if (hil_platform_heap(&heap)) {
    figures.heap_used = heap.used;
    figures.heap_peak = heap.peak;
  }
  return figures;
}
