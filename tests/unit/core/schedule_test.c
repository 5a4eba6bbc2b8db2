// Periods and instalments, against dates and parts worked out by hand from published contracts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/schedule.h"
#include <string.h>

static struct hour hour_of(const char *text)
{
    struct hour hour;
    assert_true(hour_parse(text, strlen(text), &hour));
    return hour;
}

static struct amount amount_of(const char *text)
{
    struct amount amount;
    assert_true(amount_parse(text, strlen(text), &amount));
    return amount;
}

static void assert_hour(struct hour hour, const char *expected)
{
    char text[INSTANT_TEXT_SIZE];
    instant_format(hour_start(hour), text);
    assert_string_equal(text, expected);
}

static void assert_instalment(const char *start, const char *end, const char *commit, int32_t k,
                              const char *due, const char *amount)
{
    assert_hour(schedule_instalment_due(hour_of(start), k), due);
    assert_int_equal(schedule_instalment_amount(hour_of(start), hour_of(end), amount_of(commit), k).micro,
                     amount_of(amount).micro);
}

static void anniversaries_keep_the_hour(void **state)
{
    (void)state;
    struct hour start = hour_of("2026-05-01T13:00:00Z");
    assert_hour(schedule_anniversary(start, 0), "2026-05-01T13:00:00Z");
    assert_hour(schedule_anniversary(start, 1), "2027-05-01T13:00:00Z");
    assert_hour(schedule_anniversary(start, 10), "2036-05-01T13:00:00Z");
}

static void leap_day_counts_as_the_day_before(void **state)
{
    (void)state;
    struct hour start = hour_of("2024-02-29T06:00:00Z");
    assert_hour(schedule_anniversary(start, 1), "2025-02-28T06:00:00Z");
    assert_hour(schedule_anniversary(start, 3), "2027-02-28T06:00:00Z");
    assert_hour(schedule_anniversary(start, 4), "2028-02-29T06:00:00Z");
    assert_hour(schedule_anniversary(start, 76), "2100-02-28T06:00:00Z"); // no leap year
    // Five years of it touch each other and end with the contract.
    struct hour end = hour_of("2029-02-28T06:00:00Z"), last = start;
    assert_int_equal(schedule_annual_count(start, end), 5);
    for (int32_t k = 0; k < 5; k++) {
        struct hour from, to;
        struct amount commit;
        assert_true(schedule_annual_period(start, end, amount_of("400000000.00"), k, &from, &to, &commit));
        assert_int_equal(from.number, last.number);
        assert_int_equal(commit.micro, amount_of("400000000.00").micro);
        last = to;
    }
    assert_int_equal(last.number, end.number);
}

// Google Cloud–Snap 2017: five years from 30 January 2017 at $400M each.
static void five_years_are_five_periods(void **state)
{
    (void)state;
    struct hour start = hour_of("2017-01-30T00:00:00Z"), from, to;
    struct amount commit;
    assert_int_equal(schedule_annual_count(start, hour_of("2022-01-30T00:00:00Z")), 5);
    assert_int_equal(schedule_annual_count(start, hour_of("2022-01-30T01:00:00Z")), 6);
    assert_int_equal(schedule_annual_count(start, hour_of("2017-01-30T01:00:00Z")), 1);
    assert_true(schedule_annual_period(start, hour_of("2022-01-30T00:00:00Z"), amount_of("400000000.00"), 4,
                                       &from, &to, &commit));
    assert_hour(from, "2021-01-30T00:00:00Z");
    assert_hour(to, "2022-01-30T00:00:00Z");
    assert_int_equal(commit.micro, amount_of("400000000.00").micro);
}

