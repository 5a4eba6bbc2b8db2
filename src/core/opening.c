#include "core/opening.h"

#include <assert.h>
#include <stdlib.h>

#define POWER_HOURS_A_UNIT 64

// Starts [first, last] between whose windows the price is linear.
struct segment {
    struct hour first, last;
    wide_amount cost;  // of the window that starts at `first`
    wide_amount slope; // and by how much it rises with each hour
};

// Pieces of the tariff that touch: windows lie within one run.
struct run {
    size_t begin, end; // of the pieces
};

static bool spend(struct opening_search *search, int64_t units, struct hour not_ruled_out)
{
    search->budget -= units;
    if (search->budget > 0)
        return true;
    if (not_ruled_out.number < search->unsearched.number)
        search->unsearched = not_ruled_out;
    return false;
}

// ---- Price

static int32_t overlap(const struct tariff_piece *piece, struct hour start, struct hour end)
{
    int32_t first = piece->start.number > start.number ? piece->start.number : start.number;
    int32_t last = piece->end.number < end.number ? piece->end.number : end.number;
    return last > first ? last - first : 0;
}

static wide_amount floor_divide(wide_amount a, wide_amount b)
{
    wide_amount quotient = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

// Keeps of a segment the starts at which an amount that begins at `cost` and rises by `slope` is at most
// `limit`. False when there are none.
static bool narrow(struct segment *segment, struct hour origin, wide_amount cost, wide_amount slope,
                   wide_amount limit)
{
    wide_amount first = segment->first.number, last = segment->last.number;
    if (slope == 0) {
        if (cost > limit)
            return false;
    } else if (slope > 0) {
        wide_amount bound = origin.number + floor_divide(limit - cost, slope);
        last = bound < last ? bound : last;
    } else {
        wide_amount bound = origin.number - floor_divide(limit - cost, -slope);
        first = bound > first ? bound : first;
    }
    if (first > last)
        return false;
    segment->first.number = (int32_t)first;
    segment->last.number = (int32_t)last;
    return true;
}

// How the price of a window changes when its start moves on by an hour, as far as `period` goes (0: in all):
// `leaving` is the piece of its first hour and `entering` that of the hour after it, or NULL.
static wide_amount slope_in(const struct opening_search *search, const struct tariff_piece *leaving,
                            const struct tariff_piece *entering, uint32_t period)
{
    wide_amount slope = 0;
    if (entering == NULL)
        return 0;
    if (period == 0 || entering->period == period)
        slope += entering->price.micro;
    if (period == 0 || leaving->period == period)
        slope -= leaving->price.micro;
    return slope * search->gpus;
}

// Reckons a segment that begins at `first`, and keeps of it what the periods have room for. The pieces from
// `leaving` on hold the window.
static bool price_segment(const struct opening_search *search, const struct tariff_piece *leaving,
                          const struct tariff_piece *entering, struct segment *segment)
{
    struct hour first = segment->first, end = {first.number + search->hours};
    const struct tariff_piece *after = search->tariff->pieces + search->tariff->count;
    segment->slope = slope_in(search, leaving, entering, 0);
    wide_amount total = 0;
    bool open = true;
    for (const struct tariff_piece *piece = leaving;
         open && piece < after && piece->start.number <= end.number;) {
        uint32_t period = piece->period;
        wide_amount cost = 0;
        for (; piece < after && piece->start.number <= end.number && piece->period == period; piece++)
            cost += (wide_amount)piece->price.micro * overlap(piece, first, end) * search->gpus;
        open = narrow(segment, first, cost, slope_in(search, leaving, entering, period),
                      tariff_room(search->tariff, period));
        total += cost;
    }
    open = open && narrow(segment, first, total, segment->slope, INT64_MAX);
    segment->cost = total + segment->slope * (segment->first.number - first.number);
    return open;
}

// ---- Capacity

// Is there power for the window? If not, *bound is the next start up to `limit`, or the last one before down
// to it, that could have it; beyond the limit when there is none. *passed counts the hours looked at.
static bool powers(const struct opening_search *search, bool last, struct hour start, struct hour limit,
                   struct hour *bound, int32_t *passed)
{
    struct power_gap gap;
    struct hour end = {start.number + search->hours};
    *passed = search->hours;
    if (builder_powers(search->builder, search->pool, search->tier, start, end, search->gpus, &gap))
        return true;
    // The stretch without power may go on for long.
    struct hour from = {last ? gap.first_short.number - 1 : gap.last_short.number + 1};
    struct hour beyond = {last ? limit.number + search->hours - 2 : limit.number + 1};
    bool inside = last ? from.number > beyond.number : from.number < beyond.number;
    struct hour found =
        inside ? builder_next_powered(search->builder, search->pool, search->tier, from, beyond, search->gpus)
               : beyond;
    *passed += inside ? abs(found.number - from.number) : 0;
    bound->number = last ? found.number + 1 - search->hours : found.number;
    return false;
}

// The first start of the segment, or its last, at which the GPUs and the power are there.
static bool find_capacity(struct opening_search *search, const struct segment *segment, bool last,
                          struct hour *start)
{
    const struct calendar *calendar =
        pool_calendar(&search->builder->book->pools[search->pool], search->tier);
    struct hour from = segment->first, until = segment->last, bound;
    int32_t passed;
    while (from.number <= until.number) {
        start->number = until.number + 1;
        int32_t given = search->budget > INT32_MAX ? INT32_MAX : (int32_t)search->budget, left = given;
        enum calendar_fit fit = calendar_fit(calendar, last, from, search->hours, search->gpus,
                                             (struct hour){until.number + search->hours}, &left, start);
        bool may_go_on = spend(search, (int64_t)given - left, last ? from : *start);
        if (fit == CALENDAR_NO_FIT || (fit == CALENDAR_GAVE_UP && !may_go_on))
            return false;
        assert(fit == CALENDAR_FIT);
        if (powers(search, last, *start, last ? from : until, &bound, &passed))
            return true;
        if (!spend(search, 1 + passed / POWER_HOURS_A_UNIT, last ? from : bound))
            return false;
        *(last ? &until : &from) = bound;
    }
    return false;
}

// ---- The search

// A price at most INT64_MAX, as the segment was narrowed to such.
static wide_amount cost_at(const struct segment *segment, struct hour start)
{
    return segment->cost + segment->slope * (start.number - segment->first.number);
}

// Looks for something better than what was found so far in one segment. True when the search is over.
static bool search_segment(struct opening_search *search, enum offer_order order,
                           const struct segment *segment, bool *found, struct opening *opening)
{
    bool last = order == OFFER_CHEAPEST && segment->slope < 0;
    if (*found && cost_at(segment, last ? segment->last : segment->first) >= opening->cost.micro)
        return false;
    struct hour start;
    if (!find_capacity(search, segment, last, &start))
        return false;
    wide_amount cost = cost_at(segment, start);
    if (*found && cost >= opening->cost.micro)
        return false;
    *found = true;
    *opening = (struct opening){.start = start, .cost = {(int64_t)cost}};
    return order == OFFER_EARLIEST;
}

// The pieces of the window's first hour and of the hour after it move on from segment to segment.
static bool search_run(struct opening_search *search, enum offer_order order, struct run run,
                       struct hour first, struct hour last, bool *found, struct opening *opening)
{
    const struct tariff_piece *pieces = search->tariff->pieces;
    size_t leaving = run.begin, entering = leaving;
    struct segment segment;
    for (struct hour start = first; start.number <= last.number; start.number = segment.last.number + 1) {
        while (pieces[leaving].end.number <= start.number)
            leaving++;
        while (entering < run.end && pieces[entering].end.number <= start.number + search->hours)
            entering++;
        int32_t edge = pieces[leaving].end.number;
        if (entering < run.end && pieces[entering].end.number - search->hours < edge)
            edge = pieces[entering].end.number - search->hours;
        segment = (struct segment){.first = start, .last = {edge - 1 < last.number ? edge - 1 : last.number}};
        struct segment open = segment;
        if (!spend(search, (int64_t)(entering - leaving) + 1, start))
            return true;
        if (price_segment(search, &pieces[leaving], entering < run.end ? &pieces[entering] : NULL, &open) &&
            search_segment(search, order, &open, found, opening))
            return true;
        if (search->budget <= 0)
            return true;
    }
    return false;
}

bool opening_find(struct opening_search *search, enum offer_order order, struct hour first, struct hour last,
                  struct opening *opening)
{
    const struct tariff *tariff = search->tariff;
    bool found = false, over = false;
    struct run run = {0, 0};
    for (; run.begin < tariff->count && !over; run.begin = run.end) {
        run.end = run.begin + 1;
        while (run.end < tariff->count &&
               tariff->pieces[run.end].start.number == tariff->pieces[run.end - 1].end.number)
            run.end++;
        struct hour from = tariff->pieces[run.begin].start;
        struct hour until = {tariff->pieces[run.end - 1].end.number - search->hours};
        from = from.number > first.number ? from : first;
        until = until.number < last.number ? until : last;
        if (from.number <= until.number)
            over = search_run(search, order, run, from, until, &found, opening);
    }
    return found;
}
