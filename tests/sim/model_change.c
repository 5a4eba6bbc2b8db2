// The model's reservation.change.
//
// `end` extends or shortens; `gpus` holds from the hour `from` on, which when left out is the start, or the
// next whole hour of what is running; `start` moves the whole window, keeping its length, or with `end` sets
// both. An extension has the GPUs of the hour next to it.
#include "model.h"

#include <stdlib.h>

struct change_plan {
    const struct model *model;
    const struct model_reservation *before;
    const struct change_request *change;
    bool started;
    int32_t start, end, from;
    int32_t *present; // GPUs by hour, over the old window
};

static bool is_sound(const struct change_plan *plan, struct answer *answer)
{
    const struct model_reservation *before = plan->before;
    int32_t running = model_hour(plan->model), releasable = model_next_hour(plan->model);
    int32_t earliest = before->state == STATE_HELD ? running + 1 : running;
    int32_t unit = plan->model->pools[before->pool].unit;
    int64_t gpus = plan->change->gpus;
    bool sound = plan->end > plan->start;
    if (plan->start != before->start && plan->started) {
        answer->state = before->state;
        answer->state_is_known = true;
        return answer_refuse(answer, VERDICT_INVALID_STATE, -1);
    }
    sound = sound && (plan->start == before->start || plan->start >= earliest);
    sound =
        sound &&
        (plan->end == before->end ||
         (plan->end >= releasable && (plan->end <= model_horizon(plan->model) || plan->end < before->end)));
    sound = sound && (plan->change->has_gpus || !plan->change->has_from);
    if (plan->change->has_gpus) {
        sound = sound && gpus >= 1 && gpus % unit == 0 && plan->from >= plan->start &&
                plan->from < plan->end && plan->from >= running;
        // What has begun can grow, and not shrink.
        sound = sound && (plan->from >= releasable || gpus >= reservation_gpus(before, running));
    }
    return sound || answer_refuse(answer, VERDICT_INVALID_PARAMS, -1);
}

static int32_t gpus_wanted(const struct change_plan *plan, int32_t hour, int64_t gpus)
{
    const struct model_reservation *before = plan->before;
    if (hour < plan->start || hour >= plan->end)
        return 0;
    if (plan->change->has_gpus && hour >= plan->from)
        return (int32_t)gpus;
    bool moved = plan->change->has_start && !plan->change->has_end;
    int32_t source = moved ? hour - plan->start + before->start : hour;
    source = source < before->start ? before->start : source;
    source = source >= before->end ? before->end - 1 : source;
    return plan->present[source - before->start];
}

static void plan_with(const struct change_plan *plan, int64_t gpus, struct effect *effect)
{
    const struct model_reservation *before = plan->before;
    int32_t from = plan->start < before->start ? plan->start : before->start;
    int32_t to = plan->end > before->end ? plan->end : before->end;
    int32_t *target = calloc((size_t)(to - from), sizeof *target);
    assert_non_null(target);
    for (int32_t hour = from; hour < to; hour++)
        target[hour - from] =
            plan->started && hour < model_hour(plan->model) ? -1 : gpus_wanted(plan, hour, gpus);
    effect_plan(plan->model, effect, before, from, to, target, before->state == STATE_HELD);
    free(target);
}

// The first hour of some that are added in which there are no GPUs, or no power, for them; NEVER.
static int32_t first_short(const struct change_plan *plan, const struct piece *added, size_t count,
                           bool power)
{
    const struct model *model = plan->model;
    int pool = plan->before->pool;
    enum tier tier = plan->before->tier;
    for (size_t i = 0; i < count; i++) {
        int64_t watts = added[i].gpus * model->pools[pool].watts;
        if (power ? watts > 0 && model_watts_left(model, tier, added[i].hour) < watts
                  : model_free_gpus(model, pool, tier, added[i].hour) < added[i].gpus)
            return added[i].hour;
    }
    return NEVER;
}

// Windows of different GPUs are looked at one after the other, each for GPUs and then for power.
static bool has_room(const struct change_plan *plan, const struct effect *effect, struct answer *answer)
{
    for (size_t i = 0, count; i < effect->added_count; i += count) {
        const struct piece *added = &effect->added[i];
        for (count = 1; i + count < effect->added_count && added[count].gpus == added->gpus &&
                        added[count].hour == added->hour + (int32_t)count;
             count++) {
        }
        for (int power = 0; power < 2; power++) {
            answer->first_short = first_short(plan, added, count, power == 1);
            answer->free = -1;          // not compared
            answer->missing_watts = -1; // nor this
            if (answer->first_short != NEVER)
                return answer_refuse(answer, VERDICT_CAPACITY_EXCEEDED, -1);
        }
    }
    return true;
}

