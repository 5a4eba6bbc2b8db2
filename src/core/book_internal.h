// The inside of the book, shared by the files of the core that make it up: apply.c changes it, everything
// else reads it.
#ifndef COLOSSUS_CORE_BOOK_INTERNAL_H
#define COLOSSUS_CORE_BOOK_INTERNAL_H

#include "base/map.h"
#include "core/book.h"
#include "core/calendar.h"
#include "core/changes.h"
#include "core/commitment.h"
#include "core/due.h"
#include "core/power.h"
#include "core/row.h"

// A live reservation and its slices, ordered by number, in one block of memory.
struct reservation {
    struct reservation_row row; // its texts belong to it
    int32_t slice_count;
    int32_t slice_capacity;
    struct slice_row slices[];
};

struct rate_step {
    struct hour start;
    struct amount price;
};

struct site {
    struct site_row row;
    struct site_power_row *power; // by start; a later row with the same start replaces
    size_t power_count, power_capacity;
    struct power *used; // NULL while the site's power is not stated
    struct power *firm; // what of it can't be taken away for a firm booking
};

static inline const struct power *site_power(const struct site *site, enum tier tier)
{
    return tier == TIER_FIRM ? site->firm : site->used;
}

struct pool {
    struct pool_row row;
    struct calendar *calendar;           // what is free beside all that is sold
    struct calendar *firm;               // what is free beside what is sold firm; NULL while that is the same
    struct rate_step *rates[TIER_COUNT]; // by start
    size_t rate_count[TIER_COUNT], rate_capacity[TIER_COUNT];
    struct capacity_change_row *changes; // that count, in the order they came; an outage's cuts merged
    size_t change_count, change_capacity;
    int64_t *preemptible; // ids of reservations of that tier, ascending; those that have ended among them
    size_t preemptible_count, preemptible_capacity;
    // Ids of reservations that wait, ascending, and among them some that no longer do. They are served one
    // after the other from `served` on, and again from the first on when meanwhile something was freed.
    int64_t *waiting;
    size_t waiting_count, waiting_capacity, served;
    bool serving, serve_again;
};

// An outage that was reported without an end.
struct outage {
    struct capacity_change_row row; // that opened it; its end is HOUR_NEVER until it is closed
    struct hour cut_until;          // as far as it cuts by now; its end when it is closed
    size_t last_cut;                // the place of its last cut among the pool's changes
    bool is_cut;                    // it has one
};

struct tenant {
    struct tenant_row row;
    uint32_t *contracts;
    size_t contract_count, contract_capacity;
};

struct contract {
    struct contract_row row;
    struct contract_terms_row terms; // the version in force
    struct contract_price_row *prices;
    size_t price_count, price_capacity;
    uint32_t *pools; // the scope; none: all
    size_t pool_count, pool_capacity;
    uint32_t first_period;
    uint32_t period_count;
    uint32_t accounts[ACCOUNT_CONTRACT_COUNT]; // by kind − ACCOUNT_COMMITMENT
    struct hour next_month_end;                // as scheduled
};

struct period {
    struct contract_period_row row;
    uint32_t accounts[ACCOUNT_PERIOD_COUNT];
    // How what is delivered an hour changes, as far as it lies after row.delivered_through. Without a span
    // while nothing was ever booked.
    struct changes deliveries;
    struct hour next_delivery_change; // the first hour with one, as scheduled; HOUR_NEVER
    bool close_scheduled;
    uint32_t instalments_scheduled;
    bool dirty; // its row is to be written with the batch
};

// A place in the table of reservations: a live one, or what is left of one that ended.
struct reservation_place {
    // 0: none. Even: a struct reservation *. Odd: what is left of one that ended, from bit 1 on 7 bits of its
    // state, a bit that says it was the first of a group, and its tenant.
    uintptr_t value;
};

struct book {
    struct book_options options;
    bool loading;
    struct instant time;
    struct instant latest; // when the last decision that was applied was made
    struct hour reached;   // calendars reach to the horizon from here
    int64_t next_reservation, next_event, next_transfer, next_capacity_change, next_rate, next_interruption;

    struct name_map site_names, pool_names, tenant_names, contract_names;
    // Element 0 of each is unused: ids start at 1.
    struct site *sites;
    size_t site_count, site_capacity;
    struct pool *pools;
    size_t pool_count, pool_capacity;
    struct tenant *tenants;
    size_t tenant_count, tenant_capacity;
    struct contract *contracts;
    size_t contract_count, contract_capacity;
    struct period *periods;
    size_t period_count, period_capacity;
    uint32_t *dirty_periods; // ids of those that are dirty, or were and may be in it again
    size_t dirty_period_count, dirty_period_capacity;
    struct account_row *accounts;
    size_t account_count, account_capacity;
    uint32_t *dirty_accounts; // ids; an account is in it at most once
    size_t dirty_account_count, dirty_account_capacity;
    bool *account_dirty;
    size_t account_dirty_capacity;

    struct uid_row *uids; // by uid, as they are loaded
    size_t uid_count, uid_capacity;
    struct token_row *tokens;
    size_t token_count, token_capacity;
    const char *manifest_note;

    struct reservation_place *reservations; // by id
    size_t reservation_capacity;
    size_t live_count;
    int64_t *ended; // while loading: those that leave when it ends
    size_t ended_count, ended_capacity;

