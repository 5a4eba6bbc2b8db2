// What is counted for server.metrics: plain integers that only the loop changes. Nothing is allocated.
//
// Every request is counted once, when its slot is given back: under its method and what it was answered with.
// That is read from the reply itself, so no way to an answer can forget it.
#ifndef COLOSSUS_SERVER_METRICS_H
#define COLOSSUS_SERVER_METRICS_H

#include "wire/wire.h"
#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS_MOST 16

// Where the buckets end, in ascending order and in the unit that is counted; and how many of that unit make
// the unit that is shown.
struct histogram_scale {
    int64_t ends[HISTOGRAM_BUCKETS_MOST];
    size_t count;
    int64_t unit; // a power of ten
};

extern const struct histogram_scale decision_scale; // nanoseconds, shown as seconds
extern const struct histogram_scale commit_scale;   // microseconds, shown as seconds
extern const struct histogram_scale rows_scale;     // rows

struct histogram {
    int64_t buckets[HISTOGRAM_BUCKETS_MOST + 1]; // the last is for what is beyond all ends
    int64_t sum;
};

void histogram_add(struct histogram *histogram, const struct histogram_scale *scale, int64_t value);

// What a request can come to: done, an error of each kind, or that nobody waited for its answer any more.
#define METRICS_DONE          0
#define METRICS_ERROR(index)  (1 + (index))
#define METRICS_ABANDONED     (1 + RPC_ERROR_COUNT)
#define METRICS_OUTCOME_COUNT (2 + RPC_ERROR_COUNT)

struct metrics {
    // The last row is for what is no request for a known method.
    int64_t requests[METHOD_COUNT + 1][METRICS_OUTCOME_COUNT];
    struct histogram decisions; // the time in which the book decided a request
    struct histogram commits;   // the time that a batch took to be durable
    struct histogram batches;   // rows of a batch
    int64_t events_sent;        // to watchers
};

// method is METHOD_COUNT for none. outcome is the reply's error code, 0 when it is a result, and
// WIRE_NO_REPLY when there is none.
void metrics_answered(struct metrics *metrics, size_t method, int outcome);

// "done", "capacity_exceeded", "abandoned".
const char *metrics_outcome_name(size_t outcome);

#endif
