#include "server/metrics.h"

const struct histogram_scale decision_scale = {
    .ends = {1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 5000000, 25000000,
             100000000, 1000000000},
    .count = 14,
    .unit = 1000000000,
};

const struct histogram_scale commit_scale = {
    .ends = {100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 5000000},
    .count = 13,
    .unit = 1000000,
};

const struct histogram_scale rows_scale = {
    .ends = {4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768},
    .count = 14,
    .unit = 1,
};

void histogram_add(struct histogram *histogram, const struct histogram_scale *scale, int64_t value)
{
    size_t bucket = 0;
    while (bucket < scale->count && value > scale->ends[bucket]) {
        bucket++;
    }
    histogram->buckets[bucket]++;
    histogram->sum += value;
}

static size_t outcome_of(int outcome)
{
    switch (outcome) {
    case 0:
        return METRICS_DONE;
    case WIRE_NO_REPLY:
        return METRICS_ABANDONED;
    default:
        return METRICS_ERROR(rpc_error_index(outcome));
    }
}

void metrics_answered(struct metrics *metrics, size_t method, int outcome)
{
    metrics->requests[method][outcome_of(outcome)]++;
}

const char *metrics_outcome_name(size_t outcome)
{
    switch (outcome) {
    case METRICS_DONE:
        return "done";
    case METRICS_ABANDONED:
        return "abandoned";
    default:
        return rpc_error_kind(rpc_error_at(outcome - METRICS_ERROR(0)));
    }
}
