// A book, with or without a ledger behind it, used without a daemon: decide, apply, gather, commit.
//
// What the benchmark's figures of the core, of the limit and the seeded ledgers have in common. Everything
// that fails ends the benchmark with a sentence on standard error.
#ifndef COLOSSUS_BENCH_BROKER_H
#define COLOSSUS_BENCH_BROKER_H

#include "base/arena.h"
#include "core/book.h"
#include "ledger/ledger.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct broker {
    struct ledger *ledger; // NULL without one
    struct book *book;
    struct instant now;
    struct arena arena; // of what was decided and not yet committed
    struct row *rows;
    size_t row_count, row_capacity;
    int64_t last_batch;
};

// path is NULL for a book in memory alone. A ledger that is there is loaded.
void broker_open(struct broker *broker, const char *path, struct hour from);
void broker_close(struct broker *broker);

// Decides as an operator; what is done is applied, and its rows are gathered.
void broker_decide(struct broker *broker, const struct request *request, struct decision *decision);

// Ends the batch: adds the rows of the accounts that changed.
void broker_end_batch(struct broker *broker);

// Forgets the gathered rows, after committing them to the ledger when there is one.
void broker_commit(struct broker *broker);

// Ends the benchmark.
void bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

// Of CLOCK_MONOTONIC.
int64_t nanoseconds(void);

#endif
