// Offers against a scan of every hour: small random worlds, with rates and contract periods that change every
// few hours, commitments that are nearly used up, power, both tiers and bookings of two tenants; and every
// start in every pool tried as a dry run.
//
// The seeds are fixed; OFFER_SEED=n runs that one instead. A failure names its seed and query.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "core/offer.h"
#include <stdlib.h>
#include <string.h>

#define ORIGIN      493000
#define SPAN        160 // hours in which things happen
#define POOLS       3
#define STEPS       6
#define POWER_STEPS 24
#define PERIODS     5
#define SEEDS       12
#define QUERIES     25

struct property {
    struct book *book;
    struct arena arena;
    struct instant now;
    uint64_t random, seed;
    int query;
};

static uint32_t random_below(struct property *property, uint32_t bound)
{
    // SplitMix64
    uint64_t z = property->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((z ^ (z >> 31)) % bound);
}

static bool one_in(struct property *property, uint32_t count)
{
    return random_below(property, count) == 0;
}

#define CHECK(property, condition)                                                                           \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            fail_msg("OFFER_SEED=%llu, query %d: %s", (unsigned long long)(property)->seed,                  \
                     (property)->query, #condition);                                                         \
    } while (0)

// ---- The world

static const char *const pool_names[POOLS] = {"one/a", "one/b", "two/c"};
static const char *const site_names[2] = {"one", "two"};
static const char *const models[POOLS] = {"H100", "B200", "H100"};
static const int32_t units[POOLS] = {1, 4, 3};

static struct hour random_hour(struct property *property)
{
    return (struct hour){ORIGIN + (int32_t)random_below(property, SPAN)};
}

static void make_power(struct property *property, struct manifest_site *site, struct manifest_step *steps)
{
    site->power = steps;
    site->power_count = POWER_STEPS;
    for (int32_t i = 0; i < POWER_STEPS; i++)
        steps[i] = (struct manifest_step){{ORIGIN + i * SPAN / POWER_STEPS},
                                          1000 * (12 + (int64_t)random_below(property, 60))};
}

static void make_pool(struct property *property, struct manifest_pool *pool, int place)
{
    static struct manifest_step capacity[POOLS][STEPS];
    static struct manifest_rate rates[POOLS][STEPS];
    *pool = (struct manifest_pool){.pool = pool_names[place],
                                   .gpu = models[place],
                                   .unit = units[place],
                                   .watts_per_gpu = place == 2 ? 0 : 1000 + 500 * place,
                                   .capacity = capacity[place],
                                   .capacity_count = STEPS,
                                   .rates = rates[place]};
    for (int32_t i = 0; i < STEPS; i++)
        capacity[place][i] = (struct manifest_step){{ORIGIN + i * SPAN / STEPS},
                                                    units[place] * (6 + (int64_t)random_below(property, 10))};
    pool->rate_count = 1 + random_below(property, STEPS);
    struct hour from = {ORIGIN - 50 + (int32_t)random_below(property, 60)};
    for (size_t i = 0; i < pool->rate_count; i++) {
        rates[place][i] = (struct manifest_rate){.from = from, .has = {true, true}};
        for (int tier = 0; tier < TIER_COUNT; tier++)
            rates[place][i].price[tier].micro =
                random_below(property, 5) * 100000 + random_below(property, 2);
        from.number += 1 + (int32_t)random_below(property, 40);
    }
}

// The first tenant's two contracts, with hours between them that none covers.
static void make_contract(struct property *property, struct manifest_contract *contract, int place)
{
    static struct manifest_period periods[2][PERIODS];
    static const char *scope[2] = {"one/a", "two/c"};
    struct hour start = {place == 0 ? ORIGIN - 5 : ORIGIN + 100 + (int32_t)random_below(property, 10)};
    struct hour end = {place == 0 ? ORIGIN + 60 + (int32_t)random_below(property, 40) : ORIGIN + 20000};
    *contract = (struct manifest_contract){.contract = place == 0 ? "first" : "second",
                                           .tenant = "acme",
                                           .start = start,
                                           .end = end,
                                           .periods = periods[place]};
    contract->terms.overage_kind = one_in(property, 4) ? OVERAGE_UNLIMITED : OVERAGE_AMOUNT;
    contract->terms.overage_amount.micro = random_below(property, 20000000);
    contract->terms.discount_bp = one_in(property, 2) ? 1250 : 0;
    for (int i = 0; i < PERIODS && start.number < end.number; i++) {
        periods[place][i] = (struct manifest_period){start, {random_below(property, 60000000)}};
        contract->period_count++;
        start.number += 5 + (int32_t)random_below(property, 30);
    }
    if (place == 0 && one_in(property, 2)) {
        contract->pools = scope;
        contract->pool_count = 2;
    }
}

