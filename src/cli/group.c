// reserve-group: legs from the command line or from a file.
#include "cli/cli.h"

#include "cli/text.h"
#include <stdlib.h>
#include <string.h>

// ---- POOL:GPUS:START:END or POOL:GPUS:START:LENGTH

static bool is_time(const char *text)
{
    int64_t seconds;
    return time_parse(text, 0, ROUND_NOT, &seconds);
}

static bool is_length(const char *text)
{
    int64_t hours;
    return length_parse(text, &hours);
}

// Times have colons too, so it is parted where both sides make sense; there is only one such place.
static bool part_window(char *window, char **end)
{
    for (char *colon = strchr(window, ':'); colon != NULL; colon = strchr(colon + 1, ':')) {
        *colon = '\0';
        if (is_time(window) && (is_time(colon + 1) || is_length(colon + 1))) {
            *end = colon + 1;
            return true;
        }
        *colon = ':';
    }
    return false;
}

static bool add_leg_members(struct cli *cli, json_t *leg, char *text)
{
    char *gpus = strchr(text, ':'), *window = gpus == NULL ? NULL : strchr(gpus + 1, ':'), *end = NULL;
    if (window == NULL || !part_window(window + 1, &end)) {
        cli->status = complain_of_usage(
            cli, "--leg: \"%s\" is not POOL:GPUS:START:END or POOL:GPUS:START:LENGTH", text);
        return false;
    }
    *gpus = *window = '\0';
    return params_add(cli, leg, "--leg: POOL", "pool", VALUE_TEXT, text) &&
           params_add(cli, leg, "--leg: GPUS", "gpus", VALUE_COUNT, gpus + 1) &&
           params_add(cli, leg, "--leg: START", "start", VALUE_START, window + 1) &&
           (is_length(end) ? params_add(cli, leg, "--leg: LENGTH", "hours", VALUE_LENGTH, end)
                           : params_add(cli, leg, "--leg: END", "end", VALUE_END, end));
}

static json_t *legs_of_options(struct cli *cli)
{
    json_t *legs = json_array();
    bool good = true;
    for (size_t i = 0; good && i < cli->arguments.repeated_count; i++) {
        json_t *leg = json_object();
        char *text = text_copy(cli->arguments.repeated[i]);
        json_array_append_new(legs, leg);
        good = add_leg_members(cli, leg, text);
        free(text);
    }
    if (good)
        return legs;
    json_decref(legs);
    return NULL;
}

// ---- A file

// An array of legs, or an object with it as "legs".
static json_t *legs_of_file(struct cli *cli, const char *path)
{
    size_t length = 0;
    char *text = read_file(cli, path, &length);
    cli->status = STATUS_USAGE;
    if (text == NULL)
        return NULL;
    json_error_t error;
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    free(text);
    if (value == NULL) {
        complain(cli, STATUS_USAGE, "%s: line %d, column %d: %s", path, error.line, error.column, error.text);
        return NULL;
    }
    json_t *legs = json_incref(json_is_object(value) ? json_object_get(value, "legs") : value);
    json_decref(value);
    if (!json_is_array(legs)) {
        complain(cli, STATUS_USAGE, "%s: this is neither an array of legs nor an object with one", path);
        json_decref(legs);
        return NULL;
    }
    return legs;
}

int run_reserve_group(struct cli *cli)
{
    const struct arguments *arguments = &cli->arguments;
    const char *path = arguments->values[OPTION_FILE];
    if ((path == NULL) == (arguments->repeated_count == 0))
        return complain_of_usage(cli, "give the legs with --leg or with --file, not with both");
    json_t *params = params_of_verb(cli);
    json_t *legs = params == NULL ? NULL : path == NULL ? legs_of_options(cli) : legs_of_file(cli, path);
    int status = cli->status;
    if (legs != NULL) {
        json_object_set(params, "legs", legs);
        status = change_run(cli, arguments->verb->method, params);
    }
    json_decref(legs);
    json_decref(params);
    return status;
}
