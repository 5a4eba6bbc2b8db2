#include "server/connection.h"

#include "base/log.h"
#include "base/memory.h"
#include "server/dispatch.h"
#include "server/server.h"
#include "wire/wire.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct limits *limits_of(const struct connection *connection)
{
    return &connection->server->config->limits;
}

static size_t line_limit(const struct connection *connection)
{
    const struct limits *limits = limits_of(connection);
    return (size_t)(connection->session.role == ROLE_OPERATOR ? limits->operator_line_bytes
                                                              : limits->line_bytes);
}

size_t connection_untaken(const struct connection *connection)
{
    return connection->output.length + connection->unwritten;
}

bool connection_takes_replies(const struct connection *connection)
{
    return connection_untaken(connection) < (size_t)limits_of(connection)->output_bytes;
}

bool connection_has_output_room(const struct connection *connection)
{
    return connection_untaken(connection) + connection->slots.bytes <
           (size_t)limits_of(connection)->output_bytes;
}

static bool is_below_limits(const struct connection *connection)
{
    const struct limits *limits = limits_of(connection);
    return connection->slots.count < (size_t)limits->in_flight && connection->reads < limits->ledger_reads &&
           connection_has_output_room(connection);
}

// ---- Touching

void connection_touch(struct connection *connection)
{
    struct server *server = connection->server;
    if (connection->is_touched || connection->is_closed) {
        return;
    }
    connection->is_touched = true;
    connection->next_touched = NULL;
    if (server->last_touched == NULL) {
        server->touched = connection;
    } else {
        server->last_touched->next_touched = connection;
    }
    server->last_touched = connection;
}

static void waiting_add(struct connection *connection)
{
    struct server *server = connection->server;
    if (connection->is_waiting) {
        return;
    }
    connection->is_waiting = true;
    connection->previous_waiting = NULL;
    connection->next_waiting = server->waiting;
    if (server->waiting != NULL) {
        server->waiting->previous_waiting = connection;
    }
    server->waiting = connection;
}

static void waiting_remove(struct connection *connection)
{
    if (!connection->is_waiting) {
        return;
    }
    connection->is_waiting = false;
    if (connection->previous_waiting != NULL) {
        connection->previous_waiting->next_waiting = connection->next_waiting;
    } else {
        connection->server->waiting = connection->next_waiting;
    }
    if (connection->next_waiting != NULL) {
        connection->next_waiting->previous_waiting = connection->previous_waiting;
    }
}

// ---- Closing

static void handle_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    if (--connection->handles > 0) {
        return;
    }
    buffer_free(&connection->input);
    buffer_free(&connection->output);
    buffer_free(&connection->writing);
    session_end(&connection->session);
    free(connection);
}

// The slots that a job or an advance of the clock still fills are left to them; nobody is answered.
static void give_up_slots(struct connection *connection)
{
    struct slot *next;
    for (struct slot *slot = connection->slots.first; slot != NULL; slot = next) {
        next = slot->next;
        slot->next = NULL;
        slot->connection = NULL;
        if (slot->filled) {
            slot_give_back(&connection->server->slots, slot);
        }
    }
    connection->slots = (struct slot_queue){0};
}

static void give_up_jobs(struct connection *connection)
{
    struct reader *reader = &connection->server->reader;
    if (connection->wait != NULL) {
        reader_end_wait(reader, connection->wait);
        connection->wait = NULL;
    }
    while (connection->parked != NULL) {
        struct job *job = connection->parked;
        connection->parked = job->next;
        reader->depth--;
        reader_submit(reader, job, job->batch);
    }
    if (connection->reads > 0) {
        reader_forget_abandoned(reader);
    }
}

static void remove_touched(struct connection *connection)
{
    struct server *server = connection->server;
    struct connection *before = NULL;
    for (struct connection *c = server->touched; c != NULL; before = c, c = c->next_touched) {
        if (c != connection) {
            continue;
        }
        if (before == NULL) {
            server->touched = c->next_touched;
        } else {
            before->next_touched = c->next_touched;
        }
        server->last_touched = server->last_touched == c ? before : server->last_touched;
        break;
    }
    connection->is_touched = false;
}

