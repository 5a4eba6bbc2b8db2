// A manifest may change a site's power and what a pool's GPUs draw, but not so that what is booked would use
// more than there is.
//
// The cost is a pass over the calendars of each site of the book whose power the manifest touches.
#include "core/book_internal.h"
#include "core/manifest_apply.h"
#include <string.h>

// The watts of a pool's GPUs as the manifest leaves them.
static int64_t watts_of(const struct manifest_apply *apply, uint32_t pool)
{
    const struct builder *builder = apply->builder;
    for (size_t i = 0; i < builder->row_count; i++)
        if (builder->rows[i].kind == ROW_POOL && builder->rows[i].pool.id == pool)
            return builder->rows[i].pool.watts_per_gpu;
    return apply->book->pools[pool].row.watts_per_gpu;
}

// Does the manifest change what a site of the book has, or what its pools draw?
static bool is_touched(const struct manifest_apply *apply, uint32_t site)
{
    for (size_t i = 0; i < apply->builder->row_count; i++) {
        const struct row *row = &apply->builder->rows[i];
        if (row->kind == ROW_SITE_POWER && row->site_power.site == site)
            return true;
        if (row->kind == ROW_POOL && row->pool.site == site && row->pool.id <= apply->book->pool_count &&
            row->pool.watts_per_gpu != apply->book->pools[row->pool.id].row.watts_per_gpu)
            return true;
    }
    return false;
}

static void put_step(struct site_power_row *steps, size_t *count, const struct site_power_row *step)
{
    size_t place = *count;
    while (place > 0 && steps[place - 1].start.number >= step->start.number)
        place--;
    if (place == *count || steps[place].start.number != step->start.number) {
        memmove(&steps[place + 1], &steps[place], (*count - place) * sizeof *steps);
        (*count)++;
    }
    steps[place] = *step;
}

// The envelope of a site as the manifest leaves it.
static size_t envelope_of(const struct manifest_apply *apply, uint32_t site, struct site_power_row **steps)
{
    const struct site *present = &apply->book->sites[site];
    const struct builder *builder = apply->builder;
    size_t count = 0;
    *steps = arena_allocate(builder->arena, (present->power_count + builder->row_count) * sizeof **steps);
    for (size_t i = 0; i < present->power_count; i++)
        put_step(*steps, &count, &present->power[i]);
    for (size_t i = 0; i < builder->row_count; i++)
        if (builder->rows[i].kind == ROW_SITE_POWER && builder->rows[i].site_power.site == site)
            put_step(*steps, &count, &builder->rows[i].site_power);
    return count;
}

static struct power *use_of(const struct manifest_apply *apply, uint32_t site, struct hour from)
{
    const struct book *book = apply->book;
    struct power *used = power_create(from, book_horizon_hours(book) + HOURS_PER_DAY);
    for (uint32_t pool = 1; pool <= book->pool_count; pool++)
        if (book->pools[pool].row.site == site)
            pool_use_power(&book->pools[pool], TIER_PREEMPTIBLE, from, watts_of(apply, pool), used);
    return used;
}

static void refuse(struct manifest_apply *apply, uint32_t site, struct hour hour, int64_t watts)
{
    const char *name = apply->book->sites[site].row.site, *path = "sites";
    for (size_t i = 0; i < apply->manifest->site_count; i++)
        if (strcmp(apply->manifest->sites[i].site, name) == 0 && apply->manifest->sites[i].power_count > 0)
            path = manifest_path(apply, "sites", i, NULL, 0, "power");
    for (size_t i = 0; i < apply->manifest->pool_count && strcmp(path, "sites") == 0; i++)
        if (apply->manifest->pools[i].watts_per_gpu > 0 &&
            strncmp(apply->manifest->pools[i].pool, name, strlen(name)) == 0)
            path = manifest_path(apply, "pools", i, NULL, 0, "kw_per_gpu");
    char start[INSTANT_TEXT_SIZE];
    instant_format(hour_start(hour), start);
    struct buffer message = {0};
    buffer_append_format(&message,
                         "what is booked at %s in the hour from %s would use %lld W more than there is", name,
                         start, (long long)watts);
    manifest_refuse(apply, path, arena_copy(apply->builder->arena, message.data, message.length));
    buffer_free(&message);
}

static void check_site(struct manifest_apply *apply, uint32_t site)
{
    struct site_power_row *steps;
    size_t count = envelope_of(apply, site, &steps);
    struct hour hour = hour_of_instant(apply->builder->at);
    struct power *used = use_of(apply, site, hour);
    for (struct hour until; hour.number < power_end(used).number; hour = until) {
        until = power_end(used);
        int64_t envelope = envelope_at(steps, count, hour, &until);
        for (; hour.number < until.number && power_used(used, hour) <= envelope; hour.number++) {
        }
        if (hour.number < until.number) {
            refuse(apply, site, hour, power_used(used, hour) - envelope);
            break;
        }
    }
    power_destroy(used);
}

void manifest_check_power(struct manifest_apply *apply)
{
    for (uint32_t site = 1; site <= apply->book->site_count && !builder_refused(apply->builder); site++)
        if (is_touched(apply, site))
            check_site(apply, site);
}
