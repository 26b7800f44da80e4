/* One client's connection: TCP, TLS if asked, the opening handshake, frames in and out. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

#define PER_ADDRESS 20000   /* one loopback address has only 28 000 ports */

static int epoll;
static SSL_CTX *context;
static unsigned char input[1 << 18];

void open_epoll(void)
{
    epoll = epoll_create1(0);
    if (epoll < 0) die("epoll_create1");
    if (options.tls) {
        context = SSL_CTX_new(TLS_client_method());   /* the certificate is not looked at: this is loopback */
        if (!context) die("SSL_CTX_new");
        SSL_CTX_set_read_ahead(context, 1);
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    }
}

static void listen_for(struct client *c, int how, uint32_t what)
{
    struct epoll_event event = {.events = what, .data.ptr = c};
    if (epoll_ctl(epoll, how, c->fd, &event) < 0) die("epoll_ctl");
}

/* Bytes read, 0 if there are none now, -1 at the end. */
static ssize_t pull(struct client *c, void *to, size_t room)
{
    if (c->tls) {
        int got = SSL_read(c->tls, to, room);
        if (got > 0) return got;
        return SSL_get_error(c->tls, got) == SSL_ERROR_WANT_READ ? 0 : -1;
    }
    ssize_t got = recv(c->fd, to, room, 0);
    return got > 0 ? got : got < 0 && errno == EAGAIN ? 0 : -1;
}

/* What is said is small and waits for answers: it fits into the kernel's buffer, or something is wrong. */
static void push(struct client *c, const void *data, size_t length)
{
    ssize_t sent = c->tls ? SSL_write(c->tls, data, length) : send(c->fd, data, length, MSG_NOSIGNAL);
    if (sent == (ssize_t)length) return;
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return;   /* its end is read in its turn */
    if (sent >= 0) errno = EAGAIN;
    die("send");
}

/* A masked frame; the mask is zero, which costs the server the same as any other and us nothing. */
static void send_frame(struct client *c, int opcode, const void *payload, size_t length)
{
    unsigned char out[16384] = {0x80 | opcode};
    size_t head = 2;
    if (length + 8 > sizeof out) { errno = EMSGSIZE; die("say"); }
    if (length < 126) out[1] = 0x80 | length;
    else { out[1] = 0x80 | 126; out[2] = length >> 8; out[3] = length & 255; head = 4; }
    memset(out + head, 0, 4);
    memcpy(out + head + 4, payload, length);
    push(c, out, head + 4 + length);
}

void send_text(struct client *c, const char *text, size_t length)
{
    send_frame(c, 1, text, length);
}

void start(struct client *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(options.port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    int one = 1, few = 4096, short_segment = 1400;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (c - clients) / PER_ADDRESS);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) die("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (c - clients < options.slow) {   /* little room in the kernel, so that the server has to keep it soon */
        setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &few, sizeof few);
        setsockopt(c->fd, IPPROTO_TCP, TCP_MAXSEG, &short_segment, sizeof short_segment);
    }
    if (bind(c->fd, (struct sockaddr *)&from, sizeof from) < 0) die("bind");
    c->state = CONNECTING;
    c->carried = 0;
    c->waiting = 0;
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) die("connect");
    listen_for(c, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

void lost(struct client *c)
{
    if (c->state == READY) {
        connected--;
        if (c - clients >= options.slow) room_size[c->room]--;
    }
    if (c->tls) SSL_free(c->tls);
    c->tls = NULL;
    close(c->fd);
    c->state = CLOSED;
}

static void ask_upgrade(struct client *c)
{
    char where[512], request[1024];
    fill(where, sizeof where, options.path, c, "");
    int length = snprintf(request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n", where, options.port,
        options.deflate ? "Sec-WebSocket-Extensions: permessage-deflate; "
                          "server_no_context_takeover; client_no_context_takeover\r\n" : "");
    c->state = SHAKING;
    push(c, request, length);
    listen_for(c, EPOLL_CTL_MOD, EPOLLIN);
}

static void secure(struct client *c)
{
    c->state = SECURING;
    int result = SSL_connect(c->tls);
    int error = result == 1 ? 0 : SSL_get_error(c->tls, result);
    if (result == 1) ask_upgrade(c);
    else if (error == SSL_ERROR_WANT_READ) listen_for(c, EPOLL_CTL_MOD, EPOLLIN);
    else if (error == SSL_ERROR_WANT_WRITE) listen_for(c, EPOLL_CTL_MOD, EPOLLOUT);
    else { errno = EPROTO; die("TLS handshake"); }
}

static void is_connected(struct client *c)
{
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) { errno = error; die("connect"); }
    if (!options.tls) { ask_upgrade(c); return; }
    c->tls = SSL_new(context);
    SSL_set_fd(c->tls, c->fd);
    secure(c);
}

/* The server's answer to the upgrade; returns how many bytes it took, 0 if it is not whole yet. */
static size_t answer(struct client *c, unsigned char *data, size_t length)
{
    char hello[2048];
    unsigned char *end = memmem(data, length, "\r\n\r\n", 4);
    if (!end) return 0;
    if (length < 12 || memcmp(data + 9, "101", 3)) {
        fprintf(stderr, "load: no upgrade: %.*s\n", (int)(length > 300 ? 300 : length), data);
        exit(1);
    }
    if (options.deflate && !memmem(data, end - data, "server_no_context_takeover", 26)) {
        fprintf(stderr, "load: the server does not take permessage-deflate with server_no_context_takeover\n");
        exit(1);
    }
    c->state = GREETING;
    if (options.hello) send_text(c, hello, fill(hello, sizeof hello, options.hello, c, ""));
    if (!options.hello && !options.await) greeted(c);
    return end + 4 - data;
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
        int opcode = data[at] & 15, is_packed = data[at] & 0x40;
        const unsigned char *payload = data + at + head;
        size_t size = body;
        if (opcode == 1 || opcode == 2) {
            if (is_packed) payload = inflated(payload, &size);
            heard(c, payload, size);
        } else if (opcode == 9) send_frame(c, 10, payload, body);
        at += head + body;
    }
    return at;
}

/* Read what there is; returns false when there was nothing. */
static int readable(struct client *c)
{
    size_t begin = 0;
    if (c->carried) memcpy(input, c->carry, c->carried);
    ssize_t more = pull(c, input + c->carried, sizeof input - c->carried);
    if (more < 0) lost(c);
    if (more <= 0) return 0;
    size_t length = c->carried + more;
    c->carried = 0;
    if (c->state == SHAKING) begin = answer(c, input, length);
    if (c->state == GREETING || c->state == READY) begin += frames(c, input + begin, length - begin);
    if (length - begin > CARRY) { errno = EMSGSIZE; die("a frame"); }
    c->carried = length - begin;
    if (c->carried && !c->carry && !(c->carry = malloc(CARRY))) die("malloc");
    if (c->carried) memcpy(c->carry, input + begin, c->carried);
    if (c->state == READY && c - clients < options.slow) listen_for(c, EPOLL_CTL_MOD, 0);   /* never reads again */
    return 1;
}

void turn(int timeout_ms)
{
    struct epoll_event events[1024];
    int n = epoll_wait(epoll, events, 1024, timeout_ms);
    for (int i = 0; i < n; i++) {
        struct client *c = events[i].data.ptr;
        if (c->state == CONNECTING) is_connected(c);
        else if (c->state == SECURING) secure(c);
        else if (c->state != CLOSED && (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
            while (readable(c) && c->tls && c->state != CLOSED) {}   /* TLS may hold more than epoll knows of */
    }
}
