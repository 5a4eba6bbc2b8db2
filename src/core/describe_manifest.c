#include "core/describe_manifest.h"

#include "core/book_internal.h"
#include "core/manifest_text.h"
#include "core/outage.h"
#include "core/steps.h"

static void describe_uids(const struct book *book, struct arena *arena, uint32_t tenant, uint32_t **uids,
                          size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < book->uid_count; i++)
        *count += book->uids[i].tenant == tenant && !book->uids[i].revoked;
    *uids = arena_allocate(arena, (*count + 1) * sizeof **uids);
    size_t place = 0;
    for (size_t i = 0; i < book->uid_count; i++)
        if (book->uids[i].tenant == tenant && !book->uids[i].revoked)
            (*uids)[place++] = book->uids[i].uid;
}

static void describe_site(const struct site *site, struct arena *arena, struct manifest_site *described)
{
    described->site = site->row.site;
    described->note = site->row.note;
    struct manifest_step *power = arena_allocate(arena, (site->power_count + 1) * sizeof *power);
    for (size_t i = 0; i < site->power_count; i++) {
        struct manifest_step step = {.from = site->power[i].start, .value = site->power[i].watts};
        size_t place = i;
        for (; place > 0 && power[place - 1].from.number > step.from.number; place--)
            power[place] = power[place - 1];
        power[place] = step;
    }
    described->power = power;
    described->power_count = site->power_count;
}

// ---- Pools

// The base of the capacity as absolute steps.
static void describe_capacity(const struct pool *pool, struct arena *arena, struct manifest_pool *described)
{
    struct steps base = {0};
    for (size_t i = 0; i < pool->change_count; i++)
        if (pool->changes[i].base)
            steps_add(&base, pool->changes[i].start, pool->changes[i].end, pool->changes[i].gpus);
    described->capacity = arena_allocate(arena, (base.count + 1) * sizeof *described->capacity);
    int64_t gpus = 0;
    for (size_t i = 0; i < base.count; i++) {
        gpus += base.jumps[i].by;
        if (base.jumps[i].by != 0)
            described->capacity[described->capacity_count++] =
                (struct manifest_step){.from = base.jumps[i].at, .value = gpus};
    }
    steps_free(&base);
}

// Adds the changes of outages that were reported without an end: of those that are closed what they took,
// then those that are open as they were reported.
static void add_outages(const struct book *book, uint32_t pool, struct arena *arena,
                        struct change_list *changes)
{
    for (int open = 0; open < 2; open++) {
        for (size_t i = 0; i < book->outage_count; i++) {
            const struct capacity_change_row *row = &book->outages[i].row;
            if (row->pool != pool || (row->end.number == HOUR_NEVER.number) != (open == 1))
                continue;
            if (open == 1)
                change_list_add(changes, arena, row);
            else
                outage_taken(book, &book->outages[i], row->start, row->end, arena, changes);
        }
    }
}

void book_manifest_changes(const struct book *book, uint32_t pool, struct arena *arena,
                           struct manifest_change **described, size_t *count)
{
    const struct pool *found = &book->pools[pool];
    struct change_list changes = {0};
    for (size_t i = 0; i < found->change_count; i++)
        if (!found->changes[i].base && found->changes[i].outage == 0)
            change_list_add(&changes, arena, &found->changes[i]);
    add_outages(book, pool, arena, &changes);
    *described = arena_allocate(arena, (changes.count + 1) * sizeof **described);
    for (size_t i = 0; i < changes.count; i++) {
        const struct capacity_change_row *change = &changes.rows[i];
        (*described)[i] = (struct manifest_change){
            .kind = change->kind,
            .gpus = change->gpus < 0 ? -change->gpus : change->gpus,
            .start = change->start,
            .end = change->end,
            .note = change->note,
        };
    }
    *count = changes.count;
}

// The steps of both tiers, merged by their start.
static void describe_rates(const struct pool *pool, struct arena *arena, struct manifest_pool *described)
{
    size_t most = pool->rate_count[TIER_FIRM] + pool->rate_count[TIER_PREEMPTIBLE];
    described->rates = arena_allocate(arena, (most + 1) * sizeof *described->rates);
    size_t next[TIER_COUNT] = {0};
    for (;;) {
        struct hour from = HOUR_NEVER;
        for (int tier = 0; tier < TIER_COUNT; tier++)
            if (next[tier] < pool->rate_count[tier] &&
                pool->rates[tier][next[tier]].start.number < from.number)
                from = pool->rates[tier][next[tier]].start;
        if (from.number == HOUR_NEVER.number)
            return;
        struct manifest_rate *rate = &described->rates[described->rate_count++];
        rate->from = from;
        for (int tier = 0; tier < TIER_COUNT; tier++) {
            if (next[tier] == pool->rate_count[tier] ||
                pool->rates[tier][next[tier]].start.number != from.number)
                continue;
            rate->has[tier] = true;
            rate->price[tier] = pool->rates[tier][next[tier]++].price;
        }
    }
}

