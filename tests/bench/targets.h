// Reservations that a run may cancel, change or look at: those last booked, known from their replies.
//
// A ring: what is added when it is full takes the place of the one added first.
#ifndef COLOSSUS_BENCH_TARGETS_H
#define COLOSSUS_BENCH_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TARGETS_MOST = 4096 };

struct target_reservation {
    int64_t id;
    int tenant; // the number in its name
};

struct targets {
    struct target_reservation all[TARGETS_MOST];
    size_t first, count, looked_at;
};

void targets_add(struct targets *targets, struct target_reservation reservation);

// The one added first, which is then nobody else's; false when there is none.
bool targets_take(struct targets *targets, struct target_reservation *reservation);

// One after the other, without taking them; false when there is none.
bool targets_look(struct targets *targets, struct target_reservation *reservation);

// Adds the last ones that are booked in a ledger whose daemon has nothing to do.
void targets_read(struct targets *targets, const char *ledger, int most);

#endif
