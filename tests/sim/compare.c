#include "compare.h"

#include <stdlib.h>
#include <string.h>

static struct instant now_of(const struct model *model)
{
    return (struct instant){model->now};
}

// ---- Reservations

static int by_hour_and_layer(const void *a, const void *b)
{
    const struct piece *left = a, *right = b;
    if (left->hour != right->hour)
        return left->hour < right->hour ? -1 : 1;
    return (left->layer > right->layer) - (left->layer < right->layer);
}

// The slices hour by hour.
static struct piece *pieces_of(const struct model *model, const struct reservation_image *image,
                               size_t *count)
{
    *count = 0;
    for (int32_t i = 0; i < image->slice_count; i++) {
        const struct slice_row *slice = &image->slices[i];
        MODEL_CHECK(model, slice->gpus > 0 && slice->start.number < slice->end.number);
        MODEL_CHECK(model, slice->reservation == image->row.id && !slice->removed);
        MODEL_CHECK(model, i == 0 || slice->number > image->slices[i - 1].number);
        MODEL_CHECK(model, slice->period >= 1 && (int)slice->period <= model->period_count);
        *count += (size_t)(slice->end.number - slice->start.number);
    }
    struct piece *pieces = calloc(*count + 1, sizeof *pieces), *next = pieces;
    assert_non_null(pieces);
    for (int32_t i = 0; i < image->slice_count; i++) {
        const struct slice_row *slice = &image->slices[i];
        for (int32_t hour = slice->start.number; hour < slice->end.number; hour++)
            *next++ = (struct piece){.hour = hour,
                                     .layer = slice->layer,
                                     .gpus = slice->gpus,
                                     .price = slice->price.micro,
                                     .period = (int)slice->period};
    }
    qsort(pieces, *count, sizeof *pieces, by_hour_and_layer);
    return pieces;
}

static void compare_pieces(const struct model *model, const struct reservation_image *image,
                           const struct model_reservation *expected)
{
    size_t count;
    struct piece *pieces = pieces_of(model, image, &count);
    for (size_t i = 0; i < count && i < expected->count; i++) {
        const struct piece *a = &pieces[i], *b = &expected->pieces[i];
        if (a->hour != b->hour || a->layer != b->layer || a->gpus != b->gpus || a->price != b->price ||
            a->period != b->period)
            MODEL_FAIL(model,
                       "reservation %lld has hour %d layer %d: %d at %lld in period %d, and should have hour "
                       "%d layer %d: %d at %lld in period %d",
                       (long long)expected->id, a->hour, a->layer, a->gpus, (long long)a->price, a->period,
                       b->hour, b->layer, b->gpus, (long long)b->price, b->period);
    }
    if (count != expected->count)
        MODEL_FAIL(model, "reservation %lld has %zu pieces and should have %zu", (long long)expected->id,
                   count, expected->count);
    free(pieces);
}

static void compare_image(const struct model *model, const struct reservation_image *image,
                          const struct model_reservation *expected)
{
    const struct reservation_row *row = &image->row;
    int64_t gpu_hours = 0;
    for (size_t i = 0; i < expected->count; i++)
        gpu_hours += expected->pieces[i].gpus;
    MODEL_EQUAL(model, row->id, expected->id);
    MODEL_EQUAL(model, row->tenant, expected->tenant);
    MODEL_EQUAL(model, row->pool, expected->pool);
    MODEL_EQUAL(model, row->tier, expected->tier);
    MODEL_EQUAL(model, reservation_state_at(row, now_of(model)), expected->state);
    MODEL_EQUAL(model, row->start.number, expected->start);
    MODEL_EQUAL(model, row->end.number, expected->end);
    MODEL_EQUAL(model, row->created.seconds, expected->created);
    if (expected->state == STATE_HELD)
        MODEL_EQUAL(model, row->hold_expires.seconds, expected->hold_expires);
    if (expected->state == STATE_WAITING)
        MODEL_EQUAL(model, row->wait_until.seconds, expected->wait_until);
    MODEL_EQUAL(model, row->hold_seconds, expected->hold_seconds);
    MODEL_EQUAL(model, row->group, expected->group);
    MODEL_EQUAL(model, row->legs, expected->legs);
    compare_pieces(model, image, expected);
    MODEL_EQUAL(model, row->cost.micro, reservation_cost(expected));
    MODEL_EQUAL(model, row->gpu_hours, gpu_hours);
    MODEL_EQUAL(model, row->fees.micro, expected->fees);
    if (expected->state != STATE_COMPLETED)
        MODEL_EQUAL(model, row->gpus, reservation_gpus_shown(model, expected));
}

