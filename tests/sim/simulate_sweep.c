// The nth call fails, for all n: a life by script (a ledger is made, bookings, cancellations, the close of a
// period, checkpoints with and without a reader, a migration, a clean end), in which every call to the disk
// is made to fail in turn, once and from then on.
//
// At each call a copy of the process is made, in which it fails; there the ledger must come back when the
// disk does, with all that was acknowledged, and take another batch. The first process goes on as if nothing
// had been, so that the script is run only once.
#include "simulate.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCHES     10
#define MIGRATION   7
#define TRIES       3 // to open while it goes on failing
#define SEEDS_TRIED 200

enum way { WAY_ONCE, WAY_FROM_THEN_ON, WAY_FULL_ONCE, WAY_FULL_FROM_THEN_ON, WAY_COUNT };

struct run {
    struct world world;
    struct sweep *sweep;
    bool is_copy; // the process in which a call fails
    char *text;
    enum finding finding; // of a copy
};

static void fail_here(struct medium_faults *faults, enum way way)
{
    faults->observer = NULL;
    faults->fail_at = faults->calls;
    faults->fail_on = way == WAY_FROM_THEN_ON || way == WAY_FULL_FROM_THEN_ON;
    faults->full = way >= WAY_FULL_ONCE;
}

// What a copy of the process finds comes back through a pipe.
static void hear(struct run *run, int descriptor, pid_t copy, int64_t call, enum way way)
{
    char text[FINDING_SIZE] = {0};
    int status = 0;
    ssize_t length = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    if (waitpid(copy, &status, 0) != copy || status == 0)
        return;
    run->finding = FINDING_WRONG;
    snprintf(run->text, FINDING_SIZE, "call %lld fails in way %d: %.*s", (long long)call, (int)way,
             (int)(FINDING_SIZE - 80), length > 0 ? text : "the process died");
}

static int tell_descriptor;

static void observe(void *context, struct medium *medium, bool changes)
{
    struct run *run = context;
    struct medium_faults *faults = medium_faults(medium);
    if (++run->sweep->calls % run->sweep->one_in != 0 || run->finding != FINDING_NONE)
        return;
    for (enum way way = WAY_ONCE; way < (changes ? WAY_COUNT : WAY_FULL_ONCE); way++) {
        int ends[2];
        pid_t copy = -1;
        fflush(NULL);
        if (pipe(ends) != 0 || (copy = fork()) < 0)
            abort();
        if (copy == 0) {
            close(ends[0]);
            tell_descriptor = ends[1];
            run->is_copy = true;
            fail_here(faults, way);
            return;
        }
        close(ends[1]);
        run->sweep->points++;
        hear(run, ends[0], copy, run->sweep->calls, way);
    }
}

static _Noreturn void end_copy(struct run *run)
{
    struct world *world = &run->world;
    if (world->finding != FINDING_NONE &&
        write(tell_descriptor, world->finding_text, strlen(world->finding_text)) < 0)
        _exit(2);
    _exit(world->finding == FINDING_NONE ? 0 : 1);
}

static void open_again(struct run *run)
{
    struct world *world = &run->world;
    if (!world_open(world))
        world_find(world, FINDING_LOST, "the ledger does not open: %s", world->error.message);
    else
        world_check(world, true);
}

// After the failure: the disk comes back, and with it the ledger.
static void come_back(struct run *run)
{
    struct world *world = &run->world;
    struct medium_faults *faults = medium_faults(world->medium);
    bool power_goes = one_in(&world->generator, 2);
    world_close(world);
    for (int i = 0; i < TRIES; i++)
        if (world_open(world))
            world_close(world);
    *faults = (struct medium_faults){0};
    if (power_goes)
        medium_cut(world->medium, (enum medium_cut)random_below(&world->generator, CUT_KINDS));
    else
        medium_restart(world->medium);
    open_again(run);
    if (world->finding == FINDING_NONE) {
        world_gather(world);
        if (world_commit(world) != COMMIT_DONE)
            world_find(world, FINDING_WRONG, "no batch can be written: %s", world->error.message);
    }
    if (world->finding == FINDING_NONE) {
        world_close(world);
        medium_cut(world->medium, CUT_LOSES);
        open_again(run);
    }
    end_copy(run);
}

// A step of the script that fails is one of a copy.
static void must(struct run *run, bool done)
{
    if (done)
        return;
    if (run->is_copy)
        come_back(run);
    world_find(&run->world, FINDING_WRONG, "the script fails by itself: %s", run->world.error.message);
}

// The rest of the script in a copy whose failure was borne: only that it goes on matters there.
static void live(struct run *run)
{
    struct world *world = &run->world;
    must(run, world_open(world));
    for (int i = 0; i < BATCHES && world->finding == FINDING_NONE && run->finding == FINDING_NONE; i++) {
        if (i == 4)
            world_hold(world);
        world_gather(world);
        must(run, world_commit(world) == COMMIT_DONE);
        if (i % 3 == 2)
            must(run, world_checkpoint(world));
        if (i == 5)
            world_release(world);
        if (i == MIGRATION) {
            world_close(world);
            world_set_version(2);
            must(run, world_open(world));
        }
    }
    if (run->is_copy)
        come_back(run);
}

static bool happened(struct world *world, const char *type)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    bool found = sqlite3_open_v2(WORLD_LEDGER, &database, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
                 sqlite3_prepare_v2(database, "SELECT 1 FROM event WHERE type = ?1", -1, &statement, NULL) ==
                     SQLITE_OK &&
                 sqlite3_bind_text(statement, 1, type, -1, SQLITE_STATIC) == SQLITE_OK &&
                 sqlite3_step(statement) == SQLITE_ROW;
    (void)world;
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return found;
}

static bool has_all(struct world *world)
{
    return happened(world, "reservation.booked") && happened(world, "reservation.cancelled") &&
           happened(world, "period.closed");
}

static bool run_script(struct run *run, uint64_t seed, bool observed)
{
    struct world_options options = {.seed = seed, .requests = 4, .migrates = true};
    world_begin(&run->world, &options);
    struct medium_faults *faults = medium_faults(run->world.medium);
    if (observed) {
        faults->observer = observe;
        faults->context = run;
    }
    live(run);
    faults->observer = NULL;
    bool complete = run->world.finding == FINDING_NONE && has_all(&run->world);
    if (run->world.finding != FINDING_NONE) {
        run->finding = run->world.finding;
        memcpy(run->text, run->world.finding_text, FINDING_SIZE);
    }
    world_end(&run->world);
    return complete;
}

enum finding simulate_sweep(struct sweep *sweep, char text[FINDING_SIZE])
{
    static struct run run;
    run = (struct run){.sweep = sweep, .text = text};
    // The first seed from the given one on with which all happens that the script is to have.
    uint64_t last = sweep->seed + SEEDS_TRIED;
    while (sweep->seed < last && run.finding == FINDING_NONE && !run_script(&run, sweep->seed, false))
        sweep->seed++;
    if (run.finding == FINDING_NONE && sweep->seed < last)
        run_script(&run, sweep->seed, true);
    if (sweep->points == 0 && run.finding == FINDING_NONE) {
        snprintf(text, FINDING_SIZE, "no seed has all that the script is to have");
        return FINDING_WRONG;
    }
    return run.finding;
}
