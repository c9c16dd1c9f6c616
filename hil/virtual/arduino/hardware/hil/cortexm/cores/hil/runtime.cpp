// What the compiler and newlib ask of a core: operators new and delete, the heap, silent files.
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "semihost.h"

void *operator new(size_t size) { return malloc(size); }
void *operator new[](size_t size) { return malloc(size); }
void operator delete(void *memory) noexcept { free(memory); }
void operator delete[](void *memory) noexcept { free(memory); }
void operator delete(void *memory, size_t) noexcept { free(memory); }
void operator delete[](void *memory, size_t) noexcept { free(memory); }

extern "C" {

extern uint8_t __heap_start[], __heap_end[];
static uint8_t *heap_at = __heap_start;

void *_sbrk(ptrdiff_t increment) {
  if (increment > __heap_end - heap_at) {
    errno = ENOMEM;
    return reinterpret_cast<void *>(-1);
  }
  uint8_t *before = heap_at;
  heap_at += increment;
  return before;
}

// newlib-nano's allocator, if the image has it: nothing is linked in to be measured. Its list of
// free chunks goes upwards; one that is broken gives no figure, and no endless loop.
struct free_chunk {
  long size;
  free_chunk *next;
};
extern free_chunk *__malloc_free_list __attribute__((weak));

void machine_heap(uint32_t *used, uint32_t *peak) {
  *used = *peak = static_cast<uint32_t>(heap_at - __heap_start);
  if (&__malloc_free_list == nullptr) return;
  const uint8_t *from = __heap_start;
  for (const free_chunk *at = __malloc_free_list; at; at = at->next) {
    const uint8_t *here = reinterpret_cast<const uint8_t *>(at);
    if (here < from || here >= heap_at || at->size <= 0 || at->size > heap_at - here) {
      *used = 0xFFFFFFFFu;  // HIL_UNKNOWN_U32
      return;
    }
    *used -= static_cast<uint32_t>(at->size);
    from = here + at->size;
  }
}

// printf and stderr go where Serial goes.
int _write(int, const char *data, int size) {
  return static_cast<int>(
      semihost_write(reinterpret_cast<const uint8_t *>(data), static_cast<size_t>(size)));
}
int _read(int, char *, int) { return 0; }
int _close(int) { return -1; }
int _lseek(int, int, int) { return 0; }
int _isatty(int) { return 1; }
int _fstat(int, struct stat *status) {
  status->st_mode = S_IFCHR;
  return 0;
}
int _getpid(void) { return 1; }
int _kill(int, int) {
  errno = EINVAL;
  return -1;
}

void *__dso_handle = nullptr;
int __cxa_atexit(void (*)(void *), void *, void *) { return 0; }
int atexit(void (*)(void)) { return 0; }
int __aeabi_atexit(void *, void (*)(void *), void *) { return 0; }
int __cxa_guard_acquire(int *guard) { return *guard == 0; }
void __cxa_guard_release(int *guard) { *guard = 1; }
void __cxa_guard_abort(int *) {}

}  // extern "C"
