#include "CBenchHTTP.h"

#include <microhttpd.h>
#include <string.h>

struct answer {
  const char *body;
  size_t bytes;
};

static enum MHD_Result handle(void *closure, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
                              const char *upload, size_t *upload_bytes, void **request) {
  static int seen;
  struct answer *answer = closure;
  (void)url;
  (void)method;
  (void)version;
  (void)upload;
  (void)upload_bytes;
  // An answer to the first call would close the connection.
  if (*request == NULL) {
    *request = &seen;
    return MHD_YES;
  }
  struct MHD_Response *response = MHD_create_response_from_buffer(answer->bytes, (void *)answer->body, MHD_RESPMEM_PERSISTENT);
  MHD_add_response_header(response, "Content-Type", "application/json");
  enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
  MHD_destroy_response(response);
  return result;
}

uint16_t bench_reference_start(const char *body, size_t body_bytes) {
  static struct answer answer;
  answer = (struct answer){strndup(body, body_bytes), body_bytes};
  struct MHD_Daemon *daemon =
      MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, &answer, MHD_OPTION_THREAD_POOL_SIZE, 2u,
                       MHD_OPTION_CONNECTION_LIMIT, 1024u, MHD_OPTION_CONNECTION_TIMEOUT, 60u, MHD_OPTION_END);
  if (daemon == NULL)
    return 0;
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
  return info == NULL ? 0 : info->port;
}
