// What was asked and acknowledged, to be decided once more from the beginning by another book.
//
// A record is a list of steps: what was decided because it was due, requests, and the ends of batches. The
// requests are copied with all they point at.
#ifndef COLOSSUS_TESTS_SIM_RECORD_H
#define COLOSSUS_TESTS_SIM_RECORD_H

#include "core/book.h"

struct record_step;

struct record {
    struct arena arena;
    struct record_step *steps;
    size_t count, capacity;
};

// What was due at a time was decided; when it was done lazily, of starts and ends only the first part.
void record_due(struct record *record, struct instant now, bool is_lazy);
void record_request(struct record *record, struct instant now, const struct request *request);
void record_batch(struct record *record, struct instant at);

// Forgets the steps after the first `count`: they were not acknowledged.
void record_cut(struct record *record, size_t count);

// A new book after all steps, to be destroyed. A request that is not done, or that is done in a dry run, is
// a mistake in the record: NULL.
struct book *record_replay(const struct record *record, const struct book_options *options,
                           struct instant begin);

void record_free(struct record *record);

#endif
