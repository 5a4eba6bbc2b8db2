// The edges of the rules: what is written late, what is far ahead, what is very much, and what a restart must
// not show.
#include "world.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

static enum verdict decide_change(struct world *world, struct change_request request)
{
    return world_decide(world, (struct request){.kind = REQUEST_CHANGE, .change = request});
}

// Applies a manifest of one more tenant, "nova", with this contract.
static void add_contract(struct world *world, struct manifest_contract contract)
{
    static struct manifest_tenant tenants[] = {{.tenant = "nova", .name = "Nova"}};
    contract.contract = "nova-1";
    contract.tenant = "nova";
    struct manifest manifest = {
        .tenants = tenants, .tenant_count = 1, .contracts = &contract, .contract_count = 1};
    assert_int_equal(
        world_decide(world, (struct request){.kind = REQUEST_MANIFEST_APPLY, .manifest = &manifest}),
        VERDICT_DONE);
}

static enum verdict nova_creates(struct world *world, struct leg leg)
{
    return world_decide(
        world,
        (struct request){.kind = REQUEST_CREATE, .tenant = "nova", .create = {.legs = &leg, .leg_count = 1}});
}

static size_t events_of(const struct world *world, const char *type)
{
    size_t count = 0;
    assert_true(world->row_count <= 4096);
    for (size_t i = 0; i < world->row_count; i++)
        count += world->rows[i].kind == ROW_EVENT && strcmp(world->rows[i].event.type, type) == 0;
    return count;
}

// Starts may be written after their hour; what changes or cancels a reservation first writes its start.
static void start_not_yet_written_comes_before_a_change(void **state)
{
    struct world *world = *state;
    world_create(world, leg_of("colossus-1/h100", 8, "2026-02-01T00:00:00Z", "2026-02-03T00:00:00Z"), NULL);
    int64_t cancelled = created_id(world);
    world_create(world, leg_of("colossus-1/h100", 8, "2026-02-01T00:00:00Z", "2026-02-03T00:00:00Z"), NULL);
    int64_t changed = created_id(world);
    world->now = instant_of("2026-02-01T00:30:00Z");
    assert_int_equal(world_cancel(world, cancelled, false), VERDICT_DONE);
    assert_int_equal(events_of(world, "reservation.started"), 1);
    const struct event_row *started = last_event(world, "reservation.started");
    assert_int_equal(started->reservation, cancelled);
    assert_int_equal(started->at.seconds, instant_of("2026-02-01T00:00:00Z").seconds);
    const struct event_row *ended = last_event(world, "reservation.cancelled");
    assert_true(started->seq < ended->seq);
    assert_int_equal(ended->at.seconds, world->now.seconds);
    assert_int_equal(decide_change(world, (struct change_request){.id = changed,
                                                                  .has_end = true,
                                                                  .end = hour_of("2026-02-04T00:00:00Z")}),
                     VERDICT_DONE);
    assert_int_equal(last_event(world, "reservation.started")->reservation, changed);
    world_advance(world, "2026-02-01T00:40:00Z");
    assert_int_equal(events_of(world, "reservation.started"), 2);
    world_advance(world, "2026-02-05T00:00:00Z");
    assert_int_equal(events_of(world, "reservation.started"), 2);
    assert_int_equal(events_of(world, "reservation.completed"), 1);
}

// A fee is billed in the month of the cancel, also when its contract has not begun.
static void fee_before_the_contract_is_billed_that_month(void **state)
{
    struct world *world = *state;
    add_contract(world, (struct manifest_contract){
                            .start = hour_of("2026-04-01T00:00:00Z"),
                            .end = hour_of("2027-04-01T00:00:00Z"),
                            .terms = {.annual = true,
                                      .annual_commit = amount_of("100000.00"),
                                      .cancel_notice_hours = 24 * 365,
                                      .late_fee_bp = 5000},
                        });
    uint32_t period = book_contract_first_period(world->book, book_contract(world->book, "nova-1"));
    assert_int_equal(
        nova_creates(world, leg_of("colossus-1/h100", 8, "2026-04-02T00:00:00Z", "2026-04-03T00:00:00Z")),
        VERDICT_DONE);
    int64_t id = created_id(world);
    assert_int_equal(world_decide(world, (struct request){.kind = REQUEST_CANCEL,
                                                          .tenant = "nova",
                                                          .cancel = {.target = {.id = id}}}),
                     VERDICT_DONE);
    assert_period(world, period, "fees", "192.00");
    assert_int_equal(transferred(world, TRANSFER_FEE).micro, amount_of("192.00").micro);
    assert_period(world, period, "billed", "0.00");
    world_advance(world, "2026-02-01T00:00:00Z");
    assert_period(world, period, "billed", "192.00");
    assert_period(world, period, "consumed", "0.00");
    world_advance(world, "2027-04-01T00:00:00Z");
    assert_period(world, period, "billed", "100192.00");
}

