// Replies that propose bookings.
#include "core/shortfall.h"
#include "wire/reply.h"

// Ready to be sent as reservation.create, by whoever asked: a tenant that was named is named again.
static void write_request(struct json *json, const struct book *book, const struct offer *offer,
                          const char *tenant)
{
    json_write_object(json, "request");
    if (tenant != NULL)
        json_write_text(json, "tenant", tenant);
    json_write_text(json, "pool", book_pool_row(book, offer->pool)->pool);
    json_write_integer(json, "gpus", offer->gpus);
    json_write_hour(json, "start", offer->start);
    json_write_hour(json, "end", offer->end);
    json_write_text(json, "tier", tier_name(offer->tier));
    json_write_object_end(json);
}

static void write_available(struct json *json, bool unlimited, struct amount available)
{
    if (unlimited)
        json_write_null(json, "available_after");
    else
        json_write_amount(json, "available_after", available);
}

static void write_period(struct json *json, const struct book *book, const struct offer_period *period)
{
    const struct contract_period_row *row = book_period_row(book, period->period);
    json_write_object(json, NULL);
    json_write_text(json, "contract", book_contract_row(book, row->contract)->contract);
    json_write_hour(json, "period_start", row->start);
    json_write_amount(json, "cost", period->cost);
    write_available(json, period->after.unlimited, period->after.available);
    json_write_amount(json, "shortfall_after", period->after.shortfall);
    json_write_object_end(json);
}

// What is left where least is left, and in each period.
static void write_commitment(struct json *json, const struct book *book, const struct offer *offer)
{
    bool unlimited = true;
    struct amount least = AMOUNT_MAX;
    for (size_t i = 0; i < offer->period_count; i++) {
        const struct commitment *after = &offer->periods[i].after;
        if (after->unlimited)
            continue;
        unlimited = false;
        least = amount_min(least, after->available);
    }
    json_write_object(json, "commitment");
    write_available(json, unlimited, least);
    json_write_array(json, "periods");
    for (size_t i = 0; i < offer->period_count; i++)
        write_period(json, book, &offer->periods[i]);
    json_write_array_end(json);
    json_write_object_end(json);
}

static void write_miss(struct json *json, const struct offer *offer)
{
    static const char *const names[] = {
        [MISS_HOURS] = "hours", [MISS_GPUS] = "gpus", [MISS_START] = "hours_after"};
    if (offer->miss == MISS_NONE)
        return;
    json_write_object(json, "lacks");
    json_write_integer(json, names[offer->miss], offer->lacks);
    json_write_object_end(json);
}

static void write_offers(struct json *json, const char *name, const struct book *book,
                         const struct offer *offers, size_t count, const char *tenant)
{
    json_write_array(json, name);
    for (size_t i = 0; i < count; i++) {
        json_write_object(json, NULL);
        write_request(json, book, &offers[i], tenant);
        json_write_amount(json, "cost", offers[i].cost);
        write_commitment(json, book, &offers[i]);
        write_miss(json, &offers[i]);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

void wire_reply_offers(struct buffer *out, const char *id, const struct book *book, uint32_t tenant,
                       const struct parameters *parameters, struct arena *arena, struct instant now)
{
    struct offer_query query = {
        .tenant = tenant,
        .gpus = parameters->gpus,
        .hours = parameters->hours,
        .pools = parameters->pools,
        .sites = parameters->sites,
        .gpu = parameters->gpu,
        .pool_count = parameters->pool_count,
        .site_count = parameters->site_count,
        .has_earliest = parameter_given(parameters, PARAMETER_EARLIEST),
        .has_latest_end = parameter_given(parameters, PARAMETER_LATEST_END),
        .earliest = parameters->earliest,
        .latest_end = parameters->latest_end,
        .tier = parameters->tier,
        .order = parameters->order,
        .limit = parameter_given(parameters, PARAMETER_LIMIT) ? (size_t)parameters->limit : OFFERS_DEFAULT,
    };
    struct offer_list list;
    offers_search(book, &query, now, arena, &list);
    if (list.verdict != VERDICT_DONE) {
        wire_reply_error(out, id, (int)list.verdict, list.message, list.member);
        return;
    }
    struct json json = wire_reply_begin(out, id);
    write_offers(&json, "offers", book, list.offers, list.count, parameters->tenant);
    write_offers(&json, "near_misses", book, list.misses, list.miss_count, parameters->tenant);
    if (list.stopped_short)
        json_write_hour(&json, "searched_until", list.searched_until);
    else
        json_write_null(&json, "searched_until");
    wire_reply_end(&json);
}

void wire_reply_commitment_plan(struct buffer *out, const char *id, const struct book *book, uint32_t tenant,
                                const struct parameters *parameters, struct arena *arena, struct instant now)
{
    struct shortfall_query query = {
        .tenant = tenant,
        .contract = parameters->contract,
        .pools = parameters->pools,
        .pool_count = parameters->pool_count,
    };
    struct shortfall_plan plan;
    shortfall_plan(book, &query, now, arena, &plan);
    if (plan.verdict != VERDICT_DONE) {
        wire_reply_error(out, id, (int)plan.verdict, plan.message, plan.member);
        return;
    }
    const struct contract_period_row *row = book_period_row(book, plan.period);
    // An operator who named the contract alone must name the tenant to book.
    const char *named = tenant == 0 ? book_tenant_row(book, plan.tenant)->tenant : parameters->tenant;
    struct json json = wire_reply_begin(out, id);
    json_write_text(&json, "contract", book_contract_row(book, row->contract)->contract);
    json_write_hour(&json, "period_start", row->start);
    json_write_hour(&json, "period_end", row->end);
    json_write_amount(&json, "shortfall", plan.shortfall);
    if (plan.has_last_chance)
        json_write_hour(&json, "last_chance", plan.last_chance);
    else
        json_write_null(&json, "last_chance");
    write_offers(&json, "offers", book, plan.offers, plan.count, named);
    wire_reply_end(&json);
}
