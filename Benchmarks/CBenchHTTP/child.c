#define _GNU_SOURCE
#include "CBenchHTTP.h"

#include <fcntl.h>
#include <spawn.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

int bench_spawn(const char *mode, const char *argument, int *input, int *output) {
  const char *arguments[] = {"bench", mode, argument, NULL};
  return bench_spawn_program("/proc/self/exe", arguments, input, output);
}

int bench_spawn_program(const char *path, const char *const *arguments, int *input, int *output) {
  int to_child[2], from_child[2];
  if (pipe2(to_child, O_CLOEXEC) != 0 || pipe2(from_child, O_CLOEXEC) != 0)
    return -1;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to_child[0], 0);
  posix_spawn_file_actions_adddup2(&actions, from_child[1], 1);
  pid_t pid = -1;
  if (posix_spawn(&pid, path, &actions, NULL, (char *const *)arguments, environ) != 0)
    pid = -1;
  posix_spawn_file_actions_destroy(&actions);
  close(to_child[0]);
  close(from_child[1]);
  *input = to_child[1];
  *output = from_child[0];
  return pid;
}

double bench_cpu_seconds(int pid) {
  clockid_t clock;
  struct timespec used;
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
    return 0;
  return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}
