#include "manifest_fixture.h"

#include "core/displacement.h"

static struct fixture booked_fixture(struct sample *sample)
{
    struct fixture fixture = fixture_at("2026-01-01T00:00:00Z");
    sample_fill(sample);
    assert_int_equal(apply_manifest(&fixture, &sample->manifest)->verdict, VERDICT_DONE);
    return fixture;
}

static struct capacity_change_row loss(int32_t gpus, int32_t start, int32_t end)
{
    return (struct capacity_change_row){
        .pool = 1, .kind = CAPACITY_OUTAGE, .gpus = -gpus, .start = {start}, .end = {end}};
}

static void assert_cut(const struct interruption *cut, int64_t reservation, int32_t start, int32_t end,
                       int32_t gpus)
{
    assert_int_equal(cut->reservation, reservation);
    assert_int_equal(cut->start.number, start);
    assert_int_equal(cut->end.number, end);
    assert_int_equal(cut->gpus, gpus);
}

static void test_a_loss_of_what_is_free_displaces_nothing(void **state)
{
    (void)state;
    struct sample sample;
    struct fixture fixture = booked_fixture(&sample);
    int32_t now = hour_of_instant(fixture.now).number;
    put_reservation(&fixture, 1, TIER_FIRM, (struct hour){now + 10}, (struct hour){now + 20}, 600);
    struct capacity_change_row change = loss(200, now, INT32_MAX);
    struct displacement plan;
    assert_false(displacement_plan(fixture.book, 1, &change, 1, (struct hour){now}, &fixture.arena, &plan));
    change = loss(201, now, now + 10); // ends where the booking begins
    assert_false(displacement_plan(fixture.book, 1, &change, 1, (struct hour){now}, &fixture.arena, &plan));
    fixture_end(&fixture);
}

static void test_the_newest_firm_booking_is_cut_first_by_what_is_missing(void **state)
{
    (void)state;
    struct sample sample;
    struct fixture fixture = booked_fixture(&sample);
    int32_t now = hour_of_instant(fixture.now).number;
    put_reservation(&fixture, 1, TIER_FIRM, (struct hour){now + 10}, (struct hour){now + 30}, 400);
    put_reservation(&fixture, 2, TIER_FIRM, (struct hour){now + 20}, (struct hour){now + 40}, 80);
    // 800 GPUs: 200 remain. 1 alone misses 200 in [10, 20), both 280 in [20, 30), 2 alone nothing.
    struct capacity_change_row change = loss(600, now + 5, now + 50);
    struct displacement plan;
    assert_true(displacement_plan(fixture.book, 1, &change, 1, (struct hour){now}, &fixture.arena, &plan));
    assert_int_equal(plan.count, 2);
    assert_cut(&plan.cuts[0], 2, now + 20, now + 30, 80);
    assert_cut(&plan.cuts[1], 1, now + 10, now + 30, 200);
    assert_int_equal(plan.first_short.number, now + 10);
    assert_int_equal(plan.missing, 280);
    assert_int_equal(plan.free, 320);
    fixture_end(&fixture);
}

static void test_preemptible_bookings_go_before_firm_ones(void **state)
{
    (void)state;
    struct sample sample;
    struct fixture fixture = booked_fixture(&sample);
    int32_t now = hour_of_instant(fixture.now).number;
    put_reservation(&fixture, 1, TIER_PREEMPTIBLE, (struct hour){now}, (struct hour){now + 10}, 80);
    put_reservation(&fixture, 2, TIER_FIRM, (struct hour){now}, (struct hour){now + 10}, 720);
    struct capacity_change_row change = loss(100, now, now + 4);
    struct displacement plan;
    assert_true(displacement_plan(fixture.book, 1, &change, 1, (struct hour){now}, &fixture.arena, &plan));
    assert_int_equal(plan.count, 2);
    assert_cut(&plan.cuts[0], 1, now, now + 4, 80);
    assert_cut(&plan.cuts[1], 2, now, now + 4, 20);
    fixture_end(&fixture);
}

