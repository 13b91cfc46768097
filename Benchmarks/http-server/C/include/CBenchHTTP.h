// The two ends of the HTTP server benchmark that are C on purpose: the reference that the Swift server is compared with, and a load
// generator that is cheap enough to leave the machine to the server.
#ifndef KUBEDIAG_CBENCHHTTP_H
#define KUBEDIAG_CBENCHHTTP_H

#include <stddef.h>
#include <stdint.h>

// A plain libmicrohttpd server on 127.0.0.1: an epoll thread pool of 2, one static answer. Returns its port, 0 where it cannot start.
uint16_t bench_reference_start(const char *body, size_t body_bytes);

struct bench_load_result {
  uint64_t requests;     // answered
  uint64_t wrong;        // answered with another status than 200, or cut off
  double seconds;
};

// Sends `request` over `connections` keep-alive connections to 127.0.0.1:`port`, one in flight on each, until `requests` are answered.
struct bench_load_result bench_load(uint16_t port, const char *request, size_t request_bytes, int connections, uint64_t requests);

// Starts this very program with two arguments and a pipe for its output; returns its pid, or -1. Closing `*input` tells it to end.
int bench_spawn(const char *mode, const char *argument, int *input, int *output);

// User and system time that a process has used so far, in seconds.
double bench_cpu_seconds(int pid);

#endif
