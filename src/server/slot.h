// Slots: the places of a connection's replies, in the order of its requests.
//
// A request takes a slot when it is read and fills it when it is answered, which may be later than the ones
// behind it. So does one without id, whose slot leaves without a word: else it would be bound by no limit. A
// slot leaves when it is filled, when the batch that its reply depends on is durable, and when all slots
// before it have left; so a connection's replies come in order and none shows what is not on the disk.
//
//     slot = slot_take(pool); slot_queue_push(queue, slot);     pending, until
//     ... write the reply to slot->text ...; slot_queue_filled(queue, slot, batch)
//     slot_queue_release(queue, pool, durable, output)          moves what may leave to the output
//
// Slots and their buffers are used again, so a busy connection allocates nothing. Those that only a flood
// needed are given back after it.
#ifndef COLOSSUS_SERVER_SLOT_H
#define COLOSSUS_SERVER_SLOT_H

#include "base/buffer.h"
#include "server/metrics.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connection;
struct job;

// What became of a reply, for whoever has to know.
enum slot_fate { SLOT_WAITING, SLOT_LEFT, SLOT_FAILED };

struct slot {
    struct slot *next;             // in a queue or in the pool
    struct connection *connection; // who is to be answered: NULL when nobody is, or the client has left
    struct job *job;               // what fills it later on, when that is a job
    int64_t batch;                 // the batch it waits for
    size_t method;                 // METHOD_COUNT: none
    int outcome;                   // of a filled one; see metrics_answered
    enum slot_fate *fate;          // who has to know; NULL: nobody
    bool filled;
    bool is_silent;     // of a request without id: it counts as all others do, and nothing is sent
    bool replayed;      // shows an earlier decision
    char opening;       // '[' or ',' before the reply, in a JSON-RPC batch; else NUL
    char closing;       // ']' after the reply, where it ends a batch; else NUL
    bool ends_line;     // a newline follows
    struct buffer id;   // the request's id as JSON text
    struct buffer text; // the reply
};

struct slot_pool {
    struct slot *first;
    size_t count;
    struct metrics *metrics; // where each slot that is given back is counted; NULL: nowhere
};

struct slot_queue {
    struct slot *first, *last;
    size_t count;
    size_t bytes; // of the replies in it
    bool in_line; // a batch's line has left in part
};

// A slot of no method.
struct slot *slot_take(struct slot_pool *pool, const char *id);
void slot_give_back(struct slot_pool *pool, struct slot *slot);
void slot_pool_free(struct slot_pool *pool);

void slot_queue_push(struct slot_queue *queue, struct slot *slot);

// The reply is complete, and may leave when the batch is durable. queue is NULL for a slot that is in none.
// The text of a silent one is thrown away.
void slot_fill(struct slot_queue *queue, struct slot *slot, int64_t batch);

// Moves the replies that may leave to the output, and returns how many did.
size_t slot_queue_release(struct slot_queue *queue, struct slot_pool *pool, int64_t durable,
                          struct buffer *output);

// After a commit that failed: every reply, filled or not, that depends on a batch after `durable` is replaced
// by `ledger_unavailable`. What depended on the batch `unknown` (0: none), and a replay, is told that the
// outcome is unknown, all else that nothing was done. A slot that a job fills is left to the job.
void slot_queue_fail(struct slot_queue *queue, int64_t durable, int64_t unknown);

#endif
