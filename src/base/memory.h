// Allocation that cannot fail: the process ends with a clear line instead.
//
// Under Linux's default overcommit an allocation of the sizes used here does not fail, it is the process that
// is killed later; code that pretends to handle it is never run. Everything acknowledged is on the disk, so
// ending is safe.
#ifndef COLOSSUS_BASE_MEMORY_H
#define COLOSSUS_BASE_MEMORY_H

#include <stddef.h>

void *memory_allocate(size_t count, size_t size); // zeroed
void *memory_resize(void *old, size_t count, size_t size);
char *memory_copy_text(const char *text); // NULL stays NULL

// Makes room for one more element in a growing array: *capacity is doubled when *count has reached it.
void *memory_grow(void *array, size_t count, size_t *capacity, size_t element_size);

#endif
