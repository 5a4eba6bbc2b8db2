#include "core/forecast.h"

#include <assert.h>

bool forecast_close(const struct commitment_inputs *inputs, const struct contract_terms_row *terms, bool last,
                    struct forecast *result)
{
    struct commitment_inputs at_close = *inputs;
    if (!amount_add(inputs->consumed, inputs->encumbered, &at_close.consumed))
        return false;
    at_close.encumbered = AMOUNT_ZERO;
    result->consumed = at_close.consumed;
    return commitment_settle(&at_close, terms, last, &result->settlement) &&
           amount_subtract(result->settlement.due, inputs->billed, &result->to_bill);
}

bool forecast_pace(struct amount consumed, int32_t hours_gone, int32_t hours, struct amount *result)
{
    assert(hours_gone > 0 && hours_gone <= hours);
    return amount_share(consumed, hours, hours_gone, result);
}