static void compare_reservation(const struct model *model, const struct book *book, int64_t id)
{
    const struct model_reservation *expected = &model->reservations[id];
    struct reservation_image image;
    MODEL_EQUAL(model, book_reservation_owner(book, id), expected->tenant);
    bool found = book_reservation(book, id, now_of(model), &image);
    MODEL_EQUAL(model, book_reservation_live(book, id), found);
    bool live = expected->state == STATE_WAITING || expected->state == STATE_HELD ||
                expected->state == STATE_BOOKED || expected->state == STATE_ACTIVE;
    if (live && !found)
        MODEL_FAIL(model, "reservation %lld has left the book", (long long)id);
    if (found && !live && expected->state != STATE_COMPLETED)
        MODEL_FAIL(model, "reservation %lld is still in the book, and is %s", (long long)id,
                   reservation_state_name(expected->state));
    if (found)
        compare_image(model, &image, expected);
}

// ---- Decisions

static void compare_capacity_refusal(const struct model *model, const struct answer *answer,
                                     const struct refusal *refusal)
{
    MODEL_EQUAL(model, refusal->first_short.number, answer->first_short);
    if (answer->free >= 0)
        MODEL_EQUAL(model, refusal->free, answer->free);
    if (answer->missing_watts >= 0)
        MODEL_EQUAL(model, refusal->missing_watts, answer->missing_watts);
    if (!answer->may_move)
        return;
    if (refusal->has_next_start)
        MODEL_EQUAL(model, refusal->next_start.number, answer->next_start);
    else if (refusal->searched_until.number >= model_horizon(model))
        MODEL_EQUAL(model, answer->next_start, NEVER);
    else // it gave up, and has passed over nothing
        MODEL_CHECK(model, answer->next_start >= refusal->searched_until.number);
}

static void compare_refusal(const struct model *model, const struct answer *answer,
                            const struct decision *decision)
{
    const struct refusal *refusal = &decision->refusal;
    MODEL_CHECK(model, refusal->message != NULL);
    MODEL_EQUAL(model, decision->row_count, 0);
    switch (answer->verdict) {
    case VERDICT_CAPACITY_EXCEEDED:
        compare_capacity_refusal(model, answer, refusal);
        break;
    case VERDICT_COMMITMENT_EXCEEDED:
        MODEL_EQUAL(model, refusal->period_start.number, model->periods[answer->period].start);
        MODEL_CHECK(model, strcmp(refusal->contract,
                                  model->contracts[model->periods[answer->period].contract].name) == 0);
        MODEL_EQUAL(model, refusal->available.micro, answer->available);
        MODEL_EQUAL(model, refusal->needed.micro, answer->needed);
        MODEL_EQUAL(model, refusal->max_gpus, answer->max_gpus);
        break;
    case VERDICT_NO_CONTRACT:
    case VERDICT_NO_RATE:
        MODEL_EQUAL(model, refusal->first_uncovered.number, answer->first_uncovered);
        break;
    case VERDICT_INVALID_STATE:
        if (answer->state_is_known)
            MODEL_EQUAL(model, refusal->state, answer->state);
        break;
    default:
        return; // which leg's parameters are named first doesn't matter
    }
    MODEL_EQUAL(model, refusal->leg, answer->leg);
}