    struct outage *outages; // by id, the closed ones among them
    size_t outage_count, outage_capacity;

    struct interruption_row *interruptions; // by changes of capacity, in their order
    size_t interruption_count, interruption_capacity;

    struct fingerprint_map client_refs; // value: book_reference_pack; detail: the request's fingerprint

    struct due_queue urgent;    // changes verdicts: before any request
    struct due_queue lifecycle; // starts and ends
};

static inline struct reservation *place_live(struct reservation_place place)
{
    return place.value != 0 && (place.value & 1) == 0 ? (struct reservation *)place.value : NULL;
}

// The live reservation of that id, or NULL.
static inline struct reservation *book_live(const struct book *book, int64_t id)
{
    return id > 0 && (uint64_t)id < book->reservation_capacity ? place_live(book->reservations[id]) : NULL;
}

// How many hours from now a calendar must reach at least.
int32_t book_horizon_hours(const struct book *book);

// Part of apply.c: applies a change of capacity.
void book_change_capacity(struct book *book, const struct capacity_change_row *row);
// An outage that is open is due when its next hour is to be cut.
void book_schedule_outage(struct book *book, const struct outage *outage);

// What time does to the book apart from rows; for decide_due.c, which puts down the rows that say it.
// Lets the calendars reach to the horizon from now.
void book_reach(struct book *book, struct instant now);
// What a period is delivered an hour changes at this hour, the next one scheduled.
void book_deliver(struct book *book, uint32_t period, struct hour hour);
// A contract's month has ended at this hour and is posted: schedules the next.
void book_month_ended(struct book *book, uint32_t contract, struct hour hour);

// What is free for a tier: for firm, beside what is sold firm.
static inline const struct calendar *pool_calendar(const struct pool *pool, enum tier tier)
{
    return tier == TIER_FIRM && pool->firm != NULL ? pool->firm : pool->calendar;
}

// Uses what is sold of a pool from an hour on, at so many watts for each GPU: all of it, or what is taken
// from firm bookings.
void pool_use_power(const struct pool *pool, enum tier tier, struct hour from, int64_t watts_per_gpu,
                    struct power *used);

// Something was freed that a reservation may wait for: in a pool, or in all of them.
void book_freed(struct book *book, struct pool *pool);
void book_freed_anywhere(struct book *book);

// Does the place in a pool's list still wait?
bool book_waits(const struct book *book, int64_t id);

// The state of one that has ended. STATE_NONE when it is live or never was.
enum reservation_state book_ended_state(const struct book *book, int64_t id);

// Was it the first of a group, and has it ended?
bool book_ended_group(const struct book *book, int64_t id);

// The contract of a tenant that applies to a pool in an hour, 0 when none does.
uint32_t book_contract_at(const struct book *book, uint32_t tenant, uint32_t pool, struct hour hour);

// The period of a contract that holds the hour. The contract covers it.
uint32_t contract_period_at(const struct book *book, uint32_t contract, struct hour hour);

// What the contract pays for a GPU-hour, and until which hour that price holds. False when there is no rate;
// *until then says where one may begin.
bool contract_price_at(const struct book *book, uint32_t contract, uint32_t pool, enum tier tier,
                       struct hour hour, struct amount *price, struct hour *until);

static inline struct amount account_balance(const struct book *book, uint32_t account)
{
    return book->accounts[account].balance;
}

static inline struct amount period_balance(const struct book *book, uint32_t period, enum account_kind kind)
{
    return account_balance(book, book->periods[period].accounts[kind]);
}

static inline uint32_t contract_account(const struct book *book, uint32_t contract, enum account_kind kind)
{
    return book->contracts[contract].accounts[kind - ACCOUNT_COMMITMENT];
}

// Delivered in the period but not yet posted, up to the hour.
struct amount period_unposted(const struct contract_period_row *row, struct hour through);

// Every amount of a period from its row and the balances of its accounts, by the clock. False when one
// overflows.
bool period_commitment(const struct book *book, const struct contract_period_row *row,
                       const struct amount balances[ACCOUNT_PERIOD_COUNT], struct instant now,
                       struct commitment *result);

// What a commitment is reckoned from; unposted is what was delivered and not yet posted.
void commitment_inputs_of(const struct book *book, const struct contract_period_row *row,
                          const struct amount balances[ACCOUNT_PERIOD_COUNT], struct amount unposted,
                          struct commitment_inputs *inputs);

// The members of a period in JSON, from amounts already reckoned.
void describe_period(const struct book *book, struct json *json, const struct contract_period_row *row,
                     const struct commitment *commitment);

// How a client_ref's thing is packed into a map's value, which is never 0.
static inline uint64_t book_reference_pack(int64_t thing, bool is_group)
{
    return ((uint64_t)thing << 2) | (is_group ? 2U : 0U) | 1U;
}

// The key of a client_ref in the book.
struct fingerprint client_ref_fingerprint(const struct book *book, uint32_t scope, const char *client_ref);

// The outage that a change of capacity opened, or NULL.
struct outage *book_outage(const struct book *book, int64_t id);

// The sign that a kind of capacity change gives to its GPUs: +1 or −1.
int32_t capacity_kind_sign(enum capacity_kind kind);

#endif
