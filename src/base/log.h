// The log: one line an event on stderr, a level, a message, then key=value pairs.
//
//     log_warn("wal is large", "bytes=%lld", bytes);
//
// prints  2026-12-01T00:00:00Z warn wal is large bytes=268435456
// The message and the format are literals; values with spaces are quoted by the caller with \"%s\".
#ifndef COLOSSUS_BASE_LOG_H
#define COLOSSUS_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

bool log_level_parse(const char *name, enum log_level *level);
void log_set_level(enum log_level level);

void log_line(enum log_level level, const char *message, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

// Logs an error and ends the process with EX_SOFTWARE (70): for what must never happen.
_Noreturn void fatal(const char *message, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
