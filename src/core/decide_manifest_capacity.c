// The capacity of a manifest's pool: absolute steps, and dated changes beside them.
//
// The steps are the base: each sets the base from its hour to the next step, known or listed, and what then
// differs from the base in the book becomes new changes. The dated changes of an export are added when the
// book has fewer equal ones, an outage without an end as if it were reported now.
#include "core/capacity_change.h"
#include "core/describe_manifest.h"
#include "core/displacement.h"
#include "core/manifest_apply.h"
#include "core/outage.h"
#include "core/steps.h"
#include <string.h>

struct capacity_work {
    struct manifest_apply *apply;
    size_t index; // of the pool in the manifest
    uint32_t pool;
    const struct manifest_pool *listed;
    struct capacity_change_row *present; // the book's; not changed
    size_t present_count;
    bool in_book;
    struct manifest_change *known; // the book's changes as a manifest lists them, or listed them before
    size_t known_count;
    struct change_list added; // what the manifest adds, ids and events to come
    size_t *listed_as;        // for each: the place in `changes`, SIZE_MAX for the base
    size_t listed_capacity;
};

static const char *path_of(const struct capacity_work *work, const char *list, size_t place,
                           const char *member)
{
    return manifest_path(work->apply, "pools", work->index, list, place, member);
}

// The path of what makes the pool's capacity wrong in an hour: a change that takes GPUs then, else the step
// that holds it.
static const char *path_at(const struct capacity_work *work, struct hour hour)
{
    for (size_t i = 0; i < work->added.count; i++) {
        const struct capacity_change_row *change = &work->added.rows[i];
        if (!change->base && change->gpus < 0 && change->start.number <= hour.number &&
            hour.number < change->end.number)
            return path_of(work, "changes", work->listed_as[i], "gpus");
    }
    size_t found = SIZE_MAX;
    for (size_t k = 0; k < work->listed->capacity_count; k++) {
        struct hour from = work->listed->capacity[k].from;
        if (from.number <= hour.number &&
            (found == SIZE_MAX || from.number > work->listed->capacity[found].from.number))
            found = k;
    }
    if (found != SIZE_MAX)
        return path_of(work, "capacity", found, "gpus");
    return path_of(work, NULL, 0, work->listed->capacity_count > 0 ? "capacity" : "changes");
}

static struct capacity_change_row *add_change(struct capacity_work *work, size_t listed_as)
{
    struct arena *arena = work->apply->builder->arena;
    struct capacity_change_row change = {.pool = work->pool, .end = HOUR_NEVER};
    work->listed_as = arena_grow(arena, work->listed_as, work->added.count, &work->listed_capacity,
                                 sizeof *work->listed_as);
    work->listed_as[work->added.count] = listed_as;
    change_list_add(&work->added, arena, &change);
    return &work->added.rows[work->added.count - 1];
}

// ---- The base

static bool steps_are_sound(struct capacity_work *work)
{
    for (size_t k = 0; k < work->listed->capacity_count; k++) {
        struct manifest_step step = work->listed->capacity[k];
        if (step.value < 0 || step.value > CAPACITY_GPUS_MAX) {
            manifest_refuse(work->apply, path_of(work, "capacity", k, "gpus"),
                            "a capacity is between 0 and 1000000000 GPUs");
            return false;
        }
        if (step.value % work->listed->unit != 0) {
            manifest_refuse(work->apply, path_of(work, "capacity", k, "gpus"),
                            "a capacity is a multiple of the pool's unit");
            return false;
        }
        for (size_t j = 0; j < k; j++) {
            if (work->listed->capacity[j].from.number == step.from.number) {
                manifest_refuse(work->apply, path_of(work, "capacity", k, "from"),
                                "the pool's capacity from this hour on is listed twice");
                return false;
            }
        }
    }
    return true;
}