// What the additions of an effect cost in a period with at most so many GPUs each.
static bool affordable_with(const struct model *model, const struct effect *effect, int32_t gpus)
{
    int64_t cost[MODEL_PERIODS + 1] = {0};
    for (size_t i = 0; i < effect->added_count; i++) {
        const struct piece *piece = &effect->added[i];
        cost[piece->period] += piece->price * (piece->gpus < gpus ? piece->gpus : gpus);
    }
    for (int id = 1; id <= model->period_count; id++) {
        const struct model_period *period = &model->periods[id];
        if (cost[id] > 0 && !period->unlimited &&
            cost[id] > period_available(period) + effect->released_in[id])
            return false;
    }
    return true;
}

static bool is_affordable(const struct change_plan *plan, const struct effect *effect, struct answer *answer)
{
    static const int64_t spent[MODEL_PERIODS + 1];
    const struct model *model = plan->model;
    int32_t unit = model->pools[plan->before->pool].unit;
    int exceeded = effect_exceeds(model, effect, spent);
    if (exceeded == 0)
        return true;
    answer->period = exceeded;
    answer->available = period_available(&model->periods[exceeded]) + effect->released_in[exceeded];
    answer->needed = effect->added_in[exceeded];
    if (plan->change->has_gpus) { // the same change with fewer
        for (int64_t gpus = plan->change->gpus - unit; gpus > 0 && answer->max_gpus == 0; gpus -= unit) {
            struct effect smaller;
            plan_with(plan, gpus, &smaller);
            if (effect_exceeds(model, &smaller, spent) == 0)
                answer->max_gpus = gpus;
            effect_free(&smaller);
        }
    } else {
        int32_t most = 0;
        for (size_t i = 0; i < effect->added_count; i++)
            most = effect->added[i].gpus > most ? effect->added[i].gpus : most;
        while (most > 0 && !affordable_with(model, effect, most))
            most -= unit;
        answer->max_gpus = most;
    }
    return answer_refuse(answer, VERDICT_COMMITMENT_EXCEEDED, -1);
}

static void finish(const struct change_plan *plan, struct effect *effect)
{
    struct model_reservation *after = &effect->after;
    after->start = plan->start;
    after->end = plan->end;
    if (after->state == STATE_HELD && after->hold_expires > after->start * INT64_C(3600))
        after->hold_expires = after->start * INT64_C(3600);
    if (after->state == STATE_BOOKED && after->start <= model_hour(plan->model))
        after->state = STATE_ACTIVE;
    if (after->state == STATE_ACTIVE && after->end <= model_hour(plan->model)) // shortened to this instant
        after->state = STATE_COMPLETED;
    after->gpus = reservation_gpus_shown(plan->model, after);
}

void decide_model_change(const struct model *model, const struct request *request, struct answer *answer)
{
    const struct change_request *change = &request->change;
    struct change_plan plan = {.model = model, .change = change, .before = &model->reservations[change->id]};
    const struct model_reservation *before = plan.before;
    if (before->state != STATE_HELD && before->state != STATE_BOOKED && before->state != STATE_ACTIVE) {
        answer->state = before->state;
        answer->state_is_known = true;
        answer_refuse(answer, before->state == STATE_EXPIRED ? VERDICT_EXPIRED : VERDICT_INVALID_STATE, -1);
        return;
    }
    plan.started = before->state == STATE_ACTIVE;
    plan.start = change->has_start ? change->start.number : before->start;
    plan.end = change->has_end ? change->end.number : before->end + plan.start - before->start;
    plan.from = change->has_from ? change->from.number : plan.started ? model_next_hour(model) : plan.start;
    if (!is_sound(&plan, answer))
        return;
    plan.present = calloc((size_t)(before->end - before->start), sizeof *plan.present);
    answer->effects = calloc(1, sizeof *answer->effects);
    assert_true(plan.present != NULL && answer->effects != NULL);
    for (size_t i = 0; i < before->count; i++)
        plan.present[before->pieces[i].hour - before->start] += before->pieces[i].gpus;
    struct effect *effect = answer->effects;
    answer->effect_count = 1;
    answer->thing = change->id;
    plan_with(&plan, change->gpus, effect);
    if (effect->added_count > 0 && model->tenants[before->tenant].suspended) {
        answer_refuse(answer, VERDICT_TENANT_SUSPENDED, -1);
    } else if (effect->first_uncovered != NEVER) {
        answer->first_uncovered = effect->first_uncovered;
        answer_refuse(answer, VERDICT_NO_CONTRACT, -1);
    } else if (effect->first_unrated != NEVER) {
        answer->first_uncovered = effect->first_unrated;
        answer_refuse(answer, VERDICT_NO_RATE, -1);
    } else if (has_room(&plan, effect, answer) && is_affordable(&plan, effect, answer)) {
        finish(&plan, effect);
        displace_for_effects(model, answer);
    }
    free(plan.present);
}
