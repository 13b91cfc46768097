#define _GNU_SOURCE
#include "CMicroHTTPD.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

// libmicrohttpd hands a format and its arguments; Swift wants one string.
static void format_log(void *closure, const char *format, va_list arguments) {
  const struct mhdshim_options *options = closure;
  char message[512];
  vsnprintf(message, sizeof message, format, arguments);
  size_t length = strlen(message);
  if (length > 0 && message[length - 1] == '\n')
    message[length - 1] = '\0';
  options->log(options->context, message);
}

// Leaves the text as it was sent: a path with %2F in a segment must reach the router undecoded.
static size_t keep_escapes(void *closure, struct MHD_Connection *connection, char *text) {
  (void)closure;
  (void)connection;
  return strlen(text);
}

struct MHD_Daemon *mhdshim_start(const struct mhdshim_options *options) {
  struct MHD_OptionItem items[20];
  int count = 0;
  // The logger comes first, or messages of the start itself go to stderr.
  items[count++] = (struct MHD_OptionItem){MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)format_log, (void *)options};
  items[count++] = (struct MHD_OptionItem){MHD_OPTION_LISTEN_SOCKET, options->listen_fd, NULL};
  items[count++] = (struct MHD_OptionItem){MHD_OPTION_CONNECTION_LIMIT, options->connections_max, NULL};
  items[count++] = (struct MHD_OptionItem){MHD_OPTION_CONNECTION_TIMEOUT, options->inactivity_seconds, NULL};
  items[count++] = (struct MHD_OptionItem){MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)options->connection_memory_bytes, NULL};
  items[count++] = (struct MHD_OptionItem){MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)options->completed, options->context};
  items[count++] = (struct MHD_OptionItem){MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)options->connection, options->context};
  items[count++] = (struct MHD_OptionItem){MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)options->request_line, options->context};
  items[count++] = (struct MHD_OptionItem){MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, NULL};
  if (options->threads > 1)
    items[count++] = (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, options->threads, NULL};
  unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
  if (options->key_pem != NULL) {
    flags |= MHD_USE_TLS;
    items[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)options->key_pem};
    items[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)options->certificate_pem};
    if (options->client_authorities_pem != NULL)
      items[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)options->client_authorities_pem};
  }
  items[count++] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
  return MHD_start_daemon(flags, 0, NULL, NULL, options->access, options->context, MHD_OPTION_ARRAY, items, MHD_OPTION_END);
}

void mhdshim_format_address(const struct sockaddr *address, char *out, size_t size) {
  char text[INET6_ADDRSTRLEN];
  out[0] = '\0';
  if (address == NULL)
    return;
  if (address->sa_family == AF_INET) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    if (inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text) != NULL)
      snprintf(out, size, "%s:%u", text, ntohs(v4->sin_port));
  } else if (address->sa_family == AF_INET6) {
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    if (inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text) != NULL)
      snprintf(out, size, "[%s]:%u", text, ntohs(v6->sin6_port));
  }
}

int mhdshim_epoll_wait(int epoll_fd, uint64_t *tokens, int tokens_max, int timeout_ms) {
  struct epoll_event events[64];
  int limit = tokens_max < 64 ? tokens_max : 64;
  int count = epoll_wait(epoll_fd, events, limit, timeout_ms);
  for (int i = 0; i < count; i++)
    tokens[i] = events[i].data.u64;
  return count;
}

int mhdshim_replace(int fd, int other) { return dup3(other, fd, O_CLOEXEC) == fd ? 0 : -1; }

void mhdshim_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }
