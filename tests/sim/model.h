// The book without cleverness: the rules as arrays of hours and plain sums, to be compared with the real one.
//
// Every pool is an array of capacity and an array of what is taken, an entry an hour; every reservation a
// list of single hours; every contract period an array of money by hour. A decision looks at all of them,
// hour by hour. It is written from the rules (docs/rules.md) and knows nothing of how the book does it.
//
//     model_decide gives the answer that the book must give; model_commit makes it so; model_advance decides
//     what falls due. Hours are hours since 1970, money is micro-dollars.
#ifndef COLOSSUS_TESTS_SIM_MODEL_H
#define COLOSSUS_TESTS_SIM_MODEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/book.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

#define MODEL_HOURS        (5 * 366 * 24) // kept of every pool, from the origin on
#define MODEL_POOLS        4
#define MODEL_TENANTS      4
#define MODEL_CONTRACTS    16
#define MODEL_PERIODS      160
#define MODEL_RESERVATIONS 4000
#define MODEL_REFERENCES   4000
#define MODEL_STEPS        64
#define MODEL_LEGS         4
#define MODEL_OUTAGES      64
#define MODEL_OUTAGE_HOURS 24
#define NEVER              INT32_MAX
#define MODEL_UNLIMITED    (INT64_MAX / 8)

struct model_step {
    int32_t from;
    int64_t value;
};

struct model_change {
    int32_t start, end, gpus; // signed
};

struct model_pool {
    char name[32];
    int32_t unit;
    int64_t watts;                                                       // a GPU
    struct model_step base[MODEL_STEPS], rates[TIER_COUNT][MODEL_STEPS]; // by hour
    size_t base_count, rate_count[TIER_COUNT];
    struct model_change changes[MODEL_STEPS];
    size_t change_count;
    int32_t out[MODEL_HOURS]; // what outages without an end take
    int32_t capacity[MODEL_HOURS], taken[MODEL_HOURS], taken_firm[MODEL_HOURS];
};

// An outage without an end.
struct model_outage {
    int pool;
    int32_t gpus, start, cut_until;
    int32_t last[MODEL_OUTAGE_HOURS]; // what it took in each of the last hours that were cut, by hour
    bool is_open;
};

struct model_tenant {
    char name[32];
    bool suspended;
};

struct model_contract {
    char name[32];
    int tenant;
    int32_t start, end;
    struct contract_terms_row terms;
    bool all_pools, scope[MODEL_POOLS + 1];
    bool priced[MODEL_POOLS + 1]; // in the firm tier
    int64_t price[MODEL_POOLS + 1];
    int first_period, period_count;
    int32_t next_month; // the hour of its next month end
};

struct model_period {
    int contract;
    int32_t start, end;
    int64_t commit, overage_limit;
    bool unlimited;
    int64_t deferred_in, credit, relief, fees, fees_billed, billed;
    bool closed;
    int64_t deferred_out, waived, credit_used, surcharge; // as settled
    int32_t instalments;                                  // how many were billed
    int64_t *cost;                                        // by hour, from the start
};

// So many GPUs of one reservation in one hour.
struct piece {
    int32_t hour, layer, gpus;
    int64_t price;
    int period;
};

struct model_reservation {
    int64_t id;
    int tenant, pool;
    enum tier tier;
    enum reservation_state state;
    int32_t start, end;
    int32_t gpus; // as last shown
    int64_t created, hold_expires, wait_until, hold_seconds, fees;
    int64_t group;
    int32_t legs, layer;
    struct piece *pieces; // by hour, then layer
    size_t count;
};

struct model_reference {
    int scope; // a tenant, or 0 for the operators
    char text[32];
    char request[1024]; // as resolved
    int64_t thing;
    bool is_group;
};

struct model {
    int32_t origin;
    int32_t horizon_years;
    int64_t hold_seconds_max;
    int64_t now;
    struct model_pool pools[MODEL_POOLS + 1];
    int pool_count;
    struct model_step power[MODEL_STEPS]; // of the one site, in watts
    size_t power_count;
    struct model_tenant tenants[MODEL_TENANTS + 1];
    int tenant_count;
    struct model_outage outages[MODEL_OUTAGES];
    size_t outage_count;
    int extended, interrupted; // how many hours were added to them and cut whom, for statistics
    struct model_contract contracts[MODEL_CONTRACTS + 1];
    int contract_count;
    struct model_period periods[MODEL_PERIODS + 1];
    int period_count;
    struct model_reservation reservations[MODEL_RESERVATIONS + 1];
    int64_t reservation_count;
    struct model_reference references[MODEL_REFERENCES];
    size_t reference_count;
    uint64_t seed; // for failures
    int step;
};

// What a decision does to one reservation.
struct effect {
    struct model_reservation after; // its pieces belong to the effect until committed
    struct piece *added, *released;
    size_t added_count, released_count;
    int64_t added_sum, released_sum, fee_sum; // gross, the fee as if not waived
    int64_t added_in[MODEL_PERIODS + 1], released_in[MODEL_PERIODS + 1], fee_in[MODEL_PERIODS + 1];
    int32_t first_uncovered, first_unrated;
};

struct answer {
    enum verdict verdict;
    int32_t leg;
    // capacity_exceeded
    int32_t free, first_short, next_start; // NEVER: none
    int64_t missing_watts;                 // above 0: it is power that is missing
    bool may_move;
    // commitment_exceeded
    int period;
    int64_t available, needed, max_gpus;
    int32_t first_uncovered;
    enum reservation_state state;
    bool state_is_known;
    bool may_be_expired; // legs ended in different ways: `expired` is as true as `invalid_state`
    // done
    bool replayed;
    int64_t thing;
    bool is_group;
    bool waived;
    struct effect *effects;
    size_t effect_count;
    struct effect *displaced; // what gives way to it, the newest first within a tier
    size_t displaced_count;
    bool by_loss;  // to a loss of capacity, not to a firm booking
    int powerless; // how many of their hours gave power, for statistics
};

