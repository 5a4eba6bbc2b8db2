// Texts and tables.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/table.h"
#include "cli/text.h"
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static char *printed(const struct table *table, bool is_bold)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    table_print(table, out, is_bold);
    fclose(out);
    return text;
}

static void assert_printed(struct table *table, const char *expected)
{
    char *text = printed(table, false);
    assert_string_equal(text, expected);
    free(text);
    table_free(table);
}

static void test_columns_are_aligned(void **state)
{
    (void)state;
    static const char *const headings[] = {"POOL", "FREE"};
    struct table *table = table_new(2, headings);
    table_align_right(table, 1);
    table_cell(table, "a/b");
    table_cell(table, "150,000");
    table_cell(table, "longer/name");
    table_cell(table, "8");
    assert_printed(table, "POOL            FREE\na/b          150,000\nlonger/name        8\n");
}

static void test_width_is_what_a_terminal_shows(void **state)
{
    (void)state;
    assert_int_equal(text_width("größe"), 5);
    assert_int_equal(text_width("模型"), 4);
    assert_int_equal(text_width("e\xCC\x81"), 1); // e and a combining accent
    struct table *table = table_new(2, NULL);
    table_cell(table, "größe");
    table_cell(table, "1");
    table_cell(table, "模型");
    table_cell(table, "2");
    table_cell(table, "123456");
    table_cell(table, "3");
    assert_printed(table, "größe   1\n模型    2\n123456  3\n");
}

static void test_an_empty_column_is_left_out(void **state)
{
    (void)state;
    static const char *const headings[] = {"A", "B", "C"};
    struct table *table = table_new(3, headings);
    static const char *const cells[] = {"1", NULL, "x", NULL, NULL, NULL};
    for (size_t i = 0; i < 6; i++)
        table_cell(table, cells[i]);
    assert_printed(table, "A  C\n1  x\n-  -\n");
    // The last one too, and then nothing follows the one before.
    table = table_new(2, headings);
    table_cell(table, "1");
    table_cell(table, NULL);
    assert_printed(table, "A\n1\n");
}

static void test_an_empty_table_is_nothing(void **state)
{
    (void)state;
    static const char *const headings[] = {"A"};
    assert_printed(table_new(1, headings), "");
}

static void test_only_headings_are_bold(void **state)
{
    (void)state;
    static const char *const headings[] = {"A"};
    struct table *table = table_new(1, headings);
    table_cell(table, "1");
    char *text = printed(table, true);
    assert_string_equal(text, "\033[1mA\033[0m\n1\n");
    free(text);
    table_free(table);
}

static void test_nothing_steers_the_terminal(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a\033[2Jb", "a?[2Jb"},
        {"a\nb", "a?b"},
        {"\xC2\x9B"
         "1m",
         "?1m"},
        {"\xE2\x80\xAE"
         "abc",
         "?abc"},
        {"\xFFx", "?x"},
        {"\xC3", "?"},
        {"\xC0\xAF", "??"},
        {"\xED\xA0\x80", "???"},
        {"größe 模型 \xF0\x9F\x8E\x89", "größe 模型 \xF0\x9F\x8E\x89"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *clean = text_clean(cases[i][0]);
        assert_string_equal(clean, cases[i][1]);
        free(clean);
    }
}

static void test_money_and_counts(void **state)
{
    (void)state;
    static const char *const money[][2] = {
        {"0.00", "$0.00"},
        {"26880.00", "$26,880.00"},
        {"-3.5", "-$3.5"},
        {"999.123456", "$999.123456"},
        {"1250000000.00", "$1,250,000,000.00"},
        {"12", "$12"},
        {"", ""},
        {"free", "free"},
        {"1.2.3", "1.2.3"},
        {"1.", "1."},
    };
    static const struct {
        int64_t count;
        const char *text;
    } counts[] = {{0, "0"},
                  {999, "999"},
                  {1000, "1,000"},
                  {-1234567, "-1,234,567"},
                  {INT64_MIN, "-9,223,372,036,854,775,808"}};
    for (size_t i = 0; i < sizeof money / sizeof money[0]; i++) {
        char *text = text_of_money(money[i][0]);
        assert_string_equal(text, money[i][1]);
        free(text);
    }
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        char *text = text_of_count(counts[i].count);
        assert_string_equal(text, counts[i].text);
        free(text);
    }
}

static void test_distance(void **state)
{
    (void)state;
    assert_int_equal(text_distance("reserve", "reserve"), 0);
    assert_int_equal(text_distance("reserv", "reserve"), 1);
    assert_int_equal(text_distance("", "abc"), 3);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_are_aligned),
        cmocka_unit_test(test_width_is_what_a_terminal_shows),
        cmocka_unit_test(test_an_empty_column_is_left_out),
        cmocka_unit_test(test_an_empty_table_is_nothing),
        cmocka_unit_test(test_only_headings_are_bold),
        cmocka_unit_test(test_nothing_steers_the_terminal),
        cmocka_unit_test(test_money_and_counts),
        cmocka_unit_test(test_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
