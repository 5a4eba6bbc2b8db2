// Changes of capacity in the model, and outages without an end: a day is cut ahead, hour by hour, each hour
// by what the pool has and at most the outage's GPUs. Of the last day the model keeps what it took in each
// hour, which is what closing can give back.
#include "model.h"

#include <stdlib.h>

enum { DAY = MODEL_OUTAGE_HOURS };

static int32_t later(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static struct model_outage *open_one(struct model *model, int pool,
                                     const struct capacity_change_request *asked)
{
    for (size_t i = 0; i < model->outage_count; i++) {
        struct model_outage *outage = &model->outages[i];
        if (outage->pool == pool && outage->gpus == asked->gpus && outage->start == asked->start.number &&
            outage->is_open)
            return outage;
    }
    return NULL;
}

static bool is_closing(const struct model *model, int pool, const struct capacity_change_request *asked)
{
    return asked->kind == CAPACITY_OUTAGE && asked->end.number != NEVER &&
           open_one((struct model *)model, pool, asked) != NULL;
}

// What an outage takes of a pool in an hour.
static int32_t takes(const struct model *model, int pool, int64_t gpus, int32_t hour)
{
    int32_t capacity = model->pools[pool].capacity[hour - model->origin];
    return capacity < gpus ? capacity : (int32_t)gpus;
}

// The hours that a request cuts: [from, to).
static void window(const struct model *model, int pool, const struct capacity_change_request *asked,
                   int32_t *from, int32_t *to)
{
    *from = asked->start.number;
    *to = asked->end.number;
    if (is_closing(model, pool, asked))
        *from = open_one((struct model *)model, pool, asked)->cut_until;
    else if (asked->kind == CAPACITY_OUTAGE && *to == NEVER)
        *to = later(*from, model_hour(model)) + DAY;
    if (*to > model->origin + MODEL_HOURS)
        *to = model->origin + MODEL_HOURS;
}

void decide_model_capacity(const struct model *model, const struct request *request, int pool,
                           struct answer *answer)
{
    const struct capacity_change_request *asked = &request->capacity;
    bool closing = is_closing(model, pool, asked),
         rolling = asked->kind == CAPACITY_OUTAGE && (closing || asked->end.number == NEVER);
    int32_t sign = model_capacity_gpus(asked) < 0 ? -1 : 1, from, to;
    bool sound = closing
                     ? asked->end.number >= model_hour(model)
                     : asked->start.number >= model_hour(model) && asked->start.number < model_horizon(model);
    if (sound && rolling && !closing)
        sound = takes(model, pool, asked->gpus, asked->start.number) == asked->gpus;
    int32_t *loss = model_hours_ahead(model);
    window(model, pool, asked, &from, &to);
    for (int32_t hour = later(from, model_hour(model)); hour < to && sign < 0; hour++) {
        int32_t *lost = &loss[hour - model_hour(model)];
        *lost = rolling ? takes(model, pool, asked->gpus, hour) : (int32_t)asked->gpus;
        sound = sound && *lost <= model->pools[pool].capacity[hour - model->origin];
    }
    if (!sound)
        answer_refuse(answer, VERDICT_INVALID_PARAMS, -1);
    else
        displace_for_loss(model, pool, loss, answer);
    free(loss);
}

// Cuts a window of the pool, and remembers the last day of it.
static void cut(struct model *model, struct model_outage *outage, int32_t to)
{
    struct model_pool *pool = &model->pools[outage->pool];
    for (int32_t hour = outage->cut_until; hour < to && hour < model->origin + MODEL_HOURS; hour++) {
        outage->last[hour % DAY] = takes(model, outage->pool, outage->gpus, hour);
        pool->out[hour - model->origin] += outage->last[hour % DAY];
        pool->capacity[hour - model->origin] -= outage->last[hour % DAY];
    }
    outage->cut_until = to;
}

static void close_outage(struct model *model, struct model_outage *outage, int32_t end)
{
    struct model_pool *pool = &model->pools[outage->pool];
    outage->is_open = false;
    for (int32_t hour = end; hour < outage->cut_until && hour < model->origin + MODEL_HOURS; hour++) {
        pool->out[hour - model->origin] -= outage->last[hour % DAY];
        pool->capacity[hour - model->origin] += outage->last[hour % DAY];
    }
    if (end > outage->cut_until)
        cut(model, outage, end);
}

void commit_model_capacity(struct model *model, const struct request *request)
{
    const struct capacity_change_request *asked = &request->capacity;
    int id = model_pool_named(model, asked->pool);
    struct model_pool *pool = &model->pools[id];
    if (is_closing(model, id, asked)) {
        close_outage(model, open_one(model, id, asked), asked->end.number);
    } else if (asked->kind == CAPACITY_OUTAGE && asked->end.number == NEVER) {
        MODEL_CHECK(model, model->outage_count < MODEL_OUTAGES);
        struct model_outage *outage = &model->outages[model->outage_count++];
        *outage = (struct model_outage){.pool = id,
                                        .gpus = (int32_t)asked->gpus,
                                        .start = asked->start.number,
                                        .cut_until = asked->start.number,
                                        .is_open = true};
        cut(model, outage, later(outage->start, model_hour(model)) + DAY);
    } else {
        MODEL_CHECK(model, pool->change_count < MODEL_STEPS);
        pool->changes[pool->change_count++] =
            (struct model_change){asked->start.number, asked->end.number, model_capacity_gpus(asked)};
        pool_reckon(model, pool);
    }
}

void model_extend(struct model *model, struct model_outage *outage)
{
    struct answer answer = {.verdict = VERDICT_DONE};
    int32_t *loss = model_hours_ahead(model);
    loss[outage->cut_until - model_hour(model)] = takes(model, outage->pool, outage->gpus, outage->cut_until);
    displace_for_loss(model, outage->pool, loss, &answer);
    MODEL_EQUAL(model, answer.verdict, VERDICT_DONE);
    model_apply(model, &answer);
    cut(model, outage, outage->cut_until + 1);
    model->extended++;
    model->interrupted += (int)answer.displaced_count;
    answer_free(&answer);
    free(loss);
}
