/* What clients say, and how they know it again.
 *
 * Every message carries a mark: `@@`, the time of sending as 16 hex digits, its lane as 4. Whatever a server wraps
 * around a text, the mark is found in it.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

#define MARK "@@"
#define MARK_LENGTH 22

static const char *const WORDS[] = {"the ", "chat ", "room ", "hears ", "what ", "was ", "said ", "before ", "lunch, ",
                                    "and ", "nobody ", "minds ", "that ", "it ", "rains ", "again. "};

static uint64_t hex(const unsigned char *digits, int n)
{
    uint64_t value = 0;
    for (int i = 0; i < n; i++) value = value << 4 | (digits[i] <= '9' ? digits[i] - '0' : digits[i] - 'a' + 10);
    return value;
}

/* Copy `model`, with $ROOM, $TEXT and $N (a number that never comes twice) filled in; returns the length. */
size_t fill(char *out, size_t room, const char *model, const struct client *c, const char *text)
{
    static long number;
    size_t at = 0;
    while (*model && at + 1 < room) {
        if (!strncmp(model, "$ROOM", 5)) { at += snprintf(out + at, room - at, "r%d", c->room); model += 5; }
        else if (!strncmp(model, "$TEXT", 5)) { at += snprintf(out + at, room - at, "%s", text); model += 5; }
        else if (!strncmp(model, "$N", 2)) { at += snprintf(out + at, room - at, "%ld", ++number); model += 2; }
        else out[at++] = *model++;
    }
    at = at < room ? at : room - 1;
    out[at] = 0;
    return at;
}

void say(struct client *c, int lane)
{
    static unsigned chosen = 1;
    char text[8192], message[10240];
    int used = snprintf(text, sizeof text, MARK "%016llx%04x ", (unsigned long long)now_ns(), lane);
    while (used < options.size) {   /* words, because a run of one letter would compress too well */
        const char *word = WORDS[(chosen = chosen * 1103515245 + 12345) >> 16 & 15];
        while (*word && used < options.size) text[used++] = *word++;
    }
    text[used] = 0;
    if (!options.envelope) send_text(c, text, used);
    else send_text(c, message, fill(message, sizeof message, options.envelope, c, text));
}

void greeted(struct client *c)
{
    c->state = READY;
    connected++;
    handshakes++;
    if (c - clients >= options.slow) room_size[c->room]++;
}

void heard(struct client *c, const unsigned char *payload, size_t length)
{
    frames_in++;
    bytes_in += length;
    if (options.engineio && length == 1 && *payload == '2') {   /* Engine.IO's ping, and its pong */
        send_text(c, "3", 1);
        return;
    }
    if (c->state == GREETING) {
        if (!options.await || memmem(payload, length, options.await, strlen(options.await))) greeted(c);
        return;
    }
    if (options.word && !memmem(payload, length, options.word, strlen(options.word))) return;
    const unsigned char *mark = memmem(payload, length, MARK, 2);
    if (!mark || mark + MARK_LENGTH > payload + length) return;
    uint64_t sent = hex(mark + 2, 16);
    int lane = (int)hex(mark + 18, 4);
    c->waiting = 0;
    if (lane < n_lanes) lanes[lane].got++;
    deliveries++;
    if (measuring_since && sent >= measuring_since) note_latency(now_ns() - sent);
}
