// The contracts of a manifest: their periods, accounts and grants.
//
// A new contract is checked whole, then its lines are added: the contract, the event, its terms, prices and
// scope, its periods, their accounts, and the grants of what may be spent. What was over or due before it is
// first applied is taken as settled. The terms of a contract in force can't be changed by this version: only
// its note can.
#include "core/manifest_apply.h"
#include "core/manifest_text.h"
#include "core/schedule.h"
#include <assert.h>
#include <string.h>

// Far more than any contract has, and few enough to be decided at once.
#define PERIODS_MAX 1000

struct contract_work {
    struct manifest_apply *apply;
    size_t index; // in the manifest
    const struct manifest_contract *listed;
    uint32_t id, tenant;
    uint32_t *pools;  // the scope
    uint32_t *priced; // the pool of each price
    struct contract_period_row *periods;
    uint32_t period_count;
    uint32_t first_account; // of the contract's own; the periods' follow
};

static const char *path_of(const struct contract_work *work, const char *list, size_t place,
                           const char *member)
{
    return manifest_path(work->apply, "contracts", work->index, list, place, member);
}

// ---- Names

static bool resolve_pool(struct contract_work *work, const char *name, const char *path, uint32_t *pool)
{
    *pool = manifest_pool_id(work->apply, name);
    if (*pool != 0)
        return true;
    builder_refuse_parts(work->apply->builder, VERDICT_INVALID_MANIFEST, "there is no pool ", name,
                         " in the manifest or in the book", (const char *)NULL)
        ->path = path;
    return false;
}

static bool resolve_scope(struct contract_work *work)
{
    const struct manifest_contract *listed = work->listed;
    work->pools = arena_allocate(work->apply->builder->arena, (listed->pool_count + 1) * sizeof *work->pools);
    for (size_t k = 0; k < listed->pool_count; k++) {
        const char *path = path_of(work, "pools", k, NULL);
        if (!resolve_pool(work, listed->pools[k], path, &work->pools[k]))
            return false;
        for (size_t j = 0; j < k; j++) {
            if (work->pools[j] == work->pools[k]) {
                manifest_refuse(work->apply, path, "the contract lists this pool twice");
                return false;
            }
        }
    }
    return true;
}

static bool resolve_prices(struct contract_work *work)
{
    const struct manifest_contract *listed = work->listed;
    work->priced =
        arena_allocate(work->apply->builder->arena, (listed->price_count + 1) * sizeof *work->priced);
    for (size_t k = 0; k < listed->price_count; k++) {
        const char *path = path_of(work, "prices", k, "pool");
        if (!resolve_pool(work, listed->prices[k].pool, path, &work->priced[k]))
            return false;
        for (size_t j = 0; j < k; j++) {
            if (work->priced[j] == work->priced[k] && listed->prices[j].tier == listed->prices[k].tier) {
                manifest_refuse(work->apply, path, "the contract lists a price of this pool and tier twice");
                return false;
            }
        }
    }
    return true;
}

static bool resolve_names(struct contract_work *work)
{
    work->tenant = manifest_tenant_id(work->apply, work->listed->tenant);
    if (work->tenant == 0) {
        builder_refuse_parts(work->apply->builder, VERDICT_INVALID_MANIFEST, "there is no tenant ",
                             work->listed->tenant, " in the manifest or in the book", (const char *)NULL)
            ->path = path_of(work, NULL, 0, "tenant");
        return false;
    }
    return resolve_scope(work) && resolve_prices(work);
}

// ---- A contract that is in force

static bool same_periods(const struct book *book, const struct contract *present,
                         const struct manifest_contract *listed)
{
    if (listed->terms.annual != present->terms.annual)
        return false;
    if (listed->terms.annual)
        return amount_compare(listed->terms.annual_commit, present->terms.annual_commit) == 0;
    if (listed->period_count != present->period_count)
        return false;
    for (uint32_t k = 0; k < present->period_count; k++) {
        const struct contract_period_row *row = book_period_row(book, present->first_period + k);
        if (row->start.number != listed->periods[k].start.number ||
            amount_compare(row->commit, listed->periods[k].commit) != 0)
            return false;
    }
    return true;
}

