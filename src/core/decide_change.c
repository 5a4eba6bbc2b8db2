// reservation.change: extend, shrink, grow, from an hour on, or (before it starts) move; as a whole or not at
// all.
//
// A change comes down to a target: how many GPUs the reservation is to have in every hour from the running
// one on. The plan then cuts where the target is lower than what is there and adds where it is higher, so
// hours kept keep their price.
//
// A start without an end moves the window and keeps its length; with an end it sets both. Hours that an
// extension adds before or after get the GPUs of the first or the last hour. `gpus` holds from `from` on,
// which when left out is the start, or the next whole hour of a running reservation.
#include "core/alter.h"
#include "core/builder.h"
#include "core/interrupt.h"
#include "core/members.h"

// The most slices that a change may leave a reservation in, unless it had more before. Each change may add
// some, all are written in each event, and planning costs their number squared; whoever comes this far can
// cancel what is left and book it as one.
#define SLICES_MAX 512

struct alteration {
    struct builder *builder;
    const struct change_request *change;
    const struct reservation_image *before;
    bool started;
    struct hour running;    // the hour that now lies in
    struct hour releasable; // the first hour that can be given back
    struct hour start, end; // the new window
    struct hour from;       // where `gpus` begins to hold
};

static struct fingerprint fingerprint_change(struct builder *builder, const struct request *request)
{
    const struct change_request *change = &request->change;
    struct json json = builder_text(builder);
    json_write_array(&json, NULL);
    json_write_integer(&json, NULL, request->kind);
    json_write_integer(&json, NULL, change->id);
    // What was left out counts as such: the defaults move with the clock and a retry must still be the same
    // request.
    json_write_integer(&json, NULL, change->has_gpus ? change->gpus : 0);
    json_write_integer(&json, NULL, change->has_from ? change->from.number : -1);
    json_write_integer(&json, NULL, change->has_start ? change->start.number : -1);
    json_write_integer(&json, NULL, change->has_end ? change->end.number : -1);
    json_write_array_end(&json);
    return decide_fingerprint(builder);
}

static void refuse_member(struct alteration *alteration, const char *member, const char *message)
{
    builder_refuse(alteration->builder, VERDICT_INVALID_PARAMS, message)->path = member;
}

static void check_start(struct alteration *alteration)
{
    const struct reservation_row *row = &alteration->before->row;
    if (alteration->start.number == row->start.number)
        return;
    if (alteration->started)
        builder_refuse(alteration->builder, VERDICT_INVALID_STATE, "it has started, so its start can't move")
            ->state = row->state;
    else if (alteration->start.number < alteration->running.number)
        refuse_member(alteration, "start", "start is in the past");
    else if (row->state == STATE_HELD && alteration->start.number <= alteration->running.number)
        refuse_member(alteration, "start", "a booking of the running hour can't be held");
}

static void check_end(struct alteration *alteration)
{
    const struct reservation_row *row = &alteration->before->row;
    struct hour horizon = book_horizon_end(alteration->builder->book, alteration->builder->at);
    const char *member = alteration->change->has_end ? "end" : "start";
    if (alteration->end.number <= alteration->start.number)
        refuse_member(alteration, member, "end must be after start");
    else if (alteration->end.number > horizon.number && alteration->end.number > row->end.number)
        refuse_member(alteration, member, "end is beyond the horizon of the calendar");
    else if (alteration->end.number < alteration->releasable.number &&
             alteration->end.number != row->end.number)
        refuse_member(alteration, member, "hours that have begun can't be given back");
}

