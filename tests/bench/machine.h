// The machine that the figures are of.
#ifndef COLOSSUS_BENCH_MACHINE_H
#define COLOSSUS_BENCH_MACHINE_H

#include "peer.h"
#include "settings.h"

// A line on standard output, to stand above the table: processors, memory, the system, SQLite, PostgreSQL
// when there is such a peer, the settings.
void machine_print(const struct settings *settings, const struct peer *peer);

#endif
