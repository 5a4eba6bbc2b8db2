#include "stage.h"

#include "broker.h"
#include "scenario.h"
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

// Requests are sent again and again, each time with another number: so many are different.
enum { PREPARED = 65536, TARGETS_READ = 1000, RUN_FIRST = 100 };

static void folder_of(const struct stage *stage, const char *name, char folder[PATH_MAX])
{
    if (snprintf(folder, PATH_MAX, "%s/%s", stage->settings->folder, name) >= PATH_MAX)
        bench_fail("%s: the path is too long", stage->settings->folder);
}

void stage_make(struct stage *stage, const struct settings *settings, struct peer *peer, int64_t live)
{
    *stage = (struct stage){.settings = settings, .live = live, .runs = RUN_FIRST, .peer = peer};
    stage->from = hour_of_instant((struct instant){(int64_t)time(NULL)});
    folder_of(stage, "seeded", stage->seeded);
    if (snprintf(stage->ledger, PATH_MAX, "%s/ledger.db", stage->seeded) >= PATH_MAX)
        bench_fail("%s: the path is too long", stage->seeded);
    folder_remove(stage->seeded);
    folder_make(stage->seeded);
    int64_t begun = nanoseconds();
    scenario_ledger(stage->ledger, stage->from, live, settings->seed);
    fprintf(stderr, "bench: a ledger with %lld live reservations, made in %.1f s\n", (long long)live,
            (double)(nanoseconds() - begun) / 1e9);
}

double stage_open(struct stage *stage)
{
    char folder[PATH_MAX];
    folder_of(stage, "daemon", folder);
    daemon_prepare(&stage->daemon, folder, stage->ledger);
    return daemon_start(&stage->daemon, stage->settings->program);
}

void stage_close(struct stage *stage)
{
    daemon_stop(&stage->daemon);
}

const char *stage_copy(struct stage *stage)
{
    char folder[PATH_MAX];
    folder_of(stage, "daemon", folder);
    daemon_prepare(&stage->daemon, folder, stage->ledger);
    return stage->daemon.ledger;
}

void stage_remove(struct stage *stage)
{
    char folder[PATH_MAX];
    folder_of(stage, "daemon", folder);
    folder_remove(folder);
    folder_remove(stage->seeded);
    if (stage->peer != NULL)
        peer_remove(stage->peer);
}

// Of a ledger whose daemon has nothing to do.
static int64_t last_batch(const char *ledger)
{
    sqlite3 *database;
    sqlite3_stmt *statement;
    if (sqlite3_open_v2(ledger, &database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(database, "SELECT max(seq) FROM batch", -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        bench_fail("%s: %s", ledger, sqlite3_errmsg(database));
    int64_t last = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return last;
}

void stage_measure(struct stage *stage, const struct shape *shape, struct measured *measured)
{
    static struct targets targets;
    struct requests requests;
    struct load load = {.socket = stage->daemon.socket,
                        .connections = shape->connections,
                        .depth = shape->depth,
                        .rate = shape->rate,
                        .seconds = shape->seconds,
                        .requests = &requests,
                        .watch = shape->watch,
                        .context = shape->context};
    requests_make(&requests, shape->kind, PREPARED, stage->from, stage->runs++, stage->settings->seed);
    if (shape->kind == REQUESTS_MIX) {
        targets = (struct targets){0};
        targets_read(&targets, stage->daemon.ledger, TARGETS_READ);
        load.targets = &targets;
    }
    int64_t before = last_batch(stage->daemon.ledger), begun = nanoseconds();
    double used = daemon_processor_seconds(&stage->daemon);
    load_run(&load, &measured->load);
    double seconds = (double)(nanoseconds() - begun) / 1e9;
    int64_t batches = last_batch(stage->daemon.ledger) - before;
    measured->daemon_processors = (daemon_processor_seconds(&stage->daemon) - used) / seconds;
    measured->load_processors = measured->load.processor_seconds / seconds;
    measured->a_batch = batches == 0 ? 0 : (double)measured->load.answered / (double)batches;
    requests_free(&requests);
}
