// Reading what is durable, for replies: lists, and reservations that have left the book.
//
// A reader is a read-only connection. Each call is one read transaction, so a page's reservations and their
// slices are of one moment. A page costs what lies between its first and its last row: what is a tenant's is
// found by the tables of posting.h, and at their end among the few thousand rows that came since.
#include "base/memory.h"
#include "ledger/connection.h"
#include "ledger/rows.h"
#include <stdlib.h>
#include <string.h>

struct ledger_reader {
    struct connection connection;
};

bool ledger_reader_open(const char *path, struct ledger_reader **result, struct ledger_error *error)
{
    *result = NULL;
    struct ledger_reader *reader = memory_allocate(1, sizeof *reader);
    if (!connection_open_reader(&reader->connection, path, error)) {
        free(reader);
        return false;
    }
    *result = reader;
    return true;
}

void ledger_reader_close(struct ledger_reader *reader)
{
    if (reader == NULL)
        return;
    connection_close(&reader->connection);
    free(reader);
}

// ---- What all calls share

static bool begin(struct ledger_reader *reader, struct ledger_error *error)
{
    return connection_run(&reader->connection, STATEMENT_BEGIN_READ, error);
}

// Ends the transaction whatever became of the reading.
static bool end(struct ledger_reader *reader, bool read)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_reset(reader->connection.statements[i]);
    struct ledger_error ignored;
    bool ended = connection_run(&reader->connection, STATEMENT_ROLLBACK, &ignored);
    return read && (ended || sqlite3_get_autocommit(reader->connection.database) != 0);
}

struct binding {
    struct ledger_reader *reader;
    sqlite3_stmt *statement; // NULL after an error
    struct ledger_error *error;
};

static struct binding bind(struct ledger_reader *reader, enum statement statement, struct ledger_error *error)
{
    return (struct binding){reader, connection_statement(&reader->connection, statement, error), error};
}

static void bound(struct binding *binding, int code)
{
    if (code == SQLITE_OK)
        return;
    connection_failed(&binding->reader->connection, "can't bind a value", binding->error);
    binding->statement = NULL;
}

static void bind_integer(struct binding *binding, int parameter, int64_t value)
{
    if (binding->statement != NULL)
        bound(binding, sqlite3_bind_int64(binding->statement, parameter, value));
}

static void bind_text(struct binding *binding, int parameter, const char *text)
{
    if (binding->statement != NULL && text != NULL)
        bound(binding, sqlite3_bind_text(binding->statement, parameter, text, -1, SQLITE_STATIC));
}

// The next row. False after an error; *found says whether there is one.
static bool next(struct binding *binding, enum row_kind kind, struct row *row, bool *found)
{
    *found = false;
    if (binding->statement == NULL ||
        !connection_step(&binding->reader->connection, binding->statement, found, binding->error))
        return false;
    if (!*found || row_read(binding->statement, kind, row))
        return true;
    ledger_fail(binding->error, binding->reader->connection.path,
                "a column holds what no row can; run `colossus verify`");
    return false;
}

// ---- Reservations

// The reservation as it is shown at `now`, with its slices, in the arena.
static bool complete(struct ledger_reader *reader, const struct reservation_row *row, struct instant now,
                     struct arena *arena, struct reservation_image *image, struct ledger_error *error)
{
    *image = (struct reservation_image){.row = *row};
    image->row.client_ref = arena_copy_text(arena, row->client_ref);
    image->row.project = arena_copy_text(arena, row->project);
    image->row.note = arena_copy_text(arena, row->note);
    struct binding slices = bind(reader, STATEMENT_READ_SLICES, error);
    bind_integer(&slices, 1, row->id);
    struct slice_row *list = NULL;
    int32_t capacity = 0;
    for (;;) {
        struct row slice;
        bool found;
        if (!next(&slices, ROW_SLICE, &slice, &found))
            return false;
        if (!found)
            break;
        if (image->slice_count == capacity) {
            // What is outgrown goes with the arena.
            capacity = capacity == 0 ? 2 : capacity * 2;
            struct slice_row *grown = arena_allocate(arena, (size_t)capacity * sizeof *grown);
            if (list != NULL)
                memcpy(grown, list, (size_t)image->slice_count * sizeof *grown);
            list = grown;
        }
        list[image->slice_count++] = slice.slice;
    }
    image->slices = list;
    image->row.gpus = reservation_gpus_at(image, now);
    image->row.state = reservation_state_at(row, now);
    return true;
}

