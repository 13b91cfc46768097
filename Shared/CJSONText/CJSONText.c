#include "CJSONText.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { BLOCK = 64 };

// Where in a block what stands: one bit for each byte, the lowest for the first.
struct marks {
    uint64_t quotes, backslashes, opening, closing;
};

#if defined(__SSE2__)
static inline uint64_t equal(const __m128i bytes[4], char byte) {
    const __m128i wanted = _mm_set1_epi8(byte);
    uint64_t bits = 0;
    for (int part = 0; part < 4; part++) {
        const int equal = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes[part], wanted));
        bits |= (uint64_t)(uint32_t)equal << (16 * part);
    }
    return bits;
}

static inline struct marks marks_of(const uint8_t *block) {
    __m128i bytes[4], folded[4];
    for (int part = 0; part < 4; part++) {
        bytes[part] = _mm_loadu_si128((const __m128i *)(block + 16 * part));
        // What makes '[' and ']' the same as '{' and '}', and nothing else.
        folded[part] = _mm_or_si128(bytes[part], _mm_set1_epi8(0x20));
    }
    return (struct marks){equal(bytes, '"'), equal(bytes, '\\'), equal(folded, '{'), equal(folded, '}')};
}
#else
static inline struct marks marks_of(const uint8_t *block) {
    struct marks marks = {0, 0, 0, 0};
    for (int index = 0; index < BLOCK; index++) {
        const uint64_t bit = (uint64_t)1 << index;
        const uint8_t byte = block[index];
        if (byte == '"') marks.quotes |= bit;
        if (byte == '\\') marks.backslashes |= bit;
        if ((byte | 0x20) == '{') marks.opening |= bit;
        if ((byte | 0x20) == '}') marks.closing |= bit;
    }
    return marks;
}
#endif

// The bytes behind a backslash that is none itself. `carry` says whether the block's first byte is one, and then the next block's.
static inline uint64_t escaped_bytes(uint64_t backslashes, uint64_t *carry) {
    uint64_t escaped = *carry;
    backslashes &= ~escaped;
    *carry = 0;
    while (backslashes != 0) {
        const uint64_t lowest = backslashes & -backslashes;
        const uint64_t behind = lowest << 1;
        *carry = behind == 0;
        escaped |= behind;
        backslashes &= ~(lowest | behind);
    }
    return escaped;
}

// Each bit becomes the parity of itself and of those below: a string's from its opening quote up to the closing one.
static inline uint64_t parity(uint64_t bits) {
    for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
    return bits;
}

size_t cjsontext_container_end(const uint8_t *text, size_t size, size_t start, size_t open) {
    uint64_t escape = 0, string = 0;
    size_t depth = open;
    for (size_t place = start; place < size; place += BLOCK) {
        const uint8_t *block = text + place;
        uint8_t last[BLOCK];
        if (size - place < BLOCK) {
            memset(last, 0, sizeof last);
            memcpy(last, block, size - place);
            block = last;
        }
        const struct marks marks = marks_of(block);
        // Every bit set where the block begins within a string.
        const uint64_t within = parity(marks.quotes & ~escaped_bytes(marks.backslashes, &escape)) ^ string;
        string = (uint64_t)((int64_t)within >> 63);
        const uint64_t opening = marks.opening & ~within;
        uint64_t closing = marks.closing & ~within;
        const size_t closes = (size_t)__builtin_popcountll(closing);
        if (closes < depth) {
            depth += (size_t)__builtin_popcountll(opening) - closes;
            continue;
        }
        uint64_t counted = 0;
        while (closing != 0) {
            const uint64_t lowest = closing & -closing;
            const uint64_t before = opening & (lowest - 1);
            depth += (size_t)__builtin_popcountll(before & ~counted);
            counted = before;
            // A text that is no JSON may close what it has not opened.
            if (depth <= 1) return place + (size_t)__builtin_ctzll(lowest) + 1;
            depth--;
            closing &= closing - 1;
        }
        depth += (size_t)__builtin_popcountll(opening & ~counted);
    }
    return 0;
}
