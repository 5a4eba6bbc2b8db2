// Replies to reads: pools, calendars, commitments and lists.
#include "wire/reply.h"

// ---- Pools

// How many GPUs the site's power still allows.
static void write_powered(struct json *json, int64_t powered)
{
    if (powered >= 0)
        json_write_integer(json, "free_by_power", powered);
}

static void write_pool(struct json *json, const struct book *book, uint32_t pool, uint32_t tenant,
                       struct hour hour)
{
    const struct pool_row *row = book_pool_row(book, pool);
    json_write_text(json, "pool", row->pool);
    json_write_text(json, "site", book_site_row(book, row->site)->site);
    json_write_text(json, "gpu", row->gpu);
    json_write_integer(json, "unit", row->unit);
    int32_t free = book_free(book, pool, hour);
    json_write_integer(json, "free", free < 0 ? 0 : free);
    write_powered(json, book_powered(book, pool, TIER_PREEMPTIBLE, hour));
    if (tenant == 0)
        json_write_integer(json, "capacity", book_capacity(book, pool, hour));
    struct amount price;
    if (book_price(book, pool, TIER_FIRM, tenant, hour, &price))
        json_write_amount(json, "price_per_gpu_hour", price);
    else
        json_write_null(json, "price_per_gpu_hour");
}

void wire_reply_pool_list(struct buffer *out, const char *id, const struct book *book, uint32_t tenant,
                          struct instant now)
{
    struct hour hour = hour_of_instant(now);
    struct json json = wire_reply_begin(out, id);
    json_write_array(&json, "pools");
    for (uint32_t pool = 1; pool <= book_pool_count(book); pool++) {
        json_write_object(&json, NULL);
        write_pool(&json, book, pool, tenant, hour);
        json_write_object_end(&json);
    }
    json_write_array_end(&json);
    wire_reply_end(&json);
}

// A step of a calendar as it is shown.
struct shown_step {
    struct hour start, end;
    int32_t free, capacity;
    int64_t powered; // −1: no limit
};

static void write_step(struct json *json, const struct shown_step *step, bool is_operator)
{
    json_write_object(json, NULL);
    json_write_hour(json, "start", step->start);
    json_write_hour(json, "end", step->end);
    json_write_integer(json, "free", step->free < 0 ? 0 : step->free);
    write_powered(json, step->powered);
    if (is_operator) {
        json_write_integer(json, "capacity", step->capacity);
        json_write_integer(json, "reserved", (int64_t)step->capacity - step->free);
    }
    json_write_object_end(json);
}

// Neighbours that look the same to who asks are one step.
static void write_steps(struct json *json, const struct book *book, uint32_t pool, bool is_operator,
                        struct hour from, struct hour end)
{
    struct shown_step pending = {.start = from, .end = from};
    while (pending.end.number < end.number) {
        struct shown_step next = {.start = pending.end};
        book_calendar_step(book, pool, next.start, end, &next.free, &next.capacity, &next.end);
        next.powered = book_powered(book, pool, TIER_PREEMPTIBLE, next.start);
        bool is_first = pending.start.number == pending.end.number;
        bool same = next.free == pending.free && next.powered == pending.powered &&
                    (!is_operator || next.capacity == pending.capacity);
        if (!is_first && !same)
            write_step(json, &pending, is_operator);
        if (is_first || !same)
            pending = next;
        else
            pending.end = next.end;
    }
    if (pending.start.number < pending.end.number)
        write_step(json, &pending, is_operator);
}

void wire_reply_pool_calendar(struct buffer *out, const char *id, const struct book *book, uint32_t tenant,
                              const struct parameters *parameters, struct instant now)
{
    uint32_t pool = book_pool(book, parameters->pool);
    if (pool == 0) {
        wire_reply_error(out, id, RPC_NOT_FOUND, "there is no such pool", NULL);
        return;
    }
    struct hour from = parameters->start, end = parameters->end;
    struct hour running = hour_of_instant(now), horizon = book_horizon_end(book, now);
    if (from.number < running.number)
        from = running;
    if (end.number > horizon.number)
        end = horizon;
    struct json json = wire_reply_begin(out, id);
    json_write_array(&json, "steps");
    if (from.number < end.number)
        write_steps(&json, book, pool, tenant == 0, from, end);
    json_write_array_end(&json);
    wire_reply_end(&json);
}