static struct binding bind_filter(struct ledger_reader *reader, enum statement statement,
                                  const struct reservation_filter *filter, int64_t after,
                                  struct ledger_error *error)
{
    struct binding binding = bind(reader, statement, error);
    bind_integer(&binding, 1, after);
    bind_integer(&binding, 2, filter->pool);
    bind_text(&binding, 3, filter->project);
    bind_integer(&binding, 4, filter->has_from ? hour_start(filter->from).seconds : INT64_MIN);
    bind_integer(&binding, 5, filter->has_to ? hour_start(filter->to).seconds : INT64_MAX);
    if (filter->tenant != 0)
        bind_integer(&binding, 6, filter->tenant);
    return binding;
}

// Adds what one statement finds, until the page is full and one more is seen.
static bool add_reservations(struct ledger_reader *reader, enum statement statement,
                             const struct reservation_filter *filter, struct ledger_page *page,
                             struct arena *arena, struct reservation_image *images, size_t *count,
                             struct ledger_error *error)
{
    struct binding reservations = bind_filter(reader, statement, filter, page->after, error);
    bool found = true;
    while (!page->has_next) {
        struct row row;
        if (!next(&reservations, ROW_RESERVATION, &row, &found))
            return false;
        if (!found)
            return true;
        enum reservation_state state = reservation_state_at(&row.reservation, filter->now);
        if (filter->states != 0 && (filter->states & (UINT32_C(1) << state)) == 0)
            continue;
        if (*count == (size_t)page->limit) {
            page->has_next = true;
            page->next = images[*count - 1].row.id;
        } else if (!complete(reader, &row.reservation, filter->now, arena, &images[(*count)++], error)) {
            return false;
        }
    }
    return true;
}

static bool read_page(struct ledger_reader *reader, const struct reservation_filter *filter,
                      struct ledger_page *page, struct arena *arena, struct reservation_image *images,
                      size_t *count, struct ledger_error *error)
{
    if (filter->tenant == 0)
        return add_reservations(reader, STATEMENT_READ_RESERVATIONS, filter, page, arena, images, count,
                                error);
    return add_reservations(reader, STATEMENT_READ_TENANT_RESERVATIONS, filter, page, arena, images, count,
                            error) &&
           (page->has_next || add_reservations(reader, STATEMENT_READ_TENANT_RESERVATIONS_SINCE, filter, page,
                                               arena, images, count, error));
}

bool ledger_read_reservations(struct ledger_reader *reader, const struct reservation_filter *filter,
                              struct ledger_page *page, struct arena *arena,
                              struct reservation_image **images, size_t *count, struct ledger_error *error)
{
    *count = 0;
    page->has_next = false;
    page->next = 0;
    *images = arena_allocate(arena, ((size_t)page->limit + 1) * sizeof **images);
    if (page->limit < 1)
        return true;
    return begin(reader, error) && end(reader, read_page(reader, filter, page, arena, *images, count, error));
}

static bool read_one(struct ledger_reader *reader, int64_t id, struct instant now, struct arena *arena,
                     struct reservation_image *image, bool *found, struct ledger_error *error)
{
    struct binding reservation = bind(reader, STATEMENT_READ_RESERVATION, error);
    struct row row;
    bind_integer(&reservation, 1, id);
    return next(&reservation, ROW_RESERVATION, &row, found) &&
           (!*found || complete(reader, &row.reservation, now, arena, image, error));
}

static bool read_legs(struct ledger_reader *reader, int64_t first, int32_t legs, struct instant now,
                      struct arena *arena, struct reservation_image **images, size_t *count,
                      struct ledger_error *error)
{
    struct reservation_image image;
    bool found;
    if (!read_one(reader, first, now, arena, &image, &found, error))
        return false;
    if (!found)
        return true;
    if (legs == 0)
        legs = image.row.legs > 0 && image.row.group == first ? image.row.legs : 1;
    *images = arena_allocate(arena, (size_t)legs * sizeof **images);
    (*images)[(*count)++] = image;
    for (int32_t leg = 1; leg < legs && found; leg++) {
        if (!read_one(reader, first + leg, now, arena, &(*images)[*count], &found, error))
            return false;
        *count += found;
    }
    return true;
}

bool ledger_read_reservation(struct ledger_reader *reader, int64_t first, int32_t legs, struct instant now,
                             struct arena *arena, struct reservation_image **images, size_t *count,
                             struct ledger_error *error)
{
    *images = NULL;
    *count = 0;
    return begin(reader, error) &&
           end(reader, read_legs(reader, first, legs, now, arena, images, count, error));
}

// ---- Transfers