static void compare_replay(const struct model *model, const struct answer *answer,
                           const struct decision *decision)
{
    MODEL_EQUAL(model, decision->row_count, 0);
    for (size_t i = 0; i < decision->outcome_count; i++)
        compare_image(model, &decision->outcomes[i].image, &model->reservations[answer->thing + (int64_t)i]);
    if (answer->thing == 0 || decision->outcome_count > 0)
        return;
    // Then some of it has left the book.
    MODEL_EQUAL(model, decision->replay_thing, answer->thing);
    bool ended = false;
    const struct model_reservation *first = &model->reservations[answer->thing];
    for (int64_t leg = 0; leg < (answer->is_group ? first->legs : 1); leg++)
        ended = ended || (first[leg].state != STATE_WAITING && first[leg].state != STATE_HELD &&
                          first[leg].state != STATE_BOOKED && first[leg].state != STATE_ACTIVE);
    MODEL_CHECK(model, ended);
}

static void compare_outcomes(const struct model *model, const struct answer *answer,
                             const struct decision *decision)
{
    MODEL_EQUAL(model, decision->outcome_count, answer->effect_count);
    for (size_t i = 0; i < answer->effect_count; i++) {
        const struct outcome *outcome = &decision->outcomes[i];
        struct effect *effect = &answer->effects[i];
        struct model_reservation expected = effect->after;
        if (!answer->waived)
            expected.fees += effect->fee_sum;
        // What is cancelled shows its last window, but what still runs of it runs.
        compare_image(model, &outcome->image, &expected);
        MODEL_EQUAL(model, outcome->added.micro, effect->added_sum);
        MODEL_EQUAL(model, outcome->released.micro, effect->released_sum);
        MODEL_EQUAL(model, outcome->fee.micro, answer->waived ? 0 : effect->fee_sum);
    }
    MODEL_EQUAL(model, decision->group, answer->is_group ? answer->thing : 0);
}

// The interruptions of a decision, hour by hour.
static void compare_interruptions(const struct model *model, const struct answer *answer,
                                  const struct decision *decision)
{
    int64_t expected = 0, found = 0;
    for (size_t i = 0; i < answer->displaced_count; i++)
        for (size_t k = 0; k < answer->displaced[i].released_count; k++)
            expected += answer->displaced[i].released[k].gpus;
    for (size_t i = 0; i < decision->row_count; i++) {
        if (decision->rows[i].kind != ROW_INTERRUPTION)
            continue;
        const struct interruption_row *row = &decision->rows[i].interruption;
        const struct effect *effect = NULL;
        for (size_t k = 0; k < answer->displaced_count; k++)
            effect = answer->displaced[k].after.id == row->reservation ? &answer->displaced[k] : effect;
        if (effect == NULL)
            MODEL_FAIL(model, "reservation %lld is interrupted and should not be",
                       (long long)row->reservation);
        MODEL_EQUAL(model, row->capacity_change != 0, answer->by_loss);
        int64_t relief = 0;
        for (int32_t hour = row->start.number; hour < row->end.number; hour++) {
            bool known = false;
            for (size_t k = 0; k < effect->released_count; k++) {
                const struct piece *piece = &effect->released[k];
                known = known || (piece->hour == hour && piece->price == row->price.micro &&
                                  piece->period == (int)row->period && piece->gpus >= row->gpus);
            }
            if (!known)
                MODEL_FAIL(model, "reservation %lld is interrupted in hour %d by %d GPUs",
                           (long long)row->reservation, hour, row->gpus);
            found += row->gpus;
            relief += row->gpus * row->price.micro;
        }
        MODEL_EQUAL(model, row->relief.micro,
                    answer->by_loss && effect->after.tier == TIER_FIRM ? relief : 0);
    }
    MODEL_EQUAL(model, found, expected);
}

