// Near misses: what comes nearest to a request that fits nowhere.
//
// What fits for some hours fits for fewer, and with some GPUs also with fewer, because capacity, power and
// prices only leave more room then. So the longest window and the most GPUs are found by halving, each step a
// search for the earliest opening.
#include "core/offer_internal.h"

// How much is looked at in each such search.
#define BUDGET_OF_STEP 2048

struct near {
    const struct offer_pool *pool;
    int32_t gpus, hours;
    struct opening opening;
};

static bool find_earliest(const struct offer_pool *pool, const struct tariff *tariff, int32_t gpus,
                          int32_t hours, struct hour first, struct hour last, struct near *near)
{
    struct opening_search search = pool->search;
    search.tariff = tariff;
    search.gpus = gpus;
    search.hours = hours;
    search.budget = BUDGET_OF_STEP;
    struct opening opening;
    if (first.number > last.number || !opening_find(&search, OFFER_EARLIEST, first, last, &opening))
        return false;
    *near = (struct near){.pool = pool, .gpus = gpus, .hours = hours, .opening = opening};
    return true;
}

struct measure {
    bool of_gpus; // else of hours
    int32_t most; // in steps of a unit of GPUs, or of an hour
};

static bool fits(const struct offer_search *search, const struct offer_pool *pool, struct measure measure,
                 int32_t steps, struct near *near)
{
    int32_t gpus = measure.of_gpus ? steps * pool->unit : pool->gpus;
    int32_t hours = measure.of_gpus ? search->hours : steps;
    struct hour last = {search->end.number - hours};
    return find_earliest(pool, &pool->tariff, gpus, hours, search->earliest, last, near);
}

// The most that fits in a pool, when it is no less than `least`, which another pool has: most pools have
// less, and are done with the first question, or as much and are done with the second.
static bool find_most(const struct offer_search *search, const struct offer_pool *pool,
                      struct measure measure, int32_t least, struct near *near)
{
    int32_t low = least > 1 ? least : 1, high = measure.most;
    if (low > high || !fits(search, pool, measure, low, near))
        return false;
    for (int32_t middle = low + 1; low < high; middle = low + (high - low + 1) / 2) {
        if (fits(search, pool, measure, middle, near))
            low = middle;
        else
            high = middle - 1;
    }
    return true;
}

// Nearer than what was found before in another pool: more of what is missing, then as offers are ranked.
static void keep_nearer(struct near *best, const struct near *near, bool by_gpus)
{
    int32_t more = best->pool == NULL ? 1 : by_gpus ? near->gpus - best->gpus : near->hours - best->hours;
    if (more > 0 || (more == 0 && offer_compare(OFFER_EARLIEST, &near->opening, near->pool->search.pool,
                                                &best->opening, best->pool->search.pool) < 0))
        *best = *near;
}

static void add_miss(const struct offer_search *search, struct offer_list *list, const struct near *near,
                     enum offer_miss miss, int64_t lacks)
{
    struct offer *offer = &list->misses[list->miss_count];
    offer_from(offer, search, near->pool, near->gpus, near->hours, &near->opening);
    offer->miss = miss;
    offer->lacks = lacks;
    if (offer_decide(search->book, search->query->tenant, search->builder->at, search->arena, offer))
        list->miss_count++;
}

static void add_longest(const struct offer_search *search, struct offer_list *list)
{
    struct near best = {.pool = NULL}, near;
    int32_t window = search->end.number - search->earliest.number;
    int32_t most = search->hours - 1 < window ? search->hours - 1 : window;
    for (size_t i = 0; i < search->pool_count; i++)
        if (find_most(search, &search->pools[i], (struct measure){false, most}, best.hours, &near))
            keep_nearer(&best, &near, false);
    if (best.pool != NULL)
        add_miss(search, list, &best, MISS_HOURS, search->query->hours - best.hours);
}

static void add_largest(const struct offer_search *search, struct offer_list *list)
{
    struct near best = {.pool = NULL}, near;
    for (size_t i = 0; i < search->pool_count; i++) {
        const struct offer_pool *pool = &search->pools[i];
        struct measure measure = {true, pool->gpus / pool->unit - 1};
        if (find_most(search, pool, measure, (best.gpus + pool->unit - 1) / pool->unit, &near))
            keep_nearer(&best, &near, true);
    }
    if (best.pool != NULL)
        add_miss(search, list, &best, MISS_GPUS, search->query->gpus - best.gpus);
}

static void add_later(const struct offer_search *search, struct offer_list *list)
{
    struct near best = {.pool = NULL}, near;
    int32_t last_in_window = search->end.number - search->hours;
    struct hour first =
        last_in_window < search->earliest.number ? search->earliest : (struct hour){last_in_window + 1};
    struct hour last = {search->horizon.number - search->hours};
    for (size_t i = 0; i < search->pool_count; i++) {
        const struct offer_pool *pool = &search->pools[i];
        struct tariff tariff;
        tariff_reckon(&tariff, search->book, search->query->tenant, pool->search.pool, pool->search.tier,
                      first, search->horizon, search->builder->at, search->arena);
        if (find_earliest(pool, &tariff, pool->gpus, search->hours, first, last, &near))
            keep_nearer(&best, &near, false);
    }
    if (best.pool != NULL)
        add_miss(search, list, &best, MISS_START,
                 (int64_t)best.opening.start.number + best.hours - search->query->latest_end.number);
}

void offers_near(struct offer_search *search, struct offer_list *list)
{
    add_longest(search, list);
    if (search->hours <= search->end.number - search->earliest.number)
        add_largest(search, list);
    if (search->end.number < search->horizon.number)
        add_later(search, list);
}
