/* Who says what when. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "load.h"

#define PATIENCE_NS 120000000000ull

/* Each lane keeps `window` messages under way. */
static void fanout(uint64_t begin)
{
    (void)begin;
    for (int l = 0; l < n_lanes; l++) {
        long readers = room_size[l % options.rooms];
        struct client *publisher = &clients[options.clients - n_lanes + l];
        while (readers > 0 && publisher->state == READY && lanes[l].sent - lanes[l].got / readers < options.window) {
            lanes[l].sent++;
            say(publisher, l);
        }
    }
}

/* `rate` messages a second, however long they take. */
static void quiet(uint64_t begin)
{
    while (lanes[0].sent < (long)((now_ns() - begin) / 1e9 * options.rate)) {
        lanes[0].sent++;
        say(&clients[options.clients - 1], 0);
    }
}

/* Everyone says one thing and waits for its return. */
static void echo(uint64_t begin)
{
    (void)begin;
    for (int i = 0; i < options.clients; i++)
        if (clients[i].state == READY && !clients[i].waiting) {
            clients[i].waiting = 1;
            say(&clients[i], 0);
        }
}

/* Everyone comes and goes. */
static void storm(uint64_t begin)
{
    (void)begin;
    for (int i = 0; i < options.clients; i++) {
        if (clients[i].state == READY) {
            struct linger none = {1, 0};   /* reset: no TIME_WAIT for the next one */
            setsockopt(clients[i].fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
            lost(&clients[i]);
        }
        if (clients[i].state == CLOSED) start(&clients[i]);
    }
}

/* Nobody says anything: idle connections, and what a room tells by itself. */
static void silence(uint64_t begin)
{
    (void)begin;
}

void connect_all(int from, int to, int at_once)
{
    int begun = from;
    long before = connected;
    uint64_t deadline = now_ns() + PATIENCE_NS;
    while (connected - before < to - from) {
        while (begun < to && begun - from - (connected - before) < at_once) {
            clients[begun].room = begun % options.rooms;
            start(&clients[begun++]);
        }
        turn(100);
        if (now_ns() > deadline) { errno = ETIMEDOUT; die("connecting"); }
    }
}

void run(double for_seconds)
{
    static const struct { const char *name; void (*act)(uint64_t); int timeout_ms; } modes[] = {
        {"fanout", fanout, 10}, {"quiet", quiet, 1}, {"echo", echo, 10}, {"storm", storm, 10}, {"idle", silence, 10},
        {"crowd", silence, 10},
    };
    static uint64_t begin;
    uint64_t now = now_ns(), end = now + (uint64_t)(for_seconds * 1e9);
    if (!begin) begin = now;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(options.mode, modes[i].name)) {
            while (now_ns() < end) { modes[i].act(begin); turn(modes[i].timeout_ms); }
            return;
        }
    errno = EINVAL;
    die(options.mode);
}
