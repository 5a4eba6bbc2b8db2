#include "core/manifest_text.h"

static void write_note(struct json *json, const char *note)
{
    if (note != NULL)
        json_write_text(json, "note", note);
}

static void write_uids(struct json *json, const uint32_t *uids, size_t count)
{
    json_write_array(json, "uids");
    for (size_t i = 0; i < count; i++)
        json_write_integer(json, NULL, uids[i]);
    json_write_array_end(json);
}

void book_write_kilowatts(struct json *json, const char *key, int64_t watts)
{
    // A kilowatt in watts is as a dollar in thousandths: the text of an amount is exact.
    json_write_amount(json, key, (struct amount){watts * 1000});
}

void manifest_write_site(struct json *json, const struct manifest_site *site)
{
    json_write_text(json, "site", site->site);
    write_note(json, site->note);
    if (site->power_count == 0)
        return;
    json_write_array(json, "power");
    for (size_t i = 0; i < site->power_count; i++) {
        json_write_object(json, NULL);
        json_write_hour(json, "from", site->power[i].from);
        json_write_integer(json, "kw", site->power[i].value / 1000);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

static void write_rates(struct json *json, const struct manifest_pool *pool)
{
    json_write_array(json, "rates");
    for (size_t i = 0; i < pool->rate_count; i++) {
        const struct manifest_rate *rate = &pool->rates[i];
        json_write_object(json, NULL);
        json_write_hour(json, "from", rate->from);
        for (enum tier tier = TIER_FIRM; tier < TIER_COUNT; tier++)
            if (rate->has[tier])
                json_write_amount(json, tier_name(tier), rate->price[tier]);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

static void write_changes(struct json *json, const struct manifest_pool *pool)
{
    json_write_array(json, "changes");
    for (size_t i = 0; i < pool->change_count; i++) {
        const struct manifest_change *change = &pool->changes[i];
        json_write_object(json, NULL);
        json_write_text(json, "kind", capacity_kind_name(change->kind));
        json_write_integer(json, "gpus", change->gpus);
        json_write_hour(json, "start", change->start);
        if (change->end.number != HOUR_NEVER.number)
            json_write_hour(json, "end", change->end);
        write_note(json, change->note);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

static void write_pool(struct json *json, const struct manifest_pool *pool)
{
    json_write_text(json, "pool", pool->pool);
    json_write_text(json, "gpu", pool->gpu);
    json_write_integer(json, "unit", pool->unit);
    if (pool->watts_per_gpu != 0)
        book_write_kilowatts(json, "kw_per_gpu", pool->watts_per_gpu);
    write_note(json, pool->note);
    json_write_array(json, "capacity");
    for (size_t i = 0; i < pool->capacity_count; i++) {
        json_write_object(json, NULL);
        json_write_hour(json, "from", pool->capacity[i].from);
        json_write_integer(json, "gpus", pool->capacity[i].value);
        json_write_object_end(json);
    }
    json_write_array_end(json);
    write_rates(json, pool);
    if (pool->change_count > 0)
        write_changes(json, pool);
}

void manifest_write_rate_limit(struct json *json, const struct rate_limit *rate_limit)
{
    json_write_object(json, "rate_limit");
    json_write_integer(json, "per_second", rate_limit->per_second);
    if (rate_limit->per_second > 0)
        json_write_integer(json, "burst", rate_limit->burst);
    json_write_object_end(json);
}

static void write_tenant(struct json *json, const struct manifest_tenant *tenant)
{
    json_write_text(json, "tenant", tenant->tenant);
    if (tenant->name != NULL)
        json_write_text(json, "name", tenant->name);
    write_note(json, tenant->note);
    if (tenant->has_uids)
        write_uids(json, tenant->uids, tenant->uid_count);
    if (tenant->has_suspended)
        json_write_bool(json, "suspended", tenant->suspended);
    if (tenant->has_rate_limit)
        manifest_write_rate_limit(json, &tenant->rate_limit);
}

// ---- Contracts

static void write_periods(struct json *json, const struct manifest_contract *contract)
{
    if (contract->terms.annual) {
        json_write_object(json, "periods");
        json_write_amount(json, "annual", contract->terms.annual_commit);
        json_write_object_end(json);
        return;
    }
    json_write_array(json, "periods");
    for (size_t i = 0; i < contract->period_count; i++) {
        json_write_object(json, NULL);
        json_write_hour(json, "start", contract->periods[i].start);
        json_write_amount(json, "commit", contract->periods[i].commit);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

static void write_overage(struct json *json, const struct contract_terms_row *terms)
{
    if (terms->overage_kind == OVERAGE_NONE && terms->surcharge_bp == 0)
        return;
    json_write_object(json, "overage");
    switch (terms->overage_kind) {
    case OVERAGE_NONE:
        break;
    case OVERAGE_AMOUNT:
        json_write_amount(json, "limit", terms->overage_amount);
        break;
    case OVERAGE_PERCENT:
        json_write_percent(json, "limit_pct", terms->overage_limit_bp);
        break;
    case OVERAGE_UNLIMITED:
        json_write_text(json, "limit", "unlimited");
        break;
    }
    json_write_percent(json, "surcharge_pct", terms->surcharge_bp);
    json_write_object_end(json);
}

static void write_terms(struct json *json, const struct contract_terms_row *terms)
{
    write_overage(json, terms);
    json_write_object(json, "shortfall");
    json_write_percent(json, "defer_pct", terms->defer_bp);
    json_write_text(json, "defer_until", terms->defer_until_last ? "last" : "next");
    json_write_text(json, "then", shortfall_rest_name(terms->then));
    json_write_object_end(json);
    json_write_text(json, "billing", billing_name(terms->billing));
    if (terms->cancel_notice_hours != 0 || terms->late_fee_bp != 0) {
        json_write_object(json, "cancel");
        json_write_integer(json, "notice_hours", terms->cancel_notice_hours);
        json_write_percent(json, "late_fee_pct", terms->late_fee_bp);
        json_write_object_end(json);
    }
    if (terms->sla_credit_bp != 0)
        json_write_percent(json, "sla_credit_pct", terms->sla_credit_bp);
    if (terms->has_termination) {
        json_write_object(json, "termination");
        json_write_hour(json, "notice_from", terms->termination_notice_from);
        json_write_integer(json, "notice_days", terms->termination_notice_days);
        json_write_object_end(json);
    }
    if (terms->discount_bp != 0)
        json_write_percent(json, "discount_pct", terms->discount_bp);
}

static void write_prices(struct json *json, const struct manifest_contract *contract)
{
    json_write_array(json, "prices");
    for (size_t i = 0; i < contract->price_count; i++) {
        const struct manifest_price *price = &contract->prices[i];
        json_write_object(json, NULL);
        json_write_text(json, "pool", price->pool);
        json_write_text(json, "tier", tier_name(price->tier));
        json_write_amount(json, "price", price->price);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

void manifest_write_contract(struct json *json, const struct manifest_contract *contract)
{
    json_write_text(json, "contract", contract->contract);
    json_write_text(json, "tenant", contract->tenant);
    write_note(json, contract->note);
    json_write_hour(json, "start", contract->start);
    json_write_hour(json, "end", contract->end);
    if (contract->pool_count > 0) {
        json_write_array(json, "pools");
        for (size_t i = 0; i < contract->pool_count; i++)
            json_write_text(json, NULL, contract->pools[i]);
        json_write_array_end(json);
    }
    write_periods(json, contract);
    write_terms(json, &contract->terms);
    if (contract->price_count > 0)
        write_prices(json, contract);
}

// ---- The whole

static void write_inventory(struct json *json, const struct manifest *manifest)
{
    json_write_array(json, "sites");
    for (size_t i = 0; i < manifest->site_count; i++) {
        json_write_object(json, NULL);
        manifest_write_site(json, &manifest->sites[i]);
        json_write_object_end(json);
    }
    json_write_array_end(json);
    json_write_array(json, "pools");
    for (size_t i = 0; i < manifest->pool_count; i++) {
        json_write_object(json, NULL);
        write_pool(json, &manifest->pools[i]);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

void manifest_write(struct json *json, const struct manifest *manifest)
{
    json_write_integer(json, "version", 1);
    write_note(json, manifest->note);
    if (manifest->has_operator_uids) {
        json_write_object(json, "operators");
        write_uids(json, manifest->operator_uids, manifest->operator_uid_count);
        json_write_object_end(json);
    }
    write_inventory(json, manifest);
    json_write_array(json, "tenants");
    for (size_t i = 0; i < manifest->tenant_count; i++) {
        json_write_object(json, NULL);
        write_tenant(json, &manifest->tenants[i]);
        json_write_object_end(json);
    }
    json_write_array_end(json);
    json_write_array(json, "contracts");
    for (size_t i = 0; i < manifest->contract_count; i++) {
        json_write_object(json, NULL);
        manifest_write_contract(json, &manifest->contracts[i]);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}
