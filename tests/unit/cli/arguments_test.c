// Reading the command line, and the tables it is read by.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/arguments.h"
#include "cli/text.h"
#include <stdlib.h>
#include <string.h>

static struct arguments arguments;
static char message[ARGUMENTS_MESSAGE_SIZE];

// The words up to NULL.
static bool read_words(const char *const *words)
{
    char *texts[32] = {(char *)"colossus"};
    int count = 1;
    for (; words[count - 1] != NULL; count++)
        texts[count] = (char *)words[count - 1];
    return arguments_read(count, texts, &arguments, message);
}

#define READ(...) read_words((const char *const[]){__VA_ARGS__, NULL})

static void assert_refused(bool good, const char *expected)
{
    assert_false(good);
    assert_string_equal(message, expected);
}

static void test_options_before_and_after(void **state)
{
    (void)state;
    assert_true(READ("-o", "json", "reserve", "--start=now", "s/p", "--for", "1d", "8", "-tx"));
    assert_string_equal(arguments.verb->name, "reserve");
    assert_string_equal(arguments.values[OPTION_OUTPUT], "json");
    assert_string_equal(arguments.values[OPTION_START], "now");
    assert_string_equal(arguments.values[OPTION_FOR], "1d");
    assert_string_equal(arguments.values[OPTION_TENANT], "x");
    assert_int_equal(arguments.positional_count, 2);
    assert_string_equal(arguments.positionals[0], "s/p");
    assert_string_equal(arguments.positionals[1], "8");
    assert_false(option_given(&arguments, OPTION_END));
}

static void test_two_dashes_end_the_options(void **state)
{
    (void)state;
    assert_true(READ("call", "--", "m", "--x"));
    assert_string_equal(arguments.positionals[1], "--x");
    assert_true(READ("call", "m", "-"));
    assert_string_equal(arguments.positionals[1], "-");
}

static void test_verbs_of_two_words(void **state)
{
    (void)state;
    assert_true(READ("token", "--tenant", "x", "create", "gateway"));
    assert_string_equal(arguments.verb->name, "token create");
    assert_string_equal(arguments.positionals[0], "gateway");
    assert_refused(READ("token"), "the verb \"token\" needs a second word");
    assert_refused(READ("token", "creat"),
                   "there is no verb \"token creat\"; did you mean \"token create\"?");
}

static void test_a_value_may_begin_with_a_dash(void **state)
{
    (void)state;
    assert_true(READ("list", "--from", "-3d"));
    assert_string_equal(arguments.values[OPTION_FROM], "-3d");
}

static void test_repeated_options(void **state)
{
    (void)state;
    assert_true(READ("reserve-group", "--leg", "a", "-lb", "--leg=c"));
    assert_int_equal(arguments.repeated_count, 3);
    assert_string_equal(arguments.repeated[1], "b");
}

static void test_what_is_wrong_is_named(void **state)
{
    (void)state;
    assert_refused(read_words((const char *const[]){NULL}), "a verb is missing");
    assert_refused(READ("reserv"), "there is no verb \"reserv\"; did you mean \"reserve\"?");
    assert_refused(READ("commitmnet"), "there is no verb \"commitmnet\"; did you mean \"commitment\"?");
    assert_refused(READ("xyzzy-plugh"), "there is no verb \"xyzzy-plugh\"");
    assert_refused(READ("pools", "x"), "there is an argument too many: \"x\"");
    assert_refused(READ("pools", "--bogus"), "there is no option --bogus");
    assert_refused(READ("pools", "-q"), "there is no option -q");
    assert_refused(READ("pools", "--start", "now"), "the option --start is not for this verb");
    assert_refused(READ("reserve", "s/p", "8", "--for", "1d"), "the option --start is missing");
    assert_refused(READ("reserve", "s/p", "--start", "now"), "GPUS is missing");
    assert_refused(READ("reserve", "s/p", "8", "--start"), "the option --start needs a value");
    assert_refused(READ("cancel", "3", "--yes=no"), "the option --yes=no takes no value");
    assert_refused(READ("\033[2J"), "there is no verb \"?[2J\"");
}

