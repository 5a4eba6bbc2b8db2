#include "generate.h"

#include <stdio.h>
#include <string.h>

#define HOUR_SECONDS INT64_C(3600)
#define SENT_MAX     64

// A request with all that it points at.
struct sent {
    struct request request;
    struct leg legs[MODEL_LEGS];
    char reference[32];
};

static struct sent made;
static struct sent sent[SENT_MAX]; // requests with a reference, to be sent again
static size_t sent_count;

static void adopt(struct sent *target, const struct sent *source)
{
    *target = *source;
    if (target->request.kind == REQUEST_CREATE || target->request.kind == REQUEST_CREATE_GROUP)
        target->request.create.legs = target->legs;
    if (target->request.client_ref != NULL)
        target->request.client_ref = target->reference;
}

static int32_t clamp(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}

// An hour where something changes: a period's edge, a rate's or a booking's.
static int32_t edge(struct generator *generator, const struct model *model)
{
    uint32_t choice = random_below(generator, 4);
    if (choice == 0 && model->period_count > 0)
        return model->periods[1 + random_below(generator, (uint32_t)model->period_count)].end;
    if (choice == 1 && model->reservation_count > 0) {
        const struct model_reservation *reservation =
            &model->reservations[1 + random_below(generator, (uint32_t)model->reservation_count)];
        return one_in(generator, 2) ? reservation->start : reservation->end;
    }
    if (choice == 2)
        return model_horizon(model);
    const struct model_pool *pool = &model->pools[1 + random_below(generator, (uint32_t)model->pool_count)];
    return pool->rates[TIER_FIRM][random_below(generator, (uint32_t)pool->rate_count[TIER_FIRM])].from;
}

static void random_window(struct generator *generator, const struct model *model, int32_t *start,
                          int32_t *end)
{
    static const uint32_t lengths[] = {3, 30, 30, 200, 200, 1000, 3000};
    int32_t hours = 1 + (int32_t)random_below(generator, lengths[random_below(generator, COUNT_OF(lengths))]);
    int32_t now = model_hour(model);
    uint32_t choice = random_below(generator, 10);
    if (choice < 5)
        *start = now + (one_in(generator, 6) ? 0 : 1 + (int32_t)random_below(generator, 100));
    else if (choice < 7)
        *start = now + (int32_t)random_below(generator, 8000);
    else
        *start = edge(generator, model) - (one_in(generator, 2) ? 0 : (int32_t)random_below(generator, 60));
    // Nearly always within what can be booked at all.
    if (!one_in(generator, 30))
        *start = clamp(*start, now, model_horizon(model) - 1);
    *end = *start + hours;
    if (!one_in(generator, 30))
        *end = clamp(*end, *start + 1, model_horizon(model));
}

static void make_leg(struct generator *generator, const struct model *model, int tenant, struct leg *leg)
{
    int id = 1 + (int)random_below(generator, (uint32_t)model->pool_count);
    const struct model_pool *pool = &model->pools[id];
    *leg = (struct leg){.pool = pool->name};
    // Mostly hours for which the tenant has a contract, if a few tries find some.
    for (int tries = 0; tries < 8; tries++) {
        random_window(generator, model, &leg->start.number, &leg->end.number);
        if (one_in(generator, 12) || (model_contract_at(model, tenant, id, leg->start.number) != 0 &&
                                      model_contract_at(model, tenant, id, leg->end.number - 1) != 0))
            break;
    }
    leg->gpus = (1 + (int64_t)random_below(generator, one_in(generator, 3) ? 24 : 5)) * pool->unit;
    if (one_in(generator, 2))
        leg->tier = TIER_PREEMPTIBLE;
    if (one_in(generator, 8))
        leg->note = "a note";
}

// What makes a leg senseless.
static void spoil_leg(struct generator *generator, struct leg *leg)
{
    switch (random_below(generator, 5)) {
    case 0:
        leg->pool = "site/unknown";
        break;
    case 1:
        leg->gpus = 0;
        break;
    case 2:
        leg->gpus = -leg->gpus;
        break;
    case 3:
        leg->end = leg->start;
        break;
    default:
        leg->start.number -= 9000;
    }
}

