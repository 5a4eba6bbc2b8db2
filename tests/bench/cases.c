#include "cases.h"

#include "broker.h"
#include "core_figures.h"
#include "disk.h"
#include "figures.h"
#include "limit.h"
#include "select.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// The busiest shape, whose rate is the peak.
enum { PEAK_CONNECTIONS = 64, PEAK_DEPTH = 8 };

// A calendar's reply is large: a busy pool has a step for nearly every hour of the year.
enum { CALENDAR_CONNECTIONS = 16 };

// SQLite alone needs no longer to show what it does; and when only cases that need the peak are wanted, it is
// measured for at most so long.
enum { LIMIT_SECONDS_MOST = 3, PEAK_SECONDS_MOST = 2, SYNC_SECONDS = 1 };

enum { NOTE = 96, IDLE_SECONDS = 3 };

static double at_most(double seconds, double most)
{
    return seconds < most ? seconds : most;
}

// ---- Figures

static void describe(const struct measured *measured, char note[NOTE])
{
    int length = 0;
    if (measured->a_batch > 0)
        length = snprintf(note, NOTE, "%.1f a batch; ", measured->a_batch);
    snprintf(note + length, (size_t)(NOTE - length), "processors: daemon %.2f, load %.2f",
             measured->daemon_processors, measured->load_processors);
}

static void add_rate(const struct stage *stage, const char *name, const struct measured *measured,
                     double limit, double peer)
{
    char note[NOTE];
    describe(measured, note);
    figures_add(&(struct figure){.name = name,
                                 .live = stage->live,
                                 .unit = UNIT_PER_SECOND,
                                 .value = measured->load.per_second,
                                 .limit = limit,
                                 .peer = peer,
                                 .latencies = &measured->load.latencies,
                                 .note = note});
}

static void add_number(const struct stage *stage, const char *name, enum unit unit, double value,
                       const char *note)
{
    figures_add(
        &(struct figure){.name = name, .live = stage->live, .unit = unit, .value = value, .note = note});
}

// ---- The core alone, and a daemon that has nothing to do

static void run_core(struct stage *stage)
{
    core_figures(stage->live, stage->settings->seed);
    load_figure(stage_copy(stage), stage->live);
}

static void run_rest(struct stage *stage)
{
    char note[NOTE];
    double started = stage_open(stage);
    add_number(stage, "start of the daemon until it answers", UNIT_SECONDS, started, NULL);
    int64_t resident = daemon_resident_bytes(&stage->daemon);
    snprintf(note, sizeof note, "%.0f for each live reservation", (double)resident / (double)stage->live);
    add_number(stage, "memory of the daemon", UNIT_BYTES, (double)resident, note);
    sleep(1);
    int64_t sleeps = daemon_sleeps(&stage->daemon);
    sleep(IDLE_SECONDS);
    sleeps = daemon_sleeps(&stage->daemon) - sleeps;
    add_number(stage, "wake-ups of the daemon at rest", UNIT_PER_SECOND, (double)sleeps / IDLE_SECONDS,
               "no timer is due meanwhile");
    stage_close(stage);
}

// ---- Bookings, beside what SQLite alone does

static void add_limit(const struct stage *stage, int64_t batch, const char *statements,
                      const struct limit_result *result)
{
    char note[NOTE];
    snprintf(note, sizeof note, "%lld a transaction, a statement for each %s; latencies of a transaction",
             (long long)batch, statements);
    figures_add(&(struct figure){.name = "  SQLite alone",
                                 .live = stage->live,
                                 .unit = UNIT_PER_SECOND,
                                 .value = result->bookings_per_second,
                                 .latencies = &result->transactions,
                                 .note = note});
}

// PostgreSQL doing the same. No daemon may run. All 0 without it.
static void measure_peer(struct stage *stage, int clients, struct peer_result *result)
{
    *result = (struct peer_result){0};
    if (stage->peer == NULL)
        return;
    if (stage->peer->live == 0)
        peer_fill(stage->peer, stage->from, stage->live);
    peer_measure(stage->peer, clients, stage->settings->seconds, result);
}

