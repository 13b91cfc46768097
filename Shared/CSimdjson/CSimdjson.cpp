#include "CSimdjson.h"

#include <memory>
#include <new>
#include <simdjson.h>

namespace {
// A parser allocates about ten bytes for each byte of its largest document. One that has grown past this is freed after use
// instead of staying with its thread.
constexpr size_t retained_capacity_bytes_max = 256 * 1024;

thread_local std::unique_ptr<simdjson::dom::parser> thread_parser;
} // namespace

extern "C" csimdjson_document csimdjson_parse(const uint8_t *bytes, size_t length) {
    csimdjson_document document = {nullptr, nullptr, 0};
    if (!thread_parser) thread_parser.reset(new (std::nothrow) simdjson::dom::parser());
    if (!thread_parser) {
        document.error = static_cast<int32_t>(simdjson::MEMALLOC);
        return document;
    }
    const auto error = thread_parser->parse(bytes, length, true).error();
    document.error = static_cast<int32_t>(error);
    if (error == simdjson::SUCCESS) {
        document.tape = thread_parser->doc.tape.get();
        document.strings = thread_parser->doc.string_buf.get();
    }
    return document;
}

extern "C" void csimdjson_done(void) {
    if (thread_parser && thread_parser->capacity() > retained_capacity_bytes_max) thread_parser.reset();
}

extern "C" const char *csimdjson_message(int32_t error) {
    return simdjson::error_message(static_cast<simdjson::error_code>(error));
}
