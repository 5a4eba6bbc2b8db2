// Applying rows: the only place where the book changes.
//
// Applying decides nothing and refuses nothing: a row says how its line is from now on, and the book follows,
// with all that is derived from it (calendars, what is delivered an hour, what is due when). While the ledger
// is loaded the rows are the whole tables; afterwards they are what each decision changed.
#include "base/memory.h"
#include "core/book_internal.h"
#include "core/schedule.h"
#include "core/transition.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

// Room for a site's window to move on without work: a year.
#define SLACK_HOURS (366 * HOURS_PER_DAY)

static void replace_text(const char **place, const char *text)
{
    char *copy = memory_copy_text(text);
    free((char *)*place);
    *place = copy;
}

// Makes room for element `id` in a table whose element 0 is unused. Ids are dense.
#define TABLE_REACH(table, count, capacity, id)                                                              \
    do {                                                                                                     \
        assert((id) >= 1 && (size_t)(id) <= (count) + 1);                                                    \
        if ((size_t)(id) > (count)) {                                                                        \
            (table) = memory_grow((table), (count) + 1, &(capacity), sizeof *(table));                       \
            if ((count) == 0)                                                                                \
                memset((table), 0, sizeof *(table));                                                         \
            (count)++;                                                                                       \
            memset(&(table)[(count)], 0, sizeof *(table));                                                   \
        }                                                                                                    \
    } while (0)

// ---- What is waited for

bool book_waits(const struct book *book, int64_t id)
{
    const struct reservation *reservation = book_live(book, id);
    return reservation != NULL && reservation->row.state == STATE_WAITING;
}

void book_freed(struct book *book, struct pool *pool)
{
    if (pool->waiting_count == 0 || book->loading)
        return;
    if (pool->serving) {
        pool->serve_again = true;
        return;
    }
    pool->serving = true;
    pool->served = 0;
}

void book_freed_anywhere(struct book *book)
{
    for (size_t i = 1; i <= book->pool_count; i++)
        book_freed(book, &book->pools[i]);
}

// Those that no longer wait leave the list when it is full.
static void list_waiting(struct book *book, const struct reservation_row *row)
{
    struct pool *pool = &book->pools[row->pool];
    if (pool->waiting_count == pool->waiting_capacity) {
        size_t kept = 0, served = 0;
        for (size_t i = 0; i < pool->waiting_count; i++) {
            if (!book_waits(book, pool->waiting[i]))
                continue;
            served += i < pool->served;
            pool->waiting[kept++] = pool->waiting[i];
        }
        pool->waiting_count = kept;
        pool->served = served;
        pool->waiting_capacity = 2 * kept + 16;
        pool->waiting = memory_resize(pool->waiting, pool->waiting_capacity, sizeof *pool->waiting);
    }
    pool->waiting[pool->waiting_count++] = row->id;
}

// ---- Sites and pools

static void apply_site(struct book *book, const struct site_row *row)
{
    TABLE_REACH(book->sites, book->site_count, book->site_capacity, row->id);
    struct site *site = &book->sites[row->id];
    if (site->row.id == 0)
        name_map_put(&book->site_names, row->site, row->id);
    site->row.id = row->id;
    replace_text(&site->row.site, row->site);
    replace_text(&site->row.note, row->note);
}

// Uses what is sold of a pool, and what of it is firm, at so many watts for each GPU.
static void use_power(struct book *book, const struct pool *pool, int64_t watts_per_gpu)
{
    struct site *site = &book->sites[pool->row.site];
    if (site->used == NULL || watts_per_gpu == 0)
        return;
    pool_use_power(pool, TIER_PREEMPTIBLE, book->reached, watts_per_gpu, site->used);
    pool_use_power(pool, TIER_FIRM, book->reached, watts_per_gpu, site->firm);
}

// From the first step of its envelope on a site's use of power is known by the hour.
static void begin_power(struct book *book, uint32_t id)
{
    struct site *site = &book->sites[id];
    if (site->used != NULL)
        return;
    site->used = power_create(book->reached, book_horizon_hours(book) + SLACK_HOURS);
    site->firm = power_create(book->reached, book_horizon_hours(book) + SLACK_HOURS);
    for (uint32_t pool = 1; pool <= book->pool_count; pool++)
        if (book->pools[pool].row.site == id)
            use_power(book, &book->pools[pool], book->pools[pool].row.watts_per_gpu);
}

