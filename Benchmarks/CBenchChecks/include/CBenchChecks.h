// The references of the benchmark of node checks that are C on purpose: the system calls that a scan of all processes can't do without, and
// nothing made of what they answer.
#ifndef KUBEDIAG_CBENCHCHECKS_H
#define KUBEDIAG_CBENCHCHECKS_H

// Reads `stat` of every process of this machine. Returns how many there were, -1 where /proc can't be read.
long bench_read_stats(void);

// Reads where every open file of every process leads to. Returns how many there were, -1 likewise.
long bench_read_links(void);

#endif
