// Building a decision: rows with their numbers, and what the book would be after them, without touching the
// book.
//
// A decision may take in one place what it releases in another and must see its own effect, so the builder
// keeps, beside the rows, the balances and the capacity that differ from the book. Rows get the next numbers
// of the book; if the decision is applied the book moves on by as many.
//
//     builder_begin; checks, any of which may builder_refuse; builder_add_* in the order of the rows;
//     builder_finish
//
// Once refused, a builder keeps its first refusal and further additions do nothing, so a caller may look once
// at the end. builder_finish compares the commitment thresholds, fills in the events and hands over the rows
// (none after a refusal).
#ifndef COLOSSUS_CORE_BUILDER_H
#define COLOSSUS_CORE_BUILDER_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/json.h"
#include "core/book_internal.h"
#include "core/commitment.h"
#include "core/decision.h"

struct balance_change {
    uint32_t account;
    int64_t micro;
};

struct capacity_taken {
    uint32_t pool;
    enum tier tier;
    struct hour start, end;
    int32_t gpus; // less than 0: released
};

struct period_change {
    uint32_t period;
    struct contract_period_row row;
    bool row_changed;
};

struct builder {
    const struct book *book;
    struct arena *arena;
    struct decision *decision;
    struct instant at; // when the decision counts as made
    const char *actor;
    struct row *rows;
    size_t row_count, row_capacity;
    int64_t next_reservation, next_event, next_transfer, next_capacity_change, next_rate, next_interruption;
    struct balance_change *balances;
    size_t balance_count, balance_capacity;
    struct capacity_taken *taken;
    size_t taken_count, taken_capacity;
    struct period_change *periods; // touched
    size_t period_count, period_capacity;
    struct buffer text; // scratch for JSON
};

void builder_begin(struct builder *builder, const struct book *book, struct arena *arena, struct instant at,
                   const char *actor, struct decision *decision);

// Refuses with a verdict and a sentence. Returns the refusal to fill in its members (a scratch one when there
// was a refusal before).
struct refusal *builder_refuse(struct builder *builder, enum verdict verdict, const char *message);
// The same, with the sentence put together from parts; the last argument is NULL.
struct refusal *builder_refuse_parts(struct builder *builder, enum verdict verdict, ...);
static inline bool builder_refused(const struct builder *builder)
{
    return builder->decision->verdict != VERDICT_DONE;
}

// Adds an empty row of a kind and returns it. Valid until the next one is added.
struct row *builder_add(struct builder *builder, enum row_kind kind);

// Adds a reservation's row. Its texts are copied, because the book's own go when the reservation leaves it,
// and the row is committed later than it is applied.
void builder_reservation(struct builder *builder, const struct reservation_row *row);

// An event with the JSON object of `text` as its data: write it with json_begin(builder_text(builder)).
// Returns its seq, which the rows that it causes name. The event goes before them.
struct json builder_text(struct builder *builder);
int64_t builder_event(struct builder *builder, const char *type, uint32_t tenant, int64_t reservation);

// Moves an amount between two accounts; 0 makes no transfer. Refuses with amount_overflow when a balance
// would overflow.
void builder_transfer(struct builder *builder, enum transfer_kind kind, uint32_t debit_account,
                      uint32_t credit_account, struct amount amount, uint32_t period, int64_t reservation,
                      int64_t event);

// A period's accounts, and its row, as this decision leaves them. builder_period returns the row to be
// changed; a changed row is written by builder_finish.
struct amount builder_balance(const struct builder *builder, uint32_t account);
struct contract_period_row *builder_period(struct builder *builder, uint32_t period);
// Marks a period whose used or floor may have changed, so that its thresholds are compared.
void builder_touch_period(struct builder *builder, uint32_t period);

// Every amount of a period as this decision leaves it.
bool builder_commitment(struct builder *builder, uint32_t period, struct commitment *commitment);
// Writes the members of a period into JSON.
void builder_write_period(struct builder *builder, struct json *json, uint32_t period);

