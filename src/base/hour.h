// Time: whole UTC hours, and instants in whole seconds.
//
// What is sold is whole hours, half-open [start, end); what happens (a cancel, a hold's expiry) happens at an
// instant. The two are different structs, so that one can't stand where the other is meant. The calendar is
// the proleptic Gregorian one, without leap seconds, as in POSIX. The years 1 to 9998 can be read; anything
// else is refused, so no arithmetic on what was read can leave the range.
#ifndef COLOSSUS_BASE_HOUR_H
#define COLOSSUS_BASE_HOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Hours since 1970-01-01T00:00:00Z.
struct hour {
    int32_t number;
};

// Seconds since 1970-01-01T00:00:00Z.
struct instant {
    int64_t seconds;
};

#define SECONDS_PER_HOUR 3600
#define HOURS_PER_DAY    24

// "2026-12-01T00:00:00Z" with its NUL.
#define INSTANT_TEXT_SIZE 21

static inline struct instant hour_start(struct hour h)
{
    return (struct instant){(int64_t)h.number * SECONDS_PER_HOUR};
}

// The hour that an instant lies in.
struct hour hour_of_instant(struct instant at);

// The first hour that starts at or after the instant.
struct hour hour_at_or_after(struct instant at);

// The same day of the month and hour n months (or years) on, the day clamped to the month's last: 31 January
// and one month is 28 or 29 February. Reckon multiples from the origin, not step by step, so that the day
// comes back.
struct hour hour_add_months(struct hour h, int32_t months);

// The first hour of the UTC calendar month after the one that h lies in.
struct hour hour_next_month(struct hour h);

// Reads RFC 3339: "2026-12-01T00:00:00Z", lower-case t and z, a space for T, any numeric offset, and
// fractional seconds if they are all zero. Returns false for anything else and for dates that do not exist,
// and for years outside 1 to 9998.
bool instant_parse(const char *text, size_t length, struct instant *result);

// As instant_parse, and it must land on a whole UTC hour.
bool hour_parse(const char *text, size_t length, struct hour *result);

// Writes "2026-12-01T00:00:00Z" and returns its length without the NUL.
size_t instant_format(struct instant at, char text[INSTANT_TEXT_SIZE]);

#endif
