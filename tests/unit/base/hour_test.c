// Time: what can be read, leap years, offsets, the first and last year, and months with days that clamp.
#include "base/hour.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define UNTOUCHED 424242

static struct hour hour_from(const char *text)
{
    struct hour h = {UNTOUCHED};
    assert_true(hour_parse(text, strlen(text), &h));
    return h;
}

static void assert_hour(struct hour h, const char *expected)
{
    char text[INSTANT_TEXT_SIZE];
    assert_int_equal(instant_format(hour_start(h), text), strlen(expected));
    assert_string_equal(text, expected);
}

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t expected;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59Z", -1},
        {"2026-12-01T00:00:00Z", 1796083200},
        {"2026-12-01t00:00:00z", 1796083200},
        {"2026-12-01 00:00:00Z", 1796083200},
        {"2026-12-01T00:00:00.000Z", 1796083200},
        {"2026-12-01T00:00:00.0+00:00", 1796083200},
        {"2026-12-01T00:00:00-00:00", 1796083200},
        {"2026-12-01T05:30:00+05:30", 1796083200},
        {"2026-11-30T16:00:00-08:00", 1796083200},
        {"2026-12-01T23:59:00+23:59", 1796083200},
        {"2026-12-01T00:00:07Z", 1796083207},
        {"2000-02-29T00:00:00Z", 951782400},
        {"2400-02-29T00:00:00Z", 13574563200},
        {"2038-01-19T03:14:08Z", 2147483648},
        {"0001-01-01T00:00:00Z", -62135596800},
        {"9998-12-31T23:59:59Z", 253370764799},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct instant at = {UNTOUCHED};
        assert_true(instant_parse(cases[i].text, strlen(cases[i].text), &at));
        assert_true(at.seconds == cases[i].expected);
    }
}

static void test_parse_rejects(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "now",
        "2026",
        "2026-12-01",
        "2026-12-01T00:00:00",
        "2026-12-01T00:00Z",
        "2026-12-01T00:00:00ZZ",
        "2026-12-01T00:00:00Z ",
        " 2026-12-01T00:00:00Z",
        "2026-12-01_00:00:00Z",
        "2026-12-01  00:00:00Z",
        "2026/12/01T00:00:00Z",
        "20261201T000000Z",
        "2026-2-01T00:00:00Z",
        "+2026-12-01T00:00:00Z",
        "-2026-12-01T00:00:00Z",
        "12026-12-01T00:00:00Z",
        // fractions that are not zero, or not there
        "2026-12-01T00:00:00.5Z",
        "2026-12-01T00:00:00.0000000001Z",
        "2026-12-01T00:00:00.Z",
        "2026-12-01T00:00:00,0Z",
        // offsets
        "2026-12-01T00:00:00+0000",
        "2026-12-01T00:00:00+00",
        "2026-12-01T00:00:00+24:00",
        "2026-12-01T00:00:00+00:60",
        "2026-12-01T00:00:00+1:00",
        "2026-12-01T00:00:00 +01:00",
        // what does not exist
        "2026-00-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-12-00T00:00:00Z",
        "2026-12-32T00:00:00Z",
        "2026-11-31T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2028-02-30T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-12-01T24:00:00Z",
        "2026-12-01T00:60:00Z",
        "2026-12-31T23:59:60Z",
        // years
        "0000-01-01T00:00:00Z",
        "0000-12-31T23:59:59Z",
        "9999-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+00:01",
        "9998-12-31T23:59:59-00:01",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct instant at = {UNTOUCHED};
        assert_false(instant_parse(cases[i], strlen(cases[i]), &at));
        assert_true(at.seconds == UNTOUCHED);
    }
    // A NUL in the middle is no separator.
    struct instant at = {UNTOUCHED};
    assert_false(instant_parse("2026-12-01\00000:00:00Z", 20, &at));
}

// Every shorter beginning of a good text is refused, and read only as far as its length.
static void test_parse_reads_no_further(void **state)
{
    (void)state;
    static const char text[] = "2026-12-01T05:30:00.00+05:30";
    for (size_t length = 0; length < sizeof text - 1; length++) {
        struct instant at;
        assert_false(instant_parse(text, length, &at));
    }
    struct instant at;
    assert_true(instant_parse(text, sizeof text - 1, &at));
    assert_true(instant_parse("2026-12-01T00:00:00Z...", 20, &at));
}

static void test_whole_hours(void **state)
{
    (void)state;
    struct hour h = {UNTOUCHED};
    assert_true(hour_parse("2026-12-01T05:30:00+05:30", 25, &h));
    assert_int_equal(h.number, 1796083200 / 3600);
    h = (struct hour){UNTOUCHED};
    assert_false(hour_parse("2026-12-01T00:30:00Z", 20, &h));
    assert_false(hour_parse("2026-12-01T00:00:00+05:30", 25, &h));
    assert_false(hour_parse("2026-12-01T00:00:01Z", 20, &h));
    assert_false(hour_parse("tomorrow", 8, &h));
    assert_int_equal(h.number, UNTOUCHED);
}