static void make_create(struct generator *generator, const struct model *model, int tenant, bool grouped)
{
    static const int64_t holds[] = {600, 7200, 86400, 86400, 200000, 604800, 604800, 604801};
    struct create_request *create = &made.request.create;
    made.request.kind = grouped ? REQUEST_CREATE_GROUP : REQUEST_CREATE;
    create->legs = made.legs;
    create->leg_count = grouped ? 2 + random_below(generator, MODEL_LEGS - 1) : 1;
    for (size_t i = 0; i < create->leg_count; i++)
        make_leg(generator, model, tenant, &made.legs[i]);
    if (grouped && one_in(generator, 2)) // the legs compete for the same hours
        for (size_t i = 1; i < create->leg_count; i++) {
            int64_t gpus = made.legs[i].gpus;
            const char *pool = made.legs[0].pool;
            made.legs[i] = made.legs[0];
            made.legs[i].pool = pool;
            made.legs[i].gpus = gpus - gpus % model->pools[model_pool_named(model, pool)].unit;
            made.legs[i].gpus = made.legs[i].gpus > 0 ? made.legs[i].gpus : made.legs[0].gpus;
            made.legs[i].start.number += (int32_t)random_below(generator, 5);
            made.legs[i].end.number = clamp(made.legs[i].end.number, made.legs[i].start.number + 1, NEVER);
        }
    if (one_in(generator, 3))
        create->hold_seconds = holds[random_below(generator, COUNT_OF(holds))];
    if (!grouped && one_in(generator, 3)) {
        create->has_wait_until = true;
        create->wait_until.seconds = model->now + (int64_t)random_below(generator, 2000000);
    }
    if (one_in(generator, 25))
        spoil_leg(generator, &made.legs[random_below(generator, (uint32_t)create->leg_count)]);
}

static bool is_live(const struct model_reservation *reservation)
{
    return reservation->state == STATE_WAITING || reservation->state == STATE_HELD ||
           reservation->state == STATE_BOOKED || reservation->state == STATE_ACTIVE;
}

// A reservation, mostly one that is live.
static const struct model_reservation *pick(struct generator *generator, const struct model *model)
{
    const struct model_reservation *found = NULL;
    for (int tries = 0; tries < 100 && model->reservation_count > 0; tries++) {
        found = &model->reservations[1 + random_below(generator, (uint32_t)model->reservation_count)];
        if (is_live(found))
            break;
    }
    return found;
}

static void make_change(struct generator *generator, const struct model *model,
                        const struct model_reservation *reservation)
{
    struct change_request *change = &made.request.change;
    made.request.kind = REQUEST_CHANGE;
    *change = (struct change_request){.id = reservation->id};
    int32_t span = one_in(generator, 3) ? 500 : 30;
    int32_t unit = model->pools[reservation->pool].unit;
    if (one_in(generator, 2)) {
        change->has_end = true;
        change->end.number = reservation->end + (int32_t)random_below(generator, (uint32_t)span) - span / 2;
    }
    if (one_in(generator, 3)) {
        change->has_start = true;
        change->start.number =
            reservation->start + (int32_t)random_below(generator, (uint32_t)span) - span / 2;
        if (reservation->state == STATE_ACTIVE && !one_in(generator, 4))
            change->start.number = reservation->start;
    }
    if (one_in(generator, 2) || (!change->has_end && !change->has_start)) {
        change->has_gpus = true;
        change->gpus = (1 + (int64_t)random_below(generator, 10)) * unit;
        if (one_in(generator, 20))
            change->gpus -= unit; // may be none
        if (one_in(generator, 2)) {
            int32_t hours = reservation->end - reservation->start;
            change->has_from = true;
            change->from.number = reservation->start + (int32_t)random_below(generator, (uint32_t)hours);
            if (one_in(generator, 3))
                change->from.number = model_hour(model);
        }
    }
}

static struct target random_target(struct generator *generator, const struct model_reservation *reservation)
{
    bool grouped = reservation->group != 0 && one_in(generator, 2);
    struct target target = {.is_group = grouped, .id = grouped ? reservation->group : reservation->id};
    if (one_in(generator, 40)) // what is no group, or a leg that is not its first
        target = (struct target){.is_group = true, .id = reservation->id};
    return target;
}

