// What a period that is not closed yet is heading for.
//
// Pure functions, as in commitment.h. Two questions, with answers that may lie far apart: what is settled at
// the close when nothing more is booked or cancelled, and what would be delivered by then when deliveries go
// on as they went so far.
#ifndef COLOSSUS_CORE_FORECAST_H
#define COLOSSUS_CORE_FORECAST_H

#include "core/commitment.h"

struct forecast {
    struct amount consumed; // all that is booked, delivered
    struct settlement settlement;
    struct amount to_bill; // due less what was billed so far; below 0 it is a refund
};

// The inputs are those of now. False when an amount overflows.
bool forecast_close(const struct commitment_inputs *inputs, const struct contract_terms_row *terms, bool last,
                    struct forecast *result);

// consumed in hours_gone hours, above 0, makes so much in all the hours. False when it overflows.
bool forecast_pace(struct amount consumed, int32_t hours_gone, int32_t hours, struct amount *result);

#endif
