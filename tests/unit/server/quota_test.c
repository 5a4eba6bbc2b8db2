#include "server/quota.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)

// How many of `asked` requests at one moment are let through.
static int taken(struct quota *quota, uint32_t tenant, struct rate_limit limit, int64_t now, int asked)
{
    int count = 0;
    int64_t retry;
    for (int i = 0; i < asked; i++) {
        count += quota_take(quota, tenant, &limit, now, &retry);
    }
    return count;
}

static void without_a_limit_all_may_ask(void **state)
{
    (void)state;
    struct quota quota = {0};
    assert_int_equal(taken(&quota, 1, (struct rate_limit){0, 0}, SECOND, 1000), 1000);
    quota_free(&quota);
}

static void a_bucket_holds_its_burst_and_fills_evenly(void **state)
{
    (void)state;
    struct quota quota = {0};
    struct rate_limit limit = {.per_second = 10, .burst = 25};
    int64_t now = 1000 * SECOND;
    assert_int_equal(taken(&quota, 3, limit, now, 100), 25);
    assert_int_equal(taken(&quota, 3, limit, now + SECOND / 10 - 1, 100), 0);
    assert_int_equal(taken(&quota, 3, limit, now + SECOND / 10, 100), 1);
    assert_int_equal(taken(&quota, 3, limit, now + SECOND, 100), 9);
    assert_int_equal(taken(&quota, 3, limit, now + 1000 * SECOND, 100), 25); // never more than the burst
    assert_int_equal(taken(&quota, 2, limit, now, 100), 25);                 // another's bucket is its own
    quota_free(&quota);
}

static void who_comes_back_when_told_to_is_let_through(void **state)
{
    (void)state;
    static const struct rate_limit limits[] = {{1, 1}, {3, 2}, {7, 1}, {999, 5}, {1000000, 1}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct quota quota = {0};
        int64_t now = 5 * SECOND, retry = 0;
        assert_int_equal(taken(&quota, 1, limits[i], now, 1000), limits[i].burst);
        for (int again = 0; again < 50; again++) {
            bool let = quota_take(&quota, 1, &limits[i], now, &retry);
            if (let) {
                continue;
            }
            assert_true(retry >= 1 && retry <= 1000);
            now += retry * 1000000;
            assert_true(quota_take(&quota, 1, &limits[i], now, &retry));
        }
        quota_free(&quota);
    }
}

static void a_refusal_costs_nothing(void **state)
{
    (void)state;
    struct quota quota = {0};
    struct rate_limit limit = {.per_second = 2, .burst = 1};
    assert_int_equal(taken(&quota, 1, limit, SECOND, 1000), 1);
    assert_int_equal(taken(&quota, 1, limit, SECOND + SECOND / 2, 1), 1);
    quota_free(&quota);
}

static void refusals_hold_the_tenant(void **state)
{
    (void)state;
    struct quota quota = {0};
    struct rate_limit limit = {.per_second = 1, .burst = 5};
    int64_t now = SECOND;
    assert_int_equal(taken(&quota, 1, limit, now, 5), 5);
    assert_false(quota_is_held(&quota, 1, now));
    assert_int_equal(taken(&quota, 1, limit, now, 10), 0);
    assert_false(quota_is_held(&quota, 1, now)); // a millisecond's worth
    assert_int_equal(taken(&quota, 1, limit, now, 1), 0);
    assert_true(quota_is_held(&quota, 1, now));
    assert_false(quota_is_held(&quota, 2, now));
    assert_false(quota_is_held(&quota, 1, now + SECOND / 10000));
    // However many come in between, as many pass a second: what was held for before isn't forgotten.
    int64_t refused = 0;
    for (int64_t at = now + SECOND; at < now + 2 * SECOND; at += SECOND / 1000000) {
        refused += !quota_is_held(&quota, 1, at) && taken(&quota, 1, limit, at, 1) == 0;
    }
    assert_in_range(refused, 9900, 10100);
    quota_free(&quota);
}

static void a_turn_has_a_share_for_each_tenant(void **state)
{
    (void)state;
    struct quota quota = {0};
    quota_begin_turn(&quota);
    assert_int_equal(quota_left(&quota, 40, 64), 64);
    quota_use(&quota, 40, 60, 64);
    assert_int_equal(quota_left(&quota, 40, 64), 4);
    assert_int_equal(quota_left(&quota, 41, 64), 64);
    assert_int_equal(quota_left(&quota, 0, 64), 64);
    quota_begin_turn(&quota);
    assert_int_equal(quota_left(&quota, 40, 64), 64);
    quota_use(&quota, 40, 1, 64);
    assert_int_equal(quota_left(&quota, 40, 64), 63);
    quota_free(&quota);
}

// A JSON-RPC batch is decided whole, however little of the share was left.
static void what_goes_beyond_a_share_is_taken_off_the_next_ones(void **state)
{
    (void)state;
    struct quota quota = {0};
    int64_t decided = 0;
    for (int turn = 0; turn < 100; turn++) {
        quota_begin_turn(&quota);
        while (quota_left(&quota, 7, 64) > 0) {
            quota_use(&quota, 7, 256, 64);
            decided += 256;
        }
    }
    assert_int_equal(decided, 100 * 64);
    for (int turn = 0; turn < 10; turn++) {
        quota_begin_turn(&quota); // what is not used is not saved up
    }
    assert_int_equal(quota_left(&quota, 7, 64), 64);
    quota_use(&quota, 7, 256, 64);
    quota_begin_turn(&quota);
    assert_int_equal(quota_left(&quota, 7, 64), -128);
    quota_begin_turn(&quota);
    quota_begin_turn(&quota);
    assert_int_equal(quota_left(&quota, 7, 64), 0);
    quota_begin_turn(&quota);
    assert_int_equal(quota_left(&quota, 7, 64), 64);
    quota_free(&quota);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_limit_all_may_ask),
        cmocka_unit_test(a_bucket_holds_its_burst_and_fills_evenly),
        cmocka_unit_test(who_comes_back_when_told_to_is_let_through),
        cmocka_unit_test(a_refusal_costs_nothing),
        cmocka_unit_test(refusals_hold_the_tenant),
        cmocka_unit_test(a_turn_has_a_share_for_each_tenant),
        cmocka_unit_test(what_goes_beyond_a_share_is_taken_off_the_next_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
