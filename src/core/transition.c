#include "core/transition.h"

#define BIT(state) (1U << (state))

// For each state, where it may go. A change of terms stays where it is.
static const uint32_t allowed[STATE_COUNT] = {
    [STATE_NONE] = BIT(STATE_WAITING) | BIT(STATE_HELD) | BIT(STATE_BOOKED) | BIT(STATE_ACTIVE),
    [STATE_WAITING] = BIT(STATE_HELD) | BIT(STATE_BOOKED) | BIT(STATE_EXPIRED) | BIT(STATE_CANCELLED),
    [STATE_HELD] = BIT(STATE_HELD) | BIT(STATE_BOOKED) | BIT(STATE_EXPIRED) | BIT(STATE_CANCELLED),
    [STATE_BOOKED] = BIT(STATE_BOOKED) | BIT(STATE_ACTIVE) | BIT(STATE_CANCELLED),
    [STATE_ACTIVE] = BIT(STATE_ACTIVE) | BIT(STATE_COMPLETED) | BIT(STATE_CANCELLED),
};

bool transition_allowed(enum reservation_state from, enum reservation_state to)
{
    return (allowed[from] & BIT(to)) != 0;
}

bool state_is_terminal(enum reservation_state state)
{
    return state == STATE_COMPLETED || state == STATE_CANCELLED || state == STATE_EXPIRED;
}

bool state_is_live(enum reservation_state state)
{
    return state == STATE_HELD || state == STATE_BOOKED || state == STATE_ACTIVE;
}
