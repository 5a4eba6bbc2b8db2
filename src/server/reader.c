#include "server/reader.h"

#include "base/log.h"
#include "base/memory.h"
#include "server/connection.h"
#include "server/server.h"
#include "wire/wire.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void reader_set_up(struct reader *reader, struct server *server)
{
    *reader = (struct reader){.server = server};
    reader->reads.work.data = &reader->reads;
    reader->backups.work.data = &reader->backups;
}

void reader_close(struct reader *reader)
{
    if (reader->handle != NULL) {
        ledger_reader_close(reader->handle);
        reader->handle = NULL;
    }
}

struct job *reader_job(struct reader *reader, struct slot *slot, enum job_kind kind)
{
    struct job *job = memory_allocate(1, sizeof(*job));
    job->server = reader->server;
    job->slot = slot;
    job->kind = kind;
    slot->job = job;
    if (slot->connection != NULL) {
        slot->connection->reads++;
        job->asker = slot->connection->session.tenant;
    }
    return job;
}

void reader_submit(struct reader *reader, struct job *job, int64_t batch)
{
    job->batch = batch;
    job->slot->batch = batch;
    reader->depth++;
    lane_add(job->kind == JOB_BACKUP ? &reader->backups : &reader->reads, job);
}

static bool goes_to(const struct job *job, const char *path)
{
    for (; job != NULL; job = job->next) {
        if (job->kind == JOB_BACKUP && strcmp(job->destination, path) == 0) {
            return true;
        }
    }
    return false;
}

bool reader_is_backing_up(const struct reader *reader, const char *path)
{
    bool found = goes_to(reader->backups.running, path) || goes_to(reader->backups.first, path);
    for (const struct connection *c = reader->server->connections; c != NULL && !found; c = c->next) {
        found = goes_to(c->parked, path);
    }
    return found;
}

// ---- Answering, on the loop

static void job_end(struct job *job)
{
    struct server *server = job->server;
    struct slot *slot = job->slot;
    server->reader.depth--;
    connection_read_ended(slot->connection, job);
    arena_free(&job->arena);
    free(job);
    slot->job = NULL;
    server_fill(server, slot, 0);
}

// The client has left, or asked without an id: nobody wants what was read.
static bool is_abandoned(const struct job *job)
{
    return (job->slot->connection == NULL || job->slot->is_silent) && job->kind != JOB_BACKUP;
}

void reader_forget_abandoned(struct reader *reader)
{
    struct job **place = &reader->reads.first;
    while (*place != NULL) {
        struct job *job = *place;
        if (job->slot->connection == NULL) {
            *place = job->next;
            job_end(job);
        } else {
            place = &job->next;
        }
    }
}

static void answer_unavailable(struct job *job, bool outcome_unknown, const char *message)
{
    wire_reply_ledger_unavailable(&job->slot->text, job->slot->id.data, outcome_unknown, message);
    job_end(job);
}

static void write_backup(struct buffer *out, const char *id, const struct job *job)
{
    struct json json = wire_reply_begin(out, id);
    json_write_text(&json, "path", job->destination);
    json_write_integer(&json, "bytes", job->bytes);
    if (job->replayed) {
        json_write_bool(&json, "replayed", true);
    }
    wire_reply_end(&json);
}

// A read may have been under way when its asker's token or uid was revoked, and would show what came after.
static bool may_be_shown(const struct job *job)
{
    return job->kind == JOB_BACKUP || job->slot->connection == NULL || !job->slot->connection->is_lost;
}

