// All that a daemon would serve of a ledger: the replies to every read, for operators and for each tenant.
#ifndef COLOSSUS_TESTS_CRASH_SERVED_H
#define COLOSSUS_TESTS_CRASH_SERVED_H

#include "base/buffer.h"
#include "ledger/ledger.h"

struct served {
    struct buffer totals; // what is told from the book: capacity, commitments, inventory
    struct buffer lists;  // what is read from the ledger: reservations, movements, events
};

// Opens the ledger as the daemon does, which writes to it, loads it, writes the replies and closes it. False
// when it can't be opened, loaded or read. What was written is for the caller to free in any case.
bool served(const struct ledger_options *options, struct served *served, struct ledger_error *error);
void served_free(struct served *served);

#endif
