#include "CTriggerRouterDocument.h"

#pragma clang diagnostic ignored "-Wc23-extensions"  // #embed, which clang has in every mode

static const unsigned char document[] = {
#embed "../../../openapi/bundles/trigger-router.yaml"
};

const unsigned char *trigger_router_document(size_t *size) {
    *size = sizeof document;
    return document;
}
