// What a ledger would hold: of every table that changes in place the latest row by its key, of the others
// all.
//
// A book made from it must answer like the one that made the rows.
#ifndef COLOSSUS_TESTS_SIM_STORE_H
#define COLOSSUS_TESTS_SIM_STORE_H

#include "model.h"

#define STORE_KINDS (ROW_MANIFEST + 1)

struct stored_row {
    int64_t first, second; // the key
    struct row row;
};

struct store {
    struct arena texts;
    struct stored_row *rows[STORE_KINDS]; // by key
    size_t count[STORE_KINDS], capacity[STORE_KINDS];
    int64_t last_event, last_transfer, sequence;
    int64_t *balances; // by account: credits less debits of all transfers
    size_t balance_count;
    struct transfer_row *fees; // all transfers of fees
    size_t fee_count, fee_capacity;
};

// Keeps rows as they are committed, and checks what holds for any rows.
void store_rows(const struct model *model, struct store *store, const struct row *rows, size_t count);

// After a batch: every account's balance is the sum of its transfers.
void store_check(const struct model *model, const struct store *store);

// At the end: what a period says it has billed of fees is the sum of these transfers.
void store_check_fees(const struct model *model, const struct store *store);

// A book loaded from the rows alone, as the ledger does it.
struct book *store_load(const struct model *model, const struct store *store);

void store_free(struct store *store);

#endif
