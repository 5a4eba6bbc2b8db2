// The calendar of one pool: free GPUs in every hour of a window, as a segment tree.
//
// The tree holds, for each of a power of two of hours from an origin, how many GPUs are free: capacity less
// what is taken. Adding to a range, the least of a range, and the first hour below or at least a number are
// all O(log hours), whatever the number of reservations. Memory is three 32-bit numbers a node: 3 MB for ten
// years.
//
// Hours before the origin are past and are not kept: adding to them does nothing, asking about them is a
// fault of the caller. The window moves on with calendar_advance, which costs O(hours) and is called once in
// years. Numbers may be negative where a capacity change took away more than was free.
#ifndef COLOSSUS_CORE_CALENDAR_H
#define COLOSSUS_CORE_CALENDAR_H

#include "base/hour.h"
#include <stdbool.h>
#include <stdint.h>

struct calendar;

// A window of at least `hours` from origin on, nothing free in it.
struct calendar *calendar_create(struct hour origin, int32_t hours);
struct calendar *calendar_copy(const struct calendar *calendar);
void calendar_destroy(struct calendar *calendar);

struct hour calendar_origin(const struct calendar *calendar);
struct hour calendar_end(const struct calendar *calendar); // the first hour after the window

// Moves the origin to a later hour. Hours that come into the window are as free as its last hour was, so the
// caller sees to it that nothing is taken there and adds the capacity changes that begin there.
void calendar_advance(struct calendar *calendar, struct hour origin);

// Adds gpus (negative: takes) in [start, end); what lies outside the window is passed over.
void calendar_add(struct calendar *calendar, struct hour start, struct hour end, int32_t gpus);

// Of [start, end), which is not empty and lies in the window.
int32_t calendar_least(const struct calendar *calendar, struct hour start, struct hour end);
int32_t calendar_at(const struct calendar *calendar, struct hour hour);

// The first hour of [start, end) with less than gpus free. False when there is none.
bool calendar_first_below(const struct calendar *calendar, struct hour start, struct hour end, int32_t gpus,
                          struct hour *found);

// The first hour of [start, end) with at least gpus free. False when there is none.
bool calendar_first_at_least(const struct calendar *calendar, struct hour start, struct hour end,
                             int32_t gpus, struct hour *found);

// The step that holds `from`: *free as at `from`, *until the first hour after it with another number, at most
// end.
void calendar_step(const struct calendar *calendar, struct hour from, struct hour end, int32_t *free,
                   struct hour *until);

// The earliest start at or after `from` at which gpus are free for `hours` hours on end, ending by `end`. One
// walk over the tree, which looks into no subtree shorter than the window for a run inside it, so short gaps
// between bookings cost no more than the bookings themselves. Passes at most `limit` blocked subtrees;
// *searched_until is the first start not ruled out when it gave up,
// else `end`. False when none was found.
bool calendar_next_fit(const struct calendar *calendar, struct hour from, int32_t hours, int32_t gpus,
                       struct hour end, int32_t limit, struct hour *found, struct hour *searched_until);

// The earliest, or the last, start in [from, end − hours] at which gpus are free for `hours` hours on end.
// The blocked subtrees it passes go off *budget. When that is used up it gives up, and *found is the first
// start, or the last, that is not ruled out.
enum calendar_fit { CALENDAR_FIT, CALENDAR_NO_FIT, CALENDAR_GAVE_UP };
enum calendar_fit calendar_fit(const struct calendar *calendar, bool last, struct hour from, int32_t hours,
                               int32_t gpus, struct hour end, int32_t *budget, struct hour *found);

// What is free in each hour of [start, end), which is not empty and lies in the window: in O(hours).
void calendar_read(const struct calendar *calendar, struct hour start, struct hour end, int32_t *free);

#endif
