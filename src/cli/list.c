// Verbs that read lists: pages, and all pages.
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

#define CALENDAR_HOURS   (30 * 24)
#define SECONDS_PER_HOUR 3600

// ---- calendar

// From now, and for 30 days, unless it is said otherwise.
static bool add_window(struct cli *cli, json_t *params)
{
    const struct arguments *arguments = &cli->arguments;
    const char *length = arguments->values[OPTION_FOR], *start_text = arguments->values[OPTION_START];
    int64_t start = 0, hours = CALENDAR_HOURS;
    if (!params_read_time(cli, "--start", start_text == NULL ? "now" : start_text, ROUND_DOWN, &start))
        return false;
    params_set_time(params, "start", start);
    if (option_given(arguments, OPTION_END))
        return params_add(cli, params, "--end", "end", VALUE_END, arguments->values[OPTION_END]);
    if (length != NULL && !length_parse(length, &hours)) {
        cli->status = complain_of_usage(cli, "--for: \"%s\" is not a length such as 36h, 14d or 2w", length);
        return false;
    }
    params_set_time(params, "end", start + hours * SECONDS_PER_HOUR);
    return true;
}

int run_calendar(struct cli *cli)
{
    const struct arguments *arguments = &cli->arguments;
    if (option_given(arguments, OPTION_END) && option_given(arguments, OPTION_FOR))
        return complain_of_usage(cli, "give --end or --for, not both");
    json_t *params = json_object(), *result = NULL;
    const char *tenant = arguments->values[OPTION_TENANT];
    bool good = params_add(cli, params, "POOL", "pool", VALUE_TEXT, arguments->positionals[0]) &&
                (tenant == NULL || params_add(cli, params, "--tenant", "tenant", VALUE_TEXT, tenant)) &&
                add_window(cli, params);
    if (good)
        result = daemon_call(cli, arguments->verb->method, params);
    if (result != NULL)
        show_result(cli, result);
    bool done = result != NULL;
    json_decref(result);
    json_decref(params);
    return done ? STATUS_DONE : cli->status;
}

// ---- Lists

// The member of a result that is its list.
static const char *list_of(const json_t *result)
{
    const char *member;
    json_t *value;
    json_object_foreach((json_t *)result, member, value)
    {
        if (json_is_array(value))
            return member;
    }
    return NULL;
}

// Appends the pages that follow to the first one. False: cli->status is set.
static bool add_pages(struct cli *cli, json_t *params, json_t *result)
{
    const char *member = list_of(result);
    json_t *list = json_object_get(result, member);
    while (json_is_integer(json_object_get(result, "next"))) {
        json_object_set(params, "after", json_object_get(result, "next"));
        json_t *page = daemon_call(cli, cli->arguments.verb->method, params);
        if (page == NULL)
            return false;
        json_array_extend(list, json_object_get(page, member));
        json_object_set(result, "next", json_object_get(page, "next"));
        json_decref(page);
    }
    return true;
}

int run_list(struct cli *cli)
{
    bool all = option_given(&cli->arguments, OPTION_ALL);
    if (all && option_given(&cli->arguments, OPTION_LIMIT))
        return complain_of_usage(cli, "give --all or --limit, not both");
    json_t *params = params_of_verb(cli);
    if (params == NULL)
        return cli->status;
    if (all)
        json_object_set_new(params, "limit", json_integer(COLOSSUS_LIST_LIMIT_MOST));
    json_t *result = daemon_call(cli, cli->arguments.verb->method, params);
    bool done = result != NULL && (!all || add_pages(cli, params, result));
    if (done)
        show_result(cli, result);
    json_decref(result);
    json_decref(params);
    return done ? STATUS_DONE : cli->status;
}

// ---- Events

int run_events(struct cli *cli)
{
    if (!option_given(&cli->arguments, OPTION_FOLLOW))
        return run_list(cli);
    if (option_given(&cli->arguments, OPTION_ALL) || option_given(&cli->arguments, OPTION_LIMIT))
        return complain_of_usage(cli, "--follow has no pages; leave --all and --limit out");
    return run_follow(cli);
}
