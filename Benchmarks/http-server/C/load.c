#define _GNU_SOURCE
#include "CBenchHTTP.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER_BYTES = 4096, CONNECTIONS_MAX = 1024 };

struct client {
  int fd;
  size_t filled;
  char buffer[BUFFER_BYTES];
};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int open_connection(uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int one = 1;
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
    return -1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

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
  double begin = now();
  for (int i = 0; i < connections; i++) {
    clients[i].fd = open_connection(port);
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
  result.seconds = now() - begin;
  for (int i = 0; i < connections; i++)
    close(clients[i].fd);
  close(epoll_fd);
  free(clients);
  return result;
}
