#include "generate.h"

#include <stdio.h>
#include <string.h>

#define PERIODS_LISTED 6

uint32_t random_below(struct generator *generator, uint32_t bound)
{
    // SplitMix64
    uint64_t z = generator->random += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((z ^ (z >> 31)) % bound);
}

bool one_in(struct generator *generator, uint32_t count)
{
    return random_below(generator, count) == 0;
}

// Prices are seldom whole cents, so that fees and discounts have something to round.
static int64_t random_price(struct generator *generator)
{
    return 500000 + random_below(generator, 8) * 250000 +
           (one_in(generator, 2) ? random_below(generator, 99999) : 0);
}

static int64_t random_commit(struct generator *generator)
{
    static const int64_t sizes[] = {
        0, 7, 3000000000, 20000000000, 20000000000, 200000000000, 200000000000, 2000000000000};
    int64_t size = sizes[random_below(generator, COUNT_OF(sizes))];
    return size + (size > 7 && one_in(generator, 2) ? random_below(generator, 1000000) : 0);
}

// ---- Contracts

// One contract, as the manifest says it and as the model keeps it.
struct made_contract {
    struct manifest_contract listed;
    struct model_contract model;
    struct manifest_period periods[PERIODS_LISTED];
    struct manifest_price prices[MODEL_POOLS];
    const char *pools[MODEL_POOLS];
    int32_t starts[PERIODS_LISTED + 8];
    int64_t commits[PERIODS_LISTED + 8];
    int period_count;
};

static void make_terms(struct generator *generator, struct contract_terms_row *terms)
{
    *terms = (struct contract_terms_row){
        .overage_kind = (enum overage_limit_kind)random_below(generator, 4),
        .surcharge_bp = random_below(generator, 3) * 1234,
        .defer_bp = one_in(generator, 3) ? 0 : random_below(generator, 10001),
        .defer_until_last = one_in(generator, 2),
        .then = (enum shortfall_rest)random_below(generator, 3),
        .billing = (enum billing)random_below(generator, 2),
        .cancel_notice_hours = one_in(generator, 3) ? 0 : (int32_t)random_below(generator, 200),
        .late_fee_bp = random_below(generator, 10001),
        .discount_bp = one_in(generator, 2) ? 0 : random_below(generator, 5000),
    };
    if (terms->overage_kind == OVERAGE_AMOUNT)
        terms->overage_amount.micro = random_commit(generator);
    if (terms->overage_kind == OVERAGE_PERCENT)
        terms->overage_limit_bp = random_below(generator, 5000);
}

static void make_annual(struct generator *generator, struct made_contract *made)
{
    struct contract_terms_row *terms = &made->listed.terms;
    struct hour start = made->listed.start;
    int32_t hours = (int32_t)random_below(generator, 4 * 8766) + (one_in(generator, 5) ? 24 : 10000);
    terms->annual = true;
    terms->annual_commit.micro = random_commit(generator);
    made->listed.end.number = one_in(generator, 2) ? start.number + hours : hour_add_months(start, 24).number;
    for (int k = 0;; k++) {
        int32_t from = hour_add_months(start, 12 * k).number,
                to = hour_add_months(start, 12 * (k + 1)).number;
        if (from >= made->listed.end.number)
            break;
        made->starts[k] = from;
        made->commits[k] = terms->annual_commit.micro;
        if (to > made->listed.end.number)
            made->commits[k] = model_share(made->commits[k], made->listed.end.number - from, to - from);
        made->period_count++;
    }
}

static void make_list(struct generator *generator, struct made_contract *made)
{
    made->period_count = 1 + (int)random_below(generator, PERIODS_LISTED);
    int32_t hour = made->listed.start.number;
    for (int k = 0; k < made->period_count; k++) {
        made->starts[k] = hour;
        made->commits[k] = random_commit(generator);
        made->periods[k] = (struct manifest_period){{hour}, {made->commits[k]}};
        if (one_in(generator, 3)) // whole months
            hour = hour_add_months((struct hour){hour}, 1 + (int32_t)random_below(generator, 6)).number;
        else
            hour += 1 + (int32_t)random_below(generator, one_in(generator, 4) ? 48 : 7000);
    }
    made->listed.end.number = hour;
    made->listed.periods = made->periods;
    made->listed.period_count = (size_t)made->period_count;
}