void compare_decision(const struct model *model, const struct request *request, const struct answer *answer,
                      const struct decision *decision)
{
    if (answer->may_be_expired && decision->verdict == VERDICT_EXPIRED)
        return;
    if (decision->verdict != answer->verdict)
        MODEL_FAIL(model, "the verdict is %d (%s) and should be %d", (int)decision->verdict,
                   decision->verdict == VERDICT_DONE ? "done" : decision->refusal.message,
                   (int)answer->verdict);
    MODEL_EQUAL(model, decision->dry_run, request->dry_run);
    if (answer->verdict != VERDICT_DONE) {
        compare_refusal(model, answer, decision);
        return;
    }
    MODEL_EQUAL(model, decision->replayed, answer->replayed);
    if (answer->replayed)
        compare_replay(model, answer, decision);
    else if (request->kind <= REQUEST_CANCEL)
        compare_outcomes(model, answer, decision);
    if (!answer->replayed && !request->dry_run)
        compare_interruptions(model, answer, decision);
}

// ---- The whole book

// How many GPUs the site's power still allows; nothing preemptible is left without, either.
static void compare_power(const struct model *model, const struct book *book, int id, struct hour hour)
{
    const struct model_pool *pool = &model->pools[id];
    int64_t left = model_watts_left(model, TIER_PREEMPTIBLE, hour.number), expected = -1;
    MODEL_CHECK(model, left >= 0);
    if (pool->watts > 0 && left < MODEL_UNLIMITED / 2)
        expected = left / pool->watts / pool->unit * pool->unit;
    MODEL_EQUAL(model, book_powered(book, (uint32_t)id, TIER_PREEMPTIBLE, hour), expected);
}

static void compare_pool(const struct model *model, const struct book *book, int id)
{
    const struct model_pool *pool = &model->pools[id];
    struct hour end = book_horizon_end(book, now_of(model)), hour = {model_hour(model)};
    while (hour.number < end.number) {
        int32_t free, capacity;
        struct hour until;
        book_calendar_step(book, (uint32_t)id, hour, end, &free, &capacity, &until);
        MODEL_CHECK(model, until.number > hour.number && until.number <= end.number);
        // A step may end where changes of capacity cancel each other out.
        int32_t i = hour.number - model->origin;
        for (; hour.number < until.number; hour.number++, i++) {
            if (free != pool->capacity[i] - pool->taken[i] || capacity != pool->capacity[i])
                MODEL_FAIL(model, "pool %d in hour %d has %d free of %d, and should have %d of %d", id,
                           hour.number, free, capacity, pool->capacity[i] - pool->taken[i],
                           pool->capacity[i]);
            MODEL_CHECK(model, pool->taken[i] <= pool->capacity[i]);
            compare_power(model, book, id, hour);
        }
    }
    struct hour now = {model_hour(model)};
    MODEL_EQUAL(model, book_free(book, (uint32_t)id, now),
                pool->capacity[now.number - model->origin] - pool->taken[now.number - model->origin]);
}

static void compare_prices(const struct model *model, const struct book *book)
{
    for (int pool = 1; pool <= model->pool_count; pool++) {
        for (int tenant = 0; tenant <= model->tenant_count; tenant++) {
            for (int32_t hour = model_hour(model); hour < model_horizon(model); hour += 731) {
                int contract = tenant == 0 ? 0 : model_contract_at(model, tenant, pool, hour);
                int64_t expected = 0;
                struct amount price = AMOUNT_ZERO;
                enum tier tier = hour % 2 == 0 ? TIER_FIRM : TIER_PREEMPTIBLE;
                bool rated = model_price_at(model, contract, pool, tier, hour, &expected);
                MODEL_EQUAL(
                    model,
                    book_price(book, (uint32_t)pool, tier, (uint32_t)tenant, (struct hour){hour}, &price),
                    rated);
                if (rated)
                    MODEL_EQUAL(model, price.micro, expected);
            }
        }
    }
}

