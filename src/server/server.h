// The running daemon: what its parts share.
//
// One thread runs the loop and owns all of this. Another has the ledger's handle, for a commit, a checkpoint
// or the recovery; libuv's pool runs, at most one of each at a time, a read of the ledger, one for
// those who watch, and a backup. A turn of the loop is:
//
//     poll   connections take in bytes and are touched; commits, reads and timers that ended touch others
//     turn   (server_turn, after the poll and before the next one) touched connections decide their
//            requests and send what may leave; whenever no commit runs, what was decided so far is committed
//
// So while a batch is being synced the next one fills with all that arrives.
#ifndef COLOSSUS_SERVER_SERVER_H
#define COLOSSUS_SERVER_SERVER_H

#include "base/arena.h"
#include "server/clock.h"
#include "server/config.h"
#include "server/listener.h"
#include "server/metrics.h"
#include "server/quota.h"
#include "server/reader.h"
#include "server/slot.h"
#include "server/store.h"
#include "server/timer.h"
#include "server/watch.h"
#include "server/watchdog.h"
#include "server/writer.h"
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct connection;

struct totals {
    int64_t requests;  // calls that were read
    int64_t decisions; // changes that were done, timed ones included
    int64_t refusals;  // calls that were answered with an error
    int64_t batches, rows, events, connections, reads;
};

struct server {
    const struct config *config;
    uv_loop_t loop;
    struct clock clock;
    struct store store; // both NULL while the ledger can't be reached
    struct writer writer;
    struct reader reader;
    struct watches watches;
    struct timer timer;
    struct quota quota;
    struct totals totals;
    struct metrics metrics;
    uint64_t started_milliseconds;
    bool stopping;

    struct listener listener;
    uv_prepare_t before_poll;
    uv_work_t first_work; // of the pool, at the start
    uv_check_t after_poll;
    uv_idle_t busy; // keeps the poll from waiting while touched connections are left
    uv_signal_t terminate, interrupt;
    uv_timer_t deadline; // of the shutdown
    struct watchdog watchdog;
    uv_timer_t holding; // of the connections of tenants that are held by their rate limit

    bool has_loop;
    struct slot_pool slots;
    struct arena parsing; // of the line at hand
    struct connection *connections;
    struct connection *waiting; // those with slots
    struct connection *touched, *last_touched;
    size_t connection_count;
    size_t lingering_count;  // of them, those that have been answered and are about to be closed
    struct slot **advancing; // clock.advance replies that wait for all that was due
    size_t advancing_count, advancing_capacity;
    char read_buffer[READ_BUFFER_BYTES];
};

// Opens everything in the order that protocol.md names and binds the socket. An exit code; what is wrong has
// been logged. server_close is to be called in either case.
int server_open(struct server *server, const struct config *config);

// Serves until SIGTERM or SIGINT, then finishes what was read and returns.
void server_run(struct server *server);

void server_close(struct server *server);

// Ends the serving, in order: called by the signals.
void server_stop(struct server *server);

// Decides, sends and commits what is there; see above. Called by the loop.
void server_turn(struct server *server);

// Puts a reply that has been written to its slot: it leaves when `batch` is durable. Frees a slot that nobody
// waits for.
void server_fill(struct server *server, struct slot *slot, int64_t batch);

#endif
