// One size of the benchmark: its seeded ledger, and daemons on copies of it.
//
//     stage_make      makes the seeded ledger
//     stage_open      starts a daemon on a fresh copy of it
//     stage_measure   puts load on that daemon, as often as one likes
//     stage_close     stops the daemon
//     stage_remove    removes the ledgers
#ifndef COLOSSUS_BENCH_STAGE_H
#define COLOSSUS_BENCH_STAGE_H

#include "base/hour.h"
#include "daemon.h"
#include "load.h"
#include "peer.h"
#include "requests.h"
#include "settings.h"
#include <limits.h>
#include <stdint.h>

struct stage {
    const struct settings *settings;
    int64_t live;
    struct hour from;      // in which the ledger was made
    char seeded[PATH_MAX]; // its folder, and the ledger in it
    char ledger[PATH_MAX];
    struct daemon daemon;
    uint32_t runs;     // so far, so that no client_ref is used twice
    double peak;       // bookings a second, the most that was seen; 0: not measured
    struct peer *peer; // beside it, filled when it is first needed; NULL: none
};

struct shape {
    enum requests_kind kind;
    int connections, depth;
    double rate; // 0: closed loop
    double seconds;
    void (*watch)(void *context);
    void *context;
};

struct measured {
    struct load_result load;
    double a_batch;                            // requests answered for each batch; 0 when none was made
    double daemon_processors, load_processors; // that were busy, on average
};

void stage_make(struct stage *stage, const struct settings *settings, struct peer *peer, int64_t live);

// Gives the seconds from the start of the daemon's process to its first answer.
double stage_open(struct stage *stage);
void stage_measure(struct stage *stage, const struct shape *shape, struct measured *measured);
void stage_close(struct stage *stage);

// A copy of the seeded ledger that may be written to, until the next daemon or the next copy.
const char *stage_copy(struct stage *stage);

void stage_remove(struct stage *stage);

#endif
