// The inside of the search for offers: offer.c finds what fits, offer_near.c what comes nearest to it.
#ifndef COLOSSUS_CORE_OFFER_INTERNAL_H
#define COLOSSUS_CORE_OFFER_INTERNAL_H

#include "core/offer.h"
#include "core/opening.h"

struct offer_pool {
    struct opening_search search;
    struct tariff tariff; // over the search's window
    int32_t gpus;         // as asked for, rounded up
    int32_t unit;
};

struct offer_search {
    const struct book *book;
    const struct offer_query *query;
    struct arena *arena;
    const struct builder *builder; // of a decision that takes nothing
    struct hour earliest, end;     // the window
    struct hour horizon;
    int32_t hours;
    struct offer_pool *pools; // by id
    size_t pool_count;
};

// Less than 0 when a comes before b: by start, cost and pool or, for the cheapest, by cost, start and pool.
int offer_compare(enum offer_order order, const struct opening *a, uint32_t pool_of_a,
                  const struct opening *b, uint32_t pool_of_b);

// An offer of that opening, not yet decided.
void offer_from(struct offer *offer, const struct offer_search *search, const struct offer_pool *pool,
                int32_t gpus, int32_t hours, const struct opening *opening);

// Adds the near misses to a list that has no offer.
void offers_near(struct offer_search *search, struct offer_list *list);

#endif
