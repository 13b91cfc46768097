#ifndef CFUZZENGINE_H
#define CFUZZENGINE_H

#include <stddef.h>
#include <stdint.h>

/// Called with each input; 0 keeps it for the corpus when it reaches something new.
typedef int (*fuzz_engine_input)(const uint8_t *bytes, size_t count);

/// Whether this program was linked with libFuzzer, which `-sanitize=fuzzer` does.
int fuzz_engine_is_linked(void);

/// libFuzzer's main loop with its own arguments (https://llvm.org/docs/LibFuzzer.html#using-libfuzzer-as-a-library); -1 when it is not linked.
int fuzz_engine_run(int count, char **arguments, fuzz_engine_input input);

/// Nanoseconds of processor time that this process has used.
uint64_t fuzz_engine_cpu_nanoseconds(void);

#endif