static void test_help_needs_nothing_else(void **state)
{
    (void)state;
    assert_true(READ("--help"));
    assert_null(arguments.verb);
    assert_true(READ("reserve", "--help"));
    assert_string_equal(arguments.verb->name, "reserve");
    assert_true(READ("-V"));
}

// ---- The tables

static void test_options_are_told_apart(void **state)
{
    (void)state;
    for (int a = 0; a < OPTION_COUNT; a++) {
        assert_non_null(option_table[a].name);
        assert_non_null(option_table[a].help);
        for (int b = a + 1; b < OPTION_COUNT; b++) {
            assert_string_not_equal(option_table[a].name, option_table[b].name);
            assert_true(option_table[a].letter == 0 || option_table[a].letter != option_table[b].letter);
        }
    }
}

static void test_verbs_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < verb_count; i++) {
        const struct verb *verb = &verb_table[i];
        assert_ptr_equal(verb_by_name(verb->name), verb);
        assert_non_null(verb->help);
        assert_true(verb->run != NULL || verb->method != NULL);
        assert_int_equal(verb->required & ~verb->options, 0);
        // What changes something can be tried dry and sent again.
        uint64_t change = OPTION_BIT(REF) | OPTION_BIT(DRY_RUN);
        assert_int_equal(verb->changes ? verb->options & change : change, change);
        assert_true(!verb->may_cost || (verb->options & OPTION_BIT(YES)) != 0);
        // Nothing that may be left out stands before something that may not.
        for (size_t k = 1; verb->positionals[k].name != NULL; k++)
            assert_true(verb->positionals[k].is_optional || !verb->positionals[k - 1].is_optional);
    }
}

static void test_help_tells_of_every_verb_and_option(void **state)
{
    (void)state;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    help_print(out);
    for (size_t i = 0; i < verb_count; i++)
        help_print_verb(out, &verb_table[i]);
    fclose(out);
    for (size_t i = 0; i < verb_count; i++) {
        char *line = text_format("\n  %s ", verb_table[i].name);
        assert_non_null(strstr(text, line));
        free(line);
    }
    for (int option = 0; option < OPTION_COUNT; option++) {
        char *spelling = text_format("--%s", option_table[option].name);
        assert_non_null(strstr(text, spelling));
        free(spelling);
    }
    free(text);
}

// The tests are run at the top of the project.
static void test_the_manual_has_every_verb_and_option(void **state)
{
    (void)state;
    static char manual[65536];
    FILE *file = fopen("docs/colossus.1", "r");
    assert_non_null(file);
    size_t length = fread(manual, 1, sizeof manual - 1, file);
    fclose(file);
    assert_true(length < sizeof manual - 1);
    for (size_t i = 0; i < verb_count; i++) {
        char *item = text_format("\n.It Cm %s", verb_table[i].name);
        if (strstr(manual, item) == NULL)
            fail_msg("the manual has no verb %s", verb_table[i].name);
        free(item);
    }
    for (int option = 0; option < OPTION_COUNT; option++) {
        char *spelling = text_format(" -%s", option_table[option].name);
        if (strstr(manual, spelling) == NULL)
            fail_msg("the manual has no option --%s", option_table[option].name);
        free(spelling);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_before_and_after),
        cmocka_unit_test(test_two_dashes_end_the_options),
        cmocka_unit_test(test_verbs_of_two_words),
        cmocka_unit_test(test_a_value_may_begin_with_a_dash),
        cmocka_unit_test(test_repeated_options),
        cmocka_unit_test(test_what_is_wrong_is_named),
        cmocka_unit_test(test_help_needs_nothing_else),
        cmocka_unit_test(test_options_are_told_apart),
        cmocka_unit_test(test_verbs_are_whole),
        cmocka_unit_test(test_help_tells_of_every_verb_and_option),
        cmocka_unit_test(test_the_manual_has_every_verb_and_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
