// Starting a child: what posix_spawn does, and the privileges, limits and control group that it can't set.
//
// Between fork and exec there are only system calls: other threads of this process may hold any lock.
#define _GNU_SOURCE
#include "CSpawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// The first number that glibc leaves to programs is 34; 32 and 33 are its own and refused.
enum { SIGNAL_MAX = 64, START_TIMEOUT_MS = 10000, CLOSE_RANGE_CLOEXEC_FLAG = 4, DESCRIPTOR_MAX = 4096 };

enum call {
    CALL_FORK,
    CALL_SETPGID,
    CALL_DUP2,
    CALL_CGROUP,
    CALL_SETGROUPS,
    CALL_SETRESGID,
    CALL_SETRESUID,
    CALL_NO_NEW_PRIVS,
    CALL_SETRLIMIT,
    CALL_CHDIR,
    CALL_EXECVE,
};

static const char *const call_names[] = {
    "fork",      "setpgid", "dup2", "cgroup.procs", "setgroups", "setresgid", "setresuid", "prctl(PR_SET_NO_NEW_PRIVS)",
    "setrlimit", "chdir",   "execve",
};

struct refusal {
    int call;
    int error;
};

static void refuse(int report, enum call call) {
    struct refusal refusal = {call, errno};
    ssize_t written;
    do {
        written = write(report, &refusal, sizeof refusal);
    } while (written < 0 && errno == EINTR);
    _exit(127);
}

static void reset_signals(void) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigemptyset(&action.sa_mask);
    for (int s = 1; s <= SIGNAL_MAX; s++) sigaction(s, &action, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// Everything here is close-on-exec already; this holds for descriptors that other libraries opened.
static void close_at_exec(void) {
    if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC_FLAG) == 0) return;
    for (int fd = 3; fd < DESCRIPTOR_MAX; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void join(int control_group, int report) {
    // "0" is whoever writes.
    if (control_group >= 0 && write(control_group, "0", 1) != 1) refuse(report, CALL_CGROUP);
}

// The library's functions change all threads of a process by signals, and this one has the threads of its parent in its books:
// the kernel's own calls change the caller.
static void change_user(const struct cspawn_request *request, int report) {
    if (!request->changes_user) return;
    gid_t group = request->group;
    uid_t user = request->user;
    if (syscall(SYS_setgroups, 0, NULL) < 0) refuse(report, CALL_SETGROUPS);
    if (syscall(SYS_setresgid, group, group, group) < 0) refuse(report, CALL_SETRESGID);
    if (syscall(SYS_setresuid, user, user, user) < 0) refuse(report, CALL_SETRESUID);
}

static void child(const struct cspawn_request *request, int report) {
    if (setpgid(0, 0) < 0) refuse(report, CALL_SETPGID);
    reset_signals();
    for (int i = 0; i < 3; i++) {
        if (dup2(request->standard[i], i) < 0) refuse(report, CALL_DUP2);
    }
    close_at_exec();
    join(request->control_group, report);
    change_user(request, report);
    if (request->forbids_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) refuse(report, CALL_NO_NEW_PRIVS);
    for (int i = 0; i < request->limit_count; i++) {
        struct rlimit limit = {request->limits[i].soft, request->limits[i].hard};
        if (setrlimit(request->limits[i].resource, &limit) < 0) refuse(report, CALL_SETRLIMIT);
    }
    if (request->file_mask >= 0) umask((mode_t)request->file_mask);
    if (request->directory_path != NULL) {
        if (chdir(request->directory_path) < 0) refuse(report, CALL_CHDIR);
    } else if (request->directory >= 0 && fchdir(request->directory) < 0) {
        refuse(report, CALL_CHDIR);
    }
    execve(request->path, request->argv, request->envp);
    refuse(report, CALL_EXECVE);
}

// vfork costs the same whatever the size of this process, and shares its memory until exec. That must not be with a process of
// another user, who could stop it there, and its parent with it.
static pid_t fork_for(const struct cspawn_request *request, int report) {
    if (request->changes_user) {
        pid_t pid = _Fork();
        if (pid == 0) child(request, report);
        return pid;
    }
    pid_t pid = vfork();
    if (pid == 0) child(request, report);
    return pid;
}

// What the child tells before its exec: nothing when all went well. A child that does not come that far is ended.
static int wait_for_exec(int told, pid_t pid, struct refusal *refusal) {
    struct pollfd ready = {.fd = told, .events = POLLIN};
    int count;
    do {
        count = poll(&ready, 1, START_TIMEOUT_MS);
    } while (count < 0 && errno == EINTR);
    ssize_t bytes = 0;
    if (count > 0) {
        do {
            bytes = read(told, refusal, sizeof *refusal);
        } while (bytes < 0 && errno == EINTR);
        if (bytes == 0) return 0;
    }
    if (bytes != sizeof *refusal) *refusal = (struct refusal){CALL_EXECVE, ETIMEDOUT};
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    return -refusal->error;
}

int cspawn_start(const struct cspawn_request *request, pid_t *pid, const char **call) {
    int ends[2];
    *call = "pipe2";
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    struct refusal refusal = {CALL_FORK, 0};
    pid_t started = fork_for(request, ends[1]);
    int result = started < 0 ? -errno : 0;
    close(ends[1]);
    if (result == 0) result = wait_for_exec(ends[0], started, &refusal);
    close(ends[0]);
    *call = call_names[refusal.call];
    if (result == 0) *pid = started;
    return result;
}
