// The limit: what SQLite does with the same rows when nothing else is to be done.
//
// Bookings are decided beforehand on a book that was loaded from a ledger, and their rows are kept in memory,
// batch by batch. Then, timed, a bare loop writes them: into the same schema, with the same pragmas, in
// transactions of the same size, with checkpoints at the same sizes of the WAL, and nothing else: no socket,
// no decision, no hash of what is written (it was reckoned beforehand), no witness, no reply.
//
// There are two such loops. LIMIT_BY_ROW runs a prepared statement for each row, as one would write it;
// LIMIT_BY_TABLE writes all of a batch's rows of one table with one statement, as colossusd does, and is the
// stricter.
//
// What is left is a ledger that verifies, so that nothing was left out, and several measurements may follow
// one another on one copy.
#ifndef COLOSSUS_BENCH_LIMIT_H
#define COLOSSUS_BENCH_LIMIT_H

#include "base/hour.h"
#include "histogram.h"
#include <stdint.h>

enum limit_way { LIMIT_BY_ROW, LIMIT_BY_TABLE };

struct limit_result {
    double bookings_per_second;    // with the checkpoints
    struct histogram transactions; // how long each took, from BEGIN to the end of COMMIT
};

// `ledger` is a copy that may be written to and that nobody has open; `batch` is how many bookings a
// transaction has.
void limit_measure(const char *ledger, struct hour from, enum limit_way way, int64_t batch, double seconds,
                   struct limit_result *result);

#endif
