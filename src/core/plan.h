// A plan: what a decision does to the slices of one reservation.
//
//     plan_begin      with the reservation as it is, or with nothing for a new one
//     plan_set_gpus   how many GPUs it is to have in a window, any number of times: more are noted as
//                     additions, fewer are cut, newest slice first
//     plan_price      turns the additions into slices, cut at period ends and at rate changes
//     plan_check_…    refuse hours without contract or rate
//     plan_settle     merges and numbers the slices, and sums up
//
// A plan takes nothing: the caller checks capacity (the additions) and commitment (the sums by period) and
// then adds the rows. Amounts that overflow refuse the decision. Everything lives in the builder's arena.
#ifndef COLOSSUS_CORE_PLAN_H
#define COLOSSUS_CORE_PLAN_H

#include "core/builder.h"

// More GPUs in a window, not yet priced.
struct plan_addition {
    struct hour start, end;
    int32_t gpus;
};

// What the plan means for one contract period. All gross, none below 0.
struct plan_period {
    uint32_t period;
    struct amount added, released;
    struct amount late; // the price of what was released with too little notice
    struct amount fee;  // for that
};

// A part of a slice that was cut.
struct plan_release {
    struct hour start, end;
    int32_t gpus;
    struct amount price;
    uint32_t period;
};

struct plan {
    struct builder *builder;
    uint32_t tenant, pool;
    enum tier tier;
    bool free_of_charge;
    bool interrupts; // what is released can't be delivered: see core/interrupt.h
    bool relieves;   // and lowers the floor
    int32_t last_slice, last_layer;
    struct slice_row *slices; // unordered and numbered as before, until settled; new ones have number 0
    size_t slice_count, slice_capacity;
    size_t *covering; // scratch for cutting
    size_t covering_capacity;
    struct plan_addition *additions;
    size_t addition_count, addition_capacity;
    struct plan_period *periods;
    size_t period_count, period_capacity;
    struct plan_release *releases; // of a plan that interrupts, in the order of the cuts
    size_t release_count, release_capacity;
    // After plan_settle
    struct amount cost, added, released, fee;
    int64_t gpu_hours;
    // After plan_price: the first hours added without contract, and without rate; HOUR_NEVER when there are
    // none
    struct hour uncovered, unrated;
};

// `before` is NULL for a new reservation. A plan free of charge makes no fees.
void plan_begin(struct plan *plan, struct builder *builder, uint32_t tenant, uint32_t pool, enum tier tier,
                const struct reservation_image *before, bool free_of_charge);

void plan_set_gpus(struct plan *plan, struct hour start, struct hour end, int32_t gpus);

// GPUs in an hour as planned so far, and until when (at most *until as given).
int32_t plan_gpus_at(const struct plan *plan, struct hour hour, struct hour *until);

// Hours without contract or rate are noted and not priced.
void plan_price(struct plan *plan);

// Refuse hours that were added without contract, and without rate. All legs of a group are asked for the one
// before any is asked for the other. leg goes into the refusal; −1 for none.
void plan_check_contract(const struct plan *plan, int32_t leg);
void plan_check_rate(const struct plan *plan, int32_t leg);

void plan_settle(struct plan *plan, int64_t reservation);

// The most GPUs, a multiple of unit and at most `gpus`, that the additions could have at once within what is
// available, a period at a time; `available` answers for a period what the additions may cost there, or false
// for no limit.
int64_t plan_most_gpus(const struct plan *plan, int32_t unit, int32_t gpus,
                       bool (*available)(void *context, uint32_t period, struct amount *amount),
                       void *context);

#endif
