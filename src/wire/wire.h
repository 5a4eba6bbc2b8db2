// The wire: bytes to typed calls, and results to bytes. It knows no sockets and no SQL.
//
//     wire_set_up    once, before anything else uses jansson
//     line_next      cuts a connection's bytes into lines
//     wire_parse     turns a line into calls: a method of the table with typed parameters, or an error
//     wire_request   turns a call that changes something into the core's request
//     wire_reply_*   write one reply each, without the newline
//
// Everything a parsed message points at lives in the arena it was parsed into.
#ifndef COLOSSUS_WIRE_WIRE_H
#define COLOSSUS_WIRE_WIRE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/json.h"
#include "core/book.h"
#include "core/decision.h"
#include "core/offer.h"
#include "core/request.h"

enum method {
    METHOD_SESSION_INFO,
    METHOD_SESSION_LOGIN,
    METHOD_RPC_DISCOVER,
    METHOD_SERVER_PING,
    METHOD_POOL_LIST,
    METHOD_POOL_CALENDAR,
    METHOD_OFFER_SEARCH,
    METHOD_RESERVATION_CREATE,
    METHOD_RESERVATION_CREATE_GROUP,
    METHOD_RESERVATION_CONFIRM,
    METHOD_RESERVATION_CHANGE,
    METHOD_RESERVATION_CANCEL,
    METHOD_RESERVATION_GET,
    METHOD_RESERVATION_LIST,
    METHOD_COMMITMENT_STATUS,
    METHOD_COMMITMENT_PLAN,
    METHOD_STATEMENT_LIST,
    METHOD_EVENT_LIST,
    METHOD_EVENT_WATCH,
    METHOD_MANIFEST_APPLY,
    METHOD_MANIFEST_EXPORT,
    METHOD_CAPACITY_CHANGE,
    METHOD_TENANT_SUSPEND,
    METHOD_TENANT_RESUME,
    METHOD_TOKEN_CREATE,
    METHOD_TOKEN_REVOKE,
    METHOD_SERVER_STATUS,
    METHOD_SERVER_METRICS,
    METHOD_SERVER_BACKUP,
    METHOD_CLOCK_ADVANCE,
};
#define METHOD_COUNT 30

// Every parameter that any method has, by its name on the wire. `present` has bit (1 << enum parameter) for
// those given (JSON null counts as left out).
enum parameter {
    PARAMETER_AFTER,
    PARAMETER_AT,
    PARAMETER_CLIENT_REF,
    PARAMETER_CONTRACT,
    PARAMETER_DRY_RUN,
    PARAMETER_EARLIEST,
    PARAMETER_END,
    PARAMETER_FROM,
    PARAMETER_GPU,
    PARAMETER_GPUS,
    PARAMETER_GROUP,
    PARAMETER_HOLD_SECONDS,
    PARAMETER_HOURS,
    PARAMETER_ID,
    PARAMETER_KIND,
    PARAMETER_LABEL,
    PARAMETER_LATEST_END,
    PARAMETER_LEGS,
    PARAMETER_LIMIT,
    PARAMETER_MANIFEST,
    PARAMETER_NAME,
    PARAMETER_NOTE,
    PARAMETER_OPERATOR,
    PARAMETER_ORDER,
    PARAMETER_POOL,
    PARAMETER_POOLS,
    PARAMETER_PROJECT,
    PARAMETER_REASON,
    PARAMETER_SITES,
    PARAMETER_START,
    PARAMETER_STATE,
    PARAMETER_TENANT,
    PARAMETER_TIER,
    PARAMETER_TO,
    PARAMETER_TOKEN,
    PARAMETER_WAIT_SECONDS,
    PARAMETER_WAIT_UNTIL,
    PARAMETER_WAIVE_FEE,
};
#define PARAMETER_COUNT 38

struct parameters {
    uint64_t present;
    int64_t after, gpus, group, hold_seconds, hours, id, limit, wait_seconds;
    struct instant at, to, wait_until,
        from_instant; // `from` and `to` are instants in lists, hours in reservation.change
    struct hour start, end, from, earliest, latest_end;
    const char *client_ref, *contract, *gpu, *label, *name, *note, *pool, *project, *reason, *tenant, *token;
    bool dry_run, operator_side, waive_fee;
    enum tier tier;
    enum capacity_kind kind;
    enum offer_order order;
    const char **pools, **sites;
    size_t pool_count, site_count;
    uint32_t states; // bit (1 << state)
    struct leg *legs;
    size_t leg_count;
    const struct manifest *manifest;
};

static inline bool parameter_given(const struct parameters *parameters, enum parameter parameter)
{
    return (parameters->present >> parameter) & 1U;
}

enum access { ACCESS_ANYONE, ACCESS_TENANT, ACCESS_OPERATOR };

struct method_row {
    enum method method;
    const char *name;
    enum access access;
    bool changes; // takes client_ref and dry_run, and is decided by the book
    // Which parameters it takes, as bits (1 << parameter), and which of them it must have. Tenant methods
    // take "tenant" too.
    uint64_t takes;
    uint64_t requires_all;
};

extern const struct method_row method_table[METHOD_COUNT];
const struct method_row *method_by_name(const char *name); // NULL when there is none

// ---- Errors

enum rpc_error {
    RPC_PARSE_ERROR = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL_ERROR = -32603,
    RPC_UNAUTHENTICATED = 1001,
    RPC_FORBIDDEN = 1002,
    RPC_NOT_FOUND = 1003,
    RPC_CONFLICT = 1004,
    RPC_INVALID_STATE = 1005,
    RPC_CAPACITY_EXCEEDED = 1006,
    RPC_COMMITMENT_EXCEEDED = 1007,
    RPC_NO_CONTRACT = 1008,
    RPC_TENANT_SUSPENDED = 1009,
    RPC_EXPIRED = 1010,
    RPC_RATE_LIMITED = 1011,
    RPC_LEDGER_UNAVAILABLE = 1012,
    RPC_TOO_LARGE = 1013,
    RPC_AMOUNT_OVERFLOW = 1014,
    RPC_INVALID_MANIFEST = 1015,
    RPC_OVERLOADED = 1016,
    RPC_NO_RATE = 1017,
};

