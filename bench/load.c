/* A WebSocket load generator that is not the bottleneck: one epoll loop, no allocation while it measures.
 *
 *   load --port 8080 --path /text --clients 1000 --window 16 --seconds 5 --pid SERVER
 *
 * It connects all clients, lets one publisher a room keep `window` messages under way (a message has arrived when
 * everyone in the room has it), and prints one JSON object: deliveries a second, the server's and its own CPU,
 * latency percentiles. Modes: fanout (default), echo (every client sends and waits), idle (connect and stay),
 * storm (connect and close, over and over), quiet (a fixed rate: --rate messages a second).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MARK "@@"          /* before the 16 hex digits of the time of sending */
#define BUCKETS 4096       /* latency histogram, 1/16 of a power of two each */
#define CARRY (1 << 17)

enum state { CONNECTING, SHAKING, GREETING, READY, CLOSED };

struct client {
    int fd, room;
    enum state state;
    unsigned char *carry;  /* the beginning of a frame whose rest has not come */
    size_t carried;
    long waiting;          /* echo: an answer is under way */
};

static struct client *clients;
static int epoll, n_clients = 1000, n_rooms = 1, window = 1, port = 8080, size = 64, pid, rate, slow;
static double seconds = 5, warmup = 1;
static const char *path = "/text", *mode = "fanout", *hello, *envelope, *await_text;
static long *room_size, *room_sent, *room_got, deliveries, connected, handshakes;
static uint64_t histogram[BUCKETS];
static unsigned char input[1 << 18];
static uint64_t measuring_since;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

static void die(const char *why)
{
    fprintf(stderr, "load: %s: %s\n", why, strerror(errno));
    exit(1);
}

/* CPU seconds of a process, from /proc. */
static double cpu_of(int process)
{
    char name[64], text[1024];
    snprintf(name, sizeof name, "/proc/%d/stat", process);
    FILE *file = fopen(name, "r");
    if (!file) return 0;
    size_t got = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[got] = 0;
    char *after = strrchr(text, ')');
    unsigned long user = 0, system = 0;
    if (after) sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (double)(user + system) / sysconf(_SC_CLK_TCK);
}

static long memory_of(int process)   /* resident KiB */
{
    char name[64];
    long pages = 0;
    snprintf(name, sizeof name, "/proc/%d/statm", process);
    FILE *file = fopen(name, "r");
    if (file) { if (fscanf(file, "%*d %ld", &pages) != 1) pages = 0; fclose(file); }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static double own_cpu(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return use.ru_utime.tv_sec + use.ru_stime.tv_sec + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static int bucket(uint64_t us)
{
    if (us < 16) return (int)us;
    int log = 63 - __builtin_clzll(us);
    int index = log * 16 + (int)((us >> (log - 4)) & 15);
    return index < BUCKETS ? index : BUCKETS - 1;
}

static double bucket_us(int index)
{
    if (index < 16) return index;
    int log = index / 16;
    return (double)((uint64_t)(16 + index % 16) << (log - 4));
}

static double percentile(double p)
{
    uint64_t total = 0, seen = 0;
    for (int i = 0; i < BUCKETS; i++) total += histogram[i];
    for (int i = 0; i < BUCKETS; i++) {
        seen += histogram[i];
        if (total && seen >= p * total) return bucket_us(i);
    }
    return 0;
}

/* One masked text frame; the mask is zero, which RFC 6455 allows a client that has nothing to hide. */
static size_t frame(unsigned char *out, const char *text, size_t length)
{
    size_t head = 2;
    out[0] = 0x81;
    if (length < 126) out[1] = 0x80 | length;
    else { out[1] = 0x80 | 126; out[2] = length >> 8; out[3] = length & 255; head = 4; }
    memset(out + head, 0, 4);
    memcpy(out + head + 4, text, length);
    return head + 4 + length;
}

static void send_all(struct client *c, const void *data, size_t length)
{
    ssize_t sent = send(c->fd, data, length, MSG_NOSIGNAL);
    if (sent != (ssize_t)length) { errno = sent < 0 ? errno : EAGAIN; die("send"); }
}

static void say(struct client *c)
{
    char text[4096], message[8192];
    unsigned char out[8300];
    int used = snprintf(text, sizeof text, MARK "%016llx", (unsigned long long)now_ns());
    while (used < size) text[used++] = 'x';
    text[used] = 0;
    int length = envelope ? snprintf(message, sizeof message, envelope, text) : used;
    send_all(c, out, frame(out, envelope ? message : text, length));
}

static void start(struct client *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    /* Spread over loopback addresses: one has only 28 000 ports. */
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (c - clients) / 20000);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) die("socket");
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->state = CONNECTING;
    c->carried = 0;
    c->waiting = 0;
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) die("connect");
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) < 0) die("epoll_ctl");
}