// What a decision takes from the calendars, seen by its own later checks.
void builder_take(struct builder *builder, uint32_t pool, enum tier tier, struct hour start, struct hour end,
                  int32_t gpus);

// Are gpus free for a tier in every hour of the window, after what this decision has taken? If not, *free is
// the least and *first_short the first hour.
bool builder_fits(const struct builder *builder, uint32_t pool, enum tier tier, struct hour start,
                  struct hour end, int32_t gpus, int32_t *free, struct hour *first_short);

// Where a site's power does not suffice.
struct power_gap {
    struct hour first_short, last_short;
    int64_t missing; // the most watts that are missing in an hour
    int64_t least;   // the least watts free
};

// Is there power for so many more GPUs of a pool in every hour of the window, after what this decision has
// taken at the site? Firm bookings take it from preemptible ones.
bool builder_powers(const struct builder *builder, uint32_t pool, enum tier tier, struct hour start,
                    struct hour end, int32_t gpus, struct power_gap *gap);

// The first hour from `from` on that has power for so many more GPUs of a pool, and before `end`; or the last
// one, going back, when `end` is before `from`. `end` when there is none.
struct hour builder_next_powered(const struct builder *builder, uint32_t pool, enum tier tier,
                                 struct hour from, struct hour end, int32_t gpus);

// The power that a site has left in an hour beside all that is sold, after what this decision has taken.
// Below 0 where a firm booking takes it from preemptible ones. *until is where the envelope changes, at most
// as given.
int64_t builder_watts_left(const struct builder *builder, uint32_t site, struct hour hour,
                           struct hour *until);

// What is free beside all that is sold in an hour, after what this decision has taken, and until when that
// stays so (at most *until as given). Below 0 where a firm booking takes the place of preemptible ones.
int64_t builder_left(const struct builder *builder, uint32_t pool, struct hour hour, struct hour *until);

// The earliest start at or after `from` at which they would be, power among it, ending by `end`; bounded.
bool builder_next_fit(const struct builder *builder, uint32_t pool, enum tier tier, struct hour from,
                      int32_t hours, int32_t gpus, struct hour end, struct hour *found,
                      struct hour *searched_until);

// Records the idempotency key of a request that was decided. event is the decision's first.
void builder_client_ref(struct builder *builder, uint32_t scope, const struct request *request,
                        struct fingerprint fingerprint, int64_t thing, bool is_group, int64_t event);

void builder_finish(struct builder *builder);

// ---- The parts of book_decide, one for each kind of request. Each has its tenant (0: the operator side) and
// pools resolved by itself.

// Has the client_ref been used? Then the decision is a replay or a conflict and this returns true.
// `fingerprint` is of the request as resolved.
bool decide_replay(struct builder *builder, uint32_t scope, const struct request *request,
                   struct fingerprint fingerprint, int64_t *thing, bool *is_group);
// The fingerprint of what was written into the builder's text: builder_text, then the resolved members, then
// this.
struct fingerprint decide_fingerprint(struct builder *builder);

void decide_create(struct builder *builder, const struct request *request);
void decide_confirm(struct builder *builder, const struct request *request);
void decide_change(struct builder *builder, const struct request *request);
void decide_cancel(struct builder *builder, const struct request *request);
void decide_manifest(struct builder *builder, const struct request *request);
void decide_capacity_change(struct builder *builder, const struct request *request);
void decide_tenant_suspend(struct builder *builder, const struct request *request); // and resume
void decide_token_create(struct builder *builder, const struct request *request);
void decide_token_revoke(struct builder *builder, const struct request *request);
void decide_backup(struct builder *builder, const struct request *request);
void decide_clock_advance(struct builder *builder, const struct request *request);

// The result of a request other than a reservation's: the members written into the builder's text.
void decide_result(struct builder *builder);

// "tenant" of a request for a tenant method: the tenant's id, or 0 after refusing.
uint32_t decide_tenant(struct builder *builder, const struct request *request);

#endif
