#include "server/writer.h"

#include "base/log.h"
#include "base/memory.h"
#include "server/connection.h"
#include "server/server.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool writer_set_up(struct writer *writer, struct server *server)
{
    *writer = (struct writer){.server = server};
    writer->retry.data = writer;
    return uv_timer_init(&server->loop, &writer->retry) == 0 && worker_open(&writer->worker, &server->loop);
}

void writer_close(struct writer *writer)
{
    if (writer->server != NULL && !uv_is_closing((uv_handle_t *)&writer->retry)) {
        uv_close((uv_handle_t *)&writer->retry, NULL);
    }
    worker_close(&writer->worker);
}

void writer_free(struct writer *writer)
{
    worker_free(&writer->worker);
    for (int i = 0; i < 2; i++) {
        arena_free(&writer->batches[i].arena);
        free(writer->batches[i].rows);
    }
    free(writer->event_batch);
}

static struct gathered *open_batch(struct writer *writer)
{
    return &writer->batches[writer->open];
}

// Makes a batch ready to be gathered into again. Its rows' memory is kept.
static void batch_empty(struct gathered *batch)
{
    arena_reset(&batch->arena);
    *batch = (struct gathered){.arena = batch->arena, .rows = batch->rows, .capacity = batch->capacity};
}

static void batch_add(struct gathered *batch, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        batch->rows = memory_grow(batch->rows, batch->count, &batch->capacity, sizeof(*batch->rows));
        batch->rows[batch->count++] = rows[i];
    }
}

struct arena *writer_arena(struct writer *writer)
{
    return &open_batch(writer)->arena;
}

bool writer_has_room(struct writer *writer)
{
    struct gathered *batch = open_batch(writer);
    if (!batch->room_known) {
        batch->room_known = true;
        batch->has_room = store_has_room(writer->server->config);
        if (!batch->has_room) {
            log_warn("disk is full", "ledger=\"%s\" min_free_bytes=%lld", writer->server->config->ledger,
                     (long long)writer->server->config->min_free_bytes);
        }
    }
    return batch->has_room;
}

static bool names_people(const struct row *row)
{
    return row->kind == ROW_UID || row->kind == ROW_TOKEN;
}

static void apply(struct writer *writer, const struct decision *decision)
{
    struct server *server = writer->server;
    batch_add(open_batch(writer), decision->rows, decision->row_count);
    book_apply_rows(server->store.book, decision->rows, decision->row_count);
    server->totals.decisions++;
    bool people_changed = false;
    for (size_t i = 0; i < decision->row_count; i++) {
        people_changed = people_changed || names_people(&decision->rows[i]);
    }
    if (people_changed) {
        connections_resolve(server);
    }
}

// Decides what is due by the open batch's time: everything that changes verdicts, and of starts and ends as
// many as a batch may have. True when nothing is left.
static bool decide_due(struct writer *writer)
{
    struct gathered *batch = open_batch(writer);
    struct book *book = writer->server->store.book;
    int64_t most = writer->server->config->limits.lifecycle_per_batch;
    struct instant due;
    while (book_next_due(book, &due) && due.seconds <= batch->at.seconds) {
        struct decision decision = {0};
        bool urgent = false, enough = batch->lifecycle >= most && !book_urgent_is_due(book, batch->at);
        if (enough || !writer_has_room(writer)) {
            return false;
        }
        if (!book_decide_due(book, batch->at, &batch->arena, &decision, &urgent)) {
            return true;
        }
        apply(writer, &decision);
        batch->lifecycle += !urgent;
    }
    return true;
}

// What the decision freed goes to those that wait for it with the same batch.
void writer_apply(struct writer *writer, const struct decision *decision)
{
    apply(writer, decision);
    if (book_serves_waiting(writer->server->store.book)) {
        decide_due(writer);
    }
}

// clock.advance is answered when all that was due by its time has been decided.
static void finish_advancing(struct writer *writer)
{
    struct server *server = writer->server;
    for (size_t i = 0; i < server->advancing_count; i++) {
        server_fill(server, server->advancing[i], writer_dependency(writer));
    }
    server->advancing_count = 0;
}

bool writer_begin(struct writer *writer, struct instant *now)
{
    struct server *server = writer->server;
    struct gathered *batch = open_batch(writer);
    if (server->store.book == NULL) {
        return false;
    }
    if (!batch->has_time) {
        clock_advance(&server->clock, book_time(server->store.book));
        batch->at = clock_now(&server->clock);
        batch->has_time = true;
    }
    if (decide_due(writer) && server->advancing_count > 0) {
        finish_advancing(writer);
    }
    *now = batch->at;
    return true;
}

bool writer_advance(struct writer *writer, struct instant to)
{
    struct gathered *batch = open_batch(writer);
    assert(batch->has_time && to.seconds >= batch->at.seconds);
    clock_advance(&writer->server->clock, to);
    batch->at = to;
    return decide_due(writer);
}

bool writer_is_full(const struct writer *writer)
{
    return writer->batches[writer->open].count >= (size_t)writer->server->config->limits.batch_rows;
}