static void decide(struct property *property, struct request *request, struct decision *decision)
{
    book_decide(property->book, request, property->now, &property->arena, decision);
    if (decision->verdict == VERDICT_DONE && !request->dry_run)
        book_apply_rows(property->book, decision->rows, decision->row_count);
}

static void make_world(struct property *property)
{
    struct manifest_site sites[2] = {{.site = site_names[0]}, {.site = site_names[1]}};
    struct manifest_step power[POWER_STEPS];
    struct manifest_pool pools[POOLS];
    struct manifest_tenant tenants[2] = {{.tenant = "acme"}, {.tenant = "zeta"}};
    struct manifest_period zeta = {{ORIGIN - 100}, {0}};
    struct manifest_contract contracts[3] = {{.contract = "zeta",
                                              .tenant = "zeta",
                                              .start = {ORIGIN - 100},
                                              .end = {ORIGIN + 20000},
                                              .periods = &zeta,
                                              .period_count = 1,
                                              .terms = {.overage_kind = OVERAGE_UNLIMITED}}};
    make_power(property, &sites[0], power);
    for (int i = 0; i < POOLS; i++)
        make_pool(property, &pools[i], i);
    make_contract(property, &contracts[1], 0);
    make_contract(property, &contracts[2], 1);
    struct manifest manifest = {.sites = sites,
                                .site_count = 2,
                                .pools = pools,
                                .pool_count = POOLS,
                                .tenants = tenants,
                                .tenant_count = 2,
                                .contracts = contracts,
                                .contract_count = 3};
    struct request request = {.kind = REQUEST_MANIFEST_APPLY,
                              .actor = {.role = ROLE_OPERATOR, .name = "uid:0"},
                              .manifest = &manifest};
    struct decision decision;
    decide(property, &request, &decision);
    CHECK(property, decision.verdict == VERDICT_DONE);
}

// Bookings of both tenants, as many as fit of some.
static void book_some(struct property *property)
{
    for (uint32_t i = 5 + random_below(property, 30); i > 0; i--) {
        uint32_t pool = random_below(property, POOLS);
        struct leg leg = {.pool = pool_names[pool],
                          .gpus = units[pool] * (1 + (int64_t)random_below(property, 8)),
                          .start = random_hour(property),
                          .tier = one_in(property, 3) ? TIER_PREEMPTIBLE : TIER_FIRM};
        leg.end.number = leg.start.number + 1 + (int32_t)random_below(property, 12);
        struct request request = {.kind = REQUEST_CREATE,
                                  .actor = {.role = ROLE_OPERATOR, .name = "uid:0"},
                                  .tenant = one_in(property, 3) ? "acme" : "zeta",
                                  .create = {.legs = &leg, .leg_count = 1}};
        struct decision decision;
        decide(property, &request, &decision);
    }
}

static void begin(struct property *property, uint64_t seed)
{
    *property = (struct property){.seed = seed, .random = seed, .now = hour_start((struct hour){ORIGIN})};
    struct book_options options = {.horizon_years = 1, .hold_seconds_max = 86400, .origin = {ORIGIN}};
    property->book = book_create(&options);
    book_loaded(property->book, property->now, 0, 0);
    make_world(property);
    property->now.seconds += random_below(property, 5000);
    struct decision decision;
    bool urgent;
    while (book_decide_due(property->book, property->now, &property->arena, &decision, &urgent))
        book_apply_rows(property->book, decision.rows, decision.row_count);
    book_some(property);
}

// ---- The scan

struct candidate {
    uint32_t pool; // 0: none
    int32_t start, hours;
    int64_t gpus, cost;
};

// The booking as the book would decide it. False when it would be refused.
static bool try_booking(struct property *property, const struct offer_query *query, uint32_t pool,
                        int32_t start, int32_t hours, int64_t gpus, struct candidate *candidate)
{
    struct leg leg = {.pool = book_pool_row(property->book, pool)->pool,
                      .gpus = gpus,
                      .start = {start},
                      .end = {start + hours},
                      .tier = query->tier};
    struct request request = {.kind = REQUEST_CREATE,
                              .dry_run = true,
                              .actor = {.role = ROLE_TENANT, .tenant = query->tenant, .name = "uid:1"},
                              .create = {.legs = &leg, .leg_count = 1}};
    struct decision decision;
    decide(property, &request, &decision);
    if (decision.verdict != VERDICT_DONE)
        return false;
    *candidate = (struct candidate){.pool = pool,
                                    .start = start,
                                    .hours = hours,
                                    .gpus = gpus,
                                    .cost = decision.outcomes[0].image.row.cost.micro};
    return true;
}

