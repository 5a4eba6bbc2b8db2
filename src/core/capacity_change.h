// What holds for every change of a pool's capacity, whether it came in a manifest or by itself.
#ifndef COLOSSUS_CORE_CAPACITY_CHANGE_H
#define COLOSSUS_CORE_CAPACITY_CHANGE_H

#include "base/json.h"
#include "core/row.h"
#include <stdbool.h>
#include <stddef.h>

// What a pool gains, and what it loses, may add up to no more than this in any hour, so that no order of
// applying changes can leave the range of 32 bits.
#define CAPACITY_GPUS_MAX 1000000000

enum capacity_fault {
    CAPACITY_SOUND,
    CAPACITY_BELOW_ZERO,
    CAPACITY_TOO_MUCH,
};

// Is a pool's capacity, with `added` beside its present changes, at least 0 and within bounds in every hour?
// If not, *where is the first hour in which it isn't.
enum capacity_fault capacity_check(const struct capacity_change_row *present, size_t present_count,
                                   const struct capacity_change_row *added, size_t added_count,
                                   struct hour *where);

// The sum of the changes that count in an hour, and until when it stays so (at most *until as given).
int64_t capacity_at(const struct capacity_change_row *changes, size_t count, struct hour hour,
                    struct hour *until);

// The members of a change: id, pool, kind, gpus (positive), start, end (or null), note, base.
void capacity_change_write(struct json *json, const char *pool, const struct capacity_change_row *change);

#endif
