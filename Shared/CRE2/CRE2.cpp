#include "CRE2.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include <re2/re2.h>
#include <re2/set.h>

struct cre2_pattern {
    RE2 expression;
    cre2_pattern(const re2::StringPiece &source, const RE2::Options &options) : expression(source, options) {}
};

struct cre2_set {
    RE2::Set set;
    explicit cre2_set(const RE2::Options &options) : set(options, RE2::UNANCHORED) {}
};

namespace {

// UTF-8, Perl syntax, `.` does not match a newline: RE2's defaults, as Go's regexp has them too. RE2 would log faults to stderr.
// Nothing here asks for submatches, so groups need not be tracked.
RE2::Options options_for(int64_t memory_bytes_max) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_never_capture(true);
    options.set_max_mem(memory_bytes_max);
    return options;
}

// StringPiece wants a pointer even for an empty text.
re2::StringPiece piece(const char *bytes, size_t count) { return re2::StringPiece(bytes == nullptr ? "" : bytes, count); }

void copy_message(const std::string &message, char *error, size_t capacity) {
    if (capacity == 0) return;
    const size_t count = std::min(message.size(), capacity - 1);
    std::memcpy(error, message.data(), count);
    error[count] = '\0';
}

}  // namespace

extern "C" {

cre2_pattern *cre2_pattern_new(
    const char *source, size_t source_bytes, int64_t memory_bytes_max, char *error, size_t error_capacity) {
    try {
        auto *pattern = new cre2_pattern(piece(source, source_bytes), options_for(memory_bytes_max));
        if (pattern->expression.ok()) return pattern;
        copy_message(pattern->expression.error(), error, error_capacity);
        delete pattern;
    } catch (const std::exception &fault) {
        copy_message(fault.what(), error, error_capacity);
    }
    return nullptr;
}

void cre2_pattern_free(cre2_pattern *pattern) { delete pattern; }

bool cre2_pattern_matches(const cre2_pattern *pattern, const char *text, size_t text_bytes) {
    const re2::StringPiece subject = piece(text, text_bytes);
    return pattern->expression.Match(subject, 0, subject.size(), RE2::UNANCHORED, nullptr, 0);
}

int32_t cre2_pattern_program_size(const cre2_pattern *pattern) { return pattern->expression.ProgramSize(); }

cre2_set *cre2_set_new(int64_t memory_bytes_max) {
    try {
        return new cre2_set(options_for(memory_bytes_max));
    } catch (const std::exception &) {
        return nullptr;
    }
}

void cre2_set_free(cre2_set *set) { delete set; }

bool cre2_set_add(cre2_set *set, const char *source, size_t source_bytes) {
    return set->set.Add(piece(source, source_bytes), nullptr) >= 0;
}

bool cre2_set_compile(cre2_set *set) { return set->set.Compile(); }

int64_t cre2_set_match(
    const cre2_set *set, const char *text, size_t text_bytes, void *context,
    void (*visit)(void *context, const int *indices, size_t count)) {
    // One buffer a thread: a match would otherwise allocate each time.
    thread_local std::vector<int> matched;
    matched.clear();
    RE2::Set::ErrorInfo fault;
    fault.kind = RE2::Set::kNoError;
    if (!set->set.Match(piece(text, text_bytes), &matched, &fault)) {
        return fault.kind == RE2::Set::kNoError ? 0 : CRE2_OUT_OF_MEMORY;
    }
    visit(context, matched.data(), matched.size());
    return static_cast<int64_t>(matched.size());
}

bool cre2_bytes_equal(const void *left, const void *right, size_t bytes) { return memcmp(left, right, bytes) == 0; }

bool cre2_bytes_contain(const void *text, size_t text_bytes, const void *part, size_t part_bytes) {
    return memmem(text, text_bytes, part, part_bytes) != nullptr;
}

}  // extern "C"
