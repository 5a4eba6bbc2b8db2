#include "histogram.h"

#define DIVISION      128
#define DIVISION_BITS 7

static int place_of(int64_t nanoseconds)
{
    if (nanoseconds < DIVISION)
        return nanoseconds < 0 ? 0 : (int)nanoseconds;
    int shift = 63 - __builtin_clzll((unsigned long long)nanoseconds) - DIVISION_BITS;
    int place = shift * DIVISION + (int)(nanoseconds >> shift);
    return place < HISTOGRAM_PLACES ? place : HISTOGRAM_PLACES - 1;
}

// The largest duration that has this place.
static int64_t end_of(int place)
{
    if (place < 2 * DIVISION)
        return place;
    int shift = place / DIVISION - 1;
    return (((int64_t)(place - shift * DIVISION) + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, int64_t nanoseconds)
{
    histogram->counts[place_of(nanoseconds)]++;
    histogram->total++;
}

int64_t histogram_percentile(const struct histogram *histogram, int permille)
{
    int64_t wanted = (histogram->total * permille + 999) / 1000, counted = 0;
    for (int place = 0; place < HISTOGRAM_PLACES && histogram->total > 0; place++) {
        counted += histogram->counts[place];
        if (counted >= wanted && counted > 0)
            return end_of(place);
    }
    return 0;
}
