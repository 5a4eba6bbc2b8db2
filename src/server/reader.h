// Reads of the ledger, and backups: jobs on libuv's pool that fill a slot when they are done.
//
//     job = reader_job(reader, slot, kind); ... set its parameters ...
//     reader_submit(reader, job, batch)     runs when `batch` is durable; the job and its slot belong to the
//                                           reader from here on
//
// One read runs at a time, and beside it one backup; tenants take turns. A read for a client that does not
// take its replies waits until it does. What was read is written as a reply on the loop, where the book is.
//
// A read of events that finds none, and may wait, becomes a watch: it is read again when an event of its
// tenant has become durable, and answered without one when its time is over or reader_end_wait is called.
#ifndef COLOSSUS_SERVER_READER_H
#define COLOSSUS_SERVER_READER_H

#include "base/arena.h"
#include "ledger/ledger.h"
#include "server/lane.h"
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct server;
struct slot;

enum job_kind { JOB_RESERVATIONS, JOB_RESERVATION, JOB_TRANSFERS, JOB_EVENTS, JOB_BACKUP };

struct job {
    struct job *next;
    struct job *previous; // among those that wait for an event
    struct server *server;
    struct slot *slot;
    enum job_kind kind;
    int64_t batch;
    uint32_t asker;     // the tenant that asked; 0: operators
    int64_t round;      // in its lane
    struct arena arena; // of the parameters' texts and of what was found
    struct instant now; // when it was asked

    // Parameters, by kind.
    struct ledger_page page;
    struct reservation_filter reservations;
    struct transfer_filter transfers;
    uint32_t tenant; // of events
    int64_t first;   // of a reservation or a group
    bool group;      // it is a group
    bool replayed;
    bool may_wait;           // for an event
    const char *destination; // of a backup

    // What was found.
    bool succeeded;
    struct ledger_error error;
    union {
        struct reservation_image *images;
        struct transfer_row *found_transfers;
        struct event_row *events;
    };
    size_t count;
    int64_t bytes;        // of a backup
    int64_t read_through; // the batch that was durable when the read began
};

struct reader {
    struct server *server;
    struct lane reads, backups;
    struct job *waits; // for events
    struct ledger_reader *handle;
    bool handle_is_stale;
    size_t depth; // jobs that are not answered
};

void reader_set_up(struct reader *reader, struct server *server);
void reader_close(struct reader *reader);

struct job *reader_job(struct reader *reader, struct slot *slot, enum job_kind kind);
void reader_submit(struct reader *reader, struct job *job, int64_t batch);

// Is a backup to that path asked for and not there yet?
bool reader_is_backing_up(const struct reader *reader, const char *path);

// Ends a wait for events now, or as soon as the read at hand is over.
void reader_end_wait(struct reader *reader, struct job *job);

// A client has left: its reads that have not begun are over, so that those who come and go leave no queue.
void reader_forget_abandoned(struct reader *reader);

// A batch has become durable.
void reader_durable(struct reader *reader);

// The ledger has failed: what has not begun is answered as unavailable.
void reader_unavailable(struct reader *reader, int64_t unknown);

// The ledger was opened anew: so must the reader's own connection be.
void reader_reopen(struct reader *reader);

// Starts what can be started.
void reader_turn(struct reader *reader);

bool reader_is_idle(const struct reader *reader);

#endif
