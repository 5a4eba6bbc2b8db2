// The rows of the batch that is being written, as virtual tables, so that one statement writes all rows of a
// kind: INSERT INTO event (...) SELECT * FROM pending_event.
//
// A statement for each row costs more in beginning and ending it, in opening the table and in handing over
// the columns, than in putting the row into the table. With one for each kind a booking's rows cost about
// half.
//
//     pending_register   makes the virtual tables known to a connection, before its statements are prepared
//     pending_gather     takes the rows of a batch
//     pending_write      runs the statements of the kinds that the batch has, in an order in which what a row
//                        names is there before it
//     pending_free
//
// The order of rows of one kind is kept, so of several with the same key the last one holds. Two statements
// are not for a kind of row but for a part of one: accounts that exist get their new balance (in a batch at
// most one row for each, which is what book_end_batch gives), and slices are removed after all others are
// written, as a slice's number is never used again.
#ifndef COLOSSUS_LEDGER_PENDING_H
#define COLOSSUS_LEDGER_PENDING_H

#include "ledger/connection.h"

#define PENDING_TABLE_COUNT 23

// The rows that one virtual table shows.
struct pending_rows {
    const struct pending *pending;
    const char *columns;
    const struct row **rows;
    size_t count, capacity;
};

struct pending {
    struct pending_rows tables[PENDING_TABLE_COUNT];
    int64_t batch;
};

// The struct must stay where it is as long as the connection is open.
bool pending_register(struct pending *pending, struct connection *connection, struct ledger_error *error);

// The rows must stay until they are written. Accounts with ids up to last_account exist.
void pending_gather(struct pending *pending, const struct batch *batch, int64_t last_account);

// False after an error, after which the transaction must be rolled back.
bool pending_write(const struct pending *pending, struct connection *connection, struct ledger_error *error);

void pending_free(struct pending *pending);

#endif
