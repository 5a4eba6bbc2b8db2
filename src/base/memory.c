// The sizes are checked before they are multiplied.
#include "base/memory.h"

#include "base/log.h"
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// What a growing array starts with.
#define FIRST_CAPACITY 16

// The system's large pages, and from where on an allocation holds enough of them to be worth it.
#define LARGE_PAGE ((size_t)2 * 1024 * 1024)
#define LARGE      (4 * LARGE_PAGE)

// Large tables are looked into at random places. With pages of 4 KiB nearly every look costs a walk through
// the page tables too; the kernel is asked for large ones, which it is free to refuse.
static void ask_for_large_pages(void *memory, size_t bytes)
{
    if (bytes < LARGE) {
        return;
    }
    uintptr_t start = ((uintptr_t)memory + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    uintptr_t end = ((uintptr_t)memory + bytes) / LARGE_PAGE * LARGE_PAGE;
#ifdef MADV_HUGEPAGE
    (void)madvise((void *)start, end - start, MADV_HUGEPAGE);
#else
    (void)start, (void)end;
#endif
}

static void *_Atomic reserve;
static atomic_bool is_short;

bool memory_reserve(size_t bytes)
{
    void *none = NULL;
    void *memory = atomic_load(&reserve) == NULL ? malloc(bytes) : NULL;
    if (memory != NULL && !atomic_compare_exchange_strong(&reserve, &none, memory)) {
        free(memory); // another thread was faster
    }
    if (atomic_load(&reserve) == NULL) {
        return false;
    }
    atomic_store(&is_short, false);
    return true;
}

bool memory_is_short(void)
{
    return atomic_load(&is_short);
}

void memory_release_reserve(void)
{
    free(atomic_exchange(&reserve, NULL));
    atomic_store(&is_short, false);
}

// True when there was a reserve, so that it is worth trying again.
static bool give_up_reserve(void)
{
    void *memory = atomic_exchange(&reserve, NULL);
    if (memory == NULL) {
        return false;
    }
    atomic_store(&is_short, true);
    free(memory);
    return true;
}

void *memory_allocate(size_t count, size_t size)
{
    // calloc checks the multiplication. A size of zero gives a pointer that can be freed, never NULL.
    void *memory;
    while ((memory = calloc(count > 0 ? count : 1, size > 0 ? size : 1)) == NULL) {
        if (!give_up_reserve()) {
            fatal("out of memory", "count=%zu size=%zu", count, size);
        }
    }
    ask_for_large_pages(memory, count * size);
    return memory;
}

void *memory_resize(void *old, size_t count, size_t size)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        fatal("out of memory", "count=%zu size=%zu", count, size);
    }
    void *memory;
    while ((memory = realloc(old, bytes > 0 ? bytes : 1)) == NULL) {
        if (!give_up_reserve()) {
            fatal("out of memory", "bytes=%zu", bytes);
        }
    }
    ask_for_large_pages(memory, bytes);
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
