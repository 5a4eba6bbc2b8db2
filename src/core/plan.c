#include "core/plan.h"

#include <assert.h>
#include <string.h>

static struct slice_row *add_slice(struct plan *plan, struct slice_row slice)
{
    plan->slices = arena_grow(plan->builder->arena, plan->slices, plan->slice_count, &plan->slice_capacity,
                              sizeof *plan->slices);
    plan->slices[plan->slice_count] = slice;
    return &plan->slices[plan->slice_count++];
}

static struct plan_period *period_of(struct plan *plan, uint32_t period)
{
    for (size_t i = 0; i < plan->period_count; i++)
        if (plan->periods[i].period == period)
            return &plan->periods[i];
    plan->periods = arena_grow(plan->builder->arena, plan->periods, plan->period_count,
                               &plan->period_capacity, sizeof *plan->periods);
    plan->periods[plan->period_count] = (struct plan_period){.period = period};
    return &plan->periods[plan->period_count++];
}

// ---- Order

static bool before_by_layer(const struct slice_row *a, const struct slice_row *b)
{
    return a->layer != b->layer ? a->layer < b->layer : a->start.number < b->start.number;
}

static bool before_by_number(const struct slice_row *a, const struct slice_row *b)
{
    return a->number < b->number;
}

// By insertion: slices are nearly in order.
static void sort_slices(struct plan *plan, bool (*before)(const struct slice_row *, const struct slice_row *))
{
    for (size_t i = 1; i < plan->slice_count; i++) {
        struct slice_row moved = plan->slices[i];
        size_t place = i;
        while (place > 0 && before(&moved, &plan->slices[place - 1])) {
            plan->slices[place] = plan->slices[place - 1];
            place--;
        }
        plan->slices[place] = moved;
    }
}

void plan_begin(struct plan *plan, struct builder *builder, uint32_t tenant, uint32_t pool, enum tier tier,
                const struct reservation_image *before, bool free_of_charge)
{
    *plan = (struct plan){
        .builder = builder,
        .tenant = tenant,
        .pool = pool,
        .tier = tier,
        .free_of_charge = free_of_charge,
        .uncovered = HOUR_NEVER,
        .unrated = HOUR_NEVER,
    };
    if (before == NULL)
        return;
    plan->last_slice = before->row.last_slice;
    plan->last_layer = before->row.last_layer;
    for (int32_t i = 0; i < before->slice_count; i++)
        add_slice(plan, before->slices[i]);
    sort_slices(plan, before_by_layer);
}

// ---- Cutting

static bool add_cost(struct plan *plan, struct amount price, int64_t gpus, int64_t hours, struct amount *sum)
{
    struct amount cost;
    if (gpus <= 0 || hours <= 0)
        return true;
    if (amount_multiply(price, gpus, &cost) && amount_multiply(cost, hours, &cost) &&
        amount_add(*sum, cost, sum))
        return true;
    builder_refuse(plan->builder, VERDICT_AMOUNT_OVERFLOW,
                   "the price of the window would pass the largest amount");
    return false;
}

// The first hour that can be released without a fee under the contract of a period.
static struct hour free_from(const struct plan *plan, uint32_t period)
{
    const struct book *book = plan->builder->book;
    const struct contract *contract = &book->contracts[book->periods[period].row.contract];
    struct instant noticed = {plan->builder->at.seconds +
                              (int64_t)contract->terms.cancel_notice_hours * SECONDS_PER_HOUR};
    return hour_at_or_after(noticed);
}

static void note_release(struct plan *plan, const struct slice_row *slice, int32_t gpus)
{
    struct plan_release *last = plan->release_count > 0 ? &plan->releases[plan->release_count - 1] : NULL;
    if (last != NULL && last->end.number == slice->start.number && last->gpus == gpus &&
        last->price.micro == slice->price.micro && last->period == slice->period) {
        last->end = slice->end;
        return;
    }
    plan->releases = arena_grow(plan->builder->arena, plan->releases, plan->release_count,
                                &plan->release_capacity, sizeof *plan->releases);
    plan->releases[plan->release_count++] = (struct plan_release){.start = slice->start,
                                                                  .end = slice->end,
                                                                  .gpus = gpus,
                                                                  .price = slice->price,
                                                                  .period = slice->period};
}

static void count_release(struct plan *plan, const struct slice_row *slice, int32_t gpus)
{
    if (plan->interrupts)
        note_release(plan, slice, gpus);
    struct plan_period *period = period_of(plan, slice->period);
    add_cost(plan, slice->price, gpus, slice->end.number - slice->start.number, &period->released);
    if (plan->free_of_charge)
        return;
    struct hour free = free_from(plan, slice->period);
    int32_t late_end = slice->end.number < free.number ? slice->end.number : free.number;
    add_cost(plan, slice->price, gpus, late_end - slice->start.number, &period->late);
}

