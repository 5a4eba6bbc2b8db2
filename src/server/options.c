#include "server/options.h"

#include "server/version.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "Usage: colossusd [options]\n"
    "Sells, tracks and settles reserved GPU capacity, over a Unix socket.\n"
    "\n"
    "  --config FILE               read this config (JSON)\n"
    "  --ledger PATH               the ledger; else $COLOSSUS_LEDGER, else\n"
    "                              /var/lib/colossus/ledger.db or ~/.local/state/colossus/ledger.db\n"
    "  --socket PATH               the socket; else $COLOSSUS_SOCKET, else\n"
    "                              /run/colossus/colossus.sock or $XDG_RUNTIME_DIR/colossus.sock\n"
    "  --manifest FILE             apply this manifest before serving\n"
    "  --clock system|manual:TIME  which clock; manual is for rehearsals and tests\n"
    "  --log-level LEVEL           error, warn, info or debug\n"
    "  --check                     check the config and the manifest, and exit\n"
    "  --version                   print the version\n"
    "  --help                      print this\n"
    "\n"
    "Exit codes: 0 fine, 64 usage, 65 bad manifest or config, 69 ledger or socket unusable, 70 internal.\n";

static bool parse_clock(const char *text, struct options *options)
{
    static const char manual[] = "manual:";
    if (strcmp(text, "system") == 0) {
        options->manual_clock = false;
        return true;
    }
    if (strncmp(text, manual, sizeof(manual) - 1) != 0) {
        return false;
    }
    const char *time = text + sizeof(manual) - 1;
    options->manual_clock = true;
    return instant_parse(time, strlen(time), &options->manual_time);
}

enum option_letter {
    OPTION_CONFIG = 256,
    OPTION_LEDGER,
    OPTION_SOCKET,
    OPTION_MANIFEST,
    OPTION_CLOCK,
    OPTION_LOG_LEVEL,
    OPTION_CHECK,
    OPTION_VERSION,
    OPTION_HELP,
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"ledger", required_argument, NULL, OPTION_LEDGER},
    {"socket", required_argument, NULL, OPTION_SOCKET},
    {"manifest", required_argument, NULL, OPTION_MANIFEST},
    {"clock", required_argument, NULL, OPTION_CLOCK},
    {"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static enum options_result wrong(const char *what, const char *value)
{
    fprintf(stderr, "colossusd: %s \"%s\"; see colossusd --help\n", what, value);
    return OPTIONS_WRONG;
}

static enum options_result take_option(int letter, const char *value, struct options *options)
{
    switch (letter) {
    case OPTION_CONFIG:
        options->config = value;
        return OPTIONS_RUN;
    case OPTION_LEDGER:
        options->ledger = value;
        return value[0] != '\0' ? OPTIONS_RUN : wrong("--ledger needs a path, not", value);
    case OPTION_SOCKET:
        options->socket = value;
        return value[0] != '\0' ? OPTIONS_RUN : wrong("--socket needs a path, not", value);
    case OPTION_MANIFEST:
        options->manifest = value;
        return OPTIONS_RUN;
    case OPTION_CLOCK:
        return parse_clock(value, options) ? OPTIONS_RUN
                                           : wrong("--clock is system or manual:TIME (RFC 3339), not", value);
    case OPTION_LOG_LEVEL:
        options->has_log_level = true;
        return log_level_parse(value, &options->log_level)
                   ? OPTIONS_RUN
                   : wrong("--log-level is error, warn, info or debug, not", value);
    case OPTION_CHECK:
        options->check = true;
        return OPTIONS_RUN;
    case OPTION_VERSION:
        printf("colossusd %s\n", COLOSSUS_VERSION);
        return OPTIONS_DONE;
    case OPTION_HELP:
        fputs(help, stdout);
        return OPTIONS_DONE;
    default:
        fputs("see colossusd --help\n", stderr);
        return OPTIONS_WRONG; // getopt has said what is wrong
    }
}

enum options_result options_parse(int argument_count, char **arguments, struct options *options)
{
    *options = (struct options){0};
    optind = 0; // so that it can be called again, by the tests
    int letter;
    while ((letter = getopt_long(argument_count, arguments, "", long_options, NULL)) != -1) {
        enum options_result result = take_option(letter, optarg, options);
        if (result != OPTIONS_RUN) {
            return result;
        }
    }
    return optind < argument_count ? wrong("there is no argument", arguments[optind]) : OPTIONS_RUN;
}
