// The book's memory, and the questions that need no decision.
#include "core/book.h"

#include "base/digest.h"
#include "base/memory.h"
#include "core/book_internal.h"
#include "core/capacity_change.h"
#include "core/transition.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct book *book_create(const struct book_options *options)
{
    struct book *book = memory_allocate(1, sizeof *book);
    book->options = *options;
    book->loading = true;
    book->time = hour_start(options->origin);
    book->reached = options->origin;
    book->next_reservation = book->next_event = book->next_transfer = 1;
    book->next_capacity_change = book->next_rate = book->next_interruption = 1;
    return book;
}

static void free_sites(struct book *book)
{
    for (size_t i = 1; i <= book->site_count; i++) {
        free((char *)book->sites[i].row.site);
        free((char *)book->sites[i].row.note);
        free(book->sites[i].power);
        power_destroy(book->sites[i].used);
        power_destroy(book->sites[i].firm);
    }
    free(book->sites);
}

static void free_pools(struct book *book)
{
    for (size_t i = 1; i <= book->pool_count; i++) {
        struct pool *pool = &book->pools[i];
        free((char *)pool->row.pool);
        free((char *)pool->row.gpu);
        free((char *)pool->row.note);
        calendar_destroy(pool->calendar);
        calendar_destroy(pool->firm);
        free(pool->preemptible);
        free(pool->waiting);
        for (int tier = 0; tier < TIER_COUNT; tier++)
            free(pool->rates[tier]);
        for (size_t k = 0; k < pool->change_count; k++)
            free((char *)pool->changes[k].note);
        free(pool->changes);
    }
    free(book->pools);
}

static void free_tenants(struct book *book)
{
    for (size_t i = 1; i <= book->tenant_count; i++) {
        free((char *)book->tenants[i].row.tenant);
        free((char *)book->tenants[i].row.name);
        free((char *)book->tenants[i].row.note);
        free(book->tenants[i].contracts);
    }
    free(book->tenants);
    for (size_t i = 0; i < book->token_count; i++)
        free((char *)book->tokens[i].label);
    free(book->tokens);
    free(book->uids);
}

static void free_contracts(struct book *book)
{
    for (size_t i = 1; i <= book->contract_count; i++) {
        struct contract *contract = &book->contracts[i];
        free((char *)contract->row.contract);
        free((char *)contract->row.note);
        free(contract->prices);
        free(contract->pools);
    }
    free(book->contracts);
    for (size_t i = 1; i <= book->period_count; i++)
        changes_free(&book->periods[i].deliveries);
    free(book->periods);
    free(book->dirty_periods);
    free(book->accounts);
    free(book->dirty_accounts);
    free(book->account_dirty);
}

void book_destroy(struct book *book)
{
    if (book == NULL)
        return;
    for (size_t id = 0; id < book->reservation_capacity; id++) {
        struct reservation *reservation = place_live(book->reservations[id]);
        if (reservation != NULL) {
            free((char *)reservation->row.client_ref);
            free((char *)reservation->row.project);
            free((char *)reservation->row.note);
            free(reservation);
        }
    }
    free(book->reservations);
    free(book->ended);
    free_sites(book);
    free_pools(book);
    free_tenants(book);
    free_contracts(book);
    free((char *)book->manifest_note);
    name_map_free(&book->site_names);
    name_map_free(&book->pool_names);
    name_map_free(&book->tenant_names);
    name_map_free(&book->contract_names);
    for (size_t i = 0; i < book->outage_count; i++)
        free((char *)book->outages[i].row.note);
    free(book->outages);
    free(book->interruptions);
    fingerprint_map_free(&book->client_refs);
    due_free(&book->urgent);
    due_free(&book->lifecycle);
    free(book);
}

struct instant book_time(const struct book *book)
{
    return book->time;
}

int64_t book_last_event(const struct book *book)
{
    return book->next_event - 1;
}

size_t book_live_count(const struct book *book)
{
    return book->live_count;
}

// ---- Names and identity

uint32_t book_tenant(const struct book *book, const char *name)
{
    return (uint32_t)name_map_get(&book->tenant_names, name);
}

uint32_t book_pool(const struct book *book, const char *name)
{
    return (uint32_t)name_map_get(&book->pool_names, name);
}

uint32_t book_contract(const struct book *book, const char *name)
{
    return (uint32_t)name_map_get(&book->contract_names, name);
}

uint32_t book_site(const struct book *book, const char *name)
{
    return (uint32_t)name_map_get(&book->site_names, name);
}

uint32_t book_pool_count(const struct book *book)
{
    return (uint32_t)book->pool_count;
}