// The places of the slices with GPUs in an hour, by layer, the newest first. Slices are nearly in the order
// of their layers, so finding the place of each costs little.
static size_t find_covering(struct plan *plan, struct hour hour)
{
    if (plan->covering_capacity < plan->slice_count) {
        plan->covering_capacity = plan->slice_capacity;
        plan->covering =
            arena_allocate(plan->builder->arena, plan->covering_capacity * sizeof *plan->covering);
    }
    size_t count = 0;
    for (size_t i = plan->slice_count; i-- > 0;) {
        const struct slice_row *slice = &plan->slices[i];
        if (slice->gpus == 0 || slice->start.number > hour.number || slice->end.number <= hour.number)
            continue;
        size_t place = count++;
        for (; place > 0 && plan->slices[plan->covering[place - 1]].layer < slice->layer; place--)
            plan->covering[place] = plan->covering[place - 1];
        plan->covering[place] = i;
    }
    return count;
}

// Takes GPUs from one slice in a window that it covers. A slice is cut in two only where a part of it stays
// on either side of the cut, so that a long stack of slices stays as short as it was.
static void cut(struct plan *plan, size_t place, struct hour start, struct hour end, int32_t gpus)
{
    struct slice_row window = plan->slices[place];
    window.start = start;
    window.end = end;
    count_release(plan, &window, gpus);
    window.gpus -= gpus;
    struct slice_row after = plan->slices[place];
    after.start = end;
    if (plan->slices[place].start.number < start.number) {
        plan->slices[place].end = start;
        if (window.gpus > 0)
            add_slice(plan, window);
        if (after.end.number > end.number)
            add_slice(plan, after);
    } else if (window.gpus == 0 && after.end.number > end.number) {
        plan->slices[place] = after;
    } else {
        plan->slices[place] = window;
        if (after.end.number > end.number)
            add_slice(plan, after);
    }
}

// Of the slices over a window, each of which covers it or lies outside it, takes GPUs away: the newest first.
static void release(struct plan *plan, struct hour start, struct hour end, int32_t gpus)
{
    size_t count = find_covering(plan, start);
    for (size_t i = 0; i < count && gpus > 0; i++) {
        int32_t present = plan->slices[plan->covering[i]].gpus;
        int32_t taken = present < gpus ? present : gpus;
        cut(plan, plan->covering[i], start, end, taken);
        gpus -= taken;
    }
    assert(gpus == 0);
}

static void add(struct plan *plan, struct hour start, struct hour end, int32_t gpus)
{
    struct plan_addition *last = plan->addition_count > 0 ? &plan->additions[plan->addition_count - 1] : NULL;
    if (last != NULL && last->end.number == start.number && last->gpus == gpus) {
        last->end = end;
        return;
    }
    plan->additions = arena_grow(plan->builder->arena, plan->additions, plan->addition_count,
                                 &plan->addition_capacity, sizeof *plan->additions);
    plan->additions[plan->addition_count++] =
        (struct plan_addition){.start = start, .end = end, .gpus = gpus};
}

int32_t plan_gpus_at(const struct plan *plan, struct hour hour, struct hour *until)
{
    int32_t gpus = 0;
    for (size_t i = 0; i < plan->slice_count; i++) {
        const struct slice_row *slice = &plan->slices[i];
        if (slice->start.number <= hour.number && hour.number < slice->end.number)
            gpus += slice->gpus;
        if (slice->start.number > hour.number && slice->start.number < until->number)
            *until = slice->start;
        if (slice->end.number > hour.number && slice->end.number < until->number)
            *until = slice->end;
    }
    return gpus;
}

void plan_set_gpus(struct plan *plan, struct hour start, struct hour end, int32_t gpus)
{
    struct hour hour = start;
    while (hour.number < end.number) {
        struct hour until = end;
        int32_t present = plan_gpus_at(plan, hour, &until);
        if (gpus < present)
            release(plan, hour, until, present - gpus);
        else if (gpus > present)
            add(plan, hour, until, gpus - present);
        hour = until;
    }
}

// ---- Pricing

// Turns one addition into slices of the new layer.
static void price_addition(struct plan *plan, const struct plan_addition *addition)
{
    const struct book *book = plan->builder->book;
    struct hour hour = addition->start;
    struct slice_row *last = NULL;
    while (hour.number < addition->end.number) {
        uint32_t contract = book_contract_at(book, plan->tenant, plan->pool, hour);
        if (contract == 0) {
            if (hour.number < plan->uncovered.number)
                plan->uncovered = hour;
            return;
        }
        uint32_t period = contract_period_at(book, contract, hour);
        struct hour until, end = book->periods[period].row.end;
        struct amount price;
        bool rated = contract_price_at(book, contract, plan->pool, plan->tier, hour, &price, &until);
        if (end.number > until.number)
            end = until;
        if (end.number > addition->end.number)
            end = addition->end;
        if (!rated) {
            if (hour.number < plan->unrated.number)
                plan->unrated = hour;
        } else {
            struct plan_period *sums = period_of(plan, period);
            add_cost(plan, price, addition->gpus, end.number - hour.number, &sums->added);
            if (last != NULL && last->period == period && last->price.micro == price.micro)
                last->end = end;
            else
                last = add_slice(plan, (struct slice_row){.layer = plan->last_layer,
                                                          .start = hour,
                                                          .end = end,
                                                          .gpus = addition->gpus,
                                                          .price = price,
                                                          .period = period});
        }
        hour = end;
    }
}

