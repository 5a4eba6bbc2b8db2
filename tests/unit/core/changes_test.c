#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/changes.h"
#include "core/row.h"

enum { START = 1000, HOURS = 8784 };

static struct hour at(int32_t offset)
{
    return (struct hour){START + offset};
}

static void test_an_empty_one_has_no_next(void **state)
{
    (void)state;
    struct changes changes = {0};
    assert_int_equal(changes_next(&changes, at(0)).number, HOUR_NEVER.number);
    changes_span(&changes, at(0), at(HOURS));
    assert_int_equal(changes_next(&changes, at(-5)).number, HOUR_NEVER.number);
    assert_int_equal(changes_take(&changes, at(HOURS - 1)), 0);
    changes_free(&changes);
}

static void test_edges_of_blocks_and_of_the_span(void **state)
{
    (void)state;
    struct changes changes = {0};
    changes_span(&changes, at(0), at(65));
    changes_add(&changes, at(64), 3);
    changes_add(&changes, at(63), 2);
    changes_add(&changes, at(0), 1);
    changes_span(&changes, at(0), at(65)); // without effect
    assert_int_equal(changes_next(&changes, at(-1000)).number, at(0).number);
    assert_int_equal(changes_next(&changes, at(0)).number, at(63).number);
    assert_int_equal(changes_next(&changes, at(63)).number, at(64).number);
    assert_int_equal(changes_next(&changes, at(64)).number, HOUR_NEVER.number);
    assert_int_equal(changes_next(&changes, at(127)).number, HOUR_NEVER.number);
    assert_int_equal(changes_take(&changes, at(63)), 2);
    assert_int_equal(changes_next(&changes, at(0)).number, at(64).number);
    assert_int_equal(changes_take(&changes, at(63)), 0);
    assert_int_equal(changes_take(&changes, at(64)), 3);
    changes_free(&changes);
}

// What cancels out to nothing is not there any more.
static void test_what_cancels_out_is_gone(void **state)
{
    (void)state;
    struct changes changes = {0};
    changes_span(&changes, at(0), at(HOURS));
    changes_add(&changes, at(7), 5);
    changes_add(&changes, at(8), 0);
    changes_add(&changes, at(7), -5);
    assert_int_equal(changes_next(&changes, at(0)).number, HOUR_NEVER.number);
    changes_free(&changes);
}

// Against one number for each hour.
static void test_against_a_plain_array(void **state)
{
    (void)state;
    enum { STEPS = 40000, NEAR = 300 };
    static int64_t plain[HOURS];
    struct changes changes = {0};
    uint64_t random = 88172645463325252U;
    changes_span(&changes, at(0), at(HOURS));
    for (int step = 0; step < STEPS; step++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // Half of them near one another, so that blocks fill and empty.
        int32_t hour = (int32_t)((random >> 8) % (random % 2 == 0 ? HOURS : NEAR));
        int64_t by = (int64_t)((random >> 32) % 5) - 2;
        if (random >> 61 < 6) {
            changes_add(&changes, at(hour), by);
            plain[hour] += by;
        } else {
            assert_int_equal(changes_take(&changes, at(hour)), plain[hour]);
            plain[hour] = 0;
        }
        int32_t next = hour + 1;
        while (next < HOURS && plain[next] == 0)
            next++;
        struct hour expected = next < HOURS ? at(next) : HOUR_NEVER;
        assert_int_equal(changes_next(&changes, at(hour)).number, expected.number);
    }
    for (int32_t hour = 0; hour < HOURS; hour++)
        assert_int_equal(changes_take(&changes, at(hour)), plain[hour]);
    changes_free(&changes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_one_has_no_next),
        cmocka_unit_test(test_edges_of_blocks_and_of_the_span),
        cmocka_unit_test(test_what_cancels_out_is_gone),
        cmocka_unit_test(test_against_a_plain_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
