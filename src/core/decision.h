// What deciding a request gives: the verdict, why, the rows to be written, and what the reply shows.
//
// A decision and all it points at live in the arena it was made in.
#ifndef COLOSSUS_CORE_DECISION_H
#define COLOSSUS_CORE_DECISION_H

#include "core/request.h"
#include "core/row.h"

// The values are the JSON-RPC error codes of the protocol.
enum verdict {
    VERDICT_DONE = 0,
    VERDICT_INVALID_PARAMS = -32602,
    VERDICT_FORBIDDEN = 1002,
    VERDICT_NOT_FOUND = 1003,
    VERDICT_CONFLICT = 1004,
    VERDICT_INVALID_STATE = 1005,
    VERDICT_CAPACITY_EXCEEDED = 1006,
    VERDICT_COMMITMENT_EXCEEDED = 1007,
    VERDICT_NO_CONTRACT = 1008,
    VERDICT_TENANT_SUSPENDED = 1009,
    VERDICT_EXPIRED = 1010,
    VERDICT_AMOUNT_OVERFLOW = 1014,
    VERDICT_INVALID_MANIFEST = 1015,
    VERDICT_NO_RATE = 1017,
};

struct interruption {
    int64_t reservation;
    struct hour start, end;
    int32_t gpus;
};

// Only the members of the verdict at hand mean anything.
struct refusal {
    const char *message; // one sentence in words that help; a literal or in the arena
    int32_t leg;         // from 0; −1 when the request had no legs
    // capacity_exceeded
    int32_t free;
    struct hour first_short;
    bool has_next_start;
    struct hour next_start;
    struct hour searched_until;
    int64_t missing_watts; // above 0 when it is the site's power that does not suffice
    const char *pool;
    // commitment_exceeded
    const char *contract;
    struct hour period_start;
    struct amount available;
    struct amount needed;
    int64_t max_gpus;
    // no_contract and no_rate: the first hour that has none
    struct hour first_uncovered;
    // invalid_state
    enum reservation_state state;
    // invalid_manifest: "contracts[2].periods[1].start"; invalid_params and conflict: the member's name
    const char *path;
};

// A reservation as it is, or will be: the row and its slices.
struct reservation_image {
    struct reservation_row row;
    const struct slice_row *slices; // ordered by number
    int32_t slice_count;
};

// A reservation in a reply.
struct outcome {
    struct reservation_image image;
    struct amount added, released, fee; // of this decision; gross
};

struct decision {
    enum verdict verdict;
    struct refusal refusal;
    bool dry_run;
    bool replayed;

    // What to apply and to commit, in order. Empty for a refusal, a replay and a dry run is never applied.
    struct row *rows;
    size_t row_count;

    // Reservation requests: one outcome, or a group's. A replay of something no longer in the book has none:
    // replay_thing names it, and the caller reads it from the ledger.
    struct outcome *outcomes;
    size_t outcome_count;
    int64_t group; // 0 when single
    int64_t replay_thing;
    int64_t replay_event;

    // Other requests: the result as JSON members ("\"tenant\":\"x\",\"suspended\":true"), to be put into the
    // result object.
    const char *result;
    size_t result_length;
};

#endif
