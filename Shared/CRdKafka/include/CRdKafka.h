// librdkafka as Swift can call it: the library itself, and its mock cluster, which the tests use as their broker.
#ifndef KUBEDIAG_CRDKAFKA_H
#define KUBEDIAG_CRDKAFKA_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#endif
