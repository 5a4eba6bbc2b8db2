// Offers by hand: what is proposed, how it is ranked, what it leaves, and what never is proposed.
#include "world.h"

#include "core/offer.h"

#define JUNE "2026-06-01T00:00:00Z"

static struct offer_list list;

static struct offer_query query_of(const struct world *world, int64_t gpus, int64_t hours)
{
    return (struct offer_query){
        .tenant = book_tenant(world->book, "acme"), .gpus = gpus, .hours = hours, .limit = 10};
}

static enum verdict search(struct world *world, const struct offer_query *query)
{
    offers_search(world->book, query, world->now, &world->arena, &list);
    return list.verdict;
}

static void assert_offer(const struct world *world, const struct offer *offer, const char *pool, int32_t gpus,
                         const char *start, const char *end, const char *cost)
{
    assert_string_equal(book_pool_row(world->book, offer->pool)->pool, pool);
    assert_int_equal(offer->gpus, gpus);
    assert_int_equal(offer->start.number, hour_of(start).number);
    assert_int_equal(offer->end.number, hour_of(end).number);
    assert_int_equal(offer->cost.micro, amount_of(cost).micro);
}

// Both pools are free at once: the cheaper first, then what doesn't overlap.
static void offers_are_ranked_by_start_and_cost(void **state)
{
    struct world *world = *state;
    world_advance(world, "2026-06-01T00:30:00Z");
    struct offer_query query = query_of(world, 70, 24);
    query.limit = 4;
    assert_int_equal(search(world, &query), VERDICT_DONE);
    assert_int_equal(list.count, 4);
    assert_int_equal(list.miss_count, 0);
    assert_false(list.stopped_short);
    // GPUs are rounded up to the unit: 8 and 72.
    assert_offer(world, &list.offers[0], "colossus-1/h100", 72, JUNE, "2026-06-02T00:00:00Z", "3456.00");
    assert_offer(world, &list.offers[1], "colossus-1/gb200", 72, JUNE, "2026-06-02T00:00:00Z", "6912.00");
    assert_offer(world, &list.offers[2], "colossus-1/h100", 72, "2026-06-02T00:00:00Z",
                 "2026-06-03T00:00:00Z", "3456.00");
    assert_offer(world, &list.offers[3], "colossus-1/gb200", 72, "2026-06-02T00:00:00Z",
                 "2026-06-03T00:00:00Z", "6912.00");
    assert_int_equal(list.offers[0].period_count, 1);
    assert_int_equal(list.offers[0].periods[0].period, ACME_FIRST);
    assert_int_equal(list.offers[0].periods[0].after.available.micro, amount_of("1096544.00").micro);
    assert_int_equal(list.offers[0].periods[0].after.shortfall.micro, amount_of("996544.00").micro);
}

static void what_is_offered_can_be_booked(void **state)
{
    struct world *world = *state;
    world_advance(world, JUNE);
    assert_int_equal(
        world_create(world, leg_of("colossus-1/h100", 1000, "2026-06-01T05:00:00Z", "2026-06-02T00:00:00Z"),
                     NULL),
        VERDICT_DONE);
    struct offer_query query = query_of(world, 100, 12);
    query.order = OFFER_CHEAPEST;
    const char *pools[] = {"colossus-1/h100"};
    query.pools = pools;
    query.pool_count = 1;
    assert_int_equal(search(world, &query), VERDICT_DONE);
    assert_int_equal(list.count, 10);
    assert_offer(world, &list.offers[0], "colossus-1/h100", 104, "2026-06-02T00:00:00Z",
                 "2026-06-02T12:00:00Z", "2496.00");
    struct leg leg = {.pool = pools[0],
                      .gpus = list.offers[0].gpus,
                      .start = list.offers[0].start,
                      .end = list.offers[0].end};
    assert_int_equal(world_create(world, leg, NULL), VERDICT_DONE);
    assert_int_equal(world->decision.outcomes[0].image.row.cost.micro, list.offers[0].cost.micro);
}