void plan_price(struct plan *plan)
{
    if (plan->addition_count == 0)
        return;
    plan->last_layer++;
    for (size_t i = 0; i < plan->addition_count; i++)
        price_addition(plan, &plan->additions[i]);
}

static void refuse_gap(const struct plan *plan, struct hour gap, enum verdict verdict, const char *message,
                       int32_t leg)
{
    if (gap.number == HOUR_NEVER.number)
        return;
    struct refusal *refusal = builder_refuse(plan->builder, verdict, message);
    refusal->first_uncovered = gap;
    refusal->leg = leg;
}

void plan_check_contract(const struct plan *plan, int32_t leg)
{
    refuse_gap(plan, plan->uncovered, VERDICT_NO_CONTRACT,
               "no contract of the tenant covers the whole window", leg);
}

void plan_check_rate(const struct plan *plan, int32_t leg)
{
    refuse_gap(plan, plan->unrated, VERDICT_NO_RATE, "the pool has no price for the whole window", leg);
}

// ---- Settling

// Drops what was cut to nothing and joins neighbours that differ in nothing.
static void merge_slices(struct plan *plan)
{
    sort_slices(plan, before_by_layer);
    size_t kept = 0;
    for (size_t i = 0; i < plan->slice_count; i++) {
        struct slice_row slice = plan->slices[i];
        if (slice.gpus == 0)
            continue;
        struct slice_row *last = kept > 0 ? &plan->slices[kept - 1] : NULL;
        if (last != NULL && last->layer == slice.layer && last->end.number == slice.start.number &&
            last->gpus == slice.gpus && last->price.micro == slice.price.micro &&
            last->period == slice.period)
            last->end = slice.end;
        else
            plan->slices[kept++] = slice;
    }
    plan->slice_count = kept;
}

// The first piece of a slice keeps its number; later ones and new slices get the next ones.
static void number_slices(struct plan *plan, int64_t reservation)
{
    for (size_t i = 0; i < plan->slice_count; i++) {
        struct slice_row *slice = &plan->slices[i];
        slice->reservation = reservation;
        bool taken = slice->number == 0;
        for (size_t k = 0; k < i && !taken; k++)
            taken = plan->slices[k].number == slice->number;
        if (taken)
            slice->number = ++plan->last_slice;
    }
    sort_slices(plan, before_by_number);
}

void plan_settle(struct plan *plan, int64_t reservation)
{
    merge_slices(plan);
    number_slices(plan, reservation);
    for (size_t i = 0; i < plan->slice_count; i++) {
        const struct slice_row *slice = &plan->slices[i];
        int64_t hours = slice->end.number - slice->start.number;
        add_cost(plan, slice->price, slice->gpus, hours, &plan->cost);
        plan->gpu_hours += hours * slice->gpus;
    }
    bool fits = true;
    for (size_t i = 0; i < plan->period_count; i++) {
        struct plan_period *period = &plan->periods[i];
        const struct book *book = plan->builder->book;
        const struct contract *contract = &book->contracts[book->periods[period->period].row.contract];
        fits = fits && amount_percent(period->late, contract->terms.late_fee_bp, &period->fee) &&
               amount_add(plan->added, period->added, &plan->added) &&
               amount_add(plan->released, period->released, &plan->released) &&
               amount_add(plan->fee, period->fee, &plan->fee);
    }
    if (!fits)
        builder_refuse(plan->builder, VERDICT_AMOUNT_OVERFLOW, "the amounts would pass the largest amount");
}

// What the plan's new slices would cost in a period with at most so many GPUs each.
static bool cost_with(const struct plan *plan, uint32_t period, int32_t gpus, struct amount *sum)
{
    *sum = AMOUNT_ZERO;
    for (size_t i = 0; i < plan->slice_count; i++) {
        const struct slice_row *slice = &plan->slices[i];
        if (slice->period != period || slice->layer != plan->last_layer)
            continue;
        struct amount cost;
        if (!amount_multiply(slice->price, slice->gpus < gpus ? slice->gpus : gpus, &cost) ||
            !amount_multiply(cost, slice->end.number - slice->start.number, &cost) ||
            !amount_add(*sum, cost, sum))
            return false;
    }
    return true;
}

int64_t plan_most_gpus(const struct plan *plan, int32_t unit, int32_t gpus,
                       bool (*available)(void *context, uint32_t period, struct amount *amount),
                       void *context)
{
    int64_t most = gpus / unit;
    for (size_t i = 0; i < plan->period_count; i++) {
        struct amount limit;
        if (!available(context, plan->periods[i].period, &limit))
            continue;
        int64_t low = 0; // units that fit
        while (low < most) {
            int64_t middle = low + (most - low + 1) / 2;
            struct amount cost;
            if (cost_with(plan, plan->periods[i].period, (int32_t)(middle * unit), &cost) &&
                amount_compare(cost, limit) <= 0)
                low = middle;
            else
                most = middle - 1;
        }
        most = low;
    }
    return most * unit;
}
