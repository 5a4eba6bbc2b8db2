// By how much a figure changes at each hour of a span: a sparse list, for spans of years in which most hours
// have no change.
//
// Hours lie in blocks of 64. A block has a bit for each of its hours and the changes of those whose bit is
// set, next to one another; so a change costs about its own eight bytes, and finding the next one skips 64
// hours at a time.
#ifndef COLOSSUS_CORE_CHANGES_H
#define COLOSSUS_CORE_CHANGES_H

#include "base/hour.h"
#include <stddef.h>
#include <stdint.h>

// Zeroed, it has no hours.
struct changes {
    struct hour start;
    size_t block_count;
    struct change_block {
        uint64_t present; // bit n: the n-th hour of the block has a change
        int64_t *changes; // as many as there are bits; room for the next power of two
    } * blocks;
};

// Gives a zeroed one its hours, `start` up to but not `end`; later calls do nothing.
void changes_span(struct changes *changes, struct hour start, struct hour end);
void changes_free(struct changes *changes);

// The hours named must lie in the span.
void changes_add(struct changes *changes, struct hour hour, int64_t by);
// The change at an hour, which is then no more; 0 when there is none.
int64_t changes_take(struct changes *changes, struct hour hour);
// The first hour after the given one that has a change, or HOUR_NEVER. The one given may lie before the span.
struct hour changes_next(const struct changes *changes, struct hour hour);

#endif
