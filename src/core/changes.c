#include "core/changes.h"

#include "base/memory.h"
#include "core/row.h"
#include <assert.h>
#include <stdlib.h>

// Room for blocks grows by a quarter, so that little of it is unused.
enum { GROWTH_DIVISOR = 4, FIRST_BLOCKS = 4 };

void changes_span(struct changes *changes, struct hour start, struct hour end)
{
    if (changes->places != NULL)
        return;
    assert(end.number > start.number);
    changes->start = start;
    changes->span_blocks =
        ((size_t)(end.number - start.number) + CHANGES_BLOCK_HOURS - 1) / CHANGES_BLOCK_HOURS;
    changes->places = memory_allocate(changes->span_blocks, sizeof *changes->places);
}

void changes_free(struct changes *changes)
{
    free(changes->places);
    free(changes->blocks);
    *changes = (struct changes){0};
}

static size_t offset_of(const struct changes *changes, struct hour hour)
{
    assert(hour.number >= changes->start.number);
    size_t offset = (size_t)(hour.number - changes->start.number);
    assert(offset / CHANGES_BLOCK_HOURS < changes->span_blocks);
    return offset;
}

static void add_block(struct changes *changes, size_t index)
{
    if (changes->count == changes->capacity) {
        size_t grown = changes->capacity + changes->capacity / GROWTH_DIVISOR + FIRST_BLOCKS;
        changes->capacity = grown < changes->span_blocks ? grown : changes->span_blocks;
        changes->blocks = memory_resize(changes->blocks, changes->capacity, sizeof *changes->blocks);
    }
    changes->blocks[changes->count++] = (struct change_block){0};
    changes->places[index] = (uint32_t)changes->count;
}

void changes_add(struct changes *changes, struct hour hour, int64_t by)
{
    size_t offset = offset_of(changes, hour);
    size_t index = offset / CHANGES_BLOCK_HOURS;
    if (changes->places[index] == 0)
        add_block(changes, index);
    changes->blocks[changes->places[index] - 1].by[offset % CHANGES_BLOCK_HOURS] += by;
}

int64_t changes_take(struct changes *changes, struct hour hour)
{
    size_t offset = offset_of(changes, hour);
    uint32_t place = changes->places[offset / CHANGES_BLOCK_HOURS];
    if (place == 0)
        return 0;
    int64_t *change = &changes->blocks[place - 1].by[offset % CHANGES_BLOCK_HOURS];
    int64_t by = *change;
    *change = 0;
    return by;
}

struct hour changes_next(const struct changes *changes, struct hour hour)
{
    size_t offset =
        hour.number < changes->start.number ? 0 : (size_t)(hour.number - changes->start.number) + 1;
    size_t first = offset % CHANGES_BLOCK_HOURS;
    for (size_t i = offset / CHANGES_BLOCK_HOURS; i < changes->span_blocks; i++) {
        for (size_t j = first; changes->places[i] != 0 && j < CHANGES_BLOCK_HOURS; j++)
            if (changes->blocks[changes->places[i] - 1].by[j] != 0)
                return (struct hour){changes->start.number + (int32_t)(i * CHANGES_BLOCK_HOURS + j)};
        first = 0;
    }
    return HOUR_NEVER;
}
