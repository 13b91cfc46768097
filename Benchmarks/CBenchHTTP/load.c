#define _GNU_SOURCE
#include "CBenchHTTP.h"
#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 65536, CONNECTIONS_MAX = 1024 };

struct client {
  int fd;
  size_t filled;
  char buffer[BUFFER_BYTES];
};

// The length of the whole answer at the start of the buffer; 0 while it is not all there.
static size_t answer_bytes(const struct client *client) {
  const char *end = memmem(client->buffer, client->filled, "\r\n\r\n", 4);
  if (end == NULL)
    return 0;
  const char *length = memmem(client->buffer, (size_t)(end - client->buffer), "Content-Length: ", 16);
  if (length == NULL)
    return 0;
  size_t total = (size_t)(end + 4 - client->buffer) + strtoul(length + 16, NULL, 10);
  return total <= client->filled ? total : 0;
}

struct bench_load_result bench_load(uint16_t port, const char *request, size_t request_bytes, int connections, uint64_t requests) {
  struct bench_load_result result = {0, 0, 0};
  struct client *clients = calloc((size_t)connections, sizeof *clients);
  int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  uint64_t sent = 0;
  double begin = bench_now();
  for (int i = 0; i < connections; i++) {
    clients[i].fd = bench_connect(port);
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = &clients[i]}};
    if (clients[i].fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, clients[i].fd, &event) != 0 ||
        send(clients[i].fd, request, request_bytes, MSG_NOSIGNAL) != (ssize_t)request_bytes)
      result.wrong++;
    sent++;
  }
  while (result.requests < requests && result.wrong == 0) {
    struct epoll_event events[64];
    int count = epoll_wait(epoll_fd, events, 64, 5000);
    if (count <= 0)
      result.wrong++;
    for (int i = 0; i < count; i++) {
      struct client *client = events[i].data.ptr;
      ssize_t got = recv(client->fd, client->buffer + client->filled, BUFFER_BYTES - client->filled, 0);
      if (got <= 0) {
        if (got < 0 && errno == EAGAIN)
          continue;
        result.wrong++;
        break;
      }
      client->filled += (size_t)got;
      if (answer_bytes(client) == 0)
        continue;
      if (memcmp(client->buffer, "HTTP/1.1 200", 12) != 0)
        result.wrong++;
      client->filled = 0;
      result.requests++;
      if (sent < requests) {
        sent++;
        if (send(client->fd, request, request_bytes, MSG_NOSIGNAL) != (ssize_t)request_bytes)
          result.wrong++;
      }
    }
  }
  result.seconds = bench_now() - begin;
  for (int i = 0; i < connections; i++)
    close(clients[i].fd);
  close(epoll_fd);
  free(clients);
  return result;
}
