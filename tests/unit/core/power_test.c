// A site's use of power by the hour, its envelope, and manifests that lower it.
#include "world.h"

#include "core/power.h"

#define HOUR(n) ((struct hour){(n)})

static void what_is_used_is_a_sum_by_the_hour(void **state)
{
    (void)state;
    struct power *power = power_create(HOUR(100), 50);
    assert_int_equal(power_end(power).number, 150);
    power_add(power, HOUR(90), HOUR(110), 1000); // as far as it lies in the window
    power_add(power, HOUR(105), HOUR(120), 500);
    power_add(power, HOUR(140), HOUR_NEVER, 70);
    power_add(power, HOUR(108), HOUR(109), -500);
    const int64_t expected[][2] = {{100, 1000}, {104, 1000}, {105, 1500}, {108, 1000}, {109, 1500},
                                   {110, 500},  {119, 500},  {120, 0},    {139, 0},    {140, 70}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_int_equal(power_used(power, HOUR((int32_t)expected[i][0])), expected[i][1]);
    assert_int_equal(power_used(power, HOUR(149)), 70);
    power_destroy(power);
}

static void the_window_moves_on(void **state)
{
    (void)state;
    struct power *power = power_create(HOUR(100), 50);
    power_add(power, HOUR(100), HOUR(150), 1);
    power_add(power, HOUR(149), HOUR(150), 10);
    power_advance(power, HOUR(120));
    assert_int_equal(power_end(power).number, 170);
    assert_int_equal(power_used(power, HOUR(120)), 1);
    assert_int_equal(power_used(power, HOUR(149)), 11);
    assert_int_equal(power_used(power, HOUR(150)), 0);
    // Over all hours that were known.
    power_add(power, HOUR(169), HOUR(170), 3);
    power_advance(power, HOUR(170));
    for (int32_t hour = 170; hour < 220; hour++)
        assert_int_equal(power_used(power, HOUR(hour)), 0);
    power_destroy(power);
}

static int32_t step_from(const struct power *power, int32_t from, int32_t until)
{
    struct hour end = {until};
    power_step(power, (struct hour){from}, &end);
    return end.number;
}

static void a_step_ends_where_the_use_changes(void **state)
{
    (void)state;
    struct power *power = power_create((struct hour){1000}, 500);
    assert_int_equal(step_from(power, 1000, 1500), 1500);
    power_add(power, (struct hour){1010}, (struct hour){1020}, 700);
    power_add(power, (struct hour){1015}, (struct hour){1016}, 5);
    static const int32_t edges[] = {1000, 1010, 1015, 1016, 1020, 1500};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(step_from(power, edges[i], 1500), edges[i + 1]);
        assert_int_equal(step_from(power, edges[i + 1] - 1, 1500), edges[i + 1]);
        assert_int_equal(step_from(power, edges[i], edges[i] + 1), edges[i] + 1);
    }
    // Every number of hours that are alike is found, wherever the search halves them.
    for (int32_t hour = 1101; hour < 1200; hour++) {
        power_add(power, (struct hour){1100}, (struct hour){hour}, 1);
        assert_int_equal(step_from(power, 1100, 1500), hour);
        power_add(power, (struct hour){1100}, (struct hour){hour}, -1);
    }
    power_destroy(power);
}

static void an_envelope_has_steps(void **state)
{
    (void)state;
    const struct site_power_row steps[] = {{.start = {10}, .watts = 5}, {.start = {20}, .watts = 7}};
    struct hour until = HOUR(100);
    assert_int_equal(envelope_at(steps, 2, HOUR(9), &until), POWER_UNLIMITED);
    assert_int_equal(until.number, 10);
    until = HOUR(100);
    assert_int_equal(envelope_at(steps, 2, HOUR(10), &until), 5);
    assert_int_equal(until.number, 20);
    until = HOUR(15);
    assert_int_equal(envelope_at(steps, 2, HOUR(10), &until), 5);
    assert_int_equal(until.number, 15);
    until = HOUR(100);
    assert_int_equal(envelope_at(steps, 2, HOUR(20), &until), 7);
    assert_int_equal(until.number, 100);
}

static enum verdict state_power(struct world *world, const char *from, int64_t kilowatts)
{
    struct manifest_step power = {hour_of(from), kilowatts * 1000};
    struct manifest_site site = {.site = "colossus-1", .power = &power, .power_count = 1};
    struct manifest manifest = {.sites = &site, .site_count = 1};
    return world_decide(world, (struct request){.kind = REQUEST_MANIFEST_APPLY, .manifest = &manifest});
}

