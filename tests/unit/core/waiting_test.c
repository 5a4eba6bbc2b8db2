// Requests that wait, and what serves them.
#include "world.h"

#define DAY   "2026-02-01T00:00:00Z"
#define AFTER "2026-02-02T00:00:00Z"

static int64_t wait_for(struct world *world, const char *pool, int64_t gpus)
{
    struct leg leg = leg_of(pool, gpus, DAY, AFTER);
    struct request request = {.kind = REQUEST_CREATE,
                              .create = {.legs = &leg,
                                         .leg_count = 1,
                                         .has_wait_until = true,
                                         .wait_until = instant_of("2026-01-31T00:00:00Z")}};
    assert_int_equal(world_decide(world, request), VERDICT_DONE);
    return created_id(world);
}

static enum reservation_state state_of(struct world *world, int64_t id)
{
    struct reservation_image image;
    world_advance(world, "2026-01-01T00:00:00Z"); // whoever can be served is served
    assert_true(book_reservation(world->book, id, world->now, &image));
    return image.row.state;
}

static void apply(struct world *world, const struct manifest *manifest)
{
    assert_int_equal(
        world_decide(world, (struct request){.kind = REQUEST_MANIFEST_APPLY, .manifest = manifest}),
        VERDICT_DONE);
}

// Two pools of single GPUs that take a kilowatt each, on a site that has 1,000. They cost nothing: what is
// freed is GPUs and power, and no commitment.
static void add_power(struct world *world)
{
    static struct manifest_step power[1], capacity[1];
    static struct manifest_rate rates[1];
    power[0] = (struct manifest_step){hour_of("2026-01-01T00:00:00Z"), 1000000};
    capacity[0] = (struct manifest_step){hour_of("2026-01-01T00:00:00Z"), 999};
    rates[0] = (struct manifest_rate){.from = capacity[0].from, .has = {true}, .price = {AMOUNT_ZERO}};
    struct manifest_site site = {.site = "colossus-1", .power = power, .power_count = 1};
    struct manifest_pool pools[] = {
        {.pool = "colossus-1/single", .gpu = "X", .unit = 1, .watts_per_gpu = 1000},
        {.pool = "colossus-1/other", .gpu = "Y", .unit = 1, .watts_per_gpu = 1000},
    };
    for (int i = 0; i < 2; i++) {
        pools[i].capacity = capacity;
        pools[i].rates = rates;
        pools[i].capacity_count = pools[i].rate_count = 1;
    }
    struct manifest manifest = {.sites = &site, .site_count = 1, .pools = pools, .pool_count = 2};
    apply(world, &manifest);
}

static void freed_gpus_serve_their_pool(void **state)
{
    struct world *world = *state;
    assert_int_equal(world_create(world, leg_of("colossus-1/h100", 1024, DAY, AFTER), NULL), VERDICT_DONE);
    int64_t booked = created_id(world), waiting = wait_for(world, "colossus-1/h100", 8);
    assert_int_equal(state_of(world, waiting), STATE_WAITING);
    assert_int_equal(last_event(world, "reservation.waiting")->reservation, waiting);
    // 1,024 GPUs for 24 hours at $2.00; who waits takes no commitment.
    assert_period(world, ACME_FIRST, "encumbered", "49152.00");
    assert_int_equal(world_cancel(world, booked, false), VERDICT_DONE);
    assert_int_equal(state_of(world, waiting), STATE_BOOKED);
    assert_period(world, ACME_FIRST, "encumbered", "384.00");
    assert_int_equal(transferred(world, TRANSFER_BOOK).micro, 49536000000);
}

static void power_that_one_pool_frees_serves_another(void **state)
{
    struct world *world = *state;
    add_power(world);
    assert_int_equal(world_create(world, leg_of("colossus-1/single", 800, DAY, AFTER), NULL), VERDICT_DONE);
    int64_t booked = created_id(world), waiting = wait_for(world, "colossus-1/other", 201);
    assert_int_equal(state_of(world, waiting), STATE_WAITING);
    assert_int_equal(world_cancel(world, booked, false), VERDICT_DONE);
    assert_int_equal(state_of(world, waiting), STATE_BOOKED);
}