static bool same_overage(const struct contract_terms_row *a, const struct contract_terms_row *b)
{
    if (a->overage_kind != b->overage_kind || a->surcharge_bp != b->surcharge_bp)
        return false;
    if (a->overage_kind == OVERAGE_AMOUNT)
        return amount_compare(a->overage_amount, b->overage_amount) == 0;
    return a->overage_kind != OVERAGE_PERCENT || a->overage_limit_bp == b->overage_limit_bp;
}

static bool same_termination(const struct contract_terms_row *a, const struct contract_terms_row *b)
{
    if (!a->has_termination || !b->has_termination)
        return a->has_termination == b->has_termination;
    return a->termination_notice_from.number == b->termination_notice_from.number &&
           a->termination_notice_days == b->termination_notice_days;
}

static bool same_prices(const struct contract_work *work, const struct contract *present)
{
    if (work->listed->price_count != present->price_count)
        return false;
    for (size_t k = 0; k < present->price_count; k++) {
        const struct contract_price_row *price = &present->prices[k];
        bool found = false;
        for (size_t j = 0; j < work->listed->price_count; j++)
            found = found || (work->priced[j] == price->pool && work->listed->prices[j].tier == price->tier &&
                              amount_compare(work->listed->prices[j].price, price->price) == 0);
        if (!found)
            return false;
    }
    return true;
}

static bool same_scope(const struct contract_work *work, const struct contract *present)
{
    if (work->listed->pool_count != present->pool_count)
        return false;
    for (size_t k = 0; k < present->pool_count; k++) {
        bool found = false;
        for (size_t j = 0; j < work->listed->pool_count; j++)
            found = found || work->pools[j] == present->pools[k];
        if (!found)
            return false;
    }
    return true;
}

// The first member in which the manifest differs from the contract in force; NULL when there is none.
static const char *first_difference(const struct contract_work *work, const struct contract *present)
{
    const struct manifest_contract *listed = work->listed;
    const struct contract_terms_row *a = &listed->terms, *b = &present->terms;
    if (work->tenant != present->row.tenant)
        return "tenant";
    if (listed->start.number != present->row.start.number)
        return "start";
    if (listed->end.number != present->row.end.number)
        return "end";
    if (!same_scope(work, present))
        return "pools";
    if (!same_periods(work->apply->book, present, listed))
        return "periods";
    if (!same_overage(a, b))
        return "overage";
    if (a->defer_bp != b->defer_bp || a->defer_until_last != b->defer_until_last || a->then != b->then)
        return "shortfall";
    if (a->billing != b->billing)
        return "billing";
    if (a->cancel_notice_hours != b->cancel_notice_hours || a->late_fee_bp != b->late_fee_bp)
        return "cancel";
    if (a->sla_credit_bp != b->sla_credit_bp)
        return "sla_credit_pct";
    if (!same_termination(a, b))
        return "termination";
    if (!same_prices(work, present))
        return "prices";
    return a->discount_bp != b->discount_bp ? "discount_pct" : NULL;
}

static int64_t add_event(struct contract_work *work, const char *type, const char *note)
{
    struct manifest_contract whole = *work->listed;
    whole.note = note;
    struct json json = builder_text(work->apply->builder);
    json_write_object(&json, NULL);
    json_write_object(&json, "contract");
    manifest_write_contract(&json, &whole);
    json_write_object_end(&json);
    json_write_object_end(&json);
    return manifest_event(work->apply, type, work->tenant);
}

static void compare_present(struct contract_work *work)
{
    const struct contract *present = &work->apply->book->contracts[work->id];
    const char *member = first_difference(work, present);
    if (member != NULL) {
        manifest_refuse(work->apply, path_of(work, NULL, 0, member),
                        "the terms of a contract in force can't be changed by this version");
        return;
    }
    if (!manifest_text_differs(work->listed->note, present->row.note))
        return;
    struct contract_row row = present->row;
    row.contract = arena_copy_text(work->apply->builder->arena, row.contract);
    row.note = arena_copy_text(work->apply->builder->arena, work->listed->note);
    builder_add(work->apply->builder, ROW_CONTRACT)->contract = row;
    add_event(work, "contract.changed", row.note);
    manifest_changed(work->apply, false, "contract", row.contract);
}

