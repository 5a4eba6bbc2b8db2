#include "served.h"

#include "wire/wire.h"

#define CALENDAR_HOURS 17520

static void end_reply(struct buffer *out)
{
    buffer_append_text(out, "\n");
}

// ---- From the book

static void serve_calendars(const struct book *book, uint32_t tenant, struct instant now, struct buffer *out)
{
    struct hour start = hour_of_instant(now);
    for (uint32_t pool = 1; pool <= book_pool_count(book); pool++) {
        struct parameters parameters = {.pool = book_pool_row(book, pool)->pool,
                                        .start = start,
                                        .end = {start.number + CALENDAR_HOURS},
                                        .present = (UINT64_C(1) << PARAMETER_POOL) |
                                                   (UINT64_C(1) << PARAMETER_START) |
                                                   (UINT64_C(1) << PARAMETER_END)};
        wire_reply_pool_calendar(out, "1", book, tenant, &parameters, now);
        end_reply(out);
    }
}

// What a tenant is offered, and what comes nearest to what it can't have.
static void serve_offers(const struct book *book, uint32_t tenant, struct instant now, struct buffer *out)
{
    struct parameters parameters = {.gpus = 1, .hours = 24, .order = OFFER_CHEAPEST};
    const struct parameters none = {0};
    struct arena arena = {0};
    wire_reply_offers(out, "1", book, tenant, &parameters, &arena, now);
    end_reply(out);
    parameters.gpus = INT32_MAX / 2;
    wire_reply_offers(out, "1", book, tenant, &parameters, &arena, now);
    end_reply(out);
    wire_reply_commitment_plan(out, "1", book, tenant, &none, &arena, now);
    end_reply(out);
    arena_free(&arena);
}

static void serve_book(const struct book *book, struct instant now, struct buffer *out)
{
    const struct parameters none = {0};
    struct json json = wire_reply_begin(out, "1");
    json_write_object(&json, "manifest");
    book_write_manifest(book, &json);
    json_write_object_end(&json);
    wire_reply_end(&json);
    end_reply(out);
    for (uint32_t tenant = 0; tenant <= book_tenant_count(book); tenant++) {
        wire_reply_pool_list(out, "1", book, tenant, now);
        end_reply(out);
        wire_reply_commitment_status(out, "1", book, tenant, &none, now);
        end_reply(out);
        serve_calendars(book, tenant, now, out);
        if (tenant != 0)
            serve_offers(book, tenant, now, out);
    }
}

// ---- From the ledger

// What one reading of a page needs.
struct reading {
    struct ledger_reader *reader;
    const struct book *book;
    struct arena *arena;
    struct ledger_page page;
    uint32_t tenant;
    struct instant now;
    struct buffer *out;
    struct ledger_error *error;
};

static bool serve_reservations(struct reading *reading)
{
    struct reservation_filter filter = {.tenant = reading->tenant, .now = reading->now};
    struct ledger_page *page = &reading->page;
    struct reservation_image *images;
    size_t count;
    if (!ledger_read_reservations(reading->reader, &filter, page, reading->arena, &images, &count,
                                  reading->error)) {
        return false;
    }
    wire_reply_reservation_list(reading->out, "1", reading->book, images, count, page->has_next, page->next,
                                reading->now);
    for (size_t i = 0; i < count && reading->tenant == 0; i++) {
        int64_t id = images[i].row.id;
        struct reservation_image *found, live;
        size_t found_count;
        end_reply(reading->out);
        if (!ledger_read_reservation(reading->reader, id, 1, reading->now, reading->arena, &found,
                                     &found_count, reading->error)) {
            return false;
        }
        if (book_reservation(reading->book, id, reading->now, &live)) {
            found = &live;
            found_count = 1;
        }
        wire_reply_reservations(reading->out, "1", reading->book, found, found_count, 0, false, false,
                                reading->now);
    }
    return true;
}

static bool serve_transfers(struct reading *reading)
{
    const struct transfer_filter filter = {.tenant = reading->tenant};
    struct transfer_row *transfers;
    size_t count;
    if (!ledger_read_transfers(reading->reader, &filter, &reading->page, reading->arena, &transfers, &count,
                               reading->error)) {
        return false;
    }
    wire_reply_statement_list(reading->out, "1", reading->book, transfers, count, reading->page.has_next,
                              reading->page.next);
    return true;
}

static bool serve_events(struct reading *reading)
{
    struct event_row *events;
    size_t count;
    if (!ledger_read_events(reading->reader, reading->tenant, &reading->page, reading->arena, &events, &count,
                            reading->error)) {
        return false;
    }
    wire_reply_event_list(reading->out, "1", reading->book, events, count, reading->page.has_next,
                          reading->page.next);
    return true;
}

static bool serve_pages(struct reading *reading, bool (*serve)(struct reading *))
{
    reading->page = (struct ledger_page){.limit = 100};
    do {
        reading->page.after = reading->page.next;
        reading->page.has_next = false;
        arena_reset(reading->arena);
        if (!serve(reading)) {
            return false;
        }
        end_reply(reading->out);
        // In a damaged table the numbers may go back, and a client that asks for page after page would go
        // round.
        if (reading->page.has_next && reading->page.next <= reading->page.after) {
            buffer_append_text(reading->out, "goes round\n");
            return true;
        }
    } while (reading->page.has_next);
    return true;
}

static bool serve_ledger(const char *path, const struct book *book, struct instant now, struct buffer *out,
                         struct ledger_error *error)
{
    struct arena arena = {0};
    struct reading reading = {.book = book, .arena = &arena, .now = now, .out = out, .error = error};
    bool good = ledger_reader_open(path, &reading.reader, error);
    if (!good) {
        return false;
    }
    for (uint32_t tenant = 0; tenant <= book_tenant_count(book) && good; tenant++) {
        reading.tenant = tenant;
        good = serve_pages(&reading, serve_reservations) && serve_pages(&reading, serve_transfers) &&
               serve_pages(&reading, serve_events);
    }
    ledger_reader_close(reading.reader);
    arena_free(&arena);
    return good;
}

bool served(const struct ledger_options *options, struct served *served, struct ledger_error *error)
{
    *served = (struct served){0};
    struct ledger *ledger;
    if (!ledger_open(options, &ledger, error)) {
        return false;
    }
    struct instant now = ledger_last_time(ledger);
    struct book *book = book_create(&(struct book_options){
        .horizon_years = 10, .hold_seconds_max = 7 * 86400, .origin = hour_of_instant(now)});
    bool good = ledger_load(ledger, book, error);
    if (good) {
        serve_book(book, now, &served->totals);
        good = serve_ledger(options->path, book, now, &served->lists, error);
    }
    ledger_close(ledger);
    book_destroy(book);
    return good;
}

void served_free(struct served *served)
{
    buffer_free(&served->totals);
    buffer_free(&served->lists);
}
