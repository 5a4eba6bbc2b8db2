// From the words of the command line to the parameters of a method.
#include "cli/cli.h"

#include "cli/text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_PER_HOUR 3600

static bool refuse(struct cli *cli, const char *what, const char *text, const char *expected)
{
    cli->status = complain_of_usage(cli, "%s: \"%s\" is not %s", what, text, expected);
    return false;
}

static bool is_count(const char *text, int64_t *count)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    *count = number;
    return text[0] >= '0' && text[0] <= '9' && errno == 0 && *end == '\0';
}

// ---- Times

bool params_read_time(struct cli *cli, const char *what, const char *text, enum rounding rounding,
                      int64_t *seconds)
{
    int64_t now = 0;
    // Asked only if it matters, and only after the text is known to be a time.
    if (!time_parse(text, 0, ROUND_NOT, seconds))
        return refuse(cli, what, text, "a time such as 2026-12-01T00:00:00Z, 2026-12-01, now or +3d");
    if (time_is_relative(text) && !daemon_now(cli, &now))
        return false;
    if (!time_parse(text, now, rounding, seconds))
        return refuse(cli, what, text, "a time before the year 9999");
    return true;
}

void params_set_time(json_t *params, const char *member, int64_t seconds)
{
    char text[TIME_TEXT_SIZE];
    time_format(seconds, text);
    json_object_set_new(params, member, json_string(text));
}

static bool add_time(struct cli *cli, json_t *params, const char *what, const char *member,
                     enum value_type type, const char *text)
{
    int64_t seconds = 0;
    enum rounding rounding = type == VALUE_START ? ROUND_DOWN : type == VALUE_END ? ROUND_UP : ROUND_NOT;
    if (!params_read_time(cli, what, text, rounding, &seconds))
        return false;
    params_set_time(params, member, seconds);
    return true;
}

// ---- Other values

static bool add_number(struct cli *cli, json_t *params, const char *what, const char *member,
                       enum value_type type, const char *text)
{
    int64_t number = 0, hours = 0;
    if (type == VALUE_COUNT && !is_count(text, &number))
        return refuse(cli, what, text, "a whole number");
    if (type == VALUE_LENGTH && !length_parse(text, &number))
        return refuse(cli, what, text, "a length such as 36h, 14d or 2w");
    if (type == VALUE_SECONDS && !is_count(text, &number)) {
        if (!length_parse(text, &hours))
            return refuse(cli, what, text, "a number of seconds, or a length such as 2h");
        number = hours * SECONDS_PER_HOUR;
    }
    json_object_set_new(params, member, json_integer(number));
    return true;
}

// Appends names with commas between them; false when one is empty or no UTF-8.
static bool append_names(json_t *list, const char *text)
{
    for (;;) {
        size_t length = strcspn(text, ",");
        if (length == 0 || json_array_append_new(list, json_stringn(text, length)) != 0)
            return false;
        if (text[length] == '\0')
            return true;
        text += length + 1;
    }
}

static bool add_names(struct cli *cli, json_t *params, const char *what, const char *member, const char *text)
{
    json_t *names = json_array();
    if (!append_names(names, text)) {
        json_decref(names);
        return refuse(cli, what, text, "a list of names with commas between them");
    }
    json_object_set_new(params, member, names);
    return true;
}

static bool add_states(struct cli *cli, json_t *params, const char *what, const char *member)
{
    json_t *states = json_array();
    bool good = true;
    for (size_t i = 0; i < cli->arguments.repeated_count && good; i++)
        good = append_names(states, cli->arguments.repeated[i]);
    if (!good) {
        json_decref(states);
        return refuse(cli, what, cli->arguments.values[OPTION_STATE],
                      "a list of states with commas between them");
    }
    json_object_set_new(params, member, states);
    return true;
}

