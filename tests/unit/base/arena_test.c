// Arenas: zeroed, aligned, separate, and kept for the next batch.
#include "base/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_zeroed(const unsigned char *memory, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(memory[i], 0);
    }
}

static void test_zeroed_aligned_and_separate(void **state)
{
    (void)state;
    struct arena arena = {0};
    unsigned char *places[300];
    for (size_t i = 0; i < 300; i++) {
        places[i] = arena_allocate(&arena, i * 7); // more than one block in all
        assert_int_equal((uintptr_t)places[i] % alignof(max_align_t), 0);
        assert_zeroed(places[i], i * 7);
        memset(places[i], (int)(i & 0xff), i * 7);
    }
    for (size_t i = 0; i < 300; i++) {
        for (size_t at = 0; at < i * 7; at++) {
            assert_int_equal(places[i][at], i & 0xff);
        }
    }
    arena_free(&arena);
    assert_null(arena.current);
}

static void test_reset_keeps_a_block(void **state)
{
    (void)state;
    struct arena arena = {0};
    arena_reset(&arena); // nothing to reset is no mistake
    arena_allocate(&arena, 10 * 1000 * 1000);
    arena_reset(&arena); // one this large is not kept
    arena_allocate(&arena, 100 * 1000);
    arena_allocate(&arena, 200 * 1000);
    arena_allocate(&arena, 300 * 1000);
    arena_reset(&arena);
    struct arena_block *kept = arena.current;
    unsigned char *first = arena_allocate(&arena, 600 * 1000); // all of it has room in what is kept
    memset(first, 0xff, 600 * 1000);
    arena_reset(&arena);
    unsigned char *again = arena_allocate(&arena, 600 * 1000);
    assert_ptr_equal(arena.current, kept);
    assert_ptr_equal(again, first);
    assert_zeroed(again, 600 * 1000);
    arena_free(&arena);
    arena_free(&arena);
}

static void test_copies(void **state)
{
    (void)state;
    struct arena arena = {0};
    char text[] = "abc";
    char *whole = arena_copy_text(&arena, text);
    char *part = arena_copy(&arena, text, 2);
    char *nothing = arena_copy(&arena, NULL, 0);
    text[0] = 'x';
    assert_string_equal(whole, "abc");
    assert_string_equal(part, "ab");
    assert_string_equal(nothing, "");
    assert_null(arena_copy_text(&arena, NULL));
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed_aligned_and_separate),
        cmocka_unit_test(test_reset_keeps_a_block),
        cmocka_unit_test(test_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