// Growing from hour to hour makes a stack of slices; it has a bound, and what is left can always be
// cancelled.
static void stack_of_slices_has_a_bound(void **state)
{
    struct world *world = *state;
    add_contract(
        world,
        (struct manifest_contract){
            .start = hour_of("2026-01-01T00:00:00Z"),
            .end = hour_of("2027-01-01T00:00:00Z"),
            .terms = {.annual = true, .annual_commit = amount_of("0.00"), .overage_kind = OVERAGE_UNLIMITED},
        });
    struct hour start = hour_of("2026-02-01T00:00:00Z");
    struct leg leg = {.pool = "colossus-1/h100", .gpus = 8, .start = start, .end = {start.number + 4000}};
    assert_int_equal(nova_creates(world, leg), VERDICT_DONE);
    int64_t id = created_id(world);
    enum verdict verdict = VERDICT_DONE;
    int changes = 0;
    for (; changes < 3000 && verdict == VERDICT_DONE; changes++) {
        // Up in steps of 8 to 1,024, then down again and so on, each from an hour later.
        int place = (changes + 1) % 254;
        struct change_request change = {.id = id,
                                        .has_gpus = true,
                                        .gpus = 8 * (1 + (place < 127 ? place : 254 - place)),
                                        .has_from = true,
                                        .from = {start.number + changes + 1}};
        verdict =
            world_decide(world, (struct request){.kind = REQUEST_CHANGE, .tenant = "nova", .change = change});
        arena_reset(&world->arena);
        world->row_count = 0;
    }
    assert_int_equal(verdict, VERDICT_INVALID_STATE);
    assert_true(changes > 500);
    struct reservation_image image;
    assert_true(book_reservation(world->book, id, world->now, &image));
    assert_true(image.slice_count <= 512);
    struct amount cost = image.row.cost;
    assert_int_equal(world_decide(world, (struct request){.kind = REQUEST_CANCEL,
                                                          .tenant = "nova",
                                                          .cancel = {.target = {.id = id}}}),
                     VERDICT_DONE);
    assert_int_equal(world->decision.outcomes[0].released.micro, cost.micro);
    assert_int_equal(world->decision.outcomes[0].image.slice_count, 0);
    assert_int_equal(book_free(world->book, book_pool(world->book, "colossus-1/h100"), start), 1024);
}

// A shrink over a stack cuts the newest first, hour by hour, and the slices below stay whole.
static void shrink_over_a_stack_leaves_few_slices(void **state)
{
    struct world *world = *state;
    struct hour start = hour_of("2026-02-01T00:00:00Z");
    struct leg leg = {.pool = "colossus-1/h100", .gpus = 8, .start = start, .end = {start.number + 40}};
    world_create(world, leg, NULL);
    int64_t id = created_id(world);
    for (int i = 1; i < 20; i++)
        assert_int_equal(decide_change(world, (struct change_request){.id = id,
                                                                      .has_gpus = true,
                                                                      .gpus = 8 + 8 * i,
                                                                      .has_from = true,
                                                                      .from = {start.number + i}}),
                         VERDICT_DONE);
    struct reservation_image image;
    assert_true(book_reservation(world->book, id, world->now, &image));
    assert_int_equal(image.slice_count, 20);
    assert_int_equal(decide_change(world, (struct change_request){.id = id, .has_gpus = true, .gpus = 80}),
                     VERDICT_DONE);
    // At 80 GPUs from the first hour on: the layers up to the tenth stay, and what was missing before is new.
    assert_true(book_reservation(world->book, id, world->now, &image));
    assert_int_equal(image.row.gpu_hours, 80 * 40);
    for (int32_t i = 0; i < image.slice_count; i++)
        assert_true(image.slices[i].layer <= 10 || image.slices[i].layer == 21);
    assert_true(image.slice_count <= 20);
    for (int i = 0; i < 40; i++) {
        struct hour hour = {start.number + i};
        assert_int_equal(book_free(world->book, 1, hour), 1024 - 80);
    }
}

