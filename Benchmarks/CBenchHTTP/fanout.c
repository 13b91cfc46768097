#define _GNU_SOURCE
#include "CBenchHTTP.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1024, LINE_BYTES_MAX = 1 << 16 };

static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

struct fanout {
  // The listening socket first.
  struct pollfd sockets[CONNECTIONS_MAX];
  nfds_t count;
};

static void welcome(struct fanout *fanout) {
  int one = 1, fd = accept4(fanout->sockets[0].fd, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0)
    return;
  if (fanout->count == CONNECTIONS_MAX) {
    close(fd);
    return;
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fanout->sockets[fanout->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

// A line on one connection goes to all others; anything else is a request, which is answered with a head.
static void hear(struct fanout *fanout, nfds_t from) {
  static char line[LINE_BYTES_MAX];
  ssize_t got = recv(fanout->sockets[from].fd, line, sizeof line, 0);
  if (got <= 0) {
    close(fanout->sockets[from].fd);
    fanout->sockets[from] = fanout->sockets[--fanout->count];
    return;
  }
  if (line[0] != '{') {
    send(fanout->sockets[from].fd, head, sizeof head - 1, MSG_NOSIGNAL);
    return;
  }
  size_t length = (size_t)got;
  while (line[length - 1] != '\n' && length < sizeof line) {
    got = recv(fanout->sockets[from].fd, line + length, sizeof line - length, 0);
    if (got <= 0)
      return;
    length += (size_t)got;
  }
  for (nfds_t i = 1; i < fanout->count; i++)
    if (i != from)
      send(fanout->sockets[i].fd, line, length, MSG_NOSIGNAL);
  send(fanout->sockets[from].fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
}

static void *serve(void *argument) {
  struct fanout *fanout = argument;
  while (poll(fanout->sockets, fanout->count, -1) > 0) {
    for (nfds_t i = fanout->count - 1; i > 0; i--)
      if (fanout->sockets[i].revents != 0)
        hear(fanout, i);
    if (fanout->sockets[0].revents != 0)
      welcome(fanout);
  }
  return NULL;
}

uint16_t bench_fanout_start(void) {
  static struct fanout fanout;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  pthread_t thread;
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, CONNECTIONS_MAX) != 0 ||
      getsockname(listener, (struct sockaddr *)&address, &length) != 0)
    return 0;
  fanout.sockets[0] = (struct pollfd){.fd = listener, .events = POLLIN};
  fanout.count = 1;
  if (pthread_create(&thread, NULL, serve, &fanout) != 0)
    return 0;
  pthread_detach(thread);
  return ntohs(address.sin_port);
}