static void apply_site_power(struct book *book, const struct site_power_row *row)
{
    struct site *site = &book->sites[row->site];
    begin_power(book, row->site);
    book_freed_anywhere(book);
    size_t place = site->power_count;
    while (place > 0 && site->power[place - 1].start.number >= row->start.number)
        place--;
    if (place < site->power_count && site->power[place].start.number == row->start.number) {
        site->power[place] = *row;
        return;
    }
    site->power = memory_grow(site->power, site->power_count, &site->power_capacity, sizeof *site->power);
    memmove(&site->power[place + 1], &site->power[place], (site->power_count - place) * sizeof *site->power);
    site->power[place] = *row;
    site->power_count++;
}

static void apply_pool(struct book *book, const struct pool_row *row)
{
    TABLE_REACH(book->pools, book->pool_count, book->pool_capacity, row->id);
    struct pool *pool = &book->pools[row->id];
    if (pool->row.id == 0) {
        name_map_put(&book->pool_names, row->pool, row->id);
        pool->calendar = calendar_create(book->reached, book_horizon_hours(book));
    }
    struct pool_row old = pool->row;
    if (old.watts_per_gpu != row->watts_per_gpu && old.id != 0)
        use_power(book, pool, row->watts_per_gpu - old.watts_per_gpu);
    pool->row = *row;
    pool->row.pool = old.pool;
    pool->row.gpu = old.gpu;
    pool->row.note = old.note;
    replace_text(&pool->row.pool, row->pool);
    replace_text(&pool->row.gpu, row->gpu);
    replace_text(&pool->row.note, row->note);
}

static void apply_rate(struct book *book, const struct rate_row *row)
{
    struct pool *pool = &book->pools[row->pool];
    struct rate_step **steps = &pool->rates[row->tier];
    size_t *count = &pool->rate_count[row->tier];
    size_t place = *count;
    while (place > 0 && (*steps)[place - 1].start.number >= row->start.number)
        place--;
    struct rate_step step = {.start = row->start, .price = row->price};
    if (row->id >= book->next_rate)
        book->next_rate = row->id + 1;
    book_freed(book, pool);
    if (place < *count && (*steps)[place].start.number == row->start.number) {
        (*steps)[place] = step;
        return;
    }
    *steps = memory_grow(*steps, *count, &pool->rate_capacity[row->tier], sizeof **steps);
    memmove(*steps + place + 1, *steps + place, (*count - place) * sizeof **steps);
    (*steps)[place] = step;
    (*count)++;
}

static void apply_tenant(struct book *book, const struct tenant_row *row)
{
    TABLE_REACH(book->tenants, book->tenant_count, book->tenant_capacity, row->id);
    struct tenant *tenant = &book->tenants[row->id];
    if (tenant->row.id == 0)
        name_map_put(&book->tenant_names, row->tenant, row->id);
    tenant->row.id = row->id;
    tenant->row.suspended = row->suspended;
    tenant->row.rate_limit = row->rate_limit;
    replace_text(&tenant->row.tenant, row->tenant);
    replace_text(&tenant->row.name, row->name);
    replace_text(&tenant->row.note, row->note);
    book_freed_anywhere(book); // a tenant that was suspended may be so no longer
}

static void apply_uid(struct book *book, const struct uid_row *row)
{
    size_t place = book->uid_count;
    while (place > 0 && book->uids[place - 1].uid >= row->uid)
        place--;
    if (place < book->uid_count && book->uids[place].uid == row->uid) {
        book->uids[place] = *row;
        return;
    }
    book->uids = memory_grow(book->uids, book->uid_count, &book->uid_capacity, sizeof *book->uids);
    memmove(&book->uids[place + 1], &book->uids[place], (book->uid_count - place) * sizeof *book->uids);
    book->uids[place] = *row;
    book->uid_count++;
}

