#include "ledger.h"

#include "../sim/store.h"
#include "broker.h"
#include "fuzz.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct store store;
static struct model model; // only for the store, which tells time and failures by it

// The store's failures are findings.
void model_fail(const struct model *told, const char *file, int line, const char *format, ...)
{
    (void)told;
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fuzz_fail(file, line, "%s", text);
}

struct ledger *ledger_begin(void)
{
    static struct ledger ledger;
    ledger = (struct ledger){.book = world_empty(), .now = WORLD_NOW};
    store = (struct store){0};
    model.horizon_years = 1;
    model.hold_seconds_max = 7 * 86400;
    struct decision decision;
    struct request request = manifest_request(world_manifest());
    book_decide(ledger.book, &request, ledger.now, &ledger.arena, &decision);
    FUZZ_CHECK(decision.verdict == VERDICT_DONE);
    ledger_apply(&ledger, &decision);
    ledger_advance(&ledger, 0, false);
    ledger_end_batch(&ledger);
    return &ledger;
}

void ledger_end(struct ledger *ledger)
{
    book_destroy(ledger->book);
    arena_free(&ledger->arena);
    store_free(&store);
}

void ledger_apply(struct ledger *ledger, const struct decision *decision)
{
    book_apply_rows(ledger->book, decision->rows, decision->row_count);
    store_rows(&model, &store, decision->rows, decision->row_count);
}

void ledger_serve(struct ledger *ledger)
{
    struct decision decision;
    bool urgent;
    while (book_serves_waiting(ledger->book) &&
           book_decide_due(ledger->book, ledger->now, &ledger->arena, &decision, &urgent))
        ledger_apply(ledger, &decision);
}

void ledger_advance(struct ledger *ledger, int64_t seconds, bool lazy)
{
    struct decision decision;
    bool urgent;
    ledger->now.seconds += seconds;
    while (book_decide_due(ledger->book, ledger->now, &ledger->arena, &decision, &urgent)) {
        FUZZ_CHECK(decision.verdict == VERDICT_DONE);
        ledger_apply(ledger, &decision);
        if (!urgent && lazy)
            break;
    }
}

// ---- Money

static struct amount cost_of(const struct slice_row *slice)
{
    struct amount cost;
    int64_t gpu_hours = (int64_t)slice->gpus * (slice->end.number - slice->start.number);
    FUZZ_CHECK(slice->gpus > 0 && slice->start.number < slice->end.number);
    FUZZ_CHECK(amount_multiply(slice->price, gpu_hours, &cost));
    return cost;
}

static void check_periods(const struct ledger *ledger)
{
    for (uint32_t id = 1; id <= book_period_count(ledger->book); id++) {
        const struct contract_period_row *period = book_period_row(ledger->book, id);
        int64_t used = 0, balances = 0;
        for (size_t i = 0; i < store.count[ROW_SLICE]; i++) {
            const struct slice_row *slice = &store.rows[ROW_SLICE][i].row.slice;
            if (slice->period != id)
                continue;
            used += cost_of(slice).micro;
            FUZZ_CHECK(slice->start.number >= period->start.number &&
                       slice->end.number <= period->end.number);
        }
        for (size_t i = 0; i < store.count[ROW_ACCOUNT]; i++) {
            const struct account_row *account = &store.rows[ROW_ACCOUNT][i].row.account;
            if (account->period != id)
                continue;
            if (account->kind == ACCOUNT_ENCUMBERED || account->kind == ACCOUNT_CONSUMED)
                balances += account->balance.micro;
            if (account->kind == ACCOUNT_AUTHORITY && !period->overage_unlimited)
                FUZZ_CHECK(account->balance.micro >= 0);
        }
        if (used != balances)
            FUZZ_FAIL("period %u has used %lld, and its slices cost %lld", id, (long long)balances,
                      (long long)used);
    }
}

