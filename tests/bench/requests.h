// Requests as bytes, made before the measuring begins.
//
// What differs from one sending to the next has a fixed width, so that it is only written over when a request
// is sent: the number that is its id and, of a booking, the end of its client_ref (ten digits); and what a
// cancel, a change or a get names, a reservation and its tenant, which is known only when its booking has
// been answered. So a ring of requests can be gone through again and again, and each sending is a new
// request.
#ifndef COLOSSUS_BENCH_REQUESTS_H
#define COLOSSUS_BENCH_REQUESTS_H

#include "base/buffer.h"
#include "base/hour.h"
#include <stddef.h>
#include <stdint.h>

enum { NUMBER_DIGITS = 10 };
#define NUMBER_FIRST INT64_C(1000000000)

enum request_use {
    USE_NOTHING,
    USE_MAKES, // its reply names a reservation that others may use
    USE_READS, // names one that stays
    USE_TAKES, // names one that no other may name after it
};

struct prepared {
    size_t begin, length; // the line with its newline
    // Places in the line; 0 for none.
    size_t number, reference, reservation, tenant;
    enum request_use use;
    int code;             // of the error that it must be answered with; 0: a result
    const char *in_reply; // must be found in each reply; NULL: anything
};

struct requests {
    struct buffer text;
    struct prepared *all;
    size_t count, capacity;
};

enum requests_kind {
    REQUESTS_BOOKINGS,
    REQUESTS_MIX, // 60 % bookings, 15 % cancels, 10 % changes, 5 % get, 5 % list, 5 % dry runs
    REQUESTS_REFUSED,
    REQUESTS_CALENDAR,
    REQUESTS_COMMITMENT,
};

// `run` tells this run's client_refs from those of others on the same ledger.
void requests_make(struct requests *requests, enum requests_kind kind, size_t count, struct hour from,
                   uint32_t run, uint64_t seed);
void requests_free(struct requests *requests);

#endif
