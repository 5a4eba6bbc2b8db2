// Counts of durations, to ask for percentiles: exact to 0.8 %, of any size, in a fixed 45 KiB.
//
// Below 128 each nanosecond has a place of its own; above, each power of two is divided into 128 places.
#ifndef COLOSSUS_BENCH_HISTOGRAM_H
#define COLOSSUS_BENCH_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_PLACES = 45 * 128 };

// A zeroed histogram is empty.
struct histogram {
    int64_t counts[HISTOGRAM_PLACES];
    int64_t total;
};

// What is below 0 counts as 0.
void histogram_add(struct histogram *histogram, int64_t nanoseconds);

// The least duration that at least so many of a thousand lie at or below (500: the median), rounded up to the
// end of its place; 0 when nothing was counted.
int64_t histogram_percentile(const struct histogram *histogram, int permille);

#endif
