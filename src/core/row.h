// Rows: what a decision changes, one struct for each table of the ledger.
//
// Rows are the only language between the core and the ledger. Deciding produces them, applying puts them into
// the book, committing writes them to the ledger, and loading reads them back and applies them again; so what
// was live is what is reloaded, by construction. A row carries the whole new state of its line. Insert-only
// tables: capacity_change, rate, contract_terms, contract_price, contract_pool, interruption, transfer,
// event. The others are inserted or replaced by their key.
//
// Ids are dense and start at 1; 0 means none. Texts belong to whoever made the row (an arena, a statement)
// and are copied by whoever keeps them.
#ifndef COLOSSUS_CORE_ROW_H
#define COLOSSUS_CORE_ROW_H

#include "base/amount.h"
#include "base/digest.h"
#include "base/hour.h"
#include "base/map.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// An end that never comes, in rows whose end is optional. Nothing sold can reach it.
#define HOUR_NEVER ((struct hour){INT32_MAX})

enum row_kind {
    ROW_SITE,
    ROW_SITE_POWER,
    ROW_POOL,
    ROW_RATE,
    ROW_CAPACITY_CHANGE,
    ROW_TENANT,
    ROW_UID,
    ROW_TOKEN,
    ROW_CONTRACT,
    ROW_CONTRACT_TERMS,
    ROW_CONTRACT_PRICE,
    ROW_CONTRACT_POOL,
    ROW_CONTRACT_PERIOD,
    ROW_ACCOUNT,
    ROW_RESERVATION,
    ROW_SLICE,
    ROW_INTERRUPTION,
    ROW_CLIENT_REF,
    ROW_EVENT,
    ROW_TRANSFER,
    ROW_MANIFEST, // table `manifest`: the notes of the manifest's own top level
};

struct site_row {
    uint32_t id;
    const char *site;
    const char *note; // may be NULL, as every note
};

// The power a site can draw from an hour on.
struct site_power_row {
    uint32_t site;
    struct hour start;
    int64_t watts;
};

struct pool_row {
    uint32_t id;
    uint32_t site;
    const char *pool;
    const char *gpu;
    int32_t unit;          // GPUs; every allocation is a multiple
    int64_t watts_per_gpu; // 0 when not stated
    const char *note;
};

enum tier { TIER_FIRM, TIER_PREEMPTIBLE };
#define TIER_COUNT 2

// A list price from an hour on. A later row with the same pool, tier and start takes the place of an earlier
// one for whatever is booked from then on.
struct rate_row {
    int64_t id;
    uint32_t pool;
    enum tier tier;
    struct hour start;
    struct amount price; // per GPU-hour
    int64_t event;
};

enum capacity_kind {
    CAPACITY_INITIAL,
    CAPACITY_GROWTH,
    CAPACITY_DELAY,
    CAPACITY_MAINTENANCE,
    CAPACITY_OUTAGE,
    CAPACITY_RETIREMENT,
};
#define CAPACITY_KIND_COUNT 6

// What a change is to an outage that was reported without an end. The first and the last say what was
// reported and count for nothing in the pool's capacity; the cuts, and what is given back of them, do.
enum outage_part {
    OUTAGE_NONE, // to none
    OUTAGE_OPENED,
    OUTAGE_CUT, // hour by hour, as far as the outage reaches so far; may be of 0 GPUs
    OUTAGE_RETURNED,
    OUTAGE_CLOSED,
};
#define OUTAGE_PART_COUNT 5

struct capacity_change_row {
    int64_t id;
    uint32_t pool;
    enum capacity_kind kind;
    int32_t gpus; // signed
    struct hour start;
    struct hour end; // HOUR_NEVER when open
    bool base;       // part of the manifest's absolute steps
    const char *note;
    enum outage_part part;
    int64_t outage; // the id of the change that opened it; 0 where it is part of none
    int64_t event;
};

// Does it count in the sum that is the pool's capacity?
static inline bool capacity_change_counts(const struct capacity_change_row *row)
{
    return row->part != OUTAGE_OPENED && row->part != OUTAGE_CLOSED;
}

// How often a tenant may ask: so many requests a second, and so many at once after a pause.
struct rate_limit {
    int32_t per_second; // 0: as often as it likes
    int32_t burst;
};

#define RATE_LIMIT_MOST 1000000

struct tenant_row {
    uint32_t id;
    const char *tenant;
    const char *name;
    bool suspended;
    const char *note;
    struct rate_limit rate_limit;
};

// Who a uid is: a tenant's, or an operator's when tenant is 0. Revoked rows stay, so that a uid can be given
// again.
struct uid_row {
    uint32_t uid;
    uint32_t tenant;
    bool revoked;
};

struct token_row {
    const char *label;
    uint32_t tenant; // 0: an operator's
    struct digest salt;
    struct digest hash; // SHA-256 of salt and token
    struct instant created;
    bool revoked;
};

struct contract_row {
    uint32_t id;
    uint32_t tenant;
    const char *contract;
    struct hour start;
    struct hour end;
    uint32_t version; // of its terms in force
    const char *note;
};

