// Reads: from the book at once, or from the ledger by a job.
#include "server/connection.h"
#include "server/handlers.h"

#include <string.h>

enum answer handle_pool_list(struct exchange *exchange)
{
    wire_reply_pool_list(&exchange->slot->text, exchange->id, exchange->server->store.book, exchange->tenant,
                         exchange->now);
    return ANSWER_READY;
}

enum answer handle_pool_calendar(struct exchange *exchange)
{
    wire_reply_pool_calendar(&exchange->slot->text, exchange->id, exchange->server->store.book,
                             exchange->tenant, &exchange->call->parameters, exchange->now);
    return ANSWER_READY;
}

// An offer is priced for somebody.
static bool has_tenant(struct exchange *exchange)
{
    if (exchange->tenant != 0) {
        return true;
    }
    answer_error(exchange, RPC_INVALID_PARAMS, "an operator must say for which tenant this is asked",
                 "tenant");
    return false;
}

enum answer handle_offer_search(struct exchange *exchange)
{
    if (has_tenant(exchange)) {
        wire_reply_offers(&exchange->slot->text, exchange->id, exchange->server->store.book, exchange->tenant,
                          &exchange->call->parameters, &exchange->server->parsing, exchange->now);
    }
    return ANSWER_READY;
}

enum answer handle_commitment_status(struct exchange *exchange)
{
    wire_reply_commitment_status(&exchange->slot->text, exchange->id, exchange->server->store.book,
                                 exchange->tenant, &exchange->call->parameters, exchange->now);
    return ANSWER_READY;
}

enum answer handle_commitment_plan(struct exchange *exchange)
{
    wire_reply_commitment_plan(&exchange->slot->text, exchange->id, exchange->server->store.book,
                               exchange->tenant, &exchange->call->parameters, &exchange->server->parsing,
                               exchange->now);
    return ANSWER_READY;
}

enum answer handle_manifest_export(struct exchange *exchange)
{
    struct json json = wire_reply_begin(&exchange->slot->text, exchange->id);
    json_write_object(&json, "manifest");
    book_write_manifest(exchange->server->store.book, &json);
    json_write_object_end(&json);
    wire_reply_end(&json);
    return ANSWER_READY;
}

// ---- Jobs

static struct job *begin_job(struct exchange *exchange, enum job_kind kind)
{
    const struct parameters *parameters = &exchange->call->parameters;
    struct job *job = reader_job(&exchange->server->reader, exchange->slot, kind);
    job->now = exchange->now;
    job->page.after = parameters->after;
    job->page.limit = (int32_t)parameters->limit;
    return job;
}

static enum answer submit(struct exchange *exchange, struct job *job)
{
    struct server *server = exchange->server;
    reader_submit(&server->reader, job, writer_dependency(&server->writer));
    return ANSWER_PENDING;
}

// ---- reservation.get

static enum answer no_such_reservation(struct exchange *exchange)
{
    return answer_error(exchange, RPC_NOT_FOUND, "there is no such reservation", NULL);
}

// The members of a group, when the book has all of them.
static struct reservation_image *live_group(struct exchange *exchange, int64_t group, size_t *count)
{
    const struct book *book = exchange->server->store.book;
    struct reservation_image first;
    if (!book_reservation(book, group, exchange->now, &first) || first.row.group != group) {
        return NULL;
    }
    size_t legs = (size_t)first.row.legs;
    struct reservation_image *images =
        arena_allocate(&exchange->server->parsing, legs * sizeof(struct reservation_image));
    for (size_t i = 0; i < legs; i++) {
        if (!book_reservation(book, group + (int64_t)i, exchange->now, &images[i])) {
            return NULL;
        }
    }
    *count = legs;
    return images;
}

static struct reservation_image *live_single(struct exchange *exchange, int64_t id, size_t *count)
{
    struct reservation_image *image =
        arena_allocate(&exchange->server->parsing, sizeof(struct reservation_image));
    *count = 1;
    return book_reservation(exchange->server->store.book, id, exchange->now, image) ? image : NULL;
}

// A live reservation that is no group's must not be read as one.
static bool is_no_group(struct exchange *exchange, int64_t id)
{
    struct reservation_image image;
    return book_reservation(exchange->server->store.book, id, exchange->now, &image) && image.row.group != id;
}

