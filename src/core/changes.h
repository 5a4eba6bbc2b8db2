// By how much a figure changes at each hour of a span: for spans of years in which few hours have a change,
// or nearly all.
//
// The span is divided into blocks of a few hours. Those with a change lie next to one another, in the order
// in which they had their first, and a small table says where each is.
#ifndef COLOSSUS_CORE_CHANGES_H
#define COLOSSUS_CORE_CHANGES_H

#include "base/hour.h"
#include <stddef.h>
#include <stdint.h>

enum { CHANGES_BLOCK_HOURS = 16 };

struct change_block {
    int64_t by[CHANGES_BLOCK_HOURS];
};

// Zeroed, it has no hours.
struct changes {
    struct hour start;
    size_t span_blocks; // in all of the span
    uint32_t *places;   // of each: 0 when none of its hours ever had a change, else its place from 1
    struct change_block *blocks;
    size_t count, capacity;
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
