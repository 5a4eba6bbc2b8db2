// The data centre that is booked in the benchmark: a seeded ledger of any size, and the bookings that follow.
//
// Five large pools with room for millions of reservations hold all but a few of the live ones; a sixth, small
// pool is full: bookings of a week with gaps of a few hours between them until the last year of the horizon,
// so that every request for a week is refused with a next_start that lies behind hundreds of gaps too short.
// Sixty-four tenants have ten-year contracts with yearly commitments. The same seed gives the same bookings,
// relative to the hour in which the ledger was made.
#ifndef COLOSSUS_BENCH_SCENARIO_H
#define COLOSSUS_BENCH_SCENARIO_H

#include "base/hour.h"
#include "core/request.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCENARIO_POOLS = 5, SCENARIO_TENANTS = 64, SCENARIO_HORIZON_YEARS = 10, SCENARIO_TEXT = 48 };

#define SCENARIO_FULL_POOL "colossus-full/h100"

// Numbers that look random, the same for the same seed.
struct random {
    uint64_t state;
};

struct random random_seeded(uint64_t seed);
uint64_t random_next(struct random *random);
uint64_t random_below(struct random *random, uint64_t limit);

// One booking: a week for some GPUs, somewhere in the horizon, of some tenant in some pool.
struct booking {
    char tenant[SCENARIO_TEXT];
    char pool[SCENARIO_TEXT];
    int32_t gpus;
    struct hour start;
    int32_t hours;
    char client_ref[SCENARIO_TEXT]; // unique by (run, number)
};

// The next booking of a run. `from` is the hour in which the ledger was made.
void scenario_booking(struct random *random, struct hour from, uint32_t run, int64_t number,
                      struct booking *booking);
// A booking that the full pool refuses.
void scenario_refused(struct random *random, struct hour from, uint32_t run, int64_t number,
                      struct booking *booking);

// The booking as a request to the core; valid as long as the booking and the leg.
void scenario_request(const struct booking *booking, struct leg *leg, struct request *request);

struct broker;

// Puts the scenario's manifest, the full pool's bookings and `live` others into a broker that is new.
void scenario_fill(struct broker *broker, struct hour from, int64_t live, uint64_t seed);

// Makes a ledger of it at `path`.
void scenario_ledger(const char *path, struct hour from, int64_t live, uint64_t seed);

#endif
