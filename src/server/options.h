// The command line.
#ifndef COLOSSUS_SERVER_OPTIONS_H
#define COLOSSUS_SERVER_OPTIONS_H

#include "base/hour.h"
#include "base/log.h"
#include <stdbool.h>

// What the process says with its exit code, as in sysexits.h.
enum exit_code {
    EXIT_FINE = 0,
    EXIT_USAGE = 64,
    EXIT_DATA = 65,        // the manifest or the config is wrong
    EXIT_UNAVAILABLE = 69, // the ledger or the socket can't be used
    EXIT_INTERNAL = 70,
};

// Texts are those of argv. NULL is what was not given.
struct options {
    const char *config;
    const char *ledger;
    const char *socket;
    const char *manifest;
    bool manual_clock;
    struct instant manual_time;
    bool has_log_level;
    enum log_level log_level;
    bool check;
};

enum options_result { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_WRONG };

// Help and the version are printed to standard output (OPTIONS_DONE), what is wrong to standard error
// (OPTIONS_WRONG).
enum options_result options_parse(int argument_count, char **arguments, struct options *options);

#endif
