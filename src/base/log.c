#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static enum log_level highest = LOG_INFO;

bool log_level_parse(const char *name, enum log_level *level)
{
    for (int i = LOG_ERROR; i <= LOG_DEBUG; i++) {
        if (strcmp(level_names[i], name) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_set_level(enum log_level level)
{
    highest = level;
}

// One write a line, so that lines of several threads don't mix.
static void write_line(enum log_level level, const char *message, const char *format, va_list arguments)
{
    char line[4096];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    size_t length = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%SZ", &utc);
    int added = snprintf(line + length, sizeof line - length, " %s %s", level_names[level], message);
    length += added > 0 ? (size_t)added : 0;
    if (format[0] != '\0' && length < sizeof line - 2) {
        line[length++] = ' ';
        added = vsnprintf(line + length, sizeof line - length, format, arguments);
        length += added > 0 ? (size_t)added : 0;
    }
    if (length > sizeof line - 1)
        length = sizeof line - 1;
    line[length++] = '\n';
    // There is nobody to tell when the log itself can't be written.
    ssize_t written = write(STDERR_FILENO, line, length);
    (void)written;
}

void log_line(enum log_level level, const char *message, const char *format, ...)
{
    if (level > highest)
        return;
    va_list arguments;
    va_start(arguments, format);
    write_line(level, message, format, arguments);
    va_end(arguments);
}

void fatal(const char *message, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(LOG_ERROR, message, format, arguments);
    va_end(arguments);
    exit(EX_SOFTWARE);
}
