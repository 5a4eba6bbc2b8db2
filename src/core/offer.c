#include "core/offer.h"

#include "core/offer_internal.h"
#include <string.h>

// How much is looked at in one pool for all its offers: at most some 100 µs.
#define BUDGET_OF_POOL 16384

// A part of a pool's starts, and the best opening in it.
struct range {
    struct offer_pool *pool;
    struct hour first, last;
    struct opening best;
};

// ---- Names

static bool is_named(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

bool offer_pools(const struct book *book, const char *const *names, size_t count, uint32_t *pools,
                 size_t *pool_count)
{
    *pool_count = 0;
    for (size_t i = 0; i < count; i++)
        if (book_pool(book, names[i]) == 0)
            return false;
    for (uint32_t pool = 1; pool <= book_pool_count(book); pool++)
        if (count == 0 || is_named(book_pool_row(book, pool)->pool, names, count))
            pools[(*pool_count)++] = pool;
    return true;
}

static bool refuse(struct offer_list *list, enum verdict verdict, const char *message, const char *member)
{
    list->verdict = verdict;
    list->message = message;
    list->member = member;
    return false;
}

// Is everything known that the query names, and may the tenant book?
static bool check_query(const struct book *book, const struct offer_query *query, uint32_t *pools,
                        size_t *pool_count, struct offer_list *list)
{
    if (!offer_pools(book, query->pools, query->pool_count, pools, pool_count))
        return refuse(list, VERDICT_NOT_FOUND, "there is no such pool", "pools");
    for (size_t i = 0; i < query->site_count; i++)
        if (book_site(book, query->sites[i]) == 0)
            return refuse(list, VERDICT_NOT_FOUND, "there is no such site", "sites");
    bool known = query->gpu == NULL;
    for (uint32_t pool = 1; pool <= book_pool_count(book) && !known; pool++)
        known = strcmp(book_pool_row(book, pool)->gpu, query->gpu) == 0;
    if (!known)
        return refuse(list, VERDICT_NOT_FOUND, "no pool has such GPUs", "gpu");
    if (book_tenant_row(book, query->tenant)->suspended)
        return refuse(list, VERDICT_TENANT_SUSPENDED, "the tenant is suspended and can't book", NULL);
    return true;
}

static bool is_asked_for(const struct book *book, const struct offer_query *query, uint32_t pool)
{
    const struct pool_row *row = book_pool_row(book, pool);
    return (query->gpu == NULL || strcmp(row->gpu, query->gpu) == 0) &&
           (query->site_count == 0 ||
            is_named(book_site_row(book, row->site)->site, query->sites, query->site_count));
}

// ---- Pools

static void add_pool(struct offer_search *search, uint32_t pool)
{
    const struct offer_query *query = search->query;
    int32_t unit = book_pool_row(search->book, pool)->unit;
    int64_t gpus = (query->gpus + unit - 1) / unit * unit;
    if (gpus > INT32_MAX)
        return;
    struct offer_pool *added = &search->pools[search->pool_count++];
    added->gpus = (int32_t)gpus;
    added->unit = unit;
    tariff_reckon(&added->tariff, search->book, query->tenant, pool, query->tier, search->earliest,
                  search->end, search->builder->at, search->arena);
    added->search = (struct opening_search){
        .builder = search->builder,
        .tariff = &added->tariff,
        .pool = pool,
        .tier = query->tier,
        .gpus = (int32_t)gpus,
        .hours = search->hours,
        .budget = BUDGET_OF_POOL,
        .unsearched = HOUR_NEVER,
    };
    if (added->tariff.until.number < search->end.number)
        added->search.unsearched.number = added->tariff.until.number - search->hours + 1;
}

// The window as far as it lies between the running hour and the horizon. False when nothing of that length
// fits into it.
static bool settle_window(struct offer_search *search)
{
    const struct offer_query *query = search->query;
    struct hour running = hour_of_instant(search->builder->at);
    search->horizon = book_horizon_end(search->book, search->builder->at);
    search->earliest =
        query->has_earliest && query->earliest.number > running.number ? query->earliest : running;
    search->end = query->has_latest_end && query->latest_end.number < search->horizon.number
                      ? query->latest_end
                      : search->horizon;
    if (search->end.number < running.number)
        search->end = running;
    if (search->earliest.number > search->end.number)
        search->earliest = search->end;
    search->hours = query->hours < search->horizon.number - running.number
                        ? (int32_t)query->hours
                        : search->horizon.number - running.number + 1; // never fits
    return search->hours <= search->end.number - search->earliest.number;
}

// ---- Ranking

int offer_compare(enum offer_order order, const struct opening *a, uint32_t pool_of_a,
                  const struct opening *b, uint32_t pool_of_b)
{
    int by_start = (a->start.number > b->start.number) - (a->start.number < b->start.number);
    int by_cost = amount_compare(a->cost, b->cost);
    int first = order == OFFER_EARLIEST ? by_start : by_cost;
    int second = order == OFFER_EARLIEST ? by_cost : by_start;
    return first != 0 ? first : second != 0 ? second : (pool_of_a > pool_of_b) - (pool_of_a < pool_of_b);
}

// Of at least one.
static struct range *best_of(const struct offer_search *search, struct range *ranges, size_t count)
{
    struct range *best = &ranges[0];
    for (size_t i = 1; i < count; i++)
        if (offer_compare(search->query->order, &ranges[i].best, ranges[i].pool->search.pool, &best->best,
                          best->pool->search.pool) < 0)
            best = &ranges[i];
    return best;
}

static void add_range(const struct offer_search *search, struct range *ranges, size_t *count,
                      struct offer_pool *pool, struct hour first, struct hour last)
{
    struct range range = {.pool = pool, .first = first, .last = last};
    if (first.number <= last.number &&
        opening_find(&pool->search, search->query->order, first, last, &range.best))
        ranges[(*count)++] = range;
}

// The best opening of all pools, then the best among what doesn't overlap it in its pool, and so on.
static void find_offers(struct offer_search *search, struct offer_list *list)
{
    const struct offer_query *query = search->query;
    // An offer takes one range away and adds two at most.
    struct range *ranges =
        arena_allocate(search->arena, (search->pool_count + query->limit + 1) * sizeof *ranges);
    size_t count = 0;
    for (size_t i = 0; i < search->pool_count; i++)
        add_range(search, ranges, &count, &search->pools[i], search->earliest,
                  (struct hour){search->end.number - search->hours});
    list->offers = arena_allocate(search->arena, query->limit * sizeof *list->offers);
    for (size_t taken = 0; count > 0 && taken < query->limit; taken++) {
        struct range *best = best_of(search, ranges, count);
        struct range range = *best;
        *best = ranges[--count];
        struct offer *offer = &list->offers[list->count];
        offer_from(offer, search, range.pool, range.pool->gpus, search->hours, &range.best);
        if (offer_decide(search->book, query->tenant, search->builder->at, search->arena, offer))
            list->count++;
        if (taken + 1 == query->limit)
            break;
        struct hour before = {range.best.start.number - search->hours};
        struct hour after = {range.best.start.number + search->hours};
        add_range(search, ranges, &count, range.pool, range.first, before);
        add_range(search, ranges, &count, range.pool, after, range.last);
    }
}

// ---- Deciding

static void add_period(struct offer *offer, const struct slice_row *slice)
{
    struct amount cost = AMOUNT_ZERO;
    size_t place = offer->period_count;
    for (size_t i = 0; i < offer->period_count; i++)
        if (offer->periods[i].period == slice->period)
            place = i;
    if (place == offer->period_count)
        offer->periods[offer->period_count++] = (struct offer_period){.period = slice->period};
    // The booking's own sum was checked.
    if (amount_multiply(slice->price, slice->gpus, &cost) &&
        amount_multiply(cost, slice->end.number - slice->start.number, &cost))
        amount_add(offer->periods[place].cost, cost, &offer->periods[place].cost);
}

bool offer_decide(const struct book *book, uint32_t tenant, struct instant now, struct arena *arena,
                  struct offer *offer)
{
    struct leg leg = {
        .pool = book_pool_row(book, offer->pool)->pool,
        .gpus = offer->gpus,
        .start = offer->start,
        .end = offer->end,
        .tier = offer->tier,
    };
    struct request request = {
        .kind = REQUEST_CREATE,
        .actor = {.role = ROLE_TENANT, .tenant = tenant, .name = ""},
        .dry_run = true,
        .create = {.legs = &leg, .leg_count = 1},
    };
    struct decision decision;
    struct builder builder;
    builder_begin(&builder, book, arena, now, request.actor.name, &decision);
    decide_create(&builder, &request);
    builder_finish(&builder);
    if (decision.verdict != VERDICT_DONE)
        return false;
    const struct reservation_image *image = &decision.outcomes[0].image;
    offer->cost = image->row.cost;
    offer->periods = arena_allocate(arena, (size_t)image->slice_count * sizeof *offer->periods);
    for (int32_t i = 0; i < image->slice_count; i++)
        add_period(offer, &image->slices[i]);
    bool fits = true;
    for (size_t i = 0; i < offer->period_count; i++)
        fits = fits && builder_commitment(&builder, offer->periods[i].period, &offer->periods[i].after);
    return fits;
}

void offer_from(struct offer *offer, const struct offer_search *search, const struct offer_pool *pool,
                int32_t gpus, int32_t hours, const struct opening *opening)
{
    *offer = (struct offer){
        .pool = pool->search.pool,
        .tier = search->query->tier,
        .gpus = gpus,
        .start = opening->start,
        .end = {opening->start.number + hours},
    };
}

static void note_searched(const struct offer_search *search, struct offer_list *list)
{
    list->searched_until = HOUR_NEVER;
    for (size_t i = 0; i < search->pool_count; i++) {
        struct hour unsearched = search->pools[i].search.unsearched;
        if (unsearched.number < list->searched_until.number)
            list->searched_until = unsearched;
    }
    list->stopped_short = list->searched_until.number != HOUR_NEVER.number;
}

void offers_search(const struct book *book, const struct offer_query *query, struct instant now,
                   struct arena *arena, struct offer_list *list)
{
    *list = (struct offer_list){.verdict = VERDICT_DONE};
    uint32_t *pools = arena_allocate(arena, (book_pool_count(book) + 1) * sizeof *pools);
    size_t pool_count;
    if (!check_query(book, query, pools, &pool_count, list))
        return;
    struct decision decision;
    struct builder builder;
    builder_begin(&builder, book, arena, now, "", &decision);
    struct offer_search search = {.book = book, .query = query, .arena = arena, .builder = &builder};
    bool may_fit = settle_window(&search);
    search.pools = arena_allocate(arena, (pool_count + 1) * sizeof *search.pools);
    for (size_t i = 0; i < pool_count; i++)
        if (is_asked_for(book, query, pools[i]))
            add_pool(&search, pools[i]);
    if (may_fit)
        find_offers(&search, list);
    note_searched(&search, list);
    if (list->count == 0)
        offers_near(&search, list);
    builder_finish(&builder);
}
