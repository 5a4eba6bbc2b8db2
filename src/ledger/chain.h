// The chain: each batch's hash is SHA-256 over the hash of the batch before, the batch's own line and its
// insert-only rows, so that nothing that happened can be changed, left out or put in without it being seen.
//
// The rows go in by table (events, transfers, capacity changes, rates, contract terms, prices and pools,
// client references) and within a table in the order in which they were written. Numbers go in by groups of
// seven bits, so that each says where it ends, and texts after their length, so that no two different batches
// give the same bytes. The writer reckons the hash from the rows it is about to write, the check from the
// rows it finds, both through chain_add.
#ifndef COLOSSUS_LEDGER_CHAIN_H
#define COLOSSUS_LEDGER_CHAIN_H

#include "base/digest.h"
#include "ledger/connection.h"
#include "ledger/ledger.h"

// What goes before the first batch.
#define CHAIN_ORIGIN ((struct digest){{0}})

// A line of the table batch.
struct chain_link {
    int64_t seq, epoch;
    struct instant at;
    const char *writer; // from a statement: valid until its next step
    struct digest hash;
};

// Reads the link that a statement of load_last_batch or chain_batches stands on. False when it holds what no
// link can.
bool chain_read_link(sqlite3_stmt *statement, struct chain_link *link);

// The hash of a batch that is to be written.
struct digest chain_hash(const struct batch *batch, const char *writer, const struct digest *before);

struct chain_report {
    bool sound;
    char message[LEDGER_ERROR_SIZE]; // the first thing that is wrong
    int64_t batches, events, transfers;
    struct digest last; // the last batch's hash
};

// Recomputes the chain from a batch to the end (the first batch is 1), in one pass over each table. False
// when the file can't be read.
bool chain_check(struct connection *connection, int64_t first, ledger_progress progress, void *context,
                 struct chain_report *report, struct ledger_error *error);

#endif
