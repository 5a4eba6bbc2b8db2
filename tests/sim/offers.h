// Offers and plans against a naive search of the model: every start, hour by hour.
#ifndef COLOSSUS_TESTS_SIM_OFFERS_H
#define COLOSSUS_TESTS_SIM_OFFERS_H

#include "generate.h"

// Asks the book for offers, and for a plan against a shortfall, at random, and fails when they are not what
// the model says, or when one of them, sent as a dry run, is not accepted at the price that was offered.
void offers_check(struct generator *generator, const struct model *model, const struct book *book,
                  struct arena *arena);

// How often there were offers, near misses and plans.
struct offers_statistics {
    int offers, misses, plans;
};
extern struct offers_statistics offers_statistics;

#endif
