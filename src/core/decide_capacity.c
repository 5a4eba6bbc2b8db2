// capacity.change: a dated change of a pool's capacity, with all that it cuts, and outages that are opened
// and closed by it (core/outage.h).
//
// The order of checks is: what the parameters say by themselves, unknown names, whether the client_ref was
// used, and only then what depends on the time and the state.
#include "core/builder.h"
#include "core/capacity_change.h"
#include "core/displacement.h"
#include "core/interrupt.h"
#include "core/outage.h"
#include <string.h>

// A change as it is asked for.
struct asked_change {
    struct builder *builder;
    const struct request *request;
    struct fingerprint fingerprint;
    const struct pool *pool;
    struct capacity_change_row row; // its id and event to come
};

static void refuse_member(struct builder *builder, const char *member, const char *message)
{
    builder_refuse(builder, VERDICT_INVALID_PARAMS, message)->path = member;
}

static void write_interruption(struct json *json, int64_t reservation, struct hour start, struct hour end,
                               int32_t gpus)
{
    json_write_object(json, NULL);
    json_write_integer(json, "reservation", reservation);
    json_write_hour(json, "start", start);
    json_write_hour(json, "end", end);
    json_write_integer(json, "gpus", gpus);
    json_write_object_end(json);
}

// What the book has of the interruptions by a change.
static void write_interruptions_of(const struct book *book, struct json *json, int64_t change)
{
    for (size_t i = 0; i < book->interruption_count; i++) {
        const struct interruption_row *row = &book->interruptions[i];
        if (row->capacity_change == change)
            write_interruption(json, row->reservation, row->start, row->end, row->gpus);
    }
}

// The result: the change, shown as the outage that it opened if it did, and the interruptions by a
// displacement (NULL for a replay).
static void write_result(struct builder *builder, const char *pool, const struct capacity_change_row *change,
                         const struct outage *outage, const struct displacement *displacement)
{
    struct json json = builder_text(builder);
    json_write_object(&json, "capacity_change");
    if (outage != NULL)
        outage_write(&json, pool, outage);
    else
        capacity_change_write(&json, pool, change);
    json_write_object_end(&json);
    json_write_array(&json, "interruptions");
    for (size_t i = 0; displacement != NULL && i < displacement->count; i++) {
        const struct interruption *cut = &displacement->cuts[i];
        write_interruption(&json, cut->reservation, cut->start, cut->end, cut->gpus);
    }
    if (displacement == NULL)
        write_interruptions_of(builder->book, &json, change->id);
    json_write_array_end(&json);
    decide_result(builder);
}

static bool capacity_parameters(struct builder *builder, const struct capacity_change_request *request)
{
    if (request->gpus <= 0 || request->gpus > CAPACITY_GPUS_MAX)
        refuse_member(builder, "gpus", "gpus is how many, from 1 to 1000000000: the kind gives the sign");
    else if (request->end.number <= request->start.number)
        refuse_member(builder, "end", "a change ends after its start");
    else if (request->kind == CAPACITY_MAINTENANCE && request->end.number == HOUR_NEVER.number)
        refuse_member(builder, "end", "a maintenance has an end");
    return !builder_refused(builder);
}

// The change that a replayed request made, or the outage that it opened or closed.
static void replay(struct builder *builder, uint32_t pool, int64_t id)
{
    const struct pool *found = &builder->book->pools[pool];
    const struct outage *outage = book_outage(builder->book, id);
    if (outage != NULL)
        write_result(builder, found->row.pool, &outage->row, outage, NULL);
    for (size_t i = 0; i < found->change_count && outage == NULL; i++)
        if (found->changes[i].id == id)
            write_result(builder, found->row.pool, &found->changes[i], NULL, NULL);
}

static bool start_is_sound(struct builder *builder, struct hour start)
{
    if (start.number < hour_of_instant(builder->at).number) {
        refuse_member(builder, "start", "a change of capacity starts no earlier than the running hour");
        return false;
    }
    if (start.number >= book_horizon_end(builder->book, builder->at).number) {
        refuse_member(builder, "start", "this start is beyond the horizon");
        return false;
    }
    return true;
}

