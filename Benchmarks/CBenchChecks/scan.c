#define _GNU_SOURCE
#include "CBenchChecks.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int file_flags = O_RDONLY | O_CLOEXEC;
static const int folder_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

// The head of what getdents64(2) fills in.
struct entry {
  unsigned long long inode;
  long long offset;
  unsigned short size;
  unsigned char type;
  char name[];
};

// Calls `body` for each entry of a folder, which it closes, whose name is a number. Returns the sum of what it answered.
static long each_number(int folder, long (*body)(int folder, const char *name)) {
  char entries[32 * 1024] __attribute__((aligned(8)));
  long sum = 0, filled;
  while ((filled = syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0) {
    for (long next = 0; next < filled;) {
      const struct entry *entry = (const struct entry *)(entries + next);
      next += entry->size;
      if (entry->name[0] >= '0' && entry->name[0] <= '9') sum += body(folder, entry->name);
    }
  }
  close(folder);
  return sum;
}

static long each_process(long (*body)(int proc, const char *pid)) {
  int proc = open("/proc", folder_flags);
  return proc < 0 ? -1 : each_number(proc, body);
}

static long read_stat(int proc, const char *pid) {
  char path[PATH_MAX], text[4096];
  snprintf(path, sizeof path, "%s/stat", pid);
  int fd = openat(proc, path, file_flags);
  if (fd < 0) return 0;
  long count = 0;
  ssize_t filled;
  while ((filled = read(fd, text, sizeof text)) > 0) count = 1;
  close(fd);
  return count;
}

static long read_link(int folder, const char *number) {
  char target[PATH_MAX];
  return readlinkat(folder, number, target, sizeof target) > 0;
}

static long read_links_of(int proc, const char *pid) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/fd", pid);
  int folder = openat(proc, path, folder_flags);
  return folder < 0 ? 0 : each_number(folder, read_link);
}

long bench_read_stats(void) { return each_process(read_stat); }

long bench_read_links(void) { return each_process(read_links_of); }
