#include "core/capacity_change.h"

#include "core/steps.h"

// What is gained and what is lost, apart, as functions of time. What an outage gives back was lost by it.
static void add_changes(struct steps *gained, struct steps *lost, const struct capacity_change_row *changes,
                        size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (capacity_change_counts(&changes[i]))
            steps_add(changes[i].gpus < 0 || changes[i].part == OUTAGE_RETURNED ? lost : gained,
                      changes[i].start, changes[i].end, changes[i].gpus);
}

// The first hour in which the sum of the jumps is below `least` or above `most`, HOUR_NEVER when there is
// none.
static struct hour first_outside(const struct steps *steps, int64_t least, int64_t most)
{
    int64_t gpus = 0;
    for (size_t i = 0; i < steps->count; i++) {
        gpus += steps->jumps[i].by;
        if (gpus < least || gpus > most)
            return steps->jumps[i].at;
    }
    return HOUR_NEVER;
}

enum capacity_fault capacity_check(const struct capacity_change_row *present, size_t present_count,
                                   const struct capacity_change_row *added, size_t added_count,
                                   struct hour *where)
{
    struct steps gained = {0}, lost = {0};
    add_changes(&gained, &lost, present, present_count);
    add_changes(&gained, &lost, added, added_count);
    enum capacity_fault fault = CAPACITY_TOO_MUCH;
    *where = first_outside(&gained, 0, CAPACITY_GPUS_MAX);
    if (where->number == HOUR_NEVER.number)
        *where = first_outside(&lost, -CAPACITY_GPUS_MAX, 0);
    if (where->number == HOUR_NEVER.number) {
        for (size_t i = 0; i < lost.count; i++)
            steps_jump(&gained, lost.jumps[i].at, lost.jumps[i].by);
        *where = first_outside(&gained, 0, CAPACITY_GPUS_MAX);
        fault = where->number == HOUR_NEVER.number ? CAPACITY_SOUND : CAPACITY_BELOW_ZERO;
    }
    steps_free(&gained);
    steps_free(&lost);
    return fault;
}

int64_t capacity_at(const struct capacity_change_row *changes, size_t count, struct hour hour,
                    struct hour *until)
{
    int64_t gpus = 0;
    for (size_t i = 0; i < count; i++) {
        const struct capacity_change_row *change = &changes[i];
        if (!capacity_change_counts(change))
            continue;
        if (change->start.number <= hour.number && hour.number < change->end.number)
            gpus += change->gpus;
        if (change->start.number > hour.number && change->start.number < until->number)
            *until = change->start;
        if (change->end.number > hour.number && change->end.number < until->number)
            *until = change->end;
    }
    return gpus;
}

void capacity_change_write(struct json *json, const char *pool, const struct capacity_change_row *change)
{
    json_write_integer(json, "id", change->id);
    json_write_text(json, "pool", pool);
    json_write_text(json, "kind", capacity_kind_name(change->kind));
    json_write_integer(json, "gpus", change->gpus < 0 ? -change->gpus : change->gpus);
    json_write_hour(json, "start", change->start);
    if (change->end.number == HOUR_NEVER.number)
        json_write_null(json, "end");
    else
        json_write_hour(json, "end", change->end);
    json_write_text(json, "note", change->note);
    json_write_bool(json, "base", change->base);
}
