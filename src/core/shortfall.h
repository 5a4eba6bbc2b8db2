// The plan against a shortfall: what would use it up before the running period of a contract ends.
//
// For each pool that the contract covers: so many GPUs, the same number from the running hour to the period's
// end, as use the shortfall up; where those can't be booked, as many as can. Each is decided like a dry run
// (core/offer.h), so what it costs and what it leaves missing are exact, and those that leave least come
// first, then the cheaper ones. And the last chance: the last hour from which all that is free in those
// pools, booked firm up to the period's end, would still use the shortfall up.
//
// Costs one look at each hour that is left of the period in each pool, until the last chance is found.
#ifndef COLOSSUS_CORE_SHORTFALL_H
#define COLOSSUS_CORE_SHORTFALL_H

#include "core/offer.h"

struct shortfall_query {
    uint32_t tenant;          // 0: whose contract it is
    const char *contract;     // NULL: the tenant's only one that runs
    const char *const *pools; // none: all that the contract covers
    size_t pool_count;
};

struct shortfall_plan {
    enum verdict verdict; // DONE, or why there is no plan
    const char *message, *member;
    uint32_t tenant, period;
    struct amount shortfall;
    bool has_last_chance; // false when nothing is missing, and when it can't be met any more
    struct hour last_chance;
    struct offer *offers;
    size_t count;
};

void shortfall_plan(const struct book *book, const struct shortfall_query *query, struct instant now,
                    struct arena *arena, struct shortfall_plan *plan);

#endif
