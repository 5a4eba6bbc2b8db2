#include "base/hour.h"

#include <string.h>

#define SECONDS_PER_DAY 86400
#define YEAR_MIN        1
#define YEAR_MAX        9998

struct date {
    int64_t year;
    int32_t month, day; // from 1
};

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int32_t days_in_month(int64_t year, int32_t month)
{
    static const int32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

// Days since 1970-01-01. Years are counted from March, so that the leap day is the last of its year; an era
// is the 400 years after which the calendar repeats.
static int64_t days_of_date(struct date date)
{
    int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    int64_t era = floor_divide(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t month = (date.month + 9) % 12;
    int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static struct date date_of_days(int64_t days)
{
    days += 719468;
    int64_t era = floor_divide(days, 146097);
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    struct date date = {
        .month = (int32_t)(month < 10 ? month + 3 : month - 9),
        .day = (int32_t)(day_of_year - (153 * month + 2) / 5 + 1),
    };
    date.year = year_of_era + era * 400 + (date.month <= 2);
    return date;
}

struct hour hour_of_instant(struct instant at)
{
    return (struct hour){(int32_t)floor_divide(at.seconds, SECONDS_PER_HOUR)};
}

struct hour hour_at_or_after(struct instant at)
{
    return (struct hour){(int32_t)-floor_divide(-at.seconds, SECONDS_PER_HOUR)};
}

struct hour hour_add_months(struct hour h, int32_t months)
{
    int64_t days = floor_divide(h.number, HOURS_PER_DAY);
    int32_t hour_of_day = (int32_t)(h.number - days * HOURS_PER_DAY);
    struct date date = date_of_days(days);
    int64_t month = date.year * 12 + date.month - 1 + months;
    date.year = floor_divide(month, 12);
    date.month = (int32_t)(month - date.year * 12) + 1;
    int32_t last = days_in_month(date.year, date.month);
    if (date.day > last)
        date.day = last;
    return (struct hour){(int32_t)(days_of_date(date) * HOURS_PER_DAY) + hour_of_day};
}

struct hour hour_next_month(struct hour h)
{
    struct date date = date_of_days(floor_divide(h.number, HOURS_PER_DAY));
    date.day = 1;
    if (++date.month > 12) {
        date.month = 1;
        date.year++;
    }
    return (struct hour){(int32_t)(days_of_date(date) * HOURS_PER_DAY)};
}

// ---- Text

struct reader {
    const char *text;
    size_t length, place;
};

static bool read_digits(struct reader *reader, size_t count, int32_t least, int32_t most, int32_t *value)
{
    if (reader->length - reader->place < count)
        return false;
    int32_t number = 0;
    for (size_t i = 0; i < count; i++) {
        char c = reader->text[reader->place++];
        if (c < '0' || c > '9')
            return false;
        number = number * 10 + (c - '0');
    }
    *value = number;
    return number >= least && number <= most;
}

static bool read_one_of(struct reader *reader, const char *allowed)
{
    if (reader->place == reader->length || reader->text[reader->place] == '\0' ||
        strchr(allowed, reader->text[reader->place]) == NULL)
        return false;
    reader->place++;
    return true;
}

// ".000": a fraction of a second must be nothing.
static bool read_fraction(struct reader *reader)
{
    if (!read_one_of(reader, "."))
        return true;
    size_t digits = 0;
    while (read_one_of(reader, "0"))
        digits++;
    return digits > 0;
}

static bool read_offset(struct reader *reader, int64_t *seconds)
{
    *seconds = 0;
    if (read_one_of(reader, "Zz"))
        return true;
    bool west = read_one_of(reader, "-");
    int32_t hours, minutes;
    if ((!west && !read_one_of(reader, "+")) || !read_digits(reader, 2, 0, 23, &hours) ||
        !read_one_of(reader, ":") || !read_digits(reader, 2, 0, 59, &minutes))
        return false;
    *seconds = (west ? -1 : 1) * (int64_t)(hours * 3600 + minutes * 60);
    return true;
}

bool instant_parse(const char *text, size_t length, struct instant *result)
{
    struct reader reader = {.text = text, .length = length};
    int32_t year, month, day, hour, minute, second;
    int64_t offset;
    if (!read_digits(&reader, 4, YEAR_MIN, YEAR_MAX, &year) || !read_one_of(&reader, "-") ||
        !read_digits(&reader, 2, 1, 12, &month) || !read_one_of(&reader, "-") ||
        !read_digits(&reader, 2, 1, days_in_month(year, month), &day) || !read_one_of(&reader, "Tt ") ||
        !read_digits(&reader, 2, 0, 23, &hour) || !read_one_of(&reader, ":") ||
        !read_digits(&reader, 2, 0, 59, &minute) || !read_one_of(&reader, ":") ||
        !read_digits(&reader, 2, 0, 59, &second) || !read_fraction(&reader) ||
        !read_offset(&reader, &offset) || reader.place != length)
        return false;
    struct date date = {.year = year, .month = month, .day = day};
    result->seconds = days_of_date(date) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second - offset;
    return true;
}

bool hour_parse(const char *text, size_t length, struct hour *result)
{
    struct instant at;
    if (!instant_parse(text, length, &at) || at.seconds % SECONDS_PER_HOUR != 0)
        return false;
    *result = hour_of_instant(at);
    return true;
}

static char *write_digits(char *place, int64_t value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        place[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return place + count;
}

size_t instant_format(struct instant at, char text[INSTANT_TEXT_SIZE])
{
    int64_t days = floor_divide(at.seconds, SECONDS_PER_DAY);
    int64_t second = at.seconds - days * SECONDS_PER_DAY;
    struct date date = date_of_days(days);
    char *place = write_digits(text, date.year, 4);
    *place++ = '-';
    place = write_digits(place, date.month, 2);
    *place++ = '-';
    place = write_digits(place, date.day, 2);
    *place++ = 'T';
    place = write_digits(place, second / 3600, 2);
    *place++ = ':';
    place = write_digits(place, second / 60 % 60, 2);
    *place++ = ':';
    place = write_digits(place, second % 60, 2);
    *place++ = 'Z';
    *place = '\0';
    return (size_t)(place - text);
}