uint32_t book_tenant_count(const struct book *book)
{
    return (uint32_t)book->tenant_count;
}

uint32_t book_contract_count(const struct book *book)
{
    return (uint32_t)book->contract_count;
}

uint32_t book_site_count(const struct book *book)
{
    return (uint32_t)book->site_count;
}

uint32_t book_period_count(const struct book *book)
{
    return (uint32_t)book->period_count;
}

const struct pool_row *book_pool_row(const struct book *book, uint32_t pool)
{
    assert(pool >= 1 && pool <= book->pool_count);
    return &book->pools[pool].row;
}

const struct site_row *book_site_row(const struct book *book, uint32_t site)
{
    assert(site >= 1 && site <= book->site_count);
    return &book->sites[site].row;
}

const struct tenant_row *book_tenant_row(const struct book *book, uint32_t tenant)
{
    assert(tenant >= 1 && tenant <= book->tenant_count);
    return &book->tenants[tenant].row;
}

const struct contract_row *book_contract_row(const struct book *book, uint32_t contract)
{
    assert(contract >= 1 && contract <= book->contract_count);
    return &book->contracts[contract].row;
}

const struct contract_period_row *book_period_row(const struct book *book, uint32_t period)
{
    assert(period >= 1 && period <= book->period_count);
    return &book->periods[period].row;
}

uint32_t book_contract_first_period(const struct book *book, uint32_t contract)
{
    assert(contract >= 1 && contract <= book->contract_count);
    return book->contracts[contract].first_period;
}

uint32_t book_contract_period_count(const struct book *book, uint32_t contract)
{
    assert(contract >= 1 && contract <= book->contract_count);
    return book->contracts[contract].period_count;
}

bool book_uid(const struct book *book, uint32_t uid, uint32_t *tenant)
{
    for (size_t i = 0; i < book->uid_count; i++) {
        if (book->uids[i].uid == uid && !book->uids[i].revoked) {
            *tenant = book->uids[i].tenant;
            return true;
        }
    }
    return false;
}

size_t book_token_count(const struct book *book)
{
    return book->token_count;
}

const struct token_row *book_token(const struct book *book, size_t index)
{
    assert(index < book->token_count);
    return &book->tokens[index];
}

struct fingerprint client_ref_fingerprint(const struct book *book, uint32_t scope, const char *client_ref)
{
    // References are at most 128 characters; the scope goes before them as four bytes.
    char text[4 + 128];
    size_t length = strlen(client_ref);
    assert(length <= sizeof text - 4);
    memcpy(text, &scope, 4);
    memcpy(text + 4, client_ref, length);
    return fingerprint_keyed(book->options.reference_key, text, length + 4);
}

int64_t book_client_ref(const struct book *book, uint32_t scope, const char *client_ref, bool *is_group)
{
    if (scope == 0)
        return 0; // the operator side's own changes make no reservations
    const struct fingerprint_entry *entry =
        fingerprint_map_get(&book->client_refs, client_ref_fingerprint(book, scope, client_ref));
    if (entry == NULL)
        return 0;
    *is_group = (entry->value & 2) != 0;
    return (int64_t)(entry->value >> 2);
}

// ---- Reservations

enum reservation_state reservation_state_at(const struct reservation_row *row, struct instant now)
{
    enum reservation_state state = row->state;
    if (state == STATE_HELD && now.seconds >= row->hold_expires.seconds)
        return STATE_EXPIRED;
    if (state == STATE_WAITING && now.seconds >= row->wait_until.seconds)
        return STATE_EXPIRED;
    if (state == STATE_BOOKED && now.seconds >= hour_start(row->start).seconds)
        state = STATE_ACTIVE;
    if (state == STATE_ACTIVE && now.seconds >= hour_start(row->end).seconds)
        state = STATE_COMPLETED;
    return state;
}

int32_t reservation_gpus_at(const struct reservation_image *image, struct instant now)
{
    if (state_is_terminal(image->row.state))
        return image->row.gpus;
    struct hour hour = hour_of_instant(now);
    // The running hour, or the next one that a slice begins in.
    struct hour wanted = HOUR_NEVER;
    for (int32_t i = 0; i < image->slice_count; i++) {
        const struct slice_row *slice = &image->slices[i];
        struct hour first = slice->start.number > hour.number ? slice->start : hour;
        if (first.number < slice->end.number && first.number < wanted.number)
            wanted = first;
    }
    if (wanted.number == HOUR_NEVER.number)
        return image->row.gpus;
    int32_t gpus = 0;
    for (int32_t i = 0; i < image->slice_count; i++) {
        const struct slice_row *slice = &image->slices[i];
        if (slice->start.number <= wanted.number && wanted.number < slice->end.number)
            gpus += slice->gpus;
    }
    return gpus;
}

