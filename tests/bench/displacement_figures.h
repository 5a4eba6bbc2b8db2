// Figures of the core alone where one request means much work: a maintenance window that cuts ten thousand
// reservations, and a pool that is freed while ten thousand wait for it.
#ifndef COLOSSUS_BENCH_DISPLACEMENT_FIGURES_H
#define COLOSSUS_BENCH_DISPLACEMENT_FIGURES_H

#include "broker.h"

// Of a book that was filled by the scenario with so many live reservations; more are booked for it.
void displacement_figures(struct broker *broker, struct hour from, int64_t live);

#endif
