// What gives way to firm bookings at a site, part of displacement.h: GPUs first, pool by pool, and then the
// power that is still missing.
//
// A pool's GPUs come only from that pool, power from any pool of the site that draws some. Power is taken in
// whole units of GPUs, so the last of those who give way may free a little more than is missing. The cost of
// the power is a pass over the hours that the firm bookings take at the site and, where some is missing, over
// the site's preemptible reservations until nothing is missing any more.
#include "base/memory.h"
#include "core/displacement.h"
#include "core/transition.h"
#include <assert.h>
#include <stdlib.h>

// A pool that may give power, and how far its reservations and their cuts are passed, the newest first.
struct source {
    const struct pool *pool;
    size_t left;         // of its preemptible reservations
    size_t cut, cut_end; // of the cuts that are planned for its GPUs
};

// The work on one site. The arrays have one number for each hour from `from`.
struct power_shortage {
    const struct builder *builder;
    struct hour from;
    int64_t *missing;    // watts
    int32_t *has, *cut;  // GPUs of the reservation at hand, and what is cut of them
    int32_t first, last; // nothing is missing outside [first, last]
    struct source *sources;
    size_t source_count;
    const struct displacement *planned; // for GPUs
    struct displacement result;
};

// The hours that the firm bookings of a decision take at a site. False when they take none.
static bool firm_hull(const struct builder *builder, uint32_t site, struct hour *start, struct hour *end)
{
    *start = HOUR_NEVER;
    *end = (struct hour){0};
    for (size_t i = 0; i < builder->taken_count; i++) {
        const struct capacity_taken *taken = &builder->taken[i];
        if (builder->book->pools[taken->pool].row.site != site || taken->tier != TIER_FIRM ||
            taken->gpus <= 0)
            continue;
        *start = taken->start.number < start->number ? taken->start : *start;
        *end = taken->end.number > end->number ? taken->end : *end;
    }
    return start->number < end->number;
}

// Power is left again where GPUs are cut.
static void count_planned(struct power_shortage *shortage, int32_t hours)
{
    for (size_t k = 0; k < shortage->source_count; k++) {
        const struct source *source = &shortage->sources[k];
        for (size_t i = source->cut; i < source->cut_end; i++) {
            const struct interruption *cut = &shortage->planned->cuts[i];
            int32_t first = cut->start.number - shortage->from.number;
            int32_t last = cut->end.number - shortage->from.number;
            for (int32_t place = first < 0 ? 0 : first; place < last && place < hours; place++)
                shortage->missing[place] -= cut->gpus * source->pool->row.watts_per_gpu;
        }
    }
}

// Finds what is missing in each hour. False when nothing is.
static bool find_missing(struct power_shortage *shortage, uint32_t site, struct hour end)
{
    int32_t hours = end.number - shortage->from.number;
    for (struct hour hour = shortage->from; hour.number < end.number; hour.number++) {
        struct hour until = end;
        shortage->missing[hour.number - shortage->from.number] =
            -builder_watts_left(shortage->builder, site, hour, &until);
    }
    count_planned(shortage, hours);
    shortage->first = hours;
    shortage->last = -1;
    for (int32_t place = 0; place < hours; place++) {
        if (shortage->missing[place] <= 0)
            continue;
        shortage->first = place < shortage->first ? place : shortage->first;
        shortage->last = place;
    }
    return shortage->first <= shortage->last;
}

static void add_cut(struct power_shortage *shortage, const struct interruption *cut)
{
    struct displacement *result = &shortage->result;
    result->cuts = arena_grow(shortage->builder->arena, result->cuts, result->count, &result->capacity,
                              sizeof *result->cuts);
    result->cuts[result->count++] = *cut;
}

// What the reservation has in the hours in which power is missing, by its slices.
static void count_gpus(struct power_shortage *shortage, const struct reservation *reservation)
{
    for (int32_t i = 0; i < reservation->slice_count; i++) {
        const struct slice_row *slice = &reservation->slices[i];
        int32_t first = slice->start.number - shortage->from.number;
        int32_t last = slice->end.number - 1 - shortage->from.number;
        first = first < shortage->first ? shortage->first : first;
        last = last > shortage->last ? shortage->last : last;
        for (int32_t place = first; place <= last; place++)
            shortage->has[place] += slice->gpus;
    }
}

// Keeps the cuts that are planned of a reservation for its pool's GPUs: that much less can be cut for power.
// Where it draws none, what it has was not counted.
static void keep_planned(struct power_shortage *shortage, struct source *source, int64_t reservation)
{
    const struct interruption *cuts = shortage->planned->cuts;
    for (; source->cut < source->cut_end && cuts[source->cut].reservation == reservation; source->cut++) {
        const struct interruption *cut = &cuts[source->cut];
        int32_t first = cut->start.number - shortage->from.number;
        int32_t last = cut->end.number - 1 - shortage->from.number;
        first = first < shortage->first ? shortage->first : first;
        last = last > shortage->last ? shortage->last : last;
        for (int32_t place = first; place <= last && source->pool->row.watts_per_gpu > 0; place++)
            shortage->has[place] -= cut->gpus;
        add_cut(shortage, cut);
    }
}