// ---- At any hour and pool at most one contract of a tenant applies

static bool scopes_meet(const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count)
{
    if (a_count == 0 || b_count == 0)
        return true;
    for (size_t i = 0; i < a_count; i++)
        for (size_t k = 0; k < b_count; k++)
            if (a[i] == b[k])
                return true;
    return false;
}

static bool is_unambiguous(struct contract_work *work, const struct added_contract *other)
{
    const struct manifest_contract *listed = work->listed;
    if (listed->start.number >= other->end.number || other->start.number >= listed->end.number ||
        !scopes_meet(work->pools, listed->pool_count, other->pools, other->pool_count))
        return true;
    builder_refuse_parts(work->apply->builder, VERDICT_INVALID_MANIFEST, "this contract and contract ",
                         other->name, " of the same tenant would apply to the same hours and pools",
                         (const char *)NULL)
        ->path = path_of(work, NULL, 0, NULL);
    return false;
}

static bool check_ambiguity(struct contract_work *work)
{
    struct manifest_apply *apply = work->apply;
    if (work->tenant <= book_tenant_count(apply->book)) {
        const struct tenant *tenant = &apply->book->tenants[work->tenant];
        for (size_t i = 0; i < tenant->contract_count; i++) {
            const struct contract *present = &apply->book->contracts[tenant->contracts[i]];
            struct added_contract other = {present->row.contract, work->tenant,   present->row.start,
                                           present->row.end,      present->pools, present->pool_count};
            if (!is_unambiguous(work, &other))
                return false;
        }
    }
    for (size_t i = 0; i < apply->added_contract_count; i++)
        if (apply->added_contracts[i].tenant == work->tenant &&
            !is_unambiguous(work, &apply->added_contracts[i]))
            return false;
    apply->added_contracts[apply->added_contract_count++] =
        (struct added_contract){work->listed->contract, work->tenant, work->listed->start,
                                work->listed->end,      work->pools,  work->listed->pool_count};
    return true;
}

// ---- Periods

static bool list_is_sound(struct contract_work *work)
{
    const struct manifest_contract *listed = work->listed;
    for (size_t k = 0; k < listed->period_count; k++) {
        struct hour start = listed->periods[k].start;
        const char *message = NULL;
        if (k == 0 && start.number != listed->start.number)
            message = "the first period starts with the contract";
        else if (k > 0 && start.number <= listed->periods[k - 1].start.number)
            message = "periods follow one another: this one starts no later than the one before";
        else if (start.number >= listed->end.number)
            message = "a period starts before the contract ends";
        if (message != NULL) {
            manifest_refuse(work->apply, path_of(work, "periods", k, "start"), message);
            return false;
        }
    }
    return true;
}

// The window and the commit of period k.
static bool period_terms(struct contract_work *work, uint32_t k, struct contract_period_row *row)
{
    const struct manifest_contract *listed = work->listed;
    if (listed->terms.annual) {
        if (schedule_annual_period(listed->start, listed->end, listed->terms.annual_commit, (int32_t)k,
                                   &row->start, &row->end, &row->commit))
            return true;
        manifest_refuse(work->apply, path_of(work, NULL, 0, "periods.annual"),
                        "this amount is too large to reckon with");
        return false;
    }
    row->start = listed->periods[k].start;
    row->end = k + 1 < work->period_count ? listed->periods[k + 1].start : listed->end;
    row->commit = listed->periods[k].commit;
    return true;
}

// How much beyond the commit may be booked. False when it overflows.
static bool period_overage(const struct contract_terms_row *terms, struct contract_period_row *row)
{
    row->overage_unlimited = terms->overage_kind == OVERAGE_UNLIMITED;
    if (terms->overage_kind == OVERAGE_AMOUNT)
        row->overage_limit = terms->overage_amount;
    struct amount authority;
    return (terms->overage_kind != OVERAGE_PERCENT ||
            amount_percent(row->commit, terms->overage_limit_bp, &row->overage_limit)) &&
           amount_add(row->commit, row->overage_limit, &authority);
}

