#ifndef CRE2_H
#define CRE2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A C face for RE2 (libre2): what the Swift side needs and nothing else. No exception crosses it.
//
// Handles may be used by many threads at once once they are made; the caller frees each exactly once.

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cre2_pattern cre2_pattern;
typedef struct cre2_set cre2_set;

/// Compiles `source` (UTF-8, Perl syntax as RE2 accepts it). NULL on error; then `error` holds RE2's message, NUL-terminated and cut to
/// `error_capacity` bytes.
cre2_pattern *_Nullable cre2_pattern_new(
    const char *_Nullable source, size_t source_bytes, int64_t memory_bytes_max, char *_Nonnull error, size_t error_capacity);
void cre2_pattern_free(cre2_pattern *_Nonnull pattern);
/// Whether the pattern matches anywhere in `text`.
bool cre2_pattern_matches(const cre2_pattern *_Nonnull pattern, const char *_Nullable text, size_t text_bytes);

typedef struct cre2_search cre2_search;

/// Compiles `source` to find where it matches, as `cre2_pattern_new` does but for bytes: each is a character of its own, whatever the text's
/// encoding.
cre2_search *_Nullable cre2_search_new(
    const char *_Nullable source, size_t source_bytes, int64_t memory_bytes_max, char *_Nonnull error, size_t error_capacity);
void cre2_search_free(cre2_search *_Nonnull search);
/// The number of groups in the pattern.
int32_t cre2_search_groups(const cre2_search *_Nonnull search);
/// Whether the pattern matches at or after `start`. Where it does, `bounds` gets the beginning and the end of the leftmost match and of its
/// groups, `spans` pairs in all; a group that took no part has SIZE_MAX twice.
bool cre2_search_find(
    const cre2_search *_Nonnull search, const char *_Nullable text, size_t text_bytes, size_t start, size_t *_Nullable bounds, int32_t spans);

/// RE2's own measure of a compiled program; roughly the number of instructions.
int32_t cre2_pattern_program_size(const cre2_pattern *_Nonnull pattern);

/// An empty set of unanchored patterns whose automaton may use `memory_bytes_max`. NULL without memory.
cre2_set *_Nullable cre2_set_new(int64_t memory_bytes_max);
void cre2_set_free(cre2_set *_Nonnull set);
/// Adds a pattern; its index is the number of patterns added before. False if RE2 cannot parse it.
bool cre2_set_add(cre2_set *_Nonnull set, const char *_Nullable source, size_t source_bytes);
/// False if the set does not fit into its memory; it must then be freed.
bool cre2_set_compile(cre2_set *_Nonnull set);

enum { CRE2_OUT_OF_MEMORY = -1 };

/// Calls `visit` with the indices of all patterns that match `text`, in no particular order, at most once. Returns their number, or
/// CRE2_OUT_OF_MEMORY if the automaton outgrew its memory on this text (then `visit` is not called and nothing is known).
int64_t cre2_set_match(
    const cre2_set *_Nonnull set, const char *_Nullable text, size_t text_bytes, void *_Nullable context,
    void (*_Nonnull visit)(void *_Nullable context, const int *_Nonnull indices, size_t count));

/// memcmp and memmem; Swift's Glibc module does not show the latter.
bool cre2_bytes_equal(const void *_Nonnull left, const void *_Nonnull right, size_t bytes);
bool cre2_bytes_contain(const void *_Nonnull text, size_t text_bytes, const void *_Nonnull part, size_t part_bytes);

#ifdef __cplusplus
}
#endif

#endif