static void test_changes_are_weighed_together(void **state)
{
    (void)state;
    struct sample sample;
    struct fixture fixture = booked_fixture(&sample);
    int32_t now = hour_of_instant(fixture.now).number;
    put_reservation(&fixture, 1, TIER_FIRM, (struct hour){now}, (struct hour){now + 10}, 800);
    struct capacity_change_row changes[2] = {loss(80, now, now + 10), loss(-80, now, now + 6)};
    struct displacement plan;
    assert_true(displacement_plan(fixture.book, 1, changes, 2, (struct hour){now}, &fixture.arena, &plan));
    assert_int_equal(plan.count, 1);
    assert_cut(&plan.cuts[0], 1, now + 6, now + 10, 80);
    fixture_end(&fixture);
}

static void test_stacked_slices_are_one_cut(void **state)
{
    (void)state;
    struct sample sample;
    struct fixture fixture = booked_fixture(&sample);
    int32_t now = hour_of_instant(fixture.now).number;
    put_reservation(&fixture, 1, TIER_FIRM, (struct hour){now}, (struct hour){now + 10}, 400);
    struct row row = {.kind = ROW_SLICE};
    row.slice = book_live(fixture.book, 1)->slices[0];
    row.slice.number = 2;
    row.slice.layer = 2;
    row.slice.start.number = now + 5;
    row.slice.end.number = now + 15;
    book_apply(fixture.book, &row);
    // All 800 GPUs go: 400 are missing in [0, 5) and [10, 15), and 800 between.
    struct capacity_change_row change = loss(800, now, now + 20);
    struct displacement plan;
    assert_true(displacement_plan(fixture.book, 1, &change, 1, (struct hour){now}, &fixture.arena, &plan));
    assert_int_equal(plan.count, 3);
    assert_cut(&plan.cuts[0], 1, now, now + 5, 400);
    assert_cut(&plan.cuts[1], 1, now + 5, now + 10, 800);
    assert_cut(&plan.cuts[2], 1, now + 10, now + 15, 400);
    fixture_end(&fixture);
}

static void test_hours_that_are_over_are_not_looked_at(void **state)
{
    (void)state;
    struct sample sample;
    struct fixture fixture = booked_fixture(&sample);
    int32_t now = hour_of_instant(fixture.now).number;
    put_reservation(&fixture, 1, TIER_FIRM, (struct hour){now}, (struct hour){now + 10}, 800);
    struct capacity_change_row change = loss(80, now, now + 5);
    struct displacement plan;
    assert_false(
        displacement_plan(fixture.book, 1, &change, 1, (struct hour){now + 5}, &fixture.arena, &plan));
    fixture_end(&fixture);
}

static void test_any_number_of_reservations_is_cut(void **state)
{
    (void)state;
    struct sample sample;
    struct fixture fixture = booked_fixture(&sample);
    int32_t now = hour_of_instant(fixture.now).number;
    for (int32_t i = 0; i < 4000; i++)
        put_reservation(&fixture, i + 1, TIER_FIRM, (struct hour){now + i}, (struct hour){now + i + 1}, 800);
    struct capacity_change_row change = loss(8, now, INT32_MAX);
    struct displacement plan;
    assert_true(displacement_plan(fixture.book, 1, &change, 1, (struct hour){now}, &fixture.arena, &plan));
    assert_int_equal(plan.count, 4000);
    assert_cut(&plan.cuts[0], 4000, now + 3999, now + 4000, 8);
    assert_cut(&plan.cuts[3999], 1, now, now + 1, 8);
    fixture_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_loss_of_what_is_free_displaces_nothing),
        cmocka_unit_test(test_the_newest_firm_booking_is_cut_first_by_what_is_missing),
        cmocka_unit_test(test_preemptible_bookings_go_before_firm_ones),
        cmocka_unit_test(test_changes_are_weighed_together),
        cmocka_unit_test(test_stacked_slices_are_one_cut),
        cmocka_unit_test(test_hours_that_are_over_are_not_looked_at),
        cmocka_unit_test(test_any_number_of_reservations_is_cut),
    };
    return digest_initialise() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
