// reservation.create and reservation.create_group: one decision over one or many legs, booked or held.
#include "core/alter.h"
#include "core/builder.h"
#include "core/interrupt.h"
#include <assert.h>
#include <string.h>

struct creation {
    struct builder *builder;
    const struct request *request;
    const struct create_request *create;
    uint32_t tenant;
    uint32_t *pools; // by leg
    struct plan *plans;
    bool grouped;
    bool waits; // it doesn't fit, and waits until it does
};

static int32_t leg_number(const struct creation *creation, size_t leg)
{
    return creation->grouped ? (int32_t)leg : -1;
}

static struct refusal *refuse_leg(struct creation *creation, size_t leg, const char *member,
                                  const char *message)
{
    struct refusal *refusal = builder_refuse(creation->builder, VERDICT_INVALID_PARAMS, message);
    refusal->leg = leg_number(creation, leg);
    refusal->path = member;
    return refusal;
}

// The legs' pools by name, and what only a pool can say of them.
static void resolve_legs(struct creation *creation)
{
    const struct book *book = creation->builder->book;
    for (size_t i = 0; i < creation->create->leg_count && !builder_refused(creation->builder); i++) {
        const struct leg *leg = &creation->create->legs[i];
        creation->pools[i] = book_pool(book, leg->pool);
        if (creation->pools[i] == 0) {
            builder_refuse_parts(creation->builder, VERDICT_NOT_FOUND, "there is no pool ", leg->pool,
                                 (const char *)NULL)
                ->leg = leg_number(creation, i);
            return;
        }
        if (leg->gpus < 1 || leg->gpus > INT32_MAX ||
            leg->gpus % book->pools[creation->pools[i]].row.unit != 0)
            refuse_leg(creation, i, "gpus", "gpus must be a positive multiple of the pool's unit");
        else if (leg->end.number <= leg->start.number)
            refuse_leg(creation, i, "end", "end must be after start");
    }
}

static struct fingerprint fingerprint_creation(struct creation *creation)
{
    struct json json = builder_text(creation->builder);
    json_write_array(&json, NULL);
    json_write_integer(&json, NULL, creation->request->kind);
    json_write_integer(&json, NULL, creation->create->hold_seconds);
    json_write_integer(&json, NULL,
                       creation->create->has_wait_until ? creation->create->wait_until.seconds : 0);
    for (size_t i = 0; i < creation->create->leg_count; i++) {
        const struct leg *leg = &creation->create->legs[i];
        json_write_integer(&json, NULL, creation->pools[i]);
        json_write_integer(&json, NULL, leg->gpus);
        json_write_integer(&json, NULL, leg->start.number);
        json_write_integer(&json, NULL, leg->end.number);
        json_write_integer(&json, NULL, (int64_t)leg->tier);
        json_write_text(&json, NULL, leg->project);
        json_write_text(&json, NULL, leg->note);
    }
    json_write_array_end(&json);
    return decide_fingerprint(creation->builder);
}

// What the clock says of the windows. After the replay, so that a retry finds its booking even when its start
// has passed.
static void check_windows(struct creation *creation)
{
    struct builder *builder = creation->builder;
    struct hour running = hour_of_instant(builder->at);
    struct hour horizon = book_horizon_end(builder->book, builder->at);
    for (size_t i = 0; i < creation->create->leg_count && !builder_refused(builder); i++) {
        const struct leg *leg = &creation->create->legs[i];
        if (leg->start.number < running.number)
            refuse_leg(creation, i, "start", "start is in the past");
        else if (leg->end.number > horizon.number)
            refuse_leg(creation, i, "end", "end is beyond the horizon of the calendar");
        else if (creation->create->hold_seconds > 0 && leg->start.number <= running.number)
            refuse_leg(creation, i, "hold_seconds", "a booking of the running hour can't be held");
        else if (creation->create->has_wait_until && leg->start.number <= running.number)
            refuse_leg(creation, i, "wait_until", "a booking of the running hour can't wait");
    }
    if (creation->create->has_wait_until && creation->create->wait_until.seconds <= builder->at.seconds)
        builder_refuse(builder, VERDICT_INVALID_PARAMS, "wait_until is not in the future")->path =
            "wait_until";
    if (creation->create->hold_seconds > builder->book->options.hold_seconds_max)
        builder_refuse(builder, VERDICT_INVALID_PARAMS, "hold_seconds is more than this daemon allows")
            ->path = "hold_seconds";
}

