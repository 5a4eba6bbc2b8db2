#include "core/alter.h"

#include "core/transition.h"
#include <assert.h>
#include <string.h>

void alter_expect(struct builder *builder, size_t outcomes)
{
    builder->decision->outcomes =
        arena_allocate(builder->arena, outcomes * sizeof *builder->decision->outcomes);
}

// The hours that can't be delivered, and by how much they lower the floor.
static void write_interruptions(struct json *json, const struct plan *plan)
{
    json_write_amount(json, "relief", plan->relieves ? plan->released : AMOUNT_ZERO);
    json_write_array(json, "interruptions");
    for (size_t i = 0; i < plan->release_count; i++) {
        json_write_object(json, NULL);
        json_write_hour(json, "start", plan->releases[i].start);
        json_write_hour(json, "end", plan->releases[i].end);
        json_write_integer(json, "gpus", plan->releases[i].gpus);
        json_write_amount(json, "price_per_gpu_hour", plan->releases[i].price);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

static void write_event(struct builder *builder, const struct plan *plan, const struct outcome *outcome,
                        bool is_new, bool waive_fee, const char *reason)
{
    struct json json = builder_text(builder);
    json_write_object(&json, NULL);
    json_write_object(&json, "reservation");
    book_write_reservation(builder->book, &json, &outcome->image, builder->at);
    json_write_object_end(&json);
    if (!is_new) {
        json_write_amount(&json, "added", outcome->added);
        json_write_amount(&json, "released", outcome->released);
        json_write_amount(&json, waive_fee ? "waived_fee" : "fee", outcome->fee);
    }
    if (plan->interrupts)
        write_interruptions(&json, plan);
    if (reason != NULL)
        json_write_text(&json, "reason", reason);
    json_write_object_end(&json);
}

// The lines of `slice` that differ between before and after. Both are ordered by number.
static void add_slice_rows(struct builder *builder, const struct reservation_image *before,
                           const struct plan *plan)
{
    int32_t old = 0, old_count = before == NULL ? 0 : before->slice_count;
    for (size_t i = 0; i < plan->slice_count; i++) {
        const struct slice_row *slice = &plan->slices[i];
        while (old < old_count && before->slices[old].number < slice->number) {
            struct row *row = builder_add(builder, ROW_SLICE);
            row->slice = before->slices[old++];
            row->slice.removed = true;
        }
        bool known = old < old_count && before->slices[old].number == slice->number;
        const struct slice_row *was = known ? &before->slices[old++] : NULL;
        if (was != NULL && was->start.number == slice->start.number && was->end.number == slice->end.number &&
            was->gpus == slice->gpus)
            continue;
        builder_add(builder, ROW_SLICE)->slice = *slice;
    }
    while (old < old_count) {
        struct row *row = builder_add(builder, ROW_SLICE);
        row->slice = before->slices[old++];
        row->slice.removed = true;
    }
}

// What a booking adds must leave the period's close able to settle it.
static void check_settleable(struct builder *builder, uint32_t period)
{
    struct commitment commitment;
    if (!builder_commitment(builder, period, &commitment) || !commitment_settleable(&commitment))
        builder_refuse(builder, VERDICT_AMOUNT_OVERFLOW,
                       "the period's amounts would pass what can be settled");
}

// What can't be delivered is not owed either.
static void relieve(struct builder *builder, const struct plan_period *sums)
{
    struct contract_period_row *row = builder_period(builder, sums->period);
    if (!amount_add(row->relief, sums->released, &row->relief))
        builder_refuse(builder, VERDICT_AMOUNT_OVERFLOW, "the relief would pass the largest amount");
}

static void add_transfers(struct builder *builder, const struct plan *plan, int64_t reservation,
                          bool waive_fee, int64_t event)
{
    const struct book *book = builder->book;
    for (size_t i = 0; i < plan->period_count; i++) {
        const struct plan_period *sums = &plan->periods[i];
        const struct period *period = &book->periods[sums->period];
        uint32_t authority = period->accounts[ACCOUNT_AUTHORITY],
                 encumbered = period->accounts[ACCOUNT_ENCUMBERED];
        uint32_t fees = period->accounts[ACCOUNT_FEES];
        uint32_t charges = contract_account(book, period->row.contract, ACCOUNT_CHARGES);
        builder_transfer(builder, plan->relieves ? TRANSFER_RELIEF : TRANSFER_RELEASE, encumbered, authority,
                         sums->released, sums->period, reservation, event);
        if (plan->relieves)
            relieve(builder, sums);
        builder_transfer(builder, TRANSFER_BOOK, authority, encumbered, sums->added, sums->period,
                         reservation, event);
        builder_transfer(builder, TRANSFER_FEE, charges, fees, sums->fee, sums->period, reservation, event);
        if (waive_fee)
            builder_transfer(builder, TRANSFER_WAIVE, fees, charges, sums->fee, sums->period, reservation,
                             event);
        builder_touch_period(builder, sums->period);
        if (!amount_is_zero(sums->added) || !amount_is_zero(sums->fee))
            check_settleable(builder, sums->period);
    }
}

void alter_lifecycle(struct builder *builder, int64_t id, struct instant at, enum reservation_state state)
{
    const struct reservation *live = book_live(builder->book, id);
    assert(live != NULL && transition_allowed(live->row.state, state));
    struct reservation_image image = {
        .row = live->row, .slices = live->slices, .slice_count = live->slice_count};
    // The hour before the end is the last window's.
    struct instant shown =
        state == STATE_COMPLETED ? hour_start((struct hour){live->row.end.number - 1}) : at;
    image.row.gpus = reservation_gpus_at(&image, shown);
    image.row.state = state;
    struct instant decided = builder->at;
    builder->at = at;
    struct json json = builder_text(builder);
    json_write_object(&json, NULL);
    json_write_object(&json, "reservation");
    book_write_reservation(builder->book, &json, &image, at);
    json_write_object_end(&json);
    json_write_object_end(&json);
    builder_event(builder, state == STATE_ACTIVE ? "reservation.started" : "reservation.completed",
                  image.row.tenant, id);
    builder_reservation(builder, &image.row);
    builder->at = decided;
}

// Starts are written some time after their hour. What changes a reservation before its start was written
// writes it down first, so that every move has its event.
static void write_start(struct builder *builder, const struct reservation_image *before)
{
    const struct reservation *live = book_live(builder->book, before->row.id);
    if (live->row.state == STATE_BOOKED && before->row.state == STATE_ACTIVE)
        alter_lifecycle(builder, before->row.id, hour_start(live->row.start), STATE_ACTIVE);
}

int64_t alter_reservation(struct builder *builder, const struct reservation_image *before,
                          struct reservation_row *row, const struct plan *plan, const char *event_type,
                          bool waive_fee, const char *reason)
{
    assert(transition_allowed(before == NULL ? STATE_NONE : before->row.state, row->state));
    row->cost = plan->cost;
    row->gpu_hours = plan->gpu_hours;
    row->last_slice = plan->last_slice;
    row->last_layer = plan->last_layer;
    if (row->state != STATE_WAITING)
        row->hold_seconds = 0;
    if (!waive_fee && !amount_add(row->fees, plan->fee, &row->fees))
        builder_refuse(builder, VERDICT_AMOUNT_OVERFLOW, "the fees would pass the largest amount");

    // What is interrupted is no part of what was asked for.
    struct outcome interrupted;
    struct outcome *outcome = &interrupted;
    if (!plan->interrupts)
        outcome = &builder->decision->outcomes[builder->decision->outcome_count++];
    *outcome = (struct outcome){
        .image = {.row = *row, .slices = plan->slices, .slice_count = (int32_t)plan->slice_count},
        .added = plan->added,
        .released = plan->released,
        .fee = plan->fee,
    };
    row->gpus = outcome->image.row.gpus = reservation_gpus_at(&outcome->image, builder->at);

    if (before == NULL)
        builder_add(builder, ROW_RESERVATION)->reservation = *row;
    else
        write_start(builder, before);
    add_slice_rows(builder, before, plan);
    write_event(builder, plan, outcome, before == NULL, waive_fee, reason);
    int64_t event = builder_event(builder, event_type, row->tenant, row->id);
    add_transfers(builder, plan, row->id, waive_fee, event);
    if (before != NULL)
        builder_reservation(builder, row);
    if (waive_fee)
        outcome->fee = AMOUNT_ZERO;
    return event;
}

static void show_again(struct builder *builder, int64_t thing, bool is_group)
{
    struct decision *decision = builder->decision;
    decision->group = is_group ? thing : 0;
    decision->replay_thing = thing;
    struct reservation_image image;
    if (!book_reservation(builder->book, thing, builder->at, &image))
        return;
    int32_t legs = is_group ? image.row.legs : 1;
    for (int32_t leg = 1; leg < legs; leg++)
        if (!book_reservation_live(builder->book, thing + leg))
            return;
    alter_expect(builder, (size_t)legs);
    for (int32_t leg = 0; leg < legs; leg++) {
        struct outcome *outcome = &decision->outcomes[decision->outcome_count++];
        book_reservation(builder->book, thing + leg, builder->at, &outcome->image);
    }
    decision->replay_thing = 0;
}

bool alter_replayed(struct builder *builder, uint32_t scope, const struct request *request,
                    struct fingerprint fingerprint)
{
    int64_t thing;
    bool is_group;
    if (!decide_replay(builder, scope, request, fingerprint, &thing, &is_group))
        return false;
    if (!builder_refused(builder))
        show_again(builder, thing, is_group);
    return true;
}

// Where the request as a whole could start later.
static void find_next_start(struct builder *builder, const struct plan *plan,
                            const struct plan_addition *addition, struct refusal *refusal)
{
    refusal->has_next_start = builder_next_fit(builder, plan->pool, plan->tier, addition->start,
                                               addition->end.number - addition->start.number, addition->gpus,
                                               book_horizon_end(builder->book, builder->at),
                                               &refusal->next_start, &refusal->searched_until);
}

static struct refusal *refuse_capacity(struct builder *builder, const struct plan_addition *addition,
                                       const char *message, const char *pool, int32_t leg, int64_t free,
                                       struct hour first_short)
{
    struct refusal *refusal = builder_refuse(builder, VERDICT_CAPACITY_EXCEEDED, message);
    refusal->leg = leg;
    refusal->pool = pool;
    refusal->free = free < 0 ? 0 : free > INT32_MAX ? INT32_MAX : (int32_t)free;
    refusal->first_short = first_short;
    refusal->searched_until = addition->start;
    return refusal;
}

static void refuse_power(struct builder *builder, const struct plan *plan,
                         const struct plan_addition *addition, const char *pool, int32_t leg, bool may_move,
                         const struct power_gap *gap)
{
    const struct pool_row *row = &builder->book->pools[plan->pool].row;
    int64_t free = gap->least < 0 ? 0 : gap->least / row->watts_per_gpu / row->unit * row->unit;
    struct refusal *refusal =
        refuse_capacity(builder, addition, "the site has less power left in the window than this would use",
                        pool, leg, free, gap->first_short);
    refusal->missing_watts = gap->missing;
    if (may_move)
        find_next_start(builder, plan, addition, refusal);
}

void check_capacity(struct builder *builder, const struct plan *plan, const char *pool, int32_t leg,
                    bool may_move)
{
    for (size_t i = 0; i < plan->addition_count && !builder_refused(builder); i++) {
        const struct plan_addition *addition = &plan->additions[i];
        int32_t free;
        struct hour first_short;
        struct power_gap gap;
        if (!builder_fits(builder, plan->pool, plan->tier, addition->start, addition->end, addition->gpus,
                          &free, &first_short)) {
            struct refusal *refusal = refuse_capacity(
                builder, addition, "the pool has fewer GPUs free in the window than were asked for", pool,
                leg, free, first_short);
            if (may_move)
                find_next_start(builder, plan, addition, refusal);
        } else if (!builder_powers(builder, plan->pool, plan->tier, addition->start, addition->end,
                                   addition->gpus, &gap)) {
            refuse_power(builder, plan, addition, pool, leg, may_move, &gap);
        } else {
            builder_take(builder, plan->pool, plan->tier, addition->start, addition->end, addition->gpus);
        }
    }
}

// What may still be spent in a period: what is available, with what this plan releases there and less what
// the decision spent before. False: no limit.
static bool available_in(void *context, uint32_t period, struct amount *amount)
{
    const struct spending *spending = context;
    const struct period *found = &spending->builder->book->periods[period];
    if (found->row.overage_unlimited)
        return false;
    // Authority bounds all of these, so none of the sums can overflow.
    int64_t micro = account_balance(spending->builder->book, found->accounts[ACCOUNT_AUTHORITY]).micro;
    for (size_t i = 0; i < spending->count; i++)
        if (spending->spent[i].period == period)
            micro -= spending->spent[i].micro;
    for (size_t i = 0; i < spending->plan->period_count; i++)
        if (spending->plan->periods[i].period == period)
            micro += spending->plan->periods[i].released.micro;
    amount->micro = micro < 0 ? 0 : micro;
    return true;
}

static void remember(struct spending *spending, uint32_t period, int64_t micro)
{
    spending->spent = arena_grow(spending->builder->arena, spending->spent, spending->count,
                                 &spending->capacity, sizeof *spending->spent);
    spending->spent[spending->count++] = (struct spent){.period = period, .micro = micro};
}

// The sums of the earliest period in which the plan costs more than is available, or NULL.
static const struct plan_period *first_exceeded(struct spending *spending, const struct plan *plan,
                                                struct amount *available)
{
    const struct period *periods = spending->builder->book->periods;
    const struct plan_period *first = NULL;
    spending->plan = plan;
    for (size_t i = 0; i < plan->period_count; i++) {
        const struct plan_period *sums = &plan->periods[i];
        struct amount here;
        if (amount_is_zero(sums->added) || !available_in(spending, sums->period, &here) ||
            amount_compare(sums->added, here) <= 0 ||
            (first != NULL &&
             periods[first->period].row.start.number < periods[sums->period].row.start.number))
            continue;
        first = sums;
        *available = here;
    }
    return first;
}

bool commitment_fits(struct spending *spending, const struct plan *plan)
{
    struct amount available;
    return first_exceeded(spending, plan, &available) == NULL;
}

void check_commitment(struct spending *spending, const struct plan *plan, int32_t unit, int32_t gpus,
                      int32_t leg)
{
    struct builder *builder = spending->builder;
    struct amount available;
    const struct plan_period *exceeded = first_exceeded(spending, plan, &available);
    if (exceeded != NULL) {
        const struct contract_period_row *period = &builder->book->periods[exceeded->period].row;
        int64_t most = plan_most_gpus(plan, unit, gpus, available_in, spending);
        struct refusal *refusal =
            builder_refuse(builder, VERDICT_COMMITMENT_EXCEEDED,
                           "the contract's period has less left to spend than this would cost");
        refusal->leg = leg;
        refusal->contract = builder->book->contracts[period->contract].row.contract;
        refusal->period_start = period->start;
        refusal->available = available;
        refusal->needed = exceeded->added;
        refusal->max_gpus = most;
        return;
    }
    for (size_t i = 0; i < plan->period_count; i++)
        remember(spending, plan->periods[i].period,
                 plan->periods[i].added.micro - plan->periods[i].released.micro);
}
