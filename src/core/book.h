// The book: every live reservation, every pool's calendar, every period's balances, in memory.
//
// Deciding and applying are apart. book_decide reads the book, a request and a time, and gives a decision:
// the verdict and the rows to be written. book_apply takes rows and changes the book, deciding nothing. A
// booking is decide then apply; a dry run is decide alone; loading the ledger is apply alone. So what is
// quoted is what is booked, and what was live is what is reloaded.
//
// The way to use it:
//
//     book = book_create(options);
//     ... book_apply for every row of the ledger, by table; book_loaded(book, last batch) ...
//     for each batch:
//         now = max(clock, book_time(book));
//         while (book_decide_due(book, now, arena, &decision, &urgent))
//             book_apply_rows(book, decision.rows, decision.row_count);
//         for each request:
//             book_decide(book, &request, now, arena, &decision);
//             book_apply_rows(...), if it is done and no dry run
//         book_end_batch(book, now, arena, &rows, &count): the accounts and periods that changed;
//         commit all rows
//
// Nothing here reads a clock, a file or a random number: the same requests in the same order give the same
// rows on any machine. A reservation that has ended leaves the book, and only whose it was and how it ended
// is kept, in 8 bytes.
#ifndef COLOSSUS_CORE_BOOK_H
#define COLOSSUS_CORE_BOOK_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/json.h"
#include "core/decision.h"
#include "core/request.h"
#include "core/row.h"

struct book;

struct book_options {
    int32_t horizon_years; // the farthest end from now
    int64_t hold_seconds_max;
    struct hour origin; // no later than the hour of the first decision: calendars start here
    // Secret and random: client_refs are kept by fingerprints made with it, so that nobody can choose
    // references that collide. It has no effect on what is decided.
    uint8_t reference_key[FINGERPRINT_KEY_SIZE];
};

struct book *book_create(const struct book_options *options);
void book_destroy(struct book *book);

// ---- Applying

// Rows must come in an order in which whatever a row names is there already. Texts are copied.
void book_apply(struct book *book, const struct row *row);
void book_apply_rows(struct book *book, const struct row *rows, size_t count);

// Ends the loading: the time of the last batch, and the highest ids in the ledger's insert-only tables.
void book_loaded(struct book *book, struct instant time, int64_t last_event, int64_t last_transfer);

// ---- Deciding

// Decides a request. `now` is no earlier than book_time, and everything due by then has been decided.
void book_decide(const struct book *book, const struct request *request, struct instant now,
                 struct arena *arena, struct decision *decision);

// The next timed decision that is due by `now`, in time order and by the fixed order at one instant. False
// when there is none left. Starts and ends of reservations change no verdict and come last, in decisions of a
// bounded size: *urgent is false for them, and they may wait for a later batch. Everything urgent must be
// applied before a request is decided.
bool book_decide_due(struct book *book, struct instant now, struct arena *arena, struct decision *decision,
                     bool *urgent);

// False when nothing urgent is due by `now`.
bool book_urgent_is_due(const struct book *book, struct instant now);

// When the next timed decision is due. False when nothing is scheduled.
bool book_next_due(const struct book *book, struct instant *due);

// Was something freed that reservations wait for? Then what they get of it is due, and is decided first.
bool book_serves_waiting(const struct book *book);

// The time of the last decision. Time never goes back.
struct instant book_time(const struct book *book);

// Gives the rows of the accounts that changed since the last call, and moves the book's time to `now`. To be
// committed with the batch.
void book_end_batch(struct book *book, struct instant now, struct arena *arena, struct row **rows,
                    size_t *count);

// ---- Names and identity

uint32_t book_tenant(const struct book *book, const char *name); // 0 when unknown
uint32_t book_pool(const struct book *book, const char *name);
uint32_t book_contract(const struct book *book, const char *name);
uint32_t book_site(const struct book *book, const char *name);
uint32_t book_pool_count(const struct book *book); // pools are 1 to this; so are the others
uint32_t book_tenant_count(const struct book *book);
uint32_t book_contract_count(const struct book *book);
uint32_t book_site_count(const struct book *book);
uint32_t book_period_count(const struct book *book);