static void apply_token(struct book *book, const struct token_row *row)
{
    for (size_t i = 0; i < book->token_count; i++) {
        if (strcmp(book->tokens[i].label, row->label) == 0) {
            book->tokens[i].revoked = row->revoked;
            return;
        }
    }
    book->tokens = memory_grow(book->tokens, book->token_count, &book->token_capacity, sizeof *book->tokens);
    struct token_row *token = &book->tokens[book->token_count++];
    *token = *row;
    token->label = memory_copy_text(row->label);
}

// ---- Contracts

// The contract's first month end after an hour. Months before its start count too: what is booked ahead can
// be cancelled with a fee then.
static void schedule_month_end(struct book *book, struct contract *contract, struct hour after)
{
    struct hour next = hour_next_month(after);
    if (next.number <= contract->next_month_end.number || next.number >= contract->row.end.number)
        return;
    contract->next_month_end = next;
    due_add(&book->urgent, hour_start(next), DUE_MONTH_END, contract->row.id);
}

static void apply_contract(struct book *book, const struct contract_row *row)
{
    TABLE_REACH(book->contracts, book->contract_count, book->contract_capacity, row->id);
    struct contract *contract = &book->contracts[row->id];
    if (contract->row.id == 0) {
        name_map_put(&book->contract_names, row->contract, row->id);
        struct tenant *tenant = &book->tenants[row->tenant];
        tenant->contracts = memory_grow(tenant->contracts, tenant->contract_count, &tenant->contract_capacity,
                                        sizeof *tenant->contracts);
        tenant->contracts[tenant->contract_count++] = row->id;
    }
    struct contract_row old = contract->row;
    contract->row = *row;
    contract->row.contract = old.contract;
    contract->row.note = old.note;
    replace_text(&contract->row.contract, row->contract);
    replace_text(&contract->row.note, row->note);
    if (!book->loading)
        schedule_month_end(book, contract, hour_of_instant(book->time));
    book_freed_anywhere(book);
}

static void apply_contract_terms(struct book *book, const struct contract_terms_row *row)
{
    struct contract *contract = &book->contracts[row->contract];
    if (row->version < contract->terms.version)
        return;
    if (row->version > contract->terms.version) {
        contract->price_count = 0;
        contract->pool_count = 0;
    }
    contract->terms = *row;
}

static void apply_contract_price(struct book *book, const struct contract_price_row *row)
{
    struct contract *contract = &book->contracts[row->contract];
    if (row->version != contract->terms.version)
        return;
    contract->prices = memory_grow(contract->prices, contract->price_count, &contract->price_capacity,
                                   sizeof *contract->prices);
    contract->prices[contract->price_count++] = *row;
}

static void apply_contract_pool(struct book *book, const struct contract_pool_row *row)
{
    struct contract *contract = &book->contracts[row->contract];
    if (row->version != contract->terms.version)
        return;
    contract->pools =
        memory_grow(contract->pools, contract->pool_count, &contract->pool_capacity, sizeof *contract->pools);
    contract->pools[contract->pool_count++] = row->pool;
}

static void schedule_period(struct book *book, struct period *period)
{
    const struct contract_period_row *row = &period->row;
    const struct contract *contract = &book->contracts[row->contract];
    if (row->closed)
        return;
    if (!period->close_scheduled) {
        period->close_scheduled = true;
        due_add(&book->urgent, hour_start(row->end), DUE_CLOSE, row->id);
    }
    if (contract->terms.billing == BILLING_INSTALMENTS && !amount_is_zero(row->commit) &&
        period->instalments_scheduled <= row->instalments_billed &&
        (int32_t)row->instalments_billed < schedule_instalment_count(row->start, row->end)) {
        period->instalments_scheduled = row->instalments_billed + 1;
        due_add(&book->urgent,
                hour_start(schedule_instalment_due(row->start, (int32_t)row->instalments_billed)),
                DUE_INSTALMENT, row->id);
    }
}

// The book knows more of a period than its last row says: a row of it is added when the batch ends.
static void note_period(struct book *book, uint32_t id)
{
    if (book->periods[id].dirty)
        return;
    book->periods[id].dirty = true;
    book->dirty_periods = memory_grow(book->dirty_periods, book->dirty_period_count,
                                      &book->dirty_period_capacity, sizeof *book->dirty_periods);
    book->dirty_periods[book->dirty_period_count++] = id;
}

