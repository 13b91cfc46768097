#ifndef KUBEDIAG_BENCH_CONNECTION_H
#define KUBEDIAG_BENCH_CONNECTION_H

#include <stdint.h>

// Seconds of the monotonic clock.
double bench_now(void);

// A connection to 127.0.0.1:`port` that does not block, without Nagle's delay; -1 where there is none.
int bench_connect(uint16_t port);

#endif
