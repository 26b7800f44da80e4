/* load --port 8080 --path /text?room=$ROOM --clients 1000 --window 16 --seconds 5 --pid SERVER
 *
 * Connects all clients, warms up, measures, and prints one JSON object. Modes:
 *   fanout   each room's publishers keep `window` messages under way (default)
 *   quiet    one publisher, `rate` messages a second
 *   echo     everyone says something and waits for its return
 *   storm    everyone connects and leaves, over and over
 *   idle     everyone connects and stays
 *   crowd    half are there, the other half comes: how much is everyone told of it?
 *
 * It measures in slices of a fifth of a second. A slice in which other programs used the first two cores does not
 * count, and another one is measured instead, for at most `patience` seconds more; after that all of them count.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "load.h"

#define SLICE_S 0.2
#define DISTURBED 0.1   /* of one core */

struct options options = {.port = 8080, .clients = 1000, .rooms = 1, .publishers = 1, .window = 1, .size = 64,
                          .rate = 20, .seconds = 5, .warmup = 1, .mode = "fanout", .path = "/text"};
struct client *clients;
struct lane *lanes;
int n_lanes;
long *room_size, connected, handshakes, deliveries, frames_in, bytes_in;
uint64_t measuring_since;

/* What happened in a while. */
struct tally {
    double elapsed, server, own, busy;
    long deliveries, handshakes, frames, bytes;
};

static int read_options(int argc, char **argv)
{
    const struct { const char *name; int *number; double *real; const char **text; } known[] = {
        {"--port", &options.port}, {"--clients", &options.clients}, {"--rooms", &options.rooms},
        {"--publishers", &options.publishers}, {"--window", &options.window}, {"--size", &options.size},
        {"--rate", &options.rate}, {"--slow", &options.slow}, {"--pid", &options.pid}, {"--tls", &options.tls},
        {"--deflate", &options.deflate}, {"--engineio", &options.engineio},
        {"--seconds", NULL, &options.seconds}, {"--warmup", NULL, &options.warmup},
        {"--patience", NULL, &options.patience},
        {"--mode", NULL, NULL, &options.mode}, {"--path", NULL, NULL, &options.path},
        {"--hello", NULL, NULL, &options.hello}, {"--await", NULL, NULL, &options.await},
        {"--envelope", NULL, NULL, &options.envelope}, {"--word", NULL, NULL, &options.word},
    };
    for (int i = 1; i < argc; i += 2) {
        size_t k = 0, n = sizeof known / sizeof *known;
        while (k < n && strcmp(argv[i], known[k].name)) k++;
        if (k == n || i + 1 == argc) { fprintf(stderr, "load: what is %s?\n", argv[i]); return 0; }
        if (known[k].number) *known[k].number = atoi(argv[i + 1]);
        else if (known[k].real) *known[k].real = atof(argv[i + 1]);
        else *known[k].text = argv[i + 1];
    }
    if (options.clients % options.rooms || options.size > 8000) {
        fprintf(stderr, "load: clients must fill the rooms evenly; size is at most 8000\n");
        return 0;
    }
    return 1;
}

/* All that is counted, since the beginning. */
static struct tally read_counters(void)
{
    struct tally t = {now_ns() / 1e9, cpu_of(options.pid), own_cpu(), 0, deliveries, handshakes, frames_in, bytes_in};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    for (int core = 0; core < cores && core < 2; core++) t.busy += busy_of(core);
    return t;
}

/* sum += b - a */
static void add_difference(struct tally *sum, const struct tally *a, const struct tally *b)
{
    sum->elapsed += b->elapsed - a->elapsed;
    sum->server += b->server - a->server;
    sum->own += b->own - a->own;
    sum->busy += b->busy - a->busy;
    sum->deliveries += b->deliveries - a->deliveries;
    sum->handshakes += b->handshakes - a->handshakes;
    sum->frames += b->frames - a->frames;
    sum->bytes += b->bytes - a->bytes;
}

static double others(const struct tally *t)
{
    double share = (t->busy - t->server - t->own) / t->elapsed;
    return share > 0 ? share : 0;
}

int main(int argc, char **argv)
{
    if (!read_options(argc, argv)) return 2;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    open_epoll();
    n_lanes = options.rooms * options.publishers;
    clients = calloc(options.clients, sizeof *clients);
    room_size = calloc(options.rooms, sizeof *room_size);
    lanes = calloc(n_lanes, sizeof *lanes);
    if (!clients || !room_size || !lanes) die("calloc");

    int is_crowd = !strcmp(options.mode, "crowd"), first = is_crowd ? options.clients / 2 : options.clients;
    long memory_before = memory_of(options.pid);
    connect_all(0, first, 100);
    run(options.warmup);

    measuring_since = now_ns();
    struct tally all = {0}, clean = {0}, before = read_counters(), after;
    long memory_begin = memory_of(options.pid), memory_max = memory_begin;
    double begin = before.elapsed, joined = 0;
    if (is_crowd) {
        connect_all(first, options.clients, 100);
        joined = now_ns() / 1e9 - begin;
    }
    do {
        run(options.seconds < SLICE_S ? options.seconds : SLICE_S);
        after = read_counters();
        struct tally slice = {0};
        add_difference(&slice, &before, &after);
        add_difference(&all, &before, &after);
        int is_clean = others(&slice) <= DISTURBED;
        if (is_clean) add_difference(&clean, &before, &after);
        keep_latencies(is_clean);
        before = after;
        long memory = memory_of(options.pid);
        if (memory > memory_max) memory_max = memory;
    } while (clean.elapsed < options.seconds && all.elapsed < joined + options.seconds + options.patience);

    int use_clean = clean.elapsed >= options.seconds;
    const struct tally *t = use_clean ? &clean : &all;
    long events = !strcmp(options.mode, "storm") ? t->handshakes : t->deliveries;
    printf("{\"per_s\": %.1f, \"us_each\": %.4f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"server_cpu\": %.3f,"
           " \"load_cpu\": %.3f, \"others_cpu\": %.3f, \"connected\": %ld, \"kib_each\": %.3f, \"rss_kib\": %ld,"
           " \"rss_growth_kib\": %ld, \"frames\": %ld, \"bytes\": %ld, \"joined_s\": %.3f}\n",
           events / t->elapsed, events ? 1e6 * t->server / events : 0, percentile_ms(.5, use_clean),
           percentile_ms(.99, use_clean), t->server / t->elapsed, t->own / t->elapsed, others(t), connected,
           (double)(memory_begin - memory_before) / first, memory_of(options.pid), memory_max - memory_begin,
           all.frames, all.bytes, joined);
    return 0;
}