// 800 GPUs of a kilowatt each are booked for a day in March.
static void a_step_takes_the_place_of_the_one_at_its_hour(void **state)
{
    struct world *world = *state;
    struct manifest manifest = world_manifest(&world->arena);
    manifest.pools[0].watts_per_gpu = 1000;
    assert_int_equal(
        world_decide(world, (struct request){.kind = REQUEST_MANIFEST_APPLY, .manifest = &manifest}),
        VERDICT_DONE);
    assert_int_equal(state_power(world, "2026-01-02T00:00:00Z", 900), VERDICT_DONE);
    assert_int_equal(state_power(world, "2026-03-01T00:00:00Z", 1000), VERDICT_DONE);
    assert_int_equal(state_power(world, "2026-04-01T00:00:00Z", 100), VERDICT_DONE);
    struct leg leg = leg_of("colossus-1/h100", 800, "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z");
    assert_int_equal(world_create(world, leg, NULL), VERDICT_DONE);
    assert_int_equal(state_power(world, "2026-03-01T00:00:00Z", 799), VERDICT_INVALID_MANIFEST);
    assert_string_equal(world->decision.refusal.path, "sites[0].power");
    struct manifest_step low = {hour_of("2026-03-01T00:00:00Z"), 0};
    struct manifest_site sites[] = {{.site = "another"},
                                    {.site = "colossus-1", .power = &low, .power_count = 1}};
    manifest = (struct manifest){.sites = sites, .site_count = 2};
    assert_int_equal(
        world_decide(world, (struct request){.kind = REQUEST_MANIFEST_APPLY, .manifest = &manifest}),
        VERDICT_INVALID_MANIFEST);
    assert_string_equal(world->decision.refusal.path, "sites[1].power");
    assert_int_equal(state_power(world, "2026-02-01T00:00:00Z", 10), VERDICT_DONE);
    assert_int_equal(state_power(world, "2026-03-02T23:00:00Z", 799), VERDICT_INVALID_MANIFEST);
    assert_int_equal(state_power(world, "2026-03-03T00:00:00Z", 0), VERDICT_DONE);
    assert_int_equal(state_power(world, "2026-03-01T00:00:00Z", 800), VERDICT_DONE);
    // The event tells of all steps, each once.
    const char *told =
        strstr(last_event(world, "site.changed")->data, "\"from\":\"2026-03-01T00:00:00Z\",\"kw\":800");
    assert_non_null(told);
    assert_null(strstr(told + 10, "\"2026-03-01T00:00:00Z\""));
}

static void book_tiny(struct world *world, enum tier tier, int64_t gpus)
{
    struct leg leg = leg_of("colossus-1/tiny", gpus, "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z");
    leg.tier = tier;
    assert_int_equal(world_create(world, leg, NULL), VERDICT_DONE);
}

// A firm booking may take the power of preemptible ones, to the last watt.
static void each_tier_sees_what_it_may_take(void **state)
{
    struct world *world = *state;
    struct manifest_step capacity = {hour_of("2026-01-01T00:00:00Z"), 2000};
    struct manifest_rate rate = {
        .from = capacity.from, .has = {true, true}, .price = {AMOUNT_ZERO, AMOUNT_ZERO}};
    struct manifest_step power = {capacity.from, 1000};
    struct manifest_site site = {.site = "colossus-1", .power = &power, .power_count = 1};
    struct manifest_pool tiny = {.pool = "colossus-1/tiny",
                                 .gpu = "T",
                                 .unit = 1,
                                 .watts_per_gpu = 1,
                                 .capacity = &capacity,
                                 .capacity_count = 1,
                                 .rates = &rate,
                                 .rate_count = 1};
    struct manifest manifest = {.sites = &site, .site_count = 1, .pools = &tiny, .pool_count = 1};
    assert_int_equal(
        world_decide(world, (struct request){.kind = REQUEST_MANIFEST_APPLY, .manifest = &manifest}),
        VERDICT_DONE);
    uint32_t pool = book_pool_count(world->book);
    struct hour hour = hour_of("2026-03-02T12:00:00Z");
    book_tiny(world, TIER_FIRM, 100);
    book_tiny(world, TIER_PREEMPTIBLE, 899);
    assert_int_equal(book_powered(world->book, pool, TIER_PREEMPTIBLE, hour), 1);
    assert_int_equal(book_powered(world->book, pool, TIER_FIRM, hour), 900);
    book_tiny(world, TIER_PREEMPTIBLE, 1);
    assert_int_equal(book_powered(world->book, pool, TIER_PREEMPTIBLE, hour), 0);
    book_tiny(world, TIER_FIRM, 900);
    assert_int_equal(book_powered(world->book, pool, TIER_FIRM, hour), 0);
    assert_int_equal(book_powered(world->book, pool, TIER_FIRM, hour_of("2026-03-03T00:00:00Z")), 1000);
    assert_int_equal(book_powered(world->book, 1, TIER_FIRM, hour), -1); // its GPUs take none
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_used_is_a_sum_by_the_hour),
        cmocka_unit_test(the_window_moves_on),
        cmocka_unit_test(a_step_ends_where_the_use_changes),
        cmocka_unit_test(an_envelope_has_steps),
        cmocka_unit_test_setup_teardown(each_tier_sees_what_it_may_take, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_step_takes_the_place_of_the_one_at_its_hour, world_setup,
                                        world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
