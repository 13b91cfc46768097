#define _GNU_SOURCE
#include "CSpawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static int result_of(int value) { return value < 0 ? -errno : value; }

int cspawn_pipe(int ends[2]) { return result_of(pipe2(ends, O_CLOEXEC)); }

int cspawn_set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    return result_of(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

// pidfds are close-on-exec by themselves.
int cspawn_pidfd_open(pid_t pid) { return result_of((int)syscall(SYS_pidfd_open, pid, 0)); }

int cspawn_pidfd_signal(int pidfd, int signal) { return result_of((int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0)); }

int cspawn_pidfd_wait(int pidfd, int timeout_ms) {
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    return result_of(poll(&p, 1, timeout_ms));
}

int cspawn_reap(pid_t pid, struct cspawn_exit *result) {
    int status = 0;
    struct rusage usage;
    pid_t reaped;
    do {
        reaped = wait4(pid, &status, WNOHANG, &usage);
    } while (reaped < 0 && errno == EINTR);
    if (reaped < 0) return -errno;
    if (reaped == 0) return 0;
    result->exited = WIFEXITED(status);
    result->code = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    result->core_dumped = WIFSIGNALED(status) && WCOREDUMP(status);
    result->user_us = (int64_t)usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec;
    result->system_us = (int64_t)usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec;
    result->resident_max_kib = usage.ru_maxrss;
    return 1;
}

int cspawn_epoll(void) { return result_of(epoll_create1(EPOLL_CLOEXEC)); }

int cspawn_epoll_add(int epoll, int fd, int interest, uint64_t token) {
    struct epoll_event event = {.events = 0, .data.u64 = token};
    if (interest & CSPAWN_READABLE) event.events |= EPOLLIN;
    if (interest & CSPAWN_WRITABLE) event.events |= EPOLLOUT;
    return result_of(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

int cspawn_epoll_remove(int epoll, int fd) { return result_of(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL)); }

int cspawn_epoll_wait(int epoll, struct cspawn_event *events, int count, int timeout_ms) {
    struct epoll_event raw[64];
    int n = epoll_wait(epoll, raw, count < 64 ? count : 64, timeout_ms);
    if (n < 0) return -errno;
    for (int i = 0; i < n; i++) {
        events[i].token = raw[i].data.u64;
        events[i].events = raw[i].events;
    }
    return n;
}

int cspawn_eventfd(void) { return result_of(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int cspawn_become_subreaper(void) { return result_of(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)); }

int cspawn_reserve_standard_descriptors(void) {
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
        // The lowest free number is what open returns, and the ones below are taken by now.
        if (open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) < 0) return -errno;
    }
    return 0;
}

struct thread_start {
    void (*body)(void *);
    void *context;
};

static void *thread_entry(void *raw) {
    struct thread_start start = *(struct thread_start *)raw;
    free(raw);
    start.body(start.context);
    return NULL;
}

static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};

int cspawn_thread(const char *name, void (*body)(void *), void *context) {
    struct thread_start *start = malloc(sizeof *start);
    if (start == NULL) return -ENOMEM;
    start->body = body;
    start->context = context;
    sigset_t all, before;
    sigfillset(&all);
    // A fault that is blocked ends the process without a word; let whoever reports crashes have it.
    for (size_t index = 0; index < sizeof faults / sizeof *faults; index++) sigdelset(&all, faults[index]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, thread_entry, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        free(start);
        return -error;
    }
    pthread_setname_np(thread, name);
    pthread_detach(thread);
    return 0;
}

int cspawn_open(const char *path, int flags, int mode) { return result_of(open(path, flags | O_CLOEXEC, mode)); }

// Folders that are open at once while a tree is removed.
enum { TREE_DEPTH_MAX = 32 };

struct removal {
    int root;
    dev_t device;
    // How many folders were moved up, which gives the next its name.
    uint64_t moved;
};

static void moved_name(char name[static 64], uint64_t number) { snprintf(name, 64, ".kubediag-removed-%" PRIu64, number); }

// A folder of the tree that is no link, lies on no other mount, bound or not, and can be read and changed by who owns it.
static int open_folder(int parent, const char *name) {
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    struct open_how how = {.flags = (unsigned)flags, .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS};
    int fd = (int)syscall(SYS_openat2, parent, name, &how, sizeof how);
    // Kernels before 5.6 and some containers' profiles have no openat2; devices are compared in any case.
    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) fd = openat(parent, name, flags);
    return result_of(fd);
}

static int open_own_folder(int parent, const char *name) {
    int fd = open_folder(parent, name);
    if (fd != -EACCES || fchmodat(parent, name, 0700, AT_SYMLINK_NOFOLLOW) < 0) return fd;
    return open_folder(parent, name);
}

