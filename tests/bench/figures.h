// What was measured, and the one table that shows it.
//
// A figure is a value with its unit. Beside it stand, when they were measured in the same run, the limit
// (what SQLite alone does with the same rows) and the peer (PostgreSQL doing the same job), each with the
// ratio: how many times as good the figure is.
#ifndef COLOSSUS_BENCH_FIGURES_H
#define COLOSSUS_BENCH_FIGURES_H

#include "histogram.h"
#include <stdint.h>

enum unit { UNIT_PER_SECOND, UNIT_MICROSECONDS, UNIT_SECONDS, UNIT_BYTES, UNIT_NUMBER };

struct figure {
    const char *name;
    int64_t live; // reservations in the book
    enum unit unit;
    double value;
    double limit;                      // in the same unit; 0: not measured
    double peer;                       // the same
    const struct histogram *latencies; // NULL: none
    const char *note;                  // NULL: none
};

// Keeps the figure and shows it on standard error as progress.
void figures_add(const struct figure *figure);

// The table, as Markdown on standard output.
void figures_print(void);

#endif
