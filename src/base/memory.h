// Allocation that doesn't fail: what is being decided goes on from a reserve, and then nothing new is begun.
//
//     memory_reserve    at the start sets a reserve aside; later, when it was used up, tries to fill it again
//     memory_is_short   asked before anything new is begun: was the reserve used up?
//
// A decision that stops half-way can't be answered, so no caller is ever given NULL. The first allocation
// that the system refuses gives the reserve back to it and is tried again, and whoever begins new work is
// told that memory is short. A reserve that was never touched costs addresses and no memory. When the reserve
// is gone as well the process ends with a clear line: everything acknowledged is on the disk, so ending is
// safe, and half of something never is.
//
// All threads share the reserve.
#ifndef COLOSSUS_BASE_MEMORY_H
#define COLOSSUS_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

void *memory_allocate(size_t count, size_t size); // zeroed
void *memory_resize(void *old, size_t count, size_t size);
char *memory_copy_text(const char *text); // NULL stays NULL

// Makes room for one more element in a growing array: *capacity is doubled when *count has reached it.
void *memory_grow(void *array, size_t count, size_t *capacity, size_t element_size);

// True when the reserve is there. Without a first call there is none, and memory is never short.
bool memory_reserve(size_t bytes);
bool memory_is_short(void);
void memory_release_reserve(void); // when all work is over

#endif
