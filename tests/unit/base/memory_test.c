// The program is linked with calloc, malloc and realloc wrapped, so that the system can be made to have no
// more.
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define RESERVE ((size_t)1024 * 1024)

// How many allocations the system refuses from now on.
static int refused;

void *__real_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool refuses(void)
{
    return refused > 0 && refused-- > 0;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refuses() ? NULL : __real_calloc(count, size);
}

void *__wrap_malloc(size_t size)
{
    return refuses() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return refuses() ? NULL : __real_realloc(old, size);
}

static int end(void **state)
{
    (void)state;
    refused = 0;
    memory_release_reserve();
    return 0;
}

static void an_allocation_goes_on_from_the_reserve(void **state)
{
    (void)state;
    assert_true(memory_reserve(RESERVE));
    assert_false(memory_is_short());
    refused = 1;
    unsigned char *memory = memory_allocate(100, 3);
    assert_non_null(memory);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(memory[i], 0);
    }
    assert_true(memory_is_short());
    free(memory);
}

static void so_does_one_that_grows(void **state)
{
    (void)state;
    assert_true(memory_reserve(RESERVE));
    char *text = memory_copy_text("kept");
    refused = 1;
    text = memory_resize(text, 1000, 1);
    assert_string_equal(text, "kept");
    assert_true(memory_is_short());
    free(text);
}

static void the_reserve_is_filled_again_when_there_is_memory(void **state)
{
    (void)state;
    assert_true(memory_reserve(RESERVE));
    refused = 1;
    free(memory_allocate(1, 1));
    refused = 1;
    assert_false(memory_reserve(RESERVE));
    assert_true(memory_is_short());
    assert_true(memory_reserve(RESERVE));
    assert_false(memory_is_short());
    assert_true(memory_reserve(RESERVE)); // it is there
    refused = 1;
    free(memory_allocate(1, 1));
    assert_true(memory_is_short());
}

// The exit code of a process that makes an allocation with so many refused.
static int exit_of(bool with_reserve, int times, size_t count, size_t size)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (with_reserve && !memory_reserve(RESERVE)) {
            _exit(1);
        }
        close(STDERR_FILENO);
        refused = times;
        void *memory = memory_resize(NULL, count, size);
        _exit(memory == NULL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void without_a_reserve_the_process_ends(void **state)
{
    (void)state;
    assert_int_equal(exit_of(true, 0, 10, 10), 0);
    assert_int_equal(exit_of(true, 1, 10, 10), 0);
    assert_int_equal(exit_of(true, 2, 10, 10), 70);
    assert_int_equal(exit_of(false, 1, 10, 10), 70);
    assert_int_equal(exit_of(true, 0, SIZE_MAX / 2, 4), 70); // which no system has
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_allocation_goes_on_from_the_reserve, end),
        cmocka_unit_test_teardown(so_does_one_that_grows, end),
        cmocka_unit_test_teardown(the_reserve_is_filled_again_when_there_is_memory, end),
        cmocka_unit_test_teardown(without_a_reserve_the_process_ends, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
