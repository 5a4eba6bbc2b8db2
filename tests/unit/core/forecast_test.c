// Forecasts, worked out by hand. Amounts are in dollars.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/forecast.h"

#define DOLLARS(n)                ((struct amount){(int64_t)(n)*1000000})
#define ASSERT_DOLLARS(amount, n) assert_int_equal((amount).micro, (int64_t)(n)*1000000)

// 1,000 committed, 300 of it delivered and 200 booked; 250 billed of four instalments, and a fee of 10 owed.
static const struct commitment_inputs half_way = {
    .commit = {1000000000},
    .encumbered = {200000000},
    .consumed = {300000000},
    .fees = {10000000},
    .billed = {250000000},
};

static void what_is_booked_counts_as_delivered(void **state)
{
    (void)state;
    const struct contract_terms_row terms = {.defer_bp = 1500, .then = SHORTFALL_CREDIT};
    struct forecast forecast;
    assert_true(forecast_close(&half_way, &terms, false, &forecast));
    ASSERT_DOLLARS(forecast.consumed, 500);
    // 500 of 1,000 will be missing: 15 % of the commit moves on, the rest is owed and becomes credit.
    ASSERT_DOLLARS(forecast.settlement.unmet, 500);
    ASSERT_DOLLARS(forecast.settlement.deferred_out, 150);
    ASSERT_DOLLARS(forecast.settlement.credit_granted, 350);
    // 1,000 − 150 + 10, of which 250 are billed.
    ASSERT_DOLLARS(forecast.settlement.due, 860);
    ASSERT_DOLLARS(forecast.to_bill, 610);
}

static void the_last_period_moves_nothing_on(void **state)
{
    (void)state;
    const struct contract_terms_row terms = {.defer_bp = 1500, .then = SHORTFALL_CHARGE};
    struct forecast forecast;
    assert_true(forecast_close(&half_way, &terms, true, &forecast));
    ASSERT_DOLLARS(forecast.settlement.deferred_out, 0);
    ASSERT_DOLLARS(forecast.settlement.due, 1010);
}

static void what_was_billed_beyond_it_is_to_be_refunded(void **state)
{
    (void)state;
    const struct contract_terms_row terms = {.then = SHORTFALL_WAIVE};
    struct commitment_inputs inputs = half_way;
    struct forecast forecast;
    inputs.billed = DOLLARS(750);
    assert_true(forecast_close(&inputs, &terms, false, &forecast));
    // The 500 that are missing are written off: 500 + 10 are due.
    ASSERT_DOLLARS(forecast.settlement.waived, 500);
    ASSERT_DOLLARS(forecast.settlement.due, 510);
    ASSERT_DOLLARS(forecast.to_bill, -240);
}

static void overage_counts_before_it_is_delivered(void **state)
{
    (void)state;
    const struct contract_terms_row terms = {.surcharge_bp = 2000, .then = SHORTFALL_CHARGE};
    struct commitment_inputs inputs = half_way;
    struct forecast forecast;
    inputs.surcharge_bp = terms.surcharge_bp;
    inputs.encumbered = DOLLARS(800);
    assert_true(forecast_close(&inputs, &terms, false, &forecast));
    // 100 beyond the commit, and 20 % of that.
    ASSERT_DOLLARS(forecast.settlement.surcharge, 20);
    ASSERT_DOLLARS(forecast.settlement.due, 1130);
}

static void the_pace_so_far_goes_on(void **state)
{
    (void)state;
    struct amount by_end;
    assert_true(forecast_pace(DOLLARS(300), 2190, 8760, &by_end));
    ASSERT_DOLLARS(by_end, 1200);
    assert_true(forecast_pace(DOLLARS(300), 8760, 8760, &by_end));
    ASSERT_DOLLARS(by_end, 300);
    // Half a micro-dollar goes to the even one.
    assert_true(forecast_pace((struct amount){1}, 2, 3, &by_end));
    assert_int_equal(by_end.micro, 2);
    assert_true(forecast_pace((struct amount){1}, 2, 5, &by_end));
    assert_int_equal(by_end.micro, 2);
    assert_false(forecast_pace(AMOUNT_MAX, 1, 2, &by_end));
}

static void too_much_is_no_forecast(void **state)
{
    (void)state;
    const struct contract_terms_row terms = {.then = SHORTFALL_CHARGE};
    struct commitment_inputs inputs = half_way;
    struct forecast forecast;
    inputs.encumbered = AMOUNT_MAX;
    assert_false(forecast_close(&inputs, &terms, false, &forecast));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_booked_counts_as_delivered),
        cmocka_unit_test(the_last_period_moves_nothing_on),
        cmocka_unit_test(what_was_billed_beyond_it_is_to_be_refunded),
        cmocka_unit_test(overage_counts_before_it_is_delivered),
        cmocka_unit_test(the_pace_so_far_goes_on),
        cmocka_unit_test(too_much_is_no_forecast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