static void check_reservations(const struct ledger *ledger)
{
    size_t at = 0; // both are in the order of the reservations' ids
    for (size_t i = 0; i < store.count[ROW_RESERVATION]; i++) {
        const struct reservation_row *row = &store.rows[ROW_RESERVATION][i].row.reservation;
        int64_t cost = 0, gpu_hours = 0;
        for (; at < store.count[ROW_SLICE] && store.rows[ROW_SLICE][at].first == row->id; at++) {
            const struct slice_row *slice = &store.rows[ROW_SLICE][at].row.slice;
            cost += cost_of(slice).micro;
            gpu_hours += (int64_t)slice->gpus * (slice->end.number - slice->start.number);
        }
        if (cost != row->cost.micro || gpu_hours != row->gpu_hours)
            FUZZ_FAIL("reservation %lld says %lld for %lld GPU-hours, its slices say %lld for %lld",
                      (long long)row->id, (long long)row->cost.micro, (long long)row->gpu_hours,
                      (long long)cost, (long long)gpu_hours);
        FUZZ_CHECK(book_reservation_owner(ledger->book, row->id) == row->tenant);
    }
    FUZZ_CHECK(at == store.count[ROW_SLICE]);
}

// ---- GPUs

// By how much the capacity, or what is taken, changes at an hour.
struct step {
    int32_t hour;
    int64_t capacity, taken;
};

static struct step *steps;
static size_t step_count, step_capacity;

static void add_steps(struct hour start, struct hour end, int64_t capacity, int64_t taken)
{
    if (step_count + 2 > step_capacity) {
        step_capacity = step_capacity * 2 + 256;
        steps = realloc(steps, step_capacity * sizeof *steps);
        FUZZ_CHECK(steps != NULL);
    }
    steps[step_count++] = (struct step){start.number, capacity, taken};
    steps[step_count++] = (struct step){end.number, -capacity, -taken};
}

static int by_hour(const void *left, const void *right)
{
    const struct step *a = left, *b = right;
    return (a->hour > b->hour) - (a->hour < b->hour);
}

// What is left of a reservation that was cancelled runs to the end of its hour, so every slice that there is
// takes GPUs, but for one that waits.
static void collect_steps(uint32_t pool)
{
    step_count = 0;
    for (size_t i = 0; i < store.count[ROW_CAPACITY_CHANGE]; i++) {
        const struct capacity_change_row *change = &store.rows[ROW_CAPACITY_CHANGE][i].row.capacity_change;
        if (change->pool == pool && capacity_change_counts(change))
            add_steps(change->start, change->end, change->gpus, 0);
    }
    size_t at = 0;
    for (size_t i = 0; i < store.count[ROW_RESERVATION]; i++) {
        const struct reservation_row *row = &store.rows[ROW_RESERVATION][i].row.reservation;
        for (; at < store.count[ROW_SLICE] && store.rows[ROW_SLICE][at].first == row->id; at++) {
            const struct slice_row *slice = &store.rows[ROW_SLICE][at].row.slice;
            if (row->pool == pool && row->state != STATE_WAITING)
                add_steps(slice->start, slice->end, 0, slice->gpus);
        }
    }
    qsort(steps, step_count, sizeof *steps, by_hour);
}

static void check_pool(const struct ledger *ledger, uint32_t pool)
{
    struct hour hour = hour_of_instant(ledger->now), end = book_horizon_end(ledger->book, ledger->now);
    int64_t capacity = 0, taken = 0;
    size_t at = 0;
    collect_steps(pool);
    while (hour.number < end.number) {
        int32_t free, shown;
        struct hour until;
        book_calendar_step(ledger->book, pool, hour, end, &free, &shown, &until);
        FUZZ_CHECK(until.number > hour.number && until.number <= end.number);
        // Every hour of the step is like its first.
        for (int32_t checked = hour.number; checked < until.number;
             checked = at < step_count && steps[at].hour < until.number ? steps[at].hour : until.number) {
            for (; at < step_count && steps[at].hour <= checked; at++) {
                capacity += steps[at].capacity;
                taken += steps[at].taken;
            }
            if (shown != capacity || free != capacity - taken || free < 0)
                FUZZ_FAIL("pool %u in hour %d has %d free of %d, and should have %lld of %lld", pool, checked,
                          free, shown, (long long)(capacity - taken), (long long)capacity);
        }
        hour = until;
    }
}

