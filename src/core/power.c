#include "core/power.h"

#include "base/memory.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct power {
    struct hour origin;
    int32_t hours;
    int64_t *used;
};

struct power *power_create(struct hour origin, int32_t hours)
{
    struct power *power = memory_allocate(1, sizeof *power);
    power->origin = origin;
    power->hours = hours;
    power->used = memory_allocate((size_t)hours, sizeof *power->used);
    return power;
}

void power_destroy(struct power *power)
{
    if (power == NULL)
        return;
    free(power->used);
    free(power);
}

struct hour power_end(const struct power *power)
{
    return (struct hour){power->origin.number + power->hours};
}

void power_advance(struct power *power, struct hour origin)
{
    assert(origin.number >= power->origin.number);
    int32_t gone = origin.number - power->origin.number;
    int32_t kept = gone < power->hours ? power->hours - gone : 0;
    memmove(power->used, power->used + (power->hours - kept), (size_t)kept * sizeof *power->used);
    memset(power->used + kept, 0, (size_t)(power->hours - kept) * sizeof *power->used);
    power->origin = origin;
}

void power_add(struct power *power, struct hour start, struct hour end, int64_t watts)
{
    int32_t first = start.number > power->origin.number ? start.number - power->origin.number : 0;
    int64_t last = (int64_t)end.number - power->origin.number;
    last = last < power->hours ? last : power->hours;
    for (int64_t i = first; i < last; i++)
        power->used[i] += watts;
}

int64_t power_used(const struct power *power, struct hour hour)
{
    assert(hour.number >= power->origin.number && hour.number < power_end(power).number);
    return power->used[hour.number - power->origin.number];
}

void power_step(const struct power *power, struct hour from, struct hour *until)
{
    assert(from.number >= power->origin.number && from.number < until->number &&
           until->number <= power_end(power).number);
    const int64_t *used = power->used + (from.number - power->origin.number);
    // So many hours from the first one on are alike when each is like the one after it.
    size_t low = 1, high = (size_t)(until->number - from.number);
    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        if (memcmp(used, used + 1, (middle - 1) * sizeof *used) == 0)
            low = middle;
        else
            high = middle - 1;
    }
    until->number = from.number + (int32_t)low;
}

int64_t envelope_at(const struct site_power_row *steps, size_t count, struct hour hour, struct hour *until)
{
    int64_t watts = POWER_UNLIMITED;
    for (size_t i = 0; i < count; i++) {
        if (steps[i].start.number > hour.number) {
            if (steps[i].start.number < until->number)
                *until = steps[i].start;
            break;
        }
        watts = steps[i].watts;
    }
    return watts;
}
