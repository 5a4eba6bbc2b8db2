// The limit: what SQLite alone does with the rows that a booking costs.
//
// A bare loop writes exactly what the daemon writes for the same bookings, batch by batch, into a ledger that
// was seeded before, on a connection opened as the daemon's: the same schema, pragmas and checkpoints, rows
// that were decided beforehand, one insert for each, and nothing else: no socket, no decision, no hash, no
// witness. Beside a figure of the daemon it says what there was to reach.
//
// What it leaves is a ledger that verifies, so several runs may follow one another on one copy. Everything
// that fails ends the benchmark with a sentence on standard error.
#ifndef COLOSSUS_BENCH_LIMIT_H
#define COLOSSUS_BENCH_LIMIT_H

#include "base/hour.h"
#include "histogram.h"
#include <stdint.h>

struct limit_result {
    int64_t bookings;              // how many were written
    double bookings_per_second;    // checkpoints included
    struct histogram transactions; // from BEGIN to the end of COMMIT, in nanoseconds; checkpoints are between
};

// Writes bookings in batches of so many for about so many seconds (deciding them and loading the ledger comes
// on top and is not counted). `from` is the hour in which the ledger was made; nobody else has it open.
void limit_bookings(const char *ledger, struct hour from, uint64_t seed, int32_t batch, double seconds,
                    struct limit_result *result);

// What one write of 4 KiB and its fdatasync take in a folder, in nanoseconds: what a commit can't go below.
void limit_sync(const char *folder, struct histogram *syncs);

#endif
