#include "CFuzzEngine.h"

#include <time.h>

// Weak, so that the program links without libFuzzer too and can replay inputs.
__attribute__((weak)) int LLVMFuzzerRunDriver(int *count, char ***arguments, fuzz_engine_input input);

int fuzz_engine_is_linked(void) { return LLVMFuzzerRunDriver != 0; }

int fuzz_engine_run(int count, char **arguments, fuzz_engine_input input) {
  return LLVMFuzzerRunDriver ? LLVMFuzzerRunDriver(&count, &arguments, input) : -1;
}

uint64_t fuzz_engine_cpu_nanoseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}