// What its period has left is a limit like any other.
static void commitment_bounds_what_is_offered(void **state)
{
    struct world *world = *state;
    world_advance(world, JUNE);
    struct offer_query query = query_of(world, 1024, 24 * 30);
    query.has_latest_end = true;
    query.latest_end = hour_of("2027-03-01T00:00:00Z");
    // 1,024 × 720 × $2.00 = $1,474,560, of which either year takes $1,100,000 at most: so at least $374,560,
    // 182.9 hours, lie in each.
    assert_int_equal(search(world, &query), VERDICT_DONE);
    assert_offer(world, &list.offers[0], "colossus-1/h100", 1024, "2026-12-09T15:00:00Z",
                 "2027-01-08T15:00:00Z", "1474560.00");
    assert_int_equal(list.count, 1);
    assert_int_equal(list.offers[0].period_count, 2);
    assert_int_equal(list.offers[0].periods[1].cost.micro, amount_of("374784.00").micro);
}

static void nearest_is_told_when_nothing_fits(void **state)
{
    struct world *world = *state;
    world_advance(world, JUNE);
    assert_int_equal(
        world_create(world, leg_of("colossus-1/h100", 520, "2026-06-01T10:00:00Z", "2026-06-01T20:00:00Z"),
                     NULL),
        VERDICT_DONE);
    struct offer_query query = query_of(world, 600, 12);
    const char *site = "colossus-1";
    query.sites = &site;
    query.site_count = 1;
    query.gpu = "H100";
    query.has_latest_end = true;
    query.latest_end = hour_of("2026-06-02T00:00:00Z");
    assert_int_equal(search(world, &query), VERDICT_DONE);
    assert_int_equal(list.count, 0);
    assert_int_equal(list.miss_count, 3);
    assert_int_equal(list.misses[0].miss, MISS_HOURS);
    assert_int_equal(list.misses[0].lacks, 2);
    assert_offer(world, &list.misses[0], "colossus-1/h100", 600, JUNE, "2026-06-01T10:00:00Z", "12000.00");
    assert_int_equal(list.misses[1].miss, MISS_GPUS);
    assert_int_equal(list.misses[1].lacks, 96);
    assert_offer(world, &list.misses[1], "colossus-1/h100", 504, JUNE, "2026-06-01T12:00:00Z", "12096.00");
    assert_int_equal(list.misses[2].miss, MISS_START);
    assert_int_equal(list.misses[2].lacks, 8);
    assert_offer(world, &list.misses[2], "colossus-1/h100", 600, "2026-06-01T20:00:00Z",
                 "2026-06-02T08:00:00Z", "14400.00");
}

// The price falls on 5 June and the power on the 8th: the cheapest window ends when there is power no more.
static void power_cuts_what_gets_cheaper(void **state)
{
    struct world *world = *state;
    struct manifest_rate rate = {
        .from = hour_of("2026-06-05T00:00:00Z"), .has = {true}, .price = {amount_of("1.00")}};
    struct manifest_step power[] = {{hour_of("2026-01-01T00:00:00Z"), 500000},
                                    {hour_of("2026-06-08T00:00:00Z"), 50000},
                                    {hour_of("2026-06-09T00:00:00Z"), 500000}};
    struct manifest_site site = {.site = "colossus-1", .power = power, .power_count = 3};
    struct manifest_pool pool = {.pool = "colossus-1/h100",
                                 .gpu = "H100",
                                 .unit = 8,
                                 .watts_per_gpu = 1000,
                                 .rates = &rate,
                                 .rate_count = 1};
    struct manifest manifest = {.sites = &site, .site_count = 1, .pools = &pool, .pool_count = 1};
    assert_int_equal(
        world_decide(world, (struct request){.kind = REQUEST_MANIFEST_APPLY, .manifest = &manifest}),
        VERDICT_DONE);
    world_advance(world, JUNE);
    struct offer_query query = query_of(world, 400, 120);
    query.order = OFFER_CHEAPEST;
    query.gpu = "H100";
    query.has_latest_end = true;
    query.latest_end = hour_of("2026-06-12T00:00:00Z");
    query.limit = 1;
    // Two days at $2.00 and three at $1.00.
    assert_int_equal(search(world, &query), VERDICT_DONE);
    assert_offer(world, &list.offers[0], "colossus-1/h100", 400, "2026-06-03T00:00:00Z",
                 "2026-06-08T00:00:00Z", "67200.00");
}