static void shake(struct client *c)
{
    char where[512], request[1024];
    snprintf(where, sizeof where, path, c->room);
    int length = snprintf(request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", where, port);
    send_all(c, request, length);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
    c->state = SHAKING;
}

static void ready(struct client *c)
{
    c->state = READY;
    connected++;
    handshakes++;
    room_size[c->room]++;
    if (slow && c - clients < slow) epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, NULL);   /* never reads again */
}

static void got(struct client *c, const unsigned char *payload, size_t length)
{
    if (c->state == GREETING) {
        if (!await_text || memmem(payload, length, await_text, strlen(await_text))) ready(c);
        return;
    }
    const char *mark = memmem(payload, length, MARK, 2);
    if (!mark || (const unsigned char *)mark + 18 > payload + length) return;
    char digits[17];
    memcpy(digits, mark + 2, 16);
    digits[16] = 0;
    uint64_t sent = strtoull(digits, NULL, 16);
    room_got[c->room]++;
    c->waiting = 0;
    if (measuring_since && sent >= measuring_since) histogram[bucket((now_ns() - sent) / 1000)]++;
    deliveries++;
}

static void lost(struct client *c)
{
    if (c->state == READY) { connected--; room_size[c->room]--; }
    close(c->fd);
    c->state = CLOSED;
}

/* Whole frames in data; returns how many bytes they took. */
static size_t frames(struct client *c, const unsigned char *data, size_t length)
{
    size_t at = 0;
    while (length - at >= 2) {
        size_t head = 2, body = data[at + 1] & 127;
        if (body == 126) {
            if (length - at < 4) break;
            body = (size_t)data[at + 2] << 8 | data[at + 3];
            head = 4;
        } else if (body == 127) {
            if (length - at < 10) break;
            body = 0;
            for (int i = 2; i < 10; i++) body = body << 8 | data[at + i];
            head = 10;
        }
        if (length - at < head + body) break;
        int opcode = data[at] & 15;
        if (opcode == 1 || opcode == 2) got(c, data + at + head, body);
        else if (opcode == 9) { unsigned char pong[6] = {0x8a, 0x80}; send_all(c, pong, 6); }
        at += head + body;
    }
    return at;
}

static void readable(struct client *c)
{
    memcpy(input, c->carry, c->carried);
    ssize_t more = recv(c->fd, input + c->carried, sizeof input - c->carried, 0);
    if (more <= 0) {
        if (more < 0 && errno == EAGAIN) return;
        lost(c);
        return;
    }
    size_t length = c->carried + more, begin = 0;
    c->carried = 0;
    if (c->state == SHAKING) {
        unsigned char *end = memmem(input, length, "\r\n\r\n", 4);
        if (end) {
            if (length < 12 || memcmp(input + 9, "101", 3)) { fprintf(stderr, "load: %.*s\n", (int)length, input); exit(1); }
            begin = end + 4 - input;
            if (hello) { unsigned char out[4096]; send_all(c, out, frame(out, hello, strlen(hello))); }
            if (hello || await_text) c->state = GREETING;
            else ready(c);
        }
    }
    if (c->state == GREETING || c->state == READY) begin += frames(c, input + begin, length - begin);
    if (length - begin > CARRY) { errno = EMSGSIZE; die("frame"); }
    c->carried = length - begin;
    if (c->carried && !c->carry) c->carry = malloc(CARRY);
    memcpy(c->carry, input + begin, c->carried);
}

static void turn(int timeout_ms)
{
    struct epoll_event events[1024];
    int n = epoll_wait(epoll, events, 1024, timeout_ms);
    for (int i = 0; i < n; i++) {
        struct client *c = events[i].data.ptr;
        if (c->state == CONNECTING) {
            int error = 0;
            socklen_t length = sizeof error;
            getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
            if (error) { errno = error; die("connect"); }
            shake(c);
        } else if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) readable(c);
    }
}

