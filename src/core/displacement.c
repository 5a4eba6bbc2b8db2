#include "core/displacement.h"

#include "base/memory.h"
#include "core/steps.h"
#include "core/transition.h"
#include <assert.h>
#include <stdlib.h>

// How many reservations ahead memory is asked for.
enum { AHEAD = 16 };

// The work on one pool. Both arrays have one number for each hour from `from`.
struct shortage {
    const struct book *book;
    struct arena *arena; // of the result
    uint32_t pool;
    struct hour from;
    int32_t hours;
    int32_t *missing;
    int32_t *cut;        // of the reservation at hand; 0 between two of them
    int32_t first, last; // nothing is missing outside [first, last]
    struct displacement *result;
};

// Notes what is missing in [start, end), where capacity becomes `by` (below 0) more.
static void note_missing(struct shortage *shortage, struct hour start, struct hour end, int64_t by)
{
    const struct calendar *calendar = shortage->book->pools[shortage->pool].calendar;
    struct displacement *result = shortage->result;
    while (start.number < end.number) {
        int32_t free;
        struct hour until;
        calendar_step(calendar, start, end, &free, &until);
        // What was missing before is no work of this change: a change can't take more than it takes.
        int64_t short_of = -(free + by);
        short_of = short_of > -by ? -by : short_of;
        if (short_of > 0) {
            bool first = result->missing == 0;
            if (first)
                result->first_short = start;
            if (first || free < result->free)
                result->free = free;
            if (short_of > result->missing)
                result->missing = (int32_t)short_of;
            for (int32_t hour = start.number; hour < until.number; hour++)
                shortage->missing[hour - shortage->from.number] = (int32_t)short_of;
            if (first)
                shortage->first = start.number - shortage->from.number;
            shortage->last = until.number - 1 - shortage->from.number;
        }
        start = until;
    }
}

// Walks the changes' sum over the window. True when something is missing.
static bool find_missing(struct shortage *shortage, const struct steps *sum)
{
    struct hour window_end = {shortage->from.number + shortage->hours};
    int64_t by = 0;
    for (size_t i = 0; i < sum->count; i++) {
        by += sum->jumps[i].by;
        struct hour start = sum->jumps[i].at;
        struct hour end = i + 1 < sum->count ? sum->jumps[i + 1].at : HOUR_NEVER;
        if (start.number < shortage->from.number)
            start = shortage->from;
        if (end.number > window_end.number)
            end = window_end;
        if (by < 0 && start.number < end.number)
            note_missing(shortage, start, end, by);
    }
    return shortage->result->missing > 0;
}

// Lists what was cut of a reservation between two places, and clears it.
static void list_cuts(struct shortage *shortage, int64_t reservation, int32_t first, int32_t last)
{
    struct displacement *result = shortage->result;
    int32_t place = first;
    while (place <= last) {
        int32_t gpus = shortage->cut[place];
        int32_t start = place;
        while (place <= last && shortage->cut[place] == gpus)
            shortage->cut[place++] = 0;
        if (gpus == 0)
            continue;
        result->cuts =
            arena_grow(shortage->arena, result->cuts, result->count, &result->capacity, sizeof *result->cuts);
        result->cuts[result->count++] = (struct interruption){
            .reservation = reservation,
            .start = {shortage->from.number + start},
            .end = {shortage->from.number + place},
            .gpus = gpus,
        };
    }
}

// Cuts one reservation where something is missing.
static void cut_reservation(struct shortage *shortage, const struct reservation *reservation)
{
    int32_t lowest = INT32_MAX, highest = -1;
    for (int32_t i = reservation->slice_count - 1; i >= 0; i--) {
        const struct slice_row *slice = &reservation->slices[i];
        int32_t first = slice->start.number - shortage->from.number;
        int32_t last = slice->end.number - 1 - shortage->from.number;
        first = first < shortage->first ? shortage->first : first;
        last = last > shortage->last ? shortage->last : last;
        for (int32_t place = first; place <= last; place++) {
            int32_t missing = shortage->missing[place];
            int32_t gpus = missing < slice->gpus ? missing : slice->gpus;
            shortage->missing[place] -= gpus;
            shortage->cut[place] += gpus;
        }
        lowest = first < lowest ? first : lowest;
        highest = last > highest ? last : highest;
    }
    list_cuts(shortage, reservation->row.id, lowest, highest);
    while (shortage->first <= shortage->last && shortage->missing[shortage->first] == 0)
        shortage->first++;
    while (shortage->last >= shortage->first && shortage->missing[shortage->last] == 0)
        shortage->last--;
}

static void cut_preemptible(struct shortage *shortage)
{
    const struct pool *pool = &shortage->book->pools[shortage->pool];
    for (size_t i = pool->preemptible_count; i-- > 0 && shortage->first <= shortage->last;) {
        const struct reservation *reservation = book_live(shortage->book, pool->preemptible[i]);
        if (reservation != NULL && state_is_live(reservation->row.state))
            cut_reservation(shortage, reservation);
    }
}