// A period as the book shows it, but written by the model.
static void write_period(const struct model *model, int id, struct json *json)
{
    const struct model_period *period = &model->periods[id];
    const struct model_contract *contract = &model->contracts[period->contract];
    int64_t consumed = period_consumed(period, model_hour(model)), used = period_used(period);
    int64_t floor = period_floor(period), committed = period_committed(period);
    int64_t beyond = used > committed ? used - committed : 0;
    int64_t credit_used = beyond < period->credit ? beyond : period->credit;
    int64_t surcharge = model_share(beyond - credit_used, contract->terms.surcharge_bp, 10000);
    int64_t delivered_beyond = consumed > committed ? consumed - committed : 0;
    int64_t by_credit = delivered_beyond < period->credit ? delivered_beyond : period->credit;
    int64_t owed = floor - period->deferred_out - period->waived, usage = consumed - by_credit;
    int64_t due = (owed > usage ? owed : usage) + period->fees + surcharge;
#define MONEY(name, value) json_write_amount(json, name, (struct amount){value})
#define CAPPED(name, value)                                                                                  \
    do {                                                                                                     \
        if (period->unlimited)                                                                               \
            json_write_null(json, name);                                                                     \
        else                                                                                                 \
            MONEY(name, value);                                                                              \
    } while (0)
    json_write_text(json, "contract", contract->name);
    json_write_text(json, "tenant", model->tenants[contract->tenant].name);
    json_write_hour(json, "period_start", (struct hour){period->start});
    json_write_hour(json, "period_end", (struct hour){period->end});
    json_write_bool(json, "closed", period->closed);
    MONEY("commit", period->commit);
    MONEY("deferred_in", period->deferred_in);
    MONEY("relief", period->relief);
    MONEY("floor", floor);
    MONEY("credit", period->credit);
    CAPPED("overage_limit", period->overage_limit);
    CAPPED("authority", committed + period->credit + period->overage_limit);
    MONEY("encumbered", used - consumed);
    MONEY("consumed", consumed);
    MONEY("used", used);
    CAPPED("available", period_available(period));
    MONEY("shortfall", floor > used ? floor - used : 0);
    MONEY("overage", beyond - credit_used);
    MONEY("fees", period->fees);
    if (floor > 0)
        json_write_percent(json, "percent", used * 10000 / floor);
    else
        json_write_null(json, "percent");
    MONEY("deferred_out", period->deferred_out);
    MONEY("waived", period->waived);
    MONEY("credit_used", credit_used);
    MONEY("surcharge", surcharge);
    MONEY("due", due);
    MONEY("billed", period->billed);
#undef CAPPED
#undef MONEY
}

static void compare_period(const struct model *model, const struct book *book, int id)
{
    static const int percents[] = {50, 75, 90, 100};
    const struct model_period *period = &model->periods[id];
    struct buffer shown = {0}, expected = {0};
    struct json json = json_begin(&shown);
    book_write_period(book, &json, (uint32_t)id, now_of(model));
    json = json_begin(&expected);
    write_period(model, id, &json);
    if (strcmp(shown.data, expected.data) != 0)
        MODEL_FAIL(model, "period %d is\n  %s\nand should be\n  %s", id, shown.data, expected.data);
    buffer_free(&shown);
    buffer_free(&expected);
    // Invariant 2, and the alerts: how many percents of the floor are reached.
    int64_t used = period_used(period), floor = period_floor(period);
    uint32_t threshold = 0;
    MODEL_CHECK(model, period->unlimited ||
                           used <= period_committed(period) + period->credit + period->overage_limit);
    while (threshold < 4 && floor > 0 && used * 100 >= floor * percents[threshold])
        threshold++;
    const struct contract_period_row *row = book_period_row(book, (uint32_t)id);
    MODEL_EQUAL(model, row->threshold, threshold);
    MODEL_EQUAL(model, row->closed, period->closed);
    if (model->contracts[period->contract].terms.billing == BILLING_INSTALMENTS && !period->closed)
        MODEL_EQUAL(model, row->instalments_billed, period->instalments);
}

