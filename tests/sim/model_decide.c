// The model's decisions on requests, other than reservation.change.
#include "model.h"

#include <stdlib.h>
#include <string.h>

// ---- Answers

bool answer_refuse(struct answer *answer, enum verdict verdict, int32_t leg)
{
    answer->verdict = verdict;
    answer->leg = leg;
    return false;
}

void answer_free(struct answer *answer)
{
    for (size_t i = 0; i < answer->effect_count; i++)
        effect_free(&answer->effects[i]);
    free(answer->effects);
    for (size_t i = 0; i < answer->displaced_count; i++)
        effect_free(&answer->displaced[i]);
    free(answer->displaced);
}

// Was the ref used? Then there is nothing left to decide, and this returns true.
static bool replayed(const struct model *model, int scope, const struct request *request,
                     struct answer *answer)
{
    char text[1024];
    model_describe(request, text, sizeof text);
    for (size_t i = 0; i < model->reference_count && request->client_ref != NULL; i++) {
        const struct model_reference *reference = &model->references[i];
        if (reference->scope != scope || strcmp(reference->text, request->client_ref) != 0)
            continue;
        if (strcmp(reference->request, text) != 0) {
            answer_refuse(answer, VERDICT_CONFLICT, -1);
            return true;
        }
        answer->replayed = true;
        answer->thing = reference->thing;
        answer->is_group = reference->is_group;
        return true;
    }
    return false;
}

// Whom the request is for; 0 after refusing.
static int tenant_of(const struct model *model, const struct request *request, struct answer *answer)
{
    int named = request->tenant == NULL ? 0 : model_tenant_named(model, request->tenant);
    if (request->actor.role == ROLE_TENANT &&
        (request->tenant == NULL || named == (int)request->actor.tenant))
        return (int)request->actor.tenant;
    if (request->actor.role == ROLE_OPERATOR && request->tenant == NULL)
        answer_refuse(answer, VERDICT_INVALID_PARAMS, -1);
    else if (request->actor.role == ROLE_TENANT || named == 0)
        answer_refuse(answer, VERDICT_NOT_FOUND, -1);
    else
        return named;
    return 0;
}

// ---- Create

static bool legs_are_sound(const struct model *model, const struct request *request, struct answer *answer)
{
    bool grouped = request->kind == REQUEST_CREATE_GROUP;
    for (size_t i = 0; i < request->create.leg_count; i++) {
        const struct leg *leg = &request->create.legs[i];
        int32_t number = grouped ? (int32_t)i : -1;
        int pool = model_pool_named(model, leg->pool);
        if (pool == 0)
            return answer_refuse(answer, VERDICT_NOT_FOUND, number);
        if (leg->gpus < 1 || leg->gpus % model->pools[pool].unit != 0 || leg->end.number <= leg->start.number)
            return answer_refuse(answer, VERDICT_INVALID_PARAMS, number);
    }
    return true;
}

static bool windows_are_sound(const struct model *model, const struct request *request, struct answer *answer)
{
    const struct create_request *create = &request->create;
    for (size_t i = 0; i < create->leg_count; i++)
        if (create->legs[i].start.number < model_hour(model) ||
            create->legs[i].end.number > model_horizon(model) ||
            ((create->hold_seconds > 0 || create->has_wait_until) &&
             create->legs[i].start.number <= model_hour(model)))
            return answer_refuse(answer, VERDICT_INVALID_PARAMS, -1);
    if (create->hold_seconds > model->hold_seconds_max ||
        (create->has_wait_until && create->wait_until.seconds <= model->now))
        return answer_refuse(answer, VERDICT_INVALID_PARAMS, -1);
    return true;
}