// Cuts the reservation where power is missing, by whole units.
static void cut_for_power(struct power_shortage *shortage, const struct pool_row *pool)
{
    int64_t unit = pool->unit * pool->watts_per_gpu;
    for (int32_t place = shortage->first; place <= shortage->last; place++) {
        int64_t missing = shortage->missing[place], has = shortage->has[place];
        shortage->has[place] = 0;
        if (missing <= 0 || has <= 0)
            continue;
        int64_t gpus = (missing + unit - 1) / unit * pool->unit;
        gpus = gpus < has ? gpus : has;
        shortage->cut[place] = (int32_t)gpus;
        shortage->missing[place] -= gpus * pool->watts_per_gpu;
    }
}

static void list_cuts(struct power_shortage *shortage, int64_t reservation)
{
    int32_t place = shortage->first;
    while (place <= shortage->last) {
        int32_t gpus = shortage->cut[place], start = place;
        while (place <= shortage->last && shortage->cut[place] == gpus)
            shortage->cut[place++] = 0;
        if (gpus > 0)
            add_cut(shortage, &(struct interruption){.reservation = reservation,
                                                     .start = {shortage->from.number + start},
                                                     .end = {shortage->from.number + place},
                                                     .gpus = gpus});
    }
    while (shortage->first <= shortage->last && shortage->missing[shortage->first] <= 0)
        shortage->first++;
    while (shortage->last >= shortage->first && shortage->missing[shortage->last] <= 0)
        shortage->last--;
}

// The source of the newest reservation that is left, or NULL.
static struct source *newest(struct power_shortage *shortage)
{
    struct source *found = NULL;
    for (size_t k = 0; k < shortage->source_count; k++) {
        struct source *source = &shortage->sources[k];
        if (source->left > 0 && (found == NULL || source->pool->preemptible[source->left - 1] >
                                                      found->pool->preemptible[found->left - 1]))
            found = source;
    }
    return found;
}

// All cuts, those for GPUs and those for power, reservation by reservation, the newest first.
static void cut_all(struct power_shortage *shortage)
{
    struct source *source;
    while ((source = newest(shortage)) != NULL) {
        int64_t id = source->pool->preemptible[--source->left];
        const struct reservation *reservation = book_live(shortage->builder->book, id);
        if (reservation == NULL || !state_is_live(reservation->row.state))
            continue;
        bool may_give = shortage->first <= shortage->last && source->pool->row.watts_per_gpu > 0;
        if (may_give)
            count_gpus(shortage, reservation);
        keep_planned(shortage, source, id);
        if (may_give) {
            cut_for_power(shortage, &source->pool->row);
            list_cuts(shortage, id);
        }
    }
    assert(shortage->first > shortage->last); // the firm bookings have power beside the firm ones
}

// Plans the cuts for GPUs, pool by pool.
static size_t plan_pools(const struct builder *builder, uint32_t site, struct source *sources,
                         struct displacement *planned)
{
    size_t count = 0;
    for (uint32_t id = 1; id <= builder->book->pool_count; id++) {
        const struct pool *pool = &builder->book->pools[id];
        if (pool->row.site != site)
            continue;
        struct source source = {.pool = pool, .left = pool->preemptible_count, .cut = planned->count};
        displacement_preempt_gpus(builder, id, planned);
        source.cut_end = planned->count;
        sources[count++] = source;
    }
    return count;
}

static void plan_power(struct power_shortage *shortage, uint32_t site, struct displacement *displacement)
{
    struct hour end;
    if (!firm_hull(shortage->builder, site, &shortage->from, &end))
        return;
    size_t hours = (size_t)(end.number - shortage->from.number);
    shortage->missing = memory_allocate(hours, sizeof *shortage->missing);
    shortage->has = memory_allocate(hours, sizeof *shortage->has);
    shortage->cut = memory_allocate(hours, sizeof *shortage->cut);
    if (find_missing(shortage, site, end)) {
        cut_all(shortage);
        *displacement = shortage->result;
    }
    free(shortage->missing);
    free(shortage->has);
    free(shortage->cut);
}

bool displacement_preempt(const struct builder *builder, uint32_t site, struct displacement *displacement)
{
    const struct book *book = builder->book;
    *displacement = (struct displacement){0};
    struct source *sources = arena_allocate(builder->arena, book->pool_count * sizeof *sources);
    struct power_shortage shortage = {.builder = builder, .sources = sources, .planned = displacement};
    shortage.source_count = plan_pools(builder, site, sources, displacement);
    bool may_give = false;
    for (size_t k = 0; k < shortage.source_count; k++)
        may_give = may_give || (sources[k].left > 0 && sources[k].pool->row.watts_per_gpu > 0);
    if (book->sites[site].used != NULL && may_give)
        plan_power(&shortage, site, displacement);
    return displacement->count > 0;
}
