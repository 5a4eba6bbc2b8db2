#include "offers.h"

#include "core/shortfall.h"
#include <stdlib.h>
#include <string.h>

#define WINDOW_MAX 400 // hours of a query's window
#define TAKEN_MAX  4

struct offers_statistics offers_statistics;

// One hour of a pool as a booking of one tier finds it.
struct cell {
    int32_t free;
    int period; // 0: no contract, or no price
    int64_t price;
};

struct candidate {
    int pool; // 0: none
    int32_t start, hours, gpus;
    int64_t cost;
};

struct naive {
    const struct model *model;
    int tenant;
    enum tier tier;
    int32_t from, end; // hours that are known
    struct cell *cells[MODEL_POOLS + 1];
    bool asked[MODEL_POOLS + 1];
};

// ---- The hours

static int period_of(const struct model *model, int contract, int32_t hour)
{
    const struct model_contract *found = &model->contracts[contract];
    for (int id = found->first_period; id < found->first_period + found->period_count; id++)
        if (model->periods[id].start <= hour && hour < model->periods[id].end)
            return id;
    return 0;
}

// As many as are free and have power.
static int32_t free_in(const struct naive *naive, int pool, int32_t hour)
{
    int32_t free = model_free_gpus(naive->model, pool, naive->tier, hour);
    int64_t watts = naive->model->pools[pool].watts;
    int64_t left = watts == 0 ? 0 : model_watts_left(naive->model, naive->tier, hour);
    return left >= free * watts ? free : left < 0 ? 0 : (int32_t)(left / watts);
}

static void look_up(struct naive *naive, int pool)
{
    const struct model *model = naive->model;
    naive->cells[pool] = calloc((size_t)(naive->end - naive->from), sizeof *naive->cells[pool]);
    assert_non_null(naive->cells[pool]);
    for (int32_t hour = naive->from; hour < naive->end; hour++) {
        struct cell *cell = &naive->cells[pool][hour - naive->from];
        int contract = model_contract_at(model, naive->tenant, pool, hour);
        cell->free = free_in(naive, pool, hour);
        if (contract != 0 && model_price_at(model, contract, pool, naive->tier, hour, &cell->price))
            cell->period = period_of(model, contract, hour);
    }
}

static void open_naive(struct naive *naive, const struct model *model, int tenant, enum tier tier,
                       int32_t from, int32_t end)
{
    *naive = (struct naive){.model = model, .tenant = tenant, .tier = tier, .from = from, .end = end};
    for (int pool = 1; pool <= model->pool_count; pool++)
        look_up(naive, pool);
}

static void close_naive(struct naive *naive)
{
    for (int pool = 1; pool <= naive->model->pool_count; pool++)
        free(naive->cells[pool]);
}

// Could it be booked, and for how much?
static bool is_open(const struct naive *naive, int pool, int32_t start, int32_t hours, int32_t gpus,
                    int64_t *cost)
{
    int64_t in_period = 0;
    int period = 0;
    *cost = 0;
    for (int32_t hour = start; hour < start + hours; hour++) {
        const struct cell *cell = &naive->cells[pool][hour - naive->from];
        if (cell->free < gpus || cell->period == 0)
            return false;
        in_period = cell->period == period ? in_period + cell->price * gpus : cell->price * gpus;
        period = cell->period;
        *cost += cell->price * gpus;
        const struct model_period *found = &naive->model->periods[period];
        if (!found->unlimited && in_period > 0 && in_period > period_available(found))
            return false;
    }
    return true;
}

// ---- The search

static int32_t rounded(const struct naive *naive, int pool, int64_t gpus)
{
    int32_t unit = naive->model->pools[pool].unit;
    return (int32_t)((gpus + unit - 1) / unit * unit);
}

static bool comes_before(enum offer_order order, const struct candidate *a, const struct candidate *b)
{
    bool earlier = a->start<b->start, later = a->start> b->start;
    bool cheaper = a->cost<b->cost, dearer = a->cost> b->cost;
    if (order == OFFER_EARLIEST && (earlier || later))
        return earlier;
    if (cheaper || dearer)
        return cheaper;
    return earlier || (!later && a->pool < b->pool);
}

static bool overlaps(const struct candidate *taken, size_t count, const struct candidate *candidate)
{
    for (size_t i = 0; i < count; i++)
        if (taken[i].pool == candidate->pool && candidate->start < taken[i].start + taken[i].hours &&
            taken[i].start < candidate->start + candidate->hours)
            return true;
    return false;
}

