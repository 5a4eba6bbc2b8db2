// Bytes to and from the daemon. The socket is non-blocking and all waiting is done by poll, against one
// deadline a call, so that an interrupted or partial read or write costs nothing but another turn.
#include "client/internal.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES 65536

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t colossus_deadline(int timeout_ms)
{
    return timeout_ms < 0 ? -1 : monotonic_ms() + timeout_ms;
}

static int left_ms(int64_t deadline)
{
    if (deadline < 0)
        return -1;
    int64_t left = deadline - monotonic_ms();
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

// Waits for any of the events, or for the end of the connection.
static enum colossus_stream_result wait_for(const struct colossus_stream *stream, short events,
                                            int64_t deadline, short *happened)
{
    for (;;) {
        struct pollfd descriptor = {.fd = stream->fd, .events = events};
        int count = poll(&descriptor, 1, left_ms(deadline));
        if (count > 0) {
            *happened = descriptor.revents;
            return COLOSSUS_STREAM_DONE;
        }
        if (count == 0)
            return COLOSSUS_STREAM_TIMED_OUT;
        if (errno != EINTR)
            return COLOSSUS_STREAM_FAILED;
    }
}

static bool make_room(struct colossus_stream *stream)
{
    if (stream->taken > 0) {
        memmove(stream->input, stream->input + stream->taken, stream->length - stream->taken);
        stream->length -= stream->taken;
        stream->scanned -= stream->taken;
        stream->taken = 0;
    }
    if (stream->capacity - stream->length >= READ_BYTES)
        return true;
    size_t capacity = stream->capacity * 2 + READ_BYTES;
    char *input = realloc(stream->input, capacity);
    if (input == NULL)
        return false;
    stream->input = input;
    stream->capacity = capacity;
    return true;
}

static bool input_is_full(const struct colossus_stream *stream)
{
    return stream->length - stream->taken > COLOSSUS_REPLY_BYTES_MOST;
}

// Takes in what is there. COLOSSUS_STREAM_DONE also when there was nothing yet.
static enum colossus_stream_result take_in(struct colossus_stream *stream)
{
    if (!make_room(stream))
        return COLOSSUS_STREAM_NO_MEMORY;
    ssize_t got = recv(stream->fd, stream->input + stream->length, READ_BYTES, MSG_DONTWAIT);
    if (got > 0) {
        stream->length += (size_t)got;
        return COLOSSUS_STREAM_DONE;
    }
    if (got == 0 || errno == ECONNRESET)
        return COLOSSUS_STREAM_CLOSED;
    return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK ? COLOSSUS_STREAM_DONE
                                                                     : COLOSSUS_STREAM_FAILED;
}

enum colossus_stream_result colossus_stream_write(struct colossus_stream *stream, const char *bytes,
                                                  size_t length, int64_t deadline, size_t *sent)
{
    *sent = 0;
    while (*sent < length) {
        ssize_t count = send(stream->fd, bytes + *sent, length - *sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count >= 0) {
            *sent += (size_t)count;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno == EPIPE || errno == ECONNRESET)
            return COLOSSUS_STREAM_CLOSED;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return COLOSSUS_STREAM_FAILED;
        // The daemon stops reading from a client that doesn't take its replies, so take them.
        short events = input_is_full(stream) ? POLLOUT : POLLOUT | POLLIN, happened = 0;
        enum colossus_stream_result result = wait_for(stream, events, deadline, &happened);
        if (result == COLOSSUS_STREAM_DONE && (happened & POLLIN) != 0)
            result = take_in(stream);
        if (result != COLOSSUS_STREAM_DONE)
            return result;
    }
    return COLOSSUS_STREAM_DONE;
}

static bool next_line(struct colossus_stream *stream, const char **line, size_t *length)
{
    if (stream->scanned == stream->length)
        return false;
    char *newline = memchr(stream->input + stream->scanned, '\n', stream->length - stream->scanned);
    if (newline == NULL) {
        stream->scanned = stream->length;
        return false;
    }
    *line = stream->input + stream->taken;
    *length = (size_t)(newline - *line);
    stream->taken = stream->scanned = (size_t)(newline - stream->input) + 1;
    return true;
}

enum colossus_stream_result colossus_stream_read_line(struct colossus_stream *stream, int64_t deadline,
                                                      const char **line, size_t *length)
{
    while (!next_line(stream, line, length)) {
        if (input_is_full(stream))
            return COLOSSUS_STREAM_TOO_LARGE;
        short happened = 0;
        enum colossus_stream_result result = wait_for(stream, POLLIN, deadline, &happened);
        if (result == COLOSSUS_STREAM_DONE)
            result = take_in(stream);
        if (result != COLOSSUS_STREAM_DONE)
            return result;
    }
    return COLOSSUS_STREAM_DONE;
}

void colossus_stream_close(struct colossus_stream *stream)
{
    if (stream->fd >= 0)
        close(stream->fd);
    free(stream->input);
    *stream = (struct colossus_stream){.fd = -1};
}