static bool capacity_is_sound(struct builder *builder, const struct pool *pool,
                              const struct capacity_change_row *change)
{
    struct hour where;
    switch (capacity_check(pool->changes, pool->change_count, change, 1, &where)) {
    case CAPACITY_SOUND:
        break;
    case CAPACITY_BELOW_ZERO:
        refuse_member(builder, "gpus", "the pool has fewer GPUs than that in some of these hours");
        return false;
    case CAPACITY_TOO_MUCH:
        refuse_member(builder, "gpus", "the pool would have more GPUs than can be counted");
        return false;
    }
    return true;
}

static void refuse_running_hour(struct builder *builder, const char *pool,
                                const struct displacement *displacement)
{
    struct refusal *refusal =
        builder_refuse(builder, VERDICT_CAPACITY_EXCEEDED,
                       "the running hour stays sold to bookings that were cancelled in it, which can't be "
                       "interrupted: let the change start with the next hour");
    refusal->pool = arena_copy_text(builder->arena, pool);
    refusal->free = displacement->free < 0 ? 0 : displacement->free;
    refusal->first_short = refusal->searched_until = displacement->first_short;
}

// Plans what changes of the pool cut. False after refusing.
static bool plan_cuts(const struct asked_change *asked, const struct change_list *changes,
                      struct displacement *displacement)
{
    struct builder *builder = asked->builder;
    if (!displacement_plan(builder->book, asked->row.pool, changes->rows, changes->count,
                           hour_of_instant(builder->at), builder->arena, displacement) ||
        displacement->enough)
        return true;
    refuse_running_hour(builder, asked->pool->row.pool, displacement);
    return false;
}

// The event of a change, or of an outage as it will be.
static int64_t add_event(const struct asked_change *asked, const char *type,
                         const struct capacity_change_row *change, const struct outage *outage)
{
    struct json json = builder_text(asked->builder);
    json_write_object(&json, NULL);
    json_write_object(&json, "capacity_change");
    if (outage != NULL)
        outage_write(&json, asked->pool->row.pool, outage);
    else
        capacity_change_write(&json, asked->pool->row.pool, change);
    json_write_object_end(&json);
    json_write_object_end(&json);
    return builder_event(asked->builder, type, 0, 0);
}

static void add_row(const struct asked_change *asked, struct capacity_change_row change, int64_t event)
{
    change.event = event;
    builder_add(asked->builder, ROW_CAPACITY_CHANGE)->capacity_change = change;
}

// What a change cuts, the name by which it was asked for, and the result.
static void finish(const struct asked_change *asked, const struct capacity_change_row *change,
                   const struct outage *outage, const struct displacement *displacement, int64_t event)
{
    interrupt_reservations(asked->builder, displacement, change->id);
    if (asked->request->client_ref != NULL)
        builder_client_ref(asked->builder, 0, asked->request, asked->fingerprint, change->id, false, event);
    write_result(asked->builder, asked->pool->row.pool, change, outage, displacement);
}

static void decide_dated(const struct asked_change *asked)
{
    struct builder *builder = asked->builder;
    struct capacity_change_row change = asked->row;
    struct displacement displacement;
    struct change_list changes = {.rows = &change, .count = 1};
    if (!start_is_sound(builder, change.start) || !capacity_is_sound(builder, asked->pool, &change) ||
        !plan_cuts(asked, &changes, &displacement))
        return;
    change.id = builder->next_capacity_change++;
    int64_t event = add_event(asked, "capacity.changed", &change, NULL);
    add_row(asked, change, event);
    finish(asked, &change, NULL, &displacement, event);
}

// ---- Outages

static void add_rows(const struct asked_change *asked, const struct change_list *changes, int64_t outage,
                     int64_t event)
{
    for (size_t i = 0; i < changes->count; i++) {
        struct capacity_change_row change = changes->rows[i];
        change.id = asked->builder->next_capacity_change++;
        change.outage = outage;
        add_row(asked, change, event);
    }
}

