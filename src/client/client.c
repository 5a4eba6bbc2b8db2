// The connection. Requests are numbered from 1 and answered in order, so three numbers say it all: the next
// to be given, the oldest that is awaited, and the last of which any byte was handed to the kernel. When the
// connection is lost, those up to the last one have an unknown outcome, and those after it were never sent.
#include "client/internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

struct colossus {
    struct colossus_stream stream;
    int timeout_ms;
    int64_t next, oldest, last_touched;
    bool is_watching; // only events are received any more
    bool is_lost;
    char loss[COLOSSUS_MESSAGE_SIZE]; // why it is lost
    char message[COLOSSUS_MESSAGE_SIZE];
};

// ---- Connecting

// A socket's connect waits while the daemon's queue is full; the time to send bounds that too.
static bool set_connect_timeout(int fd, int timeout_ms)
{
    if (timeout_ms < 0)
        return true;
    int shortest = timeout_ms == 0 ? 1 : timeout_ms;
    struct timeval timeout = {.tv_sec = shortest / 1000, .tv_usec = shortest % 1000 * 1000};
    return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) == 0;
}

static int open_socket(const char *path, int timeout_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int result = set_connect_timeout(fd, timeout_ms) ? 0 : -1;
    if (result == 0) {
        do
            result = connect(fd, (const struct sockaddr *)(const void *)&address, sizeof address);
        while (result != 0 && errno == EINTR);
    }
    int flags = result == 0 ? fcntl(fd, F_GETFL) : -1;
    if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static void explain_connect(const char *path, int reason, char message[COLOSSUS_MESSAGE_SIZE])
{
    const char *why = reason == ENOENT         ? "there is no such socket: is colossusd running?"
                      : reason == ECONNREFUSED ? "nobody listens there: is colossusd running?"
                      : reason == EAGAIN       ? "the daemon does not take the connection"
                                               : strerror(reason);
    snprintf(message, COLOSSUS_MESSAGE_SIZE, "%s: %s", path, why);
}

enum colossus_status colossus_connect(const char *path, int timeout_ms, struct colossus **connection,
                                      char message[COLOSSUS_MESSAGE_SIZE])
{
    *connection = NULL;
    char standard[COLOSSUS_PATH_SIZE];
    if (path == NULL) {
        enum colossus_status status = colossus_socket_path(standard, message);
        if (status != COLOSSUS_OK)
            return status;
        path = standard;
    }
    if (path[0] == '\0' || strlen(path) >= COLOSSUS_PATH_SIZE) {
        snprintf(message, COLOSSUS_MESSAGE_SIZE, "a socket's path has 1 to %d bytes", COLOSSUS_PATH_SIZE - 1);
        return COLOSSUS_MISUSED;
    }
    struct colossus *made = calloc(1, sizeof *made);
    if (made == NULL) {
        snprintf(message, COLOSSUS_MESSAGE_SIZE, "out of memory");
        return COLOSSUS_NO_MEMORY;
    }
    made->timeout_ms = timeout_ms;
    made->next = made->oldest = 1;
    made->stream.fd = open_socket(path, timeout_ms);
    if (made->stream.fd < 0) {
        explain_connect(path, errno, message);
        free(made);
        return COLOSSUS_UNREACHABLE;
    }
    *connection = made;
    return COLOSSUS_OK;
}

void colossus_close(struct colossus *connection)
{
    if (connection == NULL)
        return;
    colossus_stream_close(&connection->stream);
    free(connection);
}

void colossus_set_timeout(struct colossus *connection, int timeout_ms)
{
    connection->timeout_ms = timeout_ms;
}

int64_t colossus_pending(const struct colossus *connection)
{
    return connection->next - connection->oldest;
}

const char *colossus_message(const struct colossus *connection)
{
    return connection->message;
}

// ---- Losing it

static void lose(struct colossus *connection, enum colossus_stream_result result)
{
    const char *why = "";
    switch (result) {
    case COLOSSUS_STREAM_DONE:
        why = "the daemon's reply is not as the protocol says";
        break;
    case COLOSSUS_STREAM_CLOSED:
        why = "the daemon closed the connection";
        break;
    case COLOSSUS_STREAM_TIMED_OUT:
        why = "the daemon did not answer in time";
        break;
    case COLOSSUS_STREAM_TOO_LARGE:
        why = "the daemon's reply is too large";
        break;
    case COLOSSUS_STREAM_NO_MEMORY:
        why = "no memory for the daemon's reply";
        break;
    case COLOSSUS_STREAM_FAILED:
        why = strerror(errno);
        break;
    }
    connection->is_lost = true;
    snprintf(connection->loss, sizeof connection->loss, "%s", why);
    colossus_stream_close(&connection->stream);
}

// ---- Sending

enum colossus_status colossus_send(struct colossus *connection, const char *method, const char *params)
{
    connection->message[0] = '\0';
    if (connection->is_watching) {
        snprintf(connection->message, sizeof connection->message,
                 "this connection watches events: requests need another one");
        return COLOSSUS_MISUSED;
    }
    if (connection->is_lost) {
        snprintf(connection->message, sizeof connection->message, "%s", connection->loss);
        return COLOSSUS_UNREACHABLE;
    }
    size_t length = 0, sent = 0;
    bool misuse = false;
    char *line =
        colossus_request_line(connection->next, method, params, &length, &misuse, connection->message);
    if (line == NULL) {
        if (!misuse)
            snprintf(connection->message, sizeof connection->message, "out of memory");
        return misuse ? COLOSSUS_MISUSED : COLOSSUS_NO_MEMORY;
    }
    int64_t deadline = colossus_deadline(connection->timeout_ms);
    enum colossus_stream_result result =
        colossus_stream_write(&connection->stream, line, length, deadline, &sent);
    free(line);
    if (sent > 0)
        connection->last_touched = connection->next;
    connection->next++;
    // A daemon that hangs up has often said why before; that is still to be read.
    if (result != COLOSSUS_STREAM_DONE && result != COLOSSUS_STREAM_CLOSED)
        lose(connection, result);
    return COLOSSUS_OK;
}

// ---- Receiving

void colossus_reply_free(struct colossus_reply *reply)
{
    free(reply->kind);
    free(reply->message);
    free(reply->data);
    free(reply->result);
    *reply = (struct colossus_reply){0};
}

static enum colossus_status fail(struct colossus_reply *reply, enum colossus_status status,
                                 const char *message)
{
    colossus_reply_free(reply);
    reply->status = status;
    reply->message = strdup(message); // without memory there is the status alone
    return status;
}

static void read_reply(struct colossus *connection, struct colossus_reply *reply)
{
    int64_t deadline = colossus_deadline(connection->timeout_ms);
    enum colossus_line_kind kind = COLOSSUS_LINE_NOTIFICATION;
    enum colossus_stream_result result = COLOSSUS_STREAM_DONE;
    while (result == COLOSSUS_STREAM_DONE && kind == COLOSSUS_LINE_NOTIFICATION) {
        const char *line = NULL;
        size_t length = 0;
        result = colossus_stream_read_line(&connection->stream, deadline, &line, &length);
        if (result == COLOSSUS_STREAM_DONE)
            kind = colossus_reply_read(line, length, connection->oldest, reply);
    }
    if (kind == COLOSSUS_LINE_NO_MEMORY)
        result = COLOSSUS_STREAM_NO_MEMORY;
    if (result != COLOSSUS_STREAM_DONE || kind != COLOSSUS_LINE_REPLY)
        lose(connection, result);
}

enum colossus_status colossus_receive(struct colossus *connection, struct colossus_reply *reply)
{
    *reply = (struct colossus_reply){0};
    if (connection->oldest == connection->next)
        return fail(reply, COLOSSUS_MISUSED, "no reply is to be received");
    if (!connection->is_lost)
        read_reply(connection, reply);
    int64_t id = connection->oldest++;
    if (!connection->is_lost)
        return reply->status;
    return fail(reply, id > connection->last_touched ? COLOSSUS_UNREACHABLE : COLOSSUS_OUTCOME_UNKNOWN,
                connection->loss);
}

enum colossus_status colossus_call(struct colossus *connection, const char *method, const char *params,
                                   struct colossus_reply *reply)
{
    *reply = (struct colossus_reply){0};
    if (colossus_pending(connection) > 0)
        return fail(reply, COLOSSUS_MISUSED, "replies of earlier requests are to be received first");
    enum colossus_status status = colossus_send(connection, method, params);
    return status == COLOSSUS_OK ? colossus_receive(connection, reply)
                                 : fail(reply, status, connection->message);
}

// ---- Watching

enum colossus_status colossus_watch(struct colossus *connection, const char *params,
                                    struct colossus_reply *reply)
{
    enum colossus_status status = colossus_call(connection, "event.watch", params, reply);
    connection->is_watching = status == COLOSSUS_OK;
    return status;
}

int colossus_descriptor(const struct colossus *connection)
{
    return connection->is_lost ? -1 : connection->stream.fd;
}

// Reads lines until one of them is an event or the daemon's last word, or the time is over.
static void read_event(struct colossus *connection, int64_t deadline, struct colossus_reply *reply)
{
    enum colossus_line_kind kind = COLOSSUS_LINE_NOTIFICATION;
    enum colossus_stream_result result = COLOSSUS_STREAM_DONE;
    while (result == COLOSSUS_STREAM_DONE && kind == COLOSSUS_LINE_NOTIFICATION && reply->result == NULL) {
        const char *line = NULL;
        size_t length = 0;
        result = colossus_stream_read_line(&connection->stream, deadline, &line, &length);
        if (result == COLOSSUS_STREAM_DONE)
            kind = colossus_event_read(line, length, reply);
    }
    if (result == COLOSSUS_STREAM_TIMED_OUT)
        return;
    if (kind == COLOSSUS_LINE_NO_MEMORY)
        result = COLOSSUS_STREAM_NO_MEMORY;
    if (result != COLOSSUS_STREAM_DONE || kind == COLOSSUS_LINE_SENSELESS || kind == COLOSSUS_LINE_NO_MEMORY)
        lose(connection, result);
    else if (kind == COLOSSUS_LINE_REPLY)
        lose(connection, COLOSSUS_STREAM_CLOSED); // it was the last word
}

enum colossus_status colossus_event(struct colossus *connection, int timeout_ms, struct colossus_reply *reply)
{
    *reply = (struct colossus_reply){0};
    if (!connection->is_watching)
        return fail(reply, COLOSSUS_MISUSED, "colossus_watch comes first");
    if (connection->is_lost)
        return fail(reply, COLOSSUS_UNREACHABLE, connection->loss);
    read_event(connection, colossus_deadline(timeout_ms), reply);
    if (connection->is_lost && reply->code == 0)
        return fail(reply, COLOSSUS_UNREACHABLE, connection->loss);
    return reply->status;
}