static void plan_legs(struct creation *creation)
{
    for (size_t i = 0; i < creation->create->leg_count && !builder_refused(creation->builder); i++) {
        const struct leg *leg = &creation->create->legs[i];
        struct plan *plan = &creation->plans[i];
        plan_begin(plan, creation->builder, creation->tenant, creation->pools[i], leg->tier, NULL, false);
        plan_set_gpus(plan, leg->start, leg->end, (int32_t)leg->gpus);
        plan_price(plan);
        if (builder_refused(creation->builder)) // an amount that overflows
            creation->builder->decision->refusal.leg = leg_number(creation, i);
    }
}

// The most GPUs that the pool will have in any hour, as far as is known.
static int64_t most_capacity(const struct book *book, uint32_t pool, struct hour from)
{
    const struct pool *found = &book->pools[pool];
    int64_t most = book_capacity(book, pool, from);
    for (size_t i = 0; i < found->change_count; i++) {
        struct hour edges[] = {found->changes[i].start, found->changes[i].end};
        for (int k = 0; k < 2; k++) {
            int64_t capacity = edges[k].number > from.number && edges[k].number != HOUR_NEVER.number
                                   ? book_capacity(book, pool, edges[k])
                                   : 0;
            most = capacity > most ? capacity : most;
        }
    }
    return most;
}

// Does a single booking not fit now, and could it ever? What never can is refused for want of capacity like
// one that doesn't wait.
static bool must_wait(const struct creation *creation)
{
    const struct builder *builder = creation->builder;
    const struct leg *leg = &creation->create->legs[0];
    int32_t free;
    struct hour first_short;
    struct power_gap gap;
    return !builder_refused(builder) &&
           (!builder_fits(builder, creation->pools[0], leg->tier, leg->start, leg->end, (int32_t)leg->gpus,
                          &free, &first_short) ||
            !builder_powers(builder, creation->pools[0], leg->tier, leg->start, leg->end, (int32_t)leg->gpus,
                            &gap)) &&
           leg->gpus <= most_capacity(builder->book, creation->pools[0], hour_of_instant(builder->at));
}

// One reason after the other, each of all legs.
static void check_legs(struct creation *creation)
{
    struct builder *builder = creation->builder;
    for (size_t i = 0; i < creation->create->leg_count; i++)
        plan_check_contract(&creation->plans[i], leg_number(creation, i));
    for (size_t i = 0; i < creation->create->leg_count; i++)
        plan_check_rate(&creation->plans[i], leg_number(creation, i));
    if (creation->create->has_wait_until && must_wait(creation))
        creation->waits = true;
    // Preemptible legs get what firm ones leave, also within a group.
    for (int tier = TIER_FIRM; tier < TIER_COUNT; tier++)
        for (size_t i = 0; i < creation->create->leg_count && !builder_refused(builder); i++)
            if (!creation->waits && (int)creation->create->legs[i].tier == tier)
                check_capacity(builder, &creation->plans[i], creation->create->legs[i].pool,
                               leg_number(creation, i), true);
    struct spending spending = {.builder = builder};
    for (size_t i = 0; i < creation->create->leg_count && !builder_refused(builder); i++)
        check_commitment(&spending, &creation->plans[i], builder->book->pools[creation->pools[i]].row.unit,
                         (int32_t)creation->create->legs[i].gpus, leg_number(creation, i));
}