static void plan_leg(const struct model *model, const struct request *request, int tenant, size_t i,
                     struct effect *effect)
{
    const struct leg *leg = &request->create.legs[i];
    bool grouped = request->kind == REQUEST_CREATE_GROUP;
    struct model_reservation none = {
        .id = model->reservation_count + 1 + (int64_t)i,
        .tenant = tenant,
        .pool = model_pool_named(model, leg->pool),
        .tier = leg->tier,
        .state = leg->start.number <= model_hour(model) ? STATE_ACTIVE : STATE_BOOKED,
        .start = leg->start.number,
        .end = leg->end.number,
        .gpus = (int32_t)leg->gpus,
        .created = model->now,
        .group = grouped ? model->reservation_count + 1 : 0,
        .legs = grouped ? (int32_t)request->create.leg_count : 0,
    };
    if (request->create.hold_seconds > 0) {
        int64_t expires = model->now + request->create.hold_seconds,
                start = leg->start.number * INT64_C(3600);
        none.state = STATE_HELD;
        none.hold_expires = expires < start ? expires : start;
    }
    int32_t hours = leg->end.number - leg->start.number;
    int32_t *target = calloc((size_t)hours, sizeof *target);
    assert_non_null(target);
    for (int32_t k = 0; k < hours; k++)
        target[k] = (int32_t)leg->gpus;
    effect_plan(model, effect, &none, leg->start.number, leg->end.number, target, false);
    free(target);
}

// Free GPUs after what other legs of the same decision take. All firm legs come before the preemptible ones.
static int32_t free_in(const struct model *model, const struct answer *answer, size_t leg, int32_t hour)
{
    const struct model_reservation *asking = &answer->effects[leg].after;
    int32_t free = model_free_gpus(model, asking->pool, asking->tier, hour);
    for (size_t k = 0; k < answer->effect_count; k++) {
        const struct model_reservation *other = &answer->effects[k].after;
        bool comes_before = other->tier == asking->tier ? k < leg : other->tier == TIER_FIRM;
        if (comes_before && other->pool == asking->pool && other->start <= hour && hour < other->end)
            free -= answer->effects[k].added[0].gpus;
    }
    return free;
}

// The power left in an hour, in the same way.
static int64_t watts_in(const struct model *model, const struct answer *answer, size_t leg, int32_t hour)
{
    const struct model_reservation *asking = &answer->effects[leg].after;
    int64_t watts = model_watts_left(model, asking->tier, hour);
    for (size_t k = 0; k < answer->effect_count; k++) {
        const struct model_reservation *other = &answer->effects[k].after;
        bool comes_before = other->tier == asking->tier ? k < leg : other->tier == TIER_FIRM;
        if (comes_before && other->start <= hour && hour < other->end)
            watts -= answer->effects[k].added[0].gpus * model->pools[other->pool].watts;
    }
    return watts;
}

static bool fits_in(const struct model *model, const struct answer *answer, size_t leg, int32_t hour)
{
    const struct effect *effect = &answer->effects[leg];
    int64_t watts = effect->added[0].gpus * model->pools[effect->after.pool].watts;
    return free_in(model, answer, leg, hour) >= effect->added[0].gpus &&
           (watts == 0 || watts_in(model, answer, leg, hour) >= watts);
}

static bool leg_is_powered(const struct model *model, struct answer *answer, size_t i)
{
    const struct effect *effect = &answer->effects[i];
    const struct model_pool *pool = &model->pools[effect->after.pool];
    int64_t wanted = effect->added[0].gpus * pool->watts, least_left = MODEL_UNLIMITED;
    for (int32_t hour = effect->after.start; hour < effect->after.end && wanted > 0; hour++) {
        int64_t left = watts_in(model, answer, i, hour);
        least_left = left < least_left ? left : least_left;
        if (left < wanted && answer->first_short == NEVER)
            answer->first_short = hour;
    }
    if (answer->first_short == NEVER)
        return true;
    answer->missing_watts = wanted - least_left;
    answer->free = least_left < 0 ? 0 : (int32_t)(least_left / pool->watts / pool->unit) * pool->unit;
    return false;
}

