// The model's inventory and reservations, and how a decision becomes so.
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void model_fail(const struct model *model, const char *file, int line, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    char now[INSTANT_TEXT_SIZE];
    instant_format((struct instant){model->now}, now);
    print_error("seed %llu, step %d, %s: %s\n", (unsigned long long)model->seed, model->step, now, text);
    _fail(file, line);
}

static void free_parts(struct model *model)
{
    for (int id = 1; id <= model->period_count; id++)
        free(model->periods[id].cost);
    for (int64_t id = 1; id <= model->reservation_count; id++)
        free(model->reservations[id].pieces);
}

void model_free(struct model *model)
{
    free_parts(model);
    free(model);
}

void model_go_back(struct model *model, struct model *earlier)
{
    free_parts(model);
    *model = *earlier;
    free(earlier);
}

static void *copy_array(const void *array, size_t count, size_t size)
{
    void *copy = malloc(count * size + 1);
    assert_non_null(copy);
    if (count > 0)
        memcpy(copy, array, count * size);
    return copy;
}

struct model *model_copy(const struct model *model)
{
    // Nearly all of a model is room that is not used yet.
    struct model *copy = calloc(1, sizeof *copy);
    assert_non_null(copy);
    size_t reservations = offsetof(struct model, reservations),
           references = offsetof(struct model, references);
    memcpy(copy, model, reservations);
    copy->reservation_count = model->reservation_count;
    copy->reference_count = model->reference_count;
    copy->seed = model->seed;
    copy->step = model->step;
    memcpy((char *)copy + reservations, model->reservations,
           ((size_t)model->reservation_count + 1) * sizeof model->reservations[0]);
    memcpy((char *)copy + references, model->references,
           model->reference_count * sizeof model->references[0]);
    for (int id = 1; id <= model->period_count; id++) {
        const struct model_period *period = &model->periods[id];
        copy->periods[id].cost =
            copy_array(period->cost, (size_t)(period->end - period->start), sizeof *period->cost);
    }
    for (int64_t id = 1; id <= model->reservation_count; id++)
        copy->reservations[id].pieces =
            copy_array(model->reservations[id].pieces, model->reservations[id].count,
                       sizeof *copy->reservations->pieces);
    return copy;
}

// ---- Inventory

void model_set_step(struct model_step *steps, size_t *count, int32_t from, int64_t value)
{
    size_t place = 0;
    while (place < *count && steps[place].from < from)
        place++;
    if (place == *count || steps[place].from != from) {
        memmove(&steps[place + 1], &steps[place], (*count - place) * sizeof *steps);
        (*count)++;
    }
    steps[place] = (struct model_step){from, value};
}

void pool_reckon(struct model *model, struct model_pool *pool)
{
    for (int32_t i = 0; i < MODEL_HOURS; i++) {
        int32_t hour = model->origin + i;
        pool->capacity[i] = 0;
        for (size_t k = 0; k < pool->base_count; k++)
            if (pool->base[k].from <= hour)
                pool->capacity[i] = (int32_t)pool->base[k].value;
        for (size_t k = 0; k < pool->change_count; k++)
            if (pool->changes[k].start <= hour && hour < pool->changes[k].end)
                pool->capacity[i] += pool->changes[k].gpus;
        pool->capacity[i] -= pool->out[i];
    }
}

int model_pool_named(const struct model *model, const char *name)
{
    for (int id = 1; id <= model->pool_count; id++)
        if (strcmp(model->pools[id].name, name) == 0)
            return id;
    return 0;
}

int model_tenant_named(const struct model *model, const char *name)
{
    for (int id = 1; id <= model->tenant_count; id++)
        if (strcmp(model->tenants[id].name, name) == 0)
            return id;
    return 0;
}

int model_contract_at(const struct model *model, int tenant, int pool, int32_t hour)
{
    for (int id = 1; id <= model->contract_count; id++) {
        const struct model_contract *contract = &model->contracts[id];
        if (contract->tenant == tenant && contract->start <= hour && hour < contract->end &&
            (contract->all_pools || contract->scope[pool]))
            return id;
    }
    return 0;
}

