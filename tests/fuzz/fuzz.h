// What the fuzz targets share: how a finding is told, and the world that they ask.
//
// A target is one file with LLVMFuzzerTestOneInput, called with any bytes. It must not crash, leak or run
// long, and it compares what it was given with what must be true. What is not true is a finding: FUZZ_CHECK
// says which and aborts, as a sanitizer does.
#ifndef COLOSSUS_TESTS_FUZZ_FUZZ_H
#define COLOSSUS_TESTS_FUZZ_FUZZ_H

#include "core/book.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn void fuzz_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define FUZZ_FAIL(...) fuzz_fail(__FILE__, __LINE__, __VA_ARGS__)
#define FUZZ_CHECK(condition)                                                                                \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            FUZZ_FAIL("%s does not hold", #condition);                                                       \
    } while (0)

// What an operator asks: a manifest to be applied.
static inline struct request manifest_request(const struct manifest *manifest)
{
    return (struct request){.kind = REQUEST_MANIFEST_APPLY,
                            .actor = {.role = ROLE_OPERATOR, .name = "uid:0"},
                            .manifest = manifest};
}

// Libraries are made to behave the same in every run, so that a finding can be repeated.
void fuzz_initialise(void);

// The time of the world: 2026-12-01T00:00:00Z, as in the examples of the protocol.
#define WORLD_NOW ((struct instant){INT64_C(1796083200)})

// An empty book whose first hour is that of WORLD_NOW and whose horizon is one year.
struct book *world_empty(void);

// A small world: two sites, three pools, three tenants with contracts of every kind of terms, one without.
const struct manifest *world_manifest(void);

// A book with that manifest applied and, with `bookings`, reservations 1 to 5 made: 1 booked, 2 held, 3 and 4
// a group, 5 another tenant's.
struct book *world_book(bool bookings);

// Applies a decision that is done and ends the batch at `now`.
void world_apply(struct book *book, const struct decision *decision, struct instant now, struct arena *arena);

#endif
