#include "core/commitment.h"

static const int threshold_percents[] = {50, 75, 90, 100};
#define THRESHOLD_COUNT 4

static struct amount at_least_zero(struct amount a)
{
    return amount_max(a, AMOUNT_ZERO);
}

// The parts from which every other amount follows.
struct basis {
    struct amount committed; // commit + deferred_in
    struct amount floor, used;
    struct amount credit_used;
    struct amount overage, surcharge;
};

static bool reckon_basis(const struct commitment_inputs *inputs, struct basis *basis)
{
    struct amount beyond;
    if (!amount_add(inputs->commit, inputs->deferred_in, &basis->committed) ||
        !amount_subtract(basis->committed, inputs->relief, &basis->floor) ||
        !amount_add(inputs->encumbered, inputs->consumed, &basis->used) ||
        !amount_subtract(basis->used, basis->committed, &beyond))
        return false;
    basis->floor = at_least_zero(basis->floor);
    // What is used draws on the commit, then on what was moved in, then on credit, and last on overage.
    beyond = at_least_zero(beyond);
    basis->credit_used = amount_min(inputs->credit, beyond);
    basis->overage.micro = beyond.micro - basis->credit_used.micro;
    return amount_percent(basis->overage, inputs->surcharge_bp, &basis->surcharge);
}

// max(floor − deferred_out − waived, consumed − credit_used) + fees + surcharge
static bool reckon_due(struct amount floor, struct amount deferred_out, struct amount waived,
                       struct amount consumed, struct amount credit_used, struct amount fees,
                       struct amount surcharge, struct amount *due)
{
    struct amount owed, usage;
    if (!amount_subtract(floor, deferred_out, &owed) || !amount_subtract(owed, waived, &owed) ||
        !amount_subtract(consumed, credit_used, &usage))
        return false;
    owed = at_least_zero(amount_max(owed, usage));
    return amount_add(owed, fees, &owed) && amount_add(owed, surcharge, due);
}

bool commitment_reckon(const struct commitment_inputs *inputs, struct commitment *result)
{
    struct basis basis;
    if (!reckon_basis(inputs, &basis))
        return false;
    struct commitment reckoned = {
        .commit = inputs->commit,
        .deferred_in = inputs->deferred_in,
        .relief = inputs->relief,
        .floor = basis.floor,
        .credit = inputs->credit,
        .encumbered = inputs->encumbered,
        .consumed = inputs->consumed,
        .used = basis.used,
        .overage = basis.overage,
        .fees = inputs->fees,
        .billed = inputs->billed,
        .credit_used = inputs->closed ? inputs->credit_used : basis.credit_used,
        .surcharge = inputs->closed ? inputs->surcharge : basis.surcharge,
        .deferred_out = inputs->closed ? inputs->deferred_out : AMOUNT_ZERO,
        .waived = inputs->closed ? inputs->waived : AMOUNT_ZERO,
        .unlimited = inputs->overage_unlimited,
    };
    if (!amount_subtract(basis.floor, basis.used, &reckoned.shortfall))
        return false;
    reckoned.shortfall = at_least_zero(reckoned.shortfall);
    if (!inputs->overage_unlimited) {
        reckoned.overage_limit = inputs->overage_limit;
        if (!amount_add(basis.committed, inputs->credit, &reckoned.authority) ||
            !amount_add(reckoned.authority, inputs->overage_limit, &reckoned.authority) ||
            !amount_subtract(reckoned.authority, basis.used, &reckoned.available))
            return false;
        reckoned.available = at_least_zero(reckoned.available);
    }
    // Usage is what was delivered; credit draws on it only once it is.
    struct basis delivered;
    struct commitment_inputs consumed = *inputs;
    consumed.encumbered = AMOUNT_ZERO;
    if (!reckon_basis(&consumed, &delivered) ||
        !reckon_due(basis.floor, reckoned.deferred_out, reckoned.waived, inputs->consumed,
                    delivered.credit_used, inputs->fees, reckoned.surcharge, &reckoned.due))
        return false;
    *result = reckoned;
    return true;
}

// By then all that is booked is delivered, and unmet commit of earlier periods may have been moved in, which
// terms that move any keep below half of the largest amount. Or it is interrupted, perhaps by a timed
// decision, which can't be refused: then all of it is relief, beside what is relief by now.
bool commitment_settleable(const struct commitment *commitment)
{
    struct amount most;
    return amount_add(amount_max(commitment->floor, commitment->used), commitment->fees, &most) &&
           amount_add(most, commitment->surcharge, &most) && amount_add(most, most, &most) &&
           amount_add(commitment->relief, commitment->used, &most);
}

