// A shared object to be loaded before all others (LD_PRELOAD): the nth allocation from now on fails.
//
// FAILING_MEMORY names a file of four 64-bit numbers that this process and whoever drives it both map:
//
//     left       allocations until one fails, that one counted; 0: none does
//     lasting    not 0: all after it fail as well, until the driver sets it to 0 again
//     failed     how many have failed
//     counted    how many there were
//
// The driver sets them while the process waits for something to do. Everything that asks the C library for
// memory is counted: the program, its libraries, and the C library itself.
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct orders {
    _Atomic int64_t left, lasting, failed, counted;
};

static struct orders *orders;

// What the C library calls its own functions beside their common names.
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

__attribute__((constructor)) static void take_orders(void)
{
    const char *path = getenv("FAILING_MEMORY");
    int file = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) {
        return;
    }
    void *mapped = mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    orders = mapped == MAP_FAILED ? NULL : mapped;
}

static int is_to_fail(void)
{
    if (orders == NULL) {
        return 0;
    }
    atomic_fetch_add(&orders->counted, 1);
    int64_t left = atomic_load(&orders->left);
    while (left > 0 && !atomic_compare_exchange_weak(&orders->left, &left, left - 1)) {
    }
    if (left == 1 || (left == 0 && atomic_load(&orders->lasting) != 0 && atomic_load(&orders->failed) > 0)) {
        atomic_fetch_add(&orders->failed, 1);
        errno = ENOMEM;
        return 1;
    }
    return 0;
}

void *malloc(size_t size)
{
    return is_to_fail() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return is_to_fail() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return is_to_fail() ? NULL : __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size)
{
    return is_to_fail() ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    void *aligned = memalign(alignment, size);
    if (aligned == NULL) {
        return ENOMEM;
    }
    *memory = aligned;
    return 0;
}