static void make_scope(struct generator *generator, const struct model *model, struct made_contract *made)
{
    struct model_contract *contract = &made->model;
    contract->all_pools = !one_in(generator, 3);
    made->listed.pools = made->pools;
    made->listed.prices = made->prices;
    for (int pool = 1; pool <= model->pool_count; pool++) {
        if (!contract->all_pools &&
            (one_in(generator, 2) || (pool == model->pool_count && made->listed.pool_count == 0))) {
            contract->scope[pool] = true;
            made->pools[made->listed.pool_count++] = model->pools[pool].name;
        }
        if (one_in(generator, 4)) {
            contract->priced[pool] = true;
            contract->price[pool] = random_price(generator);
            made->prices[made->listed.price_count++] =
                (struct manifest_price){model->pools[pool].name, TIER_FIRM, {contract->price[pool]}};
        }
    }
}

static void make_contract(struct generator *generator, const struct model *model, int tenant,
                          struct made_contract *made)
{
    *made = (struct made_contract){.model = {.tenant = tenant}};
    make_terms(generator, &made->listed.terms);
    int32_t now = model_hour(model);
    int32_t start = now - 4000 + (int32_t)random_below(generator, 5000);
    if (one_in(generator, 3)) // with a month
        start = month_after(start);
    if (one_in(generator, 4)) // after all that the tenant has
        for (int id = 1; id <= model->contract_count; id++)
            if (model->contracts[id].tenant == tenant && model->contracts[id].end > start)
                start = model->contracts[id].end;
    made->listed.start.number = start;
    if (one_in(generator, 2))
        make_annual(generator, made);
    else
        make_list(generator, made);
    make_scope(generator, model, made);
    snprintf(made->model.name, sizeof made->model.name, "contract-%d", ++generator->names);
    made->listed.contract = made->model.name;
    made->listed.tenant = model->tenants[tenant].name;
    made->model.start = start;
    made->model.end = made->listed.end.number;
    made->model.terms = made->listed.terms;
}

// Would another contract of the tenant apply in the same hour and pool?
static bool is_ambiguous(const struct model *model, const struct model_contract *contract)
{
    for (int id = 1; id <= model->contract_count; id++) {
        const struct model_contract *other = &model->contracts[id];
        bool meets = contract->all_pools || other->all_pools;
        for (int pool = 1; pool <= MODEL_POOLS; pool++)
            meets = meets || (contract->scope[pool] && other->scope[pool]);
        if (other->tenant == contract->tenant && meets && contract->start < other->end &&
            other->start < contract->end)
            return true;
    }
    return false;
}

static bool has_place(const struct model *model, const struct made_contract *made)
{
    return model->contract_count < MODEL_CONTRACTS &&
           model->period_count + made->period_count <= MODEL_PERIODS;
}

// ---- The first manifest

static struct manifest_site site = {.site = "site"};
static struct manifest_pool pools[MODEL_POOLS];
static struct manifest_step steps[MODEL_POOLS][4], envelope[3];
static struct manifest_rate rates[MODEL_POOLS][4];
static struct manifest_tenant tenants[MODEL_TENANTS];
static struct made_contract contracts[2 * MODEL_TENANTS];
static struct manifest_contract contracts_listed[2 * MODEL_TENANTS];

static void make_pool(struct generator *generator, struct model *model, int id)
{
    static const int32_t units[] = {1, 8, 72, 8};
    static const int64_t watts[] = {0, 500, 1501, 1275};
    struct model_pool *pool = &model->pools[id];
    pool->watts = watts[random_below(generator, COUNT_OF(watts))];
    snprintf(pool->name, sizeof pool->name, "site/pool-%d", id);
    pool->unit = units[id - 1];
    size_t step_count = 1 + random_below(generator, 3), rate_count = 1 + random_below(generator, 3);
    int32_t from = model->origin - 100;
    int64_t gpus = 0;
    for (size_t k = 0; k < step_count; k++) {
        gpus += (1 + (int64_t)random_below(generator, 12)) * pool->unit;
        steps[id - 1][k] = (struct manifest_step){{from}, gpus};
        model_set_step(pool->base, &pool->base_count, from, gpus);
        from += 1 + (int32_t)random_below(generator, 6000);
    }
    from = model->origin - (one_in(generator, 4) ? -500 : 100); // seldom the first hours have no rate
    for (size_t k = 0; k < rate_count; k++) {
        int64_t price = random_price(generator);
        int64_t lower = price / 2;
        bool both = !one_in(generator, 4); // else nothing new is said of the preemptible tier
        rates[id - 1][k] =
            (struct manifest_rate){.from = {from}, .has = {true, both}, .price = {{price}, {lower}}};
        model_set_step(pool->rates[TIER_FIRM], &pool->rate_count[TIER_FIRM], from, price);
        if (both)
            model_set_step(pool->rates[TIER_PREEMPTIBLE], &pool->rate_count[TIER_PREEMPTIBLE], from, lower);
        from += 1 + (int32_t)random_below(generator, 6000);
    }
    pools[id - 1] = (struct manifest_pool){.pool = pool->name,
                                           .gpu = "GPU",
                                           .unit = pool->unit,
                                           .watts_per_gpu = pool->watts,
                                           .capacity = steps[id - 1],
                                           .capacity_count = step_count,
                                           .rates = rates[id - 1],
                                           .rate_count = rate_count};
    pool_reckon(model, pool);
}

