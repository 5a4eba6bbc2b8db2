// A lane of jobs: one runs at a time, and those that wait take turns by who asked.
//
// Each job waits in a round: the first of everybody's in the round that runs, the second in the next one, and
// so on. So whoever asks for one thing waits for at most one job of each of the others, however many those
// have asked for. Adding a job looks at all that wait.
#ifndef COLOSSUS_SERVER_LANE_H
#define COLOSSUS_SERVER_LANE_H

#include <stdint.h>
#include <uv.h>

struct job;

struct lane {
    struct job *first; // those that wait, in the order of their rounds
    struct job *running;
    int64_t round; // of the job that was taken last
    uv_work_t work;
};

void lane_add(struct lane *lane, struct job *job);

// The next job whose batch is durable, which is then in the lane no more; else NULL.
struct job *lane_take(struct lane *lane, int64_t durable);

#endif
