// The arithmetic of a commitment period: every amount that is shown, and how a period is settled at its
// close.
//
// Pure functions over a few amounts, with no book behind them, so that they can be checked against contracts
// by hand.
#ifndef COLOSSUS_CORE_COMMITMENT_H
#define COLOSSUS_CORE_COMMITMENT_H

#include "core/row.h"

// What a period is reckoned from. encumbered and consumed are by the clock.
struct commitment_inputs {
    struct amount commit, deferred_in, relief, credit;
    bool overage_unlimited;
    struct amount overage_limit; // when not unlimited
    struct amount encumbered, consumed, fees, billed, fees_billed;
    bool closed;
    struct amount deferred_out, waived, credit_used, surcharge; // as settled, when closed; else ignored
    int64_t surcharge_bp;
};

// Every amount of a period by its name. authority and available mean nothing when `unlimited`.
struct commitment {
    struct amount commit, deferred_in, relief, floor, credit, overage_limit, authority, encumbered, consumed,
        used, available, shortfall, overage, fees, deferred_out, waived, credit_used, surcharge, due, billed;
    bool unlimited;
};

// False when an amount overflows.
bool commitment_reckon(const struct commitment_inputs *inputs, struct commitment *result);

// Could the close settle a period with these amounts, whatever becomes of what is booked?
bool commitment_settleable(const struct commitment *commitment);

// used / floor in basis points, rounded down; false when the floor is 0 (a percentage of nothing).
bool commitment_percent(struct amount used, struct amount floor, int64_t *basis_points);

// How many of 50, 75, 90 and 100 % of the floor are reached by used: 0 to 4; 0 for a floor of 0.
uint32_t commitment_threshold(struct amount used, struct amount floor);
int commitment_threshold_percent(uint32_t level); // of level 1 to 4

// How a period ends. All of it follows from the inputs at the close, with encumbered 0.
struct settlement {
    struct amount unmet;          // max(0, floor − consumed)
    struct amount deferred_out;   // to the next period's deferred_in
    struct amount waived;         // written off
    struct amount credit_granted; // owed, and usable in the next period
    struct amount credit_used;
    struct amount credit_left; // rolls on to the next period
    struct amount surcharge;
    struct amount due;
    // due − billed, by what it is for. At most one side is above 0: charges, or the refund.
    struct amount charge_shortfall, charge_usage, charge_fees, charge_surcharge, refund;
};

// `last`: the contract's last period, which defers nothing and rolls nothing on. False when an amount
// overflows.
bool commitment_settle(const struct commitment_inputs *inputs, const struct contract_terms_row *terms,
                       bool last, struct settlement *result);

// What is to be billed at a month's end in arrears: consumed beyond credit and beyond what usage was billed
// before.
bool commitment_usage_to_bill(const struct commitment_inputs *inputs, struct amount *result);

#endif