static bool add_text(struct cli *cli, json_t *params, const char *what, const char *member, const char *text)
{
    json_t *value = json_string(text);
    if (value == NULL) {
        cli->status = complain_of_usage(cli, "%s is not UTF-8", what);
        return false;
    }
    json_object_set_new(params, member, value);
    return true;
}

bool params_add(struct cli *cli, json_t *params, const char *what, const char *member, enum value_type type,
                const char *text)
{
    switch (type) {
    case VALUE_NONE:
        return true;
    case VALUE_TEXT:
        return add_text(cli, params, what, member, text);
    case VALUE_COUNT:
    case VALUE_LENGTH:
    case VALUE_SECONDS:
        return add_number(cli, params, what, member, type, text);
    case VALUE_START:
    case VALUE_END:
    case VALUE_INSTANT:
        return add_time(cli, params, what, member, type, text);
    case VALUE_STATES:
        return add_states(cli, params, what, member);
    case VALUE_NAMES:
        return add_names(cli, params, what, member, text);
    case VALUE_TRUE:
        json_object_set_new(params, member, json_true());
        return true;
    }
    return false;
}

// ---- All of a verb

static bool add_positionals(struct cli *cli, json_t *params)
{
    const struct arguments *arguments = &cli->arguments;
    for (size_t i = 0; i < arguments->positional_count; i++) {
        const struct positional *positional = &arguments->verb->positionals[i];
        if (positional->member != NULL && !params_add(cli, params, positional->name, positional->member,
                                                      positional->type, arguments->positionals[i]))
            return false;
    }
    return true;
}

static bool add_options(struct cli *cli, json_t *params)
{
    const struct arguments *arguments = &cli->arguments;
    for (enum option option = 0; option < OPTION_COUNT; option++) {
        const struct option_row *row = &option_table[option];
        char what[40];
        snprintf(what, sizeof what, "--%s", row->name);
        if (option_given(arguments, option) && row->member != NULL &&
            !params_add(cli, params, what, row->member, row->type, arguments->values[option]))
            return false;
    }
    return true;
}

// How a parameter is spelled on the command line.
static const char *spelling_of(const struct verb *verb, const char *member)
{
    for (const struct positional *positional = verb->positionals; positional->name != NULL; positional++)
        if (positional->member != NULL && strcmp(positional->member, member) == 0)
            return positional->name;
    for (enum option option = 0; option < OPTION_COUNT; option++)
        if (option_table[option].member != NULL && strcmp(option_table[option].member, member) == 0)
            return option_table[option].name;
    return member;
}

// Exactly one of some must be given.
static bool choice_is_made(struct cli *cli)
{
    const struct verb *verb = cli->arguments.verb;
    size_t given = 0, count = 0;
    for (; verb->one_of[count] != NULL; count++) {
        const char *spelling = spelling_of(verb, verb->one_of[count]);
        for (size_t i = 0; i < cli->arguments.positional_count; i++)
            given += strcmp(verb->positionals[i].name, spelling) == 0;
        for (enum option option = 0; option < OPTION_COUNT; option++)
            given +=
                option_given(&cli->arguments, option) && strcmp(option_table[option].name, spelling) == 0;
    }
    if (count == 0 || given == 1)
        return true;
    char list[120] = "";
    for (size_t i = 0; i < count; i++) {
        const char *spelling = spelling_of(verb, verb->one_of[i]);
        bool is_option = spelling[0] >= 'a' && spelling[0] <= 'z';
        size_t length = strlen(list);
        snprintf(list + length, sizeof list - length, "%s%s%s",
                 i == 0           ? ""
                 : i + 1 == count ? " and "
                                  : ", ",
                 is_option ? "--" : "", spelling);
    }
    cli->status = complain_of_usage(cli, "give exactly one of %s", list);
    return false;
}

json_t *params_of_verb(struct cli *cli)
{
    if (!choice_is_made(cli))
        return NULL;
    json_t *params = json_object();
    if (add_positionals(cli, params) && add_options(cli, params))
        return params;
    json_decref(params);
    return NULL;
}
