#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/inet_diag.h>
#include <linux/magic.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static const int open_flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

static int open_below(int root, const char *path, int flags) {
    int fd;
    if (root < 0) {
        fd = open(path, flags);
    } else {
        struct open_how how = {.flags = (unsigned)flags, .resolve = RESOLVE_IN_ROOT};
        fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    }
    return fd < 0 ? -errno : fd;
}

// Opens what a handle (O_PATH), which has opened nothing yet, is of, where that is a regular file or a folder; the handle is closed.
static int open_handle(int handle) {
    struct stat info;
    int fd;
    if (fstat(handle, &info) != 0) {
        fd = -errno;
    } else if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
        fd = -EBADF;
    } else {
        char link[32];
        snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
        fd = open(link, open_flags);
        if (fd < 0) fd = -errno;
    }
    close(handle);
    return fd;
}

int clinux_open(int root, const char *path, int any) {
    if (any) return open_below(root, path, open_flags);
    int handle = open_below(root, path, O_PATH | O_CLOEXEC);
    return handle < 0 ? handle : open_handle(handle);
}

int clinux_open_inside(int root, const char *folder, const char *path, int links) {
    int inside = open_below(root, folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (inside < 0) return inside;
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | (links ? RESOLVE_NO_MAGICLINKS : RESOLVE_NO_SYMLINKS),
    };
    int handle = (int)syscall(SYS_openat2, inside, path, &how, sizeof how);
    if (handle < 0) handle = -errno;
    close(inside);
    return handle < 0 ? handle : open_handle(handle);
}

int clinux_is_kernel_log(int fd) {
    struct statfs system;
    if (fstatfs(fd, &system) != 0 || system.f_type != PROC_SUPER_MAGIC) return 0;
    // Its number is the same in every instance of procfs; where /proc/kmsg is hidden, the name of what was opened still tells.
    struct stat info, log;
    if (fstat(fd, &info) == 0 && stat("/proc/kmsg", &log) == 0 && info.st_ino == log.st_ino && info.st_mode == log.st_mode) return 1;
    static const char name[] = "/kmsg";
    char link[32], target[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t count = readlink(link, target, sizeof target);
    size_t length = sizeof name - 1;
    return count >= (ssize_t)length && memcmp(target + count - length, name, length) == 0;
}

int clinux_open_process(int proc, int below, int32_t pid, const char *name) {
    const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    char path[96];
    if (snprintf(path, sizeof path, "%d/%s", pid, name) >= (int)sizeof path) return -ENAMETOOLONG;
    if (below) return open_below(proc, path, flags);
    int fd = openat(proc, path, flags);
    return fd < 0 ? -errno : fd;
}

long clinux_read_process(int proc, int below, int32_t pid, const char *name, void *bytes, size_t size) {
    int fd = clinux_open_process(proc, below, pid, name);
    if (fd < 0) return fd;
    long total = 0;
    struct stat info;
    // The kernel has only regular files and folders there, and no folder can be read; a recorded machine may hold anything.
    if (below && (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))) total = -EBADF;
    while (total >= 0 && (size_t)total < size) {
        ssize_t count = read(fd, (char *)bytes + total, size - (size_t)total);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) total = -errno;
        if (count <= 0) break;
        total += count;
    }
    close(fd);
    return total;
}

long clinux_entries(int folder, void *bytes, size_t size) {
    long count = syscall(SYS_getdents64, folder, bytes, size);
    return count < 0 ? -errno : count;
}

int64_t clinux_cpu_time(int32_t pid) {
    clockid_t clock;
    struct timespec time;
    int code = clock_getcpuclockid(pid, &clock);
    if (code != 0) return -code;
    if (clock_gettime(clock, &time) != 0) return -errno;
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

int64_t clinux_open_files_limit(int32_t pid) {
    struct rlimit limit;
    if (prlimit(pid, RLIMIT_NOFILE, NULL, &limit) != 0) return -errno;
    return limit.rlim_cur > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur;
}

int clinux_ask_tcp_sockets(int family, uint32_t states) {
    const struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } message = {
        .header = {.nlmsg_len = sizeof message, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .request = {.sdiag_family = (uint8_t)family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = states},
    };
    // The kernel answers at once; this is for a kernel that does not.
    const struct timeval patience = {.tv_sec = 2};
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0) return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 || send(fd, &message, sizeof message, 0) < 0) {
        int code = errno;
        close(fd);
        return -code;
    }
    return fd;
}

long clinux_receive(int netlink, void *bytes, size_t size) {
    ssize_t count;
    do count = recv(netlink, bytes, size, MSG_TRUNC);
    while (count < 0 && errno == EINTR);
    if (count < 0) return -errno;
    return (size_t)count > size ? -ENOBUFS : count;
}

int clinux_clock_state(struct clinux_clock *state) {
    struct timex timex = {.modes = 0};
    if (adjtimex(&timex) < 0) return -errno;
    state->is_synchronized = (timex.status & STA_UNSYNC) == 0;
    state->offset_nanoseconds = (timex.status & STA_NANO) ? timex.offset : timex.offset * 1000;
    state->error_max_microseconds = timex.maxerror;
    return 0;
}
