// Writing OpenMetrics text: families of metrics, one after the other, and the end.
//
//     openmetrics_family(out, "colossus_ledger_bytes", "gauge", "bytes", "Size of the ledger's file.");
//     openmetrics_sample(out, "colossus_ledger_bytes", NULL, 0, "4096");
//     openmetrics_end(out);
//
// The names are the caller's: a family with a unit has it at the end of its name, and a counter's samples
// have "_total" after it.
#ifndef COLOSSUS_SERVER_OPENMETRICS_H
#define COLOSSUS_SERVER_OPENMETRICS_H

#include "base/buffer.h"
#include "server/metrics.h"
#include <stddef.h>
#include <stdint.h>

struct label {
    const char *name;
    const char *value; // any text
};

// unit may be NULL.
void openmetrics_family(struct buffer *out, const char *name, const char *type, const char *unit,
                        const char *help);

void openmetrics_sample(struct buffer *out, const char *name, const struct label *labels, size_t label_count,
                        const char *value);

// A family of one sample.
void openmetrics_gauge(struct buffer *out, const char *name, const char *unit, const char *help,
                       int64_t value);
void openmetrics_counter(struct buffer *out, const char *name, const char *help, int64_t value);

// A whole family: its buckets, sum and count.
void openmetrics_histogram(struct buffer *out, const char *name, const char *unit, const char *help,
                           const struct histogram *histogram, const struct histogram_scale *scale);

void openmetrics_end(struct buffer *out);

#endif
