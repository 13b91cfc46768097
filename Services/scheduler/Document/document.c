#include "CSchedulerDocument.h"

#pragma clang diagnostic ignored "-Wc23-extensions"  // #embed, which clang has in every mode

static const unsigned char document[] = {
#embed "../../../openapi/bundles/scheduler.yaml"
};

const unsigned char *scheduler_document(size_t *size) {
    *size = sizeof document;
    return document;
}