// What was over or due before now is taken as settled: it counts as billed.
static struct amount period_settled(const struct contract_work *work, struct contract_period_row *row)
{
    struct instant now = work->apply->builder->at;
    struct hour running = hour_of_instant(now);
    row->delivered_through = running.number > row->start.number ? running : row->start;
    if (running.number >= row->end.number) {
        row->delivered_through = row->end;
        row->closed = row->imported = true;
        return row->commit;
    }
    struct amount settled = AMOUNT_ZERO;
    if (work->listed->terms.billing != BILLING_INSTALMENTS || amount_is_zero(row->commit))
        return settled;
    int32_t count = schedule_instalment_count(row->start, row->end);
    for (int32_t k = 0; k < count; k++) {
        if (hour_start(schedule_instalment_due(row->start, k)).seconds >= now.seconds)
            break;
        bool fits =
            amount_add(settled, schedule_instalment_amount(row->start, row->end, row->commit, k), &settled);
        assert(fits); // the parts add up to the commit
        (void)fits;
        row->instalments_billed++;
        row->imported = true;
    }
    return settled;
}

// What the closes may hand on, added up: a period's unmet commit can move on again at every later close, and
// a paid shortfall moves as credit and as authority. The contract's accounts grant all of it, so it must be
// within range, or a close could not be written.
static bool moves_fit(const struct contract_terms_row *terms, struct amount total, size_t period_count)
{
    int64_t moves = terms->then == SHORTFALL_CREDIT ? 2 : terms->defer_bp > 0 ? 1 : 0;
    struct amount moved;
    return amount_multiply(total, moves * ((int64_t)period_count + 1), &moved);
}

static bool reckon_periods(struct contract_work *work)
{
    const struct manifest_contract *listed = work->listed;
    size_t count = listed->terms.annual ? (size_t)schedule_annual_count(listed->start, listed->end)
                                        : listed->period_count;
    if (count == 0 || count > PERIODS_MAX) {
        manifest_refuse(work->apply, path_of(work, NULL, 0, "periods"), "a contract has 1 to 1000 periods");
        return false;
    }
    if (!listed->terms.annual && !list_is_sound(work))
        return false;
    work->period_count = (uint32_t)count;
    work->periods = arena_allocate(work->apply->builder->arena, work->period_count * sizeof *work->periods);
    // The contract's accounts pay for all its periods, so their sum must be within range too.
    struct amount total = AMOUNT_ZERO;
    for (uint32_t k = 0; k < work->period_count; k++) {
        struct contract_period_row *row = &work->periods[k];
        row->number = k + 1;
        row->contract = work->id;
        if (!period_terms(work, k, row))
            return false;
        if (!period_overage(&listed->terms, row) || !amount_add(total, row->commit, &total) ||
            !amount_add(total, row->overage_limit, &total)) {
            const char *path = listed->terms.annual ? path_of(work, NULL, 0, "periods.annual")
                                                    : path_of(work, "periods", k, "commit");
            manifest_refuse(work->apply, path,
                            "the commit and the overage limit add up to more than can be reckoned with");
            return false;
        }
    }
    if (!moves_fit(&listed->terms, total, work->period_count)) {
        manifest_refuse(
            work->apply, path_of(work, NULL, 0, "periods"),
            "what the shortfall terms may move from period to period is more than can be reckoned with");
        return false;
    }
    return true;
}

// ---- Adding a new one

static void add_terms(struct contract_work *work, int64_t event)
{
    struct builder *builder = work->apply->builder;
    const struct manifest_contract *listed = work->listed;
    struct contract_terms_row terms = listed->terms;
    terms.contract = work->id;
    terms.version = 1;
    terms.event = event;
    builder_add(builder, ROW_CONTRACT_TERMS)->contract_terms = terms;
    for (size_t k = 0; k < listed->price_count; k++)
        builder_add(builder, ROW_CONTRACT_PRICE)->contract_price = (struct contract_price_row){
            .contract = work->id,
            .version = 1,
            .pool = work->priced[k],
            .tier = listed->prices[k].tier,
            .price = listed->prices[k].price,
        };
    for (size_t k = 0; k < listed->pool_count; k++)
        builder_add(builder, ROW_CONTRACT_POOL)->contract_pool =
            (struct contract_pool_row){.contract = work->id, .version = 1, .pool = work->pools[k]};
}

