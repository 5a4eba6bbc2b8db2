#include "server/quota.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

#define SECOND      INT64_C(1000000000)
#define MILLISECOND INT64_C(1000000)

// By a refusal. A tenant that has refusals of a millisecond behind it is looked at again when they have
// passed.
#define HELD_FOR (MILLISECOND / 10)

enum { SPARE_TENANTS = 16 };

void quota_free(struct quota *quota)
{
    free(quota->tenants);
    *quota = (struct quota){0};
}

static struct tenant_quota *quota_of(struct quota *quota, uint32_t tenant)
{
    if (tenant >= quota->count) {
        size_t count = (size_t)tenant + SPARE_TENANTS;
        quota->tenants = memory_resize(quota->tenants, count, sizeof(*quota->tenants));
        memset(quota->tenants + quota->count, 0, (count - quota->count) * sizeof(*quota->tenants));
        quota->count = count;
    }
    return &quota->tenants[tenant];
}

bool quota_take(struct quota *quota, uint32_t tenant, const struct rate_limit *limit, int64_t now,
                int64_t *retry_after_ms)
{
    if (limit->per_second == 0) {
        return true;
    }
    struct tenant_quota *its = quota_of(quota, tenant);
    int64_t each = SECOND / limit->per_second;
    int64_t full_at = (its->full_at > now ? its->full_at : now) + each;
    int64_t ahead = full_at - now - each * limit->burst;
    if (ahead > 0) {
        its->held_until = (its->held_until > now ? its->held_until : now) + HELD_FOR;
        *retry_after_ms = (ahead + MILLISECOND - 1) / MILLISECOND;
        return false;
    }
    its->full_at = full_at;
    return true;
}

bool quota_is_held(struct quota *quota, uint32_t tenant, int64_t now)
{
    return quota_of(quota, tenant)->held_until > now + MILLISECOND;
}

void quota_begin_turn(struct quota *quota)
{
    quota->turn++;
}

// Takes off what the turns since the last one have given.
static struct tenant_quota *quota_in_turn(struct quota *quota, uint32_t tenant, int64_t share)
{
    struct tenant_quota *its = quota_of(quota, tenant);
    uint64_t turns = quota->turn - its->turn;
    its->used = turns > (uint64_t)(its->used / share) ? 0 : its->used - (int64_t)turns * share;
    its->turn = quota->turn;
    return its;
}

int64_t quota_left(struct quota *quota, uint32_t tenant, int64_t share)
{
    return share - quota_in_turn(quota, tenant, share)->used;
}

void quota_use(struct quota *quota, uint32_t tenant, int64_t requests, int64_t share)
{
    quota_in_turn(quota, tenant, share)->used += requests;
}