static void a_single_gpu_more_serves(void **state)
{
    struct world *world = *state;
    add_power(world);
    assert_int_equal(world_create(world, leg_of("colossus-1/single", 999, DAY, AFTER), NULL), VERDICT_DONE);
    int64_t waiting = wait_for(world, "colossus-1/single", 1);
    assert_int_equal(state_of(world, waiting), STATE_WAITING);
    struct request growth = {.kind = REQUEST_CAPACITY_CHANGE,
                             .capacity = {.pool = "colossus-1/single",
                                          .kind = CAPACITY_GROWTH,
                                          .gpus = 1,
                                          .start = hour_of("2026-01-02T00:00:00Z"),
                                          .end = HOUR_NEVER}};
    assert_false(book_serves_waiting(world->book));
    assert_int_equal(world_decide(world, growth), VERDICT_DONE);
    assert_true(book_serves_waiting(world->book));
    assert_int_equal(state_of(world, waiting), STATE_BOOKED);
}

// Its calendars have less than two years to spare.
static int far_setup(void **state)
{
    return world_setup_to(state, 13);
}

// One that asked for a hold is held from when it fits, for as long as it asked, at the latest until its
// start.
static void who_waited_for_a_hold_is_held(void **state)
{
    struct world *world = *state;
    static const char *const cancelled[] = {"2026-01-10T00:00:00Z", "2026-01-31T00:00:00Z"};
    static const char *const expires[] = {"2026-01-11T12:00:00Z", DAY};
    for (int i = 0; i < 2; i++) {
        struct leg leg = leg_of("colossus-1/h100", 1024, DAY, AFTER);
        assert_int_equal(world_create(world, leg, NULL), VERDICT_DONE);
        int64_t booked = created_id(world);
        struct request request = {.kind = REQUEST_CREATE,
                                  .create = {.legs = &leg,
                                             .leg_count = 1,
                                             .hold_seconds = 36 * 3600,
                                             .has_wait_until = true,
                                             .wait_until = instant_of(DAY)}};
        assert_int_equal(world_decide(world, request), VERDICT_DONE);
        int64_t waiting = created_id(world);
        world_advance(world, cancelled[i]);
        assert_int_equal(world_cancel(world, booked, false), VERDICT_DONE);
        world_advance(world, cancelled[i]);
        struct reservation_image image;
        assert_true(book_reservation(world->book, waiting, world->now, &image));
        assert_int_equal(image.row.state, STATE_HELD);
        assert_int_equal(image.row.hold_expires.seconds, instant_of(expires[i]).seconds);
        assert_int_equal(world_cancel(world, waiting, false), VERDICT_DONE);
    }
}

// What was freed while nobody looked is sold from when it was freed on, however long ago that is.
static void who_waited_is_served_at_the_time_it_was_due(void **state)
{
    struct world *world = *state;
    struct leg leg = leg_of("colossus-1/h100", 1024, DAY, AFTER);
    struct request hold = {.kind = REQUEST_CREATE,
                           .create = {.legs = &leg, .leg_count = 1, .hold_seconds = 86400}};
    assert_int_equal(world_decide(world, hold), VERDICT_DONE);
    int64_t waiting = wait_for(world, "colossus-1/h100", 8);
    world_advance(world, "2027-12-31T00:00:00Z");
    const struct event_row *booked = last_event(world, "reservation.booked");
    assert_non_null(booked);
    assert_int_equal(booked->reservation, waiting);
    assert_int_equal(booked->at.seconds, instant_of("2026-01-02T00:00:00Z").seconds);
    assert_int_equal(last_event(world, "reservation.completed")->reservation, waiting);
    // 8 GPUs for 24 hours at $2.00.
    assert_period(world, ACME_FIRST, "consumed", "384.00");
}