// Adds what one statement finds, at most `limit` + 1 together.
static bool add_transfers(struct ledger_reader *reader, enum statement statement,
                          const struct transfer_filter *filter, const struct ledger_page *page,
                          struct transfer_row *transfers, size_t *count, struct ledger_error *error)
{
    struct binding binding = bind(reader, statement, error);
    bind_integer(&binding, 1, page->after);
    bind_integer(&binding, 2, filter->has_from ? filter->from.seconds : INT64_MIN);
    bind_integer(&binding, 3, filter->has_to ? filter->to.seconds : INT64_MAX);
    bind_integer(&binding, 4, (int64_t)page->limit + 1 - (int64_t)*count);
    if (filter->tenant != 0)
        bind_integer(&binding, 5, filter->tenant);
    bool found = true;
    while (found) {
        struct row row;
        if (!next(&binding, ROW_TRANSFER, &row, &found))
            return false;
        if (found)
            transfers[(*count)++] = row.transfer;
    }
    return true;
}

static bool read_transfers(struct ledger_reader *reader, const struct transfer_filter *filter,
                           const struct ledger_page *page, struct transfer_row *transfers, size_t *count,
                           struct ledger_error *error)
{
    if (filter->tenant == 0)
        return add_transfers(reader, STATEMENT_READ_TRANSFERS, filter, page, transfers, count, error);
    return add_transfers(reader, STATEMENT_READ_TENANT_TRANSFERS, filter, page, transfers, count, error) &&
           (*count > (size_t)page->limit || add_transfers(reader, STATEMENT_READ_TENANT_TRANSFERS_SINCE,
                                                          filter, page, transfers, count, error));
}

bool ledger_read_transfers(struct ledger_reader *reader, const struct transfer_filter *filter,
                           struct ledger_page *page, struct arena *arena, struct transfer_row **transfers,
                           size_t *count, struct ledger_error *error)
{
    *count = 0;
    page->has_next = false;
    page->next = 0;
    *transfers = arena_allocate(arena, ((size_t)page->limit + 1) * sizeof **transfers);
    if (page->limit < 1)
        return true;
    if (!begin(reader, error) || !end(reader, read_transfers(reader, filter, page, *transfers, count, error)))
        return false;
    page->has_next = *count > (size_t)page->limit;
    if (page->has_next)
        page->next = (*transfers)[--*count - 1].id;
    return true;
}

// ---- Events

static size_t bytes_of(const struct event_row *events, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += events[i].data_length;
    return bytes;
}

// Adds what one statement finds, until the page is full and one more is seen.
static bool add_events(struct ledger_reader *reader, enum statement statement, uint32_t tenant,
                       struct ledger_page *page, struct arena *arena, struct event_row *events, size_t *count,
                       struct ledger_error *error)
{
    struct binding binding = bind(reader, statement, error);
    bind_integer(&binding, 1, page->after);
    bind_integer(&binding, 2, (int64_t)page->limit + 1 - (int64_t)*count);
    if (tenant != 0)
        bind_integer(&binding, 3, tenant);
    bool found = true;
    size_t bytes = bytes_of(events, *count);
    while (!page->has_next) {
        struct row row;
        if (!next(&binding, ROW_EVENT, &row, &found))
            return false;
        if (!found)
            break;
        if (*count == (size_t)page->limit || (page->bytes > 0 && bytes >= page->bytes)) {
            page->has_next = true;
            page->next = events[*count - 1].seq;
            break;
        }
        bytes += row.event.data_length;
        struct event_row *event = &events[(*count)++];
        *event = row.event;
        event->type = arena_copy_text(arena, row.event.type);
        event->actor = arena_copy_text(arena, row.event.actor);
        event->data = arena_copy(arena, row.event.data, row.event.data_length);
    }
    return true;
}

static bool read_events(struct ledger_reader *reader, uint32_t tenant, struct ledger_page *page,
                        struct arena *arena, struct event_row *events, size_t *count,
                        struct ledger_error *error)
{
    if (tenant == 0)
        return add_events(reader, STATEMENT_READ_EVENTS, tenant, page, arena, events, count, error);
    return add_events(reader, STATEMENT_READ_TENANT_EVENTS, tenant, page, arena, events, count, error) &&
           (page->has_next || add_events(reader, STATEMENT_READ_TENANT_EVENTS_SINCE, tenant, page, arena,
                                         events, count, error));
}

bool ledger_read_events(struct ledger_reader *reader, uint32_t tenant, struct ledger_page *page,
                        struct arena *arena, struct event_row **events, size_t *count,
                        struct ledger_error *error)
{
    *count = 0;
    page->has_next = false;
    page->next = 0;
    *events = arena_allocate(arena, ((size_t)page->limit + 1) * sizeof **events);
    if (page->limit < 1)
        return true;
    return begin(reader, error) &&
           end(reader, read_events(reader, tenant, page, arena, *events, count, error));
}
