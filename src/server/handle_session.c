// Who is asking, and what the server says of itself.
#include "server/connection.h"
#include "server/handlers.h"
#include "server/version.h"

#include "generated/openrpc.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum answer handle_session_info(struct exchange *exchange)
{
    const struct session *session = &exchange->connection->session;
    const struct book *book = exchange->server->store.book;
    struct json json = wire_reply_begin(&exchange->slot->text, exchange->id);
    json_write_text(&json, "role", role_name(session->role));
    json_write_text(&json, "tenant",
                    session->tenant == 0 ? NULL : book_tenant_row(book, session->tenant)->tenant);
    json_write_object(&json, "server");
    json_write_text(&json, "name", COLOSSUS_NAME);
    json_write_text(&json, "version", COLOSSUS_VERSION);
    json_write_integer(&json, "protocol", COLOSSUS_PROTOCOL);
    json_write_object_end(&json);
    json_write_instant(&json, "now", exchange->now);
    json_write_text(&json, "clock", clock_name(&exchange->server->clock));
    wire_reply_end(&json);
    return ANSWER_READY;
}

enum answer handle_session_login(struct exchange *exchange)
{
    struct session *session = &exchange->connection->session;
    if (exchange->connection->watch.is_on) {
        return answer_error(exchange, RPC_CONFLICT, "this connection watches: log in before that", NULL);
    }
    if (session_login(session, exchange->server->store.book, exchange->call->parameters.token)) {
        return handle_session_info(exchange);
    }
    if (session->wrong_tokens >= exchange->server->config->limits.wrong_tokens) {
        connection_leave(exchange->connection);
    }
    return answer_error(exchange, RPC_UNAUTHENTICATED, "there is no such token, or it was revoked", NULL);
}

enum answer handle_rpc_discover(struct exchange *exchange)
{
    struct buffer *out = &exchange->slot->text;
    buffer_append_text(out, "{\"jsonrpc\":\"2.0\",\"id\":");
    buffer_append_text(out, exchange->id);
    buffer_append_text(out, ",\"result\":");
    buffer_append(out, openrpc_document, openrpc_document_length);
    buffer_append_text(out, "}");
    return ANSWER_READY;
}

enum answer handle_server_ping(struct exchange *exchange)
{
    struct json json = wire_reply_begin(&exchange->slot->text, exchange->id);
    json_write_instant(&json, "now", exchange->now);
    wire_reply_end(&json);
    return ANSWER_READY;
}

int64_t ledger_file_size(const struct server *server, const char *suffix)
{
    struct stat status;
    struct buffer name = {0};
    buffer_append_format(&name, "%s%s", server->config->ledger, suffix);
    int64_t size = stat(name.data, &status) == 0 ? (int64_t)status.st_size : 0;
    buffer_free(&name);
    return size;
}

static void write_ledger(struct json *json, const struct server *server)
{
    json_write_object(json, "ledger");
    json_write_text(json, "path", server->config->ledger);
    json_write_bool(json, "available", server->store.book != NULL);
    json_write_integer(json, "bytes", ledger_file_size(server, ""));
    json_write_integer(json, "wal_bytes", ledger_file_size(server, "-wal"));
    json_write_integer(json, "last_batch", server->writer.durable);
    json_write_integer(json, "last_commit_microseconds", server->writer.commit_microseconds);
    json_write_object_end(json);
}

static void write_totals(struct json *json, const struct totals *totals)
{
    json_write_object(json, "totals");
    json_write_integer(json, "connections", totals->connections);
    json_write_integer(json, "requests", totals->requests);
    json_write_integer(json, "decisions", totals->decisions);
    json_write_integer(json, "refusals", totals->refusals);
    json_write_integer(json, "ledger_reads", totals->reads);
    json_write_integer(json, "batches", totals->batches);
    json_write_integer(json, "rows", totals->rows);
    json_write_integer(json, "events", totals->events);
    json_write_object_end(json);
}

enum answer handle_server_status(struct exchange *exchange)
{
    const struct server *server = exchange->server;
    struct json json = wire_reply_begin(&exchange->slot->text, exchange->id);
    json_write_text(&json, "version", COLOSSUS_VERSION);
    json_write_integer(&json, "uptime_seconds",
                       (int64_t)((uv_now(&server->loop) - server->started_milliseconds) / 1000));
    json_write_text(&json, "clock", clock_name(&server->clock));
    json_write_instant(&json, "now", exchange->now);
    write_ledger(&json, server);
    json_write_integer(&json, "connections", (int64_t)server->connection_count);
    json_write_integer(&json, "watchers", (int64_t)server->watches.count);
    json_write_integer(&json, "queue_depth", (int64_t)server->reader.depth);
    json_write_integer(&json, "reservations",
                       server->store.book == NULL ? 0 : (int64_t)book_live_count(server->store.book));
    write_totals(&json, &server->totals);
    wire_reply_end(&json);
    return ANSWER_READY;
}