bool model_price_at(const struct model *model, int contract, int pool, enum tier tier, int32_t hour,
                    int64_t *price)
{
    const struct model_contract *found = &model->contracts[contract];
    if (contract > 0 && tier == TIER_FIRM && found->priced[pool]) {
        *price = found->price[pool];
        return true;
    }
    bool rated = false;
    for (size_t i = 0; i < model->pools[pool].rate_count[tier]; i++) {
        if (model->pools[pool].rates[tier][i].from <= hour) {
            *price = model->pools[pool].rates[tier][i].value;
            rated = true;
        }
    }
    if (rated && contract > 0)
        *price -= model_share(*price, found->terms.discount_bp, 10000);
    return rated;
}

static int period_at(const struct model *model, int contract, int32_t hour)
{
    int id = model->contracts[contract].first_period;
    while (model->periods[id].end <= hour)
        id++;
    return id;
}

// ---- Reservations

int32_t reservation_gpus(const struct model_reservation *reservation, int32_t hour)
{
    int32_t gpus = 0;
    for (size_t i = 0; i < reservation->count; i++)
        if (reservation->pieces[i].hour == hour)
            gpus += reservation->pieces[i].gpus;
    return gpus;
}

int32_t reservation_gpus_shown(const struct model *model, const struct model_reservation *reservation)
{
    for (size_t i = 0; i < reservation->count; i++)
        if (reservation->pieces[i].hour >= model_hour(model))
            return reservation_gpus(reservation, reservation->pieces[i].hour);
    return reservation->gpus;
}

int64_t reservation_cost(const struct model_reservation *reservation)
{
    int64_t cost = 0;
    for (size_t i = 0; i < reservation->count; i++)
        cost += reservation->pieces[i].gpus * reservation->pieces[i].price;
    return cost;
}

// ---- Effects

static void push(struct piece **pieces, size_t *count, struct piece piece)
{
    if ((*count & (*count - 1)) == 0) { // room is a power of two
        *pieces = realloc(*pieces, (*count == 0 ? 1 : *count * 2) * sizeof **pieces);
        assert_non_null(*pieces);
    }
    (*pieces)[(*count)++] = piece;
}

static void add_in_hour(const struct model *model, struct effect *effect, int32_t hour, int32_t gpus)
{
    struct model_reservation *after = &effect->after;
    int contract = model_contract_at(model, after->tenant, after->pool, hour);
    struct piece piece = {.hour = hour, .gpus = gpus, .layer = after->layer + 1};
    if (contract == 0) {
        if (hour < effect->first_uncovered)
            effect->first_uncovered = hour;
    } else if (!model_price_at(model, contract, after->pool, after->tier, hour, &piece.price)) {
        if (hour < effect->first_unrated)
            effect->first_unrated = hour;
    } else {
        piece.period = period_at(model, contract, hour);
        effect->added_in[piece.period] += gpus * piece.price;
        push(&after->pieces, &after->count, piece);
    }
    push(&effect->added, &effect->added_count, piece);
}

// Each hour released with too little notice costs a part of its price.
static bool is_late(const struct model *model, int period, int32_t hour)
{
    const struct contract_terms_row *terms = &model->contracts[model->periods[period].contract].terms;
    return hour * INT64_C(3600) < model->now + terms->cancel_notice_hours * INT64_C(3600);
}

// Keeps so many GPUs of an hour's pieces, which come with the oldest first.
static void keep_in_hour(const struct model *model, struct effect *effect, const struct piece *pieces,
                         size_t count, int32_t gpus, int64_t *late)
{
    for (size_t i = 0; i < count; i++) {
        struct piece kept = pieces[i], gone = pieces[i];
        kept.gpus = kept.gpus < gpus ? kept.gpus : gpus;
        gpus -= kept.gpus;
        gone.gpus -= kept.gpus;
        if (kept.gpus > 0)
            push(&effect->after.pieces, &effect->after.count, kept);
        if (gone.gpus == 0)
            continue;
        push(&effect->released, &effect->released_count, gone);
        effect->released_in[gone.period] += gone.gpus * gone.price;
        if (is_late(model, gone.period, gone.hour))
            late[gone.period] += gone.gpus * gone.price;
    }
}

