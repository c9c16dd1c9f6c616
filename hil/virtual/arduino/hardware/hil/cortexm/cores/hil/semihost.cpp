#include "semihost.h"

#include <string.h>

namespace {

enum Call { kOpen = 0x01, kClose = 0x02, kWrite = 0x05, kRead = 0x06, kGetCmdline = 0x15 };
enum Mode { kModeRead = 0, kModeReadWriteBinary = 3 };

// "UNIT LINE DTR CORE [LOCKUP]": the serial number of the machine, the terminal, the file that
// exists while a host holds the port open, which emulator this is, and what the core held when it
// locked up (machine_recall).
char command_line[448];
const char *arguments[5] = {"", "", "", "", ""};
int line = -1;

int call(Call operation, const void *block) {
  register int r0 asm("r0") = operation;
  register const void *r1 asm("r1") = block;
  asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

int openFile(const char *path, Mode mode) {
  const uint32_t block[3] = {reinterpret_cast<uint32_t>(path), static_cast<uint32_t>(mode),
                             static_cast<uint32_t>(strlen(path))};
  return call(kOpen, block);
}

void splitArguments() {
  char *at = command_line;
  for (const char *&argument : arguments) {
    argument = at;
    char *space = strchr(at, ' ');
    if (!space) return;
    *space = '\0';
    at = space + 1;
  }
}

}  // namespace

extern "C" {

void semihost_open(void) {
  uint32_t block[2] = {reinterpret_cast<uint32_t>(command_line), sizeof(command_line)};
  if (call(kGetCmdline, block) != 0) return;
  splitArguments();
  line = openFile(arguments[1], kModeReadWriteBinary);
}

size_t semihost_read(uint8_t *data, size_t size) {
  const uint32_t block[3] = {static_cast<uint32_t>(line), reinterpret_cast<uint32_t>(data), size};
  const size_t left = static_cast<size_t>(call(kRead, block));
  return left > size ? 0 : size - left;
}

size_t semihost_write(const uint8_t *data, size_t size) {
  size_t left = size;
  while (left > 0) {
    const uint8_t *from = data + (size - left);
    const uint32_t block[3] = {static_cast<uint32_t>(line), reinterpret_cast<uint32_t>(from), left};
    const size_t now = static_cast<size_t>(call(kWrite, block));
    if (now > left) return size - left;
    left = now;
  }
  return size;
}

int semihost_port_open(void) {
  const int file = openFile(arguments[2], kModeRead);
  if (file < 0) return 0;
  const uint32_t block[1] = {static_cast<uint32_t>(file)};
  call(kClose, block);
  return 1;
}

const char *semihost_unit(void) { return arguments[0]; }
const char *semihost_core(void) { return arguments[3]; }
const char *semihost_lockup(void) { return arguments[4]; }

}  // extern "C"
