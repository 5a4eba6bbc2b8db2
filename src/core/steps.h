// A step function of time, kept as its jumps.
//
// What a pool's capacity is over time follows from dated changes; comparing two such functions, or finding
// where one falls below zero, is done on their jumps, sorted by hour. Adding a jump costs a search and a
// move of what lies after it; changes come mostly in the order of time, so little is moved. A jump of 0 is
// kept: it marks a step that was stated.
#ifndef COLOSSUS_CORE_STEPS_H
#define COLOSSUS_CORE_STEPS_H

#include "base/hour.h"
#include <stddef.h>
#include <stdint.h>

struct step_jump {
    struct hour at;
    int64_t by;
};

// A zeroed struct steps is 0 everywhere.
struct steps {
    struct step_jump *jumps; // by hour, each hour at most once
    size_t count, capacity;
};

void steps_free(struct steps *steps);

// From `at` on the function is `by` more.
void steps_jump(struct steps *steps, struct hour at, int64_t by);

// In [start, end) it is `by` more; HOUR_NEVER as an end means for ever.
void steps_add(struct steps *steps, struct hour start, struct hour end, int64_t by);

// From `at` to the next jump it is `value`; later values stay as they were.
void steps_set(struct steps *steps, struct hour at, int64_t value);

// Everywhere less what `other` is.
void steps_subtract(struct steps *steps, const struct steps *other);

#endif
