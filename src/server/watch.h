// Watches: the events of a tenant, or of all, sent on a connection as they become durable.
//
//     watch_begin     at the request: nothing is sent before the reply to it has left
//     watch_turn      at the end of a connection's turn: it may have taken what was sent
//     watch_end       when the connection leaves or is closed; may be called at any time
//     watches_durable a batch with events is on the disk; watches_reopened: the ledger was opened anew
//     watches_turn    starts a read of the ledger when there is somebody to read for
//
// What is sent is read from the ledger, page by page, by a reader of their own on libuv's pool, so nobody
// else waits for them, and nothing is shown that is not durable. A watch is a position in the ledger and no
// more: no event is kept for it. The next page is read for it when its client has taken the one before, so
// that it costs at most a page of memory. One page is read at a time, for the one that has waited longest and
// for all others who stand at the same place; so a thousand that follow the same tenant cost one read for
// each batch, and one that has far to go doesn't keep the others from theirs.
//
// A client that doesn't take its page for limits.watch_milliseconds, while there is more for it, is told from
// where it can go on, and its connection is closed. A failure of the ledger ends no watch: it goes on when
// the ledger has been opened again.
#ifndef COLOSSUS_SERVER_WATCH_H
#define COLOSSUS_SERVER_WATCH_H

#include "base/arena.h"
#include "base/buffer.h"
#include "ledger/ledger.h"
#include "server/slot.h"
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct connection;
struct server;
struct watch;

struct watch_list {
    struct watch *first, *last;
};

// Each connection has the place for one.
struct watch {
    bool is_on;
    struct connection *connection;
    struct watch_list *list; // the one it is in; NULL until its reply has left
    struct watch *previous, *next;
    enum slot_fate reply;
    uint32_t tenant;      // whose events; 0: all
    int64_t after;        // what is up to here has been sent, or is not for it
    int64_t read_through; // the batch that was durable when nothing after it was found
    int64_t mark;         // of the connection's bytes: up to here is what was sent
    uint64_t since;       // when it was found that the client had not taken it, in milliseconds
};

// A page that is being read, or is given out.
struct watch_page {
    struct arena arena;
    uint32_t tenant;
    struct ledger_page page;
    struct event_row *events;
    size_t count;
    int64_t read_through; // the batch that was durable when the read began, and the last event by then
    int64_t last_event;
    bool succeeded;
    struct ledger_error error;
};

struct watches {
    struct server *server;
    struct watch_list quiet;   // have all there is
    struct watch_list ready;   // there may be more for them, and they can take it
    struct watch_list stalled; // have not taken what was sent; the longest waiting first
    size_t count;              // of all, those included whose reply has not left
    struct ledger_reader *handle;
    bool handle_is_stale;
    bool is_running;
    uv_work_t work;
    struct watch_page page;
    struct buffer text; // the page as it is sent
    uv_timer_t patience;
    uv_timer_t retry; // after a read that failed, or when memory is short: nothing is read while it runs
    int64_t pages;    // that were read
};

bool watches_set_up(struct watches *watches, struct server *server);
void watches_close(struct watches *watches); // closes the loop's handles
void watches_free(struct watches *watches);

// The slot is that of the reply. The connection must not be watching yet.
void watch_begin(struct connection *connection, uint32_t tenant, int64_t after, struct slot *slot);
void watch_end(struct connection *connection);
void watch_turn(struct connection *connection);

void watches_durable(struct watches *watches);
void watches_reopened(struct watches *watches);
void watches_turn(struct watches *watches);

// True when nothing is being read.
bool watches_are_idle(const struct watches *watches);

#endif