int64_t writer_dependency(const struct writer *writer)
{
    if (writer->batches[writer->open].count > 0) {
        return (writer->committing != 0 ? writer->committing : writer->durable) + 1;
    }
    return writer->committing != 0 ? writer->committing : 0;
}

// Closes the open batch: its rows and those of the accounts they changed.
static void close_batch(struct writer *writer)
{
    struct gathered *batch = open_batch(writer);
    struct row *rows = NULL;
    size_t count = 0;
    book_end_batch(writer->server->store.book, batch->at, &batch->arena, &rows, &count);
    batch_add(batch, rows, count);
    writer->batch = (struct batch){
        .seq = writer->durable + 1,
        .epoch = 1,
        .at = batch->at,
        .rows = batch->rows,
        .row_count = batch->count,
    };
    writer->open ^= 1;
}

// Remembers whose events have become durable, for those who wait for them.
static void note_events(struct writer *writer, const struct batch *batch)
{
    for (size_t i = 0; i < batch->row_count; i++) {
        if (batch->rows[i].kind != ROW_EVENT) {
            continue;
        }
        uint32_t tenant = batch->rows[i].event.tenant;
        while (writer->event_batch_count <= tenant) {
            size_t old = writer->event_batch_count;
            writer->event_batch_count = (size_t)tenant + 16;
            writer->event_batch =
                memory_resize(writer->event_batch, writer->event_batch_count, sizeof(*writer->event_batch));
            memset(writer->event_batch + old, 0,
                   (writer->event_batch_count - old) * sizeof(*writer->event_batch));
        }
        writer->last_event = batch->rows[i].event.seq;
        writer->event_batch[0] = batch->seq;
        writer->event_batch[tenant] = batch->seq;
        writer->server->totals.events++;
    }
}

bool writer_has_news(const struct writer *writer, uint32_t tenant, int64_t batch)
{
    return tenant < writer->event_batch_count && writer->event_batch[tenant] > batch;
}

static void committed(struct writer *writer)
{
    struct server *server = writer->server;
    writer->durable = writer->batch.seq;
    writer->proofs++;
    server->totals.batches++;
    server->totals.rows += (int64_t)writer->batch.row_count;
    histogram_add(&server->metrics.batches, &rows_scale, (int64_t)writer->batch.row_count);
    histogram_add(&server->metrics.commits, &commit_scale, writer->commit_took);
    note_events(writer, &writer->batch);
    batch_empty(&writer->batches[writer->open ^ 1]);
}

static void commit(void *context)
{
    struct writer *writer = context;
    uint64_t begun = uv_hrtime();
    writer->outcome = ledger_commit(writer->server->store.ledger, &writer->batch, &writer->error);
    writer->commit_took = (int64_t)((uv_hrtime() - begun) / 1000);
}

bool writer_commit_now(struct writer *writer, struct ledger_error *error)
{
    assert(!writer->is_busy);
    if (open_batch(writer)->count == 0) {
        batch_empty(open_batch(writer));
        return true;
    }
    close_batch(writer);
    commit(writer);
    if (writer->outcome != COMMIT_DONE) {
        *error = writer->error;
        return false;
    }
    committed(writer);
    return true;
}

// ---- Commits and checkpoints, on the thread

static void checkpoint(void *context)
{
    struct writer *writer = context;
    bool busy = false;
    writer->checkpoint_worked = ledger_checkpoint(writer->server->store.ledger, &busy, &writer->error);
}

static void start_recovery(struct writer *writer);

// After a commit that was not done: nothing that was decided since the last durable batch can be told apart,
// so all of it is answered as unavailable and the book is given up for what the ledger holds.
static void give_up(struct writer *writer, int64_t unknown)
{
    struct server *server = writer->server;
    log_error("ledger failed", "batch=%lld outcome=%s sqlite_code=%d error=\"%s\"",
              (long long)writer->batch.seq, unknown != 0 ? "unknown" : "none", writer->error.sqlite_code,
              writer->error.message);
    connections_fail(server, writer->durable, unknown);
    reader_unavailable(&server->reader, unknown);
    for (size_t i = 0; i < server->advancing_count; i++) {
        if (server->advancing[i]->connection == NULL) {
            slot_give_back(&server->slots, server->advancing[i]);
        }
    }
    server->advancing_count = 0;
    batch_empty(&writer->batches[0]);
    batch_empty(&writer->batches[1]);
    book_destroy(server->store.book);
    server->store.book = NULL;
    start_recovery(writer);
}

static void after_commit(void *context);

static void start_commit(struct writer *writer)
{
    close_batch(writer);
    writer->is_busy = true;
    writer->committing = writer->batch.seq;
    worker_run(&writer->worker, commit, after_commit, writer);
}

static void after_checkpoint(void *context)
{
    struct writer *writer = context;
    writer->is_busy = false;
    if (!writer->checkpoint_worked) {
        give_up(writer, 0);
    } else if (open_batch(writer)->count > 0) {
        start_commit(writer);
    }
}

static void probe(void *context)
{
    struct writer *writer = context;
    writer->probe_worked = ledger_probe(writer->server->store.ledger, &writer->error);
}

