#include "core/builder.h"

#include "base/memory.h"
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

// What the event of a booking with a slice or two takes.
#define TEXT_ROOM 1000

// How many blocked subtrees of the calendar the search for the next fit passes before it says how far it got:
// enough for a pool that is booked week by week, with gaps, for twenty years.
#define NEXT_FIT_LIMIT 2048
// And how often it tries again behind what the decision itself takes.
#define NEXT_FIT_TRIES 256

void builder_begin(struct builder *builder, const struct book *book, struct arena *arena, struct instant at,
                   const char *actor, struct decision *decision)
{
    *decision = (struct decision){.verdict = VERDICT_DONE, .refusal = {.leg = -1}};
    *builder = (struct builder){
        .book = book,
        .arena = arena,
        .decision = decision,
        .at = at,
        .actor = actor,
        .next_reservation = book->next_reservation,
        .next_event = book->next_event,
        .next_transfer = book->next_transfer,
        .next_capacity_change = book->next_capacity_change,
        .next_rate = book->next_rate,
        .next_interruption = book->next_interruption,
    };
}

struct refusal *builder_refuse(struct builder *builder, enum verdict verdict, const char *message)
{
    assert(verdict != VERDICT_DONE);
    if (builder_refused(builder))
        return arena_allocate(builder->arena, sizeof(struct refusal)); // the first one stands
    builder->decision->verdict = verdict;
    builder->decision->refusal.message = message;
    return &builder->decision->refusal;
}

struct refusal *builder_refuse_parts(struct builder *builder, enum verdict verdict, ...)
{
    struct buffer sentence = {0};
    va_list parts;
    va_start(parts, verdict);
    for (const char *part = va_arg(parts, const char *); part != NULL; part = va_arg(parts, const char *))
        buffer_append_text(&sentence, part);
    va_end(parts);
    struct refusal *refusal =
        builder_refuse(builder, verdict, arena_copy(builder->arena, sentence.data, sentence.length));
    buffer_free(&sentence);
    return refusal;
}

struct row *builder_add(struct builder *builder, enum row_kind kind)
{
    builder->rows = arena_grow(builder->arena, builder->rows, builder->row_count, &builder->row_capacity,
                               sizeof *builder->rows);
    struct row *row = &builder->rows[builder->row_count++];
    *row = (struct row){.kind = kind};
    return row;
}

struct json builder_text(struct builder *builder)
{
    buffer_clear(&builder->text);
    buffer_reserve(&builder->text, TEXT_ROOM);
    return json_begin(&builder->text);
}

int64_t builder_event(struct builder *builder, const char *type, uint32_t tenant, int64_t reservation)
{
    struct row *row = builder_add(builder, ROW_EVENT);
    row->event = (struct event_row){
        .seq = builder->next_event++,
        .at = builder->at,
        .type = type,
        .actor = arena_copy_text(builder->arena, builder->actor),
        .tenant = tenant,
        .reservation = reservation,
        .data = arena_copy(builder->arena, builder->text.data, builder->text.length),
        .data_length = builder->text.length,
    };
    return row->event.seq;
}

// ---- Balances

static struct balance_change *balance_change(const struct builder *builder, uint32_t account)
{
    for (size_t i = 0; i < builder->balance_count; i++)
        if (builder->balances[i].account == account)
            return &builder->balances[i];
    return NULL;
}

struct amount builder_balance(const struct builder *builder, uint32_t account)
{
    // Accounts that this decision makes are not in the book yet.
    struct amount balance =
        account <= builder->book->account_count ? account_balance(builder->book, account) : AMOUNT_ZERO;
    const struct balance_change *change = balance_change(builder, account);
    if (change != NULL)
        balance.micro += change->micro; // checked when it was added
    return balance;
}

static bool move_balance(struct builder *builder, uint32_t account, int64_t micro)
{
    struct amount moved;
    if (!amount_add(builder_balance(builder, account), (struct amount){micro}, &moved) ||
        moved.micro == INT64_MIN)
        return false;
    struct balance_change *change = balance_change(builder, account);
    if (change == NULL) {
        builder->balances = arena_grow(builder->arena, builder->balances, builder->balance_count,
                                       &builder->balance_capacity, sizeof *builder->balances);
        change = &builder->balances[builder->balance_count++];
        *change = (struct balance_change){.account = account};
    }
    struct amount sum;
    if (!amount_add((struct amount){change->micro}, (struct amount){micro}, &sum))
        return false;
    change->micro = sum.micro;
    return true;
}

