#include "server/openmetrics.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_a_family(void **state)
{
    (void)state;
    struct buffer out = {0};
    openmetrics_family(&out, "a_bytes", "gauge", "bytes", "One \\ two\n\"three\"");
    struct label labels[] = {{"x", "a\\b\"c\nd"}, {"y", ""}};
    openmetrics_sample(&out, "a_bytes", labels, 2, "1.5");
    openmetrics_sample(&out, "a_bytes", NULL, 0, "-3");
    openmetrics_end(&out);
    assert_string_equal(out.data, "# TYPE a_bytes gauge\n# UNIT a_bytes bytes\n"
                                  "# HELP a_bytes One \\\\ two\\n\\\"three\\\"\n"
                                  "a_bytes{x=\"a\\\\b\\\"c\\nd\",y=\"\"} 1.5\na_bytes -3\n# EOF\n");
    buffer_free(&out);
}

static void test_families_of_one_sample(void **state)
{
    (void)state;
    struct buffer out = {0};
    openmetrics_gauge(&out, "a", NULL, "Of a.", -7);
    openmetrics_counter(&out, "b", "Of b.", INT64_MAX);
    assert_string_equal(out.data, "# TYPE a gauge\n# HELP a Of a.\na -7\n"
                                  "# TYPE b counter\n# HELP b Of b.\nb_total 9223372036854775807\n");
    buffer_free(&out);
}

static void test_a_histogram(void **state)
{
    (void)state;
    const struct histogram_scale scale = {.ends = {1, 2500, 1000000, 5000000}, .count = 4, .unit = 1000000};
    const struct histogram histogram = {.buckets = {1, 0, 2, 3, 4}, .sum = 12000030};
    struct buffer out = {0};
    openmetrics_histogram(&out, "a_seconds", "seconds", "Of a.", &histogram, &scale);
    assert_string_equal(out.data,
                        "# TYPE a_seconds histogram\n# UNIT a_seconds seconds\n# HELP a_seconds Of a.\n"
                        "a_seconds_bucket{le=\"0.000001\"} 1\na_seconds_bucket{le=\"0.0025\"} 1\n"
                        "a_seconds_bucket{le=\"1.0\"} 3\na_seconds_bucket{le=\"5.0\"} 6\n"
                        "a_seconds_bucket{le=\"+Inf\"} 10\na_seconds_sum 12.00003\na_seconds_count 10\n");
    buffer_clear(&out);
    const struct histogram_scale rows = {.ends = {4}, .count = 1, .unit = 1};
    const struct histogram few = {.buckets = {0, 1}, .sum = 9};
    openmetrics_histogram(&out, "a_rows", "rows", "Of a.", &few, &rows);
    assert_string_equal(strstr(out.data, "a_rows_bucket"),
                        "a_rows_bucket{le=\"4.0\"} 0\na_rows_bucket{le=\"+Inf\"} 1\na_rows_sum 9.0\n"
                        "a_rows_count 1\n");
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_family),
        cmocka_unit_test(test_families_of_one_sample),
        cmocka_unit_test(test_a_histogram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