static void cut_firm(struct shortage *shortage)
{
    const struct reservation_place *places = shortage->book->reservations;
    for (size_t id = shortage->book->reservation_capacity; id-- > 1 && shortage->first <= shortage->last;) {
        // Most are of other hours, and all of them are somewhere else in memory.
        const struct reservation *ahead = id > AHEAD ? place_live(places[id - AHEAD]) : NULL;
        if (ahead != NULL) {
            __builtin_prefetch(ahead);
            __builtin_prefetch(ahead->slices);
        }
        const struct reservation *reservation = place_live(places[id]);
        if (reservation != NULL && reservation->row.pool == shortage->pool &&
            reservation->row.tier == TIER_FIRM && state_is_live(reservation->row.state))
            cut_reservation(shortage, reservation);
    }
}

static void begin(struct shortage *shortage, const struct book *book, uint32_t pool, struct hour from,
                  struct hour end, struct arena *arena, struct displacement *result)
{
    *shortage = (struct shortage){.book = book, .pool = pool, .from = from, .arena = arena, .result = result};
    shortage->hours = end.number - from.number;
    shortage->missing = memory_allocate((size_t)shortage->hours, sizeof *shortage->missing);
    shortage->cut = memory_allocate((size_t)shortage->hours, sizeof *shortage->cut);
}

static void end(struct shortage *shortage)
{
    free(shortage->missing);
    free(shortage->cut);
}

// Leaves of a window what lies between the first and the last change.
static void clip_to_changes(const struct steps *sum, struct hour *from, struct hour *until)
{
    int64_t level = 0;
    for (size_t i = 0; i < sum->count; i++)
        level += sum->jumps[i].by;
    if (sum->count > 0 && sum->jumps[0].at.number > from->number)
        *from = sum->jumps[0].at;
    if (sum->count > 0 && level == 0 && sum->jumps[sum->count - 1].at.number < until->number)
        *until = sum->jumps[sum->count - 1].at;
}

bool displacement_plan(const struct book *book, uint32_t pool, const struct capacity_change_row *changes,
                       size_t change_count, struct hour from, struct arena *arena,
                       struct displacement *displacement)
{
    assert(pool >= 1 && pool <= book->pool_count);
    const struct calendar *calendar = book->pools[pool].calendar;
    assert(from.number >= calendar_origin(calendar).number);
    bool lowers = false;
    for (size_t i = 0; i < change_count; i++)
        lowers = lowers || (capacity_change_counts(&changes[i]) && changes[i].gpus < 0);
    if (!lowers || calendar_end(calendar).number <= from.number) {
        *displacement = (struct displacement){0};
        return false;
    }
    struct steps sum = {0};
    for (size_t i = 0; i < change_count; i++)
        if (capacity_change_counts(&changes[i]))
            steps_add(&sum, changes[i].start, changes[i].end, changes[i].gpus);
    struct hour until = calendar_end(calendar);
    clip_to_changes(&sum, &from, &until);
    bool found = false;
    *displacement = (struct displacement){0};
    if (from.number < until.number) {
        struct shortage shortage;
        begin(&shortage, book, pool, from, until, arena, displacement);
        found = find_missing(&shortage, &sum);
        if (found) {
            cut_preemptible(&shortage);
            cut_firm(&shortage);
            displacement->enough = shortage.first > shortage.last;
        }
        end(&shortage);
    }
    steps_free(&sum);
    return found;
}

// The hours that the firm bookings of a decision take of a pool. False when they take none.
static bool firm_hull(const struct builder *builder, uint32_t pool, struct hour *start, struct hour *end)
{
    *start = HOUR_NEVER;
    *end = (struct hour){0};
    for (size_t i = 0; i < builder->taken_count; i++) {
        const struct capacity_taken *taken = &builder->taken[i];
        if (taken->pool != pool || taken->tier != TIER_FIRM || taken->gpus <= 0)
            continue;
        *start = taken->start.number < start->number ? taken->start : *start;
        *end = taken->end.number > end->number ? taken->end : *end;
    }
    return start->number < end->number;
}

void displacement_preempt_gpus(const struct builder *builder, uint32_t pool,
                               struct displacement *displacement)
{
    struct hour hour, last;
    int32_t free;
    struct hour first_short;
    if (builder->book->pools[pool].firm == NULL || !firm_hull(builder, pool, &hour, &last) ||
        builder_fits(builder, pool, TIER_PREEMPTIBLE, hour, last, 0, &free, &first_short))
        return;
    struct shortage shortage;
    begin(&shortage, builder->book, pool, hour, last, builder->arena, displacement);
    shortage.first = INT32_MAX;
    while (hour.number < last.number) {
        struct hour until = last;
        int64_t left = builder_left(builder, pool, hour, &until);
        for (; left < 0 && hour.number < until.number; hour.number++) {
            int32_t place = hour.number - shortage.from.number;
            shortage.missing[place] = (int32_t)-left;
            shortage.first = place < shortage.first ? place : shortage.first;
            shortage.last = place;
        }
        hour = until;
    }
    if (shortage.first <= shortage.last)
        cut_preemptible(&shortage);
    assert(shortage.first > shortage.last); // the firm bookings fit beside the firm ones
    end(&shortage);
}
