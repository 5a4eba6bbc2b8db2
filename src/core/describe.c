// How the things of the book look in JSON: in replies and in events alike.
#include "core/book_internal.h"
#include "core/builder.h"
#include "core/commitment.h"
#include "core/forecast.h"
#include "core/waiting.h"
#include <assert.h>
#include <string.h>

static void write_slice(const struct book *book, struct json *json, const struct slice_row *slice)
{
    const struct period *period = &book->periods[slice->period];
    struct amount cost = {slice->price.micro * slice->gpus * (slice->end.number - slice->start.number)};
    json_write_object(json, NULL);
    json_write_hour(json, "start", slice->start);
    json_write_hour(json, "end", slice->end);
    json_write_integer(json, "gpus", slice->gpus);
    json_write_amount(json, "price_per_gpu_hour", slice->price);
    json_write_amount(json, "cost", cost);
    json_write_text(json, "contract", book->contracts[period->row.contract].row.contract);
    json_write_hour(json, "period_start", period->row.start);
    json_write_object_end(json);
}

static void write_optional_instant(struct json *json, const char *key, struct instant instant)
{
    if (instant.seconds == 0)
        json_write_null(json, key);
    else
        json_write_instant(json, key, instant);
}

void book_write_reservation(const struct book *book, struct json *json, const struct reservation_image *image,
                            struct instant now)
{
    const struct reservation_row *row = &image->row;
    json_write_integer(json, "id", row->id);
    json_write_text(json, "tenant", book->tenants[row->tenant].row.tenant);
    json_write_text(json, "client_ref", row->client_ref);
    json_write_text(json, "state", reservation_state_name(reservation_state_at(row, now)));
    json_write_text(json, "pool", book->pools[row->pool].row.pool);
    json_write_integer(json, "gpus", reservation_gpus_at(image, now));
    json_write_hour(json, "start", row->start);
    json_write_hour(json, "end", row->end);
    json_write_text(json, "tier", tier_name(row->tier));
    json_write_integer(json, "gpu_hours", row->gpu_hours);
    json_write_amount(json, "cost", row->cost);
    json_write_amount(json, "fees", row->fees);
    write_optional_instant(json, "hold_expires", row->hold_expires);
    write_optional_instant(json, "wait_until", row->wait_until);
    json_write_text(json, "project", row->project);
    json_write_text(json, "note", row->note);
    if (row->group == 0)
        json_write_null(json, "group");
    else
        json_write_integer(json, "group", row->group);
    json_write_instant(json, "created", row->created);
    if (row->state == STATE_WAITING)
        waiting_write(book, json, row, now);
    json_write_array(json, "slices");
    for (int32_t i = 0; i < image->slice_count; i++)
        write_slice(book, json, &image->slices[i]);
    json_write_array_end(json);
}

static void write_unless(struct json *json, const char *key, struct amount amount, bool unlimited)
{
    if (unlimited)
        json_write_null(json, key);
    else
        json_write_amount(json, key, amount);
}

static void write_percent(struct json *json, const char *key, struct amount used, struct amount floor)
{
    int64_t percent;
    if (commitment_percent(used, floor, &percent))
        json_write_percent(json, key, percent);
    else
        json_write_null(json, key);
}

void describe_period(const struct book *book, struct json *json, const struct contract_period_row *row,
                     const struct commitment *commitment)
{
    const struct contract *contract = &book->contracts[row->contract];
    json_write_text(json, "contract", contract->row.contract);
    json_write_text(json, "tenant", book->tenants[contract->row.tenant].row.tenant);
    json_write_hour(json, "period_start", row->start);
    json_write_hour(json, "period_end", row->end);
    json_write_bool(json, "closed", row->closed);
    json_write_amount(json, "commit", commitment->commit);
    json_write_amount(json, "deferred_in", commitment->deferred_in);
    json_write_amount(json, "relief", commitment->relief);
    json_write_amount(json, "floor", commitment->floor);
    json_write_amount(json, "credit", commitment->credit);
    write_unless(json, "overage_limit", commitment->overage_limit, commitment->unlimited);
    write_unless(json, "authority", commitment->authority, commitment->unlimited);
    json_write_amount(json, "encumbered", commitment->encumbered);
    json_write_amount(json, "consumed", commitment->consumed);
    json_write_amount(json, "used", commitment->used);
    write_unless(json, "available", commitment->available, commitment->unlimited);
    json_write_amount(json, "shortfall", commitment->shortfall);
    json_write_amount(json, "overage", commitment->overage);
    json_write_amount(json, "fees", commitment->fees);
    write_percent(json, "percent", commitment->used, commitment->floor);
    json_write_amount(json, "deferred_out", commitment->deferred_out);
    json_write_amount(json, "waived", commitment->waived);
    json_write_amount(json, "credit_used", commitment->credit_used);
    json_write_amount(json, "surcharge", commitment->surcharge);
    json_write_amount(json, "due", commitment->due);
    json_write_amount(json, "billed", commitment->billed);
}

