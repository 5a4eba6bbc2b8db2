// What a tenant pays in a pool over a window: pieces of constant price inside one contract period.
//
// Hours that no contract covers, or that have no rate, are in no piece. Neighbouring pieces touch where both
// hold. The price of a window is the sum over its pieces, so as its start moves by an hour it changes by what
// the hour after it costs less what its first hour costs: between the edges of pieces it is linear.
//
// Made once for a pool and a window, in the arena of who asks; O(pieces).
#ifndef COLOSSUS_CORE_TARIFF_H
#define COLOSSUS_CORE_TARIFF_H

#include "base/arena.h"
#include "core/book_internal.h"

// Sums of prices that may pass the largest amount.
__extension__ typedef __int128 wide_amount;

struct tariff_piece {
    struct hour start, end;
    struct amount price; // per GPU-hour
    uint32_t period;
};

// What may be booked more in a period.
struct tariff_room {
    uint32_t period;
    int64_t micro;
};

struct tariff {
    struct tariff_piece *pieces; // by start
    size_t count, capacity;
    struct tariff_room *rooms; // one for each period of the pieces
    size_t room_count, room_capacity;
    struct hour until; // how far it was reckoned: the window's end, unless there are too many pieces
};

#define TARIFF_PIECES_MAX 4096

void tariff_reckon(struct tariff *tariff, const struct book *book, uint32_t tenant, uint32_t pool,
                   enum tier tier, struct hour from, struct hour end, struct instant now,
                   struct arena *arena);

int64_t tariff_room(const struct tariff *tariff, uint32_t period);

// The most that can be added to what is booked in a period: what the contract's authority allows and the
// close can settle.
int64_t period_room(const struct book *book, uint32_t period, struct instant now);

#endif
