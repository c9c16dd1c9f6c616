/* How much stack was used, told by paint, and how much heap.
 *
 * Words that nobody has used keep the paint; the lowest one that lost it is how deep the stack
 * went. A lower bound: a frame need not write all of its room.
 */
#ifndef HIL_MEMORY_H
#define HIL_MEMORY_H

#include <stdint.h>

/* What STATS says, in bytes; HIL_UNKNOWN_U32 where the core cannot tell. */
struct HilMemory {
  uint32_t stack_used, stack_size, heap_used, heap_peak;
};

void hil_memory_begin();       /* paints the free stack, unless the core's start-up code has */
void hil_memory_repaint();     /* paints what lies free below the caller: the mark starts anew */
HilMemory hil_memory_figures();

#endif
