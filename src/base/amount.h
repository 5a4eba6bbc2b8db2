// Money: checked arithmetic on whole micro-dollars.
//
// An amount is one signed 64-bit number of micro-USD inside a struct, so that it can't be added to a count of
// GPUs by accident. Every operation that can overflow says so and leaves its output alone; nothing ever wraps
// and no double is ever involved ($15 billion in micro-USD is above 2^53). Percentages round half to even, so
// a long series of roundings has no drift.
#ifndef COLOSSUS_BASE_AMOUNT_H
#define COLOSSUS_BASE_AMOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct amount {
    int64_t micro;
};

#define AMOUNT_ZERO ((struct amount){0})
#define AMOUNT_MAX  ((struct amount){INT64_MAX})

// The longest text of an amount with its terminating NUL: "-9223372036854.775808".
#define AMOUNT_TEXT_SIZE 24

// Each returns false on overflow and then leaves *result as it was. result may alias an operand.
static inline bool amount_add(struct amount a, struct amount b, struct amount *result)
{
    int64_t sum;
    if (__builtin_add_overflow(a.micro, b.micro, &sum)) {
        return false;
    }
    result->micro = sum;
    return true;
}

static inline bool amount_subtract(struct amount a, struct amount b, struct amount *result)
{
    int64_t difference;
    if (__builtin_sub_overflow(a.micro, b.micro, &difference)) {
        return false;
    }
    result->micro = difference;
    return true;
}

bool amount_multiply(struct amount unit, int64_t count, struct amount *result);

// a × basis_points / 10,000, rounded half to even.
bool amount_percent(struct amount a, int64_t basis_points, struct amount *result);

// a × numerator / denominator, rounded half to even. denominator is above zero.
bool amount_share(struct amount a, int64_t numerator, int64_t denominator, struct amount *result);

static inline int amount_compare(struct amount a, struct amount b)
{
    return (a.micro > b.micro) - (a.micro < b.micro);
}

static inline struct amount amount_min(struct amount a, struct amount b)
{
    return a.micro < b.micro ? a : b;
}

static inline struct amount amount_max(struct amount a, struct amount b)
{
    return a.micro > b.micro ? a : b;
}

static inline bool amount_is_zero(struct amount a)
{
    return a.micro == 0;
}

// Reads "26880.00", "-0.5" or "12": an optional minus, at least one digit, and at most 6 decimals. Returns
// false for anything else (a sign of plus, spaces, exponents, a bare point) and for what is out of range.
bool amount_parse(const char *text, size_t length, struct amount *result);

// Writes the decimal text with at least 2 and at most 6 decimals, and returns its length without the NUL.
size_t amount_format(struct amount a, char text[AMOUNT_TEXT_SIZE]);

#endif