static bool comes_before(enum offer_order order, const struct candidate *a, const struct candidate *b)
{
    int64_t first = a->start - b->start, second = a->cost - b->cost;
    if (order == OFFER_CHEAPEST) {
        second = first;
        first = a->cost - b->cost;
    }
    return first != 0 ? first < 0 : second != 0 ? second < 0 : a->pool < b->pool;
}

static bool is_asked_for(const struct offer_query *query, uint32_t pool)
{
    bool named = query->pool_count == 0, at_site = query->site_count == 0;
    for (size_t i = 0; i < query->pool_count; i++)
        named = named || strcmp(query->pools[i], pool_names[pool - 1]) == 0;
    for (size_t i = 0; i < query->site_count; i++)
        at_site = at_site || strncmp(query->sites[i], pool_names[pool - 1], 3) == 0;
    return named && at_site && (query->gpu == NULL || strcmp(query->gpu, models[pool - 1]) == 0);
}

static int64_t rounded(const struct offer_query *query, uint32_t pool)
{
    int64_t unit = units[pool - 1];
    return (query->gpus + unit - 1) / unit * unit;
}

struct window {
    int32_t first, end, horizon;
};

static struct window window_of(const struct property *property, const struct offer_query *query)
{
    int32_t running = hour_of_instant(property->now).number;
    struct window window = {.first = running,
                            .horizon = book_horizon_end(property->book, property->now).number};
    window.end = window.horizon;
    if (query->has_earliest && query->earliest.number > running)
        window.first = query->earliest.number;
    if (query->has_latest_end && query->latest_end.number < window.end)
        window.end = query->latest_end.number;
    return window;
}

// The best start in [first, last], with `fewer` units less than asked for; those that overlap one of `taken`
// in its pool don't count.
static struct candidate scan(struct property *property, const struct offer_query *query,
                             enum offer_order order, int32_t first, int32_t last, int32_t hours,
                             int64_t fewer, const struct candidate *taken, size_t taken_count)
{
    struct candidate best = {0}, candidate;
    for (int32_t start = first; start <= last; start++) {
        for (uint32_t pool = 1; pool <= POOLS; pool++) {
            int64_t gpus = rounded(query, pool) - fewer * units[pool - 1];
            bool free = is_asked_for(query, pool) && gpus > 0;
            for (size_t i = 0; i < taken_count; i++)
                free = free && (taken[i].pool != pool || start + hours <= taken[i].start ||
                                start >= taken[i].start + hours);
            if (free && try_booking(property, query, pool, start, hours, gpus, &candidate) &&
                (best.pool == 0 || comes_before(order, &candidate, &best)))
                best = candidate;
        }
        if (order == OFFER_EARLIEST && best.pool != 0)
            break;
        arena_reset(&property->arena);
    }
    return best;
}

// The most GPUs, whatever the pool.
static struct candidate scan_gpus(struct property *property, const struct offer_query *query,
                                  struct window window)
{
    struct candidate best = {0};
    for (uint32_t pool = 1; pool <= POOLS; pool++) {
        struct offer_query here = *query;
        here.pools = &pool_names[pool - 1];
        here.pool_count = 1;
        if (!is_asked_for(query, pool))
            continue;
        struct candidate found = {0};
        for (int64_t fewer = 1; found.pool == 0 && fewer * units[pool - 1] < rounded(query, pool); fewer++)
            found = scan(property, &here, OFFER_EARLIEST, window.first, window.end - (int32_t)query->hours,
                         (int32_t)query->hours, fewer, NULL, 0);
        if (found.pool != 0 && (best.pool == 0 || found.gpus > best.gpus ||
                                (found.gpus == best.gpus && comes_before(OFFER_EARLIEST, &found, &best))))
            best = found;
    }
    return best;
}

// ---- The comparison

static void compare(struct property *property, const struct offer *offer, const struct candidate *expected)
{
    CHECK(property, offer->pool == expected->pool);
    CHECK(property, offer->start.number == expected->start);
    CHECK(property, offer->end.number == expected->start + expected->hours);
    CHECK(property, offer->gpus == expected->gpus);
    CHECK(property, offer->cost.micro == expected->cost);
    int64_t sum = 0;
    for (size_t i = 0; i < offer->period_count; i++)
        sum += offer->periods[i].cost.micro;
    CHECK(property, sum == expected->cost);
}

static void compare_miss(struct property *property, const struct offer_list *list, enum offer_miss miss,
                         const struct candidate *expected, int64_t lacks)
{
    const struct offer *found = NULL;
    for (size_t i = 0; i < list->miss_count; i++)
        if (list->misses[i].miss == miss)
            found = &list->misses[i];
    CHECK(property, (found != NULL) == (expected->pool != 0));
    if (found == NULL)
        return;
    compare(property, found, expected);
    CHECK(property, found->lacks == lacks);
}

