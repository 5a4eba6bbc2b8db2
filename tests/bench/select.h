// An operator's long SELECT, beside the daemon: a process that reads the ledger within one snapshot.
#ifndef COLOSSUS_BENCH_SELECT_H
#define COLOSSUS_BENCH_SELECT_H

#include <sys/types.h>

struct select_reader {
    pid_t pid;
};

// Returns when the process has its snapshot. It reads until it is stopped.
void select_start(struct select_reader *reader, const char *ledger);

// Gives the processor time that it took, in seconds.
double select_stop(struct select_reader *reader);

#endif
