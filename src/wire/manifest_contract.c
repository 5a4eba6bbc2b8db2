// A manifest's contracts: their windows, periods, prices and terms.
#include "base/buffer.h"
#include "wire/manifest_read.h"
#include "wire/member.h"
#include <string.h>

#define NAME_MAX_CHARACTERS      64
#define POOL_NAME_MAX_CHARACTERS 129
#define PERCENT_MAX_BP           10000   // 100 %
#define WIDE_PERCENT_MAX_BP      1000000 // 10,000 %
#define NOTICE_HOURS_MAX         876600  // a hundred years
#define NOTICE_DAYS_MAX          36525
#define CONTRACT_HOURS_MAX       876600

// ---- Periods

static bool read_annual(struct reader *reader, json_t *periods, struct manifest_contract *contract)
{
    static const char *const names[] = {"annual", NULL};
    contract->terms.annual = true;
    return read_known_members(reader, periods, names) &&
           member_amount(reader, periods, "annual", REQUIRED, &contract->terms.annual_commit);
}

static bool read_period(struct reader *reader, json_t *element, struct manifest_period *period)
{
    static const char *const names[] = {"start", "commit", NULL};
    return read_object(reader, element) && read_known_members(reader, element, names) &&
           member_hour(reader, element, "start", REQUIRED, &period->start) &&
           member_amount(reader, element, "commit", REQUIRED, &period->commit);
}

// The first begins with the contract, each later than the one before and before the contract's end.
static bool period_fits(struct reader *reader, const struct manifest_contract *contract, size_t index)
{
    struct hour start = contract->periods[index].start;
    if (index == 0 && start.number != contract->start.number)
        return reader_fail_member(reader, "start", "must be the contract's start");
    if (index > 0 && start.number <= contract->periods[index - 1].start.number)
        return reader_fail_member(reader, "start", "must be later than the one before it");
    return start.number < contract->end.number ||
           reader_fail_member(reader, "start", "must be before the contract's end");
}

static bool read_period_list(struct reader *reader, const json_t *list, struct manifest_contract *contract)
{
    for (size_t i = 0; i < contract->period_count; i++) {
        reader_enter_index(reader, i);
        if (!read_period(reader, json_array_get(list, i), &contract->periods[i]) ||
            !period_fits(reader, contract, i))
            return false;
        reader_leave(reader);
    }
    return true;
}

static bool read_periods(struct reader *reader, json_t *element, struct manifest_contract *contract)
{
    json_t *periods = json_object_get(element, "periods");
    if (!member_given(element, "periods"))
        return reader_fail_member(reader, "periods", "is missing");
    if (json_is_object(periods)) {
        reader_enter(reader, "periods");
        if (!read_annual(reader, periods, contract))
            return false;
        reader_leave(reader);
        return true;
    }
    if (!json_is_array(periods))
        return reader_fail_member(reader, "periods", "must be {\"annual\": amount} or an array");
    json_t *list;
    contract->periods =
        member_list(reader, element, "periods", sizeof *contract->periods, &contract->period_count, &list);
    if (contract->periods == NULL)
        return false;
    if (contract->period_count == 0)
        return reader_fail(reader, "must have at least one element");
    if (!read_period_list(reader, list, contract))
        return false;
    reader_leave(reader);
    return true;
}

// ---- Terms

static bool read_overage_limit(struct reader *reader, json_t *overage, struct contract_terms_row *terms)
{
    bool amount = member_given(overage, "limit"), percent = member_given(overage, "limit_pct");
    if (amount && percent)
        return reader_fail_member(reader, "limit_pct", "and limit can't both be given");
    if (percent) {
        terms->overage_kind = OVERAGE_PERCENT;
        return member_percent(reader, overage, "limit_pct", WIDE_PERCENT_MAX_BP, &terms->overage_limit_bp);
    }
    if (!amount)
        return true;
    const json_t *limit = json_object_get(overage, "limit");
    if (json_is_string(limit) && strcmp(json_string_value(limit), "unlimited") == 0) {
        terms->overage_kind = OVERAGE_UNLIMITED;
        return true;
    }
    terms->overage_kind = OVERAGE_AMOUNT;
    return member_amount(reader, overage, "limit", REQUIRED, &terms->overage_amount);
}