static uint32_t own_account(const struct contract_work *work, enum account_kind kind)
{
    return work->first_account + (uint32_t)(kind - ACCOUNT_COMMITMENT);
}

static uint32_t period_account(const struct contract_work *work, uint32_t k, enum account_kind kind)
{
    return work->first_account + ACCOUNT_CONTRACT_COUNT + k * ACCOUNT_PERIOD_COUNT + (uint32_t)kind;
}

static void add_accounts(struct contract_work *work)
{
    struct builder *builder = work->apply->builder;
    for (enum account_kind kind = ACCOUNT_COMMITMENT; kind < ACCOUNT_KIND_COUNT; kind++)
        builder_add(builder, ROW_ACCOUNT)->account =
            (struct account_row){.id = own_account(work, kind), .contract = work->id, .kind = kind};
    for (uint32_t k = 0; k < work->period_count; k++)
        for (enum account_kind kind = ACCOUNT_AUTHORITY; kind < ACCOUNT_COMMITMENT; kind++)
            builder_add(builder, ROW_ACCOUNT)->account = (struct account_row){
                .id = period_account(work, k, kind),
                .contract = work->id,
                .period = work->periods[k].id,
                .kind = kind,
            };
}

static void add_periods(struct contract_work *work, int64_t event)
{
    struct builder *builder = work->apply->builder;
    struct amount *settled = arena_allocate(builder->arena, work->period_count * sizeof *settled);
    for (uint32_t k = 0; k < work->period_count; k++) {
        work->periods[k].id = work->apply->next_period++;
        settled[k] = period_settled(work, &work->periods[k]);
        builder_add(builder, ROW_CONTRACT_PERIOD)->contract_period = work->periods[k];
    }
    work->first_account = work->apply->next_account;
    work->apply->next_account += ACCOUNT_CONTRACT_COUNT + work->period_count * ACCOUNT_PERIOD_COUNT;
    add_accounts(work);
    for (uint32_t k = 0; k < work->period_count; k++) {
        const struct contract_period_row *row = &work->periods[k];
        uint32_t authority = period_account(work, k, ACCOUNT_AUTHORITY);
        builder_transfer(builder, TRANSFER_GRANT, own_account(work, ACCOUNT_COMMITMENT), authority,
                         row->commit, row->id, 0, event);
        builder_transfer(builder, TRANSFER_GRANT, own_account(work, ACCOUNT_OVERAGE), authority,
                         row->overage_limit, row->id, 0, event);
        builder_transfer(builder, TRANSFER_INSTALMENT, own_account(work, ACCOUNT_SETTLED),
                         period_account(work, k, ACCOUNT_BILLED), settled[k], row->id, 0, event);
    }
}

static void add_contract(struct contract_work *work)
{
    const struct manifest_contract *listed = work->listed;
    struct arena *arena = work->apply->builder->arena;
    // The rows that follow name the event, and the event names only the tenant.
    builder_add(work->apply->builder, ROW_CONTRACT)->contract = (struct contract_row){
        .id = work->id,
        .tenant = work->tenant,
        .contract = arena_copy_text(arena, listed->contract),
        .start = listed->start,
        .end = listed->end,
        .version = 1,
        .note = arena_copy_text(arena, listed->note),
    };
    int64_t event = add_event(work, "contract.added", listed->note);
    add_terms(work, event);
    add_periods(work, event);
    manifest_changed(work->apply, true, "contract", listed->contract);
}

void manifest_apply_contract(struct manifest_apply *apply, size_t index)
{
    const struct manifest_contract *listed = &apply->manifest->contracts[index];
    struct contract_work work = {.apply = apply, .index = index, .listed = listed};
    bool is_new;
    work.id = manifest_identify(apply, &apply->contracts, listed->contract,
                                book_contract(apply->book, listed->contract), &apply->next_contract,
                                path_of(&work, NULL, 0, "contract"), &is_new);
    if (work.id == 0 || !resolve_names(&work))
        return;
    if (!is_new) {
        compare_present(&work);
        return;
    }
    if (listed->end.number <= listed->start.number) {
        manifest_refuse(apply, path_of(&work, NULL, 0, "end"), "a contract ends after its start");
        return;
    }
    if (check_ambiguity(&work) && reckon_periods(&work))
        add_contract(&work);
}
