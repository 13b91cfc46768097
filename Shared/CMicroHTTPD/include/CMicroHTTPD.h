// libmicrohttpd as Swift can call it.
//
// Swift cannot call variadic C functions, so each of them that HTTPServer needs has a function here with the arguments spelled
// out. epoll and eventfd are not part of Swift's Glibc module and come along for the thread that watches suspended connections.
#ifndef KUBEDIAG_CMICROHTTPD_H
#define KUBEDIAG_CMICROHTTPD_H

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <microhttpd.h>

// Everything that a daemon is started with. The struct and its strings must outlive the daemon.
struct mhdshim_options {
  int listen_fd;                     // bound, listening, non-blocking; the daemon closes it when it stops
  unsigned int threads;              // worker threads, at least 1
  unsigned int connections_max;      // over all workers
  unsigned int inactivity_seconds;   // a connection that neither reads nor writes for so long is closed; suspended ones are not
  size_t connection_memory_bytes;    // request line, headers and I/O buffers of one connection
  const char *key_pem;               // NULL: no TLS
  const char *certificate_pem;
  const char *client_authorities_pem; // NULL: clients are not asked for a certificate
  void *context;                     // first argument of every callback
  MHD_AccessHandlerCallback access;
  MHD_RequestCompletedCallback completed;
  MHD_NotifyConnectionCallback connection;
  void *(*request_line)(void *context, const char *uri, struct MHD_Connection *connection);
  void (*log)(void *context, const char *message);
};

// Starts a daemon on epoll threads of its own whose connections may be suspended; NULL where it cannot, with errno set by the cause.
// The path and the query arrive as they were sent: libmicrohttpd's own unescaping is switched off.
struct MHD_Daemon *mhdshim_start(const struct mhdshim_options *options);

// Writes "address:port" of a peer, or of a local socket; an empty string for other families.
void mhdshim_format_address(const struct sockaddr *address, char *out, size_t size);

static inline int mhdshim_connection_fd(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == NULL ? -1 : info->connect_fd;
}

static inline const struct sockaddr *mhdshim_connection_address(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  return info == NULL ? NULL : info->client_addr;
}

static inline void *mhdshim_connection_context(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info == NULL ? NULL : info->socket_context;
}

// Bytes of the request line and the header fields.
static inline size_t mhdshim_head_bytes(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  return info == NULL ? 0 : info->header_size;
}

// The status of the response that was queued, by us or by libmicrohttpd itself; 0 where there is none.
static inline unsigned int mhdshim_queued_status(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_HTTP_STATUS);
  return info == NULL ? 0 : info->http_status;
}

// Sends the response without chunks and closes the connection after it.
static inline void mhdshim_close_delimited(struct MHD_Response *response) {
  MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
}

// epoll_event is a packed struct around a union, which reads better from C.
static inline int mhdshim_epoll_add(int epoll_fd, int fd, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events, .data = {.u64 = token}};
  return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static inline int mhdshim_epoll_remove(int epoll_fd, int fd) { return epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL); }

// Waits for events and writes their tokens; returns their number, 0 at the timeout, -1 with errno.
int mhdshim_epoll_wait(int epoll_fd, uint64_t *tokens, int tokens_max, int timeout_ms);

// Closes `fd` and puts `other` under its number, with close-on-exec; 0, or -1 with errno (dup3(2)).
int mhdshim_replace(int fd, int other);

// Names the calling thread, at most 15 bytes, for ps and debuggers.
void mhdshim_name_thread(const char *name);

static inline uint32_t mhdshim_left_events(void) { return EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLONESHOT; }
static inline uint32_t mhdshim_readable_events(void) { return EPOLLIN; }

#endif