bool book_reservation(const struct book *book, int64_t id, struct instant now,
                      struct reservation_image *image)
{
    const struct reservation *reservation = book_live(book, id);
    if (reservation == NULL)
        return false;
    *image = (struct reservation_image){
        .row = reservation->row, .slices = reservation->slices, .slice_count = reservation->slice_count};
    image->row.gpus = reservation_gpus_at(image, now);
    image->row.state = reservation_state_at(&reservation->row, now);
    return true;
}

uint32_t book_reservation_owner(const struct book *book, int64_t id)
{
    if (id <= 0 || (uint64_t)id >= book->reservation_capacity)
        return 0;
    struct reservation_place place = book->reservations[id];
    const struct reservation *live = place_live(place);
    if (live != NULL)
        return live->row.tenant;
    return (uint32_t)(place.value >> 9);
}

enum reservation_state book_ended_state(const struct book *book, int64_t id)
{
    if (id <= 0 || (uint64_t)id >= book->reservation_capacity || (book->reservations[id].value & 1) == 0)
        return STATE_NONE;
    return (enum reservation_state)((book->reservations[id].value >> 1) & 0x7f);
}

bool book_ended_group(const struct book *book, int64_t id)
{
    return book_ended_state(book, id) != STATE_NONE && ((book->reservations[id].value >> 8) & 1) != 0;
}

bool book_reservation_live(const struct book *book, int64_t id)
{
    return book_live(book, id) != NULL;
}

// ---- Capacity and prices

struct outage *book_outage(const struct book *book, int64_t id)
{
    size_t low = 0, high = book->outage_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (book->outages[middle].row.id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < book->outage_count && book->outages[low].row.id == id ? &book->outages[low] : NULL;
}

uint32_t book_outage_pool(const struct book *book, int64_t id)
{
    const struct outage *outage = book_outage(book, id);
    return outage == NULL ? 0 : outage->row.pool;
}

struct hour book_horizon_end(const struct book *book, struct instant now)
{
    return hour_add_months(hour_of_instant(now), book->options.horizon_years * 12);
}

int32_t book_free(const struct book *book, uint32_t pool, struct hour hour)
{
    assert(pool >= 1 && pool <= book->pool_count);
    return calendar_at(book->pools[pool].calendar, hour);
}

int32_t book_capacity(const struct book *book, uint32_t pool, struct hour hour)
{
    assert(pool >= 1 && pool <= book->pool_count);
    struct hour until = HOUR_NEVER;
    return (int32_t)capacity_at(book->pools[pool].changes, book->pools[pool].change_count, hour, &until);
}

void pool_use_power(const struct pool *pool, enum tier tier, struct hour from, int64_t watts_per_gpu,
                    struct power *used)
{
    const struct calendar *calendar = pool_calendar(pool, tier);
    struct hour end = calendar_end(calendar);
    while (from.number < end.number) {
        struct hour until = end;
        int32_t free;
        int64_t capacity = capacity_at(pool->changes, pool->change_count, from, &until);
        calendar_step(calendar, from, until, &free, &until);
        power_add(used, from, until, (capacity - free) * watts_per_gpu);
        from = until;
    }
}

int64_t book_powered(const struct book *book, uint32_t pool, enum tier tier, struct hour hour)
{
    const struct pool_row *row = &book->pools[pool].row;
    const struct site *site = &book->sites[row->site];
    struct hour until = HOUR_NEVER;
    if (site->used == NULL || row->watts_per_gpu == 0)
        return -1;
    int64_t envelope = envelope_at(site->power, site->power_count, hour, &until);
    if (envelope == POWER_UNLIMITED)
        return -1;
    int64_t left = envelope - power_used(site_power(site, tier), hour);
    return left <= 0 ? 0 : left / row->watts_per_gpu / row->unit * row->unit;
}

// Moves *until back to where what the power allows changes.
static void cut_where_power_changes(const struct book *book, uint32_t pool, struct hour from,
                                    struct hour *until)
{
    const struct site *site = &book->sites[book->pools[pool].row.site];
    int64_t here = book_powered(book, pool, TIER_PREEMPTIBLE, from);
    for (struct hour hour = from, next; hour.number < until->number; hour = next) {
        next = *until;
        envelope_at(site->power, site->power_count, hour, &next);
        power_step(site->used, hour, &next);
        if (next.number < until->number && book_powered(book, pool, TIER_PREEMPTIBLE, next) != here)
            *until = next;
    }
}

void book_calendar_step(const struct book *book, uint32_t pool, struct hour from, struct hour end,
                        int32_t *free, int32_t *capacity, struct hour *until)
{
    assert(pool >= 1 && pool <= book->pool_count);
    const struct pool *found = &book->pools[pool];
    calendar_step(found->calendar, from, end, free, until);
    *capacity = (int32_t)capacity_at(found->changes, found->change_count, from, until);
    if (book->sites[found->row.site].used != NULL && found->row.watts_per_gpu > 0)
        cut_where_power_changes(book, pool, from, until);
}

int32_t capacity_kind_sign(enum capacity_kind kind)
{
    return kind == CAPACITY_INITIAL || kind == CAPACITY_GROWTH ? 1 : -1;
}

static bool contract_covers(const struct contract *contract, uint32_t pool)
{
    if (contract->pool_count == 0)
        return true;
    for (size_t i = 0; i < contract->pool_count; i++)
        if (contract->pools[i] == pool)
            return true;
    return false;
}

uint32_t book_contract_at(const struct book *book, uint32_t tenant, uint32_t pool, struct hour hour)
{
    const struct tenant *found = &book->tenants[tenant];
    for (size_t i = 0; i < found->contract_count; i++) {
        const struct contract *contract = &book->contracts[found->contracts[i]];
        if (contract->row.start.number <= hour.number && hour.number < contract->row.end.number &&
            contract_covers(contract, pool))
            return found->contracts[i];
    }
    return 0;
}

uint32_t contract_period_at(const struct book *book, uint32_t contract, struct hour hour)
{
    const struct contract *found = &book->contracts[contract];
    uint32_t low = found->first_period, high = found->first_period + found->period_count - 1;
    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;
        if (book->periods[middle].row.start.number <= hour.number)
            low = middle;
        else
            high = middle - 1;
    }
    assert(book->periods[low].row.start.number <= hour.number &&
           hour.number < book->periods[low].row.end.number);
    return low;
}

