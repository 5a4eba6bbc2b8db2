// The daemon's clock: the system's, or one that only moves when it is told to.
//
// It never goes back: when the system's clock steps back, or a ledger has seen a later time, it stands still
// until the system has caught up.
#ifndef COLOSSUS_SERVER_CLOCK_H
#define COLOSSUS_SERVER_CLOCK_H

#include "base/hour.h"
#include <stdbool.h>

struct clock {
    bool manual;
    struct instant last; // the latest time it has shown; a manual clock's present time
};

void clock_set_up(struct clock *clock, bool manual, struct instant start);

struct instant clock_now(struct clock *clock);

// The clock shows this time or a later one from now on.
void clock_advance(struct clock *clock, struct instant to);

// Sets a manual clock back to what the ledger knows, after a time that was never written. No one has seen
// that time, for replies wait for the ledger.
void clock_restore(struct clock *clock, struct instant time);

const char *clock_name(const struct clock *clock); // "system" or "manual"

#endif
