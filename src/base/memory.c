// Allocation that ends the process when it fails. The sizes are checked before they are multiplied.
#include "base/memory.h"

#include "base/log.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// What a growing array starts with.
#define FIRST_CAPACITY 16

void *memory_allocate(size_t count, size_t size)
{
    // calloc checks the multiplication. A size of zero gives a pointer that can be freed, never NULL.
    void *memory = calloc(count > 0 ? count : 1, size > 0 ? size : 1);
    if (memory == NULL) {
        fatal("out of memory", "count=%zu size=%zu", count, size);
    }
    return memory;
}

void *memory_resize(void *old, size_t count, size_t size)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        fatal("out of memory", "count=%zu size=%zu", count, size);
    }
    void *memory = realloc(old, bytes > 0 ? bytes : 1);
    if (memory == NULL) {
        fatal("out of memory", "bytes=%zu", bytes);
    }
    return memory;
}

char *memory_copy_text(const char *text)
{
    if (text == NULL) {
        return NULL;
    }
    size_t size = strlen(text) + 1;
    return memcpy(memory_allocate(1, size), text, size);
}

void *memory_grow(void *array, size_t count, size_t *capacity, size_t element_size)
{
    if (count < *capacity) {
        return array;
    }
    if (*capacity > SIZE_MAX / 2) {
        fatal("out of memory", "capacity=%zu", *capacity);
    }
    size_t grown = *capacity == 0 ? FIRST_CAPACITY : *capacity * 2;
    void *memory = memory_resize(array, grown, element_size);
    *capacity = grown;
    return memory;
}