static void answer(struct job *job)
{
    struct buffer *out = &job->slot->text;
    const char *id = job->slot->id.data;
    if (!may_be_shown(job)) {
        wire_reply_error(out, id, RPC_UNAUTHENTICATED, "who asked this has been revoked", NULL);
        job_end(job);
        return;
    }
    const struct book *book = job->server->store.book;
    const struct ledger_page *page = &job->page;
    switch (job->kind) {
    case JOB_RESERVATIONS:
        wire_reply_reservation_list(out, id, book, job->images, job->count, page->has_next, page->next,
                                    job->now);
        break;
    case JOB_RESERVATION:
        if (job->count == 0 || (job->group && job->images[0].row.group != job->first)) {
            wire_reply_error(out, id, RPC_NOT_FOUND, "there is no such reservation", NULL);
        } else {
            wire_reply_reservations(out, id, book, job->images, job->count, job->group ? job->first : 0,
                                    job->replayed, false, job->now);
        }
        break;
    case JOB_TRANSFERS:
        wire_reply_statement_list(out, id, book, job->found_transfers, job->count, page->has_next,
                                  page->next);
        break;
    case JOB_EVENTS:
        wire_reply_event_list(out, id, book, job->events, job->count, page->has_next, page->next);
        break;
    case JOB_BACKUP:
        write_backup(out, id, job);
        break;
    }
    job_end(job);
}

// ---- Waiting for events

static bool has_news(const struct job *job)
{
    return writer_has_news(&job->server->writer, job->tenant, job->read_through);
}

static void wait_add(struct reader *reader, struct job *job)
{
    job->previous = NULL;
    job->next = reader->waits;
    if (job->next != NULL) {
        job->next->previous = job;
    }
    reader->waits = job;
}

static void wait_remove(struct reader *reader, struct job *job)
{
    if (job->previous != NULL) {
        job->previous->next = job->next;
    } else {
        reader->waits = job->next;
    }
    if (job->next != NULL) {
        job->next->previous = job->previous;
    }
    job->next = job->previous = NULL;
}

static bool is_waiting(const struct reader *reader, const struct job *job)
{
    return reader->waits == job || job->previous != NULL;
}

void reader_end_wait(struct reader *reader, struct job *job)
{
    job->may_wait = false;
    if (is_waiting(reader, job)) {
        wait_remove(reader, job);
        if (is_abandoned(job)) {
            job_end(job);
        } else if (reader->server->store.book == NULL) {
            answer_unavailable(job, false, "the ledger can't be reached");
        } else {
            answer(job);
        }
    }
}

// ---- Running, on the pool

static bool reader_handle(struct reader *reader, struct job *job)
{
    return reader->handle != NULL ||
           ledger_reader_open(reader->server->config->ledger, &reader->handle, &job->error);
}

static bool run(struct reader *reader, struct job *job)
{
    struct ledger_reader *handle = reader->handle;
    switch (job->kind) {
    case JOB_RESERVATIONS:
        return ledger_read_reservations(handle, &job->reservations, &job->page, &job->arena, &job->images,
                                        &job->count, &job->error);
    case JOB_RESERVATION:
        return ledger_read_reservation(handle, job->first, job->group ? 0 : 1, job->now, &job->arena,
                                       &job->images, &job->count, &job->error);
    case JOB_TRANSFERS:
        return ledger_read_transfers(handle, &job->transfers, &job->page, &job->arena, &job->found_transfers,
                                     &job->count, &job->error);
    case JOB_EVENTS:
        return ledger_read_events(handle, job->tenant, &job->page, &job->arena, &job->events, &job->count,
                                  &job->error);
    case JOB_BACKUP:
        break;
    }
    return false;
}

static void read_on_pool(uv_work_t *work)
{
    struct lane *lane = work->data;
    struct job *job = lane->running;
    struct reader *reader = &job->server->reader;
    job->succeeded = reader_handle(reader, job) && run(reader, job);
}

// A replay finds the copy that was made before, or makes it now when it was cut off.
static void back_up_on_pool(uv_work_t *work)
{
    struct lane *lane = work->data;
    struct job *job = lane->running;
    struct stat status;
    bool is_there = job->replayed && stat(job->destination, &status) == 0;
    job->succeeded = is_there || ledger_backup(job->server->config->ledger, job->destination, &job->error);
    job->bytes = job->succeeded && stat(job->destination, &status) == 0 ? (int64_t)status.st_size : 0;
}

