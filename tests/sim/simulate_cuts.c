// The power goes at every change that is made to the disk.
//
// Before each write, sync, truncation, removal and making of a file the disk is copied, which costs little as
// its blocks are shared. When the ledger's function has returned, each copy loses its power, in a way of its
// own: it is then what a daemon would find that starts after a cut in that moment. It is opened, loaded and
// compared, and of some of these recoveries the changes are cut in turn, and of some of those again.
#include "simulate.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 3

// Of so many changes in a recovery one is cut.
#define NESTED_CHANGES 6

// Of so many times the process is killed first, maybe after a sync that failed, and the power goes only when
// it has recovered: what it found then must still be there.
#define KILLS 8

// A disk as it was before a change, and what must be on it.
struct snapshot {
    struct medium *medium;
    int64_t least;
    int depth;
};

struct run {
    struct world world;
    struct cuts *cuts;
    struct generator generator; // of the cuts: what is cut has no effect on what is asked
    struct snapshot *snapshots;
    size_t count, capacity;
    int64_t least; // of the disk that is observed
    int depth;
    enum step { STEP_OPEN, STEP_COMMIT, STEP_CHECKPOINT, STEP_CLOSE, STEP_MIGRATE } step;
};

static void observe(void *context, struct medium *medium, bool changes)
{
    struct run *run = context;
    if (!changes || (run->depth > 0 && !one_in(&run->generator, NESTED_CHANGES)))
        return;
    run->snapshots = memory_grow(run->snapshots, run->count, &run->capacity, sizeof *run->snapshots);
    uint64_t random = random_below(&run->generator, UINT32_MAX);
    run->snapshots[run->count++] =
        (struct snapshot){.medium = medium_copy(medium, random), .least = run->least, .depth = run->depth};
}

static void watch(struct run *run, struct medium *medium, int64_t least, int depth)
{
    struct medium_faults *faults = medium_faults(medium);
    faults->observer = observe;
    faults->context = run;
    run->least = least;
    run->depth = depth;
}

static bool one(struct run *run, int count)
{
    return one_in(&run->generator, (uint32_t)count);
}

static bool goes_on(const struct run *run)
{
    return run->world.finding == FINDING_NONE && run->cuts->done < run->cuts->most;
}

// A ledger that is found must be there ever after: the recovered one is cut once more, with all that was not
// synced lost.
static void cut_again(struct run *run, struct medium *medium, int64_t least)
{
    int64_t batch;
    bool failed;
    medium_cut(medium, CUT_LOSES);
    world_probe(&run->world, medium, least, false, &batch, &failed);
    run->cuts->done++;
}

// A recovery within a recovery is rarer, and so is one of a ledger that is only being made, which takes a
// hundred changes: else there would be ever more of them.
static bool goes_deeper(struct run *run, const struct snapshot *snapshot)
{
    int count = run->cuts->nested_one_in * (snapshot->depth + 1) * (snapshot->least == 0 ? 10 : 1);
    return snapshot->depth < DEPTH_MAX && one(run, count);
}

static void cut(struct run *run, const struct snapshot *snapshot)
{
    struct cuts *cuts = run->cuts;
    struct medium *medium = snapshot->medium;
    int64_t batch;
    bool failed;
    bool only_killed = one(run, KILLS);
    if (!only_killed)
        medium_cut(medium, (enum medium_cut)random_below(&run->generator, CUT_KINDS));
    else if (one(run, 2))
        medium_give_up(medium);
    if (only_killed)
        medium_restart(medium);
    if (goes_deeper(run, snapshot))
        watch(run, medium, snapshot->least, snapshot->depth + 1);
    world_probe(&run->world, medium, snapshot->least, one(run, cuts->verify_one_in), &batch, &failed);
    medium_faults(medium)->observer = NULL;
    cuts->done += !only_killed;
    cuts->nested += snapshot->depth > 0;
    cuts->by_step[run->step]++;
    if (goes_on(run) && (only_killed || one(run, cuts->nested_one_in)))
        cut_again(run, medium, batch);
}

// Cuts all disks that were copied, also those that are copied meanwhile.
static void cut_all(struct run *run, enum step step)
{
    run->step = step;
    medium_faults(run->world.medium)->observer = NULL;
    while (run->count > 0) {
        struct snapshot snapshot = run->snapshots[--run->count];
        if (goes_on(run))
            cut(run, &snapshot);
        medium_free(snapshot.medium);
    }
    medium_mount(run->world.medium);
}

static void open_world(struct run *run, enum step step)
{
    struct world *world = &run->world;
    watch(run, world->medium, world->acknowledged, 0);
    if (!world_open(world))
        world_find(world, FINDING_LOST, "the ledger does not open: %s", world->error.message);
    cut_all(run, step);
}

static void restart(struct run *run, bool migrates)
{
    struct world *world = &run->world;
    watch(run, world->medium, world->acknowledged, 0);
    world_close(world);
    cut_all(run, STEP_CLOSE);
    if (migrates)
        world_set_version(2);
    if (one(run, 2))
        medium_cut(world->medium, (enum medium_cut)random_below(&run->generator, CUT_KINDS));
    open_world(run, migrates ? STEP_MIGRATE : STEP_OPEN);
    if (world->finding == FINDING_NONE)
        world_check(world, true);
}

static void commit(struct run *run)
{
    struct world *world = &run->world;
    int64_t before = world->acknowledged;
    world_gather(world);
    watch(run, world->medium, before, 0);
    if (world_commit(world) != COMMIT_DONE)
        world_find(world, FINDING_WRONG, "a commit failed without a fault: %s", world->error.message);
    cut_all(run, STEP_COMMIT);
    run->cuts->batches_done++;
}

static void checkpoint(struct run *run)
{
    struct world *world = &run->world;
    watch(run, world->medium, world->acknowledged, 0);
    if (!world_checkpoint(world))
        world_find(world, FINDING_WRONG, "a checkpoint failed without a fault: %s", world->error.message);
    cut_all(run, STEP_CHECKPOINT);
}

static void live(struct run *run)
{
    int batches = run->cuts->batches, migration = batches / 2;
    open_world(run, STEP_OPEN);
    for (int i = 0; i < batches && goes_on(run); i++) {
        if (one(run, 6))
            world_hold(&run->world);
        commit(run);
        if (goes_on(run) && one(run, 5))
            checkpoint(run);
        if (one(run, 3))
            world_release(&run->world);
        if (goes_on(run) && (one(run, 10) || i == migration))
            restart(run, i == migration);
    }
}

enum finding simulate_cuts(struct cuts *cuts, char text[FINDING_SIZE])
{
    static struct run run;
    enum finding finding = FINDING_NONE;
    for (uint64_t seed = cuts->seed; cuts->done < cuts->most && finding == FINDING_NONE; seed++) {
        run = (struct run){.cuts = cuts, .generator = {.random = ~seed}};
        struct world_options options = {.seed = seed, .requests = 4, .migrates = true};
        world_begin(&run.world, &options);
        live(&run);
        finding = run.world.finding;
        memcpy(text, run.world.finding_text, FINDING_SIZE);
        free(run.snapshots);
        world_end(&run.world);
        cuts->worlds++;
        cuts->seed = seed;
    }
    return finding;
}