enum overage_limit_kind { OVERAGE_NONE, OVERAGE_AMOUNT, OVERAGE_PERCENT, OVERAGE_UNLIMITED };
enum shortfall_rest { SHORTFALL_CHARGE, SHORTFALL_CREDIT, SHORTFALL_WAIVE };
enum billing { BILLING_ARREARS, BILLING_INSTALMENTS };

// One version of a contract's terms: what the manifest says of it, by its names. Percentages are basis
// points.
struct contract_terms_row {
    uint32_t contract;
    uint32_t version; // from 1
    bool annual;      // `periods` was {"annual": annual_commit}, else a list (see contract_period)
    struct amount annual_commit;
    enum overage_limit_kind overage_kind;
    struct amount overage_amount; // for OVERAGE_AMOUNT
    int64_t overage_limit_bp;     // for OVERAGE_PERCENT
    int64_t surcharge_bp;
    int64_t defer_bp;
    bool defer_until_last;
    enum shortfall_rest then;
    enum billing billing;
    int32_t cancel_notice_hours;
    int64_t late_fee_bp;
    int64_t sla_credit_bp;
    bool has_termination;
    struct hour termination_notice_from;
    int32_t termination_notice_days;
    int64_t discount_bp;
    int64_t event;
};

struct contract_price_row {
    uint32_t contract;
    uint32_t version;
    uint32_t pool;
    enum tier tier;
    struct amount price; // per GPU-hour
};

// A pool that a contract is scoped to. A contract without any covers all pools.
struct contract_pool_row {
    uint32_t contract;
    uint32_t version;
    uint32_t pool;
};

// A contract's year (or other period). Money that is the sum of transfers is in its accounts; here is what
// the terms say and what was settled.
struct contract_period_row {
    uint32_t id;
    uint32_t contract;
    uint32_t number; // from 1 within the contract
    struct hour start;
    struct hour end;
    struct amount commit;
    bool overage_unlimited;
    struct amount overage_limit; // 0 when unlimited
    struct amount relief;
    struct amount deferred_out; // the next four are set at the close
    struct amount waived;
    struct amount credit_used;
    struct amount surcharge;
    struct amount fees_billed;
    uint32_t instalments_billed;
    uint32_t threshold; // how many of 50, 75, 90 and 100 % are reached: 0 to 4
    bool closed;
    bool imported; // closed, or partly billed, before the contract was first applied
    // What is delivered but not yet posted as consumed: `delivered` up to the hour `delivered_through`, and
    // `delivering` in every hour from there until the next change of it is written.
    struct hour delivered_through;
    struct amount delivered;
    struct amount delivering; // per hour
};

// The accounts of a period, then those of a contract from which they are granted. A balance is credits less
// debits.
enum account_kind {
    ACCOUNT_AUTHORITY,   // what may still be booked (less than 0 only where overage is unlimited)
    ACCOUNT_ENCUMBERED,  // booked or held, not yet posted as delivered
    ACCOUNT_CONSUMED,    // posted as delivered
    ACCOUNT_DEFERRED,    // unmet commit moved in
    ACCOUNT_CREDIT,      // credit moved in
    ACCOUNT_RECEIVABLE,  // what the tenant has been charged, as a debit balance
    ACCOUNT_BILLED,      // the other side of it: all charges less refunds
    ACCOUNT_FEES,        // late-cancel fees incurred
    ACCOUNT_COMMITMENT,  // contract: grants the commit
    ACCOUNT_OVERAGE,     // contract: grants the overage limit
    ACCOUNT_DEFERRAL,    // contract: grants authority for what was moved in
    ACCOUNT_PREPAID,     // contract: grants credit
    ACCOUNT_CHARGES,     // contract: the source of fees
    ACCOUNT_SETTLED,     // contract: what was settled before the contract was first applied
    ACCOUNT_WRITTEN_OFF, // contract: unmet commit that was waived
};
#define ACCOUNT_PERIOD_COUNT   8 // the first eight kinds, in this order, for every period
#define ACCOUNT_CONTRACT_COUNT 7 // the last seven, for every contract
#define ACCOUNT_KIND_COUNT     15

struct account_row {
    uint32_t id;
    uint32_t contract;
    uint32_t period; // 0 for a contract's own
    enum account_kind kind;
    struct amount balance;
};

enum transfer_kind {
    TRANSFER_GRANT,
    TRANSFER_DEFER,
    TRANSFER_CREDIT,
    TRANSFER_BOOK,
    TRANSFER_RELEASE,
    TRANSFER_CONSUME,
    TRANSFER_RELIEF,
    TRANSFER_INSTALMENT,
    TRANSFER_USAGE,
    TRANSFER_FEE,
    TRANSFER_SHORTFALL,
    TRANSFER_SURCHARGE,
    TRANSFER_WAIVE,
    TRANSFER_REFUND,
    TRANSFER_ADJUST,
};
#define TRANSFER_KIND_COUNT 15