// The rows as they stand. Valid until the next apply.
const struct pool_row *book_pool_row(const struct book *book, uint32_t pool);
const struct site_row *book_site_row(const struct book *book, uint32_t site);
const struct tenant_row *book_tenant_row(const struct book *book, uint32_t tenant);
const struct contract_row *book_contract_row(const struct book *book, uint32_t contract);
const struct contract_period_row *book_period_row(const struct book *book, uint32_t period);
uint32_t book_contract_first_period(const struct book *book,
                                    uint32_t contract); // its periods' ids are consecutive
uint32_t book_contract_period_count(const struct book *book, uint32_t contract);

// Who a uid is. False when it is no one's.
bool book_uid(const struct book *book, uint32_t uid, uint32_t *tenant);

// The token with this label, NULL when there is none; and all of them by index, for a login that names no
// label.
size_t book_token_count(const struct book *book);
const struct token_row *book_token(const struct book *book, size_t index);

// ---- Reading

// A live reservation. False when it is not in the book (it may have ended: see book_reservation_owner).
// Slices are valid until the next apply. The state and the GPUs are by the clock.
bool book_reservation(const struct book *book, int64_t id, struct instant now,
                      struct reservation_image *image);

// The state by the clock, of any row: the ledger's readers show ended reservations as the book shows live
// ones.
enum reservation_state reservation_state_at(const struct reservation_row *row, struct instant now);

// GPUs in the running hour, or at the next hour that has any, or of the last window.
int32_t reservation_gpus_at(const struct reservation_image *image, struct instant now);

// Whose a reservation is, live or ended; 0 when there never was one. book_reservation_live says whether the
// book still has all of it.
uint32_t book_reservation_owner(const struct book *book, int64_t id);
bool book_reservation_live(const struct book *book, int64_t id);

// The reservation or the group that a reference made or last named, for reservation.get by client_ref: 0 when
// there is none.
int64_t book_client_ref(const struct book *book, uint32_t scope, const char *client_ref, bool *is_group);

// The pool of an outage that was reported without an end, by the id of the change that opened it; 0 when
// there is none.
uint32_t book_outage_pool(const struct book *book, int64_t id);

// Free GPUs, and capacity, from the running hour on.
int32_t book_free(const struct book *book, uint32_t pool, struct hour hour);
int32_t book_capacity(const struct book *book, uint32_t pool, struct hour hour);
// How many GPUs the site's power allows a booking of the tier in an hour, in whole units: a firm one beside
// what is sold firm, a preemptible one beside all that is sold. −1 when it sets no limit.
int64_t book_powered(const struct book *book, uint32_t pool, enum tier tier, struct hour hour);
// The step that holds `from`: free and capacity there, and where either changes next, at most end.
void book_calendar_step(const struct book *book, uint32_t pool, struct hour from, struct hour end,
                        int32_t *free, int32_t *capacity, struct hour *until);
struct hour book_horizon_end(const struct book *book, struct instant now);

// The price a tenant (0: list) pays in an hour. False when there is none.
bool book_price(const struct book *book, uint32_t pool, enum tier tier, uint32_t tenant, struct hour hour,
                struct amount *price);

size_t book_live_count(const struct book *book);

// ---- JSON. The members of each thing as the protocol shows it; the caller opens and closes the object.

void book_write_reservation(const struct book *book, struct json *json, const struct reservation_image *image,
                            struct instant now);
void book_write_period(const struct book *book, struct json *json, uint32_t period, struct instant now);
// The members "forecast" and "pace" of a period, null where there is nothing to be said (core/forecast.h).
void book_write_outlook(const struct book *book, struct json *json, uint32_t period, struct instant now);
// Watts as kilowatts with all their decimals: "1.275".
void book_write_kilowatts(struct json *json, const char *key, int64_t watts);
// What is used of a period, and its floor.
void book_period_use(const struct book *book, uint32_t period, struct instant now, struct amount *used,
                     struct amount *floor);

// The seq of the last event that was applied, or was there when the book was loaded; 0: none.
int64_t book_last_event(const struct book *book);

void book_write_event(const struct book *book, struct json *json, const struct event_row *event);
void book_write_transfer(const struct book *book, struct json *json, const struct transfer_row *transfer);
// The whole manifest that would recreate the present inventory, tenants and contracts.
void book_write_manifest(const struct book *book, struct json *json);

// The name of an account as transfers show it: "acme-2026/2026-05-01T00:00:00Z/encumbered" or
// "acme-2026/commitment".
void book_account_name(const struct book *book, uint32_t account, char *text, size_t size);

#endif