// The same outage with an end: mostly near by, now and then in the past or after a while.
static void make_closing(struct generator *generator, const struct model *model)
{
    struct capacity_change_request *capacity = &made.request.capacity;
    if (model->outage_count == 0)
        return;
    const struct model_outage *outage =
        &model->outages[random_below(generator, (uint32_t)model->outage_count)];
    int32_t hour = model_hour(model);
    for (size_t i = 0; i < model->outage_count && !one_in(generator, 10); i++)
        outage = model->outages[i].is_open ? &model->outages[i] : outage;
    *capacity = (struct capacity_change_request){.pool = model->pools[outage->pool].name,
                                                 .kind = CAPACITY_OUTAGE,
                                                 .gpus = outage->gpus,
                                                 .start = {outage->start},
                                                 .end = {hour + (int32_t)random_below(generator, 4)}};
    if (one_in(generator, 3))
        capacity->end.number = hour - 2 + (int32_t)random_below(generator, 60);
}

static void make_capacity(struct generator *generator, const struct model *model)
{
    static const enum capacity_kind kinds[] = {CAPACITY_GROWTH,      CAPACITY_GROWTH, CAPACITY_DELAY,
                                               CAPACITY_MAINTENANCE, CAPACITY_OUTAGE, CAPACITY_RETIREMENT};
    const struct model_pool *pool = &model->pools[1 + random_below(generator, (uint32_t)model->pool_count)];
    struct capacity_change_request *capacity = &made.request.capacity;
    made.request.kind = REQUEST_CAPACITY_CHANGE;
    *capacity = (struct capacity_change_request){
        .pool = one_in(generator, 30) ? "site/unknown" : pool->name,
        .kind = kinds[random_below(generator, COUNT_OF(kinds))],
        .gpus = (1 + (int64_t)random_below(generator, one_in(generator, 2) ? 16 : 4)) *
                (one_in(generator, 5) ? 1 : pool->unit),
        .start = {model_hour(model) + (int32_t)random_below(generator, one_in(generator, 2) ? 50 : 9000)},
    };
    capacity->end.number = capacity->start.number + 1 + (int32_t)random_below(generator, 2000);
    if (capacity->kind == CAPACITY_RETIREMENT || one_in(generator, capacity->kind == CAPACITY_OUTAGE ? 2 : 6))
        capacity->end = HOUR_NEVER;
    if (one_in(generator, 30))
        capacity->start.number -= 100;
    if (pool->change_count >= MODEL_STEPS - 1 || model->outage_count >= MODEL_OUTAGES - 1)
        capacity->gpus = 0; // refused
    else if (one_in(generator, 2))
        make_closing(generator, model);
}

static void make_suspension(struct generator *generator, const struct model *model)
{
    const struct model_tenant *tenant =
        &model->tenants[1 + random_below(generator, (uint32_t)model->tenant_count)];
    made.request.kind =
        tenant->suspended || one_in(generator, 4) ? REQUEST_TENANT_RESUME : REQUEST_TENANT_SUSPEND;
    made.request.tenant = one_in(generator, 30) ? "nobody" : tenant->name;
}

// Who asks, and for whom.
static void make_actor(struct generator *generator, const struct model *model, int tenant)
{
    struct request *request = &made.request;
    int other = 1 + (int)random_below(generator, (uint32_t)model->tenant_count);
    int asked_for = one_in(generator, 25) ? other : tenant; // another's reservation, now and then
    if (one_in(generator, 2)) {
        request->actor = (struct actor){.role = ROLE_OPERATOR, .name = "uid:0"};
        request->tenant = model->tenants[asked_for].name;
        if (one_in(generator, 40))
            request->tenant = one_in(generator, 2) ? NULL : "nobody";
        return;
    }
    request->actor = (struct actor){.role = ROLE_TENANT, .tenant = (uint32_t)asked_for, .name = "uid:1001"};
    if (one_in(generator, 4))
        request->tenant = model->tenants[asked_for].name;
    if (one_in(generator, 40))
        request->tenant = model->tenants[other].name;
}

static bool one_is_suspended(const struct model *model)
{
    for (int id = 1; id <= model->tenant_count; id++)
        if (model->tenants[id].suspended)
            return true;
    return false;
}

