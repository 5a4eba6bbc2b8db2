// The handlers: one function for each method, by topic.
//
// A handler writes its reply to exchange->slot->text and returns ANSWER_READY, or has given the slot to a job
// (or to the advance of the clock) and returns ANSWER_PENDING; it can't forget to answer, for the dispatch
// checks that it did one or the other.
#ifndef COLOSSUS_SERVER_HANDLERS_H
#define COLOSSUS_SERVER_HANDLERS_H

#include "core/book.h"
#include "server/reader.h"
#include "server/server.h"
#include "wire/wire.h"

struct exchange {
    struct server *server;
    struct connection *connection;
    const struct wire_call *call;
    struct slot *slot;
    const char *id; // "null" for a notification, whose reply goes nowhere
    struct instant now;
    uint32_t tenant; // whose things are asked for; 0: everyone's
};

enum answer { ANSWER_READY, ANSWER_PENDING };

typedef enum answer (*handler)(struct exchange *exchange);

// handle_session.c: who is asking, and what the server says of itself
enum answer handle_session_info(struct exchange *exchange);
enum answer handle_session_login(struct exchange *exchange);
enum answer handle_rpc_discover(struct exchange *exchange);
enum answer handle_server_ping(struct exchange *exchange);
enum answer handle_server_status(struct exchange *exchange);

// The bytes of the ledger's file, or with a suffix of one beside it.
int64_t ledger_file_size(const struct server *server, const char *suffix);

// handle_metrics.c
enum answer handle_server_metrics(struct exchange *exchange);

// handle_read.c: from the book, or from the ledger
enum answer handle_pool_list(struct exchange *exchange);
enum answer handle_pool_calendar(struct exchange *exchange);
enum answer handle_offer_search(struct exchange *exchange);
enum answer handle_reservation_get(struct exchange *exchange);
enum answer handle_reservation_list(struct exchange *exchange);
enum answer handle_commitment_status(struct exchange *exchange);
enum answer handle_commitment_plan(struct exchange *exchange);
enum answer handle_statement_list(struct exchange *exchange);
enum answer handle_event_list(struct exchange *exchange);
enum answer handle_event_watch(struct exchange *exchange);
enum answer handle_manifest_export(struct exchange *exchange);

// handle_change.c: decided by the book
enum answer handle_change(struct exchange *exchange);
enum answer handle_token_create(struct exchange *exchange);
enum answer handle_server_backup(struct exchange *exchange);
enum answer handle_clock_advance(struct exchange *exchange);

// An error as the reply. member may be NULL.
enum answer answer_error(struct exchange *exchange, int code, const char *message, const char *member);

#endif
