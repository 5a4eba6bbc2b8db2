#include "core/steps.h"

#include "base/memory.h"
#include "core/row.h"
#include <stdlib.h>
#include <string.h>

void steps_free(struct steps *steps)
{
    free(steps->jumps);
    *steps = (struct steps){0};
}

// The first jump at or after the hour.
static size_t place_of(const struct steps *steps, struct hour at)
{
    size_t low = 0, high = steps->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (steps->jumps[middle].at.number < at.number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void steps_jump(struct steps *steps, struct hour at, int64_t by)
{
    size_t place = place_of(steps, at);
    if (place < steps->count && steps->jumps[place].at.number == at.number) {
        steps->jumps[place].by += by;
        return;
    }
    steps->jumps = memory_grow(steps->jumps, steps->count, &steps->capacity, sizeof *steps->jumps);
    memmove(&steps->jumps[place + 1], &steps->jumps[place], (steps->count - place) * sizeof *steps->jumps);
    steps->jumps[place] = (struct step_jump){.at = at, .by = by};
    steps->count++;
}

void steps_add(struct steps *steps, struct hour start, struct hour end, int64_t by)
{
    steps_jump(steps, start, by);
    if (end.number != HOUR_NEVER.number)
        steps_jump(steps, end, -by);
}

void steps_set(struct steps *steps, struct hour at, int64_t value)
{
    steps_jump(steps, at, 0);
    size_t place = place_of(steps, at);
    int64_t present = 0;
    for (size_t i = 0; i <= place; i++)
        present += steps->jumps[i].by;
    steps->jumps[place].by += value - present;
    if (place + 1 < steps->count)
        steps->jumps[place + 1].by -= value - present;
}

void steps_subtract(struct steps *steps, const struct steps *other)
{
    for (size_t i = 0; i < other->count; i++)
        steps_jump(steps, other->jumps[i].at, -other->jumps[i].by);
}
