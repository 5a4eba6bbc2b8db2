// What gives way in the model: hour by hour, preemptible reservations first, the newest first, and to a loss
// of capacity then the firm ones, the newest first. To firm bookings GPUs give way first, then the power that
// is still missing, in whole units.
#include "model.h"

#include <stdlib.h>

int32_t model_free_gpus(const struct model *model, int pool, enum tier tier, int32_t hour)
{
    const struct model_pool *found = &model->pools[pool];
    int32_t i = hour - model->origin;
    return found->capacity[i] - (tier == TIER_FIRM ? found->taken_firm[i] : found->taken[i]);
}

int64_t model_watts_left(const struct model *model, enum tier tier, int32_t hour)
{
    int64_t watts = MODEL_UNLIMITED;
    for (size_t i = 0; i < model->power_count; i++)
        if (model->power[i].from <= hour)
            watts = model->power[i].value;
    for (int pool = 1; pool <= model->pool_count; pool++) {
        const struct model_pool *found = &model->pools[pool];
        int32_t i = hour - model->origin;
        watts -= found->watts * (tier == TIER_FIRM ? found->taken_firm[i] : found->taken[i]);
    }
    return watts;
}

bool model_has_room(const struct model *model, int pool, enum tier tier, int32_t hour, int32_t gpus)
{
    return model_free_gpus(model, pool, tier, hour) >= gpus &&
           (model->pools[pool].watts == 0 ||
            model_watts_left(model, tier, hour) >= gpus * model->pools[pool].watts);
}

static bool is_live(const struct model_reservation *reservation)
{
    return reservation->state == STATE_HELD || reservation->state == STATE_BOOKED ||
           reservation->state == STATE_ACTIVE;
}

// What is taken from whom: for each reservation nothing, or GPUs by hour from the running one on.
struct taking {
    const struct model *model;
    int32_t **gone; // by id
    int32_t hours;
};

static void begin_taking(struct taking *taking, const struct model *model)
{
    *taking = (struct taking){.model = model, .hours = model->origin + MODEL_HOURS - model_hour(model)};
    taking->gone = calloc((size_t)model->reservation_count + 1, sizeof *taking->gone);
    assert_non_null(taking->gone);
}

static void take(struct taking *taking, const struct model_reservation *reservation, int32_t hour,
                 int32_t gpus)
{
    int32_t **gone = &taking->gone[reservation->id];
    if (gpus == 0)
        return;
    if (*gone == NULL)
        *gone = model_hours_ahead(taking->model);
    (*gone)[hour - model_hour(taking->model)] += gpus;
}

// What a reservation still has in an hour.
static int32_t left_of(const struct taking *taking, const struct model_reservation *reservation, int32_t hour)
{
    const int32_t *gone = taking->gone[reservation->id];
    return reservation_gpus(reservation, hour) - (gone == NULL ? 0 : gone[hour - model_hour(taking->model)]);
}

static int32_t first_hour(const struct model *model, const struct model_reservation *reservation)
{
    return reservation->start > model_hour(model) ? reservation->start : model_hour(model);
}

// Makes effects of what was taken.
static void end_taking(struct taking *taking, struct answer *answer)
{
    const struct model *model = taking->model;
    for (int64_t id = model->reservation_count; id >= 1; id--) {
        const struct model_reservation *reservation = &model->reservations[id];
        int32_t from = first_hour(model, reservation);
        if (taking->gone[id] == NULL)
            continue;
        int32_t *target = calloc((size_t)(reservation->end - from), sizeof *target);
        answer->displaced =
            realloc(answer->displaced, (answer->displaced_count + 1) * sizeof *answer->displaced);
        assert_true(target != NULL && answer->displaced != NULL);
        for (int32_t hour = from; hour < reservation->end; hour++)
            target[hour - from] = left_of(taking, reservation, hour);
        struct effect *effect = &answer->displaced[answer->displaced_count++];
        effect_plan(model, effect, reservation, from, reservation->end, target, true);
        effect->after.gpus = reservation_gpus_shown(model, reservation); // when nothing is left
        effect->after.gpus = reservation_gpus_shown(model, &effect->after);
        free(target);
        free(taking->gone[id]);
    }
    free(taking->gone);
}

static bool any_missing(const struct taking *taking, const int32_t *missing)
{
    for (int32_t i = 0; i < taking->hours; i++)
        if (missing[i] > 0)
            return true;
    return false;
}