void ledger_end_batch(struct ledger *ledger)
{
    struct row *rows;
    size_t count;
    book_end_batch(ledger->book, ledger->now, &ledger->arena, &rows, &count);
    store_rows(&model, &store, rows, count);
    store_check(&model, &store);
    FUZZ_CHECK(book_time(ledger->book).seconds == ledger->now.seconds);
    check_periods(ledger);
    check_reservations(ledger);
    for (uint32_t pool = 1; pool <= book_pool_count(ledger->book); pool++)
        check_pool(ledger, pool);
    broker_check(ledger, &store);
    arena_reset(&ledger->arena);
}

// ---- Loading

static void describe_reservation(const struct ledger *ledger, int64_t id, struct buffer *text)
{
    struct reservation_image image;
    struct json json = json_begin(text);
    json_write_object(&json, NULL);
    json_write_integer(&json, "owner", book_reservation_owner(ledger->book, id));
    if (book_reservation(ledger->book, id, ledger->now, &image)) {
        book_write_reservation(ledger->book, &json, &image, ledger->now);
        json_write_integer(&json, "last_slice", image.row.last_slice);
        json_write_integer(&json, "last_layer", image.row.last_layer);
    }
    json_write_object_end(&json);
    buffer_append_text(text, "\n");
}

// All that can be asked, as text.
static void describe(const struct ledger *ledger, struct buffer *text)
{
    const struct book *book = ledger->book;
    struct json json = json_begin(text);
    json_write_object(&json, NULL);
    book_write_manifest(book, &json);
    json_write_object_end(&json);
    for (uint32_t id = 1; id <= book_period_count(book); id++) {
        buffer_append_text(text, "\n");
        json = json_begin(text);
        book_write_period(book, &json, id, ledger->now);
        buffer_append_format(text, " threshold %u", book_period_row(book, id)->threshold);
    }
    buffer_append_text(text, "\n");
    for (int64_t id = 1; book_reservation_owner(book, id) != 0; id++)
        describe_reservation(ledger, id, text);
    for (uint32_t pool = 1; pool <= book_pool_count(book); pool++) {
        struct hour hour = hour_of_instant(ledger->now), end = book_horizon_end(book, ledger->now);
        while (hour.number < end.number) {
            int32_t free, capacity;
            book_calendar_step(book, pool, hour, end, &free, &capacity, &hour);
            buffer_append_format(text, "pool %u: %d of %d until %d\n", pool, free, capacity, hour.number);
            if (hour.number < end.number)
                buffer_append_format(text, "power for %lld\n",
                                     (long long)book_powered(book, pool, TIER_PREEMPTIBLE, hour));
        }
    }
    for (size_t i = 0; i < book_token_count(book); i++)
        buffer_append_format(text, "token %s %d\n", book_token(book, i)->label, book_token(book, i)->revoked);
    struct instant due = {0};
    buffer_append_format(text, "%zu live, next due %d\n", book_live_count(book),
                         (int)book_next_due(book, &due));
}

void ledger_reload(struct ledger *ledger)
{
    struct buffer live = {0}, loaded = {0};
    describe(ledger, &live);
    book_destroy(ledger->book);
    model.now = ledger->now.seconds;
    ledger->book = store_load(&model, &store);
    describe(ledger, &loaded);
    if (live.length != loaded.length || memcmp(live.data, loaded.data, live.length) != 0)
        FUZZ_FAIL("the loaded book differs:\n%s\n%s", live.data, loaded.data);
    buffer_free(&live);
    buffer_free(&loaded);
}