static void after_probe(void *context)
{
    struct writer *writer = context;
    writer->is_busy = false;
    if (!writer->probe_worked) {
        give_up(writer, 0);
        return;
    }
    writer->proofs++;
    if (open_batch(writer)->count > 0) {
        start_commit(writer);
    }
}

void writer_probe(struct writer *writer)
{
    if (!writer->is_busy && writer->server->store.ledger != NULL) {
        writer->is_busy = true;
        worker_run(&writer->worker, probe, after_probe, writer);
    }
}

// Gives the thread its next work before the replies of the last are sent, so that it need not wait for that.
static void go_on(struct writer *writer)
{
    if (ledger_checkpoint_due(writer->server->store.ledger)) {
        writer->is_busy = true;
        worker_run(&writer->worker, checkpoint, after_checkpoint, writer);
    } else if (open_batch(writer)->count > 0) {
        start_commit(writer);
    }
}

static void after_commit(void *context)
{
    struct writer *writer = context;
    struct server *server = writer->server;
    int64_t seq = writer->committing;
    writer->is_busy = false;
    writer->committing = 0;
    writer->commit_microseconds = writer->commit_took;
    if (writer->outcome != COMMIT_DONE) {
        give_up(writer, seq);
        return;
    }
    committed(writer);
    go_on(writer);
    connections_touch_waiting(server);
    reader_durable(&server->reader);
    watches_durable(&server->watches);
}

// ---- Recovery

static void reopen(void *context)
{
    struct writer *writer = context;
    store_close(&writer->reopened);
    writer->reopen_worked =
        store_open(writer->server->config, writer->reopened_at, &writer->reopened, &writer->error);
}

void writer_adopt(struct writer *writer)
{
    struct server *server = writer->server;
    const struct config *config = server->config;
    struct instant time = ledger_last_time(server->store.ledger);
    if (config->manual_clock && config->manual_time.seconds > time.seconds) {
        time = config->manual_time;
    }
    writer->durable = ledger_last_batch(server->store.ledger);
    writer->last_event = book_last_event(server->store.book);
    clock_restore(&server->clock, time);
}

static void try_again(uv_timer_t *retry)
{
    struct writer *writer = retry->data;
    if (writer->server->store.book == NULL && !writer->is_busy) {
        start_recovery(writer);
    }
}

static void retry_later(struct writer *writer)
{
    uint64_t pause = (uint64_t)writer->server->config->limits.retry_milliseconds;
    if (!uv_is_active((uv_handle_t *)&writer->retry) && !uv_is_closing((uv_handle_t *)&writer->retry)) {
        uv_timer_start(&writer->retry, try_again, pause, 0);
    }
}

static void after_reopen(void *context)
{
    struct writer *writer = context;
    struct server *server = writer->server;
    writer->is_busy = false;
    if (!writer->reopen_worked) {
        log_error("ledger can't be reopened", "error=\"%s\"", writer->error.message);
        retry_later(writer);
        return;
    }
    server->store = writer->reopened;
    writer->reopened = (struct store){0};
    writer_adopt(writer);
    reader_reopen(&server->reader);
    watches_reopened(&server->watches);
    connections_resolve(server);
    log_info("ledger is back", "last_batch=%lld", (long long)writer->durable);
}

static void start_recovery(struct writer *writer)
{
    struct server *server = writer->server;
    writer->reopened = (struct store){.ledger = server->store.ledger};
    writer->reopened_at = clock_now(&server->clock);
    server->store.ledger = NULL;
    writer->is_busy = true;
    worker_run(&writer->worker, reopen, after_reopen, writer);
}

// ---- The turn

static void arm_timer(struct writer *writer)
{
    struct server *server = writer->server;
    struct instant due;
    bool scheduled = server->store.book != NULL && book_next_due(server->store.book, &due);
    if (scheduled && due.seconds <= clock_now(&server->clock).seconds) {
        // It could not be decided yet: when a commit runs, its end looks again; else the disk is full.
        if (!writer->is_busy) {
            retry_later(writer);
        }
        scheduled = false;
    }
    if (scheduled && !server->clock.manual) {
        timer_arm(&server->timer, due);
    } else {
        timer_disarm(&server->timer);
    }
}

void writer_keep_busy(struct writer *writer)
{
    if (writer->is_busy) {
        worker_poll(&writer->worker);
    }
    if (!writer->is_busy && open_batch(writer)->count > 0) {
        start_commit(writer);
    }
}

void writer_turn(struct writer *writer)
{
    struct server *server = writer->server;
    struct instant now, due;
    if (!writer->is_busy && server->store.book != NULL && book_next_due(server->store.book, &due) &&
        due.seconds <= clock_now(&server->clock).seconds) {
        writer_begin(writer, &now);
    }
    if (open_batch(writer)->count == 0) {
        batch_empty(open_batch(writer));
    }
    writer_keep_busy(writer);
    arm_timer(writer);
}

bool writer_is_idle(const struct writer *writer)
{
    return !writer->is_busy && writer->batches[0].count == 0 && writer->batches[1].count == 0;
}
