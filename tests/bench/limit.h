// The limit: what SQLite does with the same rows when nothing else is to be done.
//
// A book is loaded from a ledger, bookings are decided and applied, and their rows are kept in memory, batch
// by batch. Then, timed, a bare loop writes them: into the same schema, with the same pragmas, in
// transactions of the same size, with checkpoints at the same sizes of the WAL, and nothing else: no socket,
// no decision, no hash of what is written (32 bytes of zeros stand for it), no witness, no reply.
//
// There are two such loops. LIMIT_BY_ROW runs a prepared statement for each row, as one would write it;
// LIMIT_BY_TABLE writes all of a batch's rows of one table with one statement, as colossusd does, and is the
// stricter.
#ifndef COLOSSUS_BENCH_LIMIT_H
#define COLOSSUS_BENCH_LIMIT_H

#include "base/hour.h"
#include "histogram.h"
#include <stdint.h>

enum limit_way { LIMIT_BY_ROW, LIMIT_BY_TABLE };

struct limit_result {
    double bookings_per_second;
    struct histogram transactions; // how long each took
};

// `ledger` is a copy that may be written to; `batch` is how many bookings a transaction has.
void limit_measure(const char *ledger, struct hour from, enum limit_way way, int64_t batch, double seconds,
                   struct limit_result *result);

#endif
