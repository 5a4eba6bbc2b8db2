#include "server/dispatch.h"

#include "base/memory.h"
#include "server/connection.h"
#include "server/handlers.h"
#include "wire/wire.h"
#include <assert.h>

struct handler_row {
    handler handle;
    bool needs_book;
};

static const struct handler_row handlers[METHOD_COUNT] = {
    [METHOD_SESSION_INFO] = {handle_session_info, true},
    [METHOD_SESSION_LOGIN] = {handle_session_login, true},
    [METHOD_RPC_DISCOVER] = {handle_rpc_discover, false},
    [METHOD_SERVER_PING] = {handle_server_ping, false},
    [METHOD_POOL_LIST] = {handle_pool_list, true},
    [METHOD_POOL_CALENDAR] = {handle_pool_calendar, true},
    [METHOD_OFFER_SEARCH] = {handle_offer_search, true},
    [METHOD_RESERVATION_CREATE] = {handle_change, true},
    [METHOD_RESERVATION_CREATE_GROUP] = {handle_change, true},
    [METHOD_RESERVATION_CONFIRM] = {handle_change, true},
    [METHOD_RESERVATION_CHANGE] = {handle_change, true},
    [METHOD_RESERVATION_CANCEL] = {handle_change, true},
    [METHOD_RESERVATION_GET] = {handle_reservation_get, true},
    [METHOD_RESERVATION_LIST] = {handle_reservation_list, true},
    [METHOD_COMMITMENT_STATUS] = {handle_commitment_status, true},
    [METHOD_COMMITMENT_PLAN] = {handle_commitment_plan, true},
    [METHOD_STATEMENT_LIST] = {handle_statement_list, true},
    [METHOD_EVENT_LIST] = {handle_event_list, true},
    [METHOD_EVENT_WATCH] = {handle_event_watch, true},
    [METHOD_MANIFEST_APPLY] = {handle_change, true},
    [METHOD_MANIFEST_EXPORT] = {handle_manifest_export, true},
    [METHOD_CAPACITY_CHANGE] = {handle_change, true},
    [METHOD_TENANT_SUSPEND] = {handle_change, true},
    [METHOD_TENANT_RESUME] = {handle_change, true},
    [METHOD_TOKEN_CREATE] = {handle_token_create, true},
    [METHOD_TOKEN_REVOKE] = {handle_change, true},
    [METHOD_SERVER_STATUS] = {handle_server_status, false},
    [METHOD_SERVER_METRICS] = {handle_server_metrics, false},
    [METHOD_SERVER_BACKUP] = {handle_server_backup, true},
    [METHOD_CLOCK_ADVANCE] = {handle_clock_advance, true},
};

enum answer answer_error(struct exchange *exchange, int code, const char *message, const char *member)
{
    wire_reply_error(&exchange->slot->text, exchange->id, code, message, member);
    exchange->server->totals.refusals++;
    return ANSWER_READY;
}

static enum answer answer_unavailable(struct exchange *exchange, const char *message)
{
    wire_reply_ledger_unavailable(&exchange->slot->text, exchange->id, false, message);
    exchange->server->totals.refusals++;
    return ANSWER_READY;
}

// What the role may not do. True when the call may go on; else it has been answered.
static bool is_admitted(struct exchange *exchange)
{
    enum access access = exchange->call->row->access;
    enum role role = exchange->connection->session.role;
    if (access == ACCESS_ANYONE || role == ROLE_OPERATOR) {
        return true;
    }
    if (role == ROLE_ANONYMOUS) {
        answer_error(exchange, RPC_UNAUTHENTICATED,
                     "this user is no tenant and no operator here: log in with session.login", NULL);
        return false;
    }
    if (access == ACCESS_OPERATOR) {
        answer_error(exchange, RPC_FORBIDDEN, "only an operator may do this", NULL);
        return false;
    }
    return true;
}

// Whose things a tenant method is about. A tenant that names another one learns nothing of it.
static bool settle_tenant(struct exchange *exchange)
{
    const struct session *session = &exchange->connection->session;
    const struct wire_call *call = exchange->call;
    const struct book *book = exchange->server->store.book;
    exchange->tenant = session->tenant;
    if (call->row->access != ACCESS_TENANT) {
        return true;
    }
    if (!parameter_given(&call->parameters, PARAMETER_TENANT)) {
        if (session->role == ROLE_OPERATOR && call->row->changes) {
            answer_error(exchange, RPC_INVALID_PARAMS, "an operator must say for which tenant this is done",
                         "tenant");
            return false;
        }
        return true;
    }
    uint32_t named = book_tenant(book, call->parameters.tenant);
    if (named == 0 || (session->role == ROLE_TENANT && named != session->tenant)) {
        answer_error(exchange, RPC_NOT_FOUND, "there is no such tenant", NULL);
        return false;
    }
    exchange->tenant = named;
    return true;
}

