// libcurl as Swift can call it.
//
// Swift imports neither variadic functions nor function-like macros: every argument kind of curl_easy_setopt, curl_multi_setopt
// and curl_easy_getinfo that we use gets a typed inline function here. The epoll and eventfd headers are in no module of Swift's
// Glibc, so what the loop needs of them passes through here too.
#ifndef KUBEDIAG_CCURL_H
#define KUBEDIAG_CCURL_H

#include <curl/curl.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

// Options of a transfer

static inline CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value) { return curl_easy_setopt(easy, option, value); }

static inline CURLcode ccurl_set_size(CURL *easy, CURLoption option, int64_t value) {
    return curl_easy_setopt(easy, option, (curl_off_t)value);
}

static inline CURLcode ccurl_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_bytes(CURL *easy, CURLoption option, const void *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, void *value) { return curl_easy_setopt(easy, option, value); }

typedef size_t (*ccurl_data_function)(char *bytes, size_t size, size_t count, void *context);
typedef int (*ccurl_begin_function)(void *context, char *peerAddress, char *localAddress, int peerPort, int localPort);

/// For CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION, which share one shape.
static inline CURLcode ccurl_set_data_function(CURL *easy, CURLoption option, ccurl_data_function function) {
    return curl_easy_setopt(easy, option, function);
}

/// Called each time a request is about to be sent over a connection, new or kept.
static inline CURLcode ccurl_set_begin_function(CURL *easy, ccurl_begin_function function) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, function);
}

// What is known of a transfer

static inline CURLcode ccurl_get_long(CURL *easy, CURLINFO info, long *value) { return curl_easy_getinfo(easy, info, value); }

static inline CURLcode ccurl_get_size(CURL *easy, CURLINFO info, int64_t *value) {
    curl_off_t size = 0;
    CURLcode code = curl_easy_getinfo(easy, info, &size);
    *value = (int64_t)size;
    return code;
}

static inline CURLcode ccurl_get_pointer(CURL *easy, CURLINFO info, void **value) { return curl_easy_getinfo(easy, info, (char **)value); }

// Options of the multi handle

typedef int (*ccurl_socket_function)(CURL *easy, curl_socket_t socket, int what, void *context, void *socketContext);
typedef int (*ccurl_timer_function)(CURLM *multi, long timeoutMilliseconds, void *context);

static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode ccurl_multi_set_pointer(CURLM *multi, CURLMoption option, void *value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode ccurl_multi_set_socket_function(CURLM *multi, ccurl_socket_function function) {
    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, function);
}

static inline CURLMcode ccurl_multi_set_timer_function(CURLM *multi, ccurl_timer_function function) {
    return curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, function);
}

/// The result of a CURLMSG_DONE message: Swift does not see into the union.
static inline CURLcode ccurl_message_result(const CURLMsg *message) { return message->data.result; }

// The event loop's descriptors

/// Adds, changes or removes the interest in a descriptor; `data.fd` is the descriptor itself. Returns 0 or -1 with errno.
static inline int ccurl_epoll_control(int epoll, int operation, int descriptor, uint32_t events) {
    struct epoll_event event = {.events = events, .data = {.fd = descriptor}};
    return epoll_ctl(epoll, operation, descriptor, &event);
}

static inline int ccurl_event_descriptor(const struct epoll_event *event) { return event->data.fd; }

enum {
    CCURL_EPOLL_IN = EPOLLIN,
    CCURL_EPOLL_OUT = EPOLLOUT,
    CCURL_EPOLL_ERROR = EPOLLERR,
    CCURL_EPOLL_HANGUP = EPOLLHUP,
    CCURL_EPOLL_CLOEXEC = EPOLL_CLOEXEC,
    CCURL_EVENT_FLAGS = EFD_CLOEXEC | EFD_NONBLOCK,
};

/// A nameless file in memory that holds `count` bytes, closed on exec; -1 with errno where that fails.
int ccurl_memory_file(const char *name, const void *bytes, size_t count);

/// Names the calling thread and blocks every signal on it, so that none is delivered to it and SIGPIPE of a TLS write is no one's death.
void ccurl_begin_thread(const char *name);

#endif
