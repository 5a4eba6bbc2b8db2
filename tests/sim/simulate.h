// What the simulator does with a world: lets it live through faults and cuts of the power, and counts.
//
//     simulate_seed    one life: faults and cuts at random, and all is checked after each of them
//     simulate_cuts    a disk is cut at every change that is made to it, again and again
//     simulate_sweep   a life by script: the nth call fails, for all n
//
// All three give the kind of what they found, and write a sentence of it.
#ifndef COLOSSUS_TESTS_SIM_SIMULATE_H
#define COLOSSUS_TESTS_SIM_SIMULATE_H

#include "world.h"

#define FINDING_SIZE sizeof(((struct world *)0)->finding_text)

struct tally {
    int64_t batches, requests, cuts, errors, kills, restarts, migrations, checkpoints, recoveries_cut;
};

enum finding simulate_seed(const struct world_options *options, struct tally *tally, char text[FINDING_SIZE]);

struct cuts {
    uint64_t seed;
    int64_t most;       // ends after so many cuts
    int batches;        // of one world, before the next begins
    int verify_one_in;  // how many of the disks are verified whole
    int nested_one_in;  // of how many recoveries the changes are cut too
    int64_t done;       // cuts made
    int64_t nested;     // of these: in a recovery, or in one within it
    int64_t by_step[8]; // of these: in opening, gathering, and so on, see simulate_cuts.c
    int64_t worlds, batches_done;
};

enum finding simulate_cuts(struct cuts *cuts, char text[FINDING_SIZE]);

struct sweep {
    uint64_t seed;
    int one_in;     // of so many calls one is made to fail: 1 for all
    int64_t calls;  // in the script
    int64_t points; // calls that were made to fail, once for each way
};

enum finding simulate_sweep(struct sweep *sweep, char text[FINDING_SIZE]);

#endif
