// The life of a reservation: every pair of states, against the picture in the rules.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/transition.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static const struct move {
    enum reservation_state from, to;
} moves[] = {
    // Creating: to wait, to hold, to book, and to book in the running hour.
    {STATE_NONE, STATE_WAITING},
    {STATE_NONE, STATE_HELD},
    {STATE_NONE, STATE_BOOKED},
    {STATE_NONE, STATE_ACTIVE},
    // A waiting one is booked when capacity is free, which may be in its first hour.
    {STATE_WAITING, STATE_BOOKED},
    {STATE_WAITING, STATE_HELD},
    {STATE_WAITING, STATE_EXPIRED},
    {STATE_WAITING, STATE_CANCELLED},
    // A hold is confirmed before its start at the latest, so it never goes straight to active.
    {STATE_HELD, STATE_HELD},
    {STATE_HELD, STATE_BOOKED},
    {STATE_HELD, STATE_EXPIRED},
    {STATE_HELD, STATE_CANCELLED},
    {STATE_BOOKED, STATE_BOOKED},
    {STATE_BOOKED, STATE_ACTIVE},
    {STATE_BOOKED, STATE_CANCELLED},
    {STATE_ACTIVE, STATE_ACTIVE},
    {STATE_ACTIVE, STATE_COMPLETED},
    {STATE_ACTIVE, STATE_CANCELLED},
};

static bool in_the_picture(enum reservation_state from, enum reservation_state to)
{
    for (size_t i = 0; i < COUNT_OF(moves); i++)
        if (moves[i].from == from && moves[i].to == to)
            return true;
    return false;
}

static void moves_are_those_of_the_picture(void **state)
{
    (void)state;
    for (int from = 0; from < STATE_COUNT; from++) {
        for (int to = 0; to < STATE_COUNT; to++) {
            bool allowed = transition_allowed((enum reservation_state)from, (enum reservation_state)to);
            bool expected = in_the_picture((enum reservation_state)from, (enum reservation_state)to);
            if (allowed != expected)
                fail_msg("from %s to %s is %s", reservation_state_name((enum reservation_state)from),
                         reservation_state_name((enum reservation_state)to), allowed ? "allowed" : "refused");
        }
    }
}

static void nothing_leaves_an_end(void **state)
{
    (void)state;
    static const bool terminal[STATE_COUNT] = {
        [STATE_COMPLETED] = true, [STATE_CANCELLED] = true, [STATE_EXPIRED] = true};
    for (int from = 0; from < STATE_COUNT; from++) {
        assert_int_equal(state_is_terminal((enum reservation_state)from), terminal[from]);
        for (int to = 0; to < STATE_COUNT && terminal[from]; to++)
            assert_false(transition_allowed((enum reservation_state)from, (enum reservation_state)to));
    }
}

static void only_live_ones_take_capacity(void **state)
{
    (void)state;
    static const bool live[STATE_COUNT] = {[STATE_HELD] = true, [STATE_BOOKED] = true, [STATE_ACTIVE] = true};
    for (int i = 0; i < STATE_COUNT; i++)
        assert_int_equal(state_is_live((enum reservation_state)i), live[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_are_those_of_the_picture),
        cmocka_unit_test(nothing_leaves_an_end),
        cmocka_unit_test(only_live_ones_take_capacity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
