// The model's time: what falls due, and what a period comes to.
#include "model.h"

#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 wide;

int32_t model_hour(const struct model *model)
{
    return (int32_t)(model->now / 3600);
}

int32_t model_next_hour(const struct model *model)
{
    return (int32_t)((model->now + 3599) / 3600);
}

int32_t model_horizon(const struct model *model)
{
    return hour_add_months((struct hour){model_hour(model)}, 12 * model->horizon_years).number;
}

int32_t month_after(int32_t hour)
{
    return hour_next_month((struct hour){hour}).number;
}

int64_t model_share(int64_t amount, int64_t numerator, int64_t denominator)
{
    wide product = (wide)amount * numerator;
    wide whole = product / denominator, twice = product % denominator * 2;
    if (twice > denominator || (twice == denominator && whole % 2 == 1))
        whole++;
    return (int64_t)whole;
}

static int64_t at_least_zero(int64_t a)
{
    return a > 0 ? a : 0;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// ---- A period's amounts

int64_t period_consumed(const struct model_period *period, int32_t before)
{
    int64_t sum = 0;
    for (int32_t hour = period->start; hour < period->end && hour < before; hour++)
        sum += period->cost[hour - period->start];
    return sum;
}

int64_t period_used(const struct model_period *period)
{
    return period_consumed(period, period->end);
}

int64_t period_committed(const struct model_period *period)
{
    return period->commit + period->deferred_in;
}

int64_t period_floor(const struct model_period *period)
{
    return at_least_zero(period_committed(period) - period->relief);
}

int64_t period_available(const struct model_period *period)
{
    return at_least_zero(period->commit + period->deferred_in + period->credit + period->overage_limit -
                         period_used(period));
}

// ---- What falls due

static void expire(struct model *model, struct model_reservation *reservation)
{
    reservation->gpus = reservation_gpus_shown(model, reservation);
    for (size_t i = 0; i < reservation->count; i++) {
        const struct piece *piece = &reservation->pieces[i];
        struct model_period *period = &model->periods[piece->period];
        period->cost[piece->hour - period->start] -= piece->gpus * piece->price;
        model->pools[reservation->pool].taken[piece->hour - model->origin] -= piece->gpus;
        if (reservation->tier == TIER_FIRM)
            model->pools[reservation->pool].taken_firm[piece->hour - model->origin] -= piece->gpus;
    }
    reservation->count = 0;
    reservation->state = STATE_EXPIRED;
    reservation->hold_seconds = 0;
}

// In arrears what was consumed beyond credit is billed, and always the fees.
static void end_month(struct model *model, struct model_contract *contract)
{
    for (int i = 0; i < contract->period_count; i++) {
        struct model_period *period = &model->periods[contract->first_period + i];
        if (period->closed)
            continue;
        if (contract->terms.billing == BILLING_ARREARS) {
            int64_t consumed = period_consumed(period, contract->next_month);
            int64_t by_credit = least(period->credit, at_least_zero(consumed - period_committed(period)));
            period->billed += at_least_zero(consumed - by_credit - (period->billed - period->fees_billed));
        }
        period->billed += period->fees - period->fees_billed;
        period->fees_billed = period->fees;
    }
    contract->next_month = month_after(contract->next_month);
}

static void close_period(struct model *model, int id)
{
    struct model_period *period = &model->periods[id];
    const struct model_contract *contract = &model->contracts[period->contract];
    const struct contract_terms_row *terms = &contract->terms;
    bool last = id == contract->first_period + contract->period_count - 1;
    int64_t consumed = period_used(period), floor = period_floor(period);
    int64_t unmet = at_least_zero(floor - consumed);
    // Consumption meets the commit first, so what was moved in is missing first.
    int64_t unmet_moved = least(unmet, period->deferred_in), unmet_own = unmet - unmet_moved;
    int64_t beyond = at_least_zero(consumed - period_committed(period));
    period->credit_used = least(period->credit, beyond);
    period->surcharge = model_share(beyond - period->credit_used, terms->surcharge_bp, 10000);
    if (!last) {
        period->deferred_out = least(unmet_own, model_share(period->commit, terms->defer_bp, 10000));
        if (terms->defer_until_last)
            period->deferred_out += unmet_moved;
    }
    int64_t rest = unmet - period->deferred_out;
    if (terms->then == SHORTFALL_WAIVE)
        period->waived = rest;
    if (!last) {
        struct model_period *next = &model->periods[id + 1];
        next->deferred_in += period->deferred_out;
        next->credit += period->credit - period->credit_used;
        if (terms->then == SHORTFALL_CREDIT)
            next->credit += rest;
    }
    int64_t owed = floor - period->deferred_out - period->waived, usage = consumed - period->credit_used;
    period->billed = (owed > usage ? owed : usage) + period->fees + period->surcharge;
    period->fees_billed = period->fees;
    period->closed = true;
}

static int32_t instalment_due(const struct model_period *period, int32_t k)
{
    return hour_add_months((struct hour){period->start}, k).number;
}

int32_t model_instalment_count(const struct model_period *period)
{
    int32_t count = 0;
    while (instalment_due(period, count) < period->end)
        count++;
    return count;
}

static int64_t instalment(const struct model_period *period, int32_t k)
{
    int32_t count = model_instalment_count(period), last = instalment_due(period, count - 1);
    int64_t month = instalment_due(period, count) - last;
    int64_t part = model_share(period->commit, month, month * (count - 1) + period->end - last);
    int64_t rest = period->commit;
    for (int32_t i = 0; i < k; i++)
        rest -= least(part, rest);
    return k == count - 1 ? rest : least(part, rest);
}

static bool has_instalment_left(const struct model *model, const struct model_period *period)
{
    return !period->closed && period->commit > 0 &&
           model->contracts[period->contract].terms.billing == BILLING_INSTALMENTS &&
           period->instalments < model_instalment_count(period);
}

// What is due first: kinds in the order of one instant.
enum model_due_kind { MODEL_EXPIRY, MODEL_OUTAGE, MODEL_MONTH_END, MODEL_CLOSE, MODEL_INSTALMENT };
struct model_due {
    int64_t at;
    enum model_due_kind kind;
    int64_t id;
};

static void consider(struct model_due *first, int64_t at, enum model_due_kind kind, int64_t id)
{
    if (at < first->at || (at == first->at && kind < first->kind))
        *first = (struct model_due){at, kind, id};
}

static struct model_due find_due(const struct model *model)
{
    struct model_due first = {.at = INT64_MAX};
    for (int64_t id = 1; id <= model->reservation_count; id++)
        if (model->reservations[id].state == STATE_HELD)
            consider(&first, model->reservations[id].hold_expires, MODEL_EXPIRY, id);
        else if (model->reservations[id].state == STATE_WAITING)
            consider(&first, model->reservations[id].wait_until, MODEL_EXPIRY, id);
    for (size_t i = 0; i < model->outage_count; i++)
        if (model->outages[i].is_open)
            consider(&first, (model->outages[i].cut_until - MODEL_OUTAGE_HOURS + 1) * INT64_C(3600),
                     MODEL_OUTAGE, (int64_t)i);
    for (int id = 1; id <= model->contract_count; id++)
        consider(&first, model->contracts[id].next_month * INT64_C(3600), MODEL_MONTH_END, id);
    for (int id = 1; id <= model->period_count; id++) {
        const struct model_period *period = &model->periods[id];
        if (!period->closed)
            consider(&first, period->end * INT64_C(3600), MODEL_CLOSE, id);
        if (has_instalment_left(model, period))
            consider(&first, instalment_due(period, period->instalments) * INT64_C(3600), MODEL_INSTALMENT,
                     id);
    }
    return first;
}

static void do_due(struct model *model, struct model_due due)
{
    struct model_period *period = &model->periods[due.kind >= MODEL_CLOSE ? due.id : 0];
    switch (due.kind) {
    case MODEL_EXPIRY:
        expire(model, &model->reservations[due.id]);
        break;
    case MODEL_OUTAGE:
        model_extend(model, &model->outages[due.id]);
        break;
    case MODEL_MONTH_END:
        end_month(model, &model->contracts[due.id]);
        break;
    case MODEL_CLOSE:
        close_period(model, (int)due.id);
        break;
    case MODEL_INSTALMENT:
        period->billed += instalment(period, period->instalments++);
        break;
    }
}

void model_advance(struct model *model, int64_t now)
{
    for (;;) {
        struct model_due due = find_due(model);
        if (due.at > model->now) { // whoever waits comes after all else of an instant
            model_serve(model);
            due = find_due(model);
        }
        if (due.at > now)
            break;
        model->now = due.at > model->now ? due.at : model->now;
        do_due(model, due);
    }
    model->now = now;
    for (int64_t id = 1; id <= model->reservation_count; id++) {
        struct model_reservation *reservation = &model->reservations[id];
        if (reservation->state == STATE_BOOKED && now >= reservation->start * INT64_C(3600))
            reservation->state = STATE_ACTIVE;
        if (reservation->state == STATE_ACTIVE && now >= reservation->end * INT64_C(3600))
            reservation->state = STATE_COMPLETED;
    }
}

// ---- Contracts

// What was over or due before now is taken as settled.
static void import_period(struct model *model, struct model_period *period)
{
    if (period->end * INT64_C(3600) <= model->now) {
        period->closed = true;
        period->billed = period->commit;
        return;
    }
    while (has_instalment_left(model, period) &&
           instalment_due(period, period->instalments) * INT64_C(3600) < model->now)
        period->billed += instalment(period, period->instalments++);
}

void model_add_contract(struct model *model, const struct model_contract *contract, const int32_t *starts,
                        const int64_t *commits, int count)
{
    int id = ++model->contract_count;
    MODEL_CHECK(model, id <= MODEL_CONTRACTS && model->period_count + count <= MODEL_PERIODS);
    struct model_contract *added = &model->contracts[id];
    *added = *contract;
    added->first_period = model->period_count + 1;
    added->period_count = count;
    added->next_month = month_after(model_hour(model));
    for (int i = 0; i < count; i++) {
        struct model_period *period = &model->periods[++model->period_count];
        *period = (struct model_period){.contract = id, .start = starts[i], .commit = commits[i]};
        period->end = i + 1 < count ? starts[i + 1] : contract->end;
        period->cost = calloc((size_t)(period->end - period->start), sizeof *period->cost);
        MODEL_CHECK(model, period->cost != NULL);
        period->unlimited = contract->terms.overage_kind == OVERAGE_UNLIMITED;
        if (contract->terms.overage_kind == OVERAGE_AMOUNT)
            period->overage_limit = contract->terms.overage_amount.micro;
        if (contract->terms.overage_kind == OVERAGE_PERCENT)
            period->overage_limit = model_share(period->commit, contract->terms.overage_limit_bp, 10000);
        import_period(model, period);
    }
}
