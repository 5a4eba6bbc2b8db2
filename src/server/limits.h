// Every limit of the daemon in one place, with its default, its range and what reaching it does.
//
// Each can be set in the config's "limits" by its name here. A limit that is reached costs only the
// connection that reached it: it gets the named error, or nothing more is read from it until it is below
// again.
#ifndef COLOSSUS_SERVER_LIMITS_H
#define COLOSSUS_SERVER_LIMITS_H

#include <stdint.h>

// LIMIT(name, default, least, most)
//
// connections           open at a time; one more is told `overloaded` and closed
// user_connections      of them, those of one user of the system who is no operator
// operator_connections  beyond `connections`, for operators alone, so that nobody can keep them out
// line_bytes            of one request; a longer one gets `too_large` and its connection is closed
// operator_line_bytes   the same on an operator's connection, for manifests
// in_flight             requests of a connection that are not yet answered, those without id among them until
//                       they are carried out; then reading stops
// output_bytes          of a connection that its client has not taken yet; then reading stops, and what
//                       is left of a batch is told `overloaded`
// ledger_reads          of a connection that wait for the ledger (lists, ended reservations); then reading
//                       stops
// calls_per_turn        requests that one tenant, or one connection of an operator, may have decided before
//                       the others have their turn; of a JSON-RPC batch, which is decided whole, what goes
//                       beyond is taken off a tenant's next turns
// batch_rows            of decisions in a batch; with the line that reaches it, deciding stops until the
//                       batch is closed
// lifecycle_per_batch   decisions on starts and ends of reservations in a batch, each of some hundreds; the
//                       rest are in the next
// wrong_tokens          at session.login; with the last of them the connection is closed
// linger_milliseconds   a connection that is being closed is still read from, so that its client can take
//                       the last reply
// shutdown_milliseconds after SIGTERM, or after a watcher was given up, for clients that don't take their
//                       replies
// watch_milliseconds    a watcher may not have taken the events it was sent, while there are more for it;
// then
//                       it is told from where it can go on, and its connection is closed
// retry_milliseconds    between attempts to reopen a ledger that failed, or to find room on a full disk
#define LIMITS(LIMIT)                                                                                        \
    LIMIT(connections, 1024, 1, 100000)                                                                      \
    LIMIT(user_connections, 256, 1, 100000)                                                                  \
    LIMIT(operator_connections, 16, 0, 100000)                                                               \
    LIMIT(line_bytes, 1048576, 1024, 67108864)                                                               \
    LIMIT(operator_line_bytes, 8388608, 1024, 67108864)                                                      \
    LIMIT(in_flight, 256, 1, 65536)                                                                          \
    LIMIT(output_bytes, 4194304, 4096, 1073741824)                                                           \
    LIMIT(ledger_reads, 4, 2, 256)                                                                           \
    LIMIT(calls_per_turn, 64, 1, 65536)                                                                      \
    LIMIT(batch_rows, 16384, 16, 1048576)                                                                    \
    LIMIT(lifecycle_per_batch, 64, 1, 65536)                                                                 \
    LIMIT(wrong_tokens, 5, 1, 100)                                                                           \
    LIMIT(linger_milliseconds, 1000, 0, 60000)                                                               \
    LIMIT(shutdown_milliseconds, 5000, 0, 600000)                                                            \
    LIMIT(watch_milliseconds, 30000, 1, 3600000)                                                             \
    LIMIT(retry_milliseconds, 1000, 10, 600000)

struct limits {
#define LIMIT(name, initial, least, most) int64_t name;
    LIMITS(LIMIT)
#undef LIMIT
};

// Not for the config: a property of the code, or of the protocol.
#define LISTEN_BACKLOG    1024
#define READ_BUFFER_BYTES 65536
#define ACCEPTED_PER_TURN 16 // connections; the others wait in the backlog
#define MEMORY_RESERVE    ((size_t)32 * 1024 * 1024)
#define SHORT_INPUT_BYTES 16384 // that a connection may have undecided while memory is short
#define LINGERING_MOST    64    // connections that are refused and yet read from for a moment
#define WATCH_PAGE_EVENTS 256   // that are read and sent to a watcher at a time
#define WATCH_PAGE_BYTES  65536 // of their data, after which no more are read
#define KEPT_BUFFER_BYTES 65536 // a buffer that grew larger is given back when it is empty
#define KEPT_SLOTS        2048  // that are free; more are given back

#endif
