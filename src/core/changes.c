#include "core/changes.h"

#include "base/memory.h"
#include "core/row.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_HOURS = 64 };

void changes_span(struct changes *changes, struct hour start, struct hour end)
{
    if (changes->blocks != NULL)
        return;
    assert(end.number > start.number);
    changes->start = start;
    changes->block_count = ((size_t)(end.number - start.number) + BLOCK_HOURS - 1) / BLOCK_HOURS;
    changes->blocks = memory_allocate(changes->block_count, sizeof *changes->blocks);
}

void changes_free(struct changes *changes)
{
    for (size_t i = 0; i < changes->block_count; i++)
        free(changes->blocks[i].changes);
    free(changes->blocks);
    *changes = (struct changes){0};
}

// Where an hour's bit and change are.
struct place {
    struct change_block *block;
    uint64_t bit;
    size_t index;
};

static struct place find(const struct changes *changes, struct hour hour)
{
    assert(hour.number >= changes->start.number);
    size_t offset = (size_t)(hour.number - changes->start.number);
    assert(offset / BLOCK_HOURS < changes->block_count);
    struct change_block *block = &changes->blocks[offset / BLOCK_HOURS];
    uint64_t bit = UINT64_C(1) << offset % BLOCK_HOURS;
    return (struct place){block, bit, (size_t)__builtin_popcountll(block->present & (bit - 1))};
}

static size_t count(const struct change_block *block)
{
    return (size_t)__builtin_popcountll(block->present);
}

static void insert(const struct place *place, int64_t by)
{
    struct change_block *block = place->block;
    size_t held = count(block);
    bool is_full = (held & (held - 1)) == 0; // none, or a power of two
    if (is_full)
        block->changes = memory_resize(block->changes, held == 0 ? 1 : 2 * held, sizeof *block->changes);
    int64_t *change = block->changes + place->index;
    memmove(change + 1, change, (held - place->index) * sizeof *change);
    *change = by;
    block->present |= place->bit;
}

static void take_out(const struct place *place)
{
    struct change_block *block = place->block;
    int64_t *change = block->changes + place->index;
    memmove(change, change + 1, (count(block) - place->index - 1) * sizeof *change);
    block->present &= ~place->bit;
    if (block->present == 0) {
        free(block->changes);
        block->changes = NULL;
    }
}

void changes_add(struct changes *changes, struct hour hour, int64_t by)
{
    struct place place = find(changes, hour);
    if (by == 0)
        return;
    if ((place.block->present & place.bit) == 0) {
        insert(&place, by);
        return;
    }
    place.block->changes[place.index] += by;
    if (place.block->changes[place.index] == 0)
        take_out(&place);
}

int64_t changes_take(struct changes *changes, struct hour hour)
{
    struct place place = find(changes, hour);
    if ((place.block->present & place.bit) == 0)
        return 0;
    int64_t by = place.block->changes[place.index];
    take_out(&place);
    return by;
}

struct hour changes_next(const struct changes *changes, struct hour hour)
{
    size_t first =
        hour.number < changes->start.number ? 0 : (size_t)(hour.number - changes->start.number) + 1;
    uint64_t wanted = UINT64_MAX << first % BLOCK_HOURS;
    for (size_t i = first / BLOCK_HOURS; i < changes->block_count; i++) {
        uint64_t found = changes->blocks[i].present & wanted;
        if (found != 0)
            return (struct hour){changes->start.number + (int32_t)(i * BLOCK_HOURS) + __builtin_ctzll(found)};
        wanted = UINT64_MAX;
    }
    return HOUR_NEVER;
}
