// The disk under the ledger: what a sync alone costs.
#ifndef COLOSSUS_BENCH_DISK_H
#define COLOSSUS_BENCH_DISK_H

#include "histogram.h"

// Ends the benchmark when the folder is in memory: nothing would be synced there.
void disk_check(const char *folder);

// How long it takes to write a page of 4 KiB into a file that has it already, and to sync it.
void disk_measure_syncs(const char *folder, double seconds, struct histogram *syncs);

#endif