// A booking whose close could not be settled is refused, because the close itself can't be.
static void booking_that_could_not_be_settled_is_refused(void **state)
{
    struct world *world = *state;
    static struct manifest_price prices[] = {{"colossus-1/h100", TIER_FIRM, {INT64_C(600000000000000000)}}};
    add_contract(world, (struct manifest_contract){
                            .start = hour_of("2026-01-01T00:00:00Z"),
                            .end = hour_of("2027-01-01T00:00:00Z"),
                            .prices = prices,
                            .price_count = 1,
                            .terms = {.annual = true,
                                      .annual_commit = amount_of("0.00"),
                                      .overage_kind = OVERAGE_UNLIMITED,
                                      .surcharge_bp = 10000},
                        });
    struct leg leg = leg_of("colossus-1/h100", 8, "2026-02-01T00:00:00Z", "2026-02-01T01:00:00Z");
    assert_int_equal(nova_creates(world, leg), VERDICT_AMOUNT_OVERFLOW);
    world_advance(world, "2027-01-01T00:00:00Z");
}

// The operator side's references name no reservation.
static void operators_reference_names_no_reservation(void **state)
{
    struct world *world = *state;
    world_create(world, leg_of("colossus-1/h100", 8, "2026-02-01T00:00:00Z", "2026-02-03T00:00:00Z"), NULL);
    struct capacity_change_request change = {.pool = "colossus-1/h100",
                                             .kind = CAPACITY_GROWTH,
                                             .gpus = 8,
                                             .start = hour_of("2026-03-01T00:00:00Z"),
                                             .end = HOUR_NEVER};
    assert_int_equal(world_decide(world, (struct request){.kind = REQUEST_CAPACITY_CHANGE,
                                                          .client_ref = "growth",
                                                          .capacity = change}),
                     VERDICT_DONE);
    bool is_group;
    assert_int_equal(book_client_ref(world->book, 0, "growth", &is_group), 0);
}

// A pool that is added in the first batch after years can be booked up to the horizon in that batch.
static void pool_added_after_years_reaches_the_horizon(void **state)
{
    struct world *world = *state;
    struct instant now = instant_of("2036-01-01T00:00:00Z");
    struct decision decision;
    bool urgent;
    while (book_decide_due(world->book, now, &world->arena, &decision, &urgent))
        book_apply_rows(world->book, decision.rows, decision.row_count);
    world->now = now;
    struct manifest_step capacity = {hour_of("2036-01-01T00:00:00Z"), 64};
    struct manifest_rate rate = {.from = capacity.from, .has = {true}, .price = {amount_of("1.00")}};
    struct manifest_pool pool = {.pool = "colossus-1/new",
                                 .gpu = "NEW",
                                 .unit = 8,
                                 .capacity = &capacity,
                                 .capacity_count = 1,
                                 .rates = &rate,
                                 .rate_count = 1};
    struct manifest_tenant tenant = {.tenant = "nova"};
    struct manifest_contract contract = {.contract = "nova-1",
                                         .tenant = "nova",
                                         .start = capacity.from,
                                         .end = hour_of("2046-01-01T00:00:00Z"),
                                         .terms = {.annual = true, .annual_commit = amount_of("1000000.00")}};
    struct manifest manifest = {.pools = &pool,
                                .pool_count = 1,
                                .tenants = &tenant,
                                .tenant_count = 1,
                                .contracts = &contract,
                                .contract_count = 1};
    assert_int_equal(
        world_decide(world, (struct request){.kind = REQUEST_MANIFEST_APPLY, .manifest = &manifest}),
        VERDICT_DONE);
    struct leg leg = leg_of("colossus-1/new", 8, "2045-12-31T00:00:00Z", "2046-01-01T00:00:00Z");
    assert_int_equal(nova_creates(world, leg), VERDICT_DONE);
}

// An export lists uids and power in the same order before and after a restart: by number and by hour.
static void lists_keep_the_order_in_which_they_are_loaded(void **state)
{
    struct world *world = *state;
    uint32_t uids[] = {1005, 1001, 1003};
    struct manifest_step power[] = {{hour_of("2027-01-01T00:00:00Z"), 2000},
                                    {hour_of("2026-01-01T00:00:00Z"), 1000}};
    struct manifest_site site = {.site = "colossus-1", .power = power, .power_count = 2};
    struct manifest manifest = {.has_operator_uids = true,
                                .operator_uids = uids,
                                .operator_uid_count = 3,
                                .sites = &site,
                                .site_count = 1};
    assert_int_equal(
        world_decide(world, (struct request){.kind = REQUEST_MANIFEST_APPLY, .manifest = &manifest}),
        VERDICT_DONE);
    struct buffer text = {0};
    struct json json = json_begin(&text);
    json_write_object(&json, NULL);
    book_write_manifest(world->book, &json);
    json_write_object_end(&json);
    assert_non_null(strstr(text.data, "\"uids\":[1001,1003,1005]"));
    const char *first = strstr(text.data, "\"kw\":1"), *second = strstr(text.data, "\"kw\":2");
    assert_non_null(first);
    assert_non_null(second);
    assert_true(first < second);
    buffer_free(&text);
}

