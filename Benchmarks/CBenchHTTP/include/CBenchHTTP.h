// The ends of the HTTP benchmarks that are C on purpose: the references that the Swift servers are compared with, and clients that are cheap
// enough to leave the machine to the server.
#ifndef KUBEDIAG_CBENCHHTTP_H
#define KUBEDIAG_CBENCHHTTP_H

#include <stddef.h>
#include <stdint.h>

// A port of 127.0.0.1 that nobody uses now, 0 where there is none: for servers that know their port from their flags, as services do.
uint16_t bench_free_port(void);

// A plain libmicrohttpd server on 127.0.0.1: an epoll thread pool of 2, one static answer. Returns its port, 0 where it cannot start.
uint16_t bench_reference_start(const char *body, size_t body_bytes);

struct bench_load_result {
  uint64_t requests;     // answered
  uint64_t wrong;        // answered with another status than 200, or cut off
  double seconds;
};

// Sends `request`, which is answered with a Content-Length and at most 60 KiB, over `connections` keep-alive connections to 127.0.0.1:`port`, one in flight on each, until `requests` are answered.
struct bench_load_result bench_load(uint16_t port, const char *request, size_t request_bytes, int connections, uint64_t requests);

// A server on 127.0.0.1 that sends each line which begins with '{' to all its other connections, and answers 200 to who sent it: what
// telling many costs without HTTP, a store and selectors. Returns its port, 0 where it cannot start.
uint16_t bench_fanout_start(void);

struct bench_watchers;

// Opens `count` connections that send `request`, and waits until each has got its answer's head. NULL where one is not answered by 200.
struct bench_watchers *bench_watchers_open(uint16_t port, const char *request, size_t request_bytes, int count);

struct bench_told {
  double answered;       // seconds until the change was answered; negative where it was not by 200
  double first;          // until the first and the last of the connections had a line with the needle in it
  double last;
};

// Sends `change` on a connection of its own and waits until all of `watchers` have been sent a line with `needle` in it, 5 seconds at most.
struct bench_told bench_watchers_tell(struct bench_watchers *watchers, const char *change, size_t change_bytes, const char *needle);

// Copies the last line that the first connection got, its newline included, to `line`; returns its length, 0 where there is none or no room.
size_t bench_watchers_line(const struct bench_watchers *watchers, char *line, size_t room);

void bench_watchers_close(struct bench_watchers *watchers);

// Starts a program with a pipe for its input and its output; returns its pid, or -1. `arguments` begin with its name and end with NULL.
int bench_spawn_program(const char *path, const char *const *arguments, int *input, int *output);

// Starts this very program with two arguments and a pipe for its output; returns its pid, or -1. Closing `*input` tells it to end.
int bench_spawn(const char *mode, const char *argument, int *input, int *output);

// User and system time that a process has used so far, in seconds.
double bench_cpu_seconds(int pid);

#endif
