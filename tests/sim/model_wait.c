// Who waits in the model. Pool by pool all that wait are looked at, the oldest first; when one that is booked
// takes the place of others, everybody is looked at once more.
#include "model.h"

#include <stdlib.h>

static bool has_room(const struct model *model, const struct model_reservation *reservation)
{
    for (int32_t hour = reservation->start; hour < reservation->end; hour++)
        if (!model_has_room(model, reservation->pool, reservation->tier, hour, reservation->gpus))
            return false;
    return true;
}

// What booking it would do. False when it can't be booked yet.
static bool plan_booking(const struct model *model, const struct model_reservation *reservation,
                         struct effect *effect)
{
    static const int64_t spent[MODEL_PERIODS + 1];
    struct model_reservation wanted = *reservation;
    int64_t start = wanted.start * INT64_C(3600), expires = model->now + wanted.hold_seconds;
    int32_t hours = wanted.end - wanted.start;
    wanted.state = wanted.hold_seconds > 0 ? STATE_HELD : STATE_BOOKED;
    if (wanted.hold_seconds > 0)
        wanted.hold_expires = expires < start ? expires : start;
    wanted.hold_seconds = 0;
    int32_t *target = calloc((size_t)hours, sizeof *target);
    assert_non_null(target);
    for (int32_t k = 0; k < hours; k++)
        target[k] = wanted.gpus;
    effect_plan(model, effect, &wanted, wanted.start, wanted.end, target, false);
    free(target);
    return effect->first_uncovered == NEVER && effect->first_unrated == NEVER &&
           effect_exceeds(model, effect, spent) == 0;
}

// Books it when it fits. *displaced: at the cost of others.
static bool serve(struct model *model, const struct model_reservation *reservation, bool *displaced)
{
    if (model->tenants[reservation->tenant].suspended || !has_room(model, reservation))
        return false;
    struct answer answer = {.verdict = VERDICT_DONE, .effect_count = 1};
    answer.effects = calloc(1, sizeof *answer.effects);
    assert_non_null(answer.effects);
    bool fits = plan_booking(model, reservation, answer.effects);
    if (fits) {
        displace_for_effects(model, &answer);
        *displaced = answer.displaced_count > 0;
        model_apply(model, &answer);
    }
    answer_free(&answer);
    return fits;
}

struct round {
    bool serving, again;
    int64_t next;
};

// Something was freed in every pool.
static void look_again(const struct model *model, struct round *rounds)
{
    for (int pool = 1; pool <= model->pool_count; pool++) {
        if (rounds[pool].serving)
            rounds[pool].again = true;
        else
            rounds[pool] = (struct round){.serving = true, .next = 1};
    }
}

// Serves the next one of a pool. False when its round is over.
static bool serve_next(struct model *model, int pool, struct round *rounds)
{
    struct round *round = &rounds[pool];
    while (round->serving) {
        while (round->next <= model->reservation_count) {
            const struct model_reservation *reservation = &model->reservations[round->next++];
            bool displaced = false;
            if (reservation->pool == pool && reservation->state == STATE_WAITING &&
                serve(model, reservation, &displaced)) {
                if (displaced)
                    look_again(model, rounds);
                return true;
            }
        }
        *round = (struct round){.serving = round->again, .next = 1};
    }
    return false;
}

void model_serve(struct model *model)
{
    struct round rounds[MODEL_POOLS + 1] = {0};
    look_again(model, rounds);
    for (int pool = 1; pool <= model->pool_count; pool++)
        if (serve_next(model, pool, rounds))
            pool = 0; // from the first on
}
