// The dates and parts of a contract: its periods and their instalments. Pure arithmetic on terms, no book.
#ifndef COLOSSUS_CORE_SCHEDULE_H
#define COLOSSUS_CORE_SCHEDULE_H

#include "base/amount.h"
#include "base/hour.h"
#include <stdbool.h>
#include <stdint.h>

// Anniversary n of a contract's start: the same month, day and UTC hour n years on; 29 February counts as 28
// February in other years and comes back in leap years.
struct hour schedule_anniversary(struct hour start, int32_t n);

// How many annual periods [start, end) has.
int32_t schedule_annual_count(struct hour start, struct hour end);

// Annual period k (from 0) and its commit: the last one ends with the contract and its commit is prorated by
// hours against the full year to its next anniversary. False when the commit overflows.
bool schedule_annual_period(struct hour start, struct hour end, struct amount annual, int32_t k,
                            struct hour *period_start, struct hour *period_end, struct amount *commit);

// Instalment k (from 0) falls at the period's start + k months, the day clamped.
int32_t schedule_instalment_count(struct hour start, struct hour end);
struct hour schedule_instalment_due(struct hour start, int32_t k);

// Equal parts of the commit, a partial last month prorated by its hours against the full month it would have
// been, each part rounded half to even but at most what is left, the last taking that; so the parts always
// sum to the commit and none is negative.
struct amount schedule_instalment_amount(struct hour start, struct hour end, struct amount commit, int32_t k);

#endif