static void last_year_is_prorated_by_hours(void **state)
{
    (void)state;
    struct hour start = hour_of("2026-01-01T00:00:00Z"), end = hour_of("2028-07-01T00:00:00Z"), from, to;
    struct amount commit;
    assert_int_equal(schedule_annual_count(start, end), 3);
    assert_true(schedule_annual_period(start, end, amount_of("1000000.00"), 1, &from, &to, &commit));
    assert_int_equal(commit.micro, amount_of("1000000.00").micro);
    // 2028 is a leap year: January to June have 182 of its 366 days. 1,000,000 × 182 / 366 = 497,267.7595628…
    assert_true(schedule_annual_period(start, end, amount_of("1000000.00"), 2, &from, &to, &commit));
    assert_hour(from, "2028-01-01T00:00:00Z");
    assert_hour(to, "2028-07-01T00:00:00Z");
    assert_int_equal(commit.micro, amount_of("497267.759563").micro);
    // One hour of 8,760: 1 micro-dollar a year rounds to nothing, 8,760 to one; no amount is too large.
    end = hour_of("2026-01-01T01:00:00Z");
    assert_true(schedule_annual_period(start, end, (struct amount){4380}, 0, &from, &to, &commit));
    assert_int_equal(commit.micro, 0); // 0.5, to even
    assert_true(schedule_annual_period(start, end, (struct amount){3 * 4380}, 0, &from, &to, &commit));
    assert_int_equal(commit.micro, 2); // 1.5, to even
    assert_true(schedule_annual_period(start, end, AMOUNT_MAX, 0, &from, &to, &commit));
    assert_int_equal(commit.micro, INT64_MAX / 8760 + 1); // leaves 5,767 of 8,760: more than a half
}

// Anthropic–SpaceX 2026: $1.25B a month through May 2029, less in May and June 2026. As periods: the two ramp
// months (here half as much each), two years of $15B, and eleven months of $13.75B.
static void monthly_charges_with_a_ramp(void **state)
{
    (void)state;
    const char *ramp = "2026-05-01T00:00:00Z", *first = "2026-07-01T00:00:00Z",
               *second = "2027-07-01T00:00:00Z", *third = "2028-07-01T00:00:00Z",
               *end = "2029-06-01T00:00:00Z";
    assert_int_equal(schedule_instalment_count(hour_of(ramp), hour_of(first)), 2);
    assert_instalment(ramp, first, "1250000000.00", 0, "2026-05-01T00:00:00Z", "625000000.00");
    assert_instalment(ramp, first, "1250000000.00", 1, "2026-06-01T00:00:00Z", "625000000.00");
    assert_int_equal(schedule_instalment_count(hour_of(first), hour_of(second)), 12);
    for (int32_t k = 0; k < 12; k++)
        assert_int_equal(
            schedule_instalment_amount(hour_of(first), hour_of(second), amount_of("15000000000.00"), k).micro,
            amount_of("1250000000.00").micro);
    assert_instalment(first, second, "15000000000.00", 7, "2027-02-01T00:00:00Z", "1250000000.00");
    assert_int_equal(schedule_instalment_count(hour_of(third), hour_of(end)), 11);
    assert_instalment(third, end, "13750000000.00", 10, "2029-05-01T00:00:00Z", "1250000000.00");
}

// Google: $920M a month, October 2026 to June 2029: $11.04B a year, and $8.28B for the last nine months.
static void monthly_charges_to_the_end_of_june(void **state)
{
    (void)state;
    assert_int_equal(
        schedule_instalment_count(hour_of("2028-10-01T00:00:00Z"), hour_of("2029-07-01T00:00:00Z")), 9);
    assert_instalment("2026-10-01T00:00:00Z", "2027-10-01T00:00:00Z", "11040000000.00", 11,
                      "2027-09-01T00:00:00Z", "920000000.00");
    assert_instalment("2028-10-01T00:00:00Z", "2029-07-01T00:00:00Z", "8280000000.00", 8,
                      "2029-06-01T00:00:00Z", "920000000.00");
}

static void instalments_fall_on_clamped_days(void **state)
{
    (void)state;
    struct hour start = hour_of("2027-10-31T05:00:00Z");
    assert_hour(schedule_instalment_due(start, 1), "2027-11-30T05:00:00Z");
    assert_hour(schedule_instalment_due(start, 2), "2027-12-31T05:00:00Z");
    assert_hour(schedule_instalment_due(start, 4), "2028-02-29T05:00:00Z");
    assert_hour(schedule_instalment_due(start, 5), "2028-03-31T05:00:00Z");
    assert_hour(schedule_instalment_due(start, 16), "2029-02-28T05:00:00Z");
}