static bool read_overage(struct reader *reader, json_t *element, struct contract_terms_row *terms)
{
    static const char *const names[] = {"limit", "limit_pct", "surcharge_pct", NULL};
    json_t *overage = member_object(reader, element, "overage", names);
    if (overage == NULL)
        return reader->message == NULL;
    if (!read_overage_limit(reader, overage, terms) ||
        !member_percent(reader, overage, "surcharge_pct", WIDE_PERCENT_MAX_BP, &terms->surcharge_bp))
        return false;
    reader_leave(reader);
    return true;
}

static bool read_shortfall(struct reader *reader, json_t *element, struct contract_terms_row *terms)
{
    static const char *const names[] = {"defer_pct", "defer_until", "then", NULL};
    static const char *const until[] = {"next", "last", NULL};
    static const char *const rests[] = {"charge", "credit", "waive", NULL};
    json_t *shortfall = member_object(reader, element, "shortfall", names);
    if (shortfall == NULL)
        return reader->message == NULL;
    size_t last = 0, then = 0;
    if (!member_percent(reader, shortfall, "defer_pct", PERCENT_MAX_BP, &terms->defer_bp) ||
        !member_choice(reader, shortfall, "defer_until", OPTIONAL, until, &last) ||
        !member_choice(reader, shortfall, "then", OPTIONAL, rests, &then))
        return false;
    terms->defer_until_last = last == 1;
    terms->then = (enum shortfall_rest)then;
    reader_leave(reader);
    return true;
}

static bool read_cancel(struct reader *reader, json_t *element, struct contract_terms_row *terms)
{
    static const char *const names[] = {"notice_hours", "late_fee_pct", NULL};
    json_t *cancel = member_object(reader, element, "cancel", names);
    if (cancel == NULL)
        return reader->message == NULL;
    if (!member_integer32(reader, cancel, "notice_hours", OPTIONAL, 0, NOTICE_HOURS_MAX,
                          &terms->cancel_notice_hours) ||
        !member_percent(reader, cancel, "late_fee_pct", PERCENT_MAX_BP, &terms->late_fee_bp))
        return false;
    reader_leave(reader);
    return true;
}

static bool read_termination(struct reader *reader, json_t *element, struct contract_terms_row *terms)
{
    static const char *const names[] = {"notice_from", "notice_days", NULL};
    json_t *termination = member_object(reader, element, "termination", names);
    if (termination == NULL)
        return reader->message == NULL;
    terms->has_termination = true;
    if (!member_hour(reader, termination, "notice_from", REQUIRED, &terms->termination_notice_from) ||
        !member_integer32(reader, termination, "notice_days", REQUIRED, 0, NOTICE_DAYS_MAX,
                          &terms->termination_notice_days))
        return false;
    reader_leave(reader);
    return true;
}

static bool read_terms(struct reader *reader, json_t *element, struct contract_terms_row *terms)
{
    static const char *const billings[] = {"arrears", "instalments", NULL};
    size_t billing = 0;
    if (!read_overage(reader, element, terms) || !read_shortfall(reader, element, terms) ||
        !member_choice(reader, element, "billing", OPTIONAL, billings, &billing) ||
        !read_cancel(reader, element, terms) || !read_termination(reader, element, terms))
        return false;
    terms->billing = (enum billing)billing;
    return member_percent(reader, element, "sla_credit_pct", PERCENT_MAX_BP, &terms->sla_credit_bp) &&
           member_percent(reader, element, "discount_pct", PERCENT_MAX_BP, &terms->discount_bp);
}

// ---- Pools and prices

static bool read_scope(struct reader *reader, json_t *element, struct manifest_contract *contract)
{
    json_t *list;
    const char **pools = member_list(reader, element, "pools", sizeof *pools, &contract->pool_count, &list);
    contract->pools = pools;
    if (pools == NULL)
        return false;
    // An empty list would read as "none", and means all: it is refused.
    if (list != NULL && contract->pool_count == 0)
        return reader_fail(reader, "must have at least one element, or be left out");
    struct name_map listed = {0};
    for (size_t i = 0; i < contract->pool_count && reader->message == NULL; i++) {
        reader_enter_index(reader, i);
        if (!read_text(reader, json_array_get(list, i), TEXT_POOL_NAME, 1, POOL_NAME_MAX_CHARACTERS,
                       &pools[i]))
            break;
        if (name_map_get(&listed, pools[i]) != 0) {
            reader_fail(reader, "is listed twice");
            break;
        }
        name_map_put(&listed, pools[i], 1);
        reader_leave(reader);
    }
    name_map_free(&listed);
    if (reader->message != NULL)
        return false;
    reader_leave(reader);
    return true;
}

