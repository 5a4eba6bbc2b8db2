// The work of applying one manifest, shared by the files that decide its parts.
//
// decide_manifest.c does the sites, the pools' own lines and the rates and leads the rest;
// decide_manifest_capacity.c, decide_manifest_tenant.c and decide_contract.c do theirs. Each part compares
// what the manifest says with the book and adds events and rows for what differs, or refuses with the path of
// what is wrong. Ids of what is new follow those of the book, so a later part can name what an earlier one
// adds.
#ifndef COLOSSUS_CORE_MANIFEST_APPLY_H
#define COLOSSUS_CORE_MANIFEST_APPLY_H

#include "core/builder.h"
#include "core/manifest.h"

// Where an added contract applies, to be compared with later ones.
struct added_contract {
    const char *name;
    uint32_t tenant;
    struct hour start, end;
    const uint32_t *pools; // none: all
    size_t pool_count;
};

struct manifest_apply {
    struct builder *builder;
    const struct book *book;
    const struct manifest *manifest;
    struct name_map sites, pools, tenants, contracts; // the ids of all that the manifest lists
    uint32_t next_site, next_pool, next_tenant, next_contract, next_period, next_account;
    struct added_contract *added_contracts; // room for all of the manifest's
    size_t added_contract_count;
    struct fingerprint_map uids; // each uid listed: its owner + 1
    struct buffer changes;       // the JSON array of what was added or changed
    struct json changes_json;
    bool changed;
    int64_t first_event;
};

// "pools[3].capacity[0].gpus"; inner and member may be NULL.
const char *manifest_path(struct manifest_apply *apply, const char *list, size_t index, const char *inner,
                          size_t inner_index, const char *member);
void manifest_refuse(struct manifest_apply *apply, const char *path, const char *message);

// Gives the thing that a manifest lists its id: the book's, or *next for a new one (then *is_new). 0 after
// refusing a name that was listed before.
uint32_t manifest_identify(struct manifest_apply *apply, struct name_map *names, const char *name,
                           uint32_t known, uint32_t *next, const char *path, bool *is_new);

// The id of a name in the manifest or in the book; 0 when it is in neither.
uint32_t manifest_pool_id(const struct manifest_apply *apply, const char *name);
uint32_t manifest_tenant_id(const struct manifest_apply *apply, const char *name);

// Adds an event for what the builder's text says, and what is shown of it in the reply.
int64_t manifest_event(struct manifest_apply *apply, const char *type, uint32_t tenant);
void manifest_changed(struct manifest_apply *apply, bool added, const char *what, const char *name);

// A note as it is from now on, in the arena: one that is left out stays.
const char *manifest_note(struct manifest_apply *apply, const char *listed, const char *present);
// Does the manifest give another text? One that is left out gives none.
bool manifest_text_differs(const char *listed, const char *present);

void manifest_apply_capacity(struct manifest_apply *apply, size_t index, uint32_t pool);
void manifest_check_power(struct manifest_apply *apply); // when sites and pools are done
void manifest_apply_tenants(struct manifest_apply *apply);
void manifest_apply_contract(struct manifest_apply *apply, size_t index);

#endif
