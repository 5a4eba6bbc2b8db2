// The log and what ends the process, each in a child whose stderr is read.
#include "base/log.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define OUTPUT_SIZE 16384

// Runs a function in a child; gives its exit status and all that it wrote to stderr.
static int run(void (*function)(void), char output[OUTPUT_SIZE])
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        function();
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t got = 0;
    while (length < OUTPUT_SIZE - 1 && (got = read(ends[0], output + length, OUTPUT_SIZE - 1 - length)) > 0) {
        length += (size_t)got;
    }
    output[length] = '\0';
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

// What follows the time, "2026-12-01T00:00:00Z ".
static const char *after_time(const char *line)
{
    assert_true(strlen(line) > 21);
    assert_int_equal(line[10], 'T');
    assert_int_equal(line[19], 'Z');
    return line + 21;
}

static void say_levels(void)
{
    log_set_level(LOG_WARN);
    log_info("not shown", "a=%d", 1);
    log_warn("wal is large", "bytes=%lld", 268435456LL);
    log_error("no pairs", NULL);
}

static void test_line(void **state)
{
    (void)state;
    char output[OUTPUT_SIZE];
    assert_int_equal(run(say_levels, output), 0);
    char *second = strchr(output, '\n');
    assert_non_null(second);
    *second++ = '\0';
    assert_string_equal(after_time(output), "warn wal is large bytes=268435456");
    assert_string_equal(after_time(second), "error no pairs\n");
}

static void say_newlines(void)
{
    log_info("hostile", "name=\"%s\"", "a\nb\x1b[2J\x7f");
}

static void test_stays_one_line(void **state)
{
    (void)state;
    char output[OUTPUT_SIZE];
    assert_int_equal(run(say_newlines, output), 0);
    assert_string_equal(after_time(output), "info hostile name=\"a?b?[2J?\"\n");
}

static void say_much(void)
{
    char text[10000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_info("long", "text=%s", text);
    log_info(text, "text=%s", text);
}

static void test_long_lines_are_cut(void **state)
{
    (void)state;
    char output[OUTPUT_SIZE];
    assert_int_equal(run(say_much, output), 0);
    char *newline = strchr(output, '\n');
    assert_non_null(newline);
    assert_memory_equal(newline - 4, "x...", 4);
    assert_int_equal(newline - output, 4095);
    assert_int_equal(output[strlen(output) - 1], '\n');
    assert_ptr_equal(strchr(newline + 1, '\n'), output + strlen(output) - 1);
}

static void end_fatally(void)
{
    fatal("can't happen", "code=%d", 7);
}

static void ask_for_too_much(void)
{
    free(memory_allocate(SIZE_MAX / 2, 4));
}

static void grow_to_too_much(void)
{
    free(memory_resize(NULL, SIZE_MAX / 2, 4));
}

static void test_fatal(void **state)
{
    (void)state;
    char output[OUTPUT_SIZE];
    assert_int_equal(run(end_fatally, output), 70);
    assert_string_equal(after_time(output), "error can't happen code=7\n");
    assert_int_equal(run(grow_to_too_much, output), 70);
    assert_non_null(strstr(output, "out of memory"));
}

// The address sanitizer ends the process itself for a size that can't be.
static void test_out_of_memory(void **state)
{
    (void)state;
    char output[OUTPUT_SIZE];
    int status = run(ask_for_too_much, output);
    assert_int_not_equal(status, 0);
    assert_true(strstr(output, "out of memory") != NULL || strstr(output, "AddressSanitizer") != NULL);
}

static void test_levels(void **state)
{
    (void)state;
    enum log_level level = LOG_ERROR;
    assert_true(log_level_parse("debug", &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_true(log_level_parse("warn", &level));
    assert_false(log_level_parse("loud", &level));
    assert_false(log_level_parse("", &level));
    assert_int_equal(level, LOG_WARN);
}

static void test_memory(void **state)
{
    (void)state;
    unsigned char *zeroed = memory_allocate(10, 10);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(zeroed[i], 0);
    }
    free(zeroed);
    free(memory_allocate(0, 8));
    assert_null(memory_copy_text(NULL));
    char *copy = memory_copy_text("text");
    assert_string_equal(copy, "text");
    free(copy);

    size_t capacity = 0;
    int *numbers = NULL;
    for (size_t count = 0; count < 1000; count++) {
        numbers = memory_grow(numbers, count, &capacity, sizeof *numbers);
        assert_true(capacity > count);
        numbers[count] = (int)count;
    }
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(numbers[i], i);
    }
    free(numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_stays_one_line),
        cmocka_unit_test(test_long_lines_are_cut),
        cmocka_unit_test(test_fatal),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
