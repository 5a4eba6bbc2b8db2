// The machine that the figures are of.
#ifndef COLOSSUS_BENCH_MACHINE_H
#define COLOSSUS_BENCH_MACHINE_H

#include "settings.h"

// A line on standard output, to stand above the table: processors, memory, the system, SQLite, the settings.
void machine_print(const struct settings *settings);

#endif
