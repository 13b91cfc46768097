#pragma once
#include <stddef.h>

/// The OpenAPI document of the service as scripts/generate-openapi bundled it: `*size` bytes that last as long as the process.
const unsigned char *_Nonnull agent_executor_document(size_t *_Nonnull size);