// What whoever looks at one that waits reads of it.
static void assert_waits(struct world *world, int64_t id, const char *expected)
{
    struct reservation_image image;
    struct buffer text = {0};
    struct json json = json_begin(&text);
    assert_true(book_reservation(world->book, id, world->now, &image));
    json_write_object(&json, NULL);
    book_write_reservation(world->book, &json, &image, world->now);
    json_write_object_end(&json);
    const char *waiting = strstr(text.data, "\"waiting\":");
    assert_non_null(waiting);
    assert_memory_equal(waiting, expected, strlen(expected));
    buffer_free(&text);
}

// Its place in the line, and what is in its way.
static void what_waits_says_what_for(void **state)
{
    struct world *world = *state;
    assert_int_equal(world_create(world, leg_of("colossus-1/h100", 1016, DAY, AFTER), NULL), VERDICT_DONE);
    wait_for(world, "colossus-1/h100", 16);
    int64_t second = wait_for(world, "colossus-1/h100", 16);
    assert_waits(world, second,
                 "\"waiting\":{\"position\":2,\"hold_seconds\":0,\"blocked\":[{\"start\":\"" DAY
                 "\",\"end\":\"" AFTER "\",\"free\":8,\"limit\":\"gpus\"}]}");
}

// Whatever is scarcer in an hour is in its way, as long as that stays the same.
static void what_waits_for_power_says_so(void **state)
{
    struct world *world = *state;
    add_power(world);
    // Up to 04:00 there is just enough.
    struct leg legs[] = {leg_of("colossus-1/other", 300, DAY, "2026-02-01T04:00:00Z"),
                         leg_of("colossus-1/other", 800, "2026-02-01T04:00:00Z", "2026-02-01T07:00:00Z"),
                         leg_of("colossus-1/other", 700, "2026-02-01T07:00:00Z", "2026-02-01T10:00:00Z"),
                         leg_of("colossus-1/single", 300, "2026-02-01T09:00:00Z", "2026-02-01T11:00:00Z")};
    for (size_t i = 0; i < sizeof legs / sizeof legs[0]; i++)
        assert_int_equal(world_create(world, legs[i], NULL), VERDICT_DONE);
    int64_t waiting = wait_for(world, "colossus-1/single", 700);
    assert_waits(world, waiting,
                 "\"waiting\":{\"position\":1,\"hold_seconds\":0,\"blocked\":["
                 "{\"start\":\"2026-02-01T04:00:00Z\",\"end\":\"2026-02-01T07:00:00Z\",\"free\":200,"
                 "\"limit\":\"power\"},"
                 "{\"start\":\"2026-02-01T07:00:00Z\",\"end\":\"2026-02-01T09:00:00Z\",\"free\":300,"
                 "\"limit\":\"power\"},"
                 "{\"start\":\"2026-02-01T09:00:00Z\",\"end\":\"2026-02-01T10:00:00Z\",\"free\":0,"
                 "\"limit\":\"power\"},"
                 "{\"start\":\"2026-02-01T10:00:00Z\",\"end\":\"2026-02-01T11:00:00Z\",\"free\":699,"
                 "\"limit\":\"gpus\"}]}");
}

// What was booked before a site's power was stated uses it too.
static void power_is_used_by_what_was_booked_before(void **state)
{
    struct world *world = *state;
    struct manifest manifest = world_manifest(&world->arena);
    manifest.pools[0].watts_per_gpu = 1000;
    apply(world, &manifest);
    assert_int_equal(world_create(world, leg_of("colossus-1/h100", 800, DAY, AFTER), NULL), VERDICT_DONE);
    add_power(world);
    assert_int_equal(world_create(world, leg_of("colossus-1/h100", 208, DAY, AFTER), NULL),
                     VERDICT_CAPACITY_EXCEEDED);
    assert_int_equal(world_create(world, leg_of("colossus-1/h100", 200, DAY, AFTER), NULL), VERDICT_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(freed_gpus_serve_their_pool, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(power_that_one_pool_frees_serves_another, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(a_single_gpu_more_serves, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(who_waited_is_served_at_the_time_it_was_due, far_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(who_waited_for_a_hold_is_held, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(what_waits_for_power_says_so, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(what_waits_says_what_for, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(power_is_used_by_what_was_booked_before, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
