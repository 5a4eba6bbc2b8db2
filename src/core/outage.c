#include "core/outage.h"

#include "core/capacity_change.h"
#include "core/displacement.h"
#include "core/interrupt.h"
#include "core/steps.h"
#include <assert.h>

bool outage_is_open(enum capacity_kind kind, struct hour end)
{
    return kind == CAPACITY_OUTAGE && end.number == HOUR_NEVER.number;
}

struct hour outage_reach(struct hour start, struct instant at)
{
    struct hour running = hour_of_instant(at);
    return (struct hour){(start.number > running.number ? start.number : running.number) + OUTAGE_HOURS};
}

void change_list_add(struct change_list *list, struct arena *arena, const struct capacity_change_row *change)
{
    list->rows = arena_grow(arena, list->rows, list->count, &list->capacity, sizeof *list->rows);
    list->rows[list->count++] = *change;
}

void outage_cut(const struct capacity_change_row *outage, const struct change_list *present,
                const struct change_list *added, struct hour from, struct hour to, struct arena *arena,
                struct change_list *cuts)
{
    while (from.number < to.number) {
        struct hour until = to;
        int64_t gpus = capacity_at(present->rows, present->count, from, &until);
        gpus += capacity_at(added->rows, added->count, from, &until);
        gpus = gpus < 0 ? 0 : gpus;
        struct capacity_change_row cut = *outage;
        cut.part = OUTAGE_CUT;
        cut.gpus = gpus < -outage->gpus ? -(int32_t)gpus : outage->gpus;
        cut.start = from;
        cut.end = until;
        cut.note = NULL;
        change_list_add(cuts, arena, &cut);
        from = until;
    }
}

void outage_taken(const struct book *book, const struct outage *outage, struct hour from, struct hour to,
                  struct arena *arena, struct change_list *taken)
{
    const struct pool *pool = &book->pools[outage->row.pool];
    struct steps sum = {0};
    for (size_t i = 0; i < pool->change_count; i++)
        if (pool->changes[i].outage == outage->row.id)
            steps_add(&sum, pool->changes[i].start, pool->changes[i].end, pool->changes[i].gpus);
    int64_t gpus = 0;
    for (size_t i = 0; i < sum.count; i++) {
        gpus += sum.jumps[i].by;
        struct capacity_change_row row = outage->row;
        row.gpus = (int32_t)gpus;
        row.start = sum.jumps[i].at.number > from.number ? sum.jumps[i].at : from;
        row.end = i + 1 < sum.count && sum.jumps[i + 1].at.number < to.number ? sum.jumps[i + 1].at : to;
        if (gpus < 0 && row.start.number < row.end.number)
            change_list_add(taken, arena, &row);
    }
    steps_free(&sum);
}

void outage_write(struct json *json, const char *pool, const struct outage *outage)
{
    capacity_change_write(json, pool, &outage->row);
    json_write_hour(json, "cut_until", outage->cut_until);
}

const struct outage *outage_find(const struct book *book, uint32_t pool, int32_t gpus, struct hour start)
{
    for (size_t i = 0; i < book->outage_count; i++) {
        const struct capacity_change_row *row = &book->outages[i].row;
        if (row->pool == pool && row->gpus == gpus && row->start.number == start.number &&
            row->end.number == HOUR_NEVER.number)
            return &book->outages[i];
    }
    return NULL;
}

struct hour outage_next_cut(const struct outage *outage)
{
    return (struct hour){outage->cut_until.number - OUTAGE_HOURS + 1};
}

bool outage_is_due(const struct book *book, int64_t id, struct instant at)
{
    const struct outage *outage = book_outage(book, id);
    return outage->row.end.number == HOUR_NEVER.number &&
           hour_start(outage_next_cut(outage)).seconds == at.seconds;
}

void decide_outage(struct builder *builder, int64_t id)
{
    const struct book *book = builder->book;
    struct outage outage = *book_outage(book, id);
    const struct pool *pool = &book->pools[outage.row.pool];
    struct change_list present = {.rows = pool->changes, .count = pool->change_count}, none = {0}, cuts = {0};
    struct hour from = outage.cut_until;
    outage.cut_until = outage_reach(outage.row.start, builder->at);
    outage_cut(&outage.row, &present, &none, from, outage.cut_until, builder->arena, &cuts);
    struct displacement displacement;
    bool displaces = displacement_plan(book, outage.row.pool, cuts.rows, cuts.count,
                                       hour_of_instant(builder->at), builder->arena, &displacement);
    // Only in the running hour nobody may be left who can be interrupted.
    assert(!displaces || displacement.enough);
    struct json json = builder_text(builder);
    json_write_object(&json, NULL);
    json_write_object(&json, "capacity_change");
    outage_write(&json, pool->row.pool, &outage);
    json_write_object_end(&json);
    json_write_object_end(&json);
    int64_t event = builder_event(builder, "outage.extended", 0, 0);
    for (size_t i = 0; i < cuts.count; i++) {
        cuts.rows[i].id = builder->next_capacity_change++;
        cuts.rows[i].event = event;
        builder_add(builder, ROW_CAPACITY_CHANGE)->capacity_change = cuts.rows[i];
    }
    if (displaces)
        interrupt_reservations(builder, &displacement, id);
}
