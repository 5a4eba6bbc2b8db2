// A region of memory in a chain of blocks, the newest first. A block is at least twice as large as the one
// before it, so the chain stays short; what does not fit a block gets one of its own size. A reset leaves one
// block that has room for what the chain held, so that work of the same size next time needs no other.
#include "base/arena.h"

#include "base/log.h"
#include "base/memory.h"
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK_SIZE ((size_t)64 * 1024)
#define LARGEST_BLOCK    ((size_t)4 * 1024 * 1024) // unless one allocation needs more; none larger is kept

struct arena_block {
    struct arena_block *before;
    size_t size, used;
    _Alignas(max_align_t) unsigned char bytes[];
};

// Sizes are rounded up to this, so that every allocation is aligned for any type.
static const size_t alignment = _Alignof(max_align_t);

static struct arena_block *add_block(struct arena *arena, size_t needed)
{
    size_t size = FIRST_BLOCK_SIZE;
    if (arena->current != NULL) {
        size = arena->current->size < LARGEST_BLOCK / 2 ? arena->current->size * 2 : LARGEST_BLOCK;
    }
    if (size < needed) {
        size = needed;
    }
    struct arena_block *block = memory_resize(NULL, 1, sizeof *block + size);
    block->before = arena->current;
    block->size = size;
    block->used = 0;
    arena->current = block;
    return block;
}

// Room for so many bytes, with whatever was in it before.
static void *take(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2) {
        fatal("out of memory", "size=%zu", size);
    }
    // An empty allocation takes a place too, so that every pointer handed out is another.
    size_t rounded = ((size > 0 ? size : 1) + alignment - 1) / alignment * alignment;
    struct arena_block *block = arena->current;
    if (block == NULL || block->size - block->used < rounded) {
        block = add_block(arena, rounded);
    }
    unsigned char *memory = block->bytes + block->used;
    block->used += rounded;
    return memory;
}

void *arena_allocate(struct arena *arena, size_t size)
{
    return memset(take(arena, size), 0, size);
}

char *arena_copy(struct arena *arena, const char *text, size_t length)
{
    if (length > SIZE_MAX / 4) {
        fatal("out of memory", "length=%zu", length);
    }
    char *copy = take(arena, length + 1);
    if (length > 0) {
        memcpy(copy, text, length);
    }
    copy[length] = '\0';
    return copy;
}

char *arena_copy_text(struct arena *arena, const char *text)
{
    return text == NULL ? NULL : arena_copy(arena, text, strlen(text));
}

void *arena_grow(struct arena *arena, void *array, size_t count, size_t *capacity, size_t element_size)
{
    if (count < *capacity) {
        return array;
    }
    *capacity = *capacity == 0 ? 8 : *capacity * 2;
    void *grown = take(arena, *capacity * element_size);
    if (count > 0) {
        memcpy(grown, array, count * element_size);
    }
    return grown;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *block = arena->current;
    if (block == NULL) {
        return;
    }
    if (block->before == NULL && block->size <= LARGEST_BLOCK) {
        block->used = 0;
        return;
    }
    size_t total = 0;
    while (block != NULL) {
        struct arena_block *before = block->before;
        total += block->size;
        free(block);
        block = before;
    }
    arena->current = NULL;
    add_block(arena, total < LARGEST_BLOCK ? total : LARGEST_BLOCK);
}

void arena_free(struct arena *arena)
{
    while (arena->current != NULL) {
        struct arena_block *before = arena->current->before;
        free(arena->current);
        arena->current = before;
    }
}