// A tenant may have a limit on how often it asks, whatever it asks. True when it is within it; else it has
// been told.
static bool is_within_rate(struct exchange *exchange)
{
    struct server *server = exchange->server;
    const struct session *session = &exchange->connection->session;
    int64_t retry_after_ms;
    if (session->role != ROLE_TENANT || server->store.book == NULL ||
        quota_take(&server->quota, session->tenant,
                   &book_tenant_row(server->store.book, session->tenant)->rate_limit, (int64_t)uv_hrtime(),
                   &retry_after_ms)) {
        return true;
    }
    wire_reply_rate_limited(&exchange->slot->text, exchange->id, retry_after_ms);
    server->totals.refusals++;
    return false;
}

static enum answer handle(struct exchange *exchange)
{
    struct server *server = exchange->server;
    const struct wire_call *call = exchange->call;
    if (memory_is_short() && !memory_reserve(MEMORY_RESERVE)) {
        return answer_error(exchange, RPC_OVERLOADED, "the system has no more memory: nothing was done",
                            NULL);
    }
    if (!is_within_rate(exchange)) {
        return ANSWER_READY;
    }
    if (call->error.code != 0) {
        return answer_error(exchange, call->error.code, call->error.message, call->error.member);
    }
    if (exchange->connection->is_leaving) {
        return answer_error(exchange, RPC_UNAUTHENTICATED, "this connection is being closed", NULL);
    }
    const struct handler_row *row = &handlers[call->row->method];
    exchange->now = clock_now(&server->clock);
    if (!writer_begin(&server->writer, &exchange->now) && row->needs_book) {
        return answer_unavailable(exchange, "the ledger can't be reached: it is being opened again");
    }
    if (!is_admitted(exchange)) {
        return ANSWER_READY;
    }
    if (server->store.book != NULL && !settle_tenant(exchange)) {
        return ANSWER_READY;
    }
    if (call->row->changes && !writer_has_room(&server->writer)) {
        return answer_unavailable(exchange, "the ledger's disk is full: nothing was done");
    }
    return row->handle(exchange);
}

static void dispatch_call(struct connection *connection, const struct wire_call *call, struct slot *slot)
{
    struct server *server = connection->server;
    struct exchange exchange = {
        .server = server,
        .connection = connection,
        .call = call,
        .slot = slot,
        .id = call->id != NULL ? call->id : "null",
    };
    server->totals.requests++;
    if (handle(&exchange) == ANSWER_READY) {
        assert(slot->text.length > 0);
        server_fill(server, slot, writer_dependency(&server->writer));
    }
}

// A place in the order of replies for each call; those of a JSON-RPC batch that are answered stand in
// brackets.
static struct slot *reserve(struct connection *connection, const struct wire_message *message, size_t call,
                            size_t last, bool *begun)
{
    const char *id = message->calls[call].id;
    struct slot *slot = slot_take(&connection->server->slots, id != NULL ? id : "null");
    slot->connection = connection;
    slot->is_silent = id == NULL;
    slot->method = message->calls[call].named != NULL ? message->calls[call].named->method : METHOD_COUNT;
    slot->ends_line = call == last;
    if (message->is_batch && !slot->is_silent) {
        slot->opening = *begun ? ',' : '[';
        slot->closing = call == last ? ']' : '\0';
        *begun = true;
    }
    slot_queue_push(&connection->slots, slot);
    return slot;
}

// Between lines nothing more is read when the replies fill the output; within a batch what is left is
// refused.
static void refuse_rest(struct server *server, const struct wire_call *call, struct slot *slot)
{
    server->totals.requests++;
    wire_reply_error(&slot->text, call->id, RPC_OVERLOADED,
                     "the replies to this batch are too large together: nothing was done", NULL);
    server_fill(server, slot, writer_dependency(&server->writer));
}

int64_t dispatch_line(struct connection *connection, const char *line, size_t length)
{
    struct server *server = connection->server;
    struct wire_message message = {0};
    wire_parse(line, length, &server->parsing, &message);
    connection_end_wait(connection);
    size_t last = 0;
    for (size_t i = 0; i < message.call_count; i++) {
        last = message.calls[i].id != NULL ? i : last;
    }
    bool begun = false;
    for (size_t i = 0; i < message.call_count; i++) {
        const struct wire_call *call = &message.calls[i];
        struct slot *slot = reserve(connection, &message, i, last, &begun);
        connection_end_wait(connection);
        if (i > 0 && call->id != NULL && !connection_has_output_room(connection))
            refuse_rest(server, call, slot);
        else
            dispatch_call(connection, call, slot);
    }
    arena_reset(&server->parsing);
    return message.call_count > 0 ? (int64_t)message.call_count : 1;
}
