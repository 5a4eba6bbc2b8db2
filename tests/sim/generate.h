// Random manifests, requests and jumps of time, such as find trouble: windows at the edges of periods, months
// and the horizon, instants exactly on the hour and just beside it, requests sent again.
//
// Everything generated lives in static storage of this module and is valid until the next of its kind.
#ifndef COLOSSUS_TESTS_SIM_GENERATE_H
#define COLOSSUS_TESTS_SIM_GENERATE_H

#include "model.h"

struct generator {
    uint64_t random;
    int names; // how many contracts were named
    int references;
};

uint32_t random_below(struct generator *generator, uint32_t bound);
bool one_in(struct generator *generator, uint32_t count);

// The first manifest of a world, which is applied to the model as well.
const struct manifest *generate_world(struct generator *generator, struct model *model);

// A manifest that adds something or changes it. It says what the book must answer; when that is VERDICT_DONE,
// generate_accept makes it so in the model.
const struct manifest *generate_addition(struct generator *generator, const struct model *model,
                                         enum verdict *expected);
void generate_accept(struct model *model);

// A request, or one sent before, or one that is not quite what was sent before.
const struct request *generate_request(struct generator *generator, const struct model *model);

// The next time to go on at.
int64_t generate_time(struct generator *generator, const struct model *model);

#endif