// A part of what all GPUs of an hour would draw, or a little more.
static int64_t random_power(struct generator *generator, const struct model *model, int32_t hour)
{
    int64_t watts = 0;
    int32_t i = hour < model->origin ? 0 : hour - model->origin;
    for (int id = 1; id <= model->pool_count; id++)
        watts += model->pools[id].capacity[i] * model->pools[id].watts;
    return watts * (30 + random_below(generator, 80)) / 100;
}

// Half of the worlds have their power stated, some of them only from later on.
static void make_power(struct generator *generator, struct model *model)
{
    site = (struct manifest_site){.site = "site", .power = envelope};
    int32_t from = model->origin - (one_in(generator, 3) ? -2000 : 100);
    size_t count = one_in(generator, 2) ? 0 : 1 + random_below(generator, COUNT_OF(envelope));
    for (; site.power_count < count; site.power_count++) {
        envelope[site.power_count] = (struct manifest_step){{from}, random_power(generator, model, from)};
        model_set_step(model->power, &model->power_count, from, envelope[site.power_count].value);
        from += 1 + (int32_t)random_below(generator, 6000);
    }
}

static size_t make_contracts(struct generator *generator, struct model *model)
{
    size_t count = 0;
    for (int tenant = 1; tenant <= model->tenant_count; tenant++) {
        for (int i = 0; i < 2; i++) {
            struct made_contract *made = &contracts[count];
            make_contract(generator, model, tenant, made);
            if (is_ambiguous(model, &made->model) || !has_place(model, made))
                continue;
            contracts_listed[count++] = made->listed;
            model_add_contract(model, &made->model, made->starts, made->commits, made->period_count);
        }
    }
    return count;
}

const struct manifest *generate_world(struct generator *generator, struct model *model)
{
    static struct manifest manifest;
    model->pool_count = 2 + (int)random_below(generator, MODEL_POOLS - 1);
    model->tenant_count = 2 + (int)random_below(generator, MODEL_TENANTS - 1);
    for (int id = 1; id <= model->pool_count; id++)
        make_pool(generator, model, id);
    make_power(generator, model);
    for (int id = 1; id <= model->tenant_count; id++) {
        snprintf(model->tenants[id].name, sizeof model->tenants[id].name, "tenant-%d", id);
        tenants[id - 1] = (struct manifest_tenant){.tenant = model->tenants[id].name, .name = "A tenant"};
    }
    manifest = (struct manifest){.sites = &site,
                                 .site_count = 1,
                                 .pools = pools,
                                 .pool_count = (size_t)model->pool_count,
                                 .tenants = tenants,
                                 .tenant_count = (size_t)model->tenant_count,
                                 .contracts = contracts_listed,
                                 .contract_count = make_contracts(generator, model)};
    return &manifest;
}

// ---- What comes later

static struct addition {
    int pool;
    bool has_step, has_rate, has_contract, has_power;
    struct manifest_step step, power;
    struct manifest_rate rate;
    struct manifest_pool listed;
    struct manifest_site site;
    int64_t watts; // of a GPU of the pool
    struct made_contract contract;
} addition;

// The capacity that the pool would have in an hour of the new step, less what it has.
static bool step_fits(const struct model *model, const struct addition *made)
{
    static struct model_pool changed;
    static struct model scratch;
    changed = model->pools[made->pool];
    scratch.origin = model->origin;
    model_set_step(changed.base, &changed.base_count, made->step.from.number, made->step.value);
    pool_reckon(&scratch, &changed);
    for (int32_t i = model_hour(model) - model->origin; i < MODEL_HOURS; i++)
        if (changed.capacity[i] < 0 || changed.capacity[i] < changed.taken[i])
            return false;
    return true;
}

static bool is_base_step(const struct model_pool *pool, int32_t from)
{
    for (size_t i = 0; i < pool->base_count; i++)
        if (pool->base[i].from == from)
            return true;
    return false;
}

// A step that says what the capacity is anyway is no step that the book could know.
static bool says_nothing(const struct model *model, const struct addition *made)
{
    int64_t value = -1;
    const struct model_pool *pool = &model->pools[made->pool];
    for (size_t i = 0; i < pool->base_count; i++)
        if (pool->base[i].from <= made->step.from.number)
            value = pool->base[i].value;
    return value == made->step.value && !is_base_step(pool, made->step.from.number);
}

