// Writing JSON: commas, escapes and numbers, at their edges.
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_written(struct buffer *out, const char *expected)
{
    assert_string_equal(out->data, expected);
    assert_int_equal(out->length, strlen(expected));
    buffer_clear(out);
}

static void test_nesting_and_commas(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct json json = json_begin(&out);
    json_write_object(&json, NULL);
    json_write_object(&json, "empty");
    json_write_object_end(&json);
    json_write_array(&json, "list");
    json_write_integer(&json, NULL, 1);
    json_write_array(&json, NULL);
    json_write_array_end(&json);
    json_write_object(&json, NULL);
    json_write_bool(&json, "yes", true);
    json_write_bool(&json, "no", false);
    json_write_object_end(&json);
    json_write_null(&json, NULL);
    json_write_array_end(&json);
    json_write_raw(&json, "raw", "{\"a\":[1]}", 9);
    json_write_text(&json, "last", "x");
    json_write_object_end(&json);
    assert_written(&out, "{\"empty\":{},\"list\":[1,[],{\"yes\":true,\"no\":false},null],"
                         "\"raw\":{\"a\":[1]},\"last\":\"x\"}");
    buffer_free(&out);
}

static void assert_text(const char *text, size_t length, const char *expected)
{
    struct buffer out = {0};
    struct json json = json_begin(&out);
    json_write_text_length(&json, NULL, text, length);
    assert_written(&out, expected);
    buffer_free(&out);
}

static void test_escapes(void **state)
{
    (void)state;
    assert_text("", 0, "\"\"");
    assert_text("plain / text", 12, "\"plain / text\"");
    assert_text("\"\\", 2, "\"\\\"\\\\\"");
    assert_text("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
    assert_text("a\0b", 3, "\"a\\u0000b\"");
    assert_text("\x01\x1f\x7f", 3, "\"\\u0001\\u001f\\u007f\"");
    assert_text("é€😀", 9, "\"é€😀\"");
    assert_text("ab\"", 2, "\"ab\"");
}

static void test_null_text(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct json json = json_begin(&out);
    json_write_text(&json, NULL, NULL);
    assert_written(&out, "null");
    buffer_free(&out);
}

static void test_integers(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *expected;
    } cases[] = {
        {0, "0"},
        {7, "7"},
        {-1, "-1"},
        {10, "10"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer out = {0};
        struct json json = json_begin(&out);
        json_write_integer(&json, NULL, cases[i].value);
        assert_written(&out, cases[i].expected);
        buffer_free(&out);
    }
}

static void test_percent(void **state)
{
    (void)state;
    static const struct {
        int64_t basis_points;
        const char *expected;
    } cases[] = {
        {0, "0"},
        {1, "0.01"},
        {10, "0.1"},
        {100, "1"},
        {105, "1.05"},
        {1250, "12.5"},
        {10000, "100"},
        {-50, "-0.5"},
        {-10005, "-100.05"},
        {INT64_MAX, "92233720368547758.07"},
        {INT64_MIN, "-92233720368547758.08"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer out = {0};
        struct json json = json_begin(&out);
        json_write_percent(&json, NULL, cases[i].basis_points);
        assert_written(&out, cases[i].expected);
        buffer_free(&out);
    }
}

static void test_money_and_time(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct json json = json_begin(&out);
    json_write_object(&json, NULL);
    json_write_amount(&json, "cost", (struct amount){26880000000});
    json_write_instant(&json, "at", (struct instant){1796083207});
    json_write_hour(&json, "start", (struct hour){1796083200 / 3600});
    json_write_object_end(&json);
    assert_written(&out, "{\"cost\":\"26880.00\",\"at\":\"2026-12-01T00:00:07Z\","
                         "\"start\":\"2026-12-01T00:00:00Z\"}");
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nesting_and_commas),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_null_text),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_percent),
        cmocka_unit_test(test_money_and_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
