#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A parsed document: simdjson's tape and its string buffer.
///
/// Both belong to the calling thread's parser and hold until that thread parses again or calls `csimdjson_done`.
typedef struct {
    const uint64_t *tape;
    const uint8_t *strings;
    int32_t error;
} csimdjson_document;

/// Parses `length` bytes with the calling thread's parser. `error` is 0 on success, else simdjson's error code.
csimdjson_document csimdjson_parse(const uint8_t *bytes, size_t length);

/// Says that the document last parsed on this thread is no longer read, so that a large parser can be freed.
void csimdjson_done(void);

/// simdjson's text for an error code: a static string.
const char *csimdjson_message(int32_t error);

#ifdef __cplusplus
}
#endif
