#include "server/server.h"

#include "base/digest.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/connection.h"
#include "server/manifest_file.h"
#include "server/options.h"
#include "server/service_manager.h"
#include "server/version.h"
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

void server_fill(struct server *server, struct slot *slot, int64_t batch)
{
    if (slot->connection == NULL) {
        slot_give_back(&server->slots, slot);
    } else {
        connection_filled(slot->connection, slot, batch);
    }
}

// ---- The turn

static void nothing(uv_idle_t *idle)
{
    (void)idle;
}

static struct connection *take_touched(struct server *server)
{
    struct connection *connection = server->touched;
    server->touched = connection->next_touched;
    if (server->touched == NULL) {
        server->last_touched = NULL;
    }
    connection->is_touched = false;
    return connection;
}

// Every connection that was touched before this turn gets its share of it, and all those of one tenant no
// more than one share together; those it leaves with more to do are touched again and come in the next. When
// the batch is full, those that are left come first in the next.
static void turn_connections(struct server *server)
{
    quota_begin_turn(&server->quota);
    const struct connection *last = server->last_touched, *taken = NULL;
    while (server->touched != NULL && taken != last && !writer_is_full(&server->writer)) {
        struct connection *connection = take_touched(server);
        taken = connection;
        connection_turn(connection);
        writer_keep_busy(&server->writer);
    }
}

static void finish_stopping(struct server *server);

void server_turn(struct server *server)
{
    listener_turn(&server->listener);
    turn_connections(server);
    writer_turn(&server->writer);
    reader_turn(&server->reader);
    watches_turn(&server->watches);
    if (server->stopping) {
        finish_stopping(server);
    }
    if (server->touched != NULL && !writer_is_full(&server->writer)) {
        uv_idle_start(&server->busy, nothing);
    } else {
        uv_idle_stop(&server->busy);
    }
}

static void before_poll(uv_prepare_t *handle)
{
    server_turn(handle->data);
}

static void after_poll(uv_check_t *handle)
{
    server_turn(handle->data);
}

// ---- Stopping