bool commitment_percent(struct amount used, struct amount floor, int64_t *basis_points)
{
    if (amount_is_zero(floor))
        return false;
    __extension__ typedef __int128 wide;
    wide percent = (wide)used.micro * 10000 / floor.micro;
    *basis_points = percent > INT64_MAX ? INT64_MAX : (int64_t)percent;
    return true;
}

uint32_t commitment_threshold(struct amount used, struct amount floor)
{
    __extension__ typedef __int128 wide;
    uint32_t level = 0;
    if (amount_is_zero(floor))
        return 0;
    while (level < THRESHOLD_COUNT && (wide)used.micro * 100 >= (wide)floor.micro * threshold_percents[level])
        level++;
    return level;
}

int commitment_threshold_percent(uint32_t level)
{
    return threshold_percents[level - 1];
}

// How much of what is left to charge goes to one purpose.
static struct amount take(struct amount *rest, struct amount most)
{
    struct amount taken = amount_min(*rest, at_least_zero(most));
    rest->micro -= taken.micro;
    return taken;
}

// What is due beyond what was billed, by what it is for.
static bool reckon_charges(const struct commitment_inputs *inputs, struct settlement *result)
{
    struct amount rest, fees, usage, billed;
    if (!amount_subtract(result->due, inputs->billed, &rest) ||
        !amount_subtract(inputs->fees, inputs->fees_billed, &fees) ||
        !amount_subtract(inputs->billed, inputs->fees_billed, &billed) ||
        !amount_subtract(inputs->consumed, result->credit_used, &usage) ||
        !amount_subtract(usage, billed, &usage))
        return false;
    if (rest.micro < 0)
        return amount_subtract(AMOUNT_ZERO, rest, &result->refund);
    result->charge_surcharge = take(&rest, result->surcharge);
    result->charge_fees = take(&rest, fees);
    result->charge_usage = take(&rest, usage);
    result->charge_shortfall = rest;
    return true;
}

bool commitment_settle(const struct commitment_inputs *inputs, const struct contract_terms_row *terms,
                       bool last, struct settlement *result)
{
    struct settlement settled = {0};
    struct commitment_inputs at_close = *inputs;
    at_close.encumbered = AMOUNT_ZERO;
    struct basis basis;
    struct amount most;
    if (!reckon_basis(&at_close, &basis) || !amount_subtract(basis.floor, inputs->consumed, &settled.unmet) ||
        !amount_percent(inputs->commit, terms->defer_bp, &most))
        return false;
    settled.unmet = at_least_zero(settled.unmet);
    settled.surcharge = basis.surcharge;
    settled.credit_used = basis.credit_used;
    // What is consumed meets the period's own commit first, so what was moved in is unmet first.
    struct amount unmet_moved = amount_min(settled.unmet, inputs->deferred_in);
    struct amount unmet_own = {settled.unmet.micro - unmet_moved.micro};
    if (!last) {
        settled.deferred_out = amount_min(unmet_own, most);
        if (terms->defer_until_last)
            settled.deferred_out.micro += unmet_moved.micro; // together at most what is unmet
        settled.credit_left.micro = inputs->credit.micro - settled.credit_used.micro;
    }
    struct amount rest = {settled.unmet.micro - settled.deferred_out.micro};
    if (terms->then == SHORTFALL_WAIVE)
        settled.waived = rest;
    if (terms->then == SHORTFALL_CREDIT && !last)
        settled.credit_granted = rest;
    if (!reckon_due(basis.floor, settled.deferred_out, settled.waived, inputs->consumed, settled.credit_used,
                    inputs->fees, settled.surcharge, &settled.due) ||
        !reckon_charges(inputs, &settled))
        return false;
    *result = settled;
    return true;
}

bool commitment_usage_to_bill(const struct commitment_inputs *inputs, struct amount *result)
{
    struct commitment_inputs delivered = *inputs;
    delivered.encumbered = AMOUNT_ZERO;
    struct basis basis;
    struct amount usage, billed;
    if (!reckon_basis(&delivered, &basis) || !amount_subtract(inputs->consumed, basis.credit_used, &usage) ||
        !amount_subtract(inputs->billed, inputs->fees_billed, &billed) ||
        !amount_subtract(usage, billed, &usage))
        return false;
    *result = at_least_zero(usage);
    return true;
}
