// Waiting reservations: requests that did not fit and are booked when they do.
//
// A reservation that waits takes neither capacity nor commitment. Whenever something is freed that it may
// wait for (GPUs or power, commitment, a tenant that was suspended) the pool's waiting reservations are
// looked at, the oldest first, and each that fits is booked, or held, in a decision of its own: at the
// instant at which it was freed, after everything else of that instant and before the next request. What
// doesn't fit lets those behind it go first.
//
// The cost is a look into the calendar for each that waits in the pool.
#ifndef COLOSSUS_CORE_WAITING_H
#define COLOSSUS_CORE_WAITING_H

#include "core/book.h"

// Decides on the next one that can be served, unless something else is due before. False when there is none.
bool decide_waiting(struct book *book, struct instant now, struct arena *arena, struct decision *decision);

// The member "waiting" of a reservation that waits: its position, from 1, and the first hours that are short.
void waiting_write(const struct book *book, struct json *json, const struct reservation_row *row,
                   struct instant now);

#endif