static int32_t random_hour_ahead(struct generator *generator, const struct model *model)
{
    return model_hour(model) + (int32_t)random_below(generator, one_in(generator, 2) ? 100 : 20000);
}

// Would all that is booked have its power?
static bool power_fits(const struct model *model, const struct addition *made)
{
    static struct model_step power[MODEL_STEPS + 1];
    size_t count = model->power_count;
    memcpy(power, model->power, sizeof model->power);
    if (made->has_power)
        model_set_step(power, &count, made->power.from.number, made->power.value);
    for (int32_t hour = model_hour(model); hour < model->origin + MODEL_HOURS; hour++) {
        int64_t watts = MODEL_UNLIMITED;
        for (size_t i = 0; i < count; i++)
            watts = power[i].from <= hour ? power[i].value : watts;
        for (int id = 1; id <= model->pool_count; id++)
            watts -= model->pools[id].taken[hour - model->origin] *
                     (id == made->pool ? made->watts : model->pools[id].watts);
        if (watts < 0)
            return false;
    }
    return true;
}

const struct manifest *generate_addition(struct generator *generator, const struct model *model,
                                         enum verdict *expected)
{
    static struct manifest manifest;
    manifest = (struct manifest){.pools = &addition.listed};
    addition = (struct addition){.pool = 1 + (int)random_below(generator, (uint32_t)model->pool_count)};
    const struct model_pool *pool = &model->pools[addition.pool];
    *expected = VERDICT_DONE;
    addition.watts = pool->watts;
    addition.listed = (struct manifest_pool){.pool = pool->name,
                                             .gpu = "GPU",
                                             .unit = pool->unit,
                                             .capacity = &addition.step,
                                             .rates = &addition.rate};
    uint32_t choice = random_below(generator, 6);
    if (choice == 0 && pool->base_count < MODEL_STEPS) {
        int32_t from = random_hour_ahead(generator, model);
        addition.step = (struct manifest_step){{from}, (int64_t)random_below(generator, 25) * pool->unit};
        addition.has_step = !says_nothing(model, &addition);
        if (addition.has_step && !step_fits(model, &addition))
            *expected = VERDICT_INVALID_MANIFEST;
        addition.listed.capacity_count = addition.has_step;
        manifest.pool_count = 1;
    } else if (choice == 1 && pool->rate_count[TIER_FIRM] < MODEL_STEPS) {
        int64_t price = random_price(generator);
        addition.rate = (struct manifest_rate){
            .from = {random_hour_ahead(generator, model)}, .has = {true}, .price = {{price}}};
        addition.has_rate = true;
        addition.listed.rate_count = 1;
        manifest.pool_count = 1;
    } else if (choice == 2) {
        int tenant = 1 + (int)random_below(generator, (uint32_t)model->tenant_count);
        make_contract(generator, model, tenant, &addition.contract);
        addition.has_contract = has_place(model, &addition.contract);
        manifest.contracts = &addition.contract.listed;
        manifest.contract_count = addition.has_contract;
        if (addition.has_contract && is_ambiguous(model, &addition.contract.model))
            *expected = VERDICT_INVALID_MANIFEST;
    } else if (choice == 3 && model->power_count < MODEL_STEPS) {
        int32_t from = random_hour_ahead(generator, model);
        addition.power = (struct manifest_step){{from}, random_power(generator, model, from)};
        addition.has_power = true;
        addition.site = (struct manifest_site){.site = "site", .power = &addition.power, .power_count = 1};
        manifest.sites = &addition.site;
        manifest.site_count = 1;
    } else if (choice == 4) { // what its GPUs draw; 0 says nothing
        addition.listed.watts_per_gpu = random_below(generator, 4) * 700;
        if (addition.listed.watts_per_gpu > 0)
            addition.watts = addition.listed.watts_per_gpu;
        manifest.pool_count = 1;
    }
    if (!power_fits(model, &addition))
        *expected = VERDICT_INVALID_MANIFEST;
    return &manifest; // which may say nothing at all
}

void generate_accept(struct model *model)
{
    struct model_pool *pool = &model->pools[addition.pool];
    if (addition.has_step) {
        model_set_step(pool->base, &pool->base_count, addition.step.from.number, addition.step.value);
        pool_reckon(model, pool);
    }
    if (addition.has_rate)
        model_set_step(pool->rates[TIER_FIRM], &pool->rate_count[TIER_FIRM], addition.rate.from.number,
                       addition.rate.price[TIER_FIRM].micro);
    pool->watts = addition.watts;
    if (addition.has_power)
        model_set_step(model->power, &model->power_count, addition.power.from.number, addition.power.value);
    if (addition.has_contract)
        model_add_contract(model, &addition.contract.model, addition.contract.starts,
                           addition.contract.commits, addition.contract.period_count);
}