void compare_book(const struct model *model, const struct book *book)
{
    MODEL_EQUAL(model, book_horizon_end(book, now_of(model)).number, model_horizon(model));
    MODEL_EQUAL(model, book_pool_count(book), model->pool_count);
    MODEL_EQUAL(model, book_tenant_count(book), model->tenant_count);
    MODEL_EQUAL(model, book_contract_count(book), model->contract_count);
    MODEL_EQUAL(model, book_period_count(book), model->period_count);
    for (int id = 1; id <= model->pool_count; id++)
        compare_pool(model, book, id);
    compare_prices(model, book);
    for (int id = 1; id <= model->period_count; id++)
        compare_period(model, book, id);
    for (int64_t id = 1; id <= model->reservation_count; id++)
        compare_reservation(model, book, id);
    MODEL_EQUAL(model, book_reservation_owner(book, model->reservation_count + 1), 0);
    MODEL_EQUAL(model, book_reservation_owner(book, 0), 0);
    for (int id = 1; id <= model->tenant_count; id++)
        MODEL_EQUAL(model, book_tenant_row(book, (uint32_t)id)->suspended, model->tenants[id].suspended);
    for (size_t i = 0; i < model->reference_count; i++) {
        bool is_group = false;
        MODEL_EQUAL(model,
                    model->references[i].scope == 0
                        ? 0
                        : book_client_ref(book, (uint32_t)model->references[i].scope,
                                          model->references[i].text, &is_group),
                    model->references[i].scope == 0 ? 0 : model->references[i].thing);
    }
}

// ---- As text

void dump_book(const struct model *model, const struct book *book, struct buffer *text)
{
    struct json json = json_begin(text);
    json_write_object(&json, NULL);
    book_write_manifest(book, &json);
    json_write_object_end(&json);
    buffer_append_text(text, "\n");
    for (uint32_t id = 1; id <= book_period_count(book); id++) {
        const struct contract_period_row *row = book_period_row(book, id);
        json = json_begin(text);
        book_write_period(book, &json, id, now_of(model));
        buffer_append_format(text, " threshold %u, %u instalments, %lld fees billed\n", row->threshold,
                             row->instalments_billed, (long long)row->fees_billed.micro);
    }
    for (int64_t id = 1; book_reservation_owner(book, id) != 0; id++) {
        struct reservation_image image;
        buffer_append_format(text, "%lld of %u: ", (long long)id, book_reservation_owner(book, id));
        if (book_reservation(book, id, now_of(model), &image)) {
            json = json_begin(text);
            book_write_reservation(book, &json, &image, now_of(model));
            buffer_append_format(text, " last slice %d, last layer %d", image.row.last_slice,
                                 image.row.last_layer);
        }
        buffer_append_text(text, "\n");
    }
    for (uint32_t id = 1; id <= book_pool_count(book); id++) {
        struct hour end = book_horizon_end(book, now_of(model)), hour = {model_hour(model)};
        while (hour.number < end.number) {
            int32_t free, capacity;
            struct hour until;
            book_calendar_step(book, id, hour, end, &free, &capacity, &until);
            buffer_append_format(text, "pool %u from %d: %d of %d, power for %lld\n", id, hour.number, free,
                                 capacity, (long long)book_powered(book, id, TIER_PREEMPTIBLE, hour));
            hour = until;
        }
    }
    buffer_append_format(text, "%zu live\n", book_live_count(book));
}

void compare_texts(const struct model *model, const char *what, const struct buffer *a,
                   const struct buffer *b)
{
    if (a->length == b->length && memcmp(a->data, b->data, a->length) == 0)
        return;
    size_t line = 0, i = 0;
    for (; i < a->length && i < b->length && a->data[i] == b->data[i]; i++)
        line = a->data[i] == '\n' ? i + 1 : line;
    MODEL_FAIL(model, "%s:\n  %.*s\n  %.*s", what, (int)strcspn(a->data + line, "\n"), a->data + line,
               (int)strcspn(b->data + line, "\n"), b->data + line);
}