static void apply_contract_period(struct book *book, const struct contract_period_row *row)
{
    TABLE_REACH(book->periods, book->period_count, book->period_capacity, row->id);
    struct period *period = &book->periods[row->id];
    if (period->row.id == 0) {
        struct contract *contract = &book->contracts[row->contract];
        if (contract->period_count == 0)
            contract->first_period = row->id;
        assert(contract->first_period + contract->period_count == row->id);
        contract->period_count++;
        period->next_delivery_change = HOUR_NEVER;
    }
    // A decision's row was made before its slices were applied. Unless it posts, it knows less of what is
    // delivered an hour than the book does by now.
    struct amount delivering = period->row.delivering;
    bool stale = !book->loading && period->row.id != 0 &&
                 period->row.delivered_through.number == row->delivered_through.number &&
                 delivering.micro != row->delivering.micro;
    period->row = *row;
    period->dirty = false;
    if (stale) {
        period->row.delivering = delivering;
        note_period(book, row->id);
    }
    schedule_period(book, period);
}

static void apply_account(struct book *book, const struct account_row *row)
{
    TABLE_REACH(book->accounts, book->account_count, book->account_capacity, row->id);
    book->accounts[row->id] = *row;
    if (row->kind >= ACCOUNT_COMMITMENT)
        book->contracts[row->contract].accounts[row->kind - ACCOUNT_COMMITMENT] = row->id;
    else
        book->periods[row->period].accounts[row->kind] = row->id;
}

static void change_balance(struct book *book, uint32_t account, int64_t micro)
{
    assert(account >= 1 && account <= book->account_count);
    if (micro > 0 && book->accounts[account].kind == ACCOUNT_AUTHORITY)
        book_freed_anywhere(book);
    bool fits =
        amount_add(book->accounts[account].balance, (struct amount){micro}, &book->accounts[account].balance);
    assert(fits); // the decision has checked it
    (void)fits;
    if (book->account_dirty_capacity <= account) {
        size_t capacity = book->account_capacity;
        book->account_dirty = memory_resize(book->account_dirty, capacity, sizeof *book->account_dirty);
        memset(book->account_dirty + book->account_dirty_capacity, 0,
               (capacity - book->account_dirty_capacity) * sizeof *book->account_dirty);
        book->account_dirty_capacity = capacity;
    }
    if (book->account_dirty[account])
        return;
    book->account_dirty[account] = true;
    book->dirty_accounts = memory_grow(book->dirty_accounts, book->dirty_account_count,
                                       &book->dirty_account_capacity, sizeof *book->dirty_accounts);
    book->dirty_accounts[book->dirty_account_count++] = account;
}

static void apply_transfer(struct book *book, const struct transfer_row *row)
{
    change_balance(book, row->debit_account, -row->amount.micro);
    change_balance(book, row->credit_account, row->amount.micro);
    if (row->id >= book->next_transfer)
        book->next_transfer = row->id + 1;
}

// ---- Reservations and their slices

static void reach_reservation(struct book *book, int64_t id)
{
    if ((uint64_t)id < book->reservation_capacity)
        return;
    size_t capacity = book->reservation_capacity < 64 ? 64 : book->reservation_capacity;
    while ((uint64_t)id >= capacity)
        capacity *= 2;
    book->reservations = memory_resize(book->reservations, capacity, sizeof *book->reservations);
    memset(book->reservations + book->reservation_capacity, 0,
           (capacity - book->reservation_capacity) * sizeof *book->reservations);
    book->reservation_capacity = capacity;
}

static void schedule_reservation(struct book *book, const struct reservation_row *row)
{
    if (row->state == STATE_HELD)
        due_add(&book->urgent, row->hold_expires, DUE_EXPIRY, row->id);
    else if (row->state == STATE_WAITING)
        due_add(&book->urgent, row->wait_until, DUE_EXPIRY, row->id);
    else if (row->state == STATE_BOOKED)
        due_add(&book->lifecycle, hour_start(row->start), DUE_START, row->id);
    else if (row->state == STATE_ACTIVE)
        due_add(&book->lifecycle, hour_start(row->end), DUE_END, row->id);
}

