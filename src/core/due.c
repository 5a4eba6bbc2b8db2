#include "core/due.h"

#include "base/memory.h"
#include <assert.h>
#include <stdlib.h>

static bool before(struct due a, struct due b)
{
    return a.at.seconds != b.at.seconds ? a.at.seconds < b.at.seconds : a.order < b.order;
}

void due_add(struct due_queue *queue, struct instant at, enum due_kind kind, int64_t id)
{
    queue->entries = memory_grow(queue->entries, queue->count, &queue->capacity, sizeof *queue->entries);
    struct due added = {.at = at, .order = ((uint64_t)kind << 56) | (uint64_t)id};
    size_t place = queue->count++;
    while (place > 0) {
        size_t parent = (place - 1) / 2;
        if (!before(added, queue->entries[parent]))
            break;
        queue->entries[place] = queue->entries[parent];
        place = parent;
    }
    queue->entries[place] = added;
}

void due_remove_first(struct due_queue *queue)
{
    assert(queue->count > 0);
    struct due moved = queue->entries[--queue->count];
    size_t place = 0;
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= queue->count)
            break;
        if (child + 1 < queue->count && before(queue->entries[child + 1], queue->entries[child]))
            child++;
        if (!before(queue->entries[child], moved))
            break;
        queue->entries[place] = queue->entries[child];
        place = child;
    }
    if (queue->count > 0)
        queue->entries[place] = moved;
}

void due_free(struct due_queue *queue)
{
    free(queue->entries);
    *queue = (struct due_queue){0};
}
