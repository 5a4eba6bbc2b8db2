// Interrupting reservations: what a displacement planned becomes part of a decision.
//
// Each reservation that is cut gets one event, which lists its interruptions, the slices that are left, and a
// row for each interruption: a window at one price in one period. The hours go back to the commitment. What a
// change of capacity takes from a firm reservation is relief as well: the same sum lowers the floor. What
// gives way to a firm booking is simply not paid for. A reservation keeps its window and its state, also when
// no hour of it is left.
#ifndef COLOSSUS_CORE_INTERRUPT_H
#define COLOSSUS_CORE_INTERRUPT_H

#include "core/builder.h"
#include "core/displacement.h"

// The cuts of a displacement, by a change of capacity (0: by firm bookings).
void interrupt_reservations(struct builder *builder, const struct displacement *displacement,
                            int64_t capacity_change);

// Interrupts what the firm bookings of this decision take the place of. Called when all of them are checked
// and their rows are added.
void interrupt_preempted(struct builder *builder);

#endif