// The list price in force in an hour. *until is the first hour with another one.
static bool list_price_at(const struct pool *pool, enum tier tier, struct hour hour, struct amount *price,
                          struct hour *until)
{
    size_t after = 0; // the first step that begins later
    size_t high = pool->rate_count[tier];
    while (after < high) {
        size_t middle = (after + high) / 2;
        if (pool->rates[tier][middle].start.number <= hour.number)
            after = middle + 1;
        else
            high = middle;
    }
    *until = after < pool->rate_count[tier] ? pool->rates[tier][after].start : HOUR_NEVER;
    if (after == 0)
        return false;
    *price = pool->rates[tier][after - 1].price;
    return true;
}

bool contract_price_at(const struct book *book, uint32_t contract, uint32_t pool, enum tier tier,
                       struct hour hour, struct amount *price, struct hour *until)
{
    const struct contract *found = &book->contracts[contract];
    for (size_t i = 0; i < found->price_count; i++) {
        if (found->prices[i].pool == pool && found->prices[i].tier == tier) {
            *price = found->prices[i].price;
            *until = HOUR_NEVER;
            return true;
        }
    }
    if (!list_price_at(&book->pools[pool], tier, hour, price, until))
        return false;
    struct amount discount;
    bool fits = amount_percent(*price, found->terms.discount_bp, &discount) &&
                amount_subtract(*price, discount, price);
    assert(fits); // a discount is at most the price
    (void)fits;
    return true;
}

bool book_price(const struct book *book, uint32_t pool, enum tier tier, uint32_t tenant, struct hour hour,
                struct amount *price)
{
    struct hour until;
    uint32_t contract = tenant == 0 ? 0 : book_contract_at(book, tenant, pool, hour);
    if (contract == 0)
        return list_price_at(&book->pools[pool], tier, hour, price, &until);
    return contract_price_at(book, contract, pool, tier, hour, price, &until);
}

struct amount period_unposted(const struct contract_period_row *row, struct hour through)
{
    int64_t hours = (int64_t)through.number - row->delivered_through.number;
    struct amount unposted = row->delivered, since;
    if (hours > 0) {
        // What is delivered was encumbered before, so neither can overflow.
        bool fits = amount_multiply(row->delivering, hours, &since) && amount_add(unposted, since, &unposted);
        assert(fits);
        (void)fits;
    }
    return unposted;
}

int32_t book_horizon_hours(const struct book *book)
{
    // Years of 366 days, so that the horizon by the calendar always fits.
    return book->options.horizon_years * 366 * HOURS_PER_DAY;
}
