// libcolossus: the client of colossusd, the broker of GPU capacity.
//
//     colossus_connect      opens a connection to the daemon's socket
//     colossus_login        turns it into the tenant's or operator's that a token belongs to (not needed when
//                           the daemon knows the caller's uid)
//     colossus_call         sends one request and waits for its reply
//     colossus_send,        send several requests before the first reply is read; replies come in the order
//     colossus_receive      of the requests
//     colossus_watch,       have the daemon send every event as it happens, and take them one by one
//     colossus_event
//     colossus_close
//
// Parameters and results are JSON texts, so any JSON library will do. Input and output block, at most for the
// connection's timeout. A connection belongs to one thread at a time; different connections are independent.
// No signal is raised or caught: a daemon that goes away is a status, not a SIGPIPE.
//
// What became of a request is one of few things (enum colossus_status), and the line that matters is drawn
// with care: COLOSSUS_UNREACHABLE means that nothing of the request was sent, COLOSSUS_OUTCOME_UNKNOWN that
// it may have been carried out although its reply is lost. Give every change a client_ref, and send it again
// with the same client_ref when its outcome is unknown: it is never carried out twice.
#ifndef COLOSSUS_H
#define COLOSSUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The version of the protocol that this header describes (session.info shows the daemon's).
#define COLOSSUS_PROTOCOL_VERSION 1

// The longest request line that a daemon takes from a tenant and from an operator, unless it is configured
// otherwise, and the longest reply that this library takes.
#define COLOSSUS_REQUEST_BYTES_MOST          1048576
#define COLOSSUS_OPERATOR_REQUEST_BYTES_MOST 8388608
#define COLOSSUS_REPLY_BYTES_MOST            67108864

// Other numbers of the protocol.
#define COLOSSUS_BATCH_MOST        256  // entries of a JSON-RPC batch
#define COLOSSUS_LIST_LIMIT_MOST   1000 // `limit` of a list
#define COLOSSUS_WAIT_SECONDS_MOST 60   // `wait_seconds` of event.list
#define COLOSSUS_GROUP_LEGS_LEAST  2
#define COLOSSUS_GROUP_LEGS_MOST   64
#define COLOSSUS_CLIENT_REF_MOST   128 // characters

// The codes of errors. Each has a kind, which is error.data.kind on the wire: colossus_kind.
enum colossus_code {
    COLOSSUS_PARSE_ERROR = -32700,
    COLOSSUS_INVALID_REQUEST = -32600,
    COLOSSUS_METHOD_NOT_FOUND = -32601,
    COLOSSUS_INVALID_PARAMS = -32602,
    COLOSSUS_INTERNAL_ERROR = -32603,
    COLOSSUS_UNAUTHENTICATED = 1001,
    COLOSSUS_FORBIDDEN = 1002,
    COLOSSUS_NOT_FOUND = 1003,
    COLOSSUS_CONFLICT = 1004,
    COLOSSUS_INVALID_STATE = 1005,
    COLOSSUS_CAPACITY_EXCEEDED = 1006,
    COLOSSUS_COMMITMENT_EXCEEDED = 1007,
    COLOSSUS_NO_CONTRACT = 1008,
    COLOSSUS_TENANT_SUSPENDED = 1009,
    COLOSSUS_EXPIRED = 1010,
    COLOSSUS_RATE_LIMITED = 1011,
    COLOSSUS_LEDGER_UNAVAILABLE = 1012,
    COLOSSUS_TOO_LARGE = 1013,
    COLOSSUS_AMOUNT_OVERFLOW = 1014,
    COLOSSUS_INVALID_MANIFEST = 1015,
    COLOSSUS_OVERLOADED = 1016,
    COLOSSUS_NO_RATE = 1017,
};

// "capacity_exceeded" for COLOSSUS_CAPACITY_EXCEEDED; NULL for a code that is not listed above.
const char *colossus_kind(int code);

// The reverse; 0 for a kind that is not known.
int colossus_code(const char *kind);

// The library's version, as "0.1.0".
const char *colossus_version(void);

enum colossus_status {
    COLOSSUS_OK = 0,
    COLOSSUS_REFUSED,         // the daemon answered with an error: nothing was changed
    COLOSSUS_UNREACHABLE,     // nothing of the request was sent: nothing was changed
    COLOSSUS_OUTCOME_UNKNOWN, // it was sent, and may or may not have been carried out
    COLOSSUS_MISUSED,         // the caller's mistake, named in the message: nothing was sent
    COLOSSUS_NO_MEMORY,       // nothing was sent
};

// A connection.
struct colossus;