// The best start in [first, last] of one pool, or the first of all; `gpus` 0: none.
static struct candidate best_in(const struct naive *naive, int pool, enum offer_order order, int32_t first,
                                int32_t last, int32_t hours, int32_t gpus, const struct candidate *taken,
                                size_t count)
{
    struct candidate best = {0};
    for (int32_t start = first; start <= last && naive->asked[pool]; start++) {
        struct candidate here = {.pool = pool, .start = start, .hours = hours, .gpus = gpus};
        if (!overlaps(taken, count, &here) && is_open(naive, pool, start, hours, gpus, &here.cost) &&
            (best.pool == 0 || comes_before(order, &here, &best)))
            best = here;
        if (best.pool != 0 && order == OFFER_EARLIEST)
            break;
    }
    return best;
}

static struct candidate best_of_all(const struct naive *naive, const struct offer_query *query,
                                    enum offer_order order, int32_t first, int32_t last, int32_t hours,
                                    const struct candidate *taken, size_t count)
{
    struct candidate best = {0};
    for (int pool = 1; pool <= naive->model->pool_count; pool++) {
        struct candidate here =
            best_in(naive, pool, order, first, last, hours, rounded(naive, pool, query->gpus), taken, count);
        if (here.pool != 0 && (best.pool == 0 || comes_before(order, &here, &best)))
            best = here;
    }
    return best;
}

// ---- Comparing

static void compare(const struct model *model, const struct offer *offer, const struct candidate *expected)
{
    MODEL_EQUAL(model, offer->pool, expected->pool);
    MODEL_EQUAL(model, offer->start.number, expected->start);
    MODEL_EQUAL(model, offer->end.number, expected->start + expected->hours);
    MODEL_EQUAL(model, offer->gpus, expected->gpus);
    MODEL_EQUAL(model, offer->cost.micro, expected->cost);
}

// What the decision leaves of a period, with what it cuts of the tenant's own preemptible bookings.
static void compare_period(const struct model *model, const struct answer *answer, int tenant,
                           const struct offer_period *found)
{
    const struct model_period *period = &model->periods[found->period];
    int64_t added = answer->effects[0].added_in[found->period], released = 0;
    for (size_t i = 0; i < answer->displaced_count; i++)
        if (answer->displaced[i].after.tenant == tenant)
            released += answer->displaced[i].released_in[found->period];
    int64_t used = period_used(period) + added - released, floor = period_floor(period);
    MODEL_EQUAL(model, found->cost.micro, added);
    MODEL_EQUAL(model, found->after.used.micro, used);
    MODEL_EQUAL(model, found->after.shortfall.micro, floor > used ? floor - used : 0);
    MODEL_EQUAL(model, found->after.unlimited, period->unlimited);
}

// Sent unchanged, it is accepted at that price.
static void compare_booking(const struct model *model, const struct book *book, struct arena *arena,
                            int tenant, const struct offer *offer)
{
    struct leg leg = {.pool = model->pools[offer->pool].name,
                      .gpus = offer->gpus,
                      .start = offer->start,
                      .end = offer->end,
                      .tier = offer->tier};
    struct request request = {
        .kind = REQUEST_CREATE,
        .dry_run = true,
        .actor = {.role = ROLE_TENANT, .tenant = (uint32_t)tenant, .name = "uid:1"},
        .create = {.legs = &leg, .leg_count = 1},
    };
    struct decision decision;
    struct answer answer;
    book_decide(book, &request, (struct instant){model->now}, arena, &decision);
    MODEL_EQUAL(model, decision.verdict, VERDICT_DONE);
    MODEL_EQUAL(model, decision.outcomes[0].image.row.cost.micro, offer->cost.micro);
    model_decide(model, &request, &answer);
    MODEL_EQUAL(model, answer.verdict, VERDICT_DONE);
    for (size_t i = 0; i < offer->period_count; i++)
        compare_period(model, &answer, tenant, &offer->periods[i]);
    answer_free(&answer);
}

static void compare_miss(const struct model *model, const struct offer_list *list, enum offer_miss miss,
                         const struct candidate *expected, int64_t lacks)
{
    const struct offer *found = NULL;
    for (size_t i = 0; i < list->miss_count; i++)
        if (list->misses[i].miss == miss)
            found = &list->misses[i];
    MODEL_EQUAL(model, found != NULL, expected->pool != 0);
    if (found == NULL)
        return;
    compare(model, found, expected);
    MODEL_EQUAL(model, found->lacks, lacks);
}

