#include "base/amount.h"

#include <assert.h>

#define MICRO_PER_UNIT 1000000
#define DECIMALS_MAX   6
#define DECIMALS_MIN   2

bool amount_add(struct amount a, struct amount b, struct amount *result)
{
    int64_t sum;
    if (__builtin_add_overflow(a.micro, b.micro, &sum))
        return false;
    result->micro = sum;
    return true;
}

bool amount_subtract(struct amount a, struct amount b, struct amount *result)
{
    int64_t difference;
    if (__builtin_sub_overflow(a.micro, b.micro, &difference))
        return false;
    result->micro = difference;
    return true;
}

bool amount_multiply(struct amount unit, int64_t count, struct amount *result)
{
    int64_t product;
    if (__builtin_mul_overflow(unit.micro, count, &product))
        return false;
    result->micro = product;
    return true;
}

bool amount_percent(struct amount a, int64_t basis_points, struct amount *result)
{
    return amount_share(a, basis_points, 10000, result);
}

bool amount_share(struct amount a, int64_t numerator, int64_t denominator, struct amount *result)
{
    assert(denominator > 0);
    __extension__ typedef __int128 wide;
    wide product = (wide)a.micro * numerator;
    wide quotient = product / denominator, rest = product % denominator;
    if (rest < 0) { // floor, so that the rest is at or above 0
        quotient--;
        rest += denominator;
    }
    wide twice = rest * 2;
    if (twice > denominator || (twice == denominator && quotient % 2 != 0))
        quotient++;
    if (quotient > INT64_MAX || quotient < INT64_MIN)
        return false;
    result->micro = (int64_t)quotient;
    return true;
}

bool amount_parse(const char *text, size_t length, struct amount *result)
{
    size_t i = 0;
    bool negative = length > 0 && text[0] == '-';
    if (negative)
        i++;
    int64_t micro = 0;
    int decimals = -1; // before the point
    size_t digits = 0;
    for (; i < length; i++) {
        if (text[i] == '.' && decimals < 0 && digits > 0) {
            decimals = 0;
            continue;
        }
        if (text[i] < '0' || text[i] > '9' || decimals == DECIMALS_MAX)
            return false;
        // Reckoned downwards, so that the least amount can be read as well.
        if (__builtin_mul_overflow(micro, 10, &micro) || __builtin_sub_overflow(micro, text[i] - '0', &micro))
            return false;
        digits++;
        if (decimals >= 0)
            decimals++;
    }
    if (digits == 0 || decimals == 0)
        return false;
    for (int k = decimals < 0 ? 0 : decimals; k < DECIMALS_MAX; k++)
        if (__builtin_mul_overflow(micro, 10, &micro))
            return false;
    if (!negative && __builtin_sub_overflow((int64_t)0, micro, &micro))
        return false;
    result->micro = micro;
    return true;
}

size_t amount_format(struct amount a, char text[AMOUNT_TEXT_SIZE])
{
    uint64_t rest = a.micro < 0 ? UINT64_C(0) - (uint64_t)a.micro : (uint64_t)a.micro;
    uint64_t fraction = rest % MICRO_PER_UNIT;
    rest /= MICRO_PER_UNIT;
    char reversed[AMOUNT_TEXT_SIZE];
    size_t count = 0;
    int decimals = DECIMALS_MAX;
    while (decimals > DECIMALS_MIN && fraction % 10 == 0) {
        fraction /= 10;
        decimals--;
    }
    for (int i = 0; i < decimals; i++) {
        reversed[count++] = (char)('0' + fraction % 10);
        fraction /= 10;
    }
    reversed[count++] = '.';
    do {
        reversed[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (a.micro < 0)
        reversed[count++] = '-';
    for (size_t i = 0; i < count; i++)
        text[i] = reversed[count - 1 - i];
    text[count] = '\0';
    return count;
}
