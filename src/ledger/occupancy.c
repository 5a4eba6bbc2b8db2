// What is reserved in each hour of each pool, against what there is: one number an hour for each pool, over
// the hours that any slice covers.
#include "base/memory.h"
#include "ledger/rows.h"
#include "ledger/verify_internal.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// Bookings reach a horizon of at most 100 years, and a ledger does not grow older than that either.
#define HOURS_MAX (250 * 366 * 24)

struct edge {
    struct hour at;
    int32_t gpus; // from that hour on, so many more
};

struct edges {
    struct edge *list;
    size_t count, capacity;
};

struct occupancy {
    struct edges *pools; // by id; element 0 is unused
    size_t pool_count;
    struct hour first, last; // that a slice covers
    bool any;
};

struct occupancy *occupancy_create(void)
{
    return memory_allocate(1, sizeof(struct occupancy));
}

void occupancy_destroy(struct occupancy *occupancy)
{
    for (size_t i = 0; i < occupancy->pool_count; i++)
        free(occupancy->pools[i].list);
    free(occupancy->pools);
    free(occupancy);
}

static void reach_pool(struct occupancy *occupancy, uint32_t pool)
{
    if (pool < occupancy->pool_count)
        return;
    size_t count = (size_t)pool + 1;
    occupancy->pools = memory_resize(occupancy->pools, count, sizeof *occupancy->pools);
    memset(occupancy->pools + occupancy->pool_count, 0,
           (count - occupancy->pool_count) * sizeof *occupancy->pools);
    occupancy->pool_count = count;
}

static void add_edge(struct occupancy *occupancy, uint32_t pool, struct hour at, int32_t gpus)
{
    struct edges *edges = &occupancy->pools[pool];
    edges->list = memory_grow(edges->list, edges->count, &edges->capacity, sizeof *edges->list);
    edges->list[edges->count++] = (struct edge){at, gpus};
}

bool occupancy_add(struct occupancy *occupancy, const struct slice_row *slice, uint32_t pool)
{
    if (!occupancy->any || slice->start.number < occupancy->first.number)
        occupancy->first = slice->start;
    if (!occupancy->any || slice->end.number > occupancy->last.number)
        occupancy->last = slice->end;
    occupancy->any = true;
    if ((int64_t)occupancy->last.number - occupancy->first.number > HOURS_MAX)
        return false;
    reach_pool(occupancy, pool);
    add_edge(occupancy, pool, slice->start, -slice->gpus);
    add_edge(occupancy, pool, slice->end, slice->gpus);
    return true;
}

// Capacity, as far as it matters to the hours that slices cover.
static bool add_capacity(struct occupancy *occupancy, struct verification *verification)
{
    sqlite3_stmt *statement = verify_statement(verification, STATEMENT_LOAD_CAPACITY_CHANGES);
    bool found = statement != NULL;
    while (found) {
        struct row row;
        if (!verify_step(verification, statement, &found))
            return false;
        if (!found || !row_read(statement, ROW_CAPACITY_CHANGE, &row) ||
            !capacity_change_counts(&row.capacity_change))
            continue;
        const struct capacity_change_row *change = &row.capacity_change;
        reach_pool(occupancy, change->pool);
        struct hour start = change->start.number < occupancy->first.number ? occupancy->first : change->start;
        struct hour end = change->end.number < occupancy->first.number ? occupancy->first : change->end;
        if (start.number <= occupancy->last.number)
            add_edge(occupancy, change->pool, start, change->gpus);
        if (end.number <= occupancy->last.number)
            add_edge(occupancy, change->pool, end, -change->gpus);
    }
    return statement != NULL;
}

static void check_pool(const struct occupancy *occupancy, uint32_t pool, int64_t *hours,
                       struct verification *verification)
{
    const struct edges *edges = &occupancy->pools[pool];
    size_t count = (size_t)(occupancy->last.number - occupancy->first.number) + 1;
    memset(hours, 0, count * sizeof *hours);
    for (size_t i = 0; i < edges->count; i++)
        hours[edges->list[i].at.number - occupancy->first.number] += edges->list[i].gpus;
    int64_t free = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        free += hours[i];
        if (free < 0) {
            char text[INSTANT_TEXT_SIZE];
            instant_format(hour_start((struct hour){occupancy->first.number + (int32_t)i}), text);
            verify_find(verification, "slice: pool %u has %" PRId64 " GPUs more reserved than it has at %s",
                        pool, -free, text);
            return;
        }
    }
}

bool occupancy_check(struct occupancy *occupancy, struct verification *verification)
{
    if (!occupancy->any)
        return true;
    if (!add_capacity(occupancy, verification))
        return false;
    size_t count = (size_t)(occupancy->last.number - occupancy->first.number) + 1;
    int64_t *hours = memory_allocate(count, sizeof *hours);
    for (uint32_t pool = 1; pool < occupancy->pool_count; pool++)
        check_pool(occupancy, pool, hours, verification);
    free(hours);
    return true;
}