static bool price_unique(struct reader *reader, struct name_map *listed, const struct manifest_price *price)
{
    struct buffer key = {0};
    buffer_append_format(&key, "%s %s", price->pool, tier_name(price->tier));
    bool unique = manifest_unique(reader, listed, key.data, "pool");
    buffer_free(&key);
    return unique;
}

static bool read_price(struct reader *reader, json_t *element, struct name_map *listed,
                       struct manifest_price *price)
{
    static const char *const names[] = {"pool", "tier", "price", NULL};
    static const char *const tiers[] = {"firm", "preemptible", NULL};
    size_t tier = 0;
    if (!read_object(reader, element) || !read_known_members(reader, element, names) ||
        !member_text(reader, element, "pool", REQUIRED, TEXT_POOL_NAME, 1, POOL_NAME_MAX_CHARACTERS,
                     &price->pool) ||
        !member_choice(reader, element, "tier", REQUIRED, tiers, &tier) ||
        !member_amount(reader, element, "price", REQUIRED, &price->price))
        return false;
    price->tier = (enum tier)tier;
    return price_unique(reader, listed, price);
}

static bool read_prices(struct reader *reader, json_t *element, struct manifest_contract *contract)
{
    json_t *list;
    contract->prices =
        member_list(reader, element, "prices", sizeof *contract->prices, &contract->price_count, &list);
    if (contract->prices == NULL)
        return false;
    struct name_map listed = {0};
    for (size_t i = 0; i < contract->price_count && reader->message == NULL; i++) {
        reader_enter_index(reader, i);
        if (read_price(reader, json_array_get(list, i), &listed, &contract->prices[i]))
            reader_leave(reader);
    }
    name_map_free(&listed);
    if (reader->message != NULL)
        return false;
    reader_leave(reader);
    return true;
}

// ---- The contract

static bool read_window(struct reader *reader, json_t *element, struct manifest_contract *contract)
{
    if (!member_hour(reader, element, "start", REQUIRED, &contract->start) ||
        !member_hour(reader, element, "end", REQUIRED, &contract->end))
        return false;
    int32_t hours = contract->end.number - contract->start.number;
    if (hours <= 0)
        return reader_fail_member(reader, "end", "must be after start");
    return hours <= CONTRACT_HOURS_MAX ||
           reader_fail_member(reader, "end", "must be at most 100 years after start");
}

static bool read_contract(struct reader *reader, json_t *element, struct name_map *listed,
                          struct manifest_contract *contract)
{
    static const char *const names[] = {
        "contract",       "tenant",      "note",         "start",   "end",    "pools",
        "periods",        "overage",     "shortfall",    "billing", "cancel", "prices",
        "sla_credit_pct", "termination", "discount_pct", NULL};
    return read_object(reader, element) && read_known_members(reader, element, names) &&
           member_text(reader, element, "contract", REQUIRED, TEXT_NAME, 1, NAME_MAX_CHARACTERS,
                       &contract->contract) &&
           manifest_unique(reader, listed, contract->contract, "contract") &&
           member_text(reader, element, "tenant", REQUIRED, TEXT_NAME, 1, NAME_MAX_CHARACTERS,
                       &contract->tenant) &&
           member_note(reader, element, &contract->note) && read_window(reader, element, contract) &&
           read_scope(reader, element, contract) && read_periods(reader, element, contract) &&
           read_terms(reader, element, &contract->terms) && read_prices(reader, element, contract);
}

bool manifest_contracts(struct reader *reader, json_t *object, struct manifest *manifest)
{
    json_t *list;
    manifest->contracts = member_list(reader, object, "contracts", sizeof *manifest->contracts,
                                      &manifest->contract_count, &list);
    if (manifest->contracts == NULL)
        return false;
    struct name_map listed = {0};
    for (size_t i = 0; i < manifest->contract_count && reader->message == NULL; i++) {
        reader_enter_index(reader, i);
        if (read_contract(reader, json_array_get(list, i), &listed, &manifest->contracts[i]))
            reader_leave(reader);
    }
    name_map_free(&listed);
    if (reader->message != NULL)
        return false;
    reader_leave(reader);
    return true;
}