static void open_outage(const struct asked_change *asked)
{
    struct builder *builder = asked->builder;
    struct outage outage = {.row = asked->row, .cut_until = outage_reach(asked->row.start, builder->at)};
    struct change_list present = {.rows = asked->pool->changes, .count = asked->pool->change_count};
    struct change_list none = {0}, cuts = {0};
    struct displacement displacement;
    if (!start_is_sound(builder, outage.row.start))
        return;
    if (book_capacity(builder->book, outage.row.pool, outage.row.start) < -outage.row.gpus) {
        refuse_member(builder, "gpus", "the pool has fewer GPUs than that when the outage starts");
        return;
    }
    outage_cut(&outage.row, &present, &none, outage.row.start, outage.cut_until, builder->arena, &cuts);
    if (!plan_cuts(asked, &cuts, &displacement))
        return;
    outage.row.id = outage.row.outage = builder->next_capacity_change++;
    outage.row.part = OUTAGE_OPENED;
    int64_t event = add_event(asked, "capacity.changed", NULL, &outage);
    add_row(asked, outage.row, event);
    add_rows(asked, &cuts, outage.row.id, event);
    finish(asked, &outage.row, &outage, &displacement, event);
}

// Gives back what was cut beyond the end, or cuts up to it.
static void close_outage(const struct asked_change *asked, const struct outage *open)
{
    struct builder *builder = asked->builder;
    struct outage outage = *open;
    struct change_list present = {.rows = asked->pool->changes, .count = asked->pool->change_count};
    struct change_list none = {0}, changes = {0};
    struct displacement displacement;
    struct hour end = asked->row.end;
    if (end.number < hour_of_instant(builder->at).number) {
        refuse_member(builder, "end",
                      "an outage ends no earlier than the running hour: what is over stays cut");
        return;
    }
    outage_taken(builder->book, open, end, open->cut_until, builder->arena, &changes);
    for (size_t i = 0; i < changes.count; i++) {
        changes.rows[i].part = OUTAGE_RETURNED;
        changes.rows[i].gpus = -changes.rows[i].gpus;
        changes.rows[i].note = NULL;
    }
    outage_cut(&open->row, &present, &none, open->cut_until, end, builder->arena, &changes);
    if (!plan_cuts(asked, &changes, &displacement))
        return;
    outage.row.end = outage.cut_until = end;
    int64_t event = add_event(asked, "outage.closed", NULL, &outage);
    // The cuts come first: what is closed is cut no more.
    add_rows(asked, &changes, outage.row.id, event);
    struct capacity_change_row closed = asked->row;
    closed.id = builder->next_capacity_change++;
    closed.part = OUTAGE_CLOSED;
    closed.outage = outage.row.id;
    add_row(asked, closed, event);
    finish(asked, &outage.row, &outage, &displacement, event);
}

void decide_capacity_change(struct builder *builder, const struct request *request)
{
    const struct capacity_change_request *parameters = &request->capacity;
    if (!capacity_parameters(builder, parameters))
        return;
    uint32_t id = book_pool(builder->book, parameters->pool);
    if (id == 0) {
        builder_refuse_parts(builder, VERDICT_NOT_FOUND, "there is no pool ", parameters->pool,
                             (const char *)NULL);
        return;
    }
    const struct pool *pool = &builder->book->pools[id];
    if (parameters->gpus % pool->row.unit != 0) {
        refuse_member(builder, "gpus", "gpus is a multiple of the pool's unit");
        return;
    }
    struct asked_change asked = {.builder = builder, .request = request, .pool = pool};
    asked.row = (struct capacity_change_row){
        .pool = id,
        .kind = parameters->kind,
        .gpus = (int32_t)parameters->gpus * capacity_kind_sign(parameters->kind),
        .start = parameters->start,
        .end = parameters->end,
        .note = arena_copy_text(builder->arena, parameters->note),
    };
    struct json text = builder_text(builder);
    json_write_integer(&text, "kind", request->kind);
    capacity_change_write(&text, pool->row.pool, &asked.row);
    asked.fingerprint = decide_fingerprint(builder);
    int64_t thing;
    bool is_group;
    if (decide_replay(builder, 0, request, asked.fingerprint, &thing, &is_group)) {
        if (!builder_refused(builder))
            replay(builder, id, thing);
        return;
    }
    const struct outage *open = NULL;
    if (asked.row.kind == CAPACITY_OUTAGE && asked.row.end.number != HOUR_NEVER.number)
        open = outage_find(builder->book, id, asked.row.gpus, asked.row.start);
    if (open != NULL)
        close_outage(&asked, open);
    else if (outage_is_open(asked.row.kind, asked.row.end))
        open_outage(&asked);
    else
        decide_dated(&asked);
}
