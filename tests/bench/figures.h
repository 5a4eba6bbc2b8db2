// What was measured, and the one table that shows it.
//
// A figure is a value with its unit; beside it stand, when they were measured in the same run, the limit
// (what SQLite alone does with the same rows) and the peer (PostgreSQL doing the same job), with the ratio to
// each.
#ifndef COLOSSUS_BENCH_FIGURES_H
#define COLOSSUS_BENCH_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

// Latencies in nanoseconds, 0 when not measured.
struct latencies {
    int64_t p50, p99, p999;
};

struct figure {
    const char *name; // "book, 64 connections x 8"
    int64_t live;     // live reservations
    const char *unit; // "/s", "us", "ms", "s", "bytes"
    double value;     // what colossusd does
    double limit;     // 0: not measured
    double peer;      // 0: not measured
    const char *note; // what the limit is, or what the value means, in a few words; may be NULL
    struct latencies latencies;
};

// Keeps a figure, its texts copied; a line of it is printed to standard error as progress.
void figures_add(const struct figure *figure);
// The table, on standard output.
void figures_print(void);

#endif