void builder_transfer(struct builder *builder, enum transfer_kind kind, uint32_t debit_account,
                      uint32_t credit_account, struct amount amount, uint32_t period, int64_t reservation,
                      int64_t event)
{
    assert(amount.micro >= 0 && debit_account != credit_account);
    if (amount_is_zero(amount) || builder_refused(builder))
        return;
    if (!move_balance(builder, debit_account, -amount.micro) ||
        !move_balance(builder, credit_account, amount.micro)) {
        builder_refuse(builder, VERDICT_AMOUNT_OVERFLOW, "a balance would pass the largest amount");
        return;
    }
    struct row *row = builder_add(builder, ROW_TRANSFER);
    row->transfer = (struct transfer_row){
        .id = builder->next_transfer++,
        .at = builder->at,
        .kind = kind,
        .debit_account = debit_account,
        .credit_account = credit_account,
        .amount = amount,
        .period = period,
        .reservation = reservation,
        .event = event,
    };
}

// ---- Periods

static struct period_change *period_change(struct builder *builder, uint32_t period)
{
    for (size_t i = 0; i < builder->period_count; i++)
        if (builder->periods[i].period == period)
            return &builder->periods[i];
    builder->periods = arena_grow(builder->arena, builder->periods, builder->period_count,
                                  &builder->period_capacity, sizeof *builder->periods);
    struct period_change *change = &builder->periods[builder->period_count++];
    *change = (struct period_change){.period = period, .row = builder->book->periods[period].row};
    return change;
}

void builder_touch_period(struct builder *builder, uint32_t period)
{
    period_change(builder, period);
}

struct contract_period_row *builder_period(struct builder *builder, uint32_t period)
{
    struct period_change *change = period_change(builder, period);
    change->row_changed = true;
    return &change->row;
}

static void period_balances(const struct builder *builder, uint32_t period,
                            struct amount balances[ACCOUNT_PERIOD_COUNT])
{
    for (int kind = 0; kind < ACCOUNT_PERIOD_COUNT; kind++)
        balances[kind] = builder_balance(builder, builder->book->periods[period].accounts[kind]);
}

bool builder_commitment(struct builder *builder, uint32_t period, struct commitment *commitment)
{
    struct amount balances[ACCOUNT_PERIOD_COUNT];
    period_balances(builder, period, balances);
    return period_commitment(builder->book, &period_change(builder, period)->row, balances, builder->at,
                             commitment);
}

void builder_write_period(struct builder *builder, struct json *json, uint32_t period)
{
    struct commitment commitment;
    if (!builder_commitment(builder, period, &commitment)) {
        builder_refuse(builder, VERDICT_AMOUNT_OVERFLOW,
                       "an amount of the period would pass the largest amount");
        return;
    }
    describe_period(builder->book, json, &period_change(builder, period)->row, &commitment);
}

// Writes an alert for each of the four thresholds between where the period was and where it is.
static void compare_thresholds(struct builder *builder, uint32_t period)
{
    struct commitment commitment;
    if (!builder_commitment(builder, period, &commitment)) {
        builder_refuse(builder, VERDICT_AMOUNT_OVERFLOW,
                       "an amount of the period would pass the largest amount");
        return;
    }
    uint32_t level = commitment_threshold(commitment.used, commitment.floor);
    uint32_t before = period_change(builder, period)->row.threshold;
    if (level == before || period_change(builder, period)->row.closed)
        return;
    builder_period(builder, period)->threshold = level;
    const struct contract *contract = &builder->book->contracts[builder->book->periods[period].row.contract];
    bool upward = level > before;
    for (uint32_t k = 0; k < (upward ? level - before : before - level); k++) {
        uint32_t crossed = upward ? before + 1 + k : before - k;
        struct json json = builder_text(builder);
        json_write_object(&json, NULL);
        json_write_integer(&json, "percent", commitment_threshold_percent(crossed));
        json_write_object(&json, "period");
        builder_write_period(builder, &json, period);
        json_write_object_end(&json);
        json_write_object_end(&json);
        builder_event(builder, upward ? "commitment.threshold" : "commitment.threshold_cleared",
                      contract->row.tenant, 0);
    }
}

// ---- Capacity

void builder_take(struct builder *builder, uint32_t pool, enum tier tier, struct hour start, struct hour end,
                  int32_t gpus)
{
    builder->taken = arena_grow(builder->arena, builder->taken, builder->taken_count,
                                &builder->taken_capacity, sizeof *builder->taken);
    builder->taken[builder->taken_count++] =
        (struct capacity_taken){.pool = pool, .tier = tier, .start = start, .end = end, .gpus = gpus};
}

