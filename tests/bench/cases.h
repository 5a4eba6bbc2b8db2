// What is measured at each size.
#ifndef COLOSSUS_BENCH_CASES_H
#define COLOSSUS_BENCH_CASES_H

#include "stage.h"

// Runs the cases that the settings want, and adds their figures.
void cases_run(struct stage *stage);

#endif
