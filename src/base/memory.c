#include "base/memory.h"

#include "base/log.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *memory_allocate(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size > 0 ? size : 1);
    if (memory == NULL)
        fatal("out of memory", "count=%zu size=%zu", count, size);
    return memory;
}

void *memory_resize(void *old, size_t count, size_t size)
{
    void *memory = NULL;
    if (size != 0 && count <= SIZE_MAX / size)
        memory = realloc(old, count * size > 0 ? count * size : 1);
    if (memory == NULL)
        fatal("out of memory", "count=%zu size=%zu", count, size);
    return memory;
}

char *memory_copy_text(const char *text)
{
    if (text == NULL)
        return NULL;
    size_t size = strlen(text) + 1;
    char *copy = memory_allocate(size, 1);
    memcpy(copy, text, size);
    return copy;
}

void *memory_grow(void *array, size_t count, size_t *capacity, size_t element_size)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity < 8 ? 8 : *capacity * 2;
    return memory_resize(array, *capacity, element_size);
}
