// What the decisions on reservations have in common: the rows that a planned change of one comes down to, and
// its outcome.
#ifndef COLOSSUS_CORE_ALTER_H
#define COLOSSUS_CORE_ALTER_H

#include "core/plan.h"

// Adds the rows of a new reservation, or of one that changes to `row`, with the plan's slices, an event of
// this type, and the transfers; and adds its outcome to the decision. `before` is NULL for a new one. A fee
// is waived when `waive_fee`, with the reason on the event. Returns the event's seq.
int64_t alter_reservation(struct builder *builder, const struct reservation_image *before,
                          struct reservation_row *row, const struct plan *plan, const char *event_type,
                          bool waive_fee, const char *reason);

// Adds the event and the row of a start or an end, which moves the state and nothing else, as of its instant.
void alter_lifecycle(struct builder *builder, int64_t id, struct instant at, enum reservation_state state);

// Room for the decision's outcomes, before the first is added.
void alter_expect(struct builder *builder, size_t outcomes);

// Was the request decided before, under the same client_ref? Then the decision is its replay (the thing as it
// is now, from the book, or named so that the caller reads it from the ledger) or a conflict, and nothing is
// left to decide.
bool alter_replayed(struct builder *builder, uint32_t scope, const struct request *request,
                    struct fingerprint fingerprint);

// Does what a plan adds fit into the pool? `leg` is −1 for none; with next_start when the request as a whole
// could start later.
void check_capacity(struct builder *builder, const struct plan *plan, const char *pool, int32_t leg,
                    bool may_move);

// Do the plan's sums fit into the authority of their periods, beside what was planned before in this
// decision? Remembers what they take.
struct spending {
    struct builder *builder;
    struct spent {
        uint32_t period;
        int64_t micro; // net
    } * spent;
    size_t count, capacity;
    const struct plan *plan; // the one being checked
};
void check_commitment(struct spending *spending, const struct plan *plan, int32_t unit, int32_t gpus,
                      int32_t leg);

// Does it fit? As check_commitment, without refusing or remembering.
bool commitment_fits(struct spending *spending, const struct plan *plan);

#endif