// What is kept of a reservation that has ended.
static struct reservation_place ended_place(const struct reservation_row *row, enum reservation_state state)
{
    uintptr_t leads_group = row->group == row->id ? 1 : 0;
    return (struct reservation_place){((uintptr_t)row->tenant << 9) | (leads_group << 8) |
                                      ((uintptr_t)state << 1) | 1};
}

// The running hour of a preemptible reservation that was cancelled stays sold, and there is nobody left who
// could give way in it.
static void settle_preemptible(struct book *book, const struct reservation *reservation)
{
    const struct pool *pool = &book->pools[reservation->row.pool];
    const struct site *site = &book->sites[pool->row.site];
    for (int32_t i = 0; i < reservation->slice_count; i++) {
        const struct slice_row *slice = &reservation->slices[i];
        if (pool->firm != NULL)
            calendar_add(pool->firm, slice->start, slice->end, -slice->gpus);
        if (site->firm != NULL)
            power_add(site->firm, slice->start, slice->end, slice->gpus * pool->row.watts_per_gpu);
    }
}

static void forget_reservation(struct book *book, struct reservation *reservation,
                               enum reservation_state state)
{
    if (reservation->row.tier == TIER_PREEMPTIBLE)
        settle_preemptible(book, reservation);
    book->reservations[reservation->row.id] = ended_place(&reservation->row, state);
    free((char *)reservation->row.client_ref);
    free((char *)reservation->row.project);
    free((char *)reservation->row.note);
    free(reservation);
    book->live_count--;
}

// Those that have ended leave the list when it is full.
static void list_preemptible(struct book *book, const struct reservation_row *row)
{
    struct pool *pool = &book->pools[row->pool];
    if (pool->preemptible_count == pool->preemptible_capacity) {
        size_t kept = 0;
        for (size_t i = 0; i < pool->preemptible_count; i++)
            if (book_live(book, pool->preemptible[i]) != NULL)
                pool->preemptible[kept++] = pool->preemptible[i];
        pool->preemptible_count = kept;
        pool->preemptible_capacity = 2 * kept + 16;
        pool->preemptible =
            memory_resize(pool->preemptible, pool->preemptible_capacity, sizeof *pool->preemptible);
    }
    pool->preemptible[pool->preemptible_count++] = row->id;
}

static void apply_reservation(struct book *book, const struct reservation_row *row)
{
    reach_reservation(book, row->id);
    if (row->id >= book->next_reservation)
        book->next_reservation = row->id + 1;
    struct reservation *reservation = book_live(book, row->id);
    if (reservation == NULL) {
        bool ended = state_is_terminal(row->state);
        if (ended && row->end.number <= book->options.origin.number) { // loaded: it ended before
            book->reservations[row->id] = ended_place(row, row->state);
            return;
        }
        if (ended) { // loaded: its slices are to come; it leaves the book when the loading ends
            assert(book->loading);
            book->ended =
                memory_grow(book->ended, book->ended_count, &book->ended_capacity, sizeof *book->ended);
            book->ended[book->ended_count++] = row->id;
        }
        reservation = memory_allocate(1, sizeof *reservation + sizeof reservation->slices[0]);
        reservation->slice_capacity = 1;
        book->reservations[row->id].value = (uintptr_t)reservation;
        if (row->tier == TIER_PREEMPTIBLE && !ended)
            list_preemptible(book, row);
        if (row->state == STATE_WAITING)
            list_waiting(book, row);
        book->live_count++;
    } else if (state_is_terminal(row->state)) {
        forget_reservation(book, reservation, row->state);
        return;
    }
    struct reservation_row old = reservation->row;
    reservation->row = *row;
    reservation->row.client_ref = old.client_ref;
    reservation->row.project = old.project;
    reservation->row.note = old.note;
    if (old.id == 0) { // the texts of a reservation never change
        reservation->row.client_ref = memory_copy_text(row->client_ref);
        reservation->row.project = memory_copy_text(row->project);
        reservation->row.note = memory_copy_text(row->note);
    }
    if (old.id == 0 || old.state != row->state || old.start.number != row->start.number ||
        old.end.number != row->end.number || old.hold_expires.seconds != row->hold_expires.seconds)
        schedule_reservation(book, row);
}

