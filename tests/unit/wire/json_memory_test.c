// A text for which there is no memory: every allocation that jansson makes for it fails once, and nothing of
// it is left over (the address sanitizer and valgrind would tell).
//
// The module is compiled into this test, with an allocator that can be told to fail.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int64_t allocations_left; // until one fails, that one counted; 0: none does
static int64_t alive;            // pieces that were not given back

static void *failing_malloc(size_t size)
{
    if (allocations_left > 0 && --allocations_left == 0)
        return NULL;
    alive++;
    return malloc(size);
}

static void counting_free(void *memory)
{
    alive -= memory != NULL;
    free(memory);
}

#define malloc failing_malloc
#define free   counting_free
#include "wire/json_memory.c"
#undef malloc
#undef free

#include <stdio.h>
#include <string.h>

static const char request[] =
    "{\"jsonrpc\":\"2.0\",\"id\":\"\\u00e4\\ud83d\\ude00\",\"method\":\"reservation.create\","
    "\"params\":{\"pool\":\"colossus-1/h100\",\"gpus\":8,\"hours\":24,\"note\":\"a text "
    "that is long enough for the buffer to grow once more than it did\"}}";
static const char members[] =
    "{\"0\":0,\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":0,"
    "\"a\":0,\"b\":0,\"c\":0}";
static const char *const texts[] = {
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server.ping\"}",
    request,
    "[{\"a\":[1,2.5e3,true,false,null,[[[]]]]},{\"b\":{\"c\":{\"d\":-9223372036854775808}}},7]",
    members,
};

#define FLAGS (JSON_REJECT_DUPLICATES | JSON_DECODE_ANY)

// Fails every allocation of the text in turn; returns how many there are.
static int64_t sweep(const char *text, bool is_right)
{
    struct arena arena = {0};
    int64_t n = 0;
    bool no_memory = true;
    while (no_memory) {
        json_error_t error;
        allocations_left = ++n;
        json_t *root = json_load(text, strlen(text), FLAGS, &error, &no_memory);
        allocations_left = 0;
        assert_int_equal(root != NULL, !no_memory && is_right);
        json_decref(root);
        assert_int_equal(alive, 0);
    }
    arena_free(&arena);
    return n - 1;
}

static void test_every_allocation_fails(void **state)
{
    (void)state;
    wire_set_up();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_true(sweep(texts[i], true) > 5);
}

static void test_wrong_texts(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "[",
                                        "[1,{\"a\":\"text\"",
                                        "{\"a\":1,\"a\":2}",
                                        "[1e999]",
                                        "[\"\\ud800\"]",
                                        "[123456789012345678901234567890]"};
    wire_set_up();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        sweep(wrong[i], false);
}

// The calls of a line that can't be read for want of memory: one, with an internal error.
static void test_what_is_answered(void **state)
{
    (void)state;
    wire_set_up();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t count = sweep(texts[i], true);
        for (int64_t n = 1; n <= count; n++) {
            struct arena arena = {0};
            struct wire_message message;
            allocations_left = n;
            wire_parse(texts[i], strlen(texts[i]), &arena, &message);
            allocations_left = 0;
            assert_int_equal(message.call_count, 1);
            assert_int_equal(message.calls[0].error.code, RPC_INTERNAL_ERROR);
            assert_string_equal(message.calls[0].id, "null");
            assert_int_equal(alive, 0);
            wire_parse(texts[0], strlen(texts[0]), &arena, &message);
            assert_int_equal(message.calls[0].error.code, 0);
            arena_free(&arena);
        }
    }
}

// What is read stays whole while other texts are read, and given up.
static void test_trees_are_apart(void **state)
{
    (void)state;
    json_error_t error;
    bool no_memory;
    wire_set_up();
    json_t *first = json_load(texts[1], strlen(texts[1]), FLAGS, &error, &no_memory);
    int64_t of_first = alive;
    json_t *second = json_load(texts[3], strlen(texts[3]), FLAGS, &error, &no_memory);
    allocations_left = 9;
    assert_null(json_load(texts[2], strlen(texts[2]), FLAGS, &error, &no_memory));
    allocations_left = 0;
    assert_true(no_memory);
    json_object_set_new(second, "more", json_string("text"));
    json_object_del(second, "7");
    json_decref(second);
    assert_int_equal(alive, of_first);
    char *text = json_dumps(first, JSON_COMPACT);
    assert_non_null(strstr(text, "colossus-1/h100"));
    release(text);
    json_decref(first);
    assert_int_equal(alive, 0);
}

// What is made outside of a text is in no list.
static void test_outside_of_a_text(void **state)
{
    (void)state;
    wire_set_up();
    json_t *value = json_array();
    assert_non_null(value);
    json_decref(value);
    release(NULL);
    assert_int_equal(alive, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation_fails), cmocka_unit_test(test_wrong_texts),
        cmocka_unit_test(test_what_is_answered),       cmocka_unit_test(test_trees_are_apart),
        cmocka_unit_test(test_outside_of_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