// The running hour, or the period's end when that is past.
static struct hour period_hour(const struct contract_period_row *row, struct instant now)
{
    struct hour hour = hour_of_instant(now);
    return hour.number < row->end.number ? hour : row->end;
}

bool period_commitment(const struct book *book, const struct contract_period_row *row,
                       const struct amount balances[ACCOUNT_PERIOD_COUNT], struct instant now,
                       struct commitment *result)
{
    struct commitment_inputs inputs;
    commitment_inputs_of(book, row, balances, period_unposted(row, period_hour(row, now)), &inputs);
    return commitment_reckon(&inputs, result);
}

void commitment_inputs_of(const struct book *book, const struct contract_period_row *row,
                          const struct amount balances[ACCOUNT_PERIOD_COUNT], struct amount unposted,
                          struct commitment_inputs *inputs)
{
    *inputs = (struct commitment_inputs){
        .commit = row->commit,
        .deferred_in = balances[ACCOUNT_DEFERRED],
        .relief = row->relief,
        .credit = balances[ACCOUNT_CREDIT],
        .overage_unlimited = row->overage_unlimited,
        .overage_limit = row->overage_limit,
        // What was delivered was encumbered, so the difference stays at or above 0, and their sum is as it
        // was.
        .encumbered = {balances[ACCOUNT_ENCUMBERED].micro - unposted.micro},
        .consumed = {balances[ACCOUNT_CONSUMED].micro + unposted.micro},
        .fees = balances[ACCOUNT_FEES],
        .billed = balances[ACCOUNT_BILLED],
        .fees_billed = row->fees_billed,
        .closed = row->closed,
        .deferred_out = row->deferred_out,
        .waived = row->waived,
        .credit_used = row->credit_used,
        .surcharge = row->surcharge,
        .surcharge_bp = book->contracts[row->contract].terms.surcharge_bp,
    };
}

static void read_balances(const struct book *book, uint32_t period,
                          struct amount balances[ACCOUNT_PERIOD_COUNT])
{
    for (int kind = 0; kind < ACCOUNT_PERIOD_COUNT; kind++)
        balances[kind] = period_balance(book, period, (enum account_kind)kind);
}

static struct commitment commitment_of(const struct book *book, uint32_t period, struct instant now)
{
    struct amount balances[ACCOUNT_PERIOD_COUNT];
    read_balances(book, period, balances);
    struct commitment commitment = {0};
    bool fits = period_commitment(book, &book->periods[period].row, balances, now, &commitment);
    assert(fits); // every decision has reckoned it
    (void)fits;
    return commitment;
}

void book_write_period(const struct book *book, struct json *json, uint32_t period, struct instant now)
{
    struct commitment commitment = commitment_of(book, period, now);
    describe_period(book, json, &book->periods[period].row, &commitment);
}

static void write_forecast(struct json *json, const struct forecast *forecast)
{
    const struct settlement *settlement = &forecast->settlement;
    json_write_object(json, "forecast");
    json_write_amount(json, "consumed", forecast->consumed);
    json_write_amount(json, "unmet", settlement->unmet);
    json_write_amount(json, "deferred_out", settlement->deferred_out);
    json_write_amount(json, "waived", settlement->waived);
    json_write_amount(json, "credit_granted", settlement->credit_granted);
    json_write_amount(json, "surcharge", settlement->surcharge);
    json_write_amount(json, "due", settlement->due);
    json_write_amount(json, "to_bill", forecast->to_bill);
    json_write_object_end(json);
}

