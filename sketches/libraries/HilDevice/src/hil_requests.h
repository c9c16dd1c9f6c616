/* Types of the requests that HilDevice answers; docs/protocol.md of the harness has them all. */
#ifndef HIL_REQUESTS_H
#define HIL_REQUESTS_H

enum {
  HELLO = 0x01, LOAD, TENSOR, WRITE, INVOKE, READ, STATS, RESET, PING, CRASH, WATCH, OPS, TAP,
  NAK = 0x7e
};

enum { LOAD_WATCHED = 1 }; /* flags of LOAD */

#endif
