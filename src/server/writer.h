// The writer: gathers what is decided into batches and makes them durable, one after the other.
//
//     writer_begin          before a request is decided or a read is answered: gives the batch's time, and
//                           decides and applies what was due by then
//     writer_apply          puts a decision's rows into the open batch and into the book
//     writer_dependency     the batch that a reply given now has to wait for
//     writer_keep_busy      after each connection's share of a turn: commits the open batch, unless a commit
//                           runs; takes note of one that is done
//     writer_turn           at the end of a turn: decides what is due, and keeps busy
//
// Two batches alternate: one is being committed on a thread of its own, the other is open. There is no timer:
// a batch closes when the one before it is durable, so that the slower the disk, the more a batch holds. Nor
// does the thread wait while a turn goes on, which with many connections may be longer than a commit: else
// all of them would come to wait for one commit, and the thread for all of them, in turns. A checkpoint that
// is due is made on that thread while a batch's replies leave, and the next batch follows it.
//
// A commit that fails leaves it unknown whether its batch is in the ledger. Then every reply that was not
// released is answered with `ledger_unavailable`, the handle is closed, and the ledger is opened and the book
// loaded again before anything else is decided, and again every retry_milliseconds until it works. Meanwhile
// server.store is empty and writer_begin returns false.
#ifndef COLOSSUS_SERVER_WRITER_H
#define COLOSSUS_SERVER_WRITER_H

#include "base/arena.h"
#include "core/decision.h"
#include "ledger/ledger.h"
#include "server/store.h"
#include "server/worker.h"
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct server;

struct gathered {
    struct arena arena; // of the rows and all they point at
    struct row *rows;
    size_t count, capacity;
    bool has_time;
    struct instant at;
    bool room_known, has_room;
    int64_t lifecycle; // decisions on starts and ends in it
};

struct writer {
    struct server *server;
    struct gathered batches[2];
    int open;
    bool is_busy; // a commit, a checkpoint or a recovery runs on the thread
    int64_t durable;
    int64_t committing; // the batch that is being committed, else 0

    struct worker worker;
    uv_timer_t retry;
    struct batch batch;
    enum commit_outcome outcome;
    bool checkpoint_worked, probe_worked;
    int64_t proofs; // commits that were done and probes that worked
    struct ledger_error error;
    int64_t commit_took;         // microseconds; the thread's, while it commits
    int64_t commit_microseconds; // of the last commit that ended
    struct store reopened;
    struct instant reopened_at;
    bool reopen_worked;

    // By tenant, and for all at 0: the last durable batch with an event of theirs.
    int64_t *event_batch;
    size_t event_batch_count;
    int64_t last_event; // that is durable
};

bool writer_set_up(struct writer *writer, struct server *server);
void writer_close(struct writer *writer); // closes the loop's handles
void writer_free(struct writer *writer);

// The time of the open batch; everything due by then has been decided, as far as there is room on the disk.
// False while there is no book.
bool writer_begin(struct writer *writer, struct instant *now);

// False when the disk is too full for anything to be decided that would be written. Looks once a batch.
bool writer_has_room(struct writer *writer);

// Where a decision for the open batch is to be made.
struct arena *writer_arena(struct writer *writer);

void writer_apply(struct writer *writer, const struct decision *decision);

// True when the open batch has as many rows as one may have: no more is to be decided until it is closed, so
// that no one waits long for a batch, and that memory is bounded, whatever is asked and by however many.
bool writer_is_full(const struct writer *writer);

// Has an event of that tenant's (0: of anyone's) become durable with a batch after this one?
bool writer_has_news(const struct writer *writer, uint32_t tenant, int64_t batch);

int64_t writer_dependency(const struct writer *writer);

// Moves a manual clock on, and the open batch with it, and decides what is due by then. True when all of it
// was decided; else the rest comes with the next batches.
bool writer_advance(struct writer *writer, struct instant to);

void writer_keep_busy(struct writer *writer);

// Asks the ledger, on its thread, whether it could be written, unless the thread has work anyway. One that
// could not is given up as after a commit that failed.
void writer_probe(struct writer *writer);

void writer_turn(struct writer *writer);

// At the start, before there is a loop: commits the open batch and returns when it is durable.
bool writer_commit_now(struct writer *writer, struct ledger_error *error);

// True when nothing is gathered and nothing runs.
bool writer_is_idle(const struct writer *writer);

// Takes over a store that has just been opened.
void writer_adopt(struct writer *writer);

#endif