// Moves a folder that lies too deep up to the root of the tree, so that however deep a tree is, few folders are open at once.
static int move_up(struct removal *removal, int parent, const char *name) {
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0) return 0;
    int may_change_mode = 1;
    for (;;) {
        char target[64];
        moved_name(target, removal->moved);
        if (renameat(parent, name, removal->root, target) == 0) {
            removal->moved++;
            return 0;
        }
        switch (errno) {
        case EEXIST:
        case ENOTEMPTY:
        case ENOTDIR:
            // Whose name it is; each such file costs one attempt.
            removal->moved++;
            continue;
        case EACCES:
            // A folder that goes to another one has to be writable itself.
            if (may_change_mode && fchmodat(parent, name, 0700, AT_SYMLINK_NOFOLLOW) == 0) {
                may_change_mode = 0;
                continue;
            }
            return -EACCES;
        default: return -errno;
        }
    }
}

static int remove_folder(struct removal *removal, int parent, const char *name, int depth);

static int remove_entries(struct removal *removal, int fd, int depth) {
    DIR *stream = fdopendir(fd);
    if (stream == NULL) {
        int error = -errno;
        close(fd);
        return error;
    }
    int error = 0;
    struct dirent *entry;
    while ((entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        int result = unlinkat(dirfd(stream), entry->d_name, 0) < 0 ? -errno : 0;
        if (result == -EISDIR || result == -EPERM) {
            result = depth < TREE_DEPTH_MAX ? remove_folder(removal, dirfd(stream), entry->d_name, depth + 1)
                                            : move_up(removal, dirfd(stream), entry->d_name);
        }
        if (result < 0 && result != -ENOENT) error = result;
    }
    closedir(stream);
    return error;
}

static int remove_folder(struct removal *removal, int parent, const char *name, int depth) {
    int fd = open_own_folder(parent, name);
    if (fd < 0) return fd;
    struct stat info;
    if (fstat(fd, &info) < 0 || info.st_dev != removal->device) {
        close(fd);
        return -EXDEV;
    }
    if ((info.st_mode & 0700) != 0700) fchmod(fd, 0700);
    int error = remove_entries(removal, fd, depth);
    return unlinkat(parent, name, AT_REMOVEDIR) == 0 ? 0 : error != 0 ? error : -errno;
}

int cspawn_empty_tree(const char *path) {
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int root = open(path, flags);
    if (root < 0 && errno == EACCES && fchmodat(AT_FDCWD, path, 0700, AT_SYMLINK_NOFOLLOW) == 0) root = open(path, flags);
    if (root < 0) return -errno;
    struct stat info;
    // The stream closes its descriptor; the tree's stays open for what is moved up.
    int fd = fcntl(root, F_DUPFD_CLOEXEC, 0);
    if (fd < 0 || fstat(root, &info) < 0) {
        int error = -errno;
        if (fd >= 0) close(fd);
        close(root);
        return error;
    }
    // What is in a folder can be removed by who may write to it.
    if ((info.st_mode & 0700) != 0700) fchmod(root, 0700);
    struct removal removal = {.root = root, .device = info.st_dev, .moved = 0};
    int error = remove_entries(&removal, fd, 1);
    for (uint64_t number = 0; number < removal.moved; number++) {
        char name[64];
        moved_name(name, number);
        int result = remove_folder(&removal, root, name, 1);
        // Others of the name are no folders, or gone since the first walk saw them too.
        if (result < 0 && result != -ENOENT && result != -ENOTDIR) error = result;
    }
    close(root);
    return error;
}

int cspawn_remove_tree(const char *path) {
    int error = cspawn_empty_tree(path);
    return rmdir(path) == 0 ? 0 : error != 0 ? error : -errno;
}

static int copy(int from, const char *target) {
    int to = open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to < 0) return -errno;
    ssize_t count;
    do {
        count = sendfile(to, from, NULL, 1 << 24);
    } while (count > 0 || (count < 0 && errno == EINTR));
    if (count == 0) return to;
    int error = -errno;
    close(to);
    unlink(target);
    return error;
}

int cspawn_give(const char *source, const char *target, gid_t group) {
    int fd = open(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return -errno;
    struct stat info, linked;
    int error = fstat(fd, &info) < 0 ? -errno : S_ISREG(info.st_mode) ? 0 : -EINVAL;
    // The name may lead elsewhere by now; what it led to when it was opened counts.
    if (error == 0 && link(source, target) == 0) {
        if (lstat(target, &linked) < 0 || linked.st_ino != info.st_ino || linked.st_dev != info.st_dev) error = -ESTALE;
    } else if (error == 0) {
        int to = copy(fd, target);
        close(fd);
        if (to < 0) return to;
        fd = to;
    }
    if (error == 0 && fchown(fd, -1, group) < 0) error = -errno;
    if (error == 0 && fchmod(fd, 0440) < 0) error = -errno;
    close(fd);
    return error;
}

int cspawn_attribute_is_set(const char *path, const char *name) {
    char value = 0;
    return getxattr(path, name, &value, 1) == 1 && value == '1';
}

int cspawn_open_directory(const char *path) { return cspawn_open(path, O_PATH | O_DIRECTORY, 0); }