static bool leg_fits(const struct model *model, struct answer *answer, size_t i, int32_t leg)
{
    const struct effect *effect = &answer->effects[i];
    int32_t gpus = effect->added[0].gpus, hours = effect->after.end - effect->after.start, run = 0;
    answer->free = INT32_MAX;
    answer->first_short = NEVER;
    for (int32_t hour = effect->after.start; hour < effect->after.end; hour++) {
        int32_t free = free_in(model, answer, i, hour);
        answer->free = free < answer->free ? free : answer->free;
        if (free < gpus && answer->first_short == NEVER)
            answer->first_short = hour;
    }
    answer->free = answer->free < 0 ? 0 : answer->free;
    if (answer->first_short == NEVER && leg_is_powered(model, answer, i))
        return true;
    answer->may_move = true;
    answer->next_start = NEVER;
    for (int32_t hour = effect->after.start; hour < model_horizon(model) && run < hours; hour++) {
        run = fits_in(model, answer, i, hour) ? run + 1 : 0;
        if (run == hours)
            answer->next_start = hour + 1 - hours;
    }
    return answer_refuse(answer, VERDICT_CAPACITY_EXCEEDED, leg);
}

// Does a single booking not fit, and may it one day?
static bool must_wait(const struct model *model, const struct answer *answer)
{
    const struct effect *effect = &answer->effects[0];
    bool fits = true, may_fit = false;
    for (int32_t hour = effect->after.start; hour < effect->after.end; hour++)
        fits = fits && fits_in(model, answer, 0, hour);
    for (int32_t i = model_hour(model) - model->origin; i < MODEL_HOURS; i++)
        may_fit = may_fit || model->pools[effect->after.pool].capacity[i] >= effect->added[0].gpus;
    return !fits && may_fit;
}

// It takes nothing while it waits.
static void let_wait(const struct model *model, const struct create_request *create, struct effect *effect)
{
    struct model_reservation waiting = effect->after;
    int64_t start = waiting.start * INT64_C(3600), until = create->wait_until.seconds;
    waiting.state = STATE_WAITING;
    waiting.wait_until = until < start ? until : start;
    waiting.hold_seconds = create->hold_seconds;
    waiting.hold_expires = 0;
    waiting.pieces = NULL;
    waiting.count = 0;
    waiting.layer = 0;
    effect_free(effect);
    effect_plan(model, effect, &waiting, waiting.start, waiting.start, NULL, true);
}

static bool leg_is_affordable(const struct model *model, struct answer *answer, size_t i, int32_t leg,
                              int64_t *spent)
{
    const struct effect *effect = &answer->effects[i];
    int32_t asked = effect->added[0].gpus, unit = model->pools[effect->after.pool].unit;
    int exceeded = effect_exceeds(model, effect, spent);
    if (exceeded == 0) {
        for (int id = 1; id <= model->period_count; id++)
            spent[id] += effect->added_in[id];
        return true;
    }
    answer->period = exceeded;
    answer->available = period_available(&model->periods[exceeded]) - spent[exceeded];
    answer->available = answer->available < 0 ? 0 : answer->available;
    answer->needed = effect->added_in[exceeded];
    for (int32_t gpus = asked; gpus >= 0; gpus -= unit) {
        bool fits = true;
        for (int id = 1; id <= model->period_count; id++)
            fits = fits &&
                   (model->periods[id].unlimited || effect->added_in[id] == 0 || gpus == 0 ||
                    effect->added_in[id] / asked * gpus <= period_available(&model->periods[id]) - spent[id]);
        if (fits) {
            answer->max_gpus = gpus;
            break;
        }
    }
    return answer_refuse(answer, VERDICT_COMMITMENT_EXCEEDED, leg);
}

static bool legs_have(const struct answer *answer, bool grouped, bool contract, struct answer *result)
{
    for (size_t i = 0; i < answer->effect_count; i++) {
        const struct effect *effect = &answer->effects[i];
        int32_t hour = contract ? effect->first_uncovered : effect->first_unrated;
        if (hour == NEVER)
            continue;
        result->first_uncovered = hour;
        return answer_refuse(result, contract ? VERDICT_NO_CONTRACT : VERDICT_NO_RATE,
                             grouped ? (int32_t)i : -1);
    }
    return true;
}