// The plan's GPUs from `from` on may not be lower than what runs in an hour that has begun.
static void check_from(struct alteration *alteration)
{
    const struct change_request *change = alteration->change;
    if (!change->has_gpus) {
        if (change->has_from)
            refuse_member(alteration, "from", "from goes with gpus");
        return;
    }
    int32_t unit = alteration->builder->book->pools[alteration->before->row.pool].row.unit;
    if (change->gpus < 1 || change->gpus > INT32_MAX || change->gpus % unit != 0)
        refuse_member(alteration, "gpus", "gpus must be a positive multiple of the pool's unit");
    else if (alteration->from.number < alteration->start.number ||
             alteration->from.number >= alteration->end.number)
        refuse_member(alteration, change->has_from ? "from" : "gpus",
                      "from must be an hour of the window that is left");
    else if (alteration->from.number < alteration->running.number)
        refuse_member(alteration, "from", "from is in the past");
    else if (alteration->started && alteration->from.number < alteration->releasable.number &&
             change->gpus < reservation_gpus_at(alteration->before, alteration->builder->at))
        refuse_member(alteration, "from", "hours that have begun can't be given back");
}

static void resolve(struct alteration *alteration)
{
    const struct change_request *change = alteration->change;
    const struct reservation_row *row = &alteration->before->row;
    alteration->start = change->has_start ? change->start : row->start;
    if (change->has_end)
        alteration->end = change->end;
    else
        alteration->end = (struct hour){row->end.number + alteration->start.number - row->start.number};
    if (change->has_from)
        alteration->from = change->from;
    else
        alteration->from = alteration->started ? alteration->releasable : alteration->start;
    check_start(alteration);
    check_end(alteration);
    check_from(alteration);
}

// The GPUs that the target has in an hour apart from `gpus`, and until when.
static int32_t kept_gpus(const struct alteration *alteration, const struct plan *original, struct hour hour,
                         struct hour *until)
{
    const struct reservation_row *row = &alteration->before->row;
    bool moved = alteration->change->has_start && !alteration->change->has_end;
    int32_t shift = moved ? alteration->start.number - row->start.number : 0;
    struct hour source = {hour.number - shift};
    if (source.number < row->start.number) {
        *until = row->start;
        source = row->start;
    } else if (source.number >= row->end.number) {
        *until = alteration->end;
        source.number = row->end.number - 1;
    } else {
        *until = row->end;
        struct hour edge = row->end;
        int32_t gpus = plan_gpus_at(original, source, &edge);
        until->number = edge.number + shift;
        return gpus;
    }
    struct hour ignored = row->end;
    return plan_gpus_at(original, source, &ignored);
}

static void plan_alteration(const struct alteration *alteration, int64_t gpus, struct plan *plan)
{
    const struct reservation_row *row = &alteration->before->row;
    bool held = row->state == STATE_HELD;
    struct plan original;
    plan_begin(&original, alteration->builder, row->tenant, row->pool, row->tier, alteration->before, held);
    plan_begin(plan, alteration->builder, row->tenant, row->pool, row->tier, alteration->before, held);
    struct hour hour = alteration->start;
    if (alteration->started)
        hour = alteration->running; // what is delivered stays
    if (alteration->end.number < row->end.number)
        plan_set_gpus(plan, alteration->end.number > row->start.number ? alteration->end : row->start,
                      row->end, 0);
    if (alteration->start.number > row->start.number)
        plan_set_gpus(plan, row->start,
                      alteration->start.number < row->end.number ? alteration->start : row->end, 0);
    while (hour.number < alteration->end.number) {
        struct hour until;
        int32_t target = kept_gpus(alteration, &original, hour, &until);
        if (until.number > alteration->end.number)
            until = alteration->end;
        if (alteration->change->has_gpus && hour.number >= alteration->from.number)
            target = (int32_t)gpus;
        else if (alteration->change->has_gpus && alteration->from.number < until.number)
            until = alteration->from;
        plan_set_gpus(plan, hour, until, target);
        hour = until;
    }
}

