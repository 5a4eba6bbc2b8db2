// A book with what a ledger would hold of it, and what must be true of the two.
//
// Every change goes through here: applied to the book and kept in the store of tests/sim, from whose rows the
// book can be made again. There is one at a time.
//
// Checked after every batch, from the rows alone, hour by hour:
//
// - every account's balance is the sum of its transfers, and no period has spent more than its authority;
// - what a period has encumbered and consumed is the price of the slices in it;
// - what a reservation says it costs, and how many GPU-hours it has, is the sum of its slices;
// - a pool's capacity is the sum of its changes, and what is free in it is that less what is taken, never
//   less than nothing;
// - what broker.h says.
#ifndef COLOSSUS_TESTS_FUZZ_LEDGER_H
#define COLOSSUS_TESTS_FUZZ_LEDGER_H

#include "core/book.h"

struct ledger {
    struct book *book;
    struct instant now;
    struct arena arena; // for decisions, until the batch ends
};

// With the world of fuzz.h, without bookings, at WORLD_NOW.
struct ledger *ledger_begin(void);
void ledger_end(struct ledger *ledger);

void ledger_apply(struct ledger *ledger, const struct decision *decision);

// Books what waits for something that was freed, as is done before the next request.
void ledger_serve(struct ledger *ledger);

// Lets time go on and decides what falls due. `lazy`: starts and ends are left for later.
void ledger_advance(struct ledger *ledger, int64_t seconds, bool lazy);

void ledger_end_batch(struct ledger *ledger);

// A book made from the rows alone must be like the one that made them; it takes the other's place.
void ledger_reload(struct ledger *ledger);

#endif
