// What the daemon is told at its start: the config file, the environment and the defaults, made one.
//
// The config is one JSON object. All members are optional, unknown ones are refused, and a member that is
// wrong is named:
//
//     ledger            path of the ledger
//     socket            path of the socket
//     log_level         "error", "warn", "info" or "debug"
//     horizon_years     how far ahead can be booked, 1 to 100; default 10
//     hold_seconds_max  the longest hold, 1 to 31,536,000; default 604,800 (7 days)
//     min_free_bytes    below this much room on the ledger's disk nothing is decided that would be written;
//                       default 67,108,864
//     wal_warn_bytes    the log warns when the ledger's WAL is larger; default 268,435,456
//     writer            who this daemon is in the ledger's batches; default the host's name
//     limits            an object with members of limits.h
//
// What the command line says goes before the environment, and that before the config.
#ifndef COLOSSUS_SERVER_CONFIG_H
#define COLOSSUS_SERVER_CONFIG_H

#include "base/hour.h"
#include "base/log.h"
#include "server/limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options;

struct config {
    char *ledger;
    char *socket;
    char *writer;
    char *manifest; // a file to be applied at the start, or NULL
    bool manual_clock;
    struct instant manual_time;
    enum log_level log_level;
    int64_t horizon_years;
    int64_t hold_seconds_max;
    int64_t min_free_bytes;
    int64_t wal_warn_bytes;
    struct limits limits;
};

#define CONFIG_ERROR_SIZE 512

void config_defaults(struct config *config);

// Reads the text of a config file into a config that holds the defaults. False with a sentence in error.
bool config_parse(struct config *config, const char *text, size_t length, char error[CONFIG_ERROR_SIZE]);

// Defaults, the config file when one is named, the environment and the options, in this order. `config` is to
// be freed in either case. False with a sentence in error.
bool config_load(struct config *config, const struct options *options, char error[CONFIG_ERROR_SIZE]);

void config_free(struct config *config);

// Reads a whole file of at most 64 MiB. The text has a NUL after it and belongs to the caller; NULL with a
// sentence in error.
char *file_read(const char *path, size_t *length, char error[CONFIG_ERROR_SIZE]);

#endif
