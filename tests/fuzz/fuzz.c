// Before base/json.h, which has names in common with it.
#include <jansson.h>

#include "fuzz.h"

#include "base/digest.h"
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void fuzz_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    abort();
}

void fuzz_initialise(void)
{
    static bool done;
    if (done)
        return;
    // Objects keep the order of their members anyway; their tables shall be the same in every run.
    json_object_seed(1);
    FUZZ_CHECK(digest_initialise());
    // Calendars are large and hardly touched: fresh pages of the kernel cost less than clearing used ones,
    // and so the allocator must not learn to keep them.
    (void)mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    done = true;
}