// The most GPUs that the same change could ask for within the commitment.
static int64_t most_gpus(const struct alteration *alteration, struct spending *spending)
{
    int32_t unit = alteration->builder->book->pools[alteration->before->row.pool].row.unit;
    int64_t low = 0, high = alteration->change->gpus / unit - 1;
    while (low < high) {
        int64_t middle = low + (high - low + 1) / 2;
        struct plan plan;
        plan_alteration(alteration, middle * unit, &plan);
        plan_price(&plan);
        if (commitment_fits(spending, &plan))
            low = middle;
        else
            high = middle - 1;
    }
    return low * unit;
}

static void check_plan(const struct alteration *alteration, struct plan *plan)
{
    struct builder *builder = alteration->builder;
    const struct pool_row *pool = &builder->book->pools[alteration->before->row.pool].row;
    if (plan->addition_count > 0 && builder->book->tenants[plan->tenant].row.suspended)
        builder_refuse(builder, VERDICT_TENANT_SUSPENDED,
                       "the tenant is suspended and can't add to a booking");
    if (!builder_refused(builder))
        plan_price(plan);
    plan_check_contract(plan, -1);
    plan_check_rate(plan, -1);
    if (!builder_refused(builder))
        check_capacity(builder, plan, pool->pool, -1, false);
    if (builder_refused(builder))
        return;
    struct spending spending = {.builder = builder};
    int32_t gpus = 0;
    for (size_t i = 0; i < plan->addition_count; i++)
        gpus = plan->additions[i].gpus > gpus ? plan->additions[i].gpus : gpus;
    check_commitment(&spending, plan, pool->unit, gpus, -1);
    if (builder_refused(builder) && alteration->change->has_gpus)
        builder->decision->refusal.max_gpus = most_gpus(alteration, &spending);
}

static void add_rows(const struct alteration *alteration, const struct request *request, struct plan *plan,
                     struct fingerprint fingerprint)
{
    struct builder *builder = alteration->builder;
    struct reservation_row row = alteration->before->row;
    row.start = alteration->start;
    row.end = alteration->end;
    if (row.state == STATE_HELD && row.hold_expires.seconds > hour_start(row.start).seconds)
        row.hold_expires = hour_start(row.start);
    if (row.state == STATE_BOOKED && row.start.number <= alteration->running.number)
        row.state = STATE_ACTIVE;
    plan_settle(plan, row.id);
    if (plan->slice_count > SLICES_MAX && plan->slice_count > (size_t)alteration->before->slice_count) {
        builder_refuse(builder, VERDICT_INVALID_STATE,
                       "it has been changed into too many pieces: cancel what is left and book it anew")
            ->state = row.state;
        return;
    }
    alter_expect(builder, 1);
    int64_t event =
        alter_reservation(builder, alteration->before, &row, plan, "reservation.changed", false, NULL);
    interrupt_preempted(builder);
    builder_client_ref(builder, row.tenant, request, fingerprint, row.id, false, event);
}

void decide_change(struct builder *builder, const struct request *request)
{
    uint32_t tenant = decide_tenant(builder, request);
    struct members members;
    struct target target = {.id = request->change.id};
    if (builder_refused(builder) || !members_find(builder, tenant, &target, &members))
        return;
    struct fingerprint fingerprint = fingerprint_change(builder, request);
    if (alter_replayed(builder, tenant, request, fingerprint))
        return;
    members_in_state(builder, &members, 1U << STATE_HELD | 1U << STATE_BOOKED | 1U << STATE_ACTIVE,
                     "it has ended already");
    if (builder_refused(builder))
        return;
    struct alteration alteration = {
        .builder = builder,
        .change = &request->change,
        .before = &members.images[0],
        .started = members.images[0].row.state == STATE_ACTIVE,
        .running = hour_of_instant(builder->at),
        .releasable = hour_at_or_after(builder->at),
    };
    resolve(&alteration);
    if (builder_refused(builder))
        return;
    struct plan plan;
    plan_alteration(&alteration, request->change.gpus, &plan);
    check_plan(&alteration, &plan);
    if (!builder_refused(builder))
        add_rows(&alteration, request, &plan, fingerprint);
}
