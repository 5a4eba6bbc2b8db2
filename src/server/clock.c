#include "server/clock.h"

#include <time.h>

void clock_set_up(struct clock *clock, bool manual, struct instant start)
{
    clock->manual = manual;
    clock->last = start;
}

struct instant clock_now(struct clock *clock)
{
    if (!clock->manual) {
        struct timespec now;
        if (clock_gettime(CLOCK_REALTIME, &now) == 0) {
            clock_advance(clock, (struct instant){now.tv_sec});
        }
    }
    return clock->last;
}

void clock_advance(struct clock *clock, struct instant to)
{
    if (to.seconds > clock->last.seconds) {
        clock->last = to;
    }
}

void clock_restore(struct clock *clock, struct instant time)
{
    if (clock->manual) {
        clock->last = time;
    } else {
        clock_advance(clock, time);
    }
}

const char *clock_name(const struct clock *clock)
{
    return clock->manual ? "manual" : "system";
}
