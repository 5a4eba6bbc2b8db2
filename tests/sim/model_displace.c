// What gives way in the model: hour by hour, preemptible reservations first, the newest first, and to a loss
// of capacity then the firm ones, the newest first.
#include "model.h"

#include <stdlib.h>

int32_t model_free_gpus(const struct model *model, int pool, enum tier tier, int32_t hour)
{
    const struct model_pool *found = &model->pools[pool];
    int32_t i = hour - model->origin;
    return found->capacity[i] - (tier == TIER_FIRM ? found->taken_firm[i] : found->taken[i]);
}

static bool is_live(const struct model_reservation *reservation)
{
    return reservation->state == STATE_HELD || reservation->state == STATE_BOOKED ||
           reservation->state == STATE_ACTIVE;
}

// Takes what it can from one reservation of what is missing, by hour from the running one on.
static void displace_from(const struct model *model, const struct model_reservation *reservation,
                          int32_t *missing, struct answer *answer)
{
    int32_t from = reservation->start > model_hour(model) ? reservation->start : model_hour(model);
    bool cut = false;
    if (from >= reservation->end)
        return;
    int32_t *target = calloc((size_t)(reservation->end - from), sizeof *target);
    assert_non_null(target);
    for (int32_t hour = from; hour < reservation->end; hour++) {
        int32_t *wanted = &missing[hour - model_hour(model)], gpus = reservation_gpus(reservation, hour);
        int32_t taken = *wanted < gpus ? *wanted : gpus;
        target[hour - from] = gpus - taken;
        *wanted -= taken;
        cut = cut || taken > 0;
    }
    if (cut) {
        answer->displaced =
            realloc(answer->displaced, (answer->displaced_count + 1) * sizeof *answer->displaced);
        assert_non_null(answer->displaced);
        struct effect *effect = &answer->displaced[answer->displaced_count++];
        effect_plan(model, effect, reservation, from, reservation->end, target, true);
        effect->after.gpus = reservation_gpus_shown(model, reservation); // when nothing is left
        effect->after.gpus = reservation_gpus_shown(model, &effect->after);
    }
    free(target);
}

static bool any_missing(const struct model *model, const int32_t *missing)
{
    for (int32_t hour = model_hour(model); hour < model->origin + MODEL_HOURS; hour++)
        if (missing[hour - model_hour(model)] > 0)
            return true;
    return false;
}

static void displace(const struct model *model, int pool, enum tier tier, int32_t *missing,
                     struct answer *answer)
{
    if (!any_missing(model, missing))
        return;
    for (int64_t id = model->reservation_count; id >= 1; id--) {
        const struct model_reservation *reservation = &model->reservations[id];
        if (reservation->pool == pool && reservation->tier == tier && is_live(reservation))
            displace_from(model, reservation, missing, answer);
    }
}

int32_t *model_hours_ahead(const struct model *model)
{
    int32_t *hours = calloc((size_t)(model->origin + MODEL_HOURS - model_hour(model)), sizeof *hours);
    assert_non_null(hours);
    return hours;
}

void displace_for_loss(const struct model *model, int pool, const int32_t *loss, struct answer *answer)
{
    int32_t *missing = model_hours_ahead(model);
    for (int32_t hour = model_hour(model); hour < model->origin + MODEL_HOURS; hour++) {
        int32_t lost = loss[hour - model_hour(model)];
        int32_t left = model_free_gpus(model, pool, TIER_PREEMPTIBLE, hour) - lost;
        if (lost > 0 && left < 0)
            missing[hour - model_hour(model)] = -left;
    }
    answer->by_loss = true;
    displace(model, pool, TIER_PREEMPTIBLE, missing, answer);
    displace(model, pool, TIER_FIRM, missing, answer);
    if (any_missing(model, missing)) { // of what was cancelled in the running hour
        answer->first_short = model_hour(model);
        answer->free = -1; // not compared
        answer_refuse(answer, VERDICT_CAPACITY_EXCEEDED, -1);
    }
    free(missing);
}

void displace_for_effects(const struct model *model, struct answer *answer)
{
    for (int pool = 1; pool <= model->pool_count; pool++) {
        int32_t *missing = model_hours_ahead(model);
        for (size_t i = 0; i < answer->effect_count; i++)
            for (size_t k = 0; answer->effects[i].after.pool == pool && k < answer->effects[i].added_count;
                 k++)
                missing[answer->effects[i].added[k].hour - model_hour(model)] +=
                    answer->effects[i].added[k].gpus;
        for (int32_t hour = model_hour(model); hour < model->origin + MODEL_HOURS; hour++) {
            int32_t *added = &missing[hour - model_hour(model)];
            int32_t over = *added - model_free_gpus(model, pool, TIER_PREEMPTIBLE, hour);
            *added = *added > 0 && over > 0 ? over : 0;
        }
        displace(model, pool, TIER_PREEMPTIBLE, missing, answer);
        MODEL_CHECK(model, !any_missing(model, missing));
        free(missing);
    }
}
