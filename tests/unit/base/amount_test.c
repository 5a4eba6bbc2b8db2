// Money: the edges of 64 bits, rounding half to even, and what is and is not an amount.
#include "base/amount.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define UNTOUCHED 424242

static struct amount micro(int64_t value)
{
    return (struct amount){value};
}

static void test_add(void **state)
{
    (void)state;
    struct amount result = micro(UNTOUCHED);
    assert_true(amount_add(micro(2), micro(3), &result));
    assert_int_equal(result.micro, 5);
    assert_true(amount_add(micro(INT64_MAX - 1), micro(1), &result));
    assert_true(result.micro == INT64_MAX);
    assert_true(amount_add(micro(INT64_MIN), micro(INT64_MAX), &result));
    assert_int_equal(result.micro, -1);

    result = micro(UNTOUCHED);
    assert_false(amount_add(micro(INT64_MAX), micro(1), &result));
    assert_false(amount_add(micro(INT64_MIN), micro(-1), &result));
    assert_int_equal(result.micro, UNTOUCHED);
}

static void test_subtract(void **state)
{
    (void)state;
    struct amount result = micro(UNTOUCHED);
    assert_true(amount_subtract(micro(2), micro(3), &result));
    assert_int_equal(result.micro, -1);
    assert_true(amount_subtract(micro(-1), micro(INT64_MIN), &result));
    assert_true(result.micro == INT64_MAX);

    result = micro(UNTOUCHED);
    assert_false(amount_subtract(micro(0), micro(INT64_MIN), &result));
    assert_false(amount_subtract(micro(INT64_MIN), micro(1), &result));
    assert_int_equal(result.micro, UNTOUCHED);
}

static void test_multiply(void **state)
{
    (void)state;
    struct amount result = micro(UNTOUCHED);
    // 16,416 GPUs for a year at $2.35.
    assert_true(amount_multiply(micro(2350000), (int64_t)16416 * 8760, &result));
    assert_int_equal(result.micro, 337939776000000);
    assert_true(amount_multiply(micro(-1), INT64_MAX, &result));
    assert_true(result.micro == -INT64_MAX);
    assert_true(amount_multiply(micro(INT64_MIN), 1, &result));
    assert_true(result.micro == INT64_MIN);
    assert_true(amount_multiply(micro(INT64_C(1) << 62), -2, &result));
    assert_true(result.micro == INT64_MIN);
    assert_true(amount_multiply(micro(0), INT64_MIN, &result));
    assert_int_equal(result.micro, 0);

    result = micro(UNTOUCHED);
    assert_false(amount_multiply(micro(INT64_MIN), -1, &result));
    assert_false(amount_multiply(micro(INT64_C(1) << 62), 2, &result));
    assert_false(amount_multiply(micro(INT64_MAX), INT64_MAX, &result));
    assert_false(amount_multiply(micro(INT64_MIN), INT64_MIN, &result));
    assert_int_equal(result.micro, UNTOUCHED);
}

static void test_result_may_alias(void **state)
{
    (void)state;
    struct amount a = micro(10);
    assert_true(amount_add(a, a, &a));
    assert_true(amount_subtract(a, micro(5), &a));
    assert_true(amount_multiply(a, 4, &a));
    assert_true(amount_percent(a, 5000, &a));
    assert_int_equal(a.micro, 30);
}