// Makes changes of the difference's jumps. A jump that only takes the one before it back ends it.
static void add_base_changes(struct capacity_work *work, const struct steps *difference, bool has_base)
{
    int64_t level = 0;
    for (size_t i = 0; i < difference->count; i++) {
        struct step_jump jump = difference->jumps[i];
        if (jump.by == 0)
            continue;
        struct capacity_change_row *change = add_change(work, SIZE_MAX);
        change->kind = jump.by < 0 ? CAPACITY_RETIREMENT : has_base ? CAPACITY_GROWTH : CAPACITY_INITIAL;
        change->gpus = (int32_t)jump.by;
        change->start = jump.at;
        change->base = true;
        has_base = true;
        size_t next = i + 1;
        while (next < difference->count && difference->jumps[next].by == 0)
            next++;
        if (level == 0 && next < difference->count && difference->jumps[next].by == -jump.by) {
            change->end = difference->jumps[next].at;
            i = next;
            continue;
        }
        level += jump.by;
    }
}

static void compare_base(struct capacity_work *work)
{
    struct steps present = {0}, wanted = {0};
    bool has_base = false;
    for (size_t i = 0; i < work->present_count; i++) {
        const struct capacity_change_row *change = &work->present[i];
        if (!change->base)
            continue;
        steps_add(&present, change->start, change->end, change->gpus);
        steps_add(&wanted, change->start, change->end, change->gpus);
        has_base = true;
    }
    for (size_t k = 0; k < work->listed->capacity_count; k++)
        steps_set(&wanted, work->listed->capacity[k].from, work->listed->capacity[k].value);
    steps_subtract(&wanted, &present);
    add_base_changes(work, &wanted, has_base);
    steps_free(&present);
    steps_free(&wanted);
}

// ---- The dated changes

static bool change_is_sound(struct capacity_work *work, size_t k)
{
    const struct manifest_change *change = &work->listed->changes[k];
    if (change->gpus <= 0 || change->gpus > CAPACITY_GPUS_MAX) {
        manifest_refuse(work->apply, path_of(work, "changes", k, "gpus"),
                        "a change is of 1 to 1000000000 GPUs; the kind gives the sign");
        return false;
    }
    if (change->gpus % work->listed->unit != 0) {
        manifest_refuse(work->apply, path_of(work, "changes", k, "gpus"),
                        "a change is of a multiple of the pool's unit");
        return false;
    }
    if (change->end.number <= change->start.number) {
        manifest_refuse(work->apply, path_of(work, "changes", k, "end"), "a change ends after its start");
        return false;
    }
    if (change->kind == CAPACITY_MAINTENANCE && change->end.number == HOUR_NEVER.number) {
        manifest_refuse(work->apply, path_of(work, "changes", k, "end"), "a maintenance has an end");
        return false;
    }
    return true;
}

static bool same_note(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool equal_changes(const struct manifest_change *a, const struct manifest_change *b)
{
    return a->kind == b->kind && a->gpus == b->gpus && a->start.number == b->start.number &&
           a->end.number == b->end.number && same_note(a->note, b->note);
}

// Has the book as many equal changes as the manifest lists up to this one?
static bool change_is_present(const struct capacity_work *work, size_t k)
{
    const struct manifest_change *change = &work->listed->changes[k];
    size_t listed = 0, present = 0;
    for (size_t j = 0; j <= k; j++)
        listed += equal_changes(&work->listed->changes[j], change);
    for (size_t i = 0; i < work->known_count; i++)
        present += equal_changes(&work->known[i], change);
    return present >= listed;
}

// A manifest from before an outage was closed lists it without its end: the book knows it either way.
static void find_known(struct capacity_work *work)
{
    const struct book *book = work->apply->book;
    struct arena *arena = work->apply->builder->arena;
    struct manifest_change *changes;
    size_t count;
    book_manifest_changes(book, work->pool, arena, &changes, &count);
    work->known = arena_allocate(arena, (count + book->outage_count + 1) * sizeof *work->known);
    for (; work->known_count < count; work->known_count++)
        work->known[work->known_count] = changes[work->known_count];
    for (size_t i = 0; i < book->outage_count; i++) {
        const struct capacity_change_row *row = &book->outages[i].row;
        if (row->pool == work->pool && row->end.number != HOUR_NEVER.number)
            work->known[work->known_count++] = (struct manifest_change){.kind = row->kind,
                                                                        .gpus = -row->gpus,
                                                                        .start = row->start,
                                                                        .end = HOUR_NEVER,
                                                                        .note = row->note};
    }
}

static struct capacity_change_row *add_listed(struct capacity_work *work, size_t k)
{
    const struct manifest_change *listed = &work->listed->changes[k];
    struct capacity_change_row *change = add_change(work, k);
    change->kind = listed->kind;
    change->gpus = listed->gpus * capacity_kind_sign(listed->kind);
    change->start = listed->start;
    change->end = listed->end;
    change->note = arena_copy_text(work->apply->builder->arena, listed->note);
    return change;
}

// The pool's capacity in an hour but for what outages without an end take.
static int64_t capacity_without_outages(const struct capacity_work *work, struct hour hour)
{
    const struct change_list lists[] = {{.rows = work->present, .count = work->present_count}, work->added};
    int64_t gpus = 0;
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < lists[k].count; i++) {
            const struct capacity_change_row *row = &lists[k].rows[i];
            if (row->part == OUTAGE_NONE && row->start.number <= hour.number && hour.number < row->end.number)
                gpus += row->gpus;
        }
    return gpus;
}

