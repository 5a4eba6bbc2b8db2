// The load generator: one thread, epoll, some connections to the daemon's socket, some requests in flight on
// each.
//
// Closed loop: a request is sent when a reply has come, and its latency begins with its sending. Open loop:
// requests are due evenly at a rate, whatever the replies do, and a latency begins when its request was due,
// not when it could be sent: so a stall counts for all that came due in it (the correction for coordinated
// omission).
//
// Every reply is looked at: replies of a connection must come in the order of its requests, each with its id
// and with the result or the error that was expected. Another one ends the benchmark, with the reply shown.
#ifndef COLOSSUS_BENCH_LOAD_H
#define COLOSSUS_BENCH_LOAD_H

#include "histogram.h"
#include "requests.h"
#include "targets.h"
#include <stdint.h>

struct load {
    const char *socket;
    int connections;
    int depth;      // closed loop: in flight on each connection
    double rate;    // open loop: requests a second; 0: closed loop
    double seconds; // measured, after the warm-up
    const struct requests *requests;
    struct targets *targets; // for requests that name reservations; else NULL
    // Called about every ten milliseconds, when it is given.
    void (*watch)(void *context);
    void *context;
};

struct load_result {
    double per_second;
    struct histogram latencies;
    int64_t answered;         // all of them, with those of the warm-up and the end
    double processor_seconds; // of the generator, with the warm-up
};

void load_run(const struct load *load, struct load_result *result);

#endif
