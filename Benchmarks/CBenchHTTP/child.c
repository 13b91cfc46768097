#define _GNU_SOURCE
#include "CBenchHTTP.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
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
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL)
    return 0;
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = '\0';
  // The name stands in parentheses and may hold anything; utime and stime are the 12th and 13th field behind it.
  const char *rest = strrchr(text, ')');
  unsigned long user = 0, system = 0;
  if (rest == NULL || sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
    return 0;
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}