static void decide_create(const struct model *model, const struct request *request, struct answer *answer)
{
    bool grouped = request->kind == REQUEST_CREATE_GROUP;
    size_t count = request->create.leg_count;
    int64_t spent[MODEL_PERIODS + 1] = {0};
    int tenant = tenant_of(model, request, answer);
    if (tenant == 0 || !legs_are_sound(model, request, answer) || replayed(model, tenant, request, answer) ||
        !windows_are_sound(model, request, answer))
        return;
    if (model->tenants[tenant].suspended) {
        answer_refuse(answer, VERDICT_TENANT_SUSPENDED, -1);
        return;
    }
    answer->effects = calloc(count, sizeof *answer->effects);
    assert_non_null(answer->effects);
    for (; answer->effect_count < count; answer->effect_count++)
        plan_leg(model, request, tenant, answer->effect_count, &answer->effects[answer->effect_count]);
    if (!legs_have(answer, grouped, true, answer) || !legs_have(answer, grouped, false, answer))
        return;
    bool waits = !grouped && request->create.has_wait_until && must_wait(model, answer);
    for (int tier = TIER_FIRM; tier < TIER_COUNT && !waits; tier++)
        for (size_t i = 0; i < count; i++)
            if ((int)answer->effects[i].after.tier == tier &&
                !leg_fits(model, answer, i, grouped ? (int32_t)i : -1))
                return;
    for (size_t i = 0; i < count; i++)
        if (!leg_is_affordable(model, answer, i, grouped ? (int32_t)i : -1, spent))
            return;
    answer->is_group = grouped;
    answer->thing = model->reservation_count + 1;
    if (waits)
        let_wait(model, &request->create, &answer->effects[0]);
    displace_for_effects(model, answer);
}

// ---- Confirm and cancel

// The members of the target that are in one of the states. False after refusing by the first one's state.
static bool find_members(const struct model *model, struct target target, uint32_t states,
                         const struct model_reservation **members, size_t *count, struct answer *answer)
{
    const struct model_reservation *first = &model->reservations[target.id];
    *count = 0;
    for (int64_t id = target.id; id < target.id + (target.is_group ? first->legs : 1); id++)
        if ((states >> model->reservations[id].state) & 1U)
            members[(*count)++] = &model->reservations[id];
    if (*count > 0)
        return true;
    answer->state_is_known = true;
    answer->state = first->state;
    return answer_refuse(answer, first->state == STATE_EXPIRED ? VERDICT_EXPIRED : VERDICT_INVALID_STATE, -1);
}

static bool exists(const struct model *model, struct target target, int tenant)
{
    return target.id >= 1 && target.id <= model->reservation_count &&
           model->reservations[target.id].tenant == tenant &&
           (!target.is_group || model->reservations[target.id].group == target.id);
}

static void decide_confirm(const struct model *model, const struct request *request, struct answer *answer)
{
    const struct model_reservation *members[MODEL_LEGS];
    int tenant = tenant_of(model, request, answer);
    size_t count;
    if (tenant == 0)
        return;
    if (!exists(model, request->confirm, tenant)) {
        answer_refuse(answer, VERDICT_NOT_FOUND, -1);
        return;
    }
    if (replayed(model, tenant, request, answer))
        return;
    if (model->tenants[tenant].suspended) {
        answer_refuse(answer, VERDICT_TENANT_SUSPENDED, -1);
        return;
    }
    if (!find_members(model, request->confirm, 1U << STATE_HELD, members, &count, answer))
        return;
    answer->effects = calloc(count, sizeof *answer->effects);
    assert_non_null(answer->effects);
    for (; answer->effect_count < count; answer->effect_count++) {
        struct effect *effect = &answer->effects[answer->effect_count];
        effect_plan(model, effect, members[answer->effect_count], 0, 0, NULL, true);
        effect->after.state = STATE_BOOKED;
        effect->after.hold_expires = 0;
    }
    answer->thing = request->confirm.id;
    answer->is_group = request->confirm.is_group;
}