static enum answer get(struct exchange *exchange, int64_t id, bool is_group)
{
    const struct book *book = exchange->server->store.book;
    uint32_t owner = book_reservation_owner(book, id);
    if (owner == 0 || (exchange->tenant != 0 && owner != exchange->tenant) ||
        (is_group && is_no_group(exchange, id))) {
        return no_such_reservation(exchange);
    }
    size_t count = 0;
    struct reservation_image *images =
        is_group ? live_group(exchange, id, &count) : live_single(exchange, id, &count);
    if (images != NULL) {
        wire_reply_reservations(&exchange->slot->text, exchange->id, book, images, count, is_group ? id : 0,
                                false, false, exchange->now);
        return ANSWER_READY;
    }
    struct job *job = begin_job(exchange, JOB_RESERVATION);
    job->first = id;
    job->group = is_group;
    return submit(exchange, job);
}

enum answer handle_reservation_get(struct exchange *exchange)
{
    const struct parameters *parameters = &exchange->call->parameters;
    bool by_id = parameter_given(parameters, PARAMETER_ID);
    bool by_group = parameter_given(parameters, PARAMETER_GROUP);
    bool by_reference = parameter_given(parameters, PARAMETER_CLIENT_REF);
    if (by_id + by_group + by_reference != 1) {
        return answer_error(exchange, RPC_INVALID_PARAMS, "give one of id, group and client_ref", "id");
    }
    if (!by_reference) {
        return get(exchange, by_id ? parameters->id : parameters->group, by_group);
    }
    bool is_group = false;
    int64_t id =
        book_client_ref(exchange->server->store.book, exchange->tenant, parameters->client_ref, &is_group);
    return id == 0 ? no_such_reservation(exchange) : get(exchange, id, is_group);
}

// ---- Lists

enum answer handle_reservation_list(struct exchange *exchange)
{
    const struct parameters *parameters = &exchange->call->parameters;
    uint32_t pool = 0;
    if (parameter_given(parameters, PARAMETER_POOL)) {
        pool = book_pool(exchange->server->store.book, parameters->pool);
        if (pool == 0) {
            return answer_error(exchange, RPC_NOT_FOUND, "there is no such pool", "pool");
        }
    }
    struct job *job = begin_job(exchange, JOB_RESERVATIONS);
    job->reservations = (struct reservation_filter){
        .tenant = exchange->tenant,
        .states = parameter_given(parameters, PARAMETER_STATE) ? parameters->states : 0,
        .pool = pool,
        .project = arena_copy_text(&job->arena, parameters->project),
        .has_from = parameter_given(parameters, PARAMETER_FROM),
        .has_to = parameter_given(parameters, PARAMETER_TO),
        .from = hour_of_instant(parameters->from_instant),
        .to = hour_at_or_after(parameters->to),
        .now = exchange->now,
    };
    return submit(exchange, job);
}

enum answer handle_statement_list(struct exchange *exchange)
{
    const struct parameters *parameters = &exchange->call->parameters;
    struct job *job = begin_job(exchange, JOB_TRANSFERS);
    job->transfers = (struct transfer_filter){
        .tenant = exchange->tenant,
        .has_from = parameter_given(parameters, PARAMETER_FROM),
        .has_to = parameter_given(parameters, PARAMETER_TO),
        .from = parameters->from_instant,
        .to = parameters->to,
    };
    return submit(exchange, job);
}

enum answer handle_event_list(struct exchange *exchange)
{
    const struct parameters *parameters = &exchange->call->parameters;
    struct job *job = begin_job(exchange, JOB_EVENTS);
    job->tenant = exchange->tenant;
    job->may_wait = parameter_given(parameters, PARAMETER_WAIT_SECONDS) && parameters->wait_seconds > 0 &&
                    !exchange->slot->is_silent && !exchange->server->stopping;
    if (job->may_wait) {
        connection_wait(exchange->connection, job, parameters->wait_seconds);
    }
    return submit(exchange, job);
}

enum answer handle_event_watch(struct exchange *exchange)
{
    struct connection *connection = exchange->connection;
    const struct parameters *parameters = &exchange->call->parameters;
    if (connection->watch.is_on) {
        return answer_error(exchange, RPC_CONFLICT, "this connection watches already", NULL);
    }
    int64_t after = parameter_given(parameters, PARAMETER_AFTER)
                        ? parameters->after
                        : book_last_event(exchange->server->store.book);
    watch_begin(connection, exchange->tenant, after, exchange->slot);
    struct json json = wire_reply_begin(&exchange->slot->text, exchange->id);
    json_write_bool(&json, "watching", true);
    json_write_integer(&json, "after", after);
    wire_reply_end(&json);
    return ANSWER_READY;
}
