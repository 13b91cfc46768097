// The Linux calls of the process room that Swift can't reach by itself: starting a child, pidfds, epoll, eventfd, prctl and
// wait4, each behind a function of plain integers. Every function returns 0 or a descriptor on success and a negative errno
// on failure.
#ifndef KUBEDIAG_CSPAWN_H
#define KUBEDIAG_CSPAWN_H

#include <stdint.h>
#include <sys/types.h>

struct cspawn_limit {
    int resource;  // RLIMIT_…
    uint64_t soft;
    uint64_t hard;
};

struct cspawn_request {
    const char *path;
    char *const *argv;
    char *const *envp;
    int directory;               // descriptor of the working directory, or -1
    const char *directory_path;  // the working directory by its path, looked up as the child's user; NULL takes the descriptor
    int standard[3];             // what becomes 0, 1 and 2
    int control_group;           // descriptor of the cgroup.procs to join, or -1
    int changes_user;            // 1: become user and group, without supplementary groups
    uid_t user;
    gid_t group;
    int forbids_new_privileges;  // 1: no_new_privs
    int file_mask;               // the umask, or -1 to keep it
    const struct cspawn_limit *limits;
    int limit_count;
};

struct cspawn_exit {
    int exited;  // 1: ended by exit, 0: by a signal
    int code;    // exit status or signal number
    int core_dumped;
    int64_t user_us;
    int64_t system_us;
    int64_t resident_max_kib;
};

struct cspawn_event {
    uint64_t token;
    uint32_t events;
};

static const int CSPAWN_READABLE = 1;
static const int CSPAWN_WRITABLE = 2;

// A child in a process group of its own, with default signals, an empty mask and no descriptor but 0, 1 and 2. On failure `call`
// is the name of the system call that refused, a constant.
int cspawn_start(const struct cspawn_request *request, pid_t *pid, const char **call);

// A pipe whose both ends are close-on-exec.
int cspawn_pipe(int ends[2]);
int cspawn_set_nonblocking(int fd);
int cspawn_pidfd_open(pid_t pid);
int cspawn_pidfd_wait(int pidfd, int timeout_ms);
int cspawn_pidfd_signal(int pidfd, int signal);

// Reaps a child: 1 when reaped, 0 while it runs, negative errno otherwise.
int cspawn_reap(pid_t pid, struct cspawn_exit *result);

int cspawn_epoll(void);
int cspawn_epoll_add(int epoll, int fd, int interest, uint64_t token);
int cspawn_epoll_remove(int epoll, int fd);
int cspawn_epoll_wait(int epoll, struct cspawn_event *events, int count, int timeout_ms);
int cspawn_eventfd(void);

int cspawn_become_subreaper(void);

// Opens /dev/null on those of 0, 1 and 2 that are closed, so that no pipe of ours ever gets one of these numbers.
int cspawn_reserve_standard_descriptors(void);

// A detached thread with every signal blocked: no handler of the process runs on it, and a write to a closed pipe is EPIPE.
int cspawn_thread(const char *name, void (*body)(void *), void *context);

int cspawn_open(const char *path, int flags, int mode);
// A directory, for use as the working directory of a child only.
int cspawn_open_directory(const char *path);

// A second name for a regular file, or a copy where the two names lie on different file systems; readable by its owner and a group.
int cspawn_give(const char *source, const char *target, gid_t group);

// 1 when the extended attribute is there and "1", else 0.
int cspawn_attribute_is_set(const char *path, const char *name);

// Removes a folder and all below it, however deep, without following a symbolic link or leaving the mount it is on. At most some forty
// descriptors are open meanwhile. -ENOENT where there is none; what can't be removed stays, and is the error.
int cspawn_remove_tree(const char *path);
// The same for all below it.
int cspawn_empty_tree(const char *path);

#endif
