#include "server/lane.h"

#include "server/reader.h"
#include <stddef.h>

void lane_add(struct lane *lane, struct job *job)
{
    job->round = lane->round;
    for (const struct job *other = lane->first; other != NULL; other = other->next) {
        if (other->asker == job->asker) {
            job->round = other->round + 1;
        }
    }
    struct job **place = &lane->first;
    while (*place != NULL && (*place)->round <= job->round) {
        place = &(*place)->next;
    }
    job->next = *place;
    *place = job;
}

struct job *lane_take(struct lane *lane, int64_t durable)
{
    struct job **place = &lane->first;
    while (*place != NULL && (*place)->batch > durable) {
        place = &(*place)->next;
    }
    struct job *job = *place;
    if (job != NULL) {
        *place = job->next;
        job->next = NULL;
        lane->round = job->round;
    }
    return job;
}
