// Verbs of operators that read or write files, and the door to every method.
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

// JSON from a file's text or the command line. NULL: it has complained.
static json_t *parse(struct cli *cli, const char *name, const char *text, size_t length)
{
    json_error_t error;
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (value == NULL)
        complain(cli, STATUS_USAGE, "%s: line %d, column %d: %s", name, error.line, error.column, error.text);
    else if (!json_is_object(value))
        complain(cli, STATUS_USAGE, "%s: this is no JSON object", name);
    if (json_is_object(value))
        return value;
    cli->status = STATUS_USAGE;
    json_decref(value);
    return NULL;
}

static json_t *parse_file(struct cli *cli, const char *path)
{
    size_t length = 0;
    char *text = read_file(cli, path, &length);
    cli->status = STATUS_USAGE;
    json_t *value = text == NULL ? NULL : parse(cli, path, text, length);
    free(text);
    return value;
}

int run_apply(struct cli *cli)
{
    json_t *manifest = parse_file(cli, cli->arguments.positionals[0]);
    if (manifest == NULL)
        return cli->status;
    json_t *params = params_of_verb(cli);
    int status = cli->status;
    if (params != NULL) {
        json_object_set(params, "manifest", manifest);
        status = change_run(cli, cli->arguments.verb->method, params);
    }
    json_decref(params);
    json_decref(manifest);
    return status;
}

// The manifest and nothing around it, so that what is exported can be applied.
int run_export(struct cli *cli)
{
    json_t *result = daemon_call(cli, cli->arguments.verb->method, NULL);
    if (result == NULL)
        return cli->status;
    show_manifest(cli, result);
    json_decref(result);
    return STATUS_DONE;
}

int run_call(struct cli *cli)
{
    const struct arguments *arguments = &cli->arguments;
    const char *text = arguments->positional_count > 1 ? arguments->positionals[1] : "{}";
    json_t *params = strcmp(text, "-") == 0 ? parse_file(cli, text) : parse(cli, "JSON", text, strlen(text));
    if (params == NULL)
        return cli->status;
    json_t *result = daemon_call(cli, arguments->positionals[0], params);
    if (result != NULL)
        show_json(cli, result);
    bool done = result != NULL;
    json_decref(result);
    json_decref(params);
    return done ? STATUS_DONE : cli->status;
}
