// One life of a world: batches, checkpoints, clean ends and migrations, and among them errors, full disks,
// failed syncs, processes that are killed and cuts of the power, also while it recovers from the one before.
#include "simulate.h"

#include <string.h>

#define STEPS_MIN    6
#define STEPS_MORE   10
#define TRIES_FAULTY 4

struct life {
    struct world world;
    struct tally *tally;
};

static bool one(struct life *life, uint32_t count)
{
    return one_in(&life->world.generator, count);
}

static uint32_t below(struct life *life, uint32_t bound)
{
    return random_below(&life->world.generator, bound);
}

static void clear_faults(struct life *life)
{
    struct medium_faults *faults = medium_faults(life->world.medium);
    bool lies = life->world.options.lies;
    *faults = (struct medium_faults){.lies = lies};
}

// Something goes wrong in one of the next calls, or not.
static void set_fault(struct life *life, uint32_t calls)
{
    clear_faults(life);
    struct medium_faults *faults = medium_faults(life->world.medium);
    switch (below(life, 4)) {
    case 0:
        faults->fail_at = 1 + below(life, calls);
        faults->fail_on = one(life, 2);
        faults->full = one(life, 2);
        break;
    case 1:
        faults->cut_at = 1 + below(life, calls / 3);
        break;
    case 2:
        faults->sync_at = 1 + below(life, 2);
        break;
    default:
        break;
    }
}

// The process has ended, in whatever way: what does the disk have?
static void fall(struct life *life, bool power_goes)
{
    struct medium *medium = life->world.medium;
    world_close(&life->world);
    if (power_goes)
        medium_cut(medium, (enum medium_cut)below(life, CUT_KINDS));
    else
        medium_restart(medium);
    life->tally->cuts += power_goes;
    life->tally->kills += !power_goes;
    clear_faults(life);
}

// Opens until it is open, and compares. The first tries may fall again.
static void rise(struct life *life)
{
    struct world *world = &life->world;
    for (int tries = 0; world->finding == FINDING_NONE; tries++) {
        if (tries < TRIES_FAULTY)
            set_fault(life, 150);
        if (world_open(world)) {
            bool off = medium_faults(world->medium)->off;
            if (!off)
                break;
        } else if (!medium_struck(world->medium)) {
            world_find(world, FINDING_LOST, "the ledger does not open: %s", world->error.message);
            return;
        }
        life->tally->recoveries_cut++;
        fall(life, one(life, 2));
    }
    clear_faults(life);
    if (world->finding == FINDING_NONE)
        world_check(world, one(life, 3));
}

static void fall_and_rise(struct life *life, bool power_goes)
{
    fall(life, power_goes);
    rise(life);
}

static void end_and_start(struct life *life)
{
    life->tally->restarts++;
    if (life->world.options.migrates && one(life, 2)) {
        world_set_version(2);
        life->world.options.migrates = false;
        life->tally->migrations++;
    }
    if (one(life, 2))
        set_fault(life, 60);
    fall_and_rise(life, one(life, 2));
}

static void step(struct life *life)
{
    struct world *world = &life->world;
    if (one(life, 4))
        world_hold(world);
    world_gather(world);
    if (one(life, 2))
        set_fault(life, 150);
    life->tally->batches++;
    bool lives = world_commit(world) == COMMIT_DONE;
    life->tally->errors += !lives;
    if (lives && one(life, 4)) {
        life->tally->checkpoints++;
        lives = world_checkpoint(world);
    }
    if (one(life, 3))
        world_release(world);
    if (!lives || medium_faults(world->medium)->off || one(life, 8))
        fall_and_rise(life, one(life, 2));
    else if (one(life, 8))
        end_and_start(life);
    else
        clear_faults(life);
}

enum finding simulate_seed(const struct world_options *options, struct tally *tally, char text[FINDING_SIZE])
{
    static struct life life;
    life.tally = tally;
    world_begin(&life.world, options);
    struct world *world = &life.world;
    rise(&life);
    uint32_t steps = STEPS_MIN + below(&life, STEPS_MORE);
    for (uint32_t i = 0; i < steps && world->finding == FINDING_NONE; i++)
        step(&life);
    if (world->finding == FINDING_NONE)
        fall_and_rise(&life, true);
    enum finding finding = world->finding;
    memcpy(text, world->finding_text, FINDING_SIZE);
    medium_faults(world->medium)->off = true;
    world_end(world);
    return finding;
}
