// Refusals in words, and exit statuses.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/cli.h"
#include <stdlib.h>

static void assert_words(const char *params, int code, const char *message, const char *data,
                         const char *expected)
{
    json_t *asked = json_loads(params, 0, NULL), *told = json_loads(data, 0, NULL);
    assert_non_null(asked);
    assert_non_null(told);
    char *words = refusal_in_words(asked, code, message, told);
    assert_string_equal(words, expected);
    free(words);
    json_decref(asked);
    json_decref(told);
}

static void test_capacity(void **state)
{
    (void)state;
    assert_words(
        "{\"pool\":\"s/p\",\"gpus\":512,\"start\":\"2026-12-01T00:00:00Z\",\"hours\":48}", 1006, "m",
        "{\"pool\":\"s/p\",\"free\":128,\"first_short\":\"2026-12-01T05:00:00Z\",\"next_start\":"
        "\"2026-12-03T00:00:00Z\"}",
        "no 512 GPUs free in s/p from 2026-12-01T00:00:00Z for 48 hours; 128 are, and the first hour that is "
        "short is 2026-12-01T05:00:00Z; the same request fits from 2026-12-03T00:00:00Z");
    assert_words("{\"pool\":\"s/p\",\"gpus\":512,\"start\":\"a\",\"end\":\"b\"}", 1006, "m",
                 "{\"pool\":\"s/p\",\"free\":0,\"next_start\":null,\"searched_until\":\"c\"}",
                 "no 512 GPUs free in s/p from a to b; 0 are; it fits at no later start before c");
    // A change does not say how many there would be.
    assert_words("{\"id\":3,\"end\":\"b\"}", 1006, "the pool has fewer", "{\"pool\":\"s/p\",\"free\":0}",
                 "the pool has fewer");
}

static void test_a_leg_is_counted_from_one(void **state)
{
    (void)state;
    assert_words("{\"legs\":[{\"gpus\":8},{\"gpus\":16,\"start\":\"a\",\"end\":\"b\"}]}", 1006, "m",
                 "{\"leg\":1,\"pool\":\"s/p\",\"free\":8}",
                 "leg 2 of 2: no 16 GPUs free in s/p from a to b; 8 are");
}

static void test_power(void **state)
{
    (void)state;
    assert_words(
        "{\"pool\":\"s/p\",\"gpus\":16,\"start\":\"a\",\"end\":\"b\"}", 1006, "m",
        "{\"pool\":\"s/p\",\"free\":8,\"limit\":\"power\",\"missing_kw\":\"12.50\",\"first_short\":\"f\"}",
        "the site of s/p lacks 12.50 kW for 16 GPUs from a to b; it has power for 8, and the first hour "
        "that is short is f");
}

static void test_commitment(void **state)
{
    (void)state;
    assert_words(
        "{}", 1007, "m",
        "{\"contract\":\"c\",\"period_start\":\"p\",\"available\":\"1000.00\",\"needed\":\"2500.50\","
        "\"max_gpus\":1024}",
        "this needs $2,500.50, and contract c has $1,000.00 left in its period from p; up to 1,024 GPUs "
        "would "
        "fit for the same hours");
    assert_words("{}", 1007, "m",
                 "{\"contract\":\"c\",\"period_start\":\"p\",\"available\":\"0.00\",\"needed\":\"1.00\","
                 "\"max_gpus\":0}",
                 "this needs $1.00, and contract c has $0.00 left in its period from p; no number of GPUs "
                 "would fit for "
                 "the same hours");
}

static void test_others(void **state)
{
    (void)state;
    assert_words("{}", 1008, "none covers it", "{\"first_uncovered\":\"f\"}",
                 "none covers it; the first hour that none covers is f");
    assert_words("{}", 1005, "it has ended", "{\"state\":\"cancelled\"}",
                 "it has ended; its state is cancelled");
    assert_words("{}", 1015, "is missing", "{\"path\":\"pools[0].gpu\"}", "pools[0].gpu: is missing");
    assert_words("{}", -32602, "is too small", "{\"member\":\"gpus\"}", "gpus: is too small");
    assert_words("{}", -32602, "gpus is too small", "{\"member\":\"gpus\"}", "gpus is too small");
    assert_words("{}", -32602, "say for whom", "{\"member\":\"tenant\"}",
                 "tenant: say for whom; say --tenant");
    assert_words("{\"tenant\":\"x\"}", -32602, "tenant is too long", "{\"member\":\"tenant\"}",
                 "tenant is too long");
    assert_words("{}", 1017, "no price", "{\"first_unrated\":\"f\"}",
                 "no price; the first hour without one is f");
    assert_words("{}", 1011, "later", "{\"retry_after_ms\":250}", "later (in 250 ms)");
    assert_words("{}", 1012, "full", "{\"outcome\":\"none\"}", "full; nothing was changed");
    assert_words("{}", 1003, "there is none", "{}", "there is none");
    char *words = refusal_in_words(NULL, 1006, "m", NULL);
    assert_string_equal(words, "m");
    free(words);
}

static void test_statuses(void **state)
{
    (void)state;
    static const int refused[] = {-32700, -32602, 1003, 1004, 1005, 1008, 1009, 1010,
                                  1011,   1012,   1013, 1014, 1015, 1016, 1017};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_int_equal(refusal_status(refused[i]), 1);
    assert_int_equal(refusal_status(1001), 4);
    assert_int_equal(refusal_status(1002), 4);
    assert_int_equal(refusal_status(1006), 5);
    assert_int_equal(refusal_status(1007), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capacity), cmocka_unit_test(test_a_leg_is_counted_from_one),
        cmocka_unit_test(test_power),    cmocka_unit_test(test_commitment),
        cmocka_unit_test(test_others),   cmocka_unit_test(test_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