struct transfer_row {
    int64_t id;
    struct instant at;
    enum transfer_kind kind;
    uint32_t debit_account;
    uint32_t credit_account;
    struct amount amount; // above 0
    uint32_t period;
    int64_t reservation; // 0 when it belongs to none
    int64_t event;
};

enum reservation_state {
    STATE_NONE, // before it exists
    STATE_WAITING,
    STATE_HELD,
    STATE_BOOKED,
    STATE_ACTIVE,
    STATE_COMPLETED,
    STATE_CANCELLED,
    STATE_EXPIRED,
};
#define STATE_COUNT 8

struct reservation_row {
    int64_t id;
    uint32_t tenant;
    uint32_t pool;
    enum tier tier;
    enum reservation_state state;
    struct hour start; // the last window; kept when all of it is released
    struct hour end;
    int32_t gpus;
    struct instant created;
    struct instant hold_expires; // 0 seconds when it was never held
    struct instant wait_until;   // 0 seconds when it never waited
    struct amount cost;          // of the slices that remain
    int64_t gpu_hours;
    struct amount fees;
    int64_t group; // the id of the group's first reservation, whose legs' ids are consecutive; 0 when single
    int32_t legs;  // how many reservations the group has; 0 when single
    int32_t last_slice;     // the highest slice number ever given
    int32_t last_layer;     // the highest layer ever given
    int32_t hold_seconds;   // of one that waits: how long it is then held; 0 when it is then booked
    const char *client_ref; // of its creation; the three texts may be NULL
    const char *project;
    const char *note;
};

// A rectangle of one reservation: constant GPUs and price inside one period. A slice cut to nothing is
// removed. Slices of one layer never overlap; a later layer was added later and is cut first.
struct slice_row {
    int64_t reservation;
    int32_t number; // unique within the reservation, never reused
    int32_t layer;
    struct hour start;
    struct hour end;
    int32_t gpus;
    struct amount price; // per GPU-hour
    uint32_t period;
    bool removed; // the line is deleted
};

// Hours of a reservation that were booked and can't be delivered, at one price, inside one period.
struct interruption_row {
    int64_t id;
    int64_t reservation;
    int64_t capacity_change; // 0: a firm booking took the place of a preemptible one
    struct hour start;
    struct hour end;
    int32_t gpus;
    struct amount price; // per GPU-hour
    uint32_t period;
    struct amount relief;     // what they were booked for, when that lowers the floor; else 0
    struct amount sla_credit; // what was credited for them
    int64_t event;
};

// A change's idempotency key. Scope is the tenant it belongs to, 0 for the operator side.
struct client_ref_row {
    uint32_t scope;
    const char *client_ref;
    const char *method;
    struct fingerprint request; // of the request as resolved
    int64_t thing; // the id that the method's result names: a reservation, group or capacity change; else 0
    bool is_group; // thing is a group
    int64_t event; // the first event of the decision
};

struct event_row {
    int64_t seq;
    struct instant at;
    const char *type;
    const char *actor;
    uint32_t tenant;     // 0 for none
    int64_t reservation; // 0 for none
    const char *data;    // JSON text: an object
    size_t data_length;
};

struct manifest_row {
    const char *note;
};

struct row {
    enum row_kind kind;
    union {
        struct site_row site;
        struct site_power_row site_power;
        struct pool_row pool;
        struct rate_row rate;
        struct capacity_change_row capacity_change;
        struct tenant_row tenant;
        struct uid_row uid;
        struct token_row token;
        struct contract_row contract;
        struct contract_terms_row contract_terms;
        struct contract_price_row contract_price;
        struct contract_pool_row contract_pool;
        struct contract_period_row contract_period;
        struct account_row account;
        struct reservation_row reservation;
        struct slice_row slice;
        struct interruption_row interruption;
        struct client_ref_row client_ref;
        struct event_row event;
        struct transfer_row transfer;
        struct manifest_row manifest;
    };
};

// The names of the wire and the ledger.
const char *tier_name(enum tier tier);
const char *capacity_kind_name(enum capacity_kind kind);
const char *outage_part_name(enum outage_part part); // NULL for OUTAGE_NONE
const char *account_kind_name(enum account_kind kind);
const char *transfer_kind_name(enum transfer_kind kind);
const char *reservation_state_name(enum reservation_state state);
const char *shortfall_rest_name(enum shortfall_rest then);
const char *billing_name(enum billing billing);

// Each returns false for a name that is none.
bool tier_parse(const char *name, enum tier *tier);
bool capacity_kind_parse(const char *name, enum capacity_kind *kind);
bool outage_part_parse(const char *name, enum outage_part *part);
bool reservation_state_parse(const char *name, enum reservation_state *state); // not STATE_NONE
bool account_kind_parse(const char *name, enum account_kind *kind);
bool transfer_kind_parse(const char *name, enum transfer_kind *kind);
bool shortfall_rest_parse(const char *name, enum shortfall_rest *then);
bool billing_parse(const char *name, enum billing *billing);

#endif