static void test_percent_rounds_half_to_even(void **state)
{
    (void)state;
    static const struct {
        int64_t micro, basis_points, expected;
    } cases[] = {
        {100, 10000, 100}, {100, 1050, 10}, // 10.5 to the even 10
        {100, 1150, 12},                    // 11.5 to the even 12
        {100, 1151, 12},   {100, 1149, 11}, {-100, 1050, -10}, {-100, 1150, -12},
        {100, -1150, -12}, {1, 5000, 0},    {3, 5000, 2},      {1, 5001, 1},
        {-1, 5001, -1},    {0, 5000, 0},    {12345, 0, 0},     {3, 20000, 6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct amount result = micro(UNTOUCHED);
        assert_true(amount_percent(micro(cases[i].micro), cases[i].basis_points, &result));
        assert_int_equal(result.micro, cases[i].expected);
    }
}

static void test_share_at_the_edges(void **state)
{
    (void)state;
    struct amount result = micro(UNTOUCHED);
    // The product does not fit 64 bits, the share does.
    assert_true(amount_share(micro(INT64_MAX), INT64_MAX, INT64_MAX, &result));
    assert_true(result.micro == INT64_MAX);
    assert_true(amount_share(micro(INT64_MIN), 3, 3, &result));
    assert_true(result.micro == INT64_MIN);
    assert_true(amount_share(micro(INT64_MIN), INT64_MIN, INT64_MAX, &result) == false);
    assert_true(amount_share(micro(INT64_MAX), 1, 2, &result));
    assert_true(result.micro == INT64_C(4611686018427387904)); // …903.5 to the even …904
    assert_true(amount_share(micro(1), 1, INT64_MAX, &result));
    assert_int_equal(result.micro, 0);
    assert_true(amount_share(micro(100), 1, 3, &result));
    assert_int_equal(result.micro, 33);
    assert_true(amount_share(micro(100), 2, 3, &result));
    assert_int_equal(result.micro, 67);

    result = micro(UNTOUCHED);
    assert_false(amount_share(micro(INT64_MAX), 3, 2, &result));
    assert_false(amount_percent(micro(INT64_MAX), 10001, &result));
    assert_false(amount_percent(micro(INT64_MIN), -10000, &result));
    assert_int_equal(result.micro, UNTOUCHED);
}

static void test_compare(void **state)
{
    (void)state;
    assert_int_equal(amount_compare(micro(1), micro(2)), -1);
    assert_int_equal(amount_compare(micro(2), micro(2)), 0);
    assert_int_equal(amount_compare(micro(INT64_MAX), micro(INT64_MIN)), 1);
    assert_int_equal(amount_min(micro(-1), micro(1)).micro, -1);
    assert_int_equal(amount_max(micro(-1), micro(1)).micro, 1);
    assert_true(amount_is_zero(AMOUNT_ZERO));
    assert_false(amount_is_zero(AMOUNT_MAX));
}

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t expected;
    } cases[] = {
        {"26880.00", 26880000000},
        {"-0.5", -500000},
        {"12", 12000000},
        {"0", 0},
        {"-0", 0},
        {"-0.000000", 0},
        {"0.000001", 1},
        {"007.10", 7100000},
        {"15000000000.00", 15000000000000000},
        {"9223372036854.775807", INT64_MAX},
        {"-9223372036854.775808", INT64_MIN},
        {"00000000000000000000000000000000000001", 1000000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct amount result = micro(UNTOUCHED);
        assert_true(amount_parse(cases[i].text, strlen(cases[i].text), &result));
        assert_true(result.micro == cases[i].expected);
    }
}

static void test_parse_rejects(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "-",
        ".",
        "-.",
        ".5",
        "5.",
        "-5.",
        "+1",
        " 1",
        "1 ",
        "1e3",
        "1E3",
        "1,000",
        "0x10",
        "1.0000000",
        "1.1234567",
        "--1",
        "1.2.3",
        "$1",
        "inf",
        "nan",
        "1.-5",
        "\n1",
        "1_000",
        "1.5f",
        "٣",
        "1. 50",
        "1.00000 ",
        "9223372036854.775808",
        "-9223372036854.775809",
        "9223372036855",
        "18446744073709.551616",
        "99999999999999999999999999999",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct amount result = micro(UNTOUCHED);
        assert_false(amount_parse(cases[i], strlen(cases[i]), &result));
        assert_int_equal(result.micro, UNTOUCHED);
    }
    struct amount result = micro(UNTOUCHED);
    assert_false(amount_parse("1\0", 2, &result)); // a NUL is a character like any other
    assert_true(amount_parse("1234", 2, &result)); // and the length is what counts
    assert_int_equal(result.micro, 12000000);
}

static void test_format(void **state)
{
    (void)state;
    static const struct {
        int64_t micro;
        const char *expected;
    } cases[] = {
        {0, "0.00"},
        {26880000000, "26880.00"},
        {-500000, "-0.50"},
        {1, "0.000001"},
        {-1, "-0.000001"},
        {1234560, "1.23456"},
        {1200000, "1.20"},
        {1230000, "1.23"},
        {1001000, "1.001"},
        {INT64_MAX, "9223372036854.775807"},
        {INT64_MIN, "-9223372036854.775808"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[AMOUNT_TEXT_SIZE];
        size_t length = amount_format(micro(cases[i].micro), text);
        assert_string_equal(text, cases[i].expected);
        assert_int_equal(length, strlen(cases[i].expected));
        struct amount again = micro(UNTOUCHED);
        assert_true(amount_parse(text, length, &again));
        assert_true(again.micro == cases[i].micro);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_subtract),
        cmocka_unit_test(test_multiply),
        cmocka_unit_test(test_result_may_alias),
        cmocka_unit_test(test_percent_rounds_half_to_even),
        cmocka_unit_test(test_share_at_the_edges),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_rejects),
        cmocka_unit_test(test_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