void connection_drop(struct connection *connection)
{
    struct server *server = connection->server;
    if (connection->is_closed) {
        return;
    }
    if (connection->is_touched) {
        remove_touched(connection);
    }
    connection->is_closed = true;
    watch_end(connection);
    waiting_remove(connection);
    give_up_slots(connection);
    give_up_jobs(connection);
    if (connection->previous != NULL) {
        connection->previous->next = connection->next;
    } else {
        server->connections = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
    server->connection_count--;
    server->lingering_count -= connection->is_lingering;
    log_debug("connection closed", "uid=%u", connection->session.uid);
    uv_close((uv_handle_t *)&connection->timer, handle_closed);
    uv_close((uv_handle_t *)&connection->pipe, handle_closed);
}

static void linger_over(uv_timer_t *timer)
{
    connection_drop(timer->data);
}

static void shut_down(uv_shutdown_t *request, int status)
{
    struct connection *connection = request->handle->data;
    if (status != 0 && status != UV_ECANCELED) {
        connection_drop(connection);
    }
}

// All replies have left. When the client may still be sending, what it sends is thrown away for a moment: a
// socket closed over unread bytes would tell the client of an error before it has read its replies.
static void finish(struct connection *connection)
{
    if (connection->input_ended) {
        connection_drop(connection);
        return;
    }
    if (connection->is_lingering) {
        return;
    }
    connection->is_lingering = true;
    connection->server->lingering_count++;
    uint64_t pause = (uint64_t)limits_of(connection)->linger_milliseconds;
    if (uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->pipe, shut_down) != 0 ||
        uv_timer_start(&connection->timer, linger_over, pause, 0) != 0) {
        connection_drop(connection);
    }
}

// ---- Output

static void written(uv_write_t *write, int status)
{
    struct connection *connection = write->data;
    connection->is_writing = false;
    if (status != 0) {
        if (!connection->is_closed) {
            connection_drop(connection);
        }
        return;
    }
    connection->taken += (int64_t)connection->unwritten;
    connection->unwritten = 0;
    buffer_clear(&connection->writing);
    if (connection->writing.capacity > KEPT_BUFFER_BYTES) {
        buffer_free(&connection->writing);
        connection->writing = (struct buffer){0};
    }
    connection_touch(connection);
}

// Sends what may leave: at once as far as the socket takes it, the rest when it can. False when the client is
// gone.
static bool send_output(struct connection *connection)
{
    if (connection->is_writing || connection->output.length == 0) {
        return true;
    }
    uv_buf_t bytes = uv_buf_init(connection->output.data, (unsigned int)connection->output.length);
    int sent = uv_try_write((uv_stream_t *)&connection->pipe, &bytes, 1);
    if (sent < 0 && sent != UV_EAGAIN) {
        return false;
    }
    size_t taken = sent > 0 ? (size_t)sent : 0;
    connection->taken += (int64_t)taken;
    if (taken == connection->output.length) {
        buffer_clear(&connection->output);
        return true;
    }
    struct buffer empty = connection->writing;
    connection->writing = connection->output;
    connection->output = empty;
    connection->unwritten = connection->writing.length - taken;
    bytes = uv_buf_init(connection->writing.data + taken, (unsigned int)connection->unwritten);
    connection->is_writing = true;
    connection->write.data = connection;
    return uv_write(&connection->write, (uv_stream_t *)&connection->pipe, &bytes, 1, written) == 0;
}

static bool release(struct connection *connection)
{
    struct server *server = connection->server;
    slot_queue_release(&connection->slots, &server->slots, server->writer.durable, &connection->output);
    if (connection->slots.count == 0) {
        waiting_remove(connection);
    }
    return send_output(connection);
}

void connection_filled(struct connection *connection, struct slot *slot, int64_t batch)
{
    slot_fill(&connection->slots, slot, batch);
    connection_touch(connection);
}

struct slot *connection_last_slot(struct connection *connection)
{
    struct slot *slot = slot_take(&connection->server->slots, "null");
    slot->connection = connection;
    slot->ends_line = true;
    slot_queue_push(&connection->slots, slot);
    waiting_add(connection);
    connection->server->totals.refusals++;
    return slot;
}

void connection_last_word(struct connection *connection, int code, const char *message)
{
    struct slot *slot = connection_last_slot(connection);
    wire_reply_error(&slot->text, "null", code, message, NULL);
    connection_filled(connection, slot, 0);
}

// ---- Reads of the ledger