static void describe_pool(const struct book *book, uint32_t id, struct arena *arena,
                          struct manifest_pool *described)
{
    const struct pool *pool = &book->pools[id];
    described->pool = pool->row.pool;
    described->gpu = pool->row.gpu;
    described->note = pool->row.note;
    described->unit = pool->row.unit;
    described->watts_per_gpu = pool->row.watts_per_gpu;
    describe_capacity(pool, arena, described);
    book_manifest_changes(book, id, arena, &described->changes, &described->change_count);
    describe_rates(pool, arena, described);
}

// ---- Tenants and contracts

static void describe_tenant(const struct book *book, uint32_t tenant, struct arena *arena,
                            struct manifest_tenant *described)
{
    const struct tenant_row *row = book_tenant_row(book, tenant);
    described->tenant = row->tenant;
    described->name = row->name;
    described->note = row->note;
    described->has_suspended = described->suspended = row->suspended;
    described->has_rate_limit = row->rate_limit.per_second > 0;
    described->rate_limit = row->rate_limit;
    described->has_uids = true;
    describe_uids(book, arena, tenant, &described->uids, &described->uid_count);
}

static void describe_contract(const struct book *book, uint32_t id, struct arena *arena,
                              struct manifest_contract *described)
{
    const struct contract *contract = &book->contracts[id];
    described->contract = contract->row.contract;
    described->tenant = book_tenant_row(book, contract->row.tenant)->tenant;
    described->note = contract->row.note;
    described->start = contract->row.start;
    described->end = contract->row.end;
    described->terms = contract->terms;
    described->pool_count = contract->pool_count;
    described->pools = arena_allocate(arena, (contract->pool_count + 1) * sizeof *described->pools);
    for (size_t i = 0; i < contract->pool_count; i++)
        described->pools[i] = book_pool_row(book, contract->pools[i])->pool;
    described->price_count = contract->price_count;
    described->prices = arena_allocate(arena, (contract->price_count + 1) * sizeof *described->prices);
    for (size_t i = 0; i < contract->price_count; i++) {
        const struct contract_price_row *price = &contract->prices[i];
        described->prices[i] = (struct manifest_price){
            .pool = book_pool_row(book, price->pool)->pool, .tier = price->tier, .price = price->price};
    }
    if (contract->terms.annual)
        return;
    described->period_count = contract->period_count;
    described->periods = arena_allocate(arena, (contract->period_count + 1) * sizeof *described->periods);
    for (uint32_t i = 0; i < contract->period_count; i++) {
        const struct contract_period_row *period = book_period_row(book, contract->first_period + i);
        described->periods[i] = (struct manifest_period){.start = period->start, .commit = period->commit};
    }
}

// ---- The whole

void book_manifest(const struct book *book, struct arena *arena, struct manifest *manifest)
{
    *manifest = (struct manifest){.note = book->manifest_note, .has_operator_uids = true};
    describe_uids(book, arena, 0, &manifest->operator_uids, &manifest->operator_uid_count);
    manifest->site_count = book_site_count(book);
    manifest->sites = arena_allocate(arena, (manifest->site_count + 1) * sizeof *manifest->sites);
    for (uint32_t id = 1; id <= book_site_count(book); id++)
        describe_site(&book->sites[id], arena, &manifest->sites[id - 1]);
    manifest->pool_count = book_pool_count(book);
    manifest->pools = arena_allocate(arena, (manifest->pool_count + 1) * sizeof *manifest->pools);
    for (uint32_t id = 1; id <= book_pool_count(book); id++)
        describe_pool(book, (uint32_t)id, arena, &manifest->pools[id - 1]);
    manifest->tenant_count = book_tenant_count(book);
    manifest->tenants = arena_allocate(arena, (manifest->tenant_count + 1) * sizeof *manifest->tenants);
    for (uint32_t id = 1; id <= book_tenant_count(book); id++)
        describe_tenant(book, id, arena, &manifest->tenants[id - 1]);
    manifest->contract_count = book_contract_count(book);
    manifest->contracts = arena_allocate(arena, (manifest->contract_count + 1) * sizeof *manifest->contracts);
    for (uint32_t id = 1; id <= book_contract_count(book); id++)
        describe_contract(book, id, arena, &manifest->contracts[id - 1]);
}

void book_write_manifest(const struct book *book, struct json *json)
{
    struct arena arena = {0};
    struct manifest manifest;
    book_manifest(book, &arena, &manifest);
    manifest_write(json, &manifest);
    arena_free(&arena);
}
