// The power of one site: how many watts are used in every hour of a window, beside a dated envelope.
//
// One number for each hour, walked from hour to hour: a window of a week is 168 additions or comparisons, and
// a site has far fewer changes of its envelope than bookings. The envelope itself is the site's own steps;
// before the first one there is no limit.
//
// The window moves on with power_advance. Hours before it are past: adding to them does nothing, and nobody
// may ask for them.
#ifndef COLOSSUS_CORE_POWER_H
#define COLOSSUS_CORE_POWER_H

#include "core/row.h"

struct power;

// More than any site can use.
#define POWER_UNLIMITED (INT64_MAX / 4)

struct power *power_create(struct hour origin, int32_t hours);
void power_destroy(struct power *power);

struct hour power_end(const struct power *power); // the first hour after the window
void power_advance(struct power *power, struct hour origin);

// Uses watts in [start, end) (negative: no longer); what lies outside the window is passed over.
void power_add(struct power *power, struct hour start, struct hour end, int64_t watts);
int64_t power_used(const struct power *power, struct hour hour);

// Moves *until back to the first hour after `from` in which another number of watts is used. Both lie in the
// window, and *until is later.
void power_step(const struct power *power, struct hour from, struct hour *until);

// What an envelope allows in an hour: the steps are ordered by start. *until is where that changes, at most
// as given.
int64_t envelope_at(const struct site_power_row *steps, size_t count, struct hour hour, struct hour *until);

#endif
