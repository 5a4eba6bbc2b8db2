// The ledger and the book that was loaded from it: the same code at the start and after a failure.
#ifndef COLOSSUS_SERVER_STORE_H
#define COLOSSUS_SERVER_STORE_H

#include "core/book.h"
#include "ledger/ledger.h"
#include "server/config.h"
#include <stdbool.h>

struct store {
    struct ledger *ledger;
    struct book *book;
};

// Opens the ledger and loads the book. `now` is when a new ledger begins. False leaves nothing open. Takes as
// long as reading the whole ledger does.
bool store_open(const struct config *config, struct instant now, struct store *store,
                struct ledger_error *error);

void store_close(struct store *store);

// True when the ledger's disk has at least the configured room.
bool store_has_room(const struct config *config);

#endif
