#include "base/arena.h"

#include "base/memory.h"
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK_SIZE ((size_t)64 * 1024)

struct arena_block {
    struct arena_block *before;
    size_t size;
    size_t used;
    alignas(max_align_t) char bytes[];
};

static void add_block(struct arena *arena, size_t needed)
{
    size_t size = arena->current == NULL ? FIRST_BLOCK_SIZE : arena->current->size * 2;
    while (size < needed)
        size *= 2;
    struct arena_block *block = memory_resize(NULL, sizeof *block + size, 1);
    block->before = arena->current;
    block->size = size;
    block->used = 0;
    arena->current = block;
}

void *arena_allocate(struct arena *arena, size_t size)
{
    size_t rounded = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (arena->current == NULL || arena->current->size - arena->current->used < rounded)
        add_block(arena, rounded);
    void *memory = arena->current->bytes + arena->current->used;
    arena->current->used += rounded;
    return memset(memory, 0, rounded);
}

char *arena_copy(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_allocate(arena, length + 1);
    if (length > 0)
        memcpy(copy, text, length);
    return copy;
}

char *arena_copy_text(struct arena *arena, const char *text)
{
    return text == NULL ? NULL : arena_copy(arena, text, strlen(text));
}

void arena_reset(struct arena *arena)
{
    // What one busy batch needed is not kept for ever: only the first block stays.
    while (arena->current != NULL && arena->current->before != NULL) {
        struct arena_block *before = arena->current->before;
        free(arena->current);
        arena->current = before;
    }
    if (arena->current != NULL)
        arena->current->used = 0;
}

void arena_free(struct arena *arena)
{
    arena_reset(arena);
    free(arena->current);
    arena->current = NULL;
}