// What this decision has taken from what is free for a tier in an hour, and until when that stays so (at most
// *until as given). Preemptible bookings take nothing from firm ones.
static int64_t taken_at(const struct builder *builder, uint32_t pool, enum tier tier, struct hour hour,
                        struct hour *until)
{
    int64_t gpus = 0;
    for (size_t i = 0; i < builder->taken_count; i++) {
        const struct capacity_taken *taken = &builder->taken[i];
        if (taken->pool != pool || (tier == TIER_FIRM && taken->tier != TIER_FIRM))
            continue;
        if (taken->start.number <= hour.number && hour.number < taken->end.number)
            gpus += taken->gpus;
        if (taken->start.number > hour.number && taken->start.number < until->number)
            *until = taken->start;
        if (taken->end.number > hour.number && taken->end.number < until->number)
            *until = taken->end;
    }
    return gpus;
}

static int32_t clamp(int64_t gpus)
{
    return gpus > INT32_MAX ? INT32_MAX : gpus < INT32_MIN ? INT32_MIN : (int32_t)gpus;
}

int64_t builder_left(const struct builder *builder, uint32_t pool, struct hour hour, struct hour *until)
{
    int64_t taken = taken_at(builder, pool, TIER_PREEMPTIBLE, hour, until);
    int32_t free;
    calendar_step(builder->book->pools[pool].calendar, hour, *until, &free, until);
    return free - taken;
}

bool builder_fits(const struct builder *builder, uint32_t pool, enum tier tier, struct hour start,
                  struct hour end, int32_t gpus, int32_t *free, struct hour *first_short)
{
    const struct calendar *calendar = pool_calendar(&builder->book->pools[pool], tier);
    int64_t least = INT32_MAX;
    bool fits = true;
    struct hour hour = start;
    while (hour.number < end.number) {
        struct hour until = end;
        int64_t taken = taken_at(builder, pool, tier, hour, &until);
        int64_t here = calendar_least(calendar, hour, until) - taken;
        if (here < least)
            least = here;
        if (fits && here < gpus) {
            fits = false;
            bool found = calendar_first_below(calendar, hour, until, clamp(gpus + taken), first_short);
            assert(found);
            (void)found;
        }
        hour = until;
    }
    *free = clamp(least);
    return fits;
}

// What this decision uses of a site's power in an hour; preemptible bookings take nothing from firm ones.
static int64_t watts_taken(const struct builder *builder, uint32_t site, enum tier tier, struct hour hour)
{
    int64_t watts = 0;
    for (size_t i = 0; i < builder->taken_count; i++) {
        const struct capacity_taken *taken = &builder->taken[i];
        const struct pool_row *pool = &builder->book->pools[taken->pool].row;
        if (tier == TIER_FIRM && taken->tier != TIER_FIRM)
            continue;
        if (pool->site == site && taken->start.number <= hour.number && hour.number < taken->end.number)
            watts += taken->gpus * pool->watts_per_gpu;
    }
    return watts;
}

int64_t builder_watts_left(const struct builder *builder, uint32_t site, struct hour hour, struct hour *until)
{
    const struct site *found = &builder->book->sites[site];
    return envelope_at(found->power, found->power_count, hour, until) - power_used(found->used, hour) -
           watts_taken(builder, site, TIER_PREEMPTIBLE, hour);
}

bool builder_powers(const struct builder *builder, uint32_t pool, enum tier tier, struct hour start,
                    struct hour end, int32_t gpus, struct power_gap *gap)
{
    const struct pool_row *row = &builder->book->pools[pool].row;
    const struct site *site = &builder->book->sites[row->site];
    int64_t wanted = gpus * row->watts_per_gpu;
    *gap = (struct power_gap){.least = POWER_UNLIMITED};
    if (site->used == NULL || wanted == 0)
        return true;
    for (struct hour hour = start, until; hour.number < end.number; hour = until) {
        until = end;
        int64_t envelope = envelope_at(site->power, site->power_count, hour, &until);
        for (; envelope < POWER_UNLIMITED && hour.number < until.number; hour.number++) {
            int64_t left = envelope - power_used(site_power(site, tier), hour) -
                           watts_taken(builder, row->site, tier, hour);
            if (left < gap->least)
                gap->least = left;
            if (left >= wanted)
                continue;
            if (gap->missing == 0)
                gap->first_short = hour;
            gap->last_short = hour;
            if (wanted - left > gap->missing)
                gap->missing = wanted - left;
        }
    }
    return gap->missing == 0;
}

