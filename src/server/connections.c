// Connections: new ones, and what concerns all of them.
#include "base/log.h"
#include "base/memory.h"
#include "server/connection.h"
#include "server/server.h"
#include "wire/wire.h"
#include <assert.h>
#include <sys/socket.h>

// ---- Beginning

static bool peer_uid(const uv_pipe_t *pipe, uint32_t *uid)
{
    uv_os_fd_t descriptor;
    struct ucred peer;
    socklen_t length = sizeof(peer);
    if (uv_fileno((const uv_handle_t *)pipe, &descriptor) != 0 ||
        getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
        return false;
    }
    *uid = (uint32_t)peer.uid;
    return true;
}

static struct connection *connection_create(struct server *server)
{
    struct connection *connection = memory_allocate(1, sizeof(*connection));
    connection->server = server;
    int status = uv_pipe_init(&server->loop, &connection->pipe, 0);
    assert(status == 0);
    status = uv_timer_init(&server->loop, &connection->timer);
    assert(status == 0);
    (void)status;
    connection->handles = 2;
    connection->pipe.data = connection->timer.data = connection;
    connection->next = server->connections;
    if (server->connections != NULL) {
        server->connections->previous = connection;
    }
    server->connections = connection;
    server->connection_count++;
    return connection;
}

// Does this connection, which is among them already, go beyond what is allowed? Operators are always let in,
// up to a number of their own; one user of the system can't take all places of the others.
static bool is_one_too_many(const struct connection *connection)
{
    const struct server *server = connection->server;
    const struct limits *limits = &connection->server->config->limits;
    size_t all = server->connection_count - server->lingering_count;
    if (connection->session.role == ROLE_OPERATOR) {
        return all > (size_t)(limits->connections + limits->operator_connections);
    }
    int64_t its = 0;
    for (const struct connection *c = server->connections; c != NULL; c = c->next) {
        its += c->session.uid == connection->session.uid && !c->is_lingering;
    }
    return all > (size_t)limits->connections || its > limits->user_connections;
}

void connection_accept(struct server *server, uv_stream_t *listener)
{
    struct connection *connection = connection_create(server);
    uint32_t uid = 0;
    if (uv_accept(listener, (uv_stream_t *)&connection->pipe) != 0 || !peer_uid(&connection->pipe, &uid)) {
        log_warn("connection could not be accepted", "connections=%zu", server->connection_count);
        connection_drop(connection);
        return;
    }
    server->totals.connections++;
    session_begin(&connection->session, uid);
    if (server->store.book != NULL) {
        session_resolve(&connection->session, server->store.book);
    }
    log_debug("connection", "uid=%u role=%s", uid, role_name(connection->session.role));
    if (is_one_too_many(connection)) {
        connection_last_word(connection, RPC_OVERLOADED, "too many connections: try again later");
        connection->is_leaving = true;
        // When many are refused at once there is no time to linger.
        connection->input_ended = server->lingering_count >= LINGERING_MOST;
    }
    connection_touch(connection);
}

// ---- All of them

void connections_touch_waiting(struct server *server)
{
    for (struct connection *c = server->waiting; c != NULL; c = c->next_waiting) {
        connection_touch(c);
    }
}

void connections_let_go(uv_timer_t *timer)
{
    struct server *server = timer->data;
    for (struct connection *c = server->connections; c != NULL; c = c->next) {
        if (c->is_held) {
            c->is_held = false;
            connection_touch(c);
        }
    }
}

void connections_fail(struct server *server, int64_t durable, int64_t unknown)
{
    for (struct connection *c = server->waiting; c != NULL; c = c->next_waiting) {
        slot_queue_fail(&c->slots, durable, unknown);
        connection_touch(c);
    }
}

void connections_resolve(struct server *server)
{
    for (struct connection *c = server->connections; c != NULL; c = c->next) {
        if (!c->is_leaving && session_resolve(&c->session, server->store.book) == SESSION_LOST) {
            log_info("connection lost its identity", "actor=\"%s\"", c->session.actor);
            c->is_lost = true;
            connection_leave(c);
        }
    }
}
