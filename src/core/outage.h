// Outages that were reported without an end.
//
// How long such an outage lasts nobody knows, so it cuts a rolling window: the next 24 hours, from its start
// or from the running hour on. While it is open each whole hour cuts one more, as a timed decision with its
// own interruptions. It is closed by the same change with an end: what was cut beyond the end goes back to
// the pool, or the hours up to it that were not cut yet are. What was interrupted stays so; the hours that
// are back are free for everyone, those that wait first.
//
// An outage takes what the pool has in an hour, at most its GPUs: other changes made meanwhile may have left
// less. In the ledger it is the change that opened it, which says what was reported, its cuts, what was given
// back of them, and the change that closed it; only the cuts and what was given back count.
#ifndef COLOSSUS_CORE_OUTAGE_H
#define COLOSSUS_CORE_OUTAGE_H

#include "base/arena.h"
#include "core/builder.h"

// How many hours ahead an outage cuts.
#define OUTAGE_HOURS HOURS_PER_DAY

// Is the change an outage without an end?
bool outage_is_open(enum capacity_kind kind, struct hour end);

// The hour up to which an outage cuts at an instant.
struct hour outage_reach(struct hour start, struct instant at);

// A list of changes in an arena.
struct change_list {
    struct capacity_change_row *rows;
    size_t count, capacity;
};

void change_list_add(struct change_list *list, struct arena *arena, const struct capacity_change_row *change);

// Adds the cuts of an outage in [from, to), one after the other and without a gap: what the pool has by two
// lists of changes, at most the outage's GPUs, and 0 where it has none. Their ids and events are to come.
void outage_cut(const struct capacity_change_row *outage, const struct change_list *present,
                const struct change_list *added, struct hour from, struct hour to, struct arena *arena,
                struct change_list *cuts);

// What an outage has taken from its pool, given back what was: the rectangles in the order of time.
void outage_taken(const struct book *book, const struct outage *outage, struct hour from, struct hour to,
                  struct arena *arena, struct change_list *taken);

// The members of an outage: those of a change, with the end by which it was closed, and how far it cuts.
void outage_write(struct json *json, const char *pool, const struct outage *outage);

// The oldest open outage of the pool with these GPUs (signed) and this start, or NULL.
const struct outage *outage_find(const struct book *book, uint32_t pool, int32_t gpus, struct hour start);

// The hour at which the next one is cut.
struct hour outage_next_cut(const struct outage *outage);

// Cuts what is due of an open outage: a timed decision.
void decide_outage(struct builder *builder, int64_t id);

// Is that still to be done at that instant?
bool outage_is_due(const struct book *book, int64_t id, struct instant at);

#endif