#define COLOSSUS_PATH_SIZE    108 // a socket's path with its NUL
#define COLOSSUS_MESSAGE_SIZE 256

#define COLOSSUS_TIMEOUT_DEFAULT_MS 30000

// The path where the daemon's socket is by default: $COLOSSUS_SOCKET, else /run/colossus/colossus.sock for
// root, else $XDG_RUNTIME_DIR/colossus.sock. COLOSSUS_MISUSED when there is none or it is too long; then the
// message says so.
enum colossus_status colossus_socket_path(char path[COLOSSUS_PATH_SIZE], char message[COLOSSUS_MESSAGE_SIZE]);

// Connects to the socket at path, or to the default one when path is NULL. timeout_ms bounds this and later
// calls (colossus_set_timeout). On anything but COLOSSUS_OK, *connection is NULL and the message says why, in
// one sentence without a full stop.
enum colossus_status colossus_connect(const char *path, int timeout_ms, struct colossus **connection,
                                      char message[COLOSSUS_MESSAGE_SIZE]);

// Closes the connection, which may be NULL. Requests whose replies were not received may have been carried
// out.
void colossus_close(struct colossus *connection);

// How long one call of colossus_call, colossus_send or colossus_receive may take, in milliseconds; negative:
// for ever. event.list with wait_seconds needs that much more. After a timeout the connection can't be used
// any more.
void colossus_set_timeout(struct colossus *connection, int timeout_ms);

// What became of a request. Texts are UTF-8, belong to the reply, and are freed by colossus_reply_free.
struct colossus_reply {
    enum colossus_status status;
    int code;      // enum colossus_code; 0 when the daemon sent no error
    char *kind;    // error.data.kind; NULL when the daemon sent no error
    char *message; // what went wrong, in a sentence; NULL for COLOSSUS_OK
    char *data;    // error.data as JSON, with the way out; NULL when there is none
    char *result;  // the result as JSON on one line; NULL unless COLOSSUS_OK
};

// Frees what a reply holds and makes it empty. An empty reply ({0}) may be freed as well.
void colossus_reply_free(struct colossus_reply *reply);

// Sends a request and waits for its reply. params is the JSON text of an object, or NULL for none. Returns
// reply->status. Replies of requests sent before must have been received (else COLOSSUS_MISUSED).
enum colossus_status colossus_call(struct colossus *connection, const char *method, const char *params,
                                   struct colossus_reply *reply);

// session.login.
enum colossus_status colossus_login(struct colossus *connection, const char *token,
                                    struct colossus_reply *reply);

// Sends a request without waiting for the reply. COLOSSUS_OK means that exactly one colossus_receive is to
// follow for it and will say what became of it, even if the connection was lost on the way. Anything else
// means that nothing was sent, and colossus_message says why. Replies that arrive meanwhile are kept, up to
// COLOSSUS_REPLY_BYTES_MOST bytes.
enum colossus_status colossus_send(struct colossus *connection, const char *method, const char *params);

// The reply of the oldest request that was sent and whose reply was not received yet. Returns reply->status.
enum colossus_status colossus_receive(struct colossus *connection, struct colossus_reply *reply);

// How many replies are to be received.
int64_t colossus_pending(const struct colossus *connection);

// Why the last colossus_send was not COLOSSUS_OK. It belongs to the connection and is good until the next
// call.
const char *colossus_message(const struct colossus *connection);

// event.watch: from here on the daemon sends events on this connection, and the connection is good for
// nothing else: take them with colossus_event. params is as in colossus_call: "{\"after\":40211}" to get all
// after that seq, which is how to go on after a connection was lost. The result's `after` says where it
// begins.
enum colossus_status colossus_watch(struct colossus *connection, const char *params,
                                    struct colossus_reply *reply);

// The next event, as JSON in reply->result. Waits for it at most that long (0: takes what is there; negative:
// for ever); when there was none by then it is COLOSSUS_OK too, and reply->result is NULL.
// COLOSSUS_UNREACHABLE when the connection is lost: connect again and watch with `after` set to the seq of
// the last event taken. So too after COLOSSUS_REFUSED, the daemon's last word to one that does not keep up
// (COLOSSUS_OVERLOADED, with `after` in reply->data).
enum colossus_status colossus_event(struct colossus *connection, int timeout_ms,
                                    struct colossus_reply *reply);

// The descriptor, for a poll of the caller's own: readable when there may be an event to take. Take all that
// there are, with a timeout of 0, before polling for more. -1 when the connection is lost.
int colossus_descriptor(const struct colossus *connection);

#ifdef __cplusplus
}
#endif

#endif
