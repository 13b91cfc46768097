// zlib as Swift can call it: deflateInit2 is a macro, and z_stream keeps pointers to memory of the caller's between calls.
#ifndef KUBEDIAG_CZLIB_H
#define KUBEDIAG_CZLIB_H

#include <stddef.h>
#include <stdint.h>

struct czlib_gzip;

// Begins one gzip member (RFC 1952). level is 1 (fastest) to 9 (smallest). NULL where memory is short; free with czlib_gzip_free.
struct czlib_gzip *czlib_gzip_new(int level);
void czlib_gzip_free(struct czlib_gzip *gzip);

// Gives the next bytes to compress. They are read by czlib_gzip_read, and must stay until that returns less than it had room for.
void czlib_gzip_feed(struct czlib_gzip *gzip, const uint8_t *bytes, size_t count);

// Writes compressed bytes to out and returns their number; less than capacity when the bytes that were fed are used up. With is_last the
// member is brought to its end.
size_t czlib_gzip_read(struct czlib_gzip *gzip, int is_last, uint8_t *out, size_t capacity);

#endif
