/* Clock, CPU, memory, latency histogram. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#define BUCKETS 1024   /* each 1/16 of a power of two, in microseconds */

static uint64_t slice[BUCKETS], kept[2][BUCKETS];   /* kept[0] of all slices, kept[1] of the clean ones */

void die(const char *why)
{
    fprintf(stderr, "load: %s: %s\n", why, strerror(errno));
    exit(1);
}

uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

static double cpu_alone(int process)
{
    char name[64], text[1024];
    snprintf(name, sizeof name, "/proc/%d/stat", process);
    FILE *file = fopen(name, "r");
    if (!file) return 0;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    unsigned long user = 0, system = 0;
    char *after = strrchr(text, ')');   /* the name before it may hold anything */
    if (after) sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (double)(user + system) / sysconf(_SC_CLK_TCK);
}

/* With its children: a server may be several processes. */
double cpu_of(int process)
{
    char name[64];
    int child;
    double seconds = cpu_alone(process);
    snprintf(name, sizeof name, "/proc/%d/task/%d/children", process, process);
    FILE *file = fopen(name, "r");
    if (!file) return seconds;
    while (fscanf(file, "%d", &child) == 1) seconds += cpu_alone(child);
    fclose(file);
    return seconds;
}

double own_cpu(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return use.ru_utime.tv_sec + use.ru_stime.tv_sec + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

double busy_of(int core)
{
    char line[512], wanted[16];
    unsigned long long v[8] = {0};
    snprintf(wanted, sizeof wanted, "cpu%d ", core);
    FILE *file = fopen("/proc/stat", "r");
    if (!file) return 0;
    while (fgets(line, sizeof line, file))
        if (!strncmp(line, wanted, strlen(wanted)))
            sscanf(line, "%*s %llu %llu %llu %llu %llu %llu %llu %llu", v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6, v + 7);
    fclose(file);
    return (double)(v[0] + v[1] + v[2] + v[5] + v[6] + v[7]) / sysconf(_SC_CLK_TCK);   /* all but idle and iowait */
}

long memory_of(int process)
{
    char name[64];
    long pages = 0;
    snprintf(name, sizeof name, "/proc/%d/statm", process);
    FILE *file = fopen(name, "r");
    if (!file) return 0;
    if (fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

void note_latency(uint64_t ns)
{
    uint64_t us = ns / 1000;
    int index = (int)us;
    if (us >= 16) {
        int power = 63 - __builtin_clzll(us);
        index = (power - 3) * 16 + (int)((us >> (power - 4)) & 15);
    }
    slice[index < BUCKETS ? index : BUCKETS - 1]++;
}

void keep_latencies(int clean)
{
    for (int i = 0; i < BUCKETS; i++) {
        kept[0][i] += slice[i];
        if (clean) kept[1][i] += slice[i];
    }
    memset(slice, 0, sizeof slice);
}

double percentile_ms(double p, int clean)
{
    const uint64_t *histogram = kept[!!clean];
    uint64_t total = 0, seen = 0;
    int i = 0;
    for (int j = 0; j < BUCKETS; j++) total += histogram[j];
    if (!total) return 0;
    while (i < BUCKETS - 1 && (seen += histogram[i]) < p * total) i++;
    double us = i < 16 ? i : (double)((uint64_t)(16 + i % 16) << (i / 16 - 1));
    return us / 1000;
}