// ---- Commitments

static bool period_is_asked_for(const struct book *book, uint32_t period, const struct parameters *parameters)
{
    if (!parameter_given(parameters, PARAMETER_AT))
        return true;
    const struct contract_period_row *row = book_period_row(book, period);
    int64_t at = parameters->at.seconds;
    return hour_start(row->start).seconds <= at && at < hour_start(row->end).seconds;
}

static void write_contract_periods(struct json *json, const struct book *book, uint32_t contract,
                                   const struct parameters *parameters, struct instant now)
{
    uint32_t first = book_contract_first_period(book, contract);
    uint32_t count = book_contract_period_count(book, contract);
    for (uint32_t period = first; period < first + count; period++) {
        if (!period_is_asked_for(book, period, parameters))
            continue;
        json_write_object(json, NULL);
        book_write_period(book, json, period, now);
        book_write_outlook(book, json, period, now);
        json_write_object_end(json);
    }
}

void wire_reply_commitment_status(struct buffer *out, const char *id, const struct book *book,
                                  uint32_t tenant, const struct parameters *parameters, struct instant now)
{
    uint32_t first = 1, last = book_contract_count(book);
    if (parameter_given(parameters, PARAMETER_CONTRACT)) {
        first = last = book_contract(book, parameters->contract);
        if (first == 0 || (tenant != 0 && book_contract_row(book, first)->tenant != tenant)) {
            wire_reply_error(out, id, RPC_NOT_FOUND, "there is no such contract", NULL);
            return;
        }
    }
    struct json json = wire_reply_begin(out, id);
    json_write_array(&json, "periods");
    for (uint32_t contract = first; contract <= last; contract++)
        if (tenant == 0 || book_contract_row(book, contract)->tenant == tenant)
            write_contract_periods(&json, book, contract, parameters, now);
    json_write_array_end(&json);
    wire_reply_end(&json);
}

// ---- Lists

static void end_list(struct json *json, bool has_next, int64_t next)
{
    json_write_array_end(json);
    if (has_next)
        json_write_integer(json, "next", next);
    else
        json_write_null(json, "next");
    wire_reply_end(json);
}

void wire_reply_reservation_list(struct buffer *out, const char *id, const struct book *book,
                                 const struct reservation_image *images, size_t count, bool has_next,
                                 int64_t next, struct instant now)
{
    struct json json = wire_reply_begin(out, id);
    json_write_array(&json, "reservations");
    for (size_t i = 0; i < count; i++) {
        json_write_object(&json, NULL);
        book_write_reservation(book, &json, &images[i], now);
        json_write_object_end(&json);
    }
    end_list(&json, has_next, next);
}

void wire_reply_event_list(struct buffer *out, const char *id, const struct book *book,
                           const struct event_row *events, size_t count, bool has_next, int64_t next)
{
    struct json json = wire_reply_begin(out, id);
    json_write_array(&json, "events");
    for (size_t i = 0; i < count; i++) {
        json_write_object(&json, NULL);
        book_write_event(book, &json, &events[i]);
        json_write_object_end(&json);
    }
    end_list(&json, has_next, next);
}

void wire_event_notification(struct buffer *out, const struct book *book, const struct event_row *event)
{
    struct json json = json_begin(out);
    json_write_object(&json, NULL);
    json_write_text(&json, "jsonrpc", "2.0");
    json_write_text(&json, "method", "event");
    json_write_object(&json, "params");
    book_write_event(book, &json, event);
    json_write_object_end(&json);
    json_write_object_end(&json);
    buffer_append_text(out, "\n");
}

void wire_reply_statement_list(struct buffer *out, const char *id, const struct book *book,
                               const struct transfer_row *transfers, size_t count, bool has_next,
                               int64_t next)
{
    struct json json = wire_reply_begin(out, id);
    json_write_array(&json, "transfers");
    for (size_t i = 0; i < count; i++) {
        json_write_object(&json, NULL);
        book_write_transfer(book, &json, &transfers[i]);
        json_write_object_end(&json);
    }
    end_list(&json, has_next, next);
}
