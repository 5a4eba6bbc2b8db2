#include "figures.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { FIGURES_MAX = 256, TEXT = 96, CELL = 32 };

static struct kept {
    struct figure figure; // its pointers are not used
    char name[TEXT], note[TEXT];
    int64_t p50, p99, p999;
} kept[FIGURES_MAX];
static size_t kept_count;

// With three digits that count, and thousands apart.
static void show_number(double value, char text[CELL])
{
    if (value < 100) {
        snprintf(text, CELL, value < 10 ? "%.2f" : "%.1f", value);
        return;
    }
    char digits[CELL];
    int length = snprintf(digits, sizeof digits, "%.0f", value), at = 0;
    for (int i = 0; i < length && at < CELL - 2; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
}

static void show_value(double value, enum unit unit, char text[CELL])
{
    static const char *const names[] = {"/s", " us", " s", " bytes", ""};
    char number[CELL];
    show_number(value, number);
    snprintf(text, CELL, "%.20s%s", number, names[unit]);
}

static void show_duration(int64_t nanoseconds, char text[CELL])
{
    if (nanoseconds == 0)
        snprintf(text, CELL, "-");
    else
        show_value((double)nanoseconds / 1000, UNIT_MICROSECONDS, text);
}

static void show_other(double value, double other, enum unit unit, char text[CELL], char ratio[CELL])
{
    snprintf(text, CELL, "-");
    snprintf(ratio, CELL, "-");
    if (other <= 0)
        return;
    bool more_is_better = unit == UNIT_PER_SECOND;
    show_value(other, unit, text);
    snprintf(ratio, CELL, "%.2f", more_is_better ? value / other : other / value);
}

static void show(FILE *out, const struct kept *line)
{
    const struct figure *figure = &line->figure;
    char live[CELL] = "-", value[CELL], p50[CELL], p99[CELL], p999[CELL], limit[CELL], peer[CELL];
    char limit_ratio[CELL], peer_ratio[CELL];
    if (figure->live > 0)
        show_number((double)figure->live, live);
    show_value(figure->value, figure->unit, value);
    show_duration(line->p50, p50);
    show_duration(line->p99, p99);
    show_duration(line->p999, p999);
    show_other(figure->value, figure->limit, figure->unit, limit, limit_ratio);
    show_other(figure->value, figure->peer, figure->unit, peer, peer_ratio);
    fprintf(out, "| %-44s | %9s | %12s | %10s | %10s | %10s | %12s | %5s | %12s | %5s | %s |\n", line->name,
            live, value, p50, p99, p999, limit, limit_ratio, peer, peer_ratio, line->note);
}

void figures_add(const struct figure *figure)
{
    if (kept_count == FIGURES_MAX)
        return;
    struct kept *line = &kept[kept_count++];
    line->figure = *figure;
    snprintf(line->name, TEXT, "%s", figure->name);
    snprintf(line->note, TEXT, "%s", figure->note == NULL ? "" : figure->note);
    if (figure->latencies != NULL) {
        line->p50 = histogram_percentile(figure->latencies, 500);
        line->p99 = histogram_percentile(figure->latencies, 990);
        line->p999 = histogram_percentile(figure->latencies, 999);
    }
    show(stderr, line);
}

void figures_print(void)
{
    printf("| %-44s | %9s | %12s | %10s | %10s | %10s | %12s | %5s | %12s | %5s | |\n", "what", "live",
           "figure", "p50", "p99", "p99.9", "limit", "ratio", "PostgreSQL", "ratio");
    printf("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n");
    for (size_t i = 0; i < kept_count; i++)
        show(stdout, &kept[i]);
    fflush(stdout);
}
