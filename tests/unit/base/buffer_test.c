// Buffers: always ended by a NUL, growing, and consumed from the front.
#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_append_and_clear(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_clear(&buffer); // nothing to clear is no mistake
    buffer_append(&buffer, "ab\0c", 4);
    buffer_append(&buffer, NULL, 0);
    buffer_append_text(&buffer, "de");
    assert_int_equal(buffer.length, 6);
    assert_memory_equal(buffer.data, "ab\0cde\0", 7);

    char *memory = buffer.data;
    buffer_clear(&buffer);
    assert_int_equal(buffer.length, 0);
    assert_string_equal(buffer.data, "");
    assert_ptr_equal(buffer.data, memory);
    buffer_free(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.capacity, 0);
    buffer_free(&buffer);
}

static void test_grows(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (size_t i = 0; i < 100000; i++) {
        char c = (char)('a' + i % 26);
        buffer_append(&buffer, &c, 1);
        assert_int_equal(buffer.data[i + 1], '\0');
    }
    assert_int_equal(buffer.length, 100000);
    for (size_t i = 0; i < buffer.length; i++) {
        assert_int_equal(buffer.data[i], 'a' + (int)(i % 26));
    }
    buffer_free(&buffer);
}

static void test_format(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_append_format(&buffer, "%s=%d", "a", 1);
    buffer_append_format(&buffer, "%1000d", 2);
    assert_int_equal(buffer.length, 1003);
    assert_memory_equal(buffer.data, "a=1   ", 6);
    assert_int_equal(buffer.data[1002], '2');
    assert_int_equal(buffer.data[1003], '\0');
    buffer_free(&buffer);
}

static void test_consume(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_append_text(&buffer, "one\ntwo\n");
    buffer_consume(&buffer, 0);
    buffer_consume(&buffer, 4);
    assert_string_equal(buffer.data, "two\n");
    assert_int_equal(buffer.length, 4);
    buffer_consume(&buffer, 4);
    assert_string_equal(buffer.data, "");
    buffer_free(&buffer);
}

static void test_reserve(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    char *room = buffer_reserve(&buffer, 70000);
    memset(room, 'x', 70000);
    buffer.length += 70000;
    buffer.data[buffer.length] = '\0';
    room = buffer_reserve(&buffer, 1);
    assert_ptr_equal(room, buffer.data + 70000);
    assert_int_equal(strlen(buffer.data), 70000);
    buffer_free(&buffer);

    // Reserving the first room makes an empty text.
    buffer_reserve(&buffer, 0);
    assert_string_equal(buffer.data, "");
    buffer_free(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_and_clear), cmocka_unit_test(test_grows),
        cmocka_unit_test(test_format),           cmocka_unit_test(test_consume),
        cmocka_unit_test(test_reserve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
