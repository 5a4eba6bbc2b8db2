// Jobs take turns by who asked for them, and none runs before its batch is durable.
#include "server/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void add(struct lane *lane, struct job *job, uint32_t asker, int64_t batch)
{
    *job = (struct job){.asker = asker, .batch = batch};
    lane_add(lane, job);
}

static void one_job_waits_for_one_of_each_other(void **state)
{
    (void)state;
    struct lane lane = {0};
    struct job many[100], few[3], one, late;
    for (int i = 0; i < 100; i++)
        add(&lane, &many[i], 1, 0);
    for (int i = 0; i < 3; i++)
        add(&lane, &few[i], 2, 0);
    add(&lane, &one, 3, 0);
    assert_ptr_equal(lane_take(&lane, 0), &many[0]);
    assert_ptr_equal(lane_take(&lane, 0), &few[0]);
    assert_ptr_equal(lane_take(&lane, 0), &one);
    assert_ptr_equal(lane_take(&lane, 0), &many[1]);
    add(&lane, &late, 4, 0);
    assert_ptr_equal(lane_take(&lane, 0), &few[1]);
    assert_ptr_equal(lane_take(&lane, 0), &late);
    assert_ptr_equal(lane_take(&lane, 0), &many[2]);
    assert_ptr_equal(lane_take(&lane, 0), &few[2]);
    for (int i = 3; i < 100; i++)
        assert_ptr_equal(lane_take(&lane, 0), &many[i]);
    assert_null(lane_take(&lane, 0));
}

static void who_comes_again_and_again_takes_turns_too(void **state)
{
    (void)state;
    struct lane lane = {0};
    struct job many[20], again;
    for (int i = 0; i < 20; i++)
        add(&lane, &many[i], 1, 0);
    for (int i = 0; i < 20; i++) {
        add(&lane, &again, 2, 0);
        struct job *first = lane_take(&lane, 0), *second = lane_take(&lane, 0);
        assert_true((first == &many[i] && second == &again) || (first == &again && second == &many[i]));
    }
    assert_null(lane.first);
}

static void a_job_waits_for_its_batch_alone(void **state)
{
    (void)state;
    struct lane lane = {0};
    struct job a, b, c;
    add(&lane, &a, 1, 7);
    add(&lane, &b, 2, 5);
    add(&lane, &c, 2, 7);
    assert_null(lane_take(&lane, 4));
    assert_ptr_equal(lane_take(&lane, 5), &b);
    assert_null(lane_take(&lane, 6));
    assert_ptr_equal(lane_take(&lane, 7), &a);
    assert_ptr_equal(lane_take(&lane, INT64_MAX), &c);
    assert_null(lane_take(&lane, INT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_job_waits_for_one_of_each_other),
        cmocka_unit_test(who_comes_again_and_again_takes_turns_too),
        cmocka_unit_test(a_job_waits_for_its_batch_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