void connection_read_ended(struct connection *connection, const struct job *job)
{
    if (connection == NULL) {
        return;
    }
    connection->reads--;
    if (connection->wait == job) {
        connection->wait = NULL;
        uv_timer_stop(&connection->timer);
    }
}

bool connection_park(struct connection *connection, struct job *job)
{
    if (connection_takes_replies(connection)) {
        return false;
    }
    struct job **last = &connection->parked;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = job;
    return true;
}

static void unpark(struct connection *connection)
{
    struct reader *reader = &connection->server->reader;
    while (connection->parked != NULL && connection_takes_replies(connection)) {
        struct job *job = connection->parked;
        connection->parked = job->next;
        reader->depth--; // reader_submit counts it again
        reader_submit(reader, job, job->batch);
    }
}

static void wait_over(uv_timer_t *timer)
{
    connection_end_wait(timer->data);
}

void connection_wait(struct connection *connection, struct job *job, int64_t seconds)
{
    connection->wait = job;
    uv_timer_start(&connection->timer, wait_over, (uint64_t)seconds * 1000, 0);
}

void connection_end_wait(struct connection *connection)
{
    struct job *job = connection->wait;
    if (job != NULL) {
        connection->wait = NULL;
        uv_timer_stop(&connection->timer);
        reader_end_wait(&connection->server->reader, job);
    }
}

void connection_leave(struct connection *connection)
{
    connection->is_leaving = true;
    connection_end_wait(connection);
    connection_touch(connection);
}

void connection_leave_soon(struct connection *connection)
{
    connection_leave(connection);
    uv_timer_start(&connection->timer, linger_over, (uint64_t)limits_of(connection)->shutdown_milliseconds,
                   0);
}

// ---- Input

static void set_reading(struct connection *connection, bool reading);

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *bytes)
{
    (void)suggested;
    struct connection *connection = handle->data;
    *bytes = uv_buf_init(connection->server->read_buffer, sizeof(connection->server->read_buffer));
}

static void received(uv_stream_t *stream, ssize_t length, const uv_buf_t *bytes)
{
    struct connection *connection = stream->data;
    if (length == 0) {
        return;
    }
    if (length == UV_EOF) {
        connection->input_ended = true;
        connection->is_reading = false;
        uv_read_stop(stream);
        connection_touch(connection);
    } else if (length < 0) {
        connection_drop(connection);
    } else if (connection->is_leaving) {
        return; // it is thrown away
    } else if (memory_is_short() && connection->input.length + (size_t)length > SHORT_INPUT_BYTES) {
        connection_last_word(connection, RPC_OVERLOADED,
                             "the system has no more memory: what is not answered before this was not done");
        connection_leave(connection);
    } else {
        buffer_append(&connection->input, bytes->base, (size_t)length);
        connection_touch(connection);
        if ((size_t)length == sizeof(connection->server->read_buffer) ||
            writer_is_full(&connection->server->writer)) {
            // There may be more, and it would all be read at once: first what is here.
            set_reading(connection, false);
        }
    }
}

static void set_reading(struct connection *connection, bool reading)
{
    if (reading == connection->is_reading) {
        return;
    }
    connection->is_reading = reading;
    if (reading) {
        if (uv_read_start((uv_stream_t *)&connection->pipe, allocate, received) != 0) {
            connection_drop(connection);
        }
    } else {
        uv_read_stop((uv_stream_t *)&connection->pipe);
    }
}

// The next line of the input after `offset`. A byte is searched for a newline only once, however slowly they
// come.
static bool next_line(struct connection *connection, size_t offset, size_t *length, size_t *consumed)
{
    const struct buffer *input = &connection->input;
    size_t left = input->length - offset;
    size_t limit = line_limit(connection);
    size_t searched = connection->searched;
    *consumed = 0;
    if (left == 0 ||
        (left <= limit && memchr(input->data + offset + searched, '\n', left - searched) == NULL)) {
        connection->searched = left;
        return false;
    }
    bool too_large = false;
    if (line_next(input->data + offset, left, limit, length, consumed, &too_large) && !too_large) {
        connection->searched = 0;
        return true;
    }
    if (too_large) {
        connection_last_word(connection, RPC_TOO_LARGE,
                             "the line is too long: see the limits line_bytes and operator_line_bytes");
        connection_leave(connection);
    }
    return false;
}