static void compare_misses(struct property *property, const struct offer_query *query,
                           const struct offer_list *list)
{
    struct window window = window_of(property, query);
    int32_t hours = (int32_t)query->hours;
    struct candidate longest = {0}, largest = scan_gpus(property, query, window), later = {0};
    for (int32_t fewer = hours - 1; fewer > 0 && longest.pool == 0; fewer--)
        longest = scan(property, query, OFFER_EARLIEST, window.first, window.end - fewer, fewer, 0, NULL, 0);
    if (query->has_latest_end)
        later = scan(property, query, OFFER_EARLIEST,
                     window.end - hours + 1 > window.first ? window.end - hours + 1 : window.first,
                     window.horizon - hours, hours, 0, NULL, 0);
    compare_miss(property, list, MISS_HOURS, &longest, hours - longest.hours);
    compare_miss(property, list, MISS_GPUS, &largest, query->gpus - largest.gpus);
    compare_miss(property, list, MISS_START, &later, later.start + hours - window.end);
}

static void random_query(struct property *property, struct offer_query *query)
{
    static const char *wanted[2];
    *query = (struct offer_query){
        .tenant = book_tenant(property->book, "acme"),
        .gpus = 1 + random_below(property, one_in(property, 4) ? 60 : 20),
        .hours = 1 + random_below(property, one_in(property, 3) ? 40 : 8),
        .has_earliest = !one_in(property, 4),
        .has_latest_end = true,
        .earliest = random_hour(property),
        .tier = one_in(property, 3) ? TIER_PREEMPTIBLE : TIER_FIRM,
        .order = one_in(property, 3) ? OFFER_EARLIEST : OFFER_CHEAPEST,
        .limit = 1 + random_below(property, 5),
    };
    query->latest_end.number =
        (query->has_earliest ? query->earliest.number : ORIGIN) + 1 + (int32_t)random_below(property, SPAN);
    // Often a window that is hardly long enough, or not quite.
    if (one_in(property, 3))
        query->latest_end.number = (query->has_earliest ? query->earliest.number : ORIGIN) + 1 +
                                   (int32_t)random_below(property, (uint32_t)query->hours + 5);
    if (one_in(property, 4)) {
        wanted[0] = pool_names[random_below(property, POOLS)];
        wanted[1] = pool_names[random_below(property, POOLS)];
        query->pools = wanted;
        query->pool_count = 2;
    }
    if (one_in(property, 6)) {
        query->sites = &site_names[random_below(property, 2)];
        query->site_count = 1;
    }
    if (one_in(property, 6))
        query->gpu = models[random_below(property, POOLS)];
}

static void run_query(struct property *property, int *found, int *missed)
{
    struct offer_query query;
    struct arena arena = {0};
    struct offer_list list;
    random_query(property, &query);
    offers_search(property->book, &query, property->now, &arena, &list);
    CHECK(property, list.verdict == VERDICT_DONE && !list.stopped_short);
    struct window window = window_of(property, &query);
    struct candidate taken[8];
    size_t count = 0;
    for (; count < query.limit; count++) {
        taken[count] = scan(property, &query, query.order, window.first, window.end - (int32_t)query.hours,
                            (int32_t)query.hours, 0, taken, count);
        if (taken[count].pool == 0)
            break;
        CHECK(property, count < list.count);
        compare(property, &list.offers[count], &taken[count]);
    }
    CHECK(property, list.count == count);
    *found += count > 0;
    if (count == 0) {
        compare_misses(property, &query, &list);
        *missed += list.miss_count > 0;
    } else {
        CHECK(property, list.miss_count == 0);
    }
    arena_free(&arena);
}

static void run(uint64_t seed, int *found, int *missed)
{
    struct property property;
    begin(&property, seed);
    for (property.query = 1; property.query <= QUERIES; property.query++)
        run_query(&property, found, missed);
    book_destroy(property.book);
    arena_free(&property.arena);
}

static void offers_are_those_of_a_scan(void **state)
{
    (void)state;
    assert_true(digest_initialise());
    int found = 0, missed = 0;
    const char *chosen = getenv("OFFER_SEED");
    if (chosen != NULL) {
        run(strtoull(chosen, NULL, 10), &found, &missed);
        return;
    }
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run(seed, &found, &missed);
    // Both are tried often.
    assert_true(found > SEEDS * QUERIES / 4);
    assert_true(missed > SEEDS * QUERIES / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_are_those_of_a_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
