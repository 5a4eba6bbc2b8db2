// Openings: the starts at which so many GPUs for so many hours could be booked in one pool, and what they
// would cost.
//
// A start is open when every hour of its window has the GPUs and the power, a contract and a rate, and what
// the window costs in each contract period fits there. Between the edges of the tariff the price of a window
// and its part in each period are linear in the start, so what the commitment allows of such a segment is one
// interval, and the cheapest open start in it is the first or the last one that has the capacity. The search
// goes from segment to segment and asks the calendar once or a few times in each; it looks at no hour by
// itself, except for the site's power.
//
// It is exact until its budget is used up: a unit for each blocked subtree of the calendar, each piece of the
// tariff and each 64 hours of power that it looks at. Then it gives up, and says which start is the first
// that it has not ruled out.
#ifndef COLOSSUS_CORE_OPENING_H
#define COLOSSUS_CORE_OPENING_H

#include "core/builder.h"
#include "core/tariff.h"

struct opening_search {
    const struct builder *builder; // of a decision that has taken nothing
    const struct tariff *tariff;   // of the tenant, the pool and the tier
    uint32_t pool;
    enum tier tier;
    int32_t gpus, hours;
    int64_t budget;
    struct hour unsearched; // the first start not ruled out, when the budget was used up; else HOUR_NEVER
};

struct opening {
    struct hour start;
    struct amount cost;
};

// The first opening with a start in [first, last], or the cheapest, and of several that are, the first. False
// when none was found.
bool opening_find(struct opening_search *search, enum offer_order order, struct hour first, struct hour last,
                  struct opening *opening);

#endif