static void add_peer(const struct stage *stage, const struct peer_result *result)
{
    char note[NOTE];
    if (stage->peer == NULL)
        return;
    snprintf(note, sizeof note, "one transaction at a time in each connection, %.2f ms on average",
             result->milliseconds);
    add_number(stage, "  PostgreSQL", UNIT_PER_SECOND, result->per_second, note);
}

static void run_bookings(struct stage *stage, const char *name, int connections, int depth)
{
    static struct measured measured;
    static struct limit_result by_row, by_table;
    struct peer_result peer;
    double limit_seconds = at_most(stage->settings->seconds, LIMIT_SECONDS_MOST);
    struct shape shape = {.kind = REQUESTS_BOOKINGS,
                          .connections = connections,
                          .depth = depth,
                          .seconds = stage->settings->seconds};
    stage_open(stage);
    stage_measure(stage, &shape, &measured);
    stage_close(stage);
    if (connections == PEAK_CONNECTIONS && depth == PEAK_DEPTH)
        stage->peak = measured.load.per_second;
    int64_t batch = (int64_t)(measured.a_batch + 0.5);
    batch = batch < 1 ? 1 : batch;
    limit_measure(stage_copy(stage), stage->from, LIMIT_BY_ROW, batch, limit_seconds, &by_row);
    limit_measure(stage_copy(stage), stage->from, LIMIT_BY_TABLE, batch, limit_seconds, &by_table);
    double limit = by_row.bookings_per_second > by_table.bookings_per_second ? by_row.bookings_per_second
                                                                             : by_table.bookings_per_second;
    measure_peer(stage, connections, &peer);
    add_rate(stage, name, &measured, limit, peer.per_second);
    add_limit(stage, batch, "row", &by_row);
    add_limit(stage, batch, "table", &by_table);
    add_peer(stage, &peer);
}

static void run_one(struct stage *stage)
{
    run_bookings(stage, "book, 1 connection", 1, 1);
}

static void run_16(struct stage *stage)
{
    run_bookings(stage, "book, 16 connections", 16, 1);
}

static void run_64(struct stage *stage)
{
    run_bookings(stage, "book, 64 connections", 64, 1);
}

static void run_peak(struct stage *stage)
{
    run_bookings(stage, "book, 64 connections x 8 in flight", PEAK_CONNECTIONS, PEAK_DEPTH);
}

// When the case of the peak was not wanted.
static void find_peak(struct stage *stage)
{
    static struct measured measured;
    struct shape shape = {.kind = REQUESTS_BOOKINGS,
                          .connections = PEAK_CONNECTIONS,
                          .depth = PEAK_DEPTH,
                          .seconds = at_most(stage->settings->seconds, PEAK_SECONDS_MOST)};
    stage_open(stage);
    stage_measure(stage, &shape, &measured);
    stage_close(stage);
    stage->peak = measured.load.per_second;
}

static void run_open_loop(struct stage *stage)
{
    static struct measured measured;
    static struct histogram syncs;
    char note[NOTE];
    if (stage->peak <= 0)
        find_peak(stage);
    struct shape shape = {.kind = REQUESTS_BOOKINGS,
                          .connections = PEAK_CONNECTIONS,
                          .rate = stage->peak / 2,
                          .seconds = stage->settings->seconds};
    stage_open(stage);
    stage_measure(stage, &shape, &measured);
    stage_close(stage);
    syncs = (struct histogram){0};
    disk_measure_syncs(stage->settings->folder, SYNC_SECONDS, &syncs);
    snprintf(note, sizeof note, "p99, which is %.1f times the median of a sync",
             (double)histogram_percentile(&measured.load.latencies, 990) /
                 (double)histogram_percentile(&syncs, 500));
    figures_add(&(struct figure){.name = "book, open loop at half of the peak",
                                 .live = stage->live,
                                 .unit = UNIT_MICROSECONDS,
                                 .value = (double)histogram_percentile(&measured.load.latencies, 990) / 1000,
                                 .latencies = &measured.load.latencies,
                                 .note = note});
    describe(&measured, note);
    add_number(stage, "  its rate", UNIT_PER_SECOND, measured.load.per_second, note);
    figures_add(&(struct figure){.name = "  a sync of 4 KiB",
                                 .live = stage->live,
                                 .unit = UNIT_MICROSECONDS,
                                 .value = (double)histogram_percentile(&syncs, 500) / 1000,
                                 .latencies = &syncs,
                                 .note = "median"});
}

