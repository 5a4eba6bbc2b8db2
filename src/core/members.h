// The reservations that a request names by id or by group.
#ifndef COLOSSUS_CORE_MEMBERS_H
#define COLOSSUS_CORE_MEMBERS_H

#include "core/builder.h"

struct members {
    struct reservation_image *images; // those still in the book, by the clock, in the order of their ids
    size_t count;
    enum reservation_state first; // the state of the first, in the book or not
};

// Finds them for a tenant. Refuses with not_found what does not exist and what is another's alike, and
// returns false.
bool members_find(struct builder *builder, uint32_t tenant, const struct target *target,
                  struct members *members);

// Keeps those in one of the states (bits 1 << state). Refuses when there are none left, by the state of the
// first: with `expired` for a hold that lapsed, else invalid_state. Which of the others have left the book
// depends on how far ends are written, and must not show.
void members_in_state(struct builder *builder, struct members *members, uint32_t states, const char *message);

#endif
