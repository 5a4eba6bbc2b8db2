// What can be asked of the book to change it, in typed form. Reads are functions of book.h.
//
// Names are still names: resolving them is part of deciding, so that an unknown one is refused in the right
// order. All texts belong to the caller and need to live only until the decision is made (a decision copies
// what it keeps into its arena).
#ifndef COLOSSUS_CORE_REQUEST_H
#define COLOSSUS_CORE_REQUEST_H

#include "core/manifest.h"
#include "core/row.h"

enum role { ROLE_ANONYMOUS, ROLE_TENANT, ROLE_OPERATOR };

struct actor {
    enum role role;
    uint32_t tenant;  // for ROLE_TENANT
    const char *name; // as events show it: "uid:1001", "token:gateway"
};

enum request_kind {
    REQUEST_CREATE,
    REQUEST_CREATE_GROUP,
    REQUEST_CONFIRM,
    REQUEST_CHANGE,
    REQUEST_CANCEL,
    REQUEST_MANIFEST_APPLY,
    REQUEST_CAPACITY_CHANGE,
    REQUEST_TENANT_SUSPEND,
    REQUEST_TENANT_RESUME,
    REQUEST_TOKEN_CREATE,
    REQUEST_TOKEN_REVOKE,
    REQUEST_BACKUP,        // recorded as an event; the copy is the server's work
    REQUEST_CLOCK_ADVANCE, // recorded as an event; the clock is the server's
};

struct leg {
    const char *pool;
    int64_t gpus;
    struct hour start;
    struct hour end; // start + hours has been resolved
    enum tier tier;
    const char *project; // may be NULL
    const char *note;    // may be NULL
};

// By which offers are ranked.
enum offer_order { OFFER_EARLIEST, OFFER_CHEAPEST };

// How many legs a group has at least and at most.
#define LEGS_MIN 2
#define LEGS_MAX 64

struct create_request {
    struct leg *legs; // one, or 2 to 64 for a group
    size_t leg_count;
    int64_t hold_seconds; // 0: booked at once
    bool has_wait_until;
    struct instant wait_until;
};

// A reservation or a group, by id.
struct target {
    bool is_group;
    int64_t id;
};

struct change_request {
    int64_t id;
    bool has_from, has_gpus, has_start, has_end;
    struct hour from, start, end;
    int64_t gpus;
};

struct cancel_request {
    struct target target;
    bool waive_fee;
    const char *reason; // may be NULL
};

struct capacity_change_request {
    const char *pool;
    enum capacity_kind kind;
    int64_t gpus; // positive
    struct hour start;
    struct hour end; // HOUR_NEVER when left out
    const char *note;
};

struct token_request {
    const char *label;
    bool is_operator;         // else a tenant's, named in request.tenant (for token.create)
    struct digest salt, hash; // made by the server, so that deciding needs no random number
};

struct request {
    enum request_kind kind;
    struct actor actor;
    const char *tenant;     // the member "tenant", NULL when left out
    const char *client_ref; // NULL when left out
    bool dry_run;
    union {
        struct create_request create;
        struct target confirm;
        struct change_request change;
        struct cancel_request cancel;
        const struct manifest *manifest;
        struct capacity_change_request capacity;
        const char *reason; // suspend, resume; may be NULL
        struct token_request token;
        const char *backup_name;
        struct instant advance_to;
    };
};

#endif