static void after_job(uv_work_t *work, int status)
{
    struct lane *lane = work->data;
    struct job *job = lane->running;
    struct server *server = job->server;
    struct reader *reader = &server->reader;
    assert(status == 0);
    (void)status;
    lane->running = NULL;
    reader->handle_is_stale = reader->handle_is_stale || !job->succeeded;
    if (is_abandoned(job)) {
        job_end(job);
    } else if (!job->succeeded) {
        log_error("ledger can't be read", "sqlite_code=%d error=\"%s\"", job->error.sqlite_code,
                  job->error.message);
        answer_unavailable(job, false, job->error.message);
    } else if (server->store.book == NULL && job->kind != JOB_BACKUP) {
        answer_unavailable(job, false, "the ledger can't be reached");
    } else if (job->kind == JOB_EVENTS && job->count == 0 && job->may_wait && has_news(job)) {
        lane_add(&reader->reads, job);
    } else if (job->kind == JOB_EVENTS && job->count == 0 && job->may_wait) {
        wait_add(reader, job);
    } else {
        answer(job);
    }
}

// Takes the next job that can run: its batch is durable, and its client takes its replies.
static struct job *lane_next(struct lane *lane, int64_t durable)
{
    struct job *job;
    while ((job = lane_take(lane, durable)) != NULL) {
        if (is_abandoned(job)) {
            job_end(job);
        } else if (job->slot->connection == NULL || !connection_park(job->slot->connection, job)) {
            return job;
        }
    }
    return NULL;
}

static void lane_turn(struct reader *reader, struct lane *lane, uv_work_cb on_pool)
{
    if (lane->running != NULL) {
        return;
    }
    struct job *job = lane_next(lane, reader->server->writer.durable);
    if (job != NULL) {
        job->read_through = reader->server->writer.durable;
        lane->running = job;
        reader->server->totals.reads++;
        int status = uv_queue_work(&reader->server->loop, &lane->work, on_pool, after_job);
        assert(status == 0);
        (void)status;
    }
}

void reader_turn(struct reader *reader)
{
    if (reader->handle_is_stale && reader->reads.running == NULL) {
        reader_close(reader);
        reader->handle_is_stale = false;
    }
    lane_turn(reader, &reader->reads, read_on_pool);
    lane_turn(reader, &reader->backups, back_up_on_pool);
}

void reader_durable(struct reader *reader)
{
    struct job *next;
    for (struct job *job = reader->waits; job != NULL; job = next) {
        next = job->next;
        if (has_news(job)) {
            wait_remove(reader, job);
            lane_add(&reader->reads, job);
        }
    }
}

static void lane_fail(struct reader *reader, struct lane *lane, int64_t unknown)
{
    struct job *job;
    while ((job = lane_take(lane, INT64_MAX)) != NULL) {
        bool outcome_unknown = unknown != 0 && job->batch > reader->server->writer.durable &&
                               (job->batch == unknown || job->replayed);
        answer_unavailable(job, outcome_unknown,
                           outcome_unknown ? "the ledger failed while this was written: ask again"
                                           : "the ledger failed before this was read");
    }
}

void reader_unavailable(struct reader *reader, int64_t unknown)
{
    lane_fail(reader, &reader->reads, unknown);
    lane_fail(reader, &reader->backups, unknown);
    reader_reopen(reader);
}

void reader_reopen(struct reader *reader)
{
    reader->handle_is_stale = true;
    // A batch of which it was unknown whether it is in the ledger may be there: whoever waits looks again.
    while (reader->waits != NULL) {
        struct job *job = reader->waits;
        wait_remove(reader, job);
        lane_add(&reader->reads, job);
    }
}

bool reader_is_idle(const struct reader *reader)
{
    return reader->depth == 0;
}