static void close_handle(void *handle)
{
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

static void close_handles(struct server *server)
{
    listener_close(&server->listener);
    close_handle(&server->before_poll);
    close_handle(&server->after_poll);
    close_handle(&server->busy);
    close_handle(&server->terminate);
    close_handle(&server->interrupt);
    close_handle(&server->deadline);
    close_handle(&server->holding);
    close_handle(&server->watchdog.timer);
    timer_close(&server->timer);
    watches_close(&server->watches);
    writer_close(&server->writer);
}

static void close_connections(struct server *server)
{
    struct connection *next;
    for (struct connection *connection = server->connections; connection != NULL; connection = next) {
        next = connection->next;
        connection_drop(connection);
    }
}

// A ledger that can't be reached is not waited for: nothing is owed that could still be given.
static bool is_settled(const struct server *server)
{
    bool unreachable = server->store.book == NULL && !server->writer.is_busy;
    return server->connections == NULL && reader_is_idle(&server->reader) &&
           watches_are_idle(&server->watches) && (unreachable || writer_is_idle(&server->writer));
}

static void finish_stopping(struct server *server)
{
    if (is_settled(server)) {
        close_handles(server);
    }
}

static void deadline_over(uv_timer_t *timer)
{
    struct server *server = timer->data;
    log_warn("clients did not take their replies", "connections=%zu", server->connection_count);
    close_connections(server);
}

void server_stop(struct server *server)
{
    if (server->stopping) {
        return;
    }
    log_info("stopping", "connections=%zu", server->connection_count);
    service_manager_stopping();
    server->stopping = true;
    listener_close(&server->listener);
    for (struct connection *c = server->connections; c != NULL; c = c->next) {
        connection_end_wait(c);
        connection_touch(c);
    }
    uv_timer_start(&server->deadline, deadline_over, (uint64_t)server->config->limits.shutdown_milliseconds,
                   0);
}

static void signalled(uv_signal_t *signal, int number)
{
    (void)number;
    server_stop(signal->data);
}

// ---- Opening

static void ignore_signals(void)
{
    // A client that has left, or a file that has grown to its limit, is an error of that write.
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

// Each connection is a descriptor, so as many as the system lets us have are asked for.
static void raise_descriptor_limit(const struct config *config)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int64_t connections = config->limits.connections + config->limits.operator_connections;
    if (limit.rlim_max != RLIM_INFINITY && (int64_t)limit.rlim_max < connections + 64) {
        log_warn("fewer descriptors than connections", "descriptors=%llu connections=%lld",
                 (unsigned long long)limit.rlim_max, (long long)connections);
    }
}

static int unusable(const char *what, const char *why)
{
    log_error(what, "error=\"%s\"", why);
    return EXIT_UNAVAILABLE;
}

// A read, one for those who watch, and a backup may run at a time.
static bool size_pool(void)
{
    return setenv("UV_THREADPOOL_SIZE", "3", 1) == 0;
}

static void do_nothing(uv_work_t *work)
{
    (void)work;
}

// libuv makes its pool's threads with the first piece of work, and aborts when it gets none: that must not
// be when somebody reads.
static bool start_pool(struct server *server)
{
    return uv_queue_work(&server->loop, &server->first_work, do_nothing, NULL) == 0;
}

static bool open_loop(struct server *server)
{
    if (uv_loop_init(&server->loop) != 0) {
        return false;
    }
    server->has_loop = true;
    server->started_milliseconds = uv_now(&server->loop);
    server->before_poll.data = server->after_poll.data = server->busy.data = server;
    server->terminate.data = server->interrupt.data = server->deadline.data = server;
    server->holding.data = server;
    bool good = writer_set_up(&server->writer, server);
    reader_set_up(&server->reader, server);
    good = watches_set_up(&server->watches, server) && good;
    good = uv_prepare_init(&server->loop, &server->before_poll) == 0 && good;
    good = uv_check_init(&server->loop, &server->after_poll) == 0 && good;
    good = uv_idle_init(&server->loop, &server->busy) == 0 && good;
    good = uv_timer_init(&server->loop, &server->deadline) == 0 && good;
    good = uv_timer_init(&server->loop, &server->holding) == 0 && good;
    good = watchdog_set_up(&server->watchdog, server) && good;
    good = uv_signal_init(&server->loop, &server->terminate) == 0 && good;
    good = uv_signal_init(&server->loop, &server->interrupt) == 0 && good;
    good = good && uv_prepare_start(&server->before_poll, before_poll) == 0;
    good = good && uv_check_start(&server->after_poll, after_poll) == 0;
    good = good && uv_signal_start(&server->terminate, signalled, SIGTERM) == 0;
    good = good && uv_signal_start(&server->interrupt, signalled, SIGINT) == 0;
    good = good && start_pool(server);
    return timer_open(&server->timer, &server->loop) && good;
}

// Decides and commits all that fell due while nobody served.
static bool catch_up(struct server *server, struct ledger_error *error)
{
    struct instant now;
    do {
        if (!writer_begin(&server->writer, &now)) {
            return false;
        }
        if (writer_is_idle(&server->writer)) {
            return true;
        }
    } while (writer_commit_now(&server->writer, error));
    return false;
}

// A manual clock that is started later than the ledger's last time has been advanced, and that is written as
// any advance: readers of the ledger take their time from it.
static bool record_start_of_clock(struct server *server)
{
    const struct config *config = server->config;
    struct instant last = ledger_last_time(server->store.ledger), now;
    if (!config->manual_clock || server->writer.durable == 0 || config->manual_time.seconds <= last.seconds) {
        return true;
    }
    clock_restore(&server->clock, last);
    if (!writer_begin(&server->writer, &now)) {
        return false;
    }
    struct request request = {
        .kind = REQUEST_CLOCK_ADVANCE,
        .actor = {.role = ROLE_OPERATOR, .name = "clock"},
        .advance_to = config->manual_time,
    };
    struct decision decision = {0};
    book_decide(server->store.book, &request, now, writer_arena(&server->writer), &decision);
    assert(decision.verdict == VERDICT_DONE);
    writer_apply(&server->writer, &decision);
    writer_advance(&server->writer, config->manual_time); // what it leaves, catching up decides
    return true;
}

static int open_store(struct server *server)
{
    const struct config *config = server->config;
    struct ledger_error error = {0};
    clock_set_up(&server->clock, config->manual_clock, config->manual_time);
    if (!store_open(config, clock_now(&server->clock), &server->store, &error)) {
        return unusable("ledger can't be used", error.message);
    }
    writer_adopt(&server->writer);
    if (!record_start_of_clock(server) || !catch_up(server, &error)) {
        return unusable("ledger can't be written", error.message);
    }
    return EXIT_FINE;
}

static int apply_manifest(struct server *server)
{
    char why[CONFIG_ERROR_SIZE] = "";
    struct ledger_error error = {0};
    if (server->config->manifest == NULL) {
        return EXIT_FINE;
    }
    if (!manifest_file_apply(server->config->manifest, &server->writer, why)) {
        log_error("manifest is refused", "error=\"%s\"", why);
        return EXIT_DATA;
    }
    if (!writer_commit_now(&server->writer, &error) || !catch_up(server, &error)) {
        return unusable("ledger can't be written", error.message);
    }
    return EXIT_FINE;
}

int server_open(struct server *server, const struct config *config)
{
    char error[LISTENER_ERROR_SIZE];
    *server = (struct server){.config = config, .listener.lock = -1, .timer.descriptor = -1};
    server->slots.metrics = &server->metrics;
    ignore_signals();
    raise_descriptor_limit(config);
    if (!digest_initialise() || !size_pool() || !open_loop(server)) {
        log_error("the loop could not be set up", "error=\"%s\"", strerror(errno));
        return EXIT_INTERNAL;
    }
    if (!listener_lock(&server->listener, config->socket, error)) {
        return unusable("socket can't be used", error);
    }
    int code = open_store(server);
    code = code == EXIT_FINE ? apply_manifest(server) : code;
    if (code == EXIT_FINE && !listener_open(&server->listener, server, error)) {
        code = unusable("socket can't be used", error);
    }
    return code;
}

void server_run(struct server *server)
{
    log_info("ready", "version=%s socket=\"%s\" ledger=\"%s\" clock=%s last_batch=%lld", COLOSSUS_VERSION,
             server->config->socket, server->config->ledger, clock_name(&server->clock),
             (long long)server->writer.durable);
    service_manager_ready();
    watchdog_start(&server->watchdog);
    uv_run(&server->loop, UV_RUN_DEFAULT);
}

// ---- Closing

static void close_any(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

void server_close(struct server *server)
{
    if (server->has_loop) {
        // After an opening that failed, its handles are still there.
        listener_close(&server->listener);
        timer_close(&server->timer);
        uv_walk(&server->loop, close_any, NULL);
        uv_run(&server->loop, UV_RUN_DEFAULT);
        int status = uv_loop_close(&server->loop);
        assert(status == 0);
        (void)status;
    }
    reader_close(&server->reader);
    watches_free(&server->watches);
    writer_free(&server->writer);
    store_close(&server->store);
    listener_unlock(&server->listener);
    slot_pool_free(&server->slots);
    arena_free(&server->parsing);
    free(server->advancing);
    quota_free(&server->quota);
}
