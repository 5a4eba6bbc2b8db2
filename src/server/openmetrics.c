#include "server/openmetrics.h"

#include <stdio.h>

#define NAME_SIZE   128
#define NUMBER_SIZE 48

static void append_escaped(struct buffer *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\n') {
            buffer_append_text(out, "\\n");
            continue;
        }
        if (*c == '\\' || *c == '"') {
            buffer_append_text(out, "\\");
        }
        buffer_append(out, c, 1);
    }
}

static void append_metadata(struct buffer *out, const char *what, const char *name, const char *text)
{
    buffer_append_format(out, "# %s %s ", what, name);
    append_escaped(out, text);
    buffer_append_text(out, "\n");
}

void openmetrics_family(struct buffer *out, const char *name, const char *type, const char *unit,
                        const char *help)
{
    append_metadata(out, "TYPE", name, type);
    if (unit != NULL) {
        append_metadata(out, "UNIT", name, unit);
    }
    append_metadata(out, "HELP", name, help);
}

void openmetrics_sample(struct buffer *out, const char *name, const struct label *labels, size_t label_count,
                        const char *value)
{
    buffer_append_text(out, name);
    for (size_t i = 0; i < label_count; i++) {
        buffer_append_format(out, "%s%s=\"", i == 0 ? "{" : ",", labels[i].name);
        append_escaped(out, labels[i].value);
        buffer_append_text(out, "\"");
    }
    buffer_append_format(out, "%s %s\n", label_count > 0 ? "}" : "", value);
}

static void append_integer(struct buffer *out, const char *name, const char *suffix, int64_t value)
{
    buffer_append_format(out, "%s%s %lld\n", name, suffix, (long long)value);
}

void openmetrics_gauge(struct buffer *out, const char *name, const char *unit, const char *help,
                       int64_t value)
{
    openmetrics_family(out, name, "gauge", unit, help);
    append_integer(out, name, "", value);
}

void openmetrics_counter(struct buffer *out, const char *name, const char *help, int64_t value)
{
    openmetrics_family(out, name, "counter", NULL, help);
    append_integer(out, name, "_total", value);
}

// value / unit, exactly, with at least one decimal: "0.00025", "1.0". unit is a power of ten, value not
// negative.
static void format_share(char text[NUMBER_SIZE], int64_t value, int64_t unit)
{
    char *end = text + snprintf(text, NUMBER_SIZE, "%lld.", (long long)(value / unit));
    int64_t rest = value % unit;
    do {
        unit /= 10;
        *end++ = (char)('0' + (unit > 0 ? rest / unit : 0));
        rest = unit > 0 ? rest % unit : 0;
    } while (rest > 0);
    *end = '\0';
}

void openmetrics_histogram(struct buffer *out, const char *name, const char *unit, const char *help,
                           const struct histogram *histogram, const struct histogram_scale *scale)
{
    char sample[NAME_SIZE], number[NUMBER_SIZE], count_text[NUMBER_SIZE];
    struct label end = {"le", number};
    int64_t count = 0;
    openmetrics_family(out, name, "histogram", unit, help);
    snprintf(sample, sizeof sample, "%s_bucket", name);
    for (size_t i = 0; i <= scale->count; i++) {
        count += histogram->buckets[i];
        if (i < scale->count) {
            format_share(number, scale->ends[i], scale->unit);
        } else {
            snprintf(number, sizeof number, "+Inf");
        }
        snprintf(count_text, sizeof count_text, "%lld", (long long)count);
        openmetrics_sample(out, sample, &end, 1, count_text);
    }
    format_share(number, histogram->sum, scale->unit);
    buffer_append_format(out, "%s_sum %s\n", name, number);
    append_integer(out, name, "_count", count);
}

void openmetrics_end(struct buffer *out)
{
    buffer_append_text(out, "# EOF\n");
}
