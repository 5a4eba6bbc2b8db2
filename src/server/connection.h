// Connections: bytes in, replies out, and the flow between.
//
// A connection is touched when there may be something to do for it (bytes came, a reply is complete, a batch
// is durable, the client took something); the turn then gives each touched connection its share: lines are
// decided, replies that may leave are sent in one write, and reading goes on or stops by the limits. So all
// deciding happens in one place and nothing is ever entered twice.
//
// A client that ends its side still gets its replies. One that never takes them costs its own limits.
#ifndef COLOSSUS_SERVER_CONNECTION_H
#define COLOSSUS_SERVER_CONNECTION_H

#include "base/buffer.h"
#include "server/session.h"
#include "server/slot.h"
#include "server/watch.h"
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct job;
struct server;

struct connection {
    uv_pipe_t pipe;
    uv_timer_t timer; // of a wait for events, then of the lingering close
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct server *server;
    struct connection *previous, *next;                 // all of them
    struct connection *previous_waiting, *next_waiting; // those with slots
    struct connection *next_touched;
    struct session session;
    struct buffer input;
    size_t searched; // bytes at the start of the input that hold no newline
    struct slot_queue slots;
    struct buffer output;  // may leave
    struct buffer writing; // is leaving
    size_t unwritten;      // of it, what the socket did not take at once
    struct job *wait;      // an event.list that may wait
    struct job *parked;    // reads that wait until the client takes its replies
    int64_t reads;         // that wait for the ledger
    int64_t taken;         // bytes of the output that the client has taken, since the beginning
    struct watch watch;    // of events
    int handles;
    bool is_reading;
    bool is_touched;
    bool is_held; // by its tenant's rate limit: it has its turn when connections_let_go is called
    bool is_waiting;
    bool is_writing;
    bool input_ended; // the client has ended its side
    bool is_lost;     // who it was is revoked: what it still waits for is not shown
    bool is_leaving;  // nothing more is read; closed when all replies have left
    bool is_lingering;
    bool is_closed;
};

// A new connection of the listener's. Refuses it when there are too many.
void connection_accept(struct server *server, uv_stream_t *listener);

// Bytes that may leave and that the client has not taken.
size_t connection_untaken(const struct connection *connection);

// False when there are too many of them.
bool connection_takes_replies(const struct connection *connection);

// Is there room for another reply beside those that the client has not taken?
bool connection_has_output_room(const struct connection *connection);

void connection_touch(struct connection *connection);

// Gives a touched connection its share of a turn.
void connection_turn(struct connection *connection);

// Closes it now. What it asked for that changes something goes on.
void connection_drop(struct connection *connection);

// No more of its requests are read; it is closed when the replies to those before have left.
void connection_leave(struct connection *connection);

// The same; and it is closed, too, when its client doesn't take those replies in a while.
void connection_leave_soon(struct connection *connection);

// A place for a reply that no request's parsing has led to. It is to be filled, and comes last: the
// connection leaves after it.
struct slot *connection_last_slot(struct connection *connection);
void connection_last_word(struct connection *connection, int code, const char *message);

// A reply of this connection is complete.
void connection_filled(struct connection *connection, struct slot *slot, int64_t batch);

// A read of this connection (NULL: it has left) is over.
void connection_read_ended(struct connection *connection, const struct job *job);

// Lets a read wait when the client does not take its replies. False when it can run now.
bool connection_park(struct connection *connection, struct job *job);

// Starts the wait of an event.list, for at most that long. A later request ends it.
void connection_wait(struct connection *connection, struct job *job, int64_t seconds);
void connection_end_wait(struct connection *connection);

// ---- All connections

// A batch is durable: those with slots may have replies that can leave.
void connections_touch_waiting(struct server *server);

// After a failed commit; see slot_queue_fail.
void connections_fail(struct server *server, int64_t durable, int64_t unknown);

// The moment that some were held for has passed.
void connections_let_go(uv_timer_t *timer);

// The book's uids or tokens have changed: whoever lost its identity leaves.
void connections_resolve(struct server *server);

#endif
