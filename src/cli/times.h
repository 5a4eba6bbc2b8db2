// Times and lengths as people write them.
//
//     2026-12-01T00:00:00Z    RFC 3339, with any offset
//     2026-12-01              midnight UTC
//     now                     the daemon's clock
//     +3d, -12h               that much after or before now
//     36h, 14d, 2w            lengths: hours, days, weeks
#ifndef COLOSSUS_CLI_TIMES_H
#define COLOSSUS_CLI_TIMES_H

#include <stdbool.h>
#include <stdint.h>

// "2026-12-01T00:00:00Z" with its NUL.
#define TIME_TEXT_SIZE 21

// What is sold is whole hours: a start given from now goes down to its hour, an end up to the next. Times
// that are written out are never rounded.
enum rounding { ROUND_NOT, ROUND_DOWN, ROUND_UP };

// Whether the text needs the daemon's clock to be understood.
bool time_is_relative(const char *text);

// Reads a time as seconds since 1970. `now` matters only if the time is relative. False if it is none of the
// above, no date that exists, or outside the years 1 to 9998.
bool time_parse(const char *text, int64_t now, enum rounding rounding, int64_t *seconds);

// Reads a length above zero, in hours.
bool length_parse(const char *text, int64_t *hours);

// For times that time_parse gave, or the like.
void time_format(int64_t seconds, char text[TIME_TEXT_SIZE]);

#endif
