#include "server/metrics.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_a_value_goes_where_it_belongs(void **state)
{
    (void)state;
    const struct histogram_scale scale = {.ends = {10, 20, 40}, .count = 3, .unit = 1};
    struct histogram histogram = {0};
    const int64_t values[] = {0, 10, 11, 20, 21, 40, 41, 1000};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        histogram_add(&histogram, &scale, values[i]);
    }
    const int64_t expected[] = {2, 2, 2, 2};
    assert_memory_equal(histogram.buckets, expected, sizeof expected);
    assert_int_equal(histogram.sum, 1143);
}

static void test_the_scales_ascend(void **state)
{
    (void)state;
    const struct histogram_scale *const scales[] = {&decision_scale, &commit_scale, &rows_scale};
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        assert_true(scales[i]->count > 0 && scales[i]->count <= HISTOGRAM_BUCKETS_MOST);
        for (size_t k = 1; k < scales[i]->count; k++) {
            assert_true(scales[i]->ends[k - 1] < scales[i]->ends[k]);
        }
    }
}

static void test_each_outcome_has_its_place(void **state)
{
    (void)state;
    static struct metrics metrics;
    metrics_answered(&metrics, METHOD_POOL_LIST, 0);
    metrics_answered(&metrics, METHOD_POOL_LIST, WIRE_NO_REPLY);
    metrics_answered(&metrics, METHOD_COUNT, RPC_PARSE_ERROR);
    assert_int_equal(metrics.requests[METHOD_POOL_LIST][METRICS_DONE], 1);
    assert_int_equal(metrics.requests[METHOD_POOL_LIST][METRICS_ABANDONED], 1);
    assert_int_equal(metrics.requests[METHOD_COUNT][METRICS_ERROR(rpc_error_index(RPC_PARSE_ERROR))], 1);
    assert_string_equal(metrics_outcome_name(METRICS_DONE), "done");
    assert_string_equal(metrics_outcome_name(METRICS_ABANDONED), "abandoned");
    for (size_t i = 0; i < RPC_ERROR_COUNT; i++) {
        int code = rpc_error_at(i);
        assert_int_equal(rpc_error_index(code), i);
        assert_string_equal(metrics_outcome_name(METRICS_ERROR(i)), rpc_error_kind(code));
    }
    assert_string_equal(rpc_error_kind(4711), "internal_error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_value_goes_where_it_belongs),
        cmocka_unit_test(test_the_scales_ascend),
        cmocka_unit_test(test_each_outcome_has_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