const char *rpc_error_kind(
    int code); // "capacity_exceeded"; for the JSON-RPC codes "parse_error", "invalid_params" and so on

// The errors one after the other: the place of a code (of RPC_INTERNAL_ERROR for one that there is not), and
// the code at a place.
#define RPC_ERROR_COUNT 22
size_t rpc_error_index(int code);
int rpc_error_at(size_t index);

// ---- Lines

// Finds the next whole line at the start of the bytes. Returns true and the line's length without its newline
// (a carriage return before it is dropped too). *too_large when there are more than `limit` bytes without a
// newline, or the line is longer than that.
bool line_next(const char *bytes, size_t length, size_t limit, size_t *line_length, size_t *consumed,
               bool *too_large);

// ---- Parsing

// Has jansson take its memory in such a way that a text for which there is none is answered with an internal
// error (wire/json_memory.h).
void wire_set_up(void);

struct wire_call {
    // The id as JSON text, to be written back; NULL for a notification, which is carried out and not
    // answered.
    const char *id;
    const struct method_row *row;   // NULL when error.code is set
    const struct method_row *named; // the method it names, also then; NULL when there is no such method
    struct parameters parameters;
    struct {
        int code; // 0: none
        const char *message;
        const char *member; // the parameter at fault or, for invalid_manifest, the path; may be NULL
    } error;
};

struct wire_message {
    struct wire_call *calls;
    size_t call_count;
    bool is_batch;
};

#define WIRE_BATCH_MAX 256
#define WIRE_DEPTH_MAX 32

// Never fails: what is wrong with the line, or with a call in it, is that call's error. A line that can't be
// parsed is one call with id "null".
void wire_parse(const char *line, size_t length, struct arena *arena, struct wire_message *message);

// Reads a manifest file's text. False: *path ("contracts[2].periods[1].start") and *message say what is wrong
// where.
bool wire_parse_manifest(const char *text, size_t length, struct arena *arena, struct manifest *manifest,
                         const char **path, const char **message);

// Fills the core's request from a call whose method changes something. The actor, a token's salt and hash are
// for the caller to set.
void wire_request(const struct wire_call *call, struct arena *arena, struct request *request);

// ---- Replies: each appends one JSON text

void wire_reply_error(struct buffer *out, const char *id, int code, const char *message, const char *member);
void wire_reply_ledger_unavailable(struct buffer *out, const char *id, bool outcome_unknown,
                                   const char *message);
void wire_reply_rate_limited(struct buffer *out, const char *id, int64_t retry_after_ms);

// A decision: the thing it made or changed, or the refusal with its way out.
void wire_reply_decision(struct buffer *out, const char *id, const struct book *book,
                         const struct wire_call *call, const struct decision *decision, struct instant now);

// A result that the caller writes: begin opens {"jsonrpc","id","result":{ and end closes it.
struct json wire_reply_begin(struct buffer *out, const char *id);
void wire_reply_end(struct json *json);

// The code of the error that a reply is, 0 when it is a result, and WIRE_NO_REPLY when there is no text. The
// id is as it was given to what wrote the reply.
#define WIRE_NO_REPLY 1
int wire_reply_code(const struct buffer *reply, size_t id_length);

// Results of reads. `tenant` is who asks, 0 for an operator's view over all.
void wire_reply_pool_list(struct buffer *out, const char *id, const struct book *book, uint32_t tenant,
                          struct instant now);
void wire_reply_pool_calendar(struct buffer *out, const char *id, const struct book *book, uint32_t tenant,
                              const struct parameters *parameters, struct instant now);
// What can be booked, and what comes nearest to it.
void wire_reply_offers(struct buffer *out, const char *id, const struct book *book, uint32_t tenant,
                       const struct parameters *parameters, struct arena *arena, struct instant now);
// What would use up a shortfall. `tenant` is 0 for an operator who names a contract.
void wire_reply_commitment_plan(struct buffer *out, const char *id, const struct book *book, uint32_t tenant,
                                const struct parameters *parameters, struct arena *arena, struct instant now);
void wire_reply_commitment_status(struct buffer *out, const char *id, const struct book *book,
                                  uint32_t tenant, const struct parameters *parameters, struct instant now);
// One reservation, or a group (group is its id): images in the order of its legs. `replayed` and `dry_run`
// are shown when true.
void wire_reply_reservations(struct buffer *out, const char *id, const struct book *book,
                             const struct reservation_image *images, size_t count, int64_t group,
                             bool replayed, bool dry_run, struct instant now);

void wire_reply_reservation_list(struct buffer *out, const char *id, const struct book *book,
                                 const struct reservation_image *images, size_t count, bool has_next,
                                 int64_t next, struct instant now);
void wire_reply_event_list(struct buffer *out, const char *id, const struct book *book,
                           const struct event_row *events, size_t count, bool has_next, int64_t next);

// A notification of an event, with the newline after it, appended.
void wire_event_notification(struct buffer *out, const struct book *book, const struct event_row *event);

// The last word to a watcher that doesn't keep up.
void wire_reply_watch_ended(struct buffer *out, int64_t after);
void wire_reply_statement_list(struct buffer *out, const char *id, const struct book *book,
                               const struct transfer_row *transfers, size_t count, bool has_next,
                               int64_t next);

#endif