static void sum_up(const struct model *model, struct effect *effect, const int64_t *late, bool free_of_charge)
{
    for (int id = 1; id <= model->period_count; id++) {
        const struct contract_terms_row *terms = &model->contracts[model->periods[id].contract].terms;
        if (!free_of_charge)
            effect->fee_in[id] = model_share(late[id], terms->late_fee_bp, 10000);
        effect->added_sum += effect->added_in[id];
        effect->released_sum += effect->released_in[id];
        effect->fee_sum += effect->fee_in[id];
    }
    if (effect->added_count > 0)
        effect->after.layer++;
}

void effect_plan(const struct model *model, struct effect *effect, const struct model_reservation *before,
                 int32_t from, int32_t to, const int32_t *target, bool free_of_charge)
{
    struct piece *old = before->pieces;
    size_t place = 0;
    int64_t late[MODEL_PERIODS + 1] = {0};
    *effect = (struct effect){.after = *before, .first_uncovered = NEVER, .first_unrated = NEVER};
    effect->after.pieces = NULL;
    effect->after.count = 0;
    for (; place < before->count && old[place].hour < from; place++)
        push(&effect->after.pieces, &effect->after.count, old[place]);
    for (int32_t hour = from; hour < to; hour++) {
        size_t first = place;
        int32_t present = 0;
        for (; place < before->count && old[place].hour == hour; place++)
            present += old[place].gpus;
        int32_t wanted = target[hour - from] < 0 ? present : target[hour - from];
        if (place > first)
            keep_in_hour(model, effect, &old[first], place - first, wanted, late);
        if (wanted > present)
            add_in_hour(model, effect, hour, wanted - present);
    }
    for (; place < before->count; place++)
        push(&effect->after.pieces, &effect->after.count, old[place]);
    sum_up(model, effect, late, free_of_charge);
}

void effect_free(struct effect *effect)
{
    free(effect->after.pieces);
    free(effect->added);
    free(effect->released);
}

int effect_exceeds(const struct model *model, const struct effect *effect, const int64_t *spent)
{
    int first = 0;
    for (int id = 1; id <= model->period_count; id++) {
        const struct model_period *period = &model->periods[id];
        int64_t available = period_available(period) - spent[id] + effect->released_in[id];
        if (effect->added_in[id] > 0 && !period->unlimited && effect->added_in[id] > available &&
            (first == 0 || period->start < model->periods[first].start))
            first = id;
    }
    return first;
}

// ---- Requests

void model_describe(const struct request *request, char *text, size_t size)
{
    int length = 0;
#define WRITE(...) length += snprintf(text + length, size - (size_t)length, __VA_ARGS__)
    WRITE("%d:", (int)request->kind);
    switch (request->kind) {
    case REQUEST_CREATE:
    case REQUEST_CREATE_GROUP:
        WRITE("%lld,%lld", (long long)request->create.hold_seconds,
              request->create.has_wait_until ? (long long)request->create.wait_until.seconds : 0LL);
        for (size_t i = 0; i < request->create.leg_count; i++) {
            const struct leg *leg = &request->create.legs[i];
            WRITE(";%s,%lld,%d,%d,%d,%s,%s", leg->pool, (long long)leg->gpus, leg->start.number,
                  leg->end.number, (int)leg->tier, leg->project ? leg->project : "",
                  leg->note ? leg->note : "");
        }
        break;
    case REQUEST_CHANGE:
        WRITE("%lld,%d,%d,%d,%lld", (long long)request->change.id,
              request->change.has_from ? request->change.from.number : -1,
              request->change.has_start ? request->change.start.number : -1,
              request->change.has_end ? request->change.end.number : -1,
              request->change.has_gpus ? (long long)request->change.gpus : -1LL);
        break;
    case REQUEST_CONFIRM:
        WRITE("%d,%lld", request->confirm.is_group, (long long)request->confirm.id);
        break;
    case REQUEST_CANCEL:
        WRITE("%d,%lld,%d,%s", request->cancel.target.is_group, (long long)request->cancel.target.id,
              request->cancel.waive_fee, request->cancel.reason ? request->cancel.reason : "");
        break;
    case REQUEST_CAPACITY_CHANGE:
        WRITE("%s,%d,%lld,%d,%d", request->capacity.pool, (int)request->capacity.kind,
              (long long)request->capacity.gpus, request->capacity.start.number,
              request->capacity.end.number);
        break;
    default:
        WRITE("%s", request->tenant);
    }
#undef WRITE
}

