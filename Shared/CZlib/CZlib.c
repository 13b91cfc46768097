#include "CZlib.h"

#include <stdlib.h>
#include <zlib.h>

struct czlib_gzip {
  z_stream stream;
};

struct czlib_gzip *czlib_gzip_new(int level) {
  struct czlib_gzip *gzip = calloc(1, sizeof *gzip);
  if (gzip == NULL)
    return NULL;
  // 15 bits of window; 16 more asks for a gzip header and trailer.
  if (deflateInit2(&gzip->stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    free(gzip);
    return NULL;
  }
  return gzip;
}

void czlib_gzip_free(struct czlib_gzip *gzip) {
  if (gzip == NULL)
    return;
  deflateEnd(&gzip->stream);
  free(gzip);
}

void czlib_gzip_feed(struct czlib_gzip *gzip, const uint8_t *bytes, size_t count) {
  gzip->stream.next_in = (Bytef *)bytes;
  gzip->stream.avail_in = (uInt)count;
}

size_t czlib_gzip_read(struct czlib_gzip *gzip, int is_last, uint8_t *out, size_t capacity) {
  gzip->stream.next_out = out;
  gzip->stream.avail_out = (uInt)capacity;
  // The only failures are a stream that is none and a call after the end, which write nothing.
  (void)deflate(&gzip->stream, is_last ? Z_FINISH : Z_NO_FLUSH);
  return capacity - gzip->stream.avail_out;
}
