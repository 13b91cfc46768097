// Linux calls that look at a machine and that Swift can't reach by itself, each behind a function of plain integers. Every function
// returns 0 or a descriptor on success and a negative errno on failure.
#ifndef KUBEDIAG_CLINUX_H
#define KUBEDIAG_CLINUX_H

#include <stddef.h>
#include <stdint.h>

// Opens a regular file or a folder for reading; -EBADF for what is neither, which is not opened at all unless `any` is set. With `root` ≥ 0
// the path, and every link on it, stays below that folder (openat2 with RESOLVE_IN_ROOT, Linux 5.6). It never blocks on what it opens.
int clinux_open(int root, const char *path, int any);
// Likewise what lies in a folder, by a path from there, which no `..` and no link leads out of (-EXDEV); without `links` no link is followed
// at all (-ELOOP). The folder's own path may have links (openat2, Linux 5.6).
int clinux_open_inside(int root, const char *folder, const char *path, int links);
// 1 where an open file is the kernel's log of procfs, /proc/kmsg, by whatever path: reading it takes what it has from everybody else. Else 0.
int clinux_is_kernel_log(int fd);

// Reads a file of one process, `name` in the folder `pid` of an open /proc, as far as it fits: the bytes read. With `below` no link on the
// way leads out of that folder, and what is no regular file is -EBADF. `name` has at most 80 characters.
long clinux_read_process(int proc, int below, int32_t pid, const char *name, void *bytes, size_t size);
// The folder `name` of a process, open; likewise.
int clinux_open_process(int proc, int below, int32_t pid, const char *name);
// The next entries of an open folder, as records of getdents64(2), which have their size at byte 16 and their name from byte 19
// on: the bytes filled, 0 at the end.
long clinux_entries(int folder, void *bytes, size_t size);

// CPU time that a process of this machine has used, in nanoseconds (clock_getcpuclockid(3)).
int64_t clinux_cpu_time(int32_t pid);
// How many files a process of this machine may have open (its soft limit, INT64_MAX for no limit). -EPERM for one of another user without
// CAP_SYS_RESOURCE.
int64_t clinux_open_files_limit(int32_t pid);

// Asks for the TCP sockets of this process' network namespace (sock_diag(7)): of one family, AF_INET or AF_INET6, in any of `states`, a bit for
// each number of a state. The answer is read with clinux_receive.
int clinux_ask_tcp_sockets(int family, uint32_t states);
// The next datagram of netlink(7) messages, in whole: its bytes; -ENOBUFS where it does not fit, -EAGAIN where none comes within two seconds.
long clinux_receive(int netlink, void *bytes, size_t size);

// How the kernel keeps the clock (adjtimex(2)), read and not changed.
struct clinux_clock {
    int is_synchronized;
    int64_t offset_nanoseconds;
    int64_t error_max_microseconds;
};
int clinux_clock_state(struct clinux_clock *state);

#endif
