#include "CGraphBuilderDocument.h"

#pragma clang diagnostic ignored "-Wc23-extensions"  // #embed, which clang has in every mode

static const unsigned char document[] = {
#embed "../../../openapi/bundles/graph-builder.yaml"
};

const unsigned char *graph_builder_document(size_t *size) {
    *size = sizeof document;
    return document;
}
