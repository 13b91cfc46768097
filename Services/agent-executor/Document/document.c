#include "CAgentExecutorDocument.h"

#pragma clang diagnostic ignored "-Wc23-extensions"  // #embed, which clang has in every mode

static const unsigned char document[] = {
#embed "../../../openapi/bundles/agent-executor.yaml"
};

const unsigned char *agent_executor_document(size_t *size) {
    *size = sizeof document;
    return document;
}
