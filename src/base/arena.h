// A region of memory that is given back all at once.
//
// What a batch of decisions makes (rows, their strings, event texts) lives until the batch is durable and
// then goes together: arena_reset keeps one block as large as what was used (up to a few megabytes) for the
// next batch, so a busy daemon allocates nothing per request. Allocations are aligned for any type. They
// never fail (base/memory.h).
#ifndef COLOSSUS_BASE_ARENA_H
#define COLOSSUS_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
    struct arena_block *current;
};

// A zeroed struct arena is ready for use.
void *arena_allocate(struct arena *arena, size_t size);                 // zeroed
char *arena_copy(struct arena *arena, const char *text, size_t length); // adds a NUL
char *arena_copy_text(struct arena *arena, const char *text);           // NULL stays NULL

// Makes room for one more element in an array of the arena: a larger copy when count has reached *capacity.
// The new places hold no particular bytes.
// What the copy outgrew goes with the arena.
void *arena_grow(struct arena *arena, void *array, size_t count, size_t *capacity, size_t element_size);

void arena_reset(struct arena *arena);
void arena_free(struct arena *arena);

#endif