static bool add_outage(struct capacity_work *work, size_t k)
{
    struct capacity_change_row outage = *add_listed(work, k);
    struct builder *builder = work->apply->builder;
    struct change_list present = {.rows = work->present, .count = work->present_count}, cuts = {0};
    work->added.rows[work->added.count - 1].part = OUTAGE_OPENED;
    if (capacity_without_outages(work, outage.start) < -outage.gpus) {
        manifest_refuse(work->apply, path_of(work, "changes", k, "gpus"),
                        "the pool has fewer GPUs than that when the outage starts");
        return false;
    }
    outage_cut(&outage, &present, &work->added, outage.start, outage_reach(outage.start, builder->at),
               builder->arena, &cuts);
    for (size_t i = 0; i < cuts.count; i++)
        *add_change(work, k) = cuts.rows[i];
    return true;
}

// Outages without an end take what everything else leaves, so they come last.
static bool compare_changes(struct capacity_work *work)
{
    for (size_t k = 0; k < work->listed->change_count; k++) {
        if (!change_is_sound(work, k))
            return false;
        if (!change_is_present(work, k) &&
            !outage_is_open(work->listed->changes[k].kind, work->listed->changes[k].end))
            add_listed(work, k);
    }
    for (size_t k = 0; k < work->listed->change_count; k++)
        if (!change_is_present(work, k) &&
            outage_is_open(work->listed->changes[k].kind, work->listed->changes[k].end) &&
            !add_outage(work, k))
            return false;
    return true;
}

// ---- What may not follow from it

static bool within_limits(struct capacity_work *work)
{
    struct hour where;
    enum capacity_fault fault =
        capacity_check(work->present, work->present_count, work->added.rows, work->added.count, &where);
    if (fault == CAPACITY_SOUND)
        return true;
    char text[INSTANT_TEXT_SIZE];
    instant_format(hour_start(where), text);
    builder_refuse_parts(work->apply->builder, VERDICT_INVALID_MANIFEST,
                         fault == CAPACITY_BELOW_ZERO
                             ? "the pool's capacity would be below 0 from "
                             : "the pool would have more GPUs than can be counted from ",
                         text, " on", (const char *)NULL)
        ->path = path_at(work, where);
    return false;
}

// What was sold in hours that are over rested on the capacity they had: it can be found to have been more,
// never less.
static bool past_is_kept(struct capacity_work *work, struct hour running)
{
    struct steps sum = {0};
    for (size_t i = 0; i < work->added.count; i++)
        if (capacity_change_counts(&work->added.rows[i]))
            steps_add(&sum, work->added.rows[i].start, work->added.rows[i].end, work->added.rows[i].gpus);
    int64_t gpus = 0;
    bool kept = work->present_count == 0;
    for (size_t i = 0; !kept && i < sum.count && sum.jumps[i].at.number < running.number; i++) {
        gpus += sum.jumps[i].by;
        if (gpus >= 0)
            continue;
        char text[INSTANT_TEXT_SIZE];
        instant_format(hour_start(running), text);
        builder_refuse_parts(work->apply->builder, VERDICT_INVALID_MANIFEST,
                             "capacity can't become less in hours that are over: list a step from ", text,
                             " or later", (const char *)NULL)
            ->path = path_at(work, sum.jumps[i].at);
        steps_free(&sum);
        return false;
    }
    steps_free(&sum);
    return true;
}