static void partial_last_month_weighs_its_hours(void **state)
{
    (void)state;
    // January, February and 15 of March's 31 days: months weigh 744 each, the rest 360. 1,848 in all.
    const char *start = "2026-01-01T00:00:00Z", *end = "2026-03-16T00:00:00Z";
    assert_int_equal(schedule_instalment_count(hour_of(start), hour_of(end)), 3);
    assert_instalment(start, end, "1848.00", 0, "2026-01-01T00:00:00Z", "744.00");
    assert_instalment(start, end, "1848.00", 1, "2026-02-01T00:00:00Z", "744.00");
    assert_instalment(start, end, "1848.00", 2, "2026-03-01T00:00:00Z", "360.00");
    // A period of an hour has one instalment of all of it.
    assert_int_equal(schedule_instalment_count(hour_of(start), hour_of("2026-01-01T01:00:00Z")), 1);
    assert_instalment(start, "2026-01-01T01:00:00Z", "7.77", 0, start, "7.77");
}

static void last_instalment_takes_what_is_left(void **state)
{
    (void)state;
    const char *start = "2026-01-01T00:00:00Z", *end = "2027-01-01T00:00:00Z";
    assert_instalment(start, end, "100.00", 0, start, "8.333333");
    assert_instalment(start, end, "100.00", 10, "2026-11-01T00:00:00Z", "8.333333");
    assert_instalment(start, end, "100.00", 11, "2026-12-01T00:00:00Z", "8.333337");
    // Parts of half a micro-dollar go to even: 0.5 to nothing, 1.5 to two.
    assert_instalment(start, end, "0.000006", 0, start, "0.00");
    assert_instalment(start, end, "0.000006", 11, "2026-12-01T00:00:00Z", "0.000006");
    assert_instalment(start, end, "0.000018", 0, start, "0.000002");
    // Twelve parts of 0.583 would be a micro-dollar each, more than there is: the last ones get nothing.
    assert_instalment(start, end, "0.000007", 0, start, "0.000001");
    assert_instalment(start, end, "0.000007", 6, "2026-07-01T00:00:00Z", "0.000001");
    assert_instalment(start, end, "0.000007", 7, "2026-08-01T00:00:00Z", "0.00");
    assert_instalment(start, end, "0.000007", 11, "2026-12-01T00:00:00Z", "0.00");
}

// Whatever the period and the commit, the parts are not negative and add up to it.
static void parts_add_up(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int i = 0; i < 3000; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        struct hour start = {(int32_t)(480000 + (random >> 33) % 100000)};
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        struct hour end = {start.number + 1 + (int32_t)((random >> 33) % 20000)};
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        struct amount commit = {(int64_t)(random >> 1) >> (random % 63)}, sum = AMOUNT_ZERO;
        int32_t count = schedule_instalment_count(start, end);
        assert_true(schedule_instalment_due(start, count).number >= end.number);
        for (int32_t k = 0; k < count; k++) {
            struct amount part = schedule_instalment_amount(start, end, commit, k);
            assert_true(schedule_instalment_due(start, k).number < end.number);
            if (part.micro < 0 || !amount_add(sum, part, &sum))
                fail_msg("part %d of %lld in [%d, %d) is %lld", k, (long long)commit.micro, start.number,
                         end.number, (long long)part.micro);
        }
        assert_int_equal(sum.micro, commit.micro);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anniversaries_keep_the_hour),
        cmocka_unit_test(leap_day_counts_as_the_day_before),
        cmocka_unit_test(five_years_are_five_periods),
        cmocka_unit_test(last_year_is_prorated_by_hours),
        cmocka_unit_test(monthly_charges_with_a_ramp),
        cmocka_unit_test(monthly_charges_to_the_end_of_june),
        cmocka_unit_test(instalments_fall_on_clamped_days),
        cmocka_unit_test(partial_last_month_weighs_its_hours),
        cmocka_unit_test(last_instalment_takes_what_is_left),
        cmocka_unit_test(parts_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