static void decide_cancel(const struct model *model, const struct request *request, struct answer *answer)
{
    const struct cancel_request *cancel = &request->cancel;
    const struct model_reservation *members[MODEL_LEGS];
    size_t count;
    if (cancel->waive_fee && cancel->reason == NULL) {
        answer_refuse(answer, VERDICT_INVALID_PARAMS, -1);
        return;
    }
    if (cancel->waive_fee && request->actor.role != ROLE_OPERATOR) {
        answer_refuse(answer, VERDICT_FORBIDDEN, -1);
        return;
    }
    int tenant = tenant_of(model, request, answer);
    if (tenant == 0)
        return;
    if (!exists(model, cancel->target, tenant)) {
        answer_refuse(answer, VERDICT_NOT_FOUND, -1);
        return;
    }
    if (replayed(model, tenant, request, answer) ||
        !find_members(model, cancel->target,
                      1U << STATE_WAITING | 1U << STATE_HELD | 1U << STATE_BOOKED | 1U << STATE_ACTIVE,
                      members, &count, answer))
        return;
    answer->effects = calloc(count, sizeof *answer->effects);
    assert_non_null(answer->effects);
    for (; answer->effect_count < count; answer->effect_count++) {
        struct effect *effect = &answer->effects[answer->effect_count];
        const struct model_reservation *member = members[answer->effect_count];
        int32_t from = model_next_hour(model) > member->start ? model_next_hour(model) : member->start;
        int32_t *target = calloc((size_t)(member->end - from) + 1, sizeof *target);
        assert_non_null(target);
        effect_plan(model, effect, member, from, member->end, target,
                    member->state == STATE_HELD || member->state == STATE_WAITING);
        free(target);
        effect->after.gpus = reservation_gpus_shown(model, member);
        effect->after.state = STATE_CANCELLED;
        effect->after.hold_seconds = 0;
    }
    answer->waived = cancel->waive_fee;
    answer->thing = cancel->target.id;
    answer->is_group = cancel->target.is_group;
}

// ---- Capacity and tenants

static void decide_capacity(const struct model *model, const struct request *request, struct answer *answer)
{
    const struct capacity_change_request *asked = &request->capacity;
    if (asked->gpus < 1 || asked->end.number <= asked->start.number ||
        (asked->kind == CAPACITY_MAINTENANCE && asked->end.number == NEVER)) {
        answer_refuse(answer, VERDICT_INVALID_PARAMS, -1);
        return;
    }
    int pool = model_pool_named(model, asked->pool);
    if (pool == 0) {
        answer_refuse(answer, VERDICT_NOT_FOUND, -1);
        return;
    }
    if (asked->gpus % model->pools[pool].unit != 0) {
        answer_refuse(answer, VERDICT_INVALID_PARAMS, -1);
        return;
    }
    if (!replayed(model, 0, request, answer))
        decide_model_capacity(model, request, pool, answer);
}

void model_decide(const struct model *model, const struct request *request, struct answer *answer)
{
    *answer = (struct answer){.verdict = VERDICT_DONE, .leg = -1};
    switch (request->kind) {
    case REQUEST_CREATE:
    case REQUEST_CREATE_GROUP:
        decide_create(model, request, answer);
        break;
    case REQUEST_CONFIRM:
        decide_confirm(model, request, answer);
        break;
    case REQUEST_CHANGE: {
        int tenant = tenant_of(model, request, answer);
        if (tenant == 0)
            break;
        if (!exists(model, (struct target){.id = request->change.id}, tenant))
            answer_refuse(answer, VERDICT_NOT_FOUND, -1);
        else if (!replayed(model, tenant, request, answer))
            decide_model_change(model, request, answer);
        break;
    }
    case REQUEST_CANCEL:
        decide_cancel(model, request, answer);
        break;
    case REQUEST_CAPACITY_CHANGE:
        decide_capacity(model, request, answer);
        break;
    default: // suspend and resume
        if (model_tenant_named(model, request->tenant) == 0)
            answer_refuse(answer, VERDICT_NOT_FOUND, -1);
        else
            replayed(model, 0, request, answer);
    }
}
