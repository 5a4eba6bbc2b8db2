// The benchmark's histogram: what it counts is found again to within 0.8 %.
#include "../../bench/histogram.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct histogram histogram;

static int empty(void **state)
{
    (void)state;
    memset(&histogram, 0, sizeof histogram);
    return 0;
}

static void an_empty_one_has_no_percentiles(void **state)
{
    (void)state;
    assert_int_equal(histogram_percentile(&histogram, 500), 0);
    assert_int_equal(histogram_percentile(&histogram, 999), 0);
}

static void small_durations_are_exact(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= 100; i++)
        histogram_add(&histogram, i);
    assert_int_equal(histogram.total, 100);
    assert_int_equal(histogram_percentile(&histogram, 10), 1);
    assert_int_equal(histogram_percentile(&histogram, 500), 50);
    assert_int_equal(histogram_percentile(&histogram, 501), 51);
    assert_int_equal(histogram_percentile(&histogram, 990), 99);
    assert_int_equal(histogram_percentile(&histogram, 1000), 100);
}

static void what_is_below_zero_counts_as_zero(void **state)
{
    (void)state;
    histogram_add(&histogram, -1);
    histogram_add(&histogram, INT64_MIN);
    assert_int_equal(histogram.total, 2);
    assert_int_equal(histogram_percentile(&histogram, 1000), 0);
}

// Rounded up to the end of its place, and never by more than a part in 128.
static void every_size_is_found_again(void **state)
{
    (void)state;
    for (int64_t duration = 1; duration < INT64_C(3600) * 1000000000; duration += duration / 3 + 1) {
        empty(NULL);
        histogram_add(&histogram, duration);
        int64_t found = histogram_percentile(&histogram, 500);
        assert_true(found >= duration);
        assert_true(found - duration <= duration / 128);
    }
}

static void neighbouring_places_are_in_order(void **state)
{
    (void)state;
    int64_t before = -1;
    for (int64_t duration = 0; duration < 100000; duration++) {
        empty(NULL);
        histogram_add(&histogram, duration);
        int64_t found = histogram_percentile(&histogram, 1000);
        assert_true(found >= before && found >= duration);
        before = found;
    }
}

static void the_largest_are_counted_too(void **state)
{
    (void)state;
    histogram_add(&histogram, 1);
    histogram_add(&histogram, INT64_MAX);
    assert_int_equal(histogram.total, 2);
    assert_int_equal(histogram_percentile(&histogram, 500), 1);
    assert_true(histogram_percentile(&histogram, 1000) > INT64_C(3600) * 1000000000);
}

static void the_tail_is_seen(void **state)
{
    (void)state;
    for (int i = 0; i < 9980; i++)
        histogram_add(&histogram, 1000);
    for (int i = 0; i < 20; i++)
        histogram_add(&histogram, 1000000);
    assert_in_range(histogram_percentile(&histogram, 990), 1000, 1008);
    assert_in_range(histogram_percentile(&histogram, 998), 1000, 1008);
    assert_in_range(histogram_percentile(&histogram, 999), 1000000, 1008000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_empty_one_has_no_percentiles, empty),
        cmocka_unit_test_setup(small_durations_are_exact, empty),
        cmocka_unit_test_setup(what_is_below_zero_counts_as_zero, empty),
        cmocka_unit_test_setup(every_size_is_found_again, empty),
        cmocka_unit_test_setup(neighbouring_places_are_in_order, empty),
        cmocka_unit_test_setup(the_largest_are_counted_too, empty),
        cmocka_unit_test_setup(the_tail_is_seen, empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