// What a client leaves behind without a newline is no request: it may be half of one.
static void refuse_the_rest(struct connection *connection)
{
    if (connection->input.length > 0) {
        connection_last_word(connection, RPC_PARSE_ERROR,
                             "the last line has no newline at its end: nothing was done");
        buffer_clear(&connection->input);
    }
    connection->is_leaving = true;
}

static void drop_input(struct connection *connection, size_t length)
{
    buffer_consume(&connection->input, length);
    if (connection->input.length == 0 && connection->input.capacity > KEPT_BUFFER_BYTES) {
        buffer_free(&connection->input);
        connection->input = (struct buffer){0};
    }
}

// Operators have a share for each connection; a tenant's connections have one together, and those of nobody
// too.
static int64_t share_of_turn(struct connection *connection)
{
    int64_t share = limits_of(connection)->calls_per_turn;
    if (connection->session.role == ROLE_OPERATOR) {
        return share;
    }
    return quota_left(&connection->server->quota, connection->session.tenant, share);
}

static void count_calls(struct connection *connection, int64_t calls)
{
    if (connection->session.role != ROLE_OPERATOR) {
        quota_use(&connection->server->quota, connection->session.tenant, calls,
                  limits_of(connection)->calls_per_turn);
    }
}

// A tenant that goes on asking beyond its rate limit is let wait, and what it sends stays in its sockets.
static bool is_held(struct connection *connection)
{
    return connection->session.role == ROLE_TENANT &&
           quota_is_held(&connection->server->quota, connection->session.tenant, (int64_t)uv_hrtime());
}

static void hold(struct connection *connection)
{
    uv_timer_t *timer = &connection->server->holding;
    connection->is_held = true;
    if (!uv_is_active((uv_handle_t *)timer)) {
        uv_timer_start(timer, connections_let_go, 1, 0);
    }
}

// Decides the lines that are there, as far as the limits let it. True when the connection was stopped by its
// share of the turn, or by a batch that is full, and may have more to do.
static bool decide_lines(struct connection *connection)
{
    int64_t share = share_of_turn(connection);
    size_t offset = 0, length, consumed;
    bool exhausted = share <= 0;
    while (!connection->is_leaving && is_below_limits(connection) && !exhausted) {
        if (next_line(connection, offset, &length, &consumed)) {
            int64_t calls = dispatch_line(connection, connection->input.data + offset, length);
            count_calls(connection, calls);
            share -= calls;
            offset += consumed;
            exhausted = share <= 0 || writer_is_full(&connection->server->writer);
            continue;
        }
        if (connection->input_ended && !connection->is_leaving) {
            drop_input(connection, offset);
            offset = 0;
            refuse_the_rest(connection);
        }
        break;
    }
    drop_input(connection, offset);
    if (connection->is_leaving) {
        buffer_clear(&connection->input);
        connection->searched = 0;
    }
    if (connection->slots.count > 0) {
        waiting_add(connection);
    }
    return exhausted && !connection->is_leaving;
}

// The limits let lines be decided that are here already, or the end of the input be dealt with.
static bool can_go_on(const struct connection *connection)
{
    return !connection->is_leaving && is_below_limits(connection) &&
           (connection->input.length > connection->searched || connection->input_ended);
}

// Reading goes on below the limits. From a connection that is leaving, what comes is thrown away.
static bool wants_to_read(const struct connection *connection)
{
    if (connection->input_ended || connection->server->stopping) {
        return false;
    }
    return connection->is_leaving || is_below_limits(connection);
}

void connection_turn(struct connection *connection)
{
    if (connection->is_closed) {
        return;
    }
    bool held = is_held(connection);
    bool more = !held && decide_lines(connection);
    if (!release(connection)) {
        connection_drop(connection);
        return;
    }
    unpark(connection);
    if (connection->is_leaving) {
        watch_end(connection);
    }
    watch_turn(connection);
    if (held) {
        hold(connection);
    } else if (more || can_go_on(connection)) {
        connection_touch(connection);
    }
    bool answered = connection->slots.count == 0 && connection_untaken(connection) == 0;
    if (answered && connection->server->stopping && !connection->is_touched && !held) {
        connection_drop(connection);
    } else if (answered && connection->is_leaving) {
        finish(connection);
    }
    if (!connection->is_closed) {
        set_reading(connection, wants_to_read(connection) && !more && !held);
    }
}
