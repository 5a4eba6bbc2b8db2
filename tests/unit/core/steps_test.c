#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/row.h"
#include "core/steps.h"

static int64_t value_at(const struct steps *steps, int32_t hour)
{
    int64_t value = 0;
    for (size_t i = 0; i < steps->count && steps->jumps[i].at.number <= hour; i++)
        value += steps->jumps[i].by;
    return value;
}

static void test_adding_keeps_jumps_sorted_and_merged(void **state)
{
    (void)state;
    struct steps steps = {0};
    steps_add(&steps, (struct hour){20}, (struct hour){30}, 5);
    steps_add(&steps, (struct hour){10}, HOUR_NEVER, 2);
    steps_add(&steps, (struct hour){20}, (struct hour){25}, -7);
    assert_int_equal(steps.count, 4);
    for (size_t i = 1; i < steps.count; i++)
        assert_true(steps.jumps[i - 1].at.number < steps.jumps[i].at.number);
    assert_int_equal(value_at(&steps, 9), 0);
    assert_int_equal(value_at(&steps, 10), 2);
    assert_int_equal(value_at(&steps, 20), 0);
    assert_int_equal(value_at(&steps, 25), 7);
    assert_int_equal(value_at(&steps, 30), 2);
    steps_free(&steps);
}

static void test_setting_a_step_leaves_later_ones(void **state)
{
    (void)state;
    struct steps steps = {0};
    steps_set(&steps, (struct hour){30}, 300);
    steps_set(&steps, (struct hour){10}, 100);
    steps_set(&steps, (struct hour){20}, 200);
    steps_set(&steps, (struct hour){10}, 150);
    assert_int_equal(value_at(&steps, 9), 0);
    assert_int_equal(value_at(&steps, 10), 150);
    assert_int_equal(value_at(&steps, 20), 200);
    assert_int_equal(value_at(&steps, 30), 300);
    steps_free(&steps);
}

static void test_subtracting_itself_leaves_nothing(void **state)
{
    (void)state;
    struct steps steps = {0}, same = {0};
    steps_add(&steps, (struct hour){1}, (struct hour){5}, 3);
    steps_add(&same, (struct hour){1}, (struct hour){5}, 3);
    steps_subtract(&steps, &same);
    for (size_t i = 0; i < steps.count; i++)
        assert_int_equal(steps.jumps[i].by, 0);
    steps_free(&steps);
    steps_free(&same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adding_keeps_jumps_sorted_and_merged),
        cmocka_unit_test(test_setting_a_step_leaves_later_ones),
        cmocka_unit_test(test_subtracting_itself_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
