// Offers: where a request for GPUs fits, as bookings that would be made if they were asked for now.
//
// Every offer is decided like a dry run of the booking it proposes, on the book as it stands, so its price
// and what it leaves of the commitment are those of the booking, and what would be refused by any rule is not
// offered. A pool's first offer is the earliest or the cheapest there is; its next ones are the best among
// the windows that overlap none before them. When nothing fits, there are near misses in place of offers: the
// longest window for those GPUs, the most GPUs for that length, and the first start after the window.
//
// How far each search goes is bounded (core/opening.h); `searched_until` says where one stopped short.
#ifndef COLOSSUS_CORE_OFFER_H
#define COLOSSUS_CORE_OFFER_H

#include "core/book.h"
#include "core/commitment.h"

#define OFFERS_MAX     50
#define OFFERS_DEFAULT 10

struct offer_query {
    uint32_t tenant; // whose prices and commitment
    int64_t gpus;    // rounded up to each pool's unit
    int64_t hours;
    // Empty and NULL for any. Names as they were given.
    const char *const *pools, *const *sites, *gpu;
    size_t pool_count, site_count;
    bool has_earliest, has_latest_end;
    struct hour earliest, latest_end; // the running hour, and the horizon, when left out
    enum tier tier;
    enum offer_order order;
    size_t limit;
};

// What a booking does to one contract period.
struct offer_period {
    uint32_t period;
    struct amount cost;
    struct commitment after;
};

enum offer_miss { MISS_NONE, MISS_HOURS, MISS_GPUS, MISS_START };

struct offer {
    uint32_t pool;
    enum tier tier;
    int32_t gpus;
    struct hour start, end;
    struct amount cost;
    struct offer_period *periods; // in time order
    size_t period_count;
    // Of a near miss: what it lacks, in hours of length, in GPUs, or in hours after the window's end.
    enum offer_miss miss;
    int64_t lacks;
};

struct offer_list {
    enum verdict verdict; // DONE, or why there is no answer
    const char *message, *member;
    struct offer *offers;
    size_t count;
    struct offer misses[3]; // each kind at most once
    size_t miss_count;
    bool stopped_short;
    struct hour searched_until; // starts from here on were not all looked at, when stopped_short
};

void offers_search(const struct book *book, const struct offer_query *query, struct instant now,
                   struct arena *arena, struct offer_list *list);

// Decides an offer of which the pool, the tier, the GPUs and the window are set, and fills in the rest. False
// when it would be refused.
bool offer_decide(const struct book *book, uint32_t tenant, struct instant now, struct arena *arena,
                  struct offer *offer);

// Puts the pools that a request names, or all of them, into an array of book_pool_count: by id, each once.
// False when one is unknown.
bool offer_pools(const struct book *book, const char *const *names, size_t count, uint32_t *pools,
                 size_t *pool_count);

#endif