static void schedule_delivery(struct book *book, uint32_t id, struct hour hour)
{
    book->periods[id].next_delivery_change = hour;
    due_add(&book->urgent, hour_start(hour), DUE_DELIVERY, id);
}

// Schedules the first hour after the given one in which what a period is delivered changes.
static void schedule_next_delivery(struct book *book, uint32_t id, struct hour hour)
{
    struct period *period = &book->periods[id];
    period->next_delivery_change = changes_next(&period->deliveries, hour);
    if (period->next_delivery_change.number != HOUR_NEVER.number)
        schedule_delivery(book, id, period->next_delivery_change);
}

// From `hour` on, what a period is delivered an hour changes by so much.
static void change_delivery(struct book *book, uint32_t id, struct hour hour, int64_t micro)
{
    struct period *period = &book->periods[id];
    struct contract_period_row *row = &period->row;
    if (hour.number <= row->delivered_through.number) {
        // Loaded rows carry what runs already; a decision can only add what starts with the running hour.
        if (!book->loading) {
            row->delivering.micro += micro;
            note_period(book, id);
        }
        return;
    }
    if (hour.number >= row->end.number)
        return;
    changes_span(&period->deliveries, row->start, row->end);
    changes_add(&period->deliveries, hour, micro);
    if (hour.number < period->next_delivery_change.number && !book->loading)
        schedule_delivery(book, id, hour);
}

static void deliver_slice(struct book *book, const struct slice_row *slice, int32_t sign)
{
    int64_t hourly = slice->price.micro * slice->gpus * sign;
    change_delivery(book, slice->period, slice->start, hourly);
    change_delivery(book, slice->period, slice->end, -hourly);
}

// Takes (sign 1) or gives back (sign −1) what a slice stands for. Most pools never sell anything preemptible:
// a pool has its second calendar from the first such slice on.
static void account_for_slice(struct book *book, const struct reservation_row *row,
                              const struct slice_row *slice, int32_t sign)
{
    struct pool *pool = &book->pools[row->pool];
    if (row->tier == TIER_PREEMPTIBLE && pool->firm == NULL)
        pool->firm = calendar_copy(pool->calendar);
    calendar_add(pool->calendar, slice->start, slice->end, -sign * slice->gpus);
    if (pool->firm != NULL && row->tier == TIER_FIRM)
        calendar_add(pool->firm, slice->start, slice->end, -sign * slice->gpus);
    struct site *site = &book->sites[pool->row.site];
    int64_t watts = sign * slice->gpus * pool->row.watts_per_gpu;
    if (site->used != NULL)
        power_add(site->used, slice->start, slice->end, watts);
    if (site->firm != NULL && row->tier == TIER_FIRM)
        power_add(site->firm, slice->start, slice->end, watts);
    deliver_slice(book, slice, sign);
    if (sign < 0 && site->used != NULL)
        book_freed_anywhere(book); // the power may serve another pool
    else if (sign < 0)
        book_freed(book, pool);
}

static struct reservation *add_slice_place(struct book *book, struct reservation *reservation, int32_t place)
{
    if (reservation->slice_count == reservation->slice_capacity) {
        int32_t capacity = reservation->slice_capacity * 2;
        struct reservation *grown = memory_resize(
            reservation, 1, sizeof *reservation + (size_t)capacity * sizeof reservation->slices[0]);
        grown->slice_capacity = capacity;
        book->reservations[grown->row.id].value = (uintptr_t)grown;
        reservation = grown;
    }
    memmove(&reservation->slices[place + 1], &reservation->slices[place],
            (size_t)(reservation->slice_count - place) * sizeof reservation->slices[0]);
    reservation->slice_count++;
    return reservation;
}

