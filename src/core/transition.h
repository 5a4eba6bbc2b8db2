// The life of a reservation as one table of allowed moves.
#ifndef COLOSSUS_CORE_TRANSITION_H
#define COLOSSUS_CORE_TRANSITION_H

#include "core/row.h"

// Is the move from one state to another allowed? A change of terms (an extension, say) is a move from a state
// to itself.
bool transition_allowed(enum reservation_state from, enum reservation_state to);

// Has the reservation ended for good?
bool state_is_terminal(enum reservation_state state);

// Does it take capacity and commitment?
bool state_is_live(enum reservation_state state); // held, booked, active

#endif
