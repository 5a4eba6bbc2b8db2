// The run of the program: arguments, the verb, the exit status.
#include "cli/cli.h"

#include "cli/text.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MOST         (64 << 20)
#define TIMEOUT_MOST            86400
#define TIMEOUT_DEFAULT         30
#define MILLISECONDS_PER_SECOND 1000

// ---- Complaints

static void complain_with(struct cli *cli, const char *format, va_list arguments)
{
    char *sentence = NULL;
    if (vasprintf(&sentence, format, arguments) < 0)
        return;
    char *clean = text_clean(sentence);
    // What stands in the output comes before what is said of it.
    fflush(cli->out);
    fprintf(cli->err, "%scolossus:%s %s\n", cli->err_is_bold ? "\033[1;31m" : "",
            cli->err_is_bold ? "\033[0m" : "", clean);
    free(clean);
    free(sentence);
}

int complain(struct cli *cli, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain_with(cli, format, arguments);
    va_end(arguments);
    return status;
}

int complain_of_usage(struct cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain_with(cli, format, arguments);
    va_end(arguments);
    const struct verb *verb = cli->arguments.verb;
    fprintf(cli->err, "See colossus %s%s--help.\n", verb == NULL ? "" : verb->name, verb == NULL ? "" : " ");
    return STATUS_USAGE;
}

// ---- Files

static char *read_whole(struct cli *cli, FILE *file, const char *path, size_t *length)
{
    size_t capacity = 65536, got = 0;
    char *text = allocate(capacity + 1, 1);
    *length = 0;
    while ((got = fread(text + *length, 1, capacity - *length, file)) > 0) {
        *length += got;
        if (*length < capacity)
            continue;
        capacity *= 2;
        char *larger = capacity > FILE_BYTES_MOST ? NULL : realloc(text, capacity + 1);
        if (larger == NULL) {
            free(text);
            complain(cli, STATUS_REFUSED, "%s: the file is too large", path);
            return NULL;
        }
        text = larger;
    }
    text[*length] = '\0';
    if (ferror(file)) {
        complain(cli, STATUS_REFUSED, "%s: %s", path, strerror(errno));
        free(text);
        return NULL;
    }
    return text;
}

char *read_file(struct cli *cli, const char *path, size_t *length)
{
    if (strcmp(path, "-") == 0)
        return read_whole(cli, stdin, "standard input", length);
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        complain(cli, STATUS_REFUSED, "%s: %s", path, strerror(errno));
        return NULL;
    }
    char *text = read_whole(cli, file, path, length);
    fclose(file);
    return text;
}

// ---- The options of all verbs

static bool may_be_coloured(FILE *file)
{
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(fileno(file)) && (no_color == NULL || no_color[0] == '\0') && terminal != NULL &&
           strcmp(terminal, "dumb") != 0;
}

static bool set_timeout(struct cli *cli, const char *text)
{
    long seconds = TIMEOUT_DEFAULT;
    if (text != NULL) {
        char *end = NULL;
        errno = 0;
        seconds = strtol(text, &end, 10);
        if (errno != 0 || end == text || *end != '\0' || seconds < 1 || seconds > TIMEOUT_MOST)
            return false;
    }
    cli->timeout_ms = (int)seconds * MILLISECONDS_PER_SECOND;
    return true;
}

static bool set_output(struct cli *cli, const char *text)
{
    cli->is_json = text != NULL && strcmp(text, "json") == 0;
    return text == NULL || cli->is_json || strcmp(text, "table") == 0;
}

static int run_verb(struct cli *cli)
{
    const struct verb *verb = cli->arguments.verb;
    if (verb->run != NULL)
        return verb->run(cli);
    json_t *params = params_of_verb(cli);
    if (params == NULL)
        return cli->status;
    int status = STATUS_DONE;
    if (verb->changes) {
        status = change_run(cli, verb->method, params);
    } else {
        json_t *result = daemon_call(cli, verb->method, params);
        if (result == NULL)
            status = cli->status;
        else
            show_result(cli, result);
        json_decref(result);
    }
    json_decref(params);
    return status;
}

static int run(struct cli *cli)
{
    const struct arguments *arguments = &cli->arguments;
    if (option_given(arguments, OPTION_VERSION)) {
        fprintf(cli->out, "colossus %s\n", colossus_version());
        return STATUS_DONE;
    }
    if (option_given(arguments, OPTION_HELP)) {
        if (arguments->verb == NULL)
            help_print(cli->out);
        else
            help_print_verb(cli->out, arguments->verb);
        return STATUS_DONE;
    }
    if (!set_output(cli, arguments->values[OPTION_OUTPUT]))
        return complain_of_usage(cli, "--output is table or json");
    if (!set_timeout(cli, arguments->values[OPTION_TIMEOUT]))
        return complain_of_usage(cli, "--timeout is 1 to %d seconds", TIMEOUT_MOST);
    return run_verb(cli);
}

int cli_main(int count, char *const *texts, FILE *out, FILE *err)
{
    struct cli cli = {.out = out, .err = err};
    char message[ARGUMENTS_MESSAGE_SIZE];
    cli.out_is_bold = may_be_coloured(out);
    cli.err_is_bold = may_be_coloured(err);
    int status = arguments_read(count, texts, &cli.arguments, message)
                     ? run(&cli)
                     : complain_of_usage(&cli, "%s", message);
    daemon_close(&cli);
    // A result that could not be written was not shown, whatever became of the request.
    if (fflush(out) != 0 || ferror(out))
        return complain(&cli, status == STATUS_DONE ? STATUS_REFUSED : status,
                        "the output can't be written: %s", strerror(errno));
    return status;
}