static void apply_slice(struct book *book, const struct slice_row *row)
{
    struct reservation *reservation = book_live(book, row->reservation);
    if (reservation == NULL) { // loaded: it ended before the calendars begin
        assert(book->loading && !row->removed);
        deliver_slice(book, row, 1);
        return;
    }
    int32_t place = reservation->slice_count;
    while (place > 0 && reservation->slices[place - 1].number >= row->number)
        place--;
    bool known = place < reservation->slice_count && reservation->slices[place].number == row->number;
    if (known)
        account_for_slice(book, &reservation->row, &reservation->slices[place], -1);
    if (row->removed) {
        assert(known);
        reservation->slice_count--;
        memmove(&reservation->slices[place], &reservation->slices[place + 1],
                (size_t)(reservation->slice_count - place) * sizeof reservation->slices[0]);
        return;
    }
    if (!known)
        reservation = add_slice_place(book, reservation, place);
    reservation->slices[place] = *row;
    account_for_slice(book, &reservation->row, row, 1);
}

static void apply_interruption(struct book *book, const struct interruption_row *row)
{
    if (row->id >= book->next_interruption)
        book->next_interruption = row->id + 1;
    if (row->capacity_change == 0)
        return;
    book->interruptions = memory_grow(book->interruptions, book->interruption_count,
                                      &book->interruption_capacity, sizeof *book->interruptions);
    book->interruptions[book->interruption_count++] = *row;
}

static void apply_client_ref(struct book *book, const struct client_ref_row *row)
{
    fingerprint_map_put(&book->client_refs, client_ref_fingerprint(book, row->scope, row->client_ref),
                        book_reference_pack(row->thing, row->is_group), row->request.low);
}

static void apply_event(struct book *book, const struct event_row *row)
{
    if (row->seq >= book->next_event)
        book->next_event = row->seq + 1;
    if (row->at.seconds > book->latest.seconds)
        book->latest = row->at;
}

void book_apply(struct book *book, const struct row *row)
{
    switch (row->kind) {
    case ROW_SITE:
        apply_site(book, &row->site);
        return;
    case ROW_SITE_POWER:
        apply_site_power(book, &row->site_power);
        return;
    case ROW_POOL:
        apply_pool(book, &row->pool);
        return;
    case ROW_RATE:
        apply_rate(book, &row->rate);
        return;
    case ROW_CAPACITY_CHANGE:
        book_change_capacity(book, &row->capacity_change);
        return;
    case ROW_TENANT:
        apply_tenant(book, &row->tenant);
        return;
    case ROW_UID:
        apply_uid(book, &row->uid);
        return;
    case ROW_TOKEN:
        apply_token(book, &row->token);
        return;
    case ROW_CONTRACT:
        apply_contract(book, &row->contract);
        return;
    case ROW_CONTRACT_TERMS:
        apply_contract_terms(book, &row->contract_terms);
        return;
    case ROW_CONTRACT_PRICE:
        apply_contract_price(book, &row->contract_price);
        return;
    case ROW_CONTRACT_POOL:
        apply_contract_pool(book, &row->contract_pool);
        return;
    case ROW_CONTRACT_PERIOD:
        apply_contract_period(book, &row->contract_period);
        return;
    case ROW_ACCOUNT:
        apply_account(book, &row->account);
        return;
    case ROW_RESERVATION:
        apply_reservation(book, &row->reservation);
        return;
    case ROW_SLICE:
        apply_slice(book, &row->slice);
        return;
    case ROW_INTERRUPTION:
        apply_interruption(book, &row->interruption);
        return;
    case ROW_CLIENT_REF:
        apply_client_ref(book, &row->client_ref);
        return;
    case ROW_EVENT:
        apply_event(book, &row->event);
        return;
    case ROW_TRANSFER:
        apply_transfer(book, &row->transfer);
        return;
    case ROW_MANIFEST:
        replace_text(&book->manifest_note, row->manifest.note);
        return;
    }
    assert(false && "a row of no kind");
}

void book_apply_rows(struct book *book, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        book_apply(book, &rows[i]);
}