static void displace(struct taking *taking, int pool, enum tier tier, int32_t *missing)
{
    const struct model *model = taking->model;
    if (!any_missing(taking, missing))
        return;
    for (int64_t id = model->reservation_count; id >= 1; id--) {
        const struct model_reservation *reservation = &model->reservations[id];
        if (reservation->pool != pool || reservation->tier != tier || !is_live(reservation))
            continue;
        for (int32_t hour = first_hour(model, reservation); hour < reservation->end; hour++) {
            int32_t *wanted = &missing[hour - model_hour(model)];
            int32_t gpus = *wanted > 0 ? left_of(taking, reservation, hour) : 0;
            gpus = *wanted < gpus ? *wanted : gpus;
            take(taking, reservation, hour, gpus);
            *wanted -= gpus;
        }
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
    struct taking taking;
    int32_t *missing = model_hours_ahead(model);
    for (int32_t hour = model_hour(model); hour < model->origin + MODEL_HOURS; hour++) {
        int32_t lost = loss[hour - model_hour(model)];
        int32_t left = model_free_gpus(model, pool, TIER_PREEMPTIBLE, hour) - lost;
        if (lost > 0 && left < 0)
            missing[hour - model_hour(model)] = -left;
    }
    answer->by_loss = true;
    begin_taking(&taking, model);
    displace(&taking, pool, TIER_PREEMPTIBLE, missing);
    displace(&taking, pool, TIER_FIRM, missing);
    if (any_missing(&taking, missing)) { // of what was cancelled in the running hour
        answer->first_short = model_hour(model);
        answer->free = -1; // not compared
        answer_refuse(answer, VERDICT_CAPACITY_EXCEEDED, -1);
    }
    end_taking(&taking, answer);
    free(missing);
}

// ---- For firm bookings

static void displace_in_pool(struct taking *taking, const struct answer *answer, int pool)
{
    const struct model *model = taking->model;
    int32_t *missing = model_hours_ahead(model);
    for (size_t i = 0; i < answer->effect_count; i++)
        for (size_t k = 0; answer->effects[i].after.pool == pool && k < answer->effects[i].added_count; k++)
            missing[answer->effects[i].added[k].hour - model_hour(model)] += answer->effects[i].added[k].gpus;
    for (int32_t hour = model_hour(model); hour < model->origin + MODEL_HOURS; hour++) {
        int32_t *added = &missing[hour - model_hour(model)];
        int32_t over = *added - model_free_gpus(model, pool, TIER_PREEMPTIBLE, hour);
        *added = *added > 0 && over > 0 ? over : 0;
    }
    displace(taking, pool, TIER_PREEMPTIBLE, missing);
    MODEL_CHECK(model, !any_missing(taking, missing));
    free(missing);
}

// The watts that are missing in an hour after what the decision adds and what is taken so far.
static int64_t missing_watts(const struct taking *taking, const struct answer *answer, int32_t hour)
{
    const struct model *model = taking->model;
    int64_t added = 0, missing = 0;
    for (size_t i = 0; i < answer->effect_count; i++)
        for (size_t k = 0; k < answer->effects[i].added_count; k++)
            if (answer->effects[i].added[k].hour == hour)
                added += answer->effects[i].added[k].gpus * model->pools[answer->effects[i].after.pool].watts;
    if (added == 0)
        return 0;
    missing = added - model_watts_left(model, TIER_PREEMPTIBLE, hour);
    for (int64_t id = 1; id <= model->reservation_count; id++)
        if (taking->gone[id] != NULL)
            missing -=
                taking->gone[id][hour - model_hour(model)] * model->pools[model->reservations[id].pool].watts;
    return missing;
}

static void displace_for_power(struct taking *taking, struct answer *answer, int32_t hour)
{
    const struct model *model = taking->model;
    int64_t missing = missing_watts(taking, answer, hour);
    for (int64_t id = model->reservation_count; id >= 1 && missing > 0; id--) {
        const struct model_reservation *reservation = &model->reservations[id];
        const struct model_pool *pool = &model->pools[reservation->pool];
        if (reservation->tier != TIER_PREEMPTIBLE || pool->watts == 0 || !is_live(reservation) ||
            hour >= reservation->end)
            continue;
        int32_t has = left_of(taking, reservation, hour), gpus = 0;
        for (; gpus < has && missing > 0; gpus += pool->unit)
            missing -= pool->unit * pool->watts;
        take(taking, reservation, hour, gpus);
        answer->powerless += gpus > 0;
    }
    MODEL_CHECK(model, missing <= 0);
}

void displace_for_effects(const struct model *model, struct answer *answer)
{
    struct taking taking;
    begin_taking(&taking, model);
    for (int pool = 1; pool <= model->pool_count; pool++)
        displace_in_pool(&taking, answer, pool);
    for (size_t i = 0; i < answer->effect_count && model->power_count > 0; i++)
        for (size_t k = 0; k < answer->effects[i].added_count; k++)
            displace_for_power(&taking, answer, answer->effects[i].added[k].hour);
    end_taking(&taking, answer);
}