struct hour builder_next_powered(const struct builder *builder, uint32_t pool, enum tier tier,
                                 struct hour from, struct hour end, int32_t gpus)
{
    struct hour hour = from;
    struct power_gap gap;
    while (hour.number != end.number &&
           !builder_powers(builder, pool, tier, hour, (struct hour){hour.number + 1}, gpus, &gap))
        hour.number += end.number > from.number ? 1 : -1;
    return hour;
}

bool builder_next_fit(const struct builder *builder, uint32_t pool, enum tier tier, struct hour from,
                      int32_t hours, int32_t gpus, struct hour end, struct hour *found,
                      struct hour *searched_until)
{
    const struct calendar *calendar = pool_calendar(&builder->book->pools[pool], tier);
    struct hour candidate = from;
    for (int tries = 0; tries < NEXT_FIT_TRIES; tries++) {
        if (!calendar_next_fit(calendar, candidate, hours, gpus, end, NEXT_FIT_LIMIT, found, searched_until))
            return false;
        int32_t free;
        struct hour blocked;
        struct hour until = {found->number + hours};
        struct power_gap gap;
        if (builder_fits(builder, pool, tier, *found, until, gpus, &free, &blocked)) {
            if (builder_powers(builder, pool, tier, *found, until, gpus, &gap))
                return true;
            candidate = *searched_until = (struct hour){gap.last_short.number + 1};
            continue;
        }
        // What this decision takes stands in the way there: go on with the first hour after it that has
        // enough.
        struct hour edge = end;
        int64_t taken = taken_at(builder, pool, tier, blocked, &edge);
        if (!calendar_first_at_least(calendar, blocked, edge, clamp(gpus + taken), &candidate))
            candidate = edge;
        *searched_until = candidate;
    }
    return false;
}

// ---- The end

void builder_client_ref(struct builder *builder, uint32_t scope, const struct request *request,
                        struct fingerprint fingerprint, int64_t thing, bool is_group, int64_t event)
{
    static const char *const methods[] = {
        [REQUEST_CREATE] = "reservation.create",       [REQUEST_CREATE_GROUP] = "reservation.create_group",
        [REQUEST_CONFIRM] = "reservation.confirm",     [REQUEST_CHANGE] = "reservation.change",
        [REQUEST_CANCEL] = "reservation.cancel",       [REQUEST_MANIFEST_APPLY] = "manifest.apply",
        [REQUEST_CAPACITY_CHANGE] = "capacity.change", [REQUEST_TENANT_SUSPEND] = "tenant.suspend",
        [REQUEST_TENANT_RESUME] = "tenant.resume",     [REQUEST_TOKEN_CREATE] = "token.create",
        [REQUEST_TOKEN_REVOKE] = "token.revoke",       [REQUEST_BACKUP] = "server.backup",
        [REQUEST_CLOCK_ADVANCE] = "clock.advance",
    };
    if (request->client_ref == NULL)
        return;
    struct row *row = builder_add(builder, ROW_CLIENT_REF);
    row->client_ref = (struct client_ref_row){
        .scope = scope,
        .client_ref = arena_copy_text(builder->arena, request->client_ref),
        .method = methods[request->kind],
        .request = fingerprint,
        .thing = thing,
        .is_group = is_group,
        .event = event,
    };
}

void builder_reservation(struct builder *builder, const struct reservation_row *row)
{
    struct reservation_row *added = &builder_add(builder, ROW_RESERVATION)->reservation;
    *added = *row;
    added->client_ref = arena_copy_text(builder->arena, row->client_ref);
    added->project = arena_copy_text(builder->arena, row->project);
    added->note = arena_copy_text(builder->arena, row->note);
}

void builder_finish(struct builder *builder)
{
    for (size_t i = 0; i < builder->period_count; i++)
        compare_thresholds(builder, builder->periods[i].period);
    for (size_t i = 0; i < builder->period_count; i++) {
        if (builder->periods[i].row_changed) {
            struct row *row = builder_add(builder, ROW_CONTRACT_PERIOD);
            row->contract_period = builder->periods[i].row;
        }
    }
    if (!builder_refused(builder)) {
        builder->decision->rows = builder->rows;
        builder->decision->row_count = builder->row_count;
    }
    buffer_free(&builder->text);
}