int32_t model_capacity_gpus(const struct capacity_change_request *request)
{
    return (int32_t)request->gpus * (request->kind == CAPACITY_GROWTH ? 1 : -1);
}

static int scope_of(const struct model *model, const struct request *request)
{
    if (request->kind > REQUEST_CANCEL)
        return 0;
    if (request->actor.role == ROLE_TENANT)
        return (int)request->actor.tenant;
    return model_tenant_named(model, request->tenant);
}

// ---- Committing

static void take(struct model *model, const struct model_reservation *reservation, const struct piece *piece,
                 int32_t sign)
{
    struct model_period *period = &model->periods[piece->period];
    struct model_pool *pool = &model->pools[reservation->pool];
    period->cost[piece->hour - period->start] += sign * piece->gpus * piece->price;
    pool->taken[piece->hour - model->origin] += sign * piece->gpus;
    if (reservation->tier == TIER_FIRM)
        pool->taken_firm[piece->hour - model->origin] += sign * piece->gpus;
}

static void commit_effect(struct model *model, struct effect *effect, bool waived)
{
    struct model_reservation *reservation = &model->reservations[effect->after.id];
    MODEL_CHECK(model, effect->after.id <= MODEL_RESERVATIONS);
    for (size_t i = 0; i < effect->added_count; i++)
        take(model, &effect->after, &effect->added[i], 1);
    for (size_t i = 0; i < effect->released_count; i++)
        take(model, &effect->after, &effect->released[i], -1);
    for (int id = 1; id <= model->period_count && !waived; id++)
        model->periods[id].fees += effect->fee_in[id];
    free(reservation->pieces);
    *reservation = effect->after;
    effect->after.pieces = NULL;
    if (!waived)
        reservation->fees += effect->fee_sum;
    // What stays sold of a preemptible one that is cancelled gives way to nobody.
    for (size_t i = 0; i < reservation->count; i++)
        if (reservation->tier == TIER_PREEMPTIBLE && reservation->state == STATE_CANCELLED)
            model->pools[reservation->pool].taken_firm[reservation->pieces[i].hour - model->origin] +=
                reservation->pieces[i].gpus;
    if (reservation->id > model->reservation_count)
        model->reservation_count = reservation->id;
}

void model_apply(struct model *model, struct answer *answer)
{
    for (size_t i = 0; i < answer->effect_count; i++)
        commit_effect(model, &answer->effects[i], answer->waived);
    for (size_t i = 0; i < answer->displaced_count; i++) {
        struct effect *effect = &answer->displaced[i];
        for (int id = 1; id <= model->period_count && answer->by_loss; id++)
            model->periods[id].relief += effect->after.tier == TIER_FIRM ? effect->released_in[id] : 0;
        commit_effect(model, effect, false);
    }
}

void model_commit(struct model *model, const struct request *request, struct answer *answer)
{
    model_apply(model, answer);
    if (request->kind == REQUEST_CAPACITY_CHANGE)
        commit_model_capacity(model, request);
    if (request->kind == REQUEST_TENANT_SUSPEND || request->kind == REQUEST_TENANT_RESUME)
        model->tenants[model_tenant_named(model, request->tenant)].suspended =
            request->kind == REQUEST_TENANT_SUSPEND;
    model_serve(model);
    if (request->client_ref == NULL)
        return;
    MODEL_CHECK(model, model->reference_count < MODEL_REFERENCES);
    struct model_reference *reference = &model->references[model->reference_count++];
    *reference = (struct model_reference){
        .scope = scope_of(model, request), .thing = answer->thing, .is_group = answer->is_group};
    snprintf(reference->text, sizeof reference->text, "%s", request->client_ref);
    model_describe(request, reference->request, sizeof reference->request);
}
