// The manifest as typed values: what the wire reads, the core applies, and an export writes.
//
// Texts and arrays belong to the arena they were read into. Whatever the schema alone can say has been
// checked by the reader (types, ranges, names' characters, amounts, hours, unknown members); whatever needs
// the book is checked when it is applied.
#ifndef COLOSSUS_CORE_MANIFEST_H
#define COLOSSUS_CORE_MANIFEST_H

#include "core/row.h"

struct manifest_step {
    struct hour from;
    int64_t value; // watts or GPUs
};

struct manifest_rate {
    struct hour from;
    bool has[TIER_COUNT];
    struct amount price[TIER_COUNT];
};

// A dated change beside the absolute steps, as capacity.change makes it; an export writes them.
struct manifest_change {
    enum capacity_kind kind;
    int32_t gpus;           // positive; the kind gives the sign
    struct hour start, end; // HOUR_NEVER when open
    const char *note;
};

struct manifest_site {
    const char *site;
    const char *note;
    struct manifest_step *power;
    size_t power_count;
};

struct manifest_pool {
    const char *pool; // "site/name"; the site is what stands before the first slash
    const char *gpu;
    const char *note;
    int32_t unit;
    int64_t watts_per_gpu; // 0 when left out
    struct manifest_step *capacity;
    size_t capacity_count;
    struct manifest_rate *rates;
    size_t rate_count;
    struct manifest_change *changes;
    size_t change_count;
};

struct manifest_tenant {
    const char *tenant;
    const char *name; // NULL when left out
    const char *note;
    bool has_uids;
    uint32_t *uids;
    size_t uid_count;
    bool has_suspended, suspended; // an export writes it when true
    bool has_rate_limit;           // the same, when there is one
    struct rate_limit rate_limit;
};

struct manifest_period {
    struct hour start;
    struct amount commit;
};

struct manifest_price {
    const char *pool;
    enum tier tier;
    struct amount price;
};

struct manifest_contract {
    const char *contract;
    const char *tenant;
    const char *note;
    struct hour start, end;
    const char **pools; // the scope; none: all pools
    size_t pool_count;
    struct manifest_period *periods; // when terms.annual is false
    size_t period_count;
    struct manifest_price *prices;
    size_t price_count;
    struct contract_terms_row terms; // its contract, version and event are not set
};

struct manifest {
    const char *note;
    bool has_operator_uids;
    uint32_t *operator_uids;
    size_t operator_uid_count;
    struct manifest_site *sites;
    size_t site_count;
    struct manifest_pool *pools;
    size_t pool_count;
    struct manifest_tenant *tenants;
    size_t tenant_count;
    struct manifest_contract *contracts;
    size_t contract_count;
};

#endif