static void test_hours_of_instants(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        int32_t lies_in, at_or_after;
    } cases[] = {
        {0, 0, 0},
        {1, 0, 1},
        {3599, 0, 1},
        {3600, 1, 1},
        {-1, -1, 0},
        {-3600, -1, -1},
        {-3601, -2, -1},
        {-3599, -1, 0},
        {INT64_MAX, INT32_MAX, INT32_MAX},
        {INT64_MIN, INT32_MIN, INT32_MIN},
        {(int64_t)INT32_MAX * 3600 + 1, INT32_MAX, INT32_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct instant at = {cases[i].seconds};
        assert_int_equal(hour_of_instant(at).number, cases[i].lies_in);
        assert_int_equal(hour_at_or_after(at).number, cases[i].at_or_after);
    }
    assert_true(hour_start((struct hour){INT32_MAX}).seconds == (int64_t)INT32_MAX * 3600);
}

static void test_add_months(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        int32_t months;
        const char *expected;
    } cases[] = {
        {"2026-05-01T00:00:00Z", 1, "2026-06-01T00:00:00Z"},
        {"2026-05-01T00:00:00Z", 12, "2027-05-01T00:00:00Z"},
        {"2026-12-15T07:00:00Z", 1, "2027-01-15T07:00:00Z"},
        {"2026-01-15T07:00:00Z", -1, "2025-12-15T07:00:00Z"},
        {"2026-01-31T23:00:00Z", 1, "2026-02-28T23:00:00Z"},
        {"2026-01-31T23:00:00Z", 2, "2026-03-31T23:00:00Z"},
        {"2026-01-31T23:00:00Z", 3, "2026-04-30T23:00:00Z"},
        {"2028-01-31T00:00:00Z", 1, "2028-02-29T00:00:00Z"},
        {"2028-02-29T13:00:00Z", 12, "2029-02-28T13:00:00Z"},
        {"2028-02-29T13:00:00Z", 48, "2032-02-29T13:00:00Z"},
        {"2096-02-29T00:00:00Z", 48, "2100-02-28T00:00:00Z"},
        {"1996-02-29T00:00:00Z", 48, "2000-02-29T00:00:00Z"},
        {"2026-03-31T00:00:00Z", -1, "2026-02-28T00:00:00Z"},
        {"1970-01-31T00:00:00Z", -1, "1969-12-31T00:00:00Z"},
        {"1969-12-31T23:00:00Z", 2, "1970-02-28T23:00:00Z"},
        {"2026-05-01T00:00:00Z", 0, "2026-05-01T00:00:00Z"},
        {"0001-01-01T00:00:00Z", 12 * 9997, "9998-01-01T00:00:00Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_hour(hour_add_months(hour_from(cases[i].from), cases[i].months), cases[i].expected);
    }
    // What no calendar reaches stays within the range of hours.
    assert_int_equal(hour_add_months((struct hour){0}, INT32_MAX).number, INT32_MAX);
    assert_int_equal(hour_add_months((struct hour){0}, INT32_MIN).number, INT32_MIN);
    assert_int_equal(hour_add_months((struct hour){INT32_MAX}, 1200).number, INT32_MAX);
}

static void test_next_month(void **state)
{
    (void)state;
    assert_hour(hour_next_month(hour_from("2026-12-01T00:00:00Z")), "2027-01-01T00:00:00Z");
    assert_hour(hour_next_month(hour_from("2026-12-31T23:00:00Z")), "2027-01-01T00:00:00Z");
    assert_hour(hour_next_month(hour_from("2028-02-29T12:00:00Z")), "2028-03-01T00:00:00Z");
    assert_hour(hour_next_month(hour_from("1969-12-31T23:00:00Z")), "1970-01-01T00:00:00Z");
    assert_int_equal(hour_next_month((struct hour){INT32_MAX}).number, INT32_MAX);
}

// Every day over two cycles of the calendar follows the one before it, as counted by hand.
static void test_every_day(void **state)
{
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 1601, month = 1, day = 1;
    struct instant at;
    assert_true(instant_parse("1601-01-01T00:00:00Z", 20, &at));
    for (; year < 2401; at.seconds += 86400) {
        char text[INSTANT_TEXT_SIZE];
        instant_format(at, text);
        int seen = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
        assert_int_equal(seen, year);
        assert_int_equal((text[5] - '0') * 10 + (text[6] - '0'), month);
        assert_int_equal((text[8] - '0') * 10 + (text[9] - '0'), day);
        struct instant again;
        assert_true(instant_parse(text, INSTANT_TEXT_SIZE - 1, &again));
        assert_true(again.seconds == at.seconds);

        int leap = month == 2 && (year % 400 == 0 || (year % 4 == 0 && year % 100 != 0));
        if (++day > lengths[month - 1] + leap) {
            day = 1;
            month = month == 12 ? 1 : month + 1;
            year += month == 1;
        }
    }
}

static void test_format_beyond_four_digits(void **state)
{
    (void)state;
    char text[INSTANT_TEXT_SIZE];
    assert_int_equal(instant_format((struct instant){INT64_MAX}, text), INSTANT_TEXT_SIZE - 1);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
    assert_int_equal(instant_format((struct instant){INT64_MIN}, text), INSTANT_TEXT_SIZE - 1);
    assert_string_equal(text, "0001-01-01T00:00:00Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_rejects),
        cmocka_unit_test(test_parse_reads_no_further),
        cmocka_unit_test(test_whole_hours),
        cmocka_unit_test(test_hours_of_instants),
        cmocka_unit_test(test_add_months),
        cmocka_unit_test(test_next_month),
        cmocka_unit_test(test_every_day),
        cmocka_unit_test(test_format_beyond_four_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
