// What the files of libcolossus share and nobody else sees.
//
//     stream.c   bytes: waits, deadlines, lines
//     request.c  requests and replies as JSON
//     client.c   the connection
//     code.c     the codes of errors and their kinds
//     path.c     where the socket is
#ifndef COLOSSUS_CLIENT_INTERNAL_H
#define COLOSSUS_CLIENT_INTERNAL_H

#include <colossus.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

// A connected socket and what has come in and was not taken yet.
struct colossus_stream {
    int fd; // non-blocking
    char *input;
    size_t taken, scanned, length, capacity; // taken <= scanned <= length <= capacity
};

enum colossus_stream_result {
    COLOSSUS_STREAM_DONE,
    COLOSSUS_STREAM_CLOSED, // the daemon closed the connection
    COLOSSUS_STREAM_TIMED_OUT,
    COLOSSUS_STREAM_TOO_LARGE, // a line is longer than COLOSSUS_REPLY_BYTES_MOST
    COLOSSUS_STREAM_NO_MEMORY,
    COLOSSUS_STREAM_FAILED, // errno says why
};

// Milliseconds of the monotonic clock at which a wait of timeout_ms from now ends; negative for never.
int64_t colossus_deadline(int timeout_ms);

// Sends all bytes, taking in what arrives meanwhile so that neither side waits for the other for ever. *sent
// is how many bytes were handed to the kernel, whatever the result.
enum colossus_stream_result colossus_stream_write(struct colossus_stream *stream, const char *bytes,
                                                  size_t length, int64_t deadline, size_t *sent);

// Waits for a line. It has no newline, lies in the input and is good until the next call.
enum colossus_stream_result colossus_stream_read_line(struct colossus_stream *stream, int64_t deadline,
                                                      const char **line, size_t *length);

void colossus_stream_close(struct colossus_stream *stream);

// The request as one line with its newline, to be freed; NULL when memory ran out or, with *misuse set, when
// the parameters are no JSON object.
char *colossus_request_line(int64_t id, const char *method, const char *params, size_t *length, bool *misuse,
                            char message[COLOSSUS_MESSAGE_SIZE]);

enum colossus_line_kind {
    COLOSSUS_LINE_REPLY,
    COLOSSUS_LINE_NOTIFICATION, // not a reply: to be passed over
    COLOSSUS_LINE_SENSELESS,
    COLOSSUS_LINE_NO_MEMORY,
};

// Reads a line that answers request `id`, or (as the daemon does when it could not tell which) no request in
// particular. Fills in the reply.
enum colossus_line_kind colossus_reply_read(const char *line, size_t length, int64_t id,
                                            struct colossus_reply *reply);

// Reads a line of a connection that watches: an event (COLOSSUS_LINE_NOTIFICATION, with the event as the
// result), another notification (without a result), or the daemon's last word (COLOSSUS_LINE_REPLY).
enum colossus_line_kind colossus_event_read(const char *line, size_t length, struct colossus_reply *reply);

#pragma GCC visibility pop

#endif
