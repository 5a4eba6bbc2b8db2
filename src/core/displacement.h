// What has to give way when there are fewer GPUs than are booked.
//
// Where GPUs are missing they are cut in the hours in which they are missing: from preemptible reservations
// first, the newest first, then from firm ones, the newest first. This module finds out what is missing,
// after changes of a pool's capacity or after firm bookings that take the place, or the power, of preemptible
// ones, and plans the cuts; it changes nothing (core/interrupt.h does).
//
// The cost is one number for each hour in which something may be missing and, when something is, a pass over
// the pool's preemptible reservations, and then over all reservations, that ends as soon as nothing is
// missing any more.
#ifndef COLOSSUS_CORE_DISPLACEMENT_H
#define COLOSSUS_CORE_DISPLACEMENT_H

#include "base/arena.h"
#include "core/book.h"
#include "core/builder.h"
#include "core/decision.h"

struct displacement {
    int32_t free;              // the least free GPUs, as the book stands, in the hours that would be short
    int32_t missing;           // the most GPUs that would be missing in an hour
    struct hour first_short;   // the first hour with some missing
    struct interruption *cuts; // in the arena; rectangles, merged within a reservation, one after the other
    size_t count, capacity;
    bool enough; // nothing is missing after the cuts. Else the running hour is sold to bookings that were
                 // cancelled in it: nobody is left who could be interrupted
};

// Would a pool with these changes added have less than is booked in an hour at or after `from`, that they
// lower? Then the plan is made and this returns true. The pool is one of the book; `from` lies in its
// calendar's window.
bool displacement_plan(const struct book *book, uint32_t pool, const struct capacity_change_row *changes,
                       size_t change_count, struct hour from, struct arena *arena,
                       struct displacement *displacement);

// Adds the cuts of a pool's preemptible bookings, the newest first, where the firm bookings of a decision
// take more of it than is left beside them. They fit beside the firm ones.
void displacement_preempt_gpus(const struct builder *builder, uint32_t pool,
                               struct displacement *displacement);

// What has to give way at a site to the firm bookings of a decision, which fit beside the firm ones: GPUs in
// their pools, and then power that is still missing, from preemptible bookings of all the site's pools, the
// newest first. Of the plan there are only the cuts; false when there are none. In preemption.c.
bool displacement_preempt(const struct builder *builder, uint32_t site, struct displacement *displacement);

#endif
