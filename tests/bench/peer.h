// The peer: PostgreSQL doing the same job, as a function of its own that pgbench calls. peer.sql says how.
//
//     peer_find       once, before anything else
//     peer_fill       makes a cluster with as many live reservations as the ledger beside it has
//     peer_measure    starts its server, books, and stops it; as often as one likes
//     peer_remove     removes the cluster
//
// The server runs only within these calls, so that nothing of it disturbs what is measured beside it.
#ifndef COLOSSUS_BENCH_PEER_H
#define COLOSSUS_BENCH_PEER_H

#include "base/hour.h"
#include "cluster.h"
#include "settings.h"
#include <stdbool.h>
#include <stdint.h>

struct peer {
    struct cluster cluster;
    struct hour from; // in which the contracts begin
    int64_t live;     // 0: not filled
    uint64_t seed;
    uint32_t runs; // so far, so that no client_ref is used twice
};

struct peer_result {
    double per_second;   // bookings, each a transaction that is on the disk
    double milliseconds; // that each took on average
};

// False, after a sentence on standard error, when there is no PostgreSQL that can be used.
bool peer_find(struct peer *peer, const struct settings *settings);

void peer_fill(struct peer *peer, struct hour from, int64_t live);
void peer_measure(struct peer *peer, int clients, double seconds, struct peer_result *result);
void peer_remove(struct peer *peer);

#endif
