#include "peer.h"

#include "broker.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// At first the server has nothing in its memory, each connection has everything to plan, and whole pages go
// to the WAL when they change for the first time: none of it is measured. Neither is the last second, in
// which clients end one after the other.
enum { WARM_UP_SECONDS = 2, LAST_SECONDS = 1 };

// Seeded reservations are of run 1. A report has a line for each second, of at most an hour.
enum { RUN_FIRST = 100, OUTPUT = 4096, REPORT = 512 * 1024, NUMBER = 32 };

// Where the scripts are; the Makefile says it.
#define SCRIPT(name) PEER_FOLDER "/" name

bool peer_find(struct peer *peer, const struct settings *settings)
{
    char folder[PATH_MAX];
    *peer = (struct peer){.seed = settings->seed};
    if (snprintf(folder, PATH_MAX, "%s/pg", settings->folder) >= PATH_MAX)
        bench_fail("%s: the path is too long", settings->folder);
    return cluster_find(&peer->cluster, folder);
}

// With what it may need, each as "name=value".
static void run_script(const struct peer *peer, const char *script, const char *origin, const char *live,
                       const char *seed)
{
    const char *const arguments[] = {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", origin, "-v", live,
                                     "-v", seed, NULL};
    char output[OUTPUT];
    cluster_run(&peer->cluster, "psql", arguments, script, output, sizeof output);
}

void peer_fill(struct peer *peer, struct hour from, int64_t live)
{
    char origin[NUMBER], many[NUMBER], seed[NUMBER];
    int64_t begun = nanoseconds();
    peer->from = from;
    peer->runs = RUN_FIRST;
    cluster_make(&peer->cluster);
    cluster_start(&peer->cluster);
    snprintf(origin, NUMBER, "origin=%lld", (long long)hour_start(from).seconds);
    snprintf(many, NUMBER, "live=%lld", (long long)live);
    snprintf(seed, NUMBER, "seed=%llu", (unsigned long long)peer->seed);
    run_script(peer, SCRIPT("peer.sql"), origin, many, seed);
    run_script(peer, SCRIPT("peer_fill.sql"), origin, many, seed);
    cluster_stop(&peer->cluster);
    peer->live = live;
    fprintf(stderr, "bench: the same in PostgreSQL %s, made in %.1f s\n", peer->cluster.version,
            (double)(nanoseconds() - begun) / 1e9);
}

static int64_t count_reservations(const struct peer *peer)
{
    static const char *const arguments[] = {"-X", "-A", "-t", "-c", "SELECT count(*) FROM reservation", NULL};
    char output[OUTPUT], *end;
    cluster_run(&peer->cluster, "psql", arguments, "/dev/null", output, sizeof output);
    errno = 0;
    long long count = strtoll(output, &end, 10);
    if (end == output || *end != '\n' || errno != 0)
        bench_fail("PostgreSQL does not count its reservations: %s", output);
    return count;
}

// What stands in pgbench's report after a label.
static double reported(const char *report, const char *label)
{
    const char *place = strstr(report, label);
    char *end = NULL;
    double value = place != NULL ? strtod(place + strlen(label), &end) : 0;
    if (place == NULL || end == place + strlen(label) || !(value >= 0))
        bench_fail("pgbench does not report '%s': %s", label, report);
    return value;
}

// pgbench shows its progress every second. The rate is that of the seconds after the first ones.
static void read_progress(const char *report, int seconds, struct peer_result *result)
{
    int number = 0;
    double rates = 0, latencies = 0;
    for (const char *line = strstr(report, "progress: "); line != NULL;
         line = strstr(line + 1, "progress: ")) {
        double at, rate, latency;
        if (sscanf(line, "progress: %lf s, %lf tps, lat %lf ms", &at, &rate, &latency) != 3)
            bench_fail("pgbench's progress is not understood: %.80s", line);
        number++;
        if (number <= WARM_UP_SECONDS || number > WARM_UP_SECONDS + seconds)
            continue;
        rates += rate;
        latencies += rate * latency;
    }
    if (number < WARM_UP_SECONDS + seconds || !(rates > 0))
        bench_fail("pgbench does not show its progress: %s", report);
    *result = (struct peer_result){.per_second = rates / seconds, .milliseconds = latencies / rates};
}

// A refusal is an error, and ends pgbench badly; that every transaction booked is checked by counting.
static void book(struct peer *peer, int clients, int seconds, struct peer_result *result)
{
    static char report[REPORT];
    char count[NUMBER], duration[NUMBER], origin[NUMBER], run[NUMBER], seed[NUMBER];
    const char *const arguments[] = {
        "-M", "prepared", "-n", "-P",   "1",  "-c", count, "-j",       clients > 1 ? "2" : "1",
        "-T", duration,   "-D", origin, "-D", run,  "-D",  "number=0", seed,
        "-f", "-",        NULL};
    snprintf(count, NUMBER, "%d", clients);
    snprintf(duration, NUMBER, "%d", WARM_UP_SECONDS + seconds + LAST_SECONDS);
    snprintf(origin, NUMBER, "origin=%lld", (long long)hour_start(peer->from).seconds);
    snprintf(run, NUMBER, "run=%u", peer->runs++);
    snprintf(seed, NUMBER, "--random-seed=%u", (unsigned)(peer->seed + peer->runs));
    int64_t before = count_reservations(peer);
    cluster_run(&peer->cluster, "pgbench", arguments, SCRIPT("peer.pgbench"), report, sizeof report);
    int64_t booked = count_reservations(peer) - before;
    read_progress(report, seconds, result);
    int64_t transactions = (int64_t)reported(report, "\nnumber of transactions actually processed: ");
    if (transactions != booked)
        bench_fail("PostgreSQL has %lld bookings more after pgbench's %lld transactions", (long long)booked,
                   (long long)transactions);
}

void peer_measure(struct peer *peer, int clients, double seconds, struct peer_result *result)
{
    int rounded_up = (int)seconds + ((int)seconds < seconds ? 1 : 0); // pgbench knows whole seconds
    cluster_start(&peer->cluster);
    book(peer, clients, rounded_up, result);
    cluster_stop(&peer->cluster);
}

void peer_remove(struct peer *peer)
{
    if (peer->live > 0)
        cluster_remove(&peer->cluster);
    peer->live = 0;
}
