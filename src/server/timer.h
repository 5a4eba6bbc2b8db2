// Wakes the loop when the next timed decision is due, and at no other time.
//
// It is a timer of the system's real-time clock, not of the loop's, so that it fires at the right instant
// although the clock was set or the machine slept. The decisions themselves are made by the turn that
// follows. With a manual clock it never fires.
#ifndef COLOSSUS_SERVER_TIMER_H
#define COLOSSUS_SERVER_TIMER_H

#include "base/hour.h"
#include <stdbool.h>
#include <uv.h>

struct timer {
    int descriptor;
    bool is_armed;
    struct instant armed_for;
    uv_poll_t poll;
};

// False with errno set.
bool timer_open(struct timer *timer, uv_loop_t *loop);

// Fires at the instant, or at once when it has passed.
void timer_arm(struct timer *timer, struct instant at);
void timer_disarm(struct timer *timer);

void timer_close(struct timer *timer);

#endif
