// Linux calls that look at a machine and that Swift can't reach by itself, each behind a function of plain integers. Every function
// returns 0 or a descriptor on success and a negative errno on failure.
#ifndef KUBEDIAG_CLINUX_H
#define KUBEDIAG_CLINUX_H

#include <stddef.h>
#include <stdint.h>

// Opens a regular file or a folder for reading; -EBADF for what is neither, which is not opened at all unless `any` is set. With `root` ≥ 0
// the path, and every link on it, stays below that folder (openat2 with RESOLVE_IN_ROOT, Linux 5.6). It never blocks on what it opens.
int clinux_open(int root, const char *path, int any);

// Reads a file of one process, `name` in the folder `pid` of an open /proc, as far as it fits: the bytes read. With `below` no link on the
// way leads out of that folder, and what is no regular file is -EBADF. `name` has at most 80 characters.
long clinux_read_process(int proc, int below, int32_t pid, const char *name, void *bytes, size_t size);
// The folder `name` of a process, open; likewise.
int clinux_open_process(int proc, int below, int32_t pid, const char *name);

// How the kernel keeps the clock (adjtimex(2)), read and not changed.
struct clinux_clock {
    int is_synchronized;
    int64_t offset_nanoseconds;
    int64_t error_max_microseconds;
};
int clinux_clock_state(struct clinux_clock *state);

#endif
