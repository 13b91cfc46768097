#define _GNU_SOURCE
#include "CBenchHTTP.h"
#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 65536, WAIT_SECONDS = 5 };

struct watcher {
  int fd;
  size_t filled;
  double seen;
  char *buffer;
};

struct bench_watchers {
  int epoll_fd;
  int count;
  // The last one is who sends the change.
  struct watcher *all;
};

// Reads what is there; 0 where the connection is over or has more than the buffer holds.
static int receive(struct watcher *watcher) {
  ssize_t got = recv(watcher->fd, watcher->buffer + watcher->filled, BUFFER_BYTES - watcher->filled, 0);
  if (got < 0 && errno == EAGAIN)
    return 1;
  if (got <= 0)
    return 0;
  watcher->filled += (size_t)got;
  return 1;
}

static int has(const struct watcher *watcher, const char *needle) {
  const char *found = memmem(watcher->buffer, watcher->filled, needle, strlen(needle));
  return found != NULL && memchr(found, '\n', watcher->filled - (size_t)(found - watcher->buffer)) != NULL;
}

static int is_ok(const struct watcher *watcher) {
  return watcher->filled >= 12 && memcmp(watcher->buffer, "HTTP/1.1 200", 12) == 0;
}

// Waits until `first` to `last` have got the needle; the number of those that have not.
static int await(struct bench_watchers *watchers, int first, int last, const char *needle, int has_change) {
  int missing = last - first + has_change;
  double end = bench_now() + WAIT_SECONDS;
  for (int i = first; i < last; i++)
    watchers->all[i].seen = 0;
  if (has_change)
    watchers->all[watchers->count].seen = 0;
  while (missing > 0 && bench_now() < end) {
    struct epoll_event events[64];
    int ready = epoll_wait(watchers->epoll_fd, events, 64, 1000);
    for (int i = 0; i < ready; i++) {
      struct watcher *watcher = events[i].data.ptr;
      int is_change = watcher == &watchers->all[watchers->count];
      if (!receive(watcher))
        return missing;
      if (watcher->seen == 0 && has(watcher, is_change ? "\r\n\r\n" : needle)) {
        watcher->seen = bench_now();
        missing--;
      }
    }
  }
  return missing;
}

struct bench_watchers *bench_watchers_open(uint16_t port, const char *request, size_t request_bytes, int count) {
  struct bench_watchers *watchers = calloc(1, sizeof *watchers);
  watchers->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  watchers->count = count;
  watchers->all = calloc((size_t)count + 1, sizeof *watchers->all);
  int is_good = 1;
  for (int i = 0; i <= count; i++) {
    struct watcher *watcher = &watchers->all[i];
    watcher->buffer = malloc(BUFFER_BYTES);
    watcher->fd = bench_connect(port);
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = watcher}};
    if (watcher->fd < 0 || epoll_ctl(watchers->epoll_fd, EPOLL_CTL_ADD, watcher->fd, &event) != 0) {
      is_good = 0;
      continue;
    }
    if (i < count && send(watcher->fd, request, request_bytes, MSG_NOSIGNAL) != (ssize_t)request_bytes)
      is_good = 0;
  }
  if (is_good && await(watchers, 0, count, "\r\n\r\n", 0) > 0)
    is_good = 0;
  for (int i = 0; i < count; i++) {
    is_good = is_good && is_ok(&watchers->all[i]);
    watchers->all[i].filled = 0;
  }
  if (is_good)
    return watchers;
  bench_watchers_close(watchers);
  return NULL;
}

struct bench_told bench_watchers_tell(struct bench_watchers *watchers, const char *change, size_t change_bytes, const char *needle) {
  struct bench_told told = {-1, 0, 0};
  struct watcher *sender = &watchers->all[watchers->count];
  // What is left of the answers before.
  for (int i = 0; i <= watchers->count; i++)
    while (recv(watchers->all[i].fd, watchers->all[i].buffer, BUFFER_BYTES, 0) > 0)
      ;
  for (int i = 0; i <= watchers->count; i++)
    watchers->all[i].filled = 0;
  double begin = bench_now();
  if (send(sender->fd, change, change_bytes, MSG_NOSIGNAL) != (ssize_t)change_bytes ||
      await(watchers, 0, watchers->count, needle, 1) > 0 || !is_ok(sender))
    return told;
  told.answered = sender->seen - begin;
  for (int i = 0; i < watchers->count; i++) {
    double seconds = watchers->all[i].seen - begin;
    if (i == 0 || seconds < told.first)
      told.first = seconds;
    if (seconds > told.last)
      told.last = seconds;
  }
  return told;
}

size_t bench_watchers_line(const struct bench_watchers *watchers, char *line, size_t room) {
  const struct watcher *watcher = &watchers->all[0];
  const char *begin = memmem(watcher->buffer, watcher->filled, "{\"type\":", 8);
  if (begin == NULL)
    return 0;
  const char *end = memchr(begin, '\n', watcher->filled - (size_t)(begin - watcher->buffer));
  if (end == NULL || (size_t)(end + 1 - begin) > room)
    return 0;
  memcpy(line, begin, (size_t)(end + 1 - begin));
  return (size_t)(end + 1 - begin);
}

void bench_watchers_close(struct bench_watchers *watchers) {
  for (int i = 0; i <= watchers->count; i++) {
    if (watchers->all[i].fd >= 0)
      close(watchers->all[i].fd);
    free(watchers->all[i].buffer);
  }
  close(watchers->epoll_fd);
  free(watchers->all);
  free(watchers);
}
