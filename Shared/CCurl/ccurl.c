#define _GNU_SOURCE
#include "ccurl.h"
#include <pthread.h>
#include <signal.h>

void ccurl_begin_thread(const char *name) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_setname_np(pthread_self(), name);
}
