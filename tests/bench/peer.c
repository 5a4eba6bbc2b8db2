#include "peer.h"

#include "broker.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// After its start the server has nothing in its memory, and writes whole pages to the WAL when they change
// for the first time: that is over when it is measured. Seeded reservations are of run 1.
enum { WARM_UP_SECONDS = 2, RUN_FIRST = 100, OUTPUT = 4096, NUMBER = 32 };

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

// A script without arguments or with some, as "name=value".
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

// A refusal is an error, and ends pgbench badly; that every transaction booked is checked by counting.
static void book(struct peer *peer, int clients, int seconds, struct peer_result *result)
{
    char count[NUMBER], duration[NUMBER], origin[NUMBER], run[NUMBER], seed[NUMBER], report[OUTPUT];
    const char *const arguments[] = {
        "-M",       "prepared", "-n", "-c",   count, "-j", clients > 1 ? "2" : "1",
        "-T",       duration,   "-D", origin, "-D",  run,  "-D",
        "number=0", seed,       "-f", "-",    NULL};
    snprintf(count, NUMBER, "%d", clients);
    snprintf(duration, NUMBER, "%d", seconds);
    snprintf(origin, NUMBER, "origin=%lld", (long long)hour_start(peer->from).seconds);
    snprintf(run, NUMBER, "run=%u", peer->runs++);
    snprintf(seed, NUMBER, "--random-seed=%u", (unsigned)(peer->seed + peer->runs));
    int64_t before = count_reservations(peer);
    cluster_run(&peer->cluster, "pgbench", arguments, SCRIPT("peer.pgbench"), report, sizeof report);
    int64_t booked = count_reservations(peer) - before;
    *result = (struct peer_result){.per_second = reported(report, "\ntps = "),
                                   .milliseconds = reported(report, "\nlatency average = "),
                                   .bookings = booked};
    double transactions = reported(report, "\nnumber of transactions actually processed: ");
    if (booked == 0 || (int64_t)transactions != booked)
        bench_fail("PostgreSQL has %lld bookings more after pgbench's %.0f transactions", (long long)booked,
                   transactions);
}

void peer_measure(struct peer *peer, int clients, double seconds, struct peer_result *result)
{
    int rounded_up = (int)seconds + ((int)seconds < seconds ? 1 : 0); // pgbench knows whole seconds
    cluster_start(&peer->cluster);
    book(peer, clients, WARM_UP_SECONDS, result);
    book(peer, clients, rounded_up, result);
    cluster_stop(&peer->cluster);
}

void peer_remove(struct peer *peer)
{
    if (peer->live > 0)
        cluster_remove(&peer->cluster);
    peer->live = 0;
}
