// Times and lengths as people write them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/times.h"

#define NOW 1796083200 // 2026-12-01T00:00:00Z

static void assert_time(const char *text, int64_t now, enum rounding rounding, const char *expected)
{
    int64_t seconds = 0;
    char shown[TIME_TEXT_SIZE];
    assert_true(time_parse(text, now, rounding, &seconds));
    time_format(seconds, shown);
    assert_string_equal(shown, expected);
}

static void test_written_times(void **state)
{
    (void)state;
    assert_time("2026-12-01T00:00:00Z", 0, ROUND_DOWN, "2026-12-01T00:00:00Z");
    assert_time("2026-12-01t05:30:00z", 0, ROUND_NOT, "2026-12-01T05:30:00Z");
    assert_time("2026-12-01 05:30:00.000+05:30", 0, ROUND_NOT, "2026-12-01T00:00:00Z");
    assert_time("2026-12-01T00:00:00-01:00", 0, ROUND_NOT, "2026-12-01T01:00:00Z");
    assert_time("2026-12-01", 0, ROUND_NOT, "2026-12-01T00:00:00Z");
    assert_time("2028-02-29", 0, ROUND_NOT, "2028-02-29T00:00:00Z");
    assert_time("0001-01-01", 0, ROUND_NOT, "0001-01-01T00:00:00Z");
    assert_time("9998-12-31T23:00:00Z", 0, ROUND_NOT, "9998-12-31T23:00:00Z");
}

// What is written out is meant so, and it is for the daemon to say that it is no whole hour.
static void test_written_times_are_not_rounded(void **state)
{
    (void)state;
    assert_time("2026-12-01T00:30:00Z", 0, ROUND_DOWN, "2026-12-01T00:30:00Z");
    assert_time("2026-12-01T00:30:00Z", 0, ROUND_UP, "2026-12-01T00:30:00Z");
}

static void test_times_from_now(void **state)
{
    (void)state;
    assert_time("now", NOW, ROUND_NOT, "2026-12-01T00:00:00Z");
    assert_time("now", NOW + 1, ROUND_NOT, "2026-12-01T00:00:01Z");
    assert_time("now", NOW + 3599, ROUND_DOWN, "2026-12-01T00:00:00Z");
    assert_time("now", NOW + 1, ROUND_UP, "2026-12-01T01:00:00Z");
    assert_time("now", NOW, ROUND_UP, "2026-12-01T00:00:00Z");
    assert_time("+3d", NOW + 59, ROUND_DOWN, "2026-12-04T00:00:00Z");
    assert_time("+36h", NOW, ROUND_DOWN, "2026-12-02T12:00:00Z");
    assert_time("-2w", NOW, ROUND_NOT, "2026-11-17T00:00:00Z");
    assert_time("now", -1, ROUND_DOWN, "1969-12-31T23:00:00Z");
}

static void test_what_is_no_time(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "tomorrow",
                                      "2026-13-01",
                                      "2026-00-01",
                                      "2026-02-29",
                                      "2026-12-32",
                                      "2026-12-01T24:00:00Z",
                                      "2026-12-01T00:00:00",
                                      "2026-12-01T00:00Z",
                                      "2026-12-1",
                                      "26-12-01",
                                      "0000-01-01",
                                      "9999-01-01",
                                      "2026-12-01T00:00:00.5Z",
                                      "2026-12-01T00:00:00Zx",
                                      "2026-12-01T00:00:00+24:00",
                                      "now ",
                                      "nowish",
                                      "+",
                                      "+3",
                                      "+3m",
                                      "+d",
                                      "+-3d",
                                      "+99999999w",
                                      "2026-12-01T",
                                      "2026-12-01T00:00:00.Z",
                                      "+3d4h",
                                      " 2026-12-01",
                                      "9998-12-31T23:59:59-23:59"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t seconds = 5;
        if (time_parse(bad[i], NOW, ROUND_NOT, &seconds))
            fail_msg("\"%s\" was taken as a time", bad[i]);
        assert_int_equal(seconds, 5);
    }
}

static void test_lengths(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t hours;
    } good[] = {{"1h", 1}, {"36h", 36}, {"14d", 336}, {"2w", 336}, {"007d", 168}};
    static const char *const bad[] = {
        "",   "h",    "0h",  "0d",    "-1h", "+1h",          "1",
        "1m", "1.5d", "1 d", "1d12h", "1D",  "99999999999h", "18446744073709551617h"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t hours = 0;
        assert_true(length_parse(good[i].text, &hours));
        assert_int_equal(hours, good[i].hours);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t hours = 0;
        if (length_parse(bad[i], &hours))
            fail_msg("\"%s\" was taken as a length", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_times),  cmocka_unit_test(test_written_times_are_not_rounded),
        cmocka_unit_test(test_times_from_now), cmocka_unit_test(test_what_is_no_time),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
