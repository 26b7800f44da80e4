/* permessage-deflate (RFC 7692) with server_no_context_takeover: each message can be read by itself.
 *
 * All clients of a room are sent the same bytes, so what was inflated once is remembered: the generator must not
 * be the bottleneck.
 */
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "load.h"

#define SLOTS 64
#define LONGEST 16384

static struct {
    size_t packed_length, length;
    unsigned char packed[LONGEST], text[LONGEST];
} known[SLOTS];

static unsigned slot_of(const unsigned char *payload, size_t length)
{
    unsigned hash = 2166136261u;
    for (size_t i = 0; i < length; i++) hash = (hash ^ payload[i]) * 16777619u;
    return hash % SLOTS;
}

const unsigned char *inflated(const unsigned char *payload, size_t *length)
{
    static z_stream stream;
    static int begun;
    unsigned slot = slot_of(payload, *length);
    if (known[slot].packed_length != *length || memcmp(known[slot].packed, payload, *length)) {
        if (*length + 4 > LONGEST) { errno = EMSGSIZE; die("a compressed frame"); }
        if (!begun++ && inflateInit2(&stream, -15) != Z_OK) { errno = ENOMEM; die("zlib"); }
        memcpy(known[slot].packed, payload, *length);
        memcpy(known[slot].packed + *length, "\0\0\377\377", 4);   /* RFC 7692 section 7.2.2 */
        inflateReset(&stream);
        stream.next_in = known[slot].packed;
        stream.avail_in = *length + 4;
        stream.next_out = known[slot].text;
        stream.avail_out = LONGEST;
        int result = inflate(&stream, Z_SYNC_FLUSH);
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) { errno = EPROTO; die("inflate"); }
        known[slot].packed_length = *length;
        known[slot].length = LONGEST - stream.avail_out;
    }
    *length = known[slot].length;
    return known[slot].text;
}