static void publish(uint64_t begin)
{
    if (!strcmp(mode, "fanout"))
        for (int room = 0; room < n_rooms; room++)
            while (room_size[room] > slow && room_sent[room] - room_got[room] / (room_size[room] - slow) < window) {
                room_sent[room]++;
                say(&clients[n_clients - n_rooms + room]);
            }
    else if (!strcmp(mode, "quiet")) {
        while (room_sent[0] < (long)((now_ns() - begin) / 1e9 * rate)) { room_sent[0]++; say(&clients[n_clients - 1]); }
    } else if (!strcmp(mode, "echo"))
        for (int i = 0; i < n_clients; i++)
            if (clients[i].state == READY && !clients[i].waiting) { clients[i].waiting = 1; say(&clients[i]); }
}

static void connect_all(int at_once)
{
    int begun = 0;
    uint64_t deadline = now_ns() + 120000000000ull;
    while (connected < n_clients) {
        while (begun < n_clients && begun - connected < at_once) { clients[begun].room = begun % n_rooms; start(&clients[begun++]); }
        turn(100);
        if (now_ns() > deadline) { errno = ETIMEDOUT; die("connecting"); }
    }
}

static void storm(double for_seconds)
{
    uint64_t end = now_ns() + for_seconds * 1e9;
    while (now_ns() < end)
        for (int i = 0; i < n_clients && now_ns() < end; i++) {
            if (clients[i].state == READY) {
                struct linger none = {1, 0};   /* reset: no TIME_WAIT for the next one */
                setsockopt(clients[i].fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
                lost(&clients[i]);
            }
            if (clients[i].state == CLOSED) start(&clients[i]);
            if (i % 16 == 0) turn(0);
        }
}

int main(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        char *name = argv[i], *value = argv[i + 1];
        if (!strcmp(name, "--port")) port = atoi(value);
        else if (!strcmp(name, "--path")) path = value;
        else if (!strcmp(name, "--clients")) n_clients = atoi(value);
        else if (!strcmp(name, "--rooms")) n_rooms = atoi(value);
        else if (!strcmp(name, "--window")) window = atoi(value);
        else if (!strcmp(name, "--seconds")) seconds = atof(value);
        else if (!strcmp(name, "--warmup")) warmup = atof(value);
        else if (!strcmp(name, "--size")) size = atoi(value);
        else if (!strcmp(name, "--pid")) pid = atoi(value);
        else if (!strcmp(name, "--mode")) mode = value;
        else if (!strcmp(name, "--rate")) rate = atoi(value);
        else if (!strcmp(name, "--slow")) slow = atoi(value);
        else if (!strcmp(name, "--hello")) hello = value;
        else if (!strcmp(name, "--await")) await_text = value;
        else if (!strcmp(name, "--envelope")) envelope = value;
        else { fprintf(stderr, "load: unknown option %s\n", name); return 2; }
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    epoll = epoll_create1(0);
    clients = calloc(n_clients, sizeof *clients);
    room_size = calloc(n_rooms, sizeof *room_size);
    room_sent = calloc(n_rooms, sizeof *room_sent);
    room_got = calloc(n_rooms, sizeof *room_got);
    long memory = memory_of(pid);
    connect_all(100);
    uint64_t begin = now_ns();
    int is_storm = !strcmp(mode, "storm");
    if (is_storm) storm(warmup);
    while (!is_storm && now_ns() - begin < warmup * 1e9) { publish(begin); turn(10); }
    deliveries = handshakes = 0;
    double server = cpu_of(pid), own = own_cpu();
    measuring_since = now_ns();
    if (is_storm) storm(seconds);
    while (!is_storm && now_ns() - measuring_since < seconds * 1e9) { publish(begin); turn(10); }
    double elapsed = (now_ns() - measuring_since) / 1e9;
    server = cpu_of(pid) - server;
    own = own_cpu() - own;
    printf("{\"per_s\": %.0f, \"handshakes_per_s\": %.0f, \"server_cpu\": %.3f, \"load_cpu\": %.3f, \"us_each\": %.3f,"
           " \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"connected\": %ld, \"kib_each\": %.2f, \"rss_kib\": %ld}\n",
           deliveries / elapsed, handshakes / elapsed, server / elapsed, own / elapsed,
           1e6 * server / (is_storm ? handshakes : deliveries ? deliveries : 1),
           percentile(.5) / 1000, percentile(.99) / 1000, connected, (double)(memory_of(pid) - memory) / n_clients,
           memory_of(pid));
    return 0;
}