static void compare_misses(const struct naive *naive, const struct offer_query *query,
                           const struct offer_list *list, int32_t first, int32_t end)
{
    int32_t hours = (int32_t)query->hours, after = end - hours + 1 > first ? end - hours + 1 : first;
    struct candidate longest = {0}, largest = {0};
    for (int32_t fewer = hours - 1; fewer > 0 && longest.pool == 0; fewer--)
        longest = best_of_all(naive, query, OFFER_EARLIEST, first, end - fewer, fewer, NULL, 0);
    for (int pool = 1; pool <= naive->model->pool_count; pool++) {
        int32_t unit = naive->model->pools[pool].unit, gpus = rounded(naive, pool, query->gpus) - unit;
        struct candidate here = {0};
        for (; gpus > 0 && here.pool == 0; gpus -= unit)
            here = best_in(naive, pool, OFFER_EARLIEST, first, end - hours, hours, gpus, NULL, 0);
        if (here.pool != 0 && (largest.pool == 0 || here.gpus > largest.gpus ||
                               (here.gpus == largest.gpus && comes_before(OFFER_EARLIEST, &here, &largest))))
            largest = here;
    }
    struct candidate later =
        best_of_all(naive, query, OFFER_EARLIEST, after, model_horizon(naive->model) - hours, hours, NULL, 0);
    compare_miss(naive->model, list, MISS_HOURS, &longest, hours - longest.hours);
    compare_miss(naive->model, list, MISS_GPUS, &largest, query->gpus - largest.gpus);
    compare_miss(naive->model, list, MISS_START, &later,
                 later.start + hours - (int64_t)query->latest_end.number);
}

// ---- Offers

static void make_query(struct generator *generator, const struct model *model, struct naive *naive,
                       struct offer_query *query)
{
    static const char *names[MODEL_POOLS];
    int32_t now = model_hour(model);
    *query = (struct offer_query){
        .tenant = 1 + random_below(generator, (uint32_t)model->tenant_count),
        .gpus = 1 + random_below(generator, one_in(generator, 3) ? 400 : 60),
        .hours = 1 + random_below(generator, one_in(generator, 3) ? 200 : 30),
        .pools = names,
        .has_earliest = !one_in(generator, 3),
        .has_latest_end = true,
        .earliest = {now + (int32_t)random_below(generator, one_in(generator, 2) ? 50 : 6000)},
        .tier = one_in(generator, 3) ? TIER_PREEMPTIBLE : TIER_FIRM,
        .order = one_in(generator, 3) ? OFFER_EARLIEST : OFFER_CHEAPEST,
        .limit = 1 + random_below(generator, TAKEN_MAX),
    };
    query->latest_end.number = (query->has_earliest ? query->earliest.number : now) + 1 +
                               (int32_t)random_below(generator, WINDOW_MAX);
    bool chosen = one_in(generator, 2);
    for (int pool = 1; pool <= model->pool_count; pool++) {
        naive->asked[pool] = !chosen || one_in(generator, 2);
        if (chosen && naive->asked[pool])
            names[query->pool_count++] = model->pools[pool].name;
    }
    for (int pool = 1; pool <= model->pool_count && query->pool_count == 0; pool++)
        naive->asked[pool] = true;
}

static void check_offers(struct generator *generator, const struct model *model, const struct book *book,
                         struct arena *arena)
{
    struct naive asked, naive;
    struct offer_query query;
    struct offer_list list;
    make_query(generator, model, &asked, &query);
    offers_search(book, &query, (struct instant){model->now}, arena, &list);
    if (model->tenants[query.tenant].suspended) {
        MODEL_EQUAL(model, list.verdict, VERDICT_TENANT_SUSPENDED);
        return;
    }
    MODEL_EQUAL(model, list.verdict, VERDICT_DONE);
    MODEL_CHECK(model, !list.stopped_short);
    int32_t running = model_hour(model), horizon = model_horizon(model);
    int32_t end = query.latest_end.number < horizon ? query.latest_end.number : horizon;
    int32_t first = query.has_earliest ? query.earliest.number : running;
    first = first < end ? first : end;
    open_naive(&naive, model, (int)query.tenant, query.tier, running, horizon);
    memcpy(naive.asked, asked.asked, sizeof naive.asked);
    struct candidate taken[TAKEN_MAX];
    size_t count = 0;
    for (; count < query.limit; count++) {
        taken[count] = best_of_all(&naive, &query, query.order, first, end - (int32_t)query.hours,
                                   (int32_t)query.hours, taken, count);
        if (taken[count].pool == 0)
            break;
        MODEL_CHECK(model, count < list.count);
        compare(model, &list.offers[count], &taken[count]);
        compare_booking(model, book, arena, (int)query.tenant, &list.offers[count]);
    }
    MODEL_EQUAL(model, list.count, count);
    if (count == 0)
        compare_misses(&naive, &query, &list, first, end);
    else
        MODEL_EQUAL(model, list.miss_count, 0);
    for (size_t i = 0; i < list.miss_count; i++)
        compare_booking(model, book, arena, (int)query.tenant, &list.misses[i]);
    offers_statistics.offers += (int)count;
    offers_statistics.misses += (int)list.miss_count;
    close_naive(&naive);
}