static void what_is_unknown_or_not_allowed_is_refused(void **state)
{
    struct world *world = *state;
    world_advance(world, JUNE);
    struct offer_query query = query_of(world, 8, 1);
    const char *unknown = "colossus-9/none";
    query.pools = &unknown;
    query.pool_count = 1;
    assert_int_equal(search(world, &query), VERDICT_NOT_FOUND);
    assert_string_equal(list.member, "pools");
    query.pool_count = 0;
    query.sites = &unknown;
    query.site_count = 1;
    assert_int_equal(search(world, &query), VERDICT_NOT_FOUND);
    assert_string_equal(list.member, "sites");
    query.site_count = 0;
    query.gpu = "MI300X";
    assert_int_equal(search(world, &query), VERDICT_NOT_FOUND);
    assert_string_equal(list.member, "gpu");
    query.gpu = NULL;
    assert_int_equal(world_decide(world, (struct request){.kind = REQUEST_TENANT_SUSPEND, .tenant = "acme"}),
                     VERDICT_DONE);
    assert_int_equal(search(world, &query), VERDICT_TENANT_SUSPENDED);
}

// What no pool could ever give, and windows that are over or too far away, are no offers and no misses.
static void nothing_is_offered_that_can_not_be(void **state)
{
    struct world *world = *state;
    world_advance(world, JUNE);
    struct offer_query query = query_of(world, INT32_MAX, INT32_MAX);
    assert_int_equal(search(world, &query), VERDICT_DONE);
    assert_int_equal(list.count, 0);
    assert_int_equal(list.miss_count, 0);
    query = query_of(world, 8, 24);
    query.has_latest_end = true;
    query.latest_end = hour_of("2026-01-01T00:00:00Z");
    assert_int_equal(search(world, &query), VERDICT_DONE);
    assert_int_equal(list.count, 0);
    assert_int_equal(list.miss_count, 1); // later than that: at once
    assert_offer(world, &list.misses[0], "colossus-1/h100", 8, JUNE, "2026-06-02T00:00:00Z", "384.00");
    query.latest_end = hour_of("2200-01-01T00:00:00Z");
    query.has_earliest = true;
    query.earliest = hour_of("2100-01-01T00:00:00Z");
    assert_int_equal(search(world, &query), VERDICT_DONE);
    assert_int_equal(list.count, 0);
    assert_int_equal(list.miss_count, 0);
}

// Every other hour of some years is booked: the search for two hours stops at its bound, and says so.
static void search_stops_at_its_bound(void **state)
{
    struct world *world = *state;
    struct manifest_period whole = {.start = hour_of(JUNE)};
    struct manifest_tenant tenant = {.tenant = "omega"};
    struct manifest_contract contract = {.contract = "omega",
                                         .tenant = "omega",
                                         .start = whole.start,
                                         .end = hour_of("2036-01-01T00:00:00Z"),
                                         .periods = &whole,
                                         .period_count = 1,
                                         .terms = {.overage_kind = OVERAGE_UNLIMITED}};
    struct manifest manifest = {
        .tenants = &tenant, .tenant_count = 1, .contracts = &contract, .contract_count = 1};
    world_advance(world, JUNE);
    assert_int_equal(
        world_decide(world, (struct request){.kind = REQUEST_MANIFEST_APPLY, .manifest = &manifest}),
        VERDICT_DONE);
    for (int32_t i = 0; i < 20000; i++) {
        struct leg leg = {.pool = "colossus-1/gb200", .gpus = 720};
        leg.start.number = whole.start.number + 2 * i;
        leg.end.number = leg.start.number + 1;
        struct request request = {
            .kind = REQUEST_CREATE, .tenant = "omega", .create = {.legs = &leg, .leg_count = 1}};
        assert_int_equal(world_decide(world, request), VERDICT_DONE);
        arena_reset(&world->arena);
    }
    struct offer_query query = query_of(world, 72, 2);
    query.tenant = book_tenant(world->book, "omega");
    query.gpu = "GB200";
    query.has_latest_end = true;
    query.latest_end.number = whole.start.number + 40000;
    assert_int_equal(search(world, &query), VERDICT_DONE);
    assert_int_equal(list.count, 0);
    assert_true(list.stopped_short);
    assert_true(list.searched_until.number > whole.start.number + 30000);
    assert_true(list.searched_until.number < query.latest_end.number);
    query.latest_end.number = whole.start.number + 10000;
    assert_int_equal(search(world, &query), VERDICT_DONE);
    assert_false(list.stopped_short);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(offers_are_ranked_by_start_and_cost, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(what_is_offered_can_be_booked, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(commitment_bounds_what_is_offered, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(nearest_is_told_when_nothing_fits, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(power_cuts_what_gets_cheaper, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(what_is_unknown_or_not_allowed_is_refused, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(nothing_is_offered_that_can_not_be, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(search_stops_at_its_bound, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