// Ends the test with the seed, the step and what is wrong.
#define MODEL_FAIL(model, ...) model_fail((model), __FILE__, __LINE__, __VA_ARGS__)
#define MODEL_CHECK(model, condition)                                                                        \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            MODEL_FAIL((model), "%s", #condition);                                                           \
    } while (0)
#define MODEL_EQUAL(model, actual, expected)                                                                 \
    do {                                                                                                     \
        int64_t actual_value = (int64_t)(actual), expected_value = (int64_t)(expected);                      \
        if (actual_value != expected_value)                                                                  \
            MODEL_FAIL((model), "%s is %lld and should be %lld", #actual, (long long)actual_value,           \
                       (long long)expected_value);                                                           \
    } while (0)
void model_fail(const struct model *model, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

void model_free(struct model *model);

// Another that is the same, to go back to. Going back frees it; the model stays where it is, as requests that
// were made from it name what they name by its texts.
struct model *model_copy(const struct model *model);
void model_go_back(struct model *model, struct model *earlier);

// ---- Time, in model_time.c

int32_t model_hour(const struct model *model);      // the running one
int32_t model_next_hour(const struct model *model); // the first that starts now or later
int32_t model_horizon(const struct model *model);
int32_t month_after(int32_t hour);
void model_advance(struct model *model, int64_t now);

// Half to even.
int64_t model_share(int64_t amount, int64_t numerator, int64_t denominator);

// What is delivered before an hour, and all that is booked.
int64_t period_consumed(const struct model_period *period, int32_t before);
int64_t period_used(const struct model_period *period);
int64_t period_committed(const struct model_period *period); // the floor without relief
int64_t period_floor(const struct model_period *period);
int64_t period_available(const struct model_period *period);

// Adds a contract as of now, its periods' starts and commits being listed. The model takes over the terms.
void model_add_contract(struct model *model, const struct model_contract *contract, const int32_t *starts,
                        const int64_t *commits, int count);
int32_t model_instalment_count(const struct model_period *period);

// ---- Inventory, reservations and requests, in model.c

void pool_reckon(struct model *model, struct model_pool *pool);
void model_set_step(struct model_step *steps, size_t *count, int32_t from, int64_t value);
// The GPUs of a capacity change with their sign.
int32_t model_capacity_gpus(const struct capacity_change_request *request);
int model_pool_named(const struct model *model, const char *name);
int model_tenant_named(const struct model *model, const char *name);
int model_contract_at(const struct model *model, int tenant, int pool, int32_t hour); // 0: none
bool model_price_at(const struct model *model, int contract, int pool, enum tier tier, int32_t hour,
                    int64_t *price);
int32_t reservation_gpus(const struct model_reservation *reservation, int32_t hour);
// As shown now: in the running hour, or the next that has any, or of the last window.
int32_t reservation_gpus_shown(const struct model *model, const struct model_reservation *reservation);
int64_t reservation_cost(const struct model_reservation *reservation);

// ---- Deciding, in model_decide.c and model_change.c, and committing

void model_decide(const struct model *model, const struct request *request, struct answer *answer);
void model_commit(struct model *model, const struct request *request, struct answer *answer);
// Commits what an answer does to reservations.
void model_apply(struct model *model, struct answer *answer);
void answer_free(struct answer *answer);
// The request as resolved, without its ref: the same text, the same request.
void model_describe(const struct request *request, char *text, size_t size);

// The parts of deciding.
bool answer_refuse(struct answer *answer, enum verdict verdict, int32_t leg); // returns false
// Plans GPUs by hour over [from, to) (−1 keeps what is there) for a reservation as it is or for a new one.
void effect_plan(const struct model *model, struct effect *effect, const struct model_reservation *before,
                 int32_t from, int32_t to, const int32_t *target, bool free_of_charge);
void effect_free(struct effect *effect);
// Plans what gives way to the effects of a decision on requests, or to a change of capacity, in
// model_displace.c.
void displace_for_effects(const struct model *model, struct answer *answer);
void displace_for_loss(const struct model *model, int pool, const int32_t *loss, struct answer *answer);
// A number for each hour that the model keeps, from the running one on. The caller frees it.
int32_t *model_hours_ahead(const struct model *model);
// Changes of capacity, in model_outage.c: deciding on one of a known pool, and committing it.
void decide_model_capacity(const struct model *model, const struct request *request, int pool,
                           struct answer *answer);
void commit_model_capacity(struct model *model, const struct request *request);
// Cuts one more hour of an outage that is open.
void model_extend(struct model *model, struct model_outage *outage);
// Books what waits and fits by now, in model_wait.c: after whatever may have freed something.
void model_serve(struct model *model);
// The power that a tier sees left in an hour; MODEL_UNLIMITED before the first step.
int64_t model_watts_left(const struct model *model, enum tier tier, int32_t hour);
// Are there GPUs, or is there power, for so many more in an hour?
bool model_has_room(const struct model *model, int pool, enum tier tier, int32_t hour, int32_t gpus);
// What a tier sees free in an hour.
int32_t model_free_gpus(const struct model *model, int pool, enum tier tier, int32_t hour);
void decide_model_change(const struct model *model, const struct request *request, struct answer *answer);
// Does the change's effect fit into the commitment? If not, the period that is exceeded first.
int effect_exceeds(const struct model *model, const struct effect *effect, const int64_t *spent);

#endif
