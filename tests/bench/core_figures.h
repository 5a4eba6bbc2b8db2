// Figures of the core alone: no socket, no ledger, one thread.
#ifndef COLOSSUS_BENCH_CORE_FIGURES_H
#define COLOSSUS_BENCH_CORE_FIGURES_H

#include <stdint.h>

// Of a book with so many live reservations: how long a booking takes to decide and to apply, and a refusal
// with next_start to decide; how long offers from all the large pools, and near misses, take to find; and the
// memory it takes, with what a live reservation has of it where they are many.
void core_figures(int64_t live, uint64_t seed);

// How long it takes to open a ledger and load the book from it.
void load_figure(const char *ledger, int64_t live);

#endif
