// What a loss of capacity would displace.
//
// Where a pool is left with fewer GPUs than are booked, the GPUs that are missing are cut in the hours in
// which they are missing: from preemptible reservations first, the newest first, then from firm ones, the
// newest first. This module says whether changes of capacity leave too little, and plans the cuts; it changes
// nothing.
//
// The cost is one number an hour of the calendar's window, and, when something is missing, a pass over the
// reservations for each tier that ends as soon as nothing is missing any more.
#ifndef COLOSSUS_CORE_DISPLACEMENT_H
#define COLOSSUS_CORE_DISPLACEMENT_H

#include "base/arena.h"
#include "core/book.h"
#include "core/decision.h"

#define DISPLACEMENT_LISTED_MAX 1000

struct displacement {
    int32_t free;              // the least free GPUs, as the book stands, in the hours that would be short
    int32_t missing;           // the most GPUs that would be missing in an hour
    struct hour first_short;   // the first hour with some missing
    struct interruption *cuts; // in the arena; rectangles, merged within a reservation
    size_t count;              // at most DISPLACEMENT_LISTED_MAX
    bool all;                  // the cuts listed are all there are
};

// Would a pool with these changes added have less than is booked in an hour at or after `from`, that they
// lower? Then the plan is made and this returns true. The pool is one of the book; `from` lies in its
// calendar's window.
bool displacement_plan(const struct book *book, uint32_t pool, const struct capacity_change_row *changes,
                       size_t change_count, struct hour from, struct arena *arena,
                       struct displacement *displacement);

#endif