void book_loaded(struct book *book, struct instant time, int64_t last_event, int64_t last_transfer)
{
    assert(book->loading);
    for (size_t i = 0; i < book->ended_count; i++) {
        struct reservation *reservation = book_live(book, book->ended[i]);
        assert(reservation != NULL); // it is listed once
        forget_reservation(book, reservation, reservation->row.state);
    }
    free(book->ended);
    book->ended = NULL;
    book->loading = false;
    if (time.seconds > book->time.seconds)
        book->time = time;
    book->next_event = last_event + 1;
    book->next_transfer = last_transfer + 1;
    for (size_t i = 1; i <= book->contract_count; i++)
        schedule_month_end(book, &book->contracts[i], hour_of_instant(book->time));
    for (uint32_t i = 1; i <= book->period_count; i++)
        schedule_next_delivery(book, i, book->periods[i].row.delivered_through);
    for (size_t i = 0; i < book->outage_count; i++)
        book_schedule_outage(book, &book->outages[i]);
    book->latest = book->time;
    book_freed_anywhere(book);
}

// ---- Time

// Capacity changes that begin or end in the hours that a calendar has newly taken in.
static void extend_calendar(const struct pool *pool, struct calendar *calendar, struct hour origin)
{
    struct hour old_end = calendar_end(calendar);
    calendar_advance(calendar, origin);
    for (size_t i = 0; i < pool->change_count; i++) {
        const struct capacity_change_row *change = &pool->changes[i];
        if (change->start.number >= old_end.number)
            calendar_add(calendar, change->start, change->end, change->gpus);
        else if (change->end.number >= old_end.number && change->end.number != HOUR_NEVER.number)
            calendar_add(calendar, change->end, HOUR_NEVER, -change->gpus);
    }
}

void book_reach(struct book *book, struct instant now)
{
    if (hour_of_instant(now).number < book->reached.number)
        return;
    book->reached = hour_of_instant(now);
    // The last hour of a calendar is never sold, because the hours that come after it begin as it is.
    int64_t end = (int64_t)book->reached.number + book_horizon_hours(book);
    for (size_t i = 1; i <= book->pool_count; i++) {
        struct pool *pool = &book->pools[i];
        if (end < calendar_end(pool->calendar).number)
            continue;
        extend_calendar(pool, pool->calendar, book->reached);
        if (pool->firm != NULL)
            extend_calendar(pool, pool->firm, book->reached);
    }
    for (size_t i = 1; i <= book->site_count; i++)
        if (book->sites[i].used != NULL && end >= power_end(book->sites[i].used).number) {
            power_advance(book->sites[i].used, book->reached);
            power_advance(book->sites[i].firm, book->reached);
        }
}

void book_deliver(struct book *book, uint32_t id, struct hour hour)
{
    struct period *period = &book->periods[id];
    struct contract_period_row *row = &period->row;
    assert(period->next_delivery_change.number == hour.number);
    row->delivered = period_unposted(row, hour);
    row->delivered_through = hour;
    row->delivering.micro += changes_take(&period->deliveries, hour);
    note_period(book, id);
    schedule_next_delivery(book, id, hour);
}

void book_month_ended(struct book *book, uint32_t contract, struct hour hour)
{
    schedule_month_end(book, &book->contracts[contract], hour);
}

void book_end_batch(struct book *book, struct instant now, struct arena *arena, struct row **rows,
                    size_t *count)
{
    assert(now.seconds >= book->time.seconds);
    book->time = now;
    size_t most = book->dirty_account_count + book->dirty_period_count;
    *rows = arena_allocate(arena, most * sizeof **rows);
    *count = 0;
    for (size_t i = 0; i < book->dirty_account_count; i++) {
        uint32_t account = book->dirty_accounts[i];
        (*rows)[(*count)++] = (struct row){.kind = ROW_ACCOUNT, .account = book->accounts[account]};
        book->account_dirty[account] = false;
    }
    book->dirty_account_count = 0;
    for (size_t i = 0; i < book->dirty_period_count; i++) {
        struct period *period = &book->periods[book->dirty_periods[i]];
        if (!period->dirty)
            continue; // a row of it is among the batch's already
        (*rows)[(*count)++] = (struct row){.kind = ROW_CONTRACT_PERIOD, .contract_period = period->row};
        period->dirty = false;
    }
    book->dirty_period_count = 0;
}
