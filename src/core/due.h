// What is due when: a priority queue of timed decisions.
//
// Entries come out by time, then by kind in the fixed order of one instant, then by id, so that the order
// does not depend on how they came in. An entry is never taken out before its time: whoever takes it checks
// whether it still means anything (a hold that was confirmed has left its expiry behind). Adding and taking
// cost O(log n).
#ifndef COLOSSUS_CORE_DUE_H
#define COLOSSUS_CORE_DUE_H

#include "base/hour.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// In the order in which they are decided at one instant.
enum due_kind {
    DUE_EXPIRY,     // a reservation that is held or waits
    DUE_END,        // a reservation
    DUE_OUTAGE,     // an outage that is open: the id of the change that opened it
    DUE_DELIVERY,   // a period: what it is delivered an hour changes
    DUE_MONTH_END,  // a contract
    DUE_CLOSE,      // a period
    DUE_START,      // a reservation
    DUE_INSTALMENT, // a period
};

struct due {
    struct instant at;
    uint64_t order; // kind in the highest byte, id below
};

struct due_queue {
    struct due *entries;
    size_t count, capacity;
};

static inline enum due_kind due_kind(struct due due)
{
    return (enum due_kind)(due.order >> 56);
}

static inline int64_t due_id(struct due due)
{
    return (int64_t)(due.order & ((UINT64_C(1) << 56) - 1));
}

void due_add(struct due_queue *queue, struct instant at, enum due_kind kind, int64_t id);

// The first entry. The queue is not empty.
static inline struct due due_first(const struct due_queue *queue)
{
    return queue->entries[0];
}

void due_remove_first(struct due_queue *queue);
void due_free(struct due_queue *queue);

#endif
