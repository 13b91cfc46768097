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

struct cre2_search {
    RE2 expression;
    cre2_search(const re2::StringPiece &source, const RE2::Options &options) : expression(source, options) {}
};

struct cre2_set {
    RE2::Set set;
    explicit cre2_set(const RE2::Options &options) : set(options, RE2::UNANCHORED) {}
};

namespace {

// UTF-8, Perl syntax, `.` does not match a newline: RE2's defaults, as Go's regexp has them too. RE2 would log faults to stderr.
// Only searches ask for submatches; elsewhere groups need not be tracked.
RE2::Options options_for(int64_t memory_bytes_max) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_never_capture(true);
    options.set_max_mem(memory_bytes_max);
    return options;
}

// The most spans that one search tells.
constexpr int32_t spans_max = 17;

// StringPiece wants a pointer even for an empty text.
re2::StringPiece piece(const char *bytes, size_t count) { return re2::StringPiece(bytes == nullptr ? "" : bytes, count); }

void copy_message(const std::string &message, char *error, size_t capacity) {
    if (capacity == 0) return;
    const size_t count = std::min(message.size(), capacity - 1);
    std::memcpy(error, message.data(), count);
    error[count] = '\0';
}

template <typename Compiled>
Compiled *compile(
    const char *source, size_t source_bytes, const RE2::Options &options, char *error, size_t error_capacity) {
    try {
        auto *compiled = new Compiled(piece(source, source_bytes), options);
        if (compiled->expression.ok()) return compiled;
        copy_message(compiled->expression.error(), error, error_capacity);
        delete compiled;
    } catch (const std::exception &fault) {
        copy_message(fault.what(), error, error_capacity);
    }
    return nullptr;
}

}  // namespace

extern "C" {

cre2_pattern *cre2_pattern_new(
    const char *source, size_t source_bytes, int64_t memory_bytes_max, char *error, size_t error_capacity) {
    return compile<cre2_pattern>(source, source_bytes, options_for(memory_bytes_max), error, error_capacity);
}

cre2_search *cre2_search_new(
    const char *source, size_t source_bytes, int64_t memory_bytes_max, char *error, size_t error_capacity) {
    RE2::Options options = options_for(memory_bytes_max);
    options.set_never_capture(false);
    options.set_encoding(RE2::Options::EncodingLatin1);
    return compile<cre2_search>(source, source_bytes, options, error, error_capacity);
}

void cre2_search_free(cre2_search *search) { delete search; }

int32_t cre2_search_groups(const cre2_search *search) { return search->expression.NumberOfCapturingGroups(); }

bool cre2_search_find(
    const cre2_search *search, const char *text, size_t text_bytes, size_t start, size_t *bounds, int32_t spans) {
    const re2::StringPiece subject = piece(text, text_bytes);
    re2::StringPiece found[spans_max];
    spans = std::min(spans, spans_max);
    if (!search->expression.Match(subject, start, subject.size(), RE2::UNANCHORED, found, spans)) return false;
    for (int32_t index = 0; index < spans; index++) {
        const bool took_part = found[index].data() != nullptr;
        bounds[2 * index] = took_part ? static_cast<size_t>(found[index].data() - subject.data()) : SIZE_MAX;
        bounds[2 * index + 1] = took_part ? bounds[2 * index] + found[index].size() : SIZE_MAX;
    }
    return true;
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
