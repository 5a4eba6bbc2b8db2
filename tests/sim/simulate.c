// The simulator as a program.
//
//     simulate seeds FIRST COUNT      lives of so many seeds; one that fails is shown with how to see it
//     again simulate fresh COUNT            of seeds that nobody has seen yet simulate cuts SEED COUNT so
//     many cuts of the power, at every change that is made to the disk simulate sweep SEED [ONE_IN]    a life
//     by script, in which the nth call fails, for all n
//
// Prints how much was done and, last, how many passed and failed.
#include "simulate.h"

#include "base/digest.h"
#include "base/log.h"
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Of many cuts it is told how far they are after so many; the next then begin with another world.
#define ROUND 20000

static uint64_t seed_running;
static const char *mode_running; // NULL: nothing runs

// A model that does not agree ends the program, and so does a failed assertion: before it does, how to see it
// again.
static void tell_how_to_repeat(void)
{
    if (mode_running != NULL)
        fprintf(stderr, "repeat it with: make sim %sSEED=%" PRIu64 "\n", mode_running, seed_running);
}

static void died(int number)
{
    tell_how_to_repeat();
    signal(number, SIG_DFL);
    raise(number);
}

static int64_t milliseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int run_seeds(uint64_t first, uint64_t count)
{
    static char text[FINDING_SIZE];
    struct tally tally = {0};
    uint64_t passed = 0, failed = 0;
    int64_t begun = milliseconds();
    mode_running = "";
    for (uint64_t i = 0; i < count; i++) {
        seed_running = first + i;
        struct world_options options = {
            .seed = seed_running, .requests = 4, .migrates = seed_running % 4 == 0};
        if (simulate_seed(&options, &tally, text) == FINDING_NONE) {
            passed++;
            continue;
        }
        failed++;
        fprintf(stderr, "seed %" PRIu64 ": %s\n", seed_running, text);
        tell_how_to_repeat();
    }
    mode_running = NULL;
    printf("%" PRIu64 " seeds from %" PRIu64 ": %" PRId64 " batches, %" PRId64 " of them failed, %" PRId64
           " cuts of the power, %" PRId64 " kills, %" PRId64 " recoveries interrupted, %" PRId64
           " checkpoints, %" PRId64 " migrations, in %" PRId64 " ms\n",
           count, first, tally.batches, tally.errors, tally.cuts, tally.kills, tally.recoveries_cut,
           tally.checkpoints, tally.migrations, milliseconds() - begun);
    printf("%" PRIu64 " passed, %" PRIu64 " failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}

static void show_cuts(const struct cuts *cuts, int64_t took)
{
    static const char *const steps[] = {"opening", "commits", "checkpoints", "closing", "migrations"};
    printf("%" PRId64 " cuts of the power in %" PRId64 " worlds with %" PRId64 " batches (", cuts->done,
           cuts->worlds, cuts->batches_done);
    for (size_t i = 0; i < COUNT_OF(steps); i++)
        printf("%s%s %" PRId64, i == 0 ? "" : ", ", steps[i], cuts->by_step[i]);
    printf("; %" PRId64 " in recoveries) in %" PRId64 " ms, %" PRId64 " a second\n", cuts->nested, took,
           took == 0 ? 0 : cuts->done * 1000 / took);
    fflush(stdout);
}

static int run_cuts(uint64_t seed, uint64_t count)
{
    static char text[FINDING_SIZE];
    struct cuts cuts = {.seed = seed, .batches = 40, .verify_one_in = 40, .nested_one_in = 20};
    int64_t begun = milliseconds();
    seed_running = seed;
    mode_running = "CUTS=20000 ";
    enum finding finding = FINDING_NONE;
    while (cuts.done < (int64_t)count && finding == FINDING_NONE) {
        cuts.most += ROUND;
        if (cuts.most > (int64_t)count)
            cuts.most = (int64_t)count;
        finding = simulate_cuts(&cuts, text);
        show_cuts(&cuts, milliseconds() - begun);
        seed_running = finding == FINDING_NONE ? ++cuts.seed : cuts.seed;
    }
    mode_running = NULL;
    if (finding != FINDING_NONE)
        fprintf(stderr, "seed %" PRIu64 ", cut %" PRId64 ": %s\n", cuts.seed, cuts.done, text);
    printf("%d passed, %d failed\n", finding == FINDING_NONE, finding != FINDING_NONE);
    return finding == FINDING_NONE ? 0 : 1;
}

static int run_sweep(uint64_t seed, int one_in)
{
    static char text[FINDING_SIZE];
    struct sweep sweep = {.seed = seed, .one_in = one_in};
    int64_t begun = milliseconds();
    enum finding finding = simulate_sweep(&sweep, text);
    printf("script of seed %" PRIu64 ": %" PRId64 " calls, made to fail in %" PRId64 " ways, in %" PRId64
           " ms\n",
           sweep.seed, sweep.calls, sweep.points, milliseconds() - begun);
    if (finding != FINDING_NONE)
        fprintf(stderr, "%s\n", text);
    printf("%" PRId64 " passed, %d failed\n", sweep.points, finding != FINDING_NONE);
    return finding == FINDING_NONE ? 0 : 1;
}

static uint64_t number(const char *text)
{
    return strtoull(text, NULL, 10);
}

int main(int argc, char **argv)
{
    if (!digest_initialise())
        return 70;
    log_set_level(LOG_ERROR);
    atexit(tell_how_to_repeat);
    signal(SIGSEGV, died);
    signal(SIGABRT, died);
    if (argc == 4 && strcmp(argv[1], "seeds") == 0)
        return run_seeds(number(argv[2]), number(argv[3]));
    if (argc == 4 && strcmp(argv[1], "cuts") == 0)
        return run_cuts(number(argv[2]), number(argv[3]));
    if ((argc == 3 || argc == 4) && strcmp(argv[1], "sweep") == 0)
        return run_sweep(number(argv[2]), argc == 4 ? atoi(argv[3]) : 1);
    fprintf(stderr, "usage: simulate seeds FIRST COUNT | cuts SEED COUNT | sweep SEED [ONE_IN]\n");
    return 64;
}