static enum verdict create_group(struct world *world, struct leg *legs, size_t count, int64_t hold_seconds)
{
    return world_decide(
        world, (struct request){.kind = REQUEST_CREATE_GROUP,
                                .create = {.legs = legs, .leg_count = count, .hold_seconds = hold_seconds}});
}

// One more pool, without a price.
static void add_spare_pool(struct world *world)
{
    struct manifest_step capacity = {hour_of("2026-01-01T00:00:00Z"), 64};
    struct manifest_pool pool = {
        .pool = "colossus-1/spare", .gpu = "H100", .unit = 8, .capacity = &capacity, .capacity_count = 1};
    struct manifest manifest = {.pools = &pool, .pool_count = 1};
    assert_int_equal(
        world_decide(world, (struct request){.kind = REQUEST_MANIFEST_APPLY, .manifest = &manifest}),
        VERDICT_DONE);
}

// The order of reasons holds over all legs: no_contract of the last before no_rate of the first, and that
// before too little capacity.
static void reasons_come_before_legs(void **state)
{
    struct world *world = *state;
    add_spare_pool(world);
    struct leg legs[] = {leg_of("colossus-1/h100", 2048, "2026-02-01T00:00:00Z", "2026-02-03T00:00:00Z"),
                         leg_of("colossus-1/spare", 8, "2026-02-01T05:00:00Z", "2026-02-03T00:00:00Z"),
                         leg_of("colossus-1/h100", 8, "2027-12-31T00:00:00Z", "2028-01-02T00:00:00Z")};
    assert_int_equal(create_group(world, legs, 3, 0), VERDICT_NO_CONTRACT);
    assert_int_equal(world->decision.refusal.leg, 2);
    assert_int_equal(world->decision.refusal.first_uncovered.number, hour_of("2028-01-01T00:00:00Z").number);
    assert_int_equal(create_group(world, legs, 2, 0), VERDICT_NO_RATE);
    assert_int_equal(world->decision.refusal.leg, 1);
    assert_int_equal(world->decision.refusal.first_uncovered.number, legs[1].start.number);
    legs[1] = leg_of("colossus-1/h100", 8, "2026-02-01T00:00:00Z", "2026-02-03T00:00:00Z");
    assert_int_equal(create_group(world, legs, 2, 0), VERDICT_CAPACITY_EXCEEDED);
    assert_int_equal(world->decision.refusal.leg, 0);
}

static void assert_lapsed(struct world *world, int64_t group)
{
    assert_int_equal(world_decide(world, (struct request){.kind = REQUEST_CONFIRM,
                                                          .confirm = {.is_group = true, .id = group}}),
                     VERDICT_EXPIRED);
    assert_int_equal(world->decision.refusal.state, STATE_EXPIRED);
}

// The first leg lapsed while the second, confirmed singly, ran and ended. Whether its end has been written
// must not show.
static void group_that_ended_in_two_ways_is_as_its_first_leg(void **state)
{
    struct world *world = *state;
    struct leg legs[] = {leg_of("colossus-1/h100", 8, "2026-02-01T00:00:00Z", "2026-02-03T00:00:00Z"),
                         leg_of("colossus-1/h100", 8, "2026-01-01T02:00:00Z", "2026-01-01T04:00:00Z")};
    assert_int_equal(create_group(world, legs, 2, 3600), VERDICT_DONE);
    int64_t group = world->decision.group;
    assert_int_equal(
        world_decide(world, (struct request){.kind = REQUEST_CONFIRM, .confirm = {.id = group + 1}}),
        VERDICT_DONE);
    world_advance(world, "2026-01-01T03:00:00Z");
    assert_lapsed(world, group);
    world->now = instant_of("2026-01-01T04:00:00Z");
    assert_true(book_reservation_live(world->book, group + 1));
    assert_lapsed(world, group);
    world_advance(world, "2026-01-01T04:00:00Z");
    assert_false(book_reservation_live(world->book, group + 1));
    assert_lapsed(world, group);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(start_not_yet_written_comes_before_a_change),
        TEST(fee_before_the_contract_is_billed_that_month),
        TEST(stack_of_slices_has_a_bound),
        TEST(shrink_over_a_stack_leaves_few_slices),
        TEST(booking_that_could_not_be_settled_is_refused),
        TEST(operators_reference_names_no_reservation),
        TEST(pool_added_after_years_reaches_the_horizon),
        TEST(lists_keep_the_order_in_which_they_are_loaded),
        TEST(reasons_come_before_legs),
        TEST(group_that_ended_in_two_ways_is_as_its_first_leg),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
