/* A WebSocket load generator that is not the bottleneck: one epoll loop, no allocation while it measures. */
#ifndef LOAD_H
#define LOAD_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

#define CARRY (1 << 17)   /* the longest piece of a frame that may wait for its rest */

enum state { CLOSED, CONNECTING, SECURING, SHAKING, GREETING, READY };

struct client {
    int fd, room;
    enum state state;
    SSL *tls;
    unsigned char *carry;  /* the beginning of a frame whose rest has not come */
    size_t carried;
    int waiting;           /* echo: an answer is under way */
};

/* One publisher's messages: a message has arrived when everyone in the room has it. */
struct lane {
    long sent, got;
};

/* What was asked for on the command line; see main.c. */
struct options {
    int port, clients, rooms, publishers, window, size, rate, slow, pid, tls, deflate, engineio;
    double seconds, warmup, patience;
    const char *mode, *path, *hello, *await, *envelope, *word;
};

extern struct options options;
extern struct client *clients;
extern struct lane *lanes;      /* rooms x publishers; lane l is in room l % rooms */
extern int n_lanes;
extern long *room_size;         /* those in each room who read */
extern long connected, handshakes, deliveries, frames_in, bytes_in;
extern uint64_t measuring_since;   /* 0 while nothing is measured */

/* connection.c: one client's way in and out */
void open_epoll(void);
void start(struct client *c);
void lost(struct client *c);
void send_text(struct client *c, const char *text, size_t length);
void turn(int timeout_ms);      /* handle what is ready */

/* talk.c: what clients say and hear */
size_t fill(char *out, size_t room, const char *model, const struct client *c, const char *text);
void say(struct client *c, int lane);
void greeted(struct client *c);   /* it is in, and counts */
void heard(struct client *c, const unsigned char *payload, size_t length);

/* modes.c: who says what when */
void connect_all(int from, int to, int at_once);
void run(double for_seconds);

/* inflate.c: permessage-deflate */
const unsigned char *inflated(const unsigned char *payload, size_t *length);

/* measure.c: clock, CPU, memory, latency */
uint64_t now_ns(void);
double cpu_of(int process);         /* seconds since it began */
double own_cpu(void);
double busy_of(int core);           /* seconds since the machine started */
long memory_of(int process);        /* resident KiB */
void note_latency(uint64_t ns);
void keep_latencies(int clean);     /* those noted since the last call */
double percentile_ms(double p, int clean);   /* of the clean slices, or of all */
void die(const char *why);

#endif
