#include "wire_fixture.h"

static void expect(const char *bytes, size_t limit, bool found, size_t line, size_t consumed, bool too_large)
{
    size_t line_length, taken;
    bool large;
    assert_int_equal(line_next(bytes, strlen(bytes), limit, &line_length, &taken, &large), found);
    assert_int_equal(line_length, line);
    assert_int_equal(taken, consumed);
    assert_int_equal(large, too_large);
}

static void a_line_ends_with_its_newline(void **state)
{
    (void)state;
    expect("", 10, false, 0, 0, false);
    expect("abc", 10, false, 0, 0, false);
    expect("\n", 10, true, 0, 1, false);
    expect("abc\ndef\n", 10, true, 3, 4, false);
}

static void a_carriage_return_before_it_is_dropped(void **state)
{
    (void)state;
    expect("abc\r\ndef", 10, true, 3, 5, false);
    expect("\r\n", 10, true, 0, 2, false);
    expect("a\rb\n", 10, true, 3, 4, false);
}

static void the_limit_is_of_the_text_alone(void **state)
{
    (void)state;
    expect("1234\n", 4, true, 4, 5, false);
    expect("1234\r\n", 4, true, 4, 6, false);
    expect("12345\n", 4, false, 0, 0, true);
    expect("12345\r\n", 4, false, 0, 0, true);
    expect("123456789\n", 4, false, 0, 0, true);
}

static void too_much_without_a_newline_is_too_large(void **state)
{
    (void)state;
    expect("1234", 4, false, 0, 0, false);
    expect("1234\r", 4, false, 0, 0, false); // its newline may follow
    expect("12345", 4, false, 0, 0, true);
    expect("12345678", 4, false, 0, 0, true);
    expect("1234\rx", 4, false, 0, 0, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_ends_with_its_newline),
        cmocka_unit_test(a_carriage_return_before_it_is_dropped),
        cmocka_unit_test(the_limit_is_of_the_text_alone),
        cmocka_unit_test(too_much_without_a_newline_is_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
