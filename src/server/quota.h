// What a tenant may take of the daemon, over all its connections: of a second, by its rate limit, and of a
// turn of the loop, so that what one asks for never keeps another waiting for more than its own share.
//
//     quota_take         before each request of a tenant: may it be made now?
//     quota_is_held      is nothing more of a tenant to be looked at for a moment?
//     quota_begin_turn   at the beginning of a turn
//     quota_left         how many requests of a tenant may still be decided in this turn
//     quota_use          when some were: more than are left, when they came as one, are taken off later turns
//
// A rate limit is a bucket of tokens that fills at an even rate. It is kept as one time, at which the bucket
// was or will be full again: a request moves it on by what one token takes to come, and is refused when that
// would be further ahead than what an empty bucket takes to fill. Times are of the system's steady clock, on
// either clock of the ledger. Nothing is stored: after a restart all buckets are full.
//
// A refusal takes time as well. Each holds the tenant for as long as some ten refusals take, so that a tenant
// that goes on asking is told so ten thousand times a second at most, and costs the others a tenth of the
// loop.
#ifndef COLOSSUS_SERVER_QUOTA_H
#define COLOSSUS_SERVER_QUOTA_H

#include "core/row.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A zeroed one has full buckets.
struct quota {
    struct tenant_quota {
        int64_t full_at;    // nanoseconds
        int64_t held_until; // the same
        uint64_t turn;
        int64_t used; // of that turn, and beyond its share in turns before
    } * tenants;      // by tenant; 0 stands for all who are nobody
    size_t count;
    uint64_t turn;
};

void quota_free(struct quota *quota);

// False when the tenant has used up its limit; then *retry_after_ms says when there will be a token again.
bool quota_take(struct quota *quota, uint32_t tenant, const struct rate_limit *limit, int64_t now,
                int64_t *retry_after_ms);

bool quota_is_held(struct quota *quota, uint32_t tenant, int64_t now);

void quota_begin_turn(struct quota *quota);
int64_t quota_left(struct quota *quota, uint32_t tenant, int64_t share);
void quota_use(struct quota *quota, uint32_t tenant, int64_t requests, int64_t share);

#endif