// The end of a hold or of a wait, which is never later than the start.
static struct instant expiry(struct instant asked, const struct leg *leg)
{
    struct instant start = hour_start(leg->start);
    return asked.seconds < start.seconds ? asked : start;
}

// A reservation that waits takes nothing, so it has no slices.
static int64_t add_waiting(struct creation *creation, struct reservation_row *row)
{
    const struct create_request *create = creation->create;
    row->state = STATE_WAITING;
    row->wait_until = expiry(create->wait_until, &create->legs[0]);
    row->hold_seconds = (int32_t)create->hold_seconds;
    struct plan nothing;
    plan_begin(&nothing, creation->builder, row->tenant, row->pool, row->tier, NULL, false);
    plan_settle(&nothing, row->id);
    return alter_reservation(creation->builder, NULL, row, &nothing, "reservation.waiting", false, NULL);
}

static int64_t add_leg(struct creation *creation, size_t i, int64_t group)
{
    struct builder *builder = creation->builder;
    const struct leg *leg = &creation->create->legs[i];
    struct reservation_row row = {
        .id = builder->next_reservation++,
        .tenant = creation->tenant,
        .pool = creation->pools[i],
        .tier = leg->tier,
        .state = STATE_BOOKED,
        .start = leg->start,
        .end = leg->end,
        .gpus = (int32_t)leg->gpus,
        .created = builder->at,
        .group = group,
        .legs = creation->grouped ? (int32_t)creation->create->leg_count : 0,
        .client_ref = arena_copy_text(builder->arena, creation->request->client_ref),
        .project = arena_copy_text(builder->arena, leg->project),
        .note = arena_copy_text(builder->arena, leg->note),
    };
    if (creation->waits)
        return add_waiting(creation, &row);
    const char *event = "reservation.booked";
    if (creation->create->hold_seconds > 0) {
        event = "reservation.held";
        row.state = STATE_HELD;
        row.hold_expires =
            expiry((struct instant){builder->at.seconds + creation->create->hold_seconds}, leg);
    } else if (hour_start(leg->start).seconds <= builder->at.seconds) {
        row.state = STATE_ACTIVE;
    }
    plan_settle(&creation->plans[i], row.id);
    return alter_reservation(builder, NULL, &row, &creation->plans[i], event, false, NULL);
}

void decide_create(struct builder *builder, const struct request *request)
{
    const struct create_request *create = &request->create;
    struct creation creation = {
        .builder = builder,
        .request = request,
        .create = create,
        .tenant = decide_tenant(builder, request),
        .pools = arena_allocate(builder->arena, create->leg_count * sizeof *creation.pools),
        .plans = arena_allocate(builder->arena, create->leg_count * sizeof *creation.plans),
        .grouped = request->kind == REQUEST_CREATE_GROUP,
    };
    if (builder_refused(builder))
        return;
    resolve_legs(&creation);
    if (builder_refused(builder))
        return;
    struct fingerprint fingerprint = fingerprint_creation(&creation);
    if (alter_replayed(builder, creation.tenant, request, fingerprint))
        return;
    check_windows(&creation);
    if (builder->book->tenants[creation.tenant].row.suspended)
        builder_refuse(builder, VERDICT_TENANT_SUSPENDED, "the tenant is suspended and can't book");
    if (!builder_refused(builder))
        plan_legs(&creation);
    if (!builder_refused(builder))
        check_legs(&creation);
    if (builder_refused(builder))
        return;
    int64_t first = builder->next_reservation;
    builder->decision->group = creation.grouped ? first : 0;
    alter_expect(builder, create->leg_count);
    int64_t first_event = builder->next_event;
    for (size_t i = 0; i < create->leg_count; i++)
        add_leg(&creation, i, builder->decision->group);
    interrupt_preempted(builder);
    builder_client_ref(builder, creation.tenant, request, fingerprint, first, creation.grouped, first_event);
}