static void write_pace(struct json *json, struct amount consumed, struct amount floor, int32_t hours_gone,
                       int32_t hours)
{
    struct amount by_end;
    if (hours_gone <= 0 || !forecast_pace(consumed, hours_gone, hours, &by_end)) {
        json_write_null(json, "pace");
        return;
    }
    json_write_object(json, "pace");
    json_write_integer(json, "hours", hours);
    json_write_integer(json, "hours_gone", hours_gone);
    json_write_amount(json, "consumed", by_end);
    write_percent(json, "percent", by_end, floor);
    json_write_object_end(json);
}

void book_write_outlook(const struct book *book, struct json *json, uint32_t id, struct instant now)
{
    const struct contract_period_row *row = &book->periods[id].row;
    const struct contract *contract = &book->contracts[row->contract];
    bool last = id == contract->first_period + contract->period_count - 1;
    struct amount balances[ACCOUNT_PERIOD_COUNT];
    struct commitment_inputs inputs;
    struct forecast forecast;
    read_balances(book, id, balances);
    commitment_inputs_of(book, row, balances, period_unposted(row, period_hour(row, now)), &inputs);
    if (row->closed || !forecast_close(&inputs, &contract->terms, last, &forecast)) {
        json_write_null(json, "forecast");
        json_write_null(json, "pace");
        return;
    }
    write_forecast(json, &forecast);
    write_pace(json, inputs.consumed, commitment_of(book, id, now).floor,
               period_hour(row, now).number - row->start.number, row->end.number - row->start.number);
}

void book_period_use(const struct book *book, uint32_t period, struct instant now, struct amount *used,
                     struct amount *floor)
{
    struct commitment commitment = commitment_of(book, period, now);
    *used = commitment.used;
    *floor = commitment.floor;
}

static void append(char *text, size_t size, const char *part)
{
    size_t used = strlen(text), length = strlen(part);
    if (used + length >= size)
        length = size - used - 1;
    memcpy(text + used, part, length);
    text[used + length] = '\0';
}

void book_account_name(const struct book *book, uint32_t id, char *text, size_t size)
{
    assert(size > 0 && id >= 1 && id <= book->account_count);
    const struct account_row *account = &book->accounts[id];
    text[0] = '\0';
    append(text, size, book->contracts[account->contract].row.contract);
    if (account->period != 0) {
        char start[INSTANT_TEXT_SIZE];
        instant_format(hour_start(book->periods[account->period].row.start), start);
        append(text, size, "/");
        append(text, size, start);
    }
    append(text, size, "/");
    append(text, size, account_kind_name(account->kind));
}

void book_write_transfer(const struct book *book, struct json *json, const struct transfer_row *transfer)
{
    char name[256];
    const struct contract_period_row *period = &book->periods[transfer->period].row;
    json_write_integer(json, "id", transfer->id);
    json_write_instant(json, "at", transfer->at);
    json_write_text(json, "kind", transfer_kind_name(transfer->kind));
    book_account_name(book, transfer->debit_account, name, sizeof name);
    json_write_text(json, "debit_account", name);
    book_account_name(book, transfer->credit_account, name, sizeof name);
    json_write_text(json, "credit_account", name);
    json_write_amount(json, "amount", transfer->amount);
    json_write_text(json, "contract", book->contracts[period->contract].row.contract);
    json_write_hour(json, "period_start", period->start);
    if (transfer->reservation == 0)
        json_write_null(json, "reservation");
    else
        json_write_integer(json, "reservation", transfer->reservation);
}

void book_write_event(const struct book *book, struct json *json, const struct event_row *event)
{
    json_write_integer(json, "seq", event->seq);
    json_write_instant(json, "at", event->at);
    json_write_text(json, "type", event->type);
    json_write_text(json, "actor", event->actor);
    json_write_text(json, "tenant", event->tenant == 0 ? NULL : book->tenants[event->tenant].row.tenant);
    if (event->reservation == 0)
        json_write_null(json, "reservation");
    else
        json_write_integer(json, "reservation", event->reservation);
    json_write_raw(json, "data", event->data, event->data_length);
}
