// Money. Shares are reckoned on magnitudes in 128
// bits, where no product of two 64-bit numbers can overflow, and get their sign back at the end.
#include "base/amount.h"

#include <assert.h>

#define MICRO_PER_DOLLAR   1000000
#define DECIMALS           6
#define DECIMALS_AT_LEAST  2
#define BASIS_POINTS_WHOLE 10000

__extension__ typedef unsigned __int128 wide;

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

// The magnitude of INT64_MIN is one more than that of INT64_MAX.
static bool with_sign(wide size, bool negative, int64_t *result)
{
    wide limit = (wide)INT64_MAX + (negative ? 1 : 0);
    if (size > limit) {
        return false;
    }
    uint64_t bits = (uint64_t)size;
    if (!negative) {
        *result = (int64_t)bits;
    } else {
        *result = bits == (uint64_t)INT64_MAX + 1 ? INT64_MIN : -(int64_t)bits;
    }
    return true;
}

bool amount_multiply(struct amount unit, int64_t count, struct amount *result)
{
    wide product = (wide)magnitude(unit.micro) * magnitude(count);
    return with_sign(product, (unit.micro < 0) != (count < 0), &result->micro);
}

bool amount_percent(struct amount a, int64_t basis_points, struct amount *result)
{
    return amount_share(a, basis_points, BASIS_POINTS_WHOLE, result);
}

bool amount_share(struct amount a, int64_t numerator, int64_t denominator, struct amount *result)
{
    assert(denominator > 0);
    wide product = (wide)magnitude(a.micro) * magnitude(numerator);
    wide divisor = (wide)denominator;
    // Dividing 128 bits takes ten times as long as dividing 64, which nearly always hold the product.
    bool is_short = product <= UINT64_MAX;
    wide quotient = is_short ? (uint64_t)product / (uint64_t)denominator : product / divisor;
    wide twice_rest = (product - quotient * divisor) * 2;
    if (twice_rest > divisor || (twice_rest == divisor && (quotient & 1) != 0)) {
        quotient++;
    }
    return with_sign(quotient, (a.micro < 0) != (numerator < 0), &result->micro);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool add_digit(uint64_t *size, unsigned digit)
{
    return !__builtin_mul_overflow(*size, 10U, size) && !__builtin_add_overflow(*size, digit, size);
}

bool amount_parse(const char *text, size_t length, struct amount *result)
{
    size_t at = 0;
    bool negative = length > 0 && text[0] == '-';
    if (negative) {
        at++;
    }
    uint64_t size = 0;
    size_t first = at;
    for (; at < length && is_digit(text[at]); at++) {
        if (!add_digit(&size, (unsigned)(text[at] - '0'))) {
            return false;
        }
    }
    if (at == first) {
        return false;
    }
    size_t decimals = 0;
    if (at < length && text[at] == '.') {
        for (at++; at < length && is_digit(text[at]) && decimals < DECIMALS; at++, decimals++) {
            if (!add_digit(&size, (unsigned)(text[at] - '0'))) {
                return false;
            }
        }
        if (decimals == 0) {
            return false;
        }
    }
    if (at != length) {
        return false;
    }
    for (; decimals < DECIMALS; decimals++) {
        if (!add_digit(&size, 0)) {
            return false;
        }
    }
    return with_sign(size, negative, &result->micro);
}

size_t amount_format(struct amount a, char text[AMOUNT_TEXT_SIZE])
{
    uint64_t size = magnitude(a.micro);
    uint64_t dollars = size / MICRO_PER_DOLLAR;
    uint32_t rest = (uint32_t)(size % MICRO_PER_DOLLAR);
    size_t decimals = DECIMALS;
    for (; decimals > DECIMALS_AT_LEAST && rest % 10 == 0; decimals--) {
        rest /= 10;
    }
    char reversed[AMOUNT_TEXT_SIZE];
    size_t digits = 0;
    for (; digits < decimals; digits++, rest /= 10) {
        reversed[digits] = (char)('0' + rest % 10);
    }
    reversed[digits++] = '.';
    do {
        reversed[digits++] = (char)('0' + dollars % 10);
        dollars /= 10;
    } while (dollars > 0);
    if (a.micro < 0) {
        reversed[digits++] = '-';
    }
    assert(digits < AMOUNT_TEXT_SIZE);
    for (size_t i = 0; i < digits; i++) {
        text[i] = reversed[digits - 1 - i];
    }
    text[digits] = '\0';
    return digits;
}
