// Time. Days are counted from 1970 in the proleptic Gregorian calendar, in eras of 400 years that begin on a
// 1 March, so that the leap day is the last of its year and no table of months is needed to count.
#include "base/hour.h"

#include <assert.h>
#include <string.h>

#define SECONDS_PER_DAY 86400
#define DAYS_PER_ERA    146097
#define YEARS_PER_ERA   400
#define DAYS_TO_1970    719468 // from 0000-03-01
#define MONTHS_PER_YEAR 12
#define FIRST_YEAR      1
#define LAST_YEAR       9998

// The first second of year 1, and the last of year 9999, the last that four digits can write.
#define FIRST_SECOND (-62135596800)
#define LAST_SECOND  253402300799

struct date {
    int64_t year;
    int32_t month, day; // from 1
};

static int64_t floor_divide(int64_t value, int64_t divisor)
{
    int64_t quotient = value / divisor;
    return value % divisor < 0 ? quotient - 1 : quotient;
}

static int64_t days_from_date(struct date date)
{
    int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    int64_t era = floor_divide(year, YEARS_PER_ERA);
    int64_t year_of_era = year - era * YEARS_PER_ERA;
    int64_t month_from_march = (date.month + 9) % MONTHS_PER_YEAR;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

static struct date date_from_days(int64_t days)
{
    int64_t from_march = days + DAYS_TO_1970;
    int64_t era = floor_divide(from_march, DAYS_PER_ERA);
    uint32_t day_of_era = (uint32_t)(from_march - era * DAYS_PER_ERA);
    uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t month_from_march = (5 * day_of_year + 2) / 153;
    int32_t day = (int32_t)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    int32_t month = (int32_t)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    int64_t year = era * YEARS_PER_ERA + year_of_era + (month <= 2 ? 1 : 0);
    return (struct date){.year = year, .month = month, .day = day};
}

static int32_t days_in_month(int64_t year, int32_t month)
{
    static const int32_t days[MONTHS_PER_YEAR] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % YEARS_PER_ERA == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

// What lies outside the range of hours is beyond any calendar here, and becomes its first or last hour.
static struct hour hour_clamped(int64_t number)
{
    if (number < INT32_MIN) {
        number = INT32_MIN;
    } else if (number > INT32_MAX) {
        number = INT32_MAX;
    }
    return (struct hour){(int32_t)number};
}

struct hour hour_of_instant(struct instant at)
{
    return hour_clamped(floor_divide(at.seconds, SECONDS_PER_HOUR));
}

struct hour hour_at_or_after(struct instant at)
{
    int64_t number = floor_divide(at.seconds, SECONDS_PER_HOUR);
    return hour_clamped(at.seconds % SECONDS_PER_HOUR == 0 ? number : number + 1);
}

struct hour hour_add_months(struct hour h, int32_t months)
{
    int64_t days = floor_divide(h.number, HOURS_PER_DAY);
    int64_t hour_of_day = h.number - days * HOURS_PER_DAY;
    struct date date = date_from_days(days);
    int64_t month_number = date.year * MONTHS_PER_YEAR + date.month - 1 + months;
    date.year = floor_divide(month_number, MONTHS_PER_YEAR);
    date.month = (int32_t)(month_number - date.year * MONTHS_PER_YEAR) + 1;
    int32_t last = days_in_month(date.year, date.month);
    if (date.day > last) {
        date.day = last;
    }
    return hour_clamped(days_from_date(date) * HOURS_PER_DAY + hour_of_day);
}

struct hour hour_next_month(struct hour h)
{
    struct date date = date_from_days(floor_divide(h.number, HOURS_PER_DAY));
    date.day = 1;
    if (date.month == MONTHS_PER_YEAR) {
        date.month = 1;
        date.year++;
    } else {
        date.month++;
    }
    return hour_clamped(days_from_date(date) * HOURS_PER_DAY);
}

// ---- Reading

// A cursor over the text that is being read.
struct reading {
    const char *text;
    size_t length, at;
};

static bool read_number(struct reading *reading, size_t digits, int32_t least, int32_t most, int32_t *number)
{
    if (reading->length - reading->at < digits) {
        return false;
    }
    int32_t value = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = reading->text[reading->at + i];
        if (c < '0' || c > '9') {
            return false;
        }
        value = value * 10 + (c - '0');
    }
    reading->at += digits;
    *number = value;
    return value >= least && value <= most;
}

static bool read_one_of(struct reading *reading, const char *wanted, char *found)
{
    if (reading->at == reading->length) {
        return false;
    }
    char c = reading->text[reading->at];
    if (c == '\0' || strchr(wanted, c) == NULL) {
        return false;
    }
    reading->at++;
    *found = c;
    return true;
}

static bool read_date(struct reading *reading, struct date *date)
{
    char dash;
    int32_t year = 0;
    if (!read_number(reading, 4, FIRST_YEAR, LAST_YEAR, &year) || !read_one_of(reading, "-", &dash) ||
        !read_number(reading, 2, 1, MONTHS_PER_YEAR, &date->month) || !read_one_of(reading, "-", &dash)) {
        return false;
    }
    date->year = year;
    return read_number(reading, 2, 1, days_in_month(year, date->month), &date->day);
}

static bool read_time_of_day(struct reading *reading, int64_t *seconds)
{
    char colon, point;
    int32_t hour = 0, minute = 0, second = 0;
    if (!read_number(reading, 2, 0, 23, &hour) || !read_one_of(reading, ":", &colon) ||
        !read_number(reading, 2, 0, 59, &minute) || !read_one_of(reading, ":", &colon) ||
        !read_number(reading, 2, 0, 59, &second)) {
        return false;
    }
    *seconds = (int64_t)hour * SECONDS_PER_HOUR + minute * 60 + second;
    if (!read_one_of(reading, ".", &point)) {
        return true;
    }
    char zero;
    if (!read_one_of(reading, "0", &zero)) {
        return false;
    }
    while (read_one_of(reading, "0", &zero)) {
    }
    return true;
}

static bool read_offset(struct reading *reading, int64_t *seconds)
{
    char sign, colon;
    *seconds = 0;
    if (!read_one_of(reading, "Zz+-", &sign)) {
        return false;
    }
    if (sign == 'Z' || sign == 'z') {
        return true;
    }
    int32_t hour = 0, minute = 0;
    if (!read_number(reading, 2, 0, 23, &hour) || !read_one_of(reading, ":", &colon) ||
        !read_number(reading, 2, 0, 59, &minute)) {
        return false;
    }
    *seconds = (int64_t)hour * SECONDS_PER_HOUR + minute * 60;
    if (sign == '-') {
        *seconds = -*seconds;
    }
    return true;
}

bool instant_parse(const char *text, size_t length, struct instant *result)
{
    struct reading reading = {.text = text, .length = length};
    struct date date = {0};
    int64_t time_of_day = 0, offset = 0;
    char separator;
    if (!read_date(&reading, &date) || !read_one_of(&reading, "Tt ", &separator) ||
        !read_time_of_day(&reading, &time_of_day) || !read_offset(&reading, &offset) ||
        reading.at != reading.length) {
        return false;
    }
    int64_t seconds = days_from_date(date) * SECONDS_PER_DAY + time_of_day - offset;
    // An offset can carry the first or the last day out of the years that can be read.
    int64_t year = date_from_days(floor_divide(seconds, SECONDS_PER_DAY)).year;
    if (year < FIRST_YEAR || year > LAST_YEAR) {
        return false;
    }
    result->seconds = seconds;
    return true;
}

bool hour_parse(const char *text, size_t length, struct hour *result)
{
    struct instant at;
    if (!instant_parse(text, length, &at) || at.seconds % SECONDS_PER_HOUR != 0) {
        return false;
    }
    *result = hour_of_instant(at);
    return true;
}

// ---- Writing

// Two digits and what goes after them.
static char *write_pair(char *end, uint32_t value, char after)
{
    end[0] = (char)('0' + value / 10);
    end[1] = (char)('0' + value % 10);
    end[2] = after;
    return end + 3;
}

size_t instant_format(struct instant at, char text[INSTANT_TEXT_SIZE])
{
    // What four digits can't write is shown as the first or last instant that they can.
    int64_t seconds = at.seconds;
    if (seconds < FIRST_SECOND) {
        seconds = FIRST_SECOND;
    } else if (seconds > LAST_SECOND) {
        seconds = LAST_SECOND;
    }
    int64_t days = floor_divide(seconds, SECONDS_PER_DAY);
    uint32_t rest = (uint32_t)(seconds - days * SECONDS_PER_DAY);
    struct date date = date_from_days(days);
    uint32_t year = (uint32_t)date.year;
    text[0] = (char)('0' + year / 1000);
    text[1] = (char)('0' + year / 100 % 10);
    char *end = write_pair(text + 2, year % 100, '-');
    end = write_pair(end, (uint32_t)date.month, '-');
    end = write_pair(end, (uint32_t)date.day, 'T');
    end = write_pair(end, rest / SECONDS_PER_HOUR, ':');
    end = write_pair(end, rest / 60 % 60, ':');
    end = write_pair(end, rest % 60, 'Z');
    *end = '\0';
    assert(end - text == INSTANT_TEXT_SIZE - 1);
    return INSTANT_TEXT_SIZE - 1;
}
