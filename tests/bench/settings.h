// What the benchmark is told through the environment.
//
//     BENCH_SIZES    live reservations, with commas between; default 1000,100000,1000000
//     BENCH_SECONDS  of each case; default 5
//     BENCH_CASES    only cases with this in their name
//     BENCH_PG       1: measure PostgreSQL too, when it is installed
//     BENCH_DIR      a folder on a real disk; default build/bench
//     BENCH_SEED     of all that is random; default 1
//     BUILD_DIR      where the daemon was built; default build
#ifndef COLOSSUS_BENCH_SETTINGS_H
#define COLOSSUS_BENCH_SETTINGS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIZES_MOST = 16 };

struct settings {
    int64_t sizes[SIZES_MOST];
    size_t size_count;
    double seconds;
    const char *only; // NULL: every case
    bool with_peer;
    char folder[PATH_MAX];
    char program[PATH_MAX];
    uint64_t seed;
};

void settings_read(struct settings *settings);

// Is a case of that name to be measured?
bool settings_wants(const struct settings *settings, const char *name);

#endif