// ---- Other requests

static void run_requests(struct stage *stage, const char *name, enum requests_kind kind, int connections,
                         int depth)
{
    static struct measured measured;
    struct shape shape = {
        .kind = kind, .connections = connections, .depth = depth, .seconds = stage->settings->seconds};
    stage_measure(stage, &shape, &measured);
    add_rate(stage, name, &measured, 0, 0);
}

static void run_mix(struct stage *stage)
{
    stage_open(stage);
    run_requests(stage, "mix, 64 connections x 8 in flight", REQUESTS_MIX, PEAK_CONNECTIONS, PEAK_DEPTH);
    stage_close(stage);
}

static void run_reads(struct stage *stage)
{
    stage_open(stage);
    run_requests(stage, "refuse with next_start, 64 connections x 8", REQUESTS_REFUSED, PEAK_CONNECTIONS,
                 PEAK_DEPTH);
    run_requests(stage, "commitment.status, 64 connections x 8", REQUESTS_COMMITMENT, PEAK_CONNECTIONS,
                 PEAK_DEPTH);
    run_requests(stage, "calendar of a year, 16 connections", REQUESTS_CALENDAR, CALENDAR_CONNECTIONS, 1);
    stage_close(stage);
}

// ---- A long SELECT during load

struct wal_watch {
    const struct daemon *daemon;
    int64_t last, most;
};

static void watch_wal(void *context)
{
    struct wal_watch *watch = context;
    watch->last = daemon_wal_bytes(watch->daemon);
    watch->most = watch->last > watch->most ? watch->last : watch->most;
}

static void load_and_watch(struct stage *stage, struct measured *measured, struct wal_watch *watch)
{
    *watch = (struct wal_watch){.daemon = &stage->daemon};
    struct shape shape = {.kind = REQUESTS_BOOKINGS,
                          .connections = PEAK_CONNECTIONS,
                          .depth = PEAK_DEPTH,
                          .seconds = stage->settings->seconds,
                          .watch = watch_wal,
                          .context = watch};
    stage_measure(stage, &shape, measured);
}

static void run_select(struct stage *stage)
{
    static struct measured before, during, after;
    struct wal_watch wal_before, wal_during, wal_after;
    struct select_reader reader;
    char note[NOTE];
    stage_open(stage);
    load_and_watch(stage, &before, &wal_before);
    int64_t begun = nanoseconds();
    select_start(&reader, stage->daemon.ledger);
    load_and_watch(stage, &during, &wal_during);
    double processors = select_stop(&reader) / ((double)(nanoseconds() - begun) / 1e9);
    load_and_watch(stage, &after, &wal_after);
    stage_close(stage);
    add_rate(stage, "book 64 x 8, before a long SELECT", &before, 0, 0);
    add_rate(stage, "book 64 x 8, beside a long SELECT", &during, 0, 0);
    add_rate(stage, "book 64 x 8, after it", &after, 0, 0);
    snprintf(note, sizeof note, "of %ld", sysconf(_SC_NPROCESSORS_ONLN));
    add_number(stage, "  processors that the SELECT had", UNIT_NUMBER, processors, note);
    add_number(stage, "  WAL at most, before it", UNIT_BYTES, (double)wal_before.most, NULL);
    add_number(stage, "  WAL at most, beside it", UNIT_BYTES, (double)wal_during.most, NULL);
    add_number(stage, "  WAL in the end, after it", UNIT_BYTES, (double)wal_after.last, NULL);
}

void cases_run(struct stage *stage)
{
    static const struct {
        const char *name;
        void (*run)(struct stage *stage);
    } cases[] = {
        {"core", run_core},   {"rest", run_rest},      {"book-1", run_one},          {"book-16", run_16},
        {"book-64", run_64},  {"book-64x8", run_peak}, {"open-loop", run_open_loop}, {"mix", run_mix},
        {"reads", run_reads}, {"select", run_select},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (settings_wants(stage->settings, cases[i].name))
            cases[i].run(stage);
}
