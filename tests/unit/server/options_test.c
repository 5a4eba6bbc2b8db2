#include "server/options.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGUMENTS_MOST 16

static enum options_result parse(struct options *options, ...)
{
    char *arguments[ARGUMENTS_MOST] = {(char *)"colossusd"};
    int count = 1;
    va_list list;
    va_start(list, options);
    for (char *argument; (argument = va_arg(list, char *)) != NULL; count++) {
        assert_true(count < ARGUMENTS_MOST - 1);
        arguments[count] = argument;
    }
    va_end(list);
    return options_parse(count, arguments, options);
}

static void test_nothing(void **state)
{
    (void)state;
    struct options options;
    assert_int_equal(parse(&options, NULL), OPTIONS_RUN);
    assert_null(options.ledger);
    assert_false(options.manual_clock);
    assert_false(options.check);
    assert_false(options.has_log_level);
}

static void test_everything(void **state)
{
    (void)state;
    struct options options;
    assert_int_equal(parse(&options, "--config", "c", "--ledger=l", "--socket", "s", "--manifest", "m",
                           "--clock", "manual:2026-12-01T00:00:05Z", "--log-level", "warn", "--check", NULL),
                     OPTIONS_RUN);
    assert_string_equal(options.config, "c");
    assert_string_equal(options.ledger, "l");
    assert_string_equal(options.socket, "s");
    assert_string_equal(options.manifest, "m");
    assert_true(options.manual_clock);
    assert_int_equal(options.manual_time.seconds, 1796083205);
    assert_true(options.has_log_level);
    assert_int_equal(options.log_level, LOG_WARN);
    assert_true(options.check);
}

static void test_system_clock(void **state)
{
    (void)state;
    struct options options;
    assert_int_equal(parse(&options, "--clock", "system", NULL), OPTIONS_RUN);
    assert_false(options.manual_clock);
}

static void test_wrong(void **state)
{
    (void)state;
    struct options options;
    assert_int_equal(parse(&options, "--clock", "manual", NULL), OPTIONS_WRONG);
    assert_int_equal(parse(&options, "--clock", "manual:", NULL), OPTIONS_WRONG);
    assert_int_equal(parse(&options, "--clock", "manual:tomorrow", NULL), OPTIONS_WRONG);
    assert_int_equal(parse(&options, "--clock", "sundial", NULL), OPTIONS_WRONG);
    assert_int_equal(parse(&options, "--log-level", "loud", NULL), OPTIONS_WRONG);
    assert_int_equal(parse(&options, "--ledger", "", NULL), OPTIONS_WRONG);
    assert_int_equal(parse(&options, "--ledger", NULL), OPTIONS_WRONG);
    assert_int_equal(parse(&options, "--unknown", NULL), OPTIONS_WRONG);
    assert_int_equal(parse(&options, "stray", NULL), OPTIONS_WRONG);
}

static void test_help(void **state)
{
    (void)state;
    struct options options;
    assert_int_equal(parse(&options, "--help", NULL), OPTIONS_DONE);
    assert_int_equal(parse(&options, "--version", NULL), OPTIONS_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),      cmocka_unit_test(test_everything),
        cmocka_unit_test(test_system_clock), cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