static void make_anything(struct generator *generator, const struct model *model)
{
    const struct model_reservation *reservation = pick(generator, model);
    if (reservation != NULL && !is_live(reservation) && !one_in(generator, 8))
        reservation = NULL;
    int tenant = reservation == NULL ? 1 : reservation->tenant;
    uint32_t choice = random_below(generator, 100);
    if (random_below(generator, 100) < (one_is_suspended(model) ? 8 : 1)) {
        make_suspension(generator, model);
    } else if (reservation == NULL || choice < 40) {
        tenant = 1 + (int)random_below(generator, (uint32_t)model->tenant_count);
        make_create(generator, model, tenant, one_in(generator, 4));
    } else if (choice < 71) {
        make_change(generator, model, reservation);
    } else if (choice < 79) {
        made.request.kind = REQUEST_CONFIRM;
        if (!one_in(generator, 4)) // one that is held
            for (int64_t id = model->reservation_count; id >= 1; id--)
                reservation =
                    model->reservations[id].state == STATE_HELD ? &model->reservations[id] : reservation;
        tenant = reservation->tenant;
        made.request.confirm = random_target(generator, reservation);
    } else if (choice < 94) {
        made.request.kind = REQUEST_CANCEL;
        made.request.cancel.target = random_target(generator, reservation);
        made.request.cancel.waive_fee = one_in(generator, 5);
        made.request.cancel.reason = one_in(generator, 4) ? NULL : "a reason";
    } else {
        make_capacity(generator, model);
    }
    if (made.request.kind > REQUEST_CANCEL)
        made.request.actor = (struct actor){.role = ROLE_OPERATOR, .name = "uid:0"};
    else
        make_actor(generator, model, tenant);
}

// What was sent before, as it was or not quite.
static void send_again(struct generator *generator)
{
    struct sent again;
    adopt(&again, &sent[random_below(generator, (uint32_t)sent_count)]);
    if (one_in(generator, 4)) {
        struct request *request = &again.request;
        if (request->kind == REQUEST_CREATE)
            again.legs[0].end.number++;
        else if (request->kind == REQUEST_CREATE_GROUP)
            again.legs[1].note = "another note";
        else if (request->kind == REQUEST_CHANGE)
            request->change.has_from = !request->change.has_from;
        else if (request->kind == REQUEST_CANCEL)
            request->cancel.reason = "another reason";
        else if (request->kind == REQUEST_CAPACITY_CHANGE)
            request->capacity.gpus++;
    }
    adopt(&made, &again);
}

const struct request *generate_request(struct generator *generator, const struct model *model)
{
    if (generator->references == 0)
        sent_count = 0; // a new world
    made = (struct sent){0};
    if (sent_count > 0 && one_in(generator, 10)) {
        send_again(generator);
    } else {
        make_anything(generator, model);
        if (one_in(generator, 2) && model->reference_count + 100 < MODEL_REFERENCES) {
            // References are unique per tenant only: another may have the same.
            int number = one_in(generator, 20) ? generator->references : ++generator->references;
            snprintf(made.reference, sizeof made.reference, "ref-%d", number);
            made.request.client_ref = made.reference;
            size_t place = sent_count < SENT_MAX ? sent_count++ : random_below(generator, SENT_MAX);
            adopt(&sent[place], &made);
            generator->references += generator->references == 0;
        }
    }
    made.request.dry_run = one_in(generator, 6);
    return &made.request;
}

// ---- Time

int64_t generate_time(struct generator *generator, const struct model *model)
{
    int64_t now = model->now, at = now;
    switch (random_below(generator, 16)) {
    case 0:
    case 1:
    case 2:
        return now;
    case 3:
    case 12:
    case 13:
        return now + 1 + random_below(generator, 600);
    case 4:
    case 5:
    case 14:
    case 15:
        return now + random_below(generator, 30 * 3600);
    case 6: // the next whole hour
        return model_next_hour(model) * HOUR_SECONDS;
    case 7:
        if (!one_in(generator, 3))
            return now;
        at = month_after(model_hour(model)) * HOUR_SECONDS;
        break;
    case 8:
        return now + random_below(generator, 6 * 86400);
    case 9:
        if (one_in(generator, 5))
            return now + random_below(generator, 60 * 86400);
        break;
    case 10:
        at = now + 9 * 86400;
        for (int64_t id = 1; id <= model->reservation_count; id++)
            if (model->reservations[id].state == STATE_HELD && model->reservations[id].hold_expires < at)
                at = model->reservations[id].hold_expires;
        break;
    default:
        at = edge(generator, model) * HOUR_SECONDS;
        at = at > now + 20 * 86400 ? now : at;
    }
    // Exactly then, or a second or half an hour beside it.
    static const int64_t beside[] = {0, 0, 0, -1, 1, -1800, 1800};
    at += beside[random_below(generator, COUNT_OF(beside))];
    return at > now ? at : now;
}
