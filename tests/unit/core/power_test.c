// The power of a site by the hour: what is used, where that changes, and what an envelope allows.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/power.h"

static int32_t step_from(const struct power *power, int32_t from, int32_t until)
{
    struct hour end = {until};
    power_step(power, (struct hour){from}, &end);
    return end.number;
}

static void test_a_step_ends_where_the_use_changes(void **state)
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

static void test_the_window_moves_on(void **state)
{
    (void)state;
    struct power *power = power_create((struct hour){1000}, 100);
    power_add(power, (struct hour){900}, (struct hour){5000}, 7);
    assert_int_equal(power_end(power).number, 1100);
    power_advance(power, (struct hour){1040});
    assert_int_equal(power_end(power).number, 1140);
    assert_int_equal(power_used(power, (struct hour){1099}), 7);
    assert_int_equal(power_used(power, (struct hour){1100}), 0);
    power_advance(power, (struct hour){3000});
    assert_int_equal(power_used(power, (struct hour){3000}), 0);
    power_destroy(power);
}

static void test_an_envelope_has_no_limit_before_its_first_step(void **state)
{
    (void)state;
    static const struct site_power_row steps[] = {{1, {10}, 500}, {1, {20}, 300}};
    struct hour until = {100};
    assert_int_equal(envelope_at(steps, 2, (struct hour){9}, &until), POWER_UNLIMITED);
    assert_int_equal(until.number, 10);
    assert_int_equal(envelope_at(steps, 2, (struct hour){10}, &until), 500);
    until.number = 100;
    assert_int_equal(envelope_at(steps, 2, (struct hour){19}, &until), 500);
    assert_int_equal(until.number, 20);
    until.number = 100;
    assert_int_equal(envelope_at(steps, 2, (struct hour){20}, &until), 300);
    assert_int_equal(until.number, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_step_ends_where_the_use_changes),
        cmocka_unit_test(test_the_window_moves_on),
        cmocka_unit_test(test_an_envelope_has_no_limit_before_its_first_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