static void refuse_displacing(struct capacity_work *work, const struct displacement *displacement)
{
    size_t reservations = 0;
    for (size_t i = 0; i < displacement->count; i++)
        reservations += i == 0 || displacement->cuts[i].reservation != displacement->cuts[i - 1].reservation;
    char first_short[INSTANT_TEXT_SIZE];
    instant_format(hour_start(displacement->first_short), first_short);
    struct buffer message = {0};
    buffer_append_format(&message,
                         "this leaves fewer GPUs than are booked, from %s on and by up to %d: ", first_short,
                         displacement->missing);
    if (displacement->count > 0)
        buffer_append_format(
            &message, "it would displace %zu reservation%s, first number %lld; capacity.change does",
            reservations, reservations == 1 ? "" : "s", (long long)displacement->cuts[0].reservation);
    else
        buffer_append_text(&message, "they are in use in the running hour");
    manifest_refuse(work->apply, path_at(work, displacement->first_short),
                    arena_copy(work->apply->builder->arena, message.data, message.length));
    buffer_free(&message);
}

static bool bookings_fit(struct capacity_work *work, struct hour running)
{
    struct displacement displacement;
    if (!work->in_book ||
        !displacement_plan(work->apply->book, work->pool, work->added.rows, work->added.count, running,
                           work->apply->builder->arena, &displacement))
        return true;
    refuse_displacing(work, &displacement);
    return false;
}

static int64_t event_of(const struct capacity_work *work, const struct capacity_change_row *change)
{
    struct builder *builder = work->apply->builder;
    struct outage outage = {.row = *change, .cut_until = outage_reach(change->start, builder->at)};
    struct json json = builder_text(builder);
    json_write_object(&json, NULL);
    json_write_object(&json, "capacity_change");
    if (change->part == OUTAGE_OPENED)
        outage_write(&json, work->listed->pool, &outage);
    else
        capacity_change_write(&json, work->listed->pool, change);
    json_write_object_end(&json);
    json_write_object_end(&json);
    return manifest_event(work->apply, "capacity.changed", 0);
}

static void emit(struct capacity_work *work)
{
    struct builder *builder = work->apply->builder;
    int64_t outage = 0, opened_by = 0;
    for (size_t i = 0; i < work->added.count; i++) {
        struct capacity_change_row *change = &work->added.rows[i];
        change->id = builder->next_capacity_change++;
        if (change->part == OUTAGE_OPENED)
            outage = change->id;
        if (change->part != OUTAGE_NONE)
            change->outage = outage;
        change->event = change->part == OUTAGE_CUT ? opened_by : event_of(work, change);
        if (change->part == OUTAGE_OPENED)
            opened_by = change->event;
        builder_add(builder, ROW_CAPACITY_CHANGE)->capacity_change = *change;
    }
    if (work->added.count > 0)
        manifest_changed(work->apply, work->present_count == 0, "capacity", work->listed->pool);
}

void manifest_apply_capacity(struct manifest_apply *apply, size_t index, uint32_t pool)
{
    struct capacity_work work = {
        .apply = apply, .index = index, .pool = pool, .listed = &apply->manifest->pools[index]};
    if (pool <= book_pool_count(apply->book)) {
        work.in_book = true;
        work.present = apply->book->pools[pool].changes;
        work.present_count = apply->book->pools[pool].change_count;
        find_known(&work);
    }
    if (builder_refused(apply->builder) || !steps_are_sound(&work))
        return;
    compare_base(&work);
    struct hour running = hour_of_instant(apply->builder->at);
    if (compare_changes(&work) && work.added.count > 0 && within_limits(&work) &&
        past_is_kept(&work, running) && bookings_fit(&work, running))
        emit(&work);
}
