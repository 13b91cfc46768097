// Steps over JSON text 64 bytes at a time (after Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019), with SSE2 where the
// machine is an x86-64, else byte by byte.
#ifndef KUBEDIAG_CJSONTEXT_H
#define KUBEDIAG_CJSONTEXT_H

#include <stddef.h>
#include <stdint.h>

// The index behind the bracket that closes the outermost of the objects and arrays that are open at `start`, which is outside of any string:
// `open` of them, and one more that may begin there. 0 where the text ends before that. The text has to be JSON: brackets are counted and not
// told apart, and nothing else is looked at. Reads no byte beyond `size`.
size_t cjsontext_container_end(const uint8_t *text, size_t size, size_t start, size_t open);

#endif
