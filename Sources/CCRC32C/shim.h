// CRC-32C (Castagnoli) over a buffer, by the processor's own instruction where it has one.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static inline uint32_t muster_crc32c_fast(uint32_t crc, const unsigned char *bytes, size_t count) {
    uint64_t wide = crc;
    while (count >= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        wide = __builtin_ia32_crc32di(wide, word);
        bytes += 8;
        count -= 8;
    }
    uint32_t narrow = (uint32_t)wide;
    while (count-- > 0) narrow = __builtin_ia32_crc32qi(narrow, *bytes++);
    return narrow;
}

// CPUID leaf 1, bit 20 of ECX.
static inline int muster_crc32c_available(void) {
    unsigned int a = 1, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (c >> 20) & 1;
}
#else
static inline uint32_t muster_crc32c_fast(uint32_t crc, const unsigned char *bytes, size_t count) {
    (void)bytes; (void)count;
    return crc;
}

static inline int muster_crc32c_available(void) { return 0; }
#endif