// ---- Plans

// As many GPUs as use the shortfall up, or as can be booked: one unit more at a time.
static struct candidate flat_booking(const struct naive *naive, int pool, int64_t shortfall)
{
    struct candidate best = {0};
    int32_t unit = naive->model->pools[pool].unit;
    struct candidate here = {.pool = pool, .start = naive->from, .hours = naive->end - naive->from};
    for (here.gpus = unit; is_open(naive, pool, here.start, here.hours, here.gpus, &here.cost) &&
                           best.cost < shortfall && here.cost > 0;
         here.gpus += unit)
        best = here;
    return best;
}

static int32_t last_chance(const struct naive *naive, int64_t shortfall)
{
    int64_t worth = 0;
    for (int32_t hour = naive->end - 1; hour >= naive->from; hour--) {
        for (int pool = 1; pool <= naive->model->pool_count; pool++) {
            const struct cell *cell = &naive->cells[pool][hour - naive->from];
            int32_t unit = naive->model->pools[pool].unit;
            if (naive->asked[pool] && cell->period != 0 && cell->free > 0)
                worth += cell->price * (cell->free / unit * unit);
        }
        if (worth >= shortfall)
            return hour;
    }
    return NEVER;
}

static void compare_plan(const struct model *model, const struct book *book, struct arena *arena,
                         const struct shortfall_plan *plan, int contract, int period)
{
    int32_t running = model_hour(model), horizon = model_horizon(model);
    const struct model_period *found = &model->periods[period];
    int tenant = model->contracts[contract].tenant;
    struct naive naive;
    open_naive(&naive, model, tenant, TIER_FIRM, running, found->end < horizon ? found->end : horizon);
    size_t offers = 0;
    for (int pool = 1; pool <= model->pool_count; pool++) {
        naive.asked[pool] = model_contract_at(model, tenant, pool, running) == contract;
        if (!naive.asked[pool] || model->tenants[tenant].suspended)
            continue;
        struct candidate expected = flat_booking(&naive, pool, plan->shortfall.micro);
        offers += expected.pool != 0;
        for (size_t i = 0; i < plan->count; i++)
            if ((int)plan->offers[i].pool == pool)
                compare(model, &plan->offers[i], &expected);
    }
    MODEL_EQUAL(model, plan->count, offers);
    for (size_t i = 0; i < plan->count; i++) {
        compare_booking(model, book, arena, tenant, &plan->offers[i]);
        MODEL_CHECK(model, i == 0 || plan->offers[i - 1].periods[0].after.shortfall.micro <=
                                         plan->offers[i].periods[0].after.shortfall.micro);
    }
    int32_t expected = last_chance(&naive, plan->shortfall.micro);
    MODEL_EQUAL(model, plan->has_last_chance ? plan->last_chance.number : NEVER, expected);
    offers_statistics.plans += plan->count > 0;
    close_naive(&naive);
}

static void check_plan(struct generator *generator, const struct model *model, const struct book *book,
                       struct arena *arena)
{
    int id = 1 + (int)random_below(generator, (uint32_t)model->contract_count);
    const struct model_contract *contract = &model->contracts[id];
    struct shortfall_query query = {.tenant = (uint32_t)contract->tenant, .contract = contract->name};
    struct shortfall_plan plan;
    int32_t running = model_hour(model);
    shortfall_plan(book, &query, (struct instant){model->now}, arena, &plan);
    if (running < contract->start || running >= contract->end) {
        MODEL_EQUAL(model, plan.verdict, VERDICT_INVALID_STATE);
        return;
    }
    int period = period_of(model, id, running);
    int64_t shortfall = period_floor(&model->periods[period]) - period_used(&model->periods[period]);
    MODEL_EQUAL(model, plan.verdict, VERDICT_DONE);
    MODEL_EQUAL(model, plan.period, period);
    MODEL_EQUAL(model, plan.shortfall.micro, shortfall > 0 ? shortfall : 0);
    if (shortfall > 0) {
        compare_plan(model, book, arena, &plan, id, period);
        return;
    }
    MODEL_EQUAL(model, plan.count, 0);
    MODEL_CHECK(model, !plan.has_last_chance);
}

void offers_check(struct generator *generator, const struct model *model, const struct book *book,
                  struct arena *arena)
{
    if (one_in(generator, 4) && model->contract_count > 0)
        check_plan(generator, model, book, arena);
    else
        check_offers(generator, model, book, arena);
}
