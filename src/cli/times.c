#include "cli/times.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECONDS_PER_HOUR 3600
#define SECONDS_PER_DAY  86400

// More than fits into the years that can be named.
#define HOURS_MOST 100000000

struct scanner {
    const char *place;
};

static bool take(struct scanner *scanner, const char *allowed)
{
    if (*scanner->place == '\0' || strchr(allowed, *scanner->place) == NULL)
        return false;
    scanner->place++;
    return true;
}

static bool take_number(struct scanner *scanner, int digits, int least, int most, int *number)
{
    *number = 0;
    for (int i = 0; i < digits; i++) {
        char c = *scanner->place;
        if (c < '0' || c > '9')
            return false;
        *number = *number * 10 + (c - '0');
        scanner->place++;
    }
    return *number >= least && *number <= most;
}

static bool take_fraction(struct scanner *scanner)
{
    if (!take(scanner, "."))
        return true;
    bool any = false;
    while (take(scanner, "0"))
        any = true;
    return any;
}

static bool take_offset(struct scanner *scanner, int64_t *seconds)
{
    int hours = 0, minutes = 0;
    *seconds = 0;
    if (take(scanner, "Zz"))
        return true;
    bool west = take(scanner, "-");
    if ((!west && !take(scanner, "+")) || !take_number(scanner, 2, 0, 23, &hours) || !take(scanner, ":") ||
        !take_number(scanner, 2, 0, 59, &minutes))
        return false;
    *seconds = (west ? -1 : 1) * (int64_t)(hours * 3600 + minutes * 60);
    return true;
}

static bool date_exists(const struct tm *date)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = date->tm_year + 1900;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return date->tm_mday <= days[date->tm_mon] + (date->tm_mon == 1 && leap);
}

static bool parse_written(const char *text, int64_t *seconds)
{
    struct scanner scanner = {text};
    struct tm date = {0};
    int64_t offset = 0;
    if (!take_number(&scanner, 4, 1, 9998, &date.tm_year) || !take(&scanner, "-") ||
        !take_number(&scanner, 2, 1, 12, &date.tm_mon) || !take(&scanner, "-") ||
        !take_number(&scanner, 2, 1, 31, &date.tm_mday))
        return false;
    date.tm_year -= 1900;
    date.tm_mon -= 1;
    if (*scanner.place != '\0' &&
        (!take(&scanner, "Tt ") || !take_number(&scanner, 2, 0, 23, &date.tm_hour) || !take(&scanner, ":") ||
         !take_number(&scanner, 2, 0, 59, &date.tm_min) || !take(&scanner, ":") ||
         !take_number(&scanner, 2, 0, 59, &date.tm_sec) || !take_fraction(&scanner) ||
         !take_offset(&scanner, &offset)))
        return false;
    if (*scanner.place != '\0' || !date_exists(&date))
        return false;
    *seconds = (int64_t)timegm(&date) - offset;
    return true;
}

bool length_parse(const char *text, int64_t *hours)
{
    int64_t number = 0, unit = 0;
    const char *c = text;
    for (; *c >= '0' && *c <= '9'; c++) {
        number = number * 10 + (*c - '0');
        if (number > HOURS_MOST)
            return false;
    }
    unit = *c == 'h' ? 1 : *c == 'd' ? 24 : *c == 'w' ? 168 : 0;
    if (c == text || unit == 0 || c[1] != '\0' || number == 0 || number * unit > HOURS_MOST)
        return false;
    *hours = number * unit;
    return true;
}

bool time_is_relative(const char *text)
{
    return strcmp(text, "now") == 0 || text[0] == '+' || text[0] == '-';
}

static int64_t round_to_hour(int64_t seconds, enum rounding rounding)
{
    int64_t past = ((seconds % SECONDS_PER_HOUR) + SECONDS_PER_HOUR) % SECONDS_PER_HOUR;
    if (rounding == ROUND_NOT || past == 0)
        return seconds;
    return seconds - past + (rounding == ROUND_UP ? SECONDS_PER_HOUR : 0);
}

bool time_parse(const char *text, int64_t now, enum rounding rounding, int64_t *seconds)
{
    static const int64_t first = -62135596800, end = 253370764800; // the years 1 to 9998
    int64_t hours = 0, result = 0;
    if (!time_is_relative(text)) {
        if (!parse_written(text, &result))
            return false;
    } else {
        if (strcmp(text, "now") != 0 && !length_parse(text + 1, &hours))
            return false;
        result = round_to_hour(now, rounding) + (text[0] == '-' ? -hours : hours) * SECONDS_PER_HOUR;
    }
    if (result < first || result >= end)
        return false;
    *seconds = result;
    return true;
}

void time_format(int64_t seconds, char text[TIME_TEXT_SIZE])
{
    time_t time = (time_t)seconds;
    struct tm date;
    text[0] = '\0';
    if (gmtime_r(&time, &date) == NULL)
        return;
    // The year has four digits, which strftime does not promise.
    int year = snprintf(text, TIME_TEXT_SIZE, "%04u", (unsigned)(date.tm_year + 1900) % 10000);
    strftime(text + year, TIME_TEXT_SIZE - (size_t)year, "-%m-%dT%H:%M:%SZ", &date);
}
