// The log. A line is made whole and written by one call, so that lines of two threads don't mix, and it stays
// one line: what came from outside can't put a newline or an escape sequence into it.
#include "base/log.h"

#include "base/hour.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

// Longer lines are cut, and end in three points.
#define LINE_SIZE 4096

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static enum log_level level_shown = LOG_INFO;

bool log_level_parse(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_set_level(enum log_level level)
{
    level_shown = level;
}

static size_t append(char *line, size_t length, const char *text)
{
    size_t added = strlen(text);
    size_t room = LINE_SIZE - 1 - length;
    if (added > room) {
        added = room;
    }
    memcpy(line + length, text, added);
    line[length + added] = '\0';
    return length + added;
}

static size_t append_pairs(char *line, size_t length, const char *format, va_list arguments)
{
    length = append(line, length, " ");
    int wanted = vsnprintf(line + length, LINE_SIZE - length, format, arguments);
    if (wanted < 0) {
        return append(line, length, "(what belongs here could not be formatted)");
    }
    if ((size_t)wanted >= LINE_SIZE - length) {
        memcpy(line + LINE_SIZE - 4, "...", 4);
        return LINE_SIZE - 1;
    }
    return length + (size_t)wanted;
}

__attribute__((format(printf, 3, 0))) static void write_line(enum log_level level, const char *message,
                                                             const char *format, va_list arguments)
{
    char line[LINE_SIZE + 1]; // and the newline
    char now[INSTANT_TEXT_SIZE];
    instant_format((struct instant){time(NULL)}, now);
    size_t length = append(line, 0, now);
    length = append(line, length, " ");
    length = append(line, length, level_names[level]);
    length = append(line, length, " ");
    length = append(line, length, message);
    if (format != NULL && format[0] != '\0') {
        length = append_pairs(line, length, format, arguments);
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)line[i];
        if (c < 0x20 || c == 0x7f) {
            line[i] = '?';
        }
    }
    line[length++] = '\n';
    // There is nowhere to report that the report could not be written.
    (void)fwrite(line, 1, length, stderr);
}

void log_line(enum log_level level, const char *message, const char *format, ...)
{
    if (level > level_shown) {
        return;
    }
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
    // Not exit: what is registered to run at the end may rest on what is broken.
    _exit(EX_SOFTWARE);
}
