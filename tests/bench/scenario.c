#include "scenario.h"

#include "base/digest.h"
#include "broker.h"
#include "core/manifest.h"
#include <stdio.h>
#include <unistd.h>

#define WEEK            168
#define UNIT            8
#define LARGE_CAPACITY  2000000 // GPUs of each large pool
#define FULL_CAPACITY   1024
#define BATCH           1000 // bookings in a batch of a seeded ledger
#define HOURS_PER_YEAR  8760
#define GAP_HOURS_MOST  6
#define FULL_YEARS      (SCENARIO_HORIZON_YEARS - 1)
#define CONTRACT_MONTHS (12 * (SCENARIO_HORIZON_YEARS + 1))

// Runs beside those of the benchmark's own requests.
enum { RUN_SEED = 1, RUN_FULL = 2 };

// splitmix64: enough for choosing, and the same everywhere.
struct random random_seeded(uint64_t seed)
{
    return (struct random){seed};
}

uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t random_below(struct random *random, uint64_t limit)
{
    return random_next(random) % limit;
}

static void pool_name(int pool, char text[SCENARIO_TEXT])
{
    snprintf(text, SCENARIO_TEXT, "colossus-1/h100-%d", pool + 1);
}

static void tenant_name(int tenant, char text[SCENARIO_TEXT])
{
    snprintf(text, SCENARIO_TEXT, "tenant-%02d", tenant + 1);
}

static void choose_tenant(struct random *random, uint32_t run, int64_t number, struct booking *booking)
{
    tenant_name((int)random_below(random, SCENARIO_TENANTS), booking->tenant);
    snprintf(booking->client_ref, SCENARIO_TEXT, "run-%u-%lld", run, (long long)number);
}

void scenario_booking(struct random *random, struct hour from, uint32_t run, int64_t number,
                      struct booking *booking)
{
    choose_tenant(random, run, number, booking);
    pool_name((int)random_below(random, SCENARIO_POOLS), booking->pool);
    booking->gpus = UNIT * (1 + (int32_t)random_below(random, 4));
    // A day's room at the end, so that a run that takes long stays inside the horizon.
    int32_t starts = SCENARIO_HORIZON_YEARS * HOURS_PER_YEAR - WEEK - HOURS_PER_DAY;
    booking->start.number = from.number + HOURS_PER_DAY + (int32_t)random_below(random, (uint64_t)starts);
    booking->hours = WEEK;
}

void scenario_refused(struct random *random, struct hour from, uint32_t run, int64_t number,
                      struct booking *booking)
{
    choose_tenant(random, run, number, booking);
    snprintf(booking->pool, SCENARIO_TEXT, SCENARIO_FULL_POOL);
    booking->gpus = UNIT;
    booking->start.number = from.number + HOURS_PER_DAY + (int32_t)random_below(random, WEEK);
    booking->hours = WEEK;
}

void scenario_request(const struct booking *booking, struct leg *leg, struct request *request)
{
    *leg = (struct leg){.pool = booking->pool,
                        .gpus = booking->gpus,
                        .start = booking->start,
                        .end = {booking->start.number + booking->hours}};
    *request = (struct request){.kind = REQUEST_CREATE,
                                .tenant = booking->tenant,
                                .client_ref = booking->client_ref,
                                .create = {.legs = leg, .leg_count = 1}};
}

static struct amount dollars(int64_t amount)
{
    return (struct amount){amount * 1000000};
}

// ---- The manifest

struct world {
    struct manifest_site sites[2];
    struct manifest_pool pools[SCENARIO_POOLS + 1];
    struct manifest_step capacity[SCENARIO_POOLS + 1];
    struct manifest_rate rates[SCENARIO_POOLS + 1];
    struct manifest_tenant tenants[SCENARIO_TENANTS];
    struct manifest_contract contracts[SCENARIO_TENANTS];
    char pool_names[SCENARIO_POOLS + 1][SCENARIO_TEXT];
    char tenant_names[SCENARIO_TENANTS][SCENARIO_TEXT];
    char contract_names[SCENARIO_TENANTS][SCENARIO_TEXT];
    uint32_t operator_uid;
};

static void fill_pool(struct world *world, int pool, struct hour from, int64_t gpus)
{
    world->capacity[pool] = (struct manifest_step){from, gpus};
    world->rates[pool] = (struct manifest_rate){.from = from, .has = {true}, .price = {{2350000}}};
    world->pools[pool] = (struct manifest_pool){.pool = world->pool_names[pool],
                                                .gpu = "H100",
                                                .unit = UNIT,
                                                .capacity = &world->capacity[pool],
                                                .capacity_count = 1,
                                                .rates = &world->rates[pool],
                                                .rate_count = 1};
}

static void fill_tenant(struct world *world, int tenant, struct hour from)
{
    tenant_name(tenant, world->tenant_names[tenant]);
    snprintf(world->contract_names[tenant], SCENARIO_TEXT, "contract-%02d", tenant + 1);
    world->tenants[tenant] = (struct manifest_tenant){.tenant = world->tenant_names[tenant]};
    world->contracts[tenant] = (struct manifest_contract){
        .contract = world->contract_names[tenant],
        .tenant = world->tenant_names[tenant],
        .start = from,
        .end = hour_add_months(from, CONTRACT_MONTHS),
        .terms = {.annual = true,
                  .annual_commit = dollars(INT64_C(15000000000)),
                  .overage_kind = OVERAGE_PERCENT,
                  .overage_limit_bp = 1000,
                  .surcharge_bp = 2000,
                  .cancel_notice_hours = 72,
                  .late_fee_bp = 5000},
    };
}

static void apply_manifest(struct broker *broker, struct hour from)
{
    static struct world world;
    world.sites[0] = (struct manifest_site){.site = "colossus-1"};
    world.sites[1] = (struct manifest_site){.site = "colossus-full"};
    for (int pool = 0; pool < SCENARIO_POOLS; pool++) {
        pool_name(pool, world.pool_names[pool]);
        fill_pool(&world, pool, from, LARGE_CAPACITY);
    }
    snprintf(world.pool_names[SCENARIO_POOLS], SCENARIO_TEXT, SCENARIO_FULL_POOL);
    fill_pool(&world, SCENARIO_POOLS, from, FULL_CAPACITY);
    for (int tenant = 0; tenant < SCENARIO_TENANTS; tenant++)
        fill_tenant(&world, tenant, from);
    world.operator_uid = (uint32_t)geteuid();
    struct manifest manifest = {.has_operator_uids = true,
                                .operator_uids = &world.operator_uid,
                                .operator_uid_count = 1,
                                .sites = world.sites,
                                .site_count = 2,
                                .pools = world.pools,
                                .pool_count = SCENARIO_POOLS + 1,
                                .tenants = world.tenants,
                                .tenant_count = SCENARIO_TENANTS,
                                .contracts = world.contracts,
                                .contract_count = SCENARIO_TENANTS};
    struct request request = {.kind = REQUEST_MANIFEST_APPLY, .manifest = &manifest};
    struct decision decision;
    broker_decide(broker, &request, &decision);
    if (decision.verdict != VERDICT_DONE)
        bench_fail("the manifest is refused: %s", decision.refusal.message);
    broker_commit(broker);
}

static void book(struct broker *broker, const struct booking *booking)
{
    struct leg leg;
    struct request request;
    struct decision decision;
    scenario_request(booking, &leg, &request);
    broker_decide(broker, &request, &decision);
    if (decision.verdict != VERDICT_DONE)
        bench_fail("a booking for the scenario is refused: %s", decision.refusal.message);
}

// A week after a week, each for the whole pool, with gaps of some hours.
static void fill_full_pool(struct broker *broker, struct hour from)
{
    struct random random = random_seeded(RUN_FULL);
    int32_t end = from.number + FULL_YEARS * HOURS_PER_YEAR;
    int64_t number = 0;
    for (int32_t start = from.number + 1; start < end; number++) {
        struct booking booking;
        choose_tenant(&random, RUN_FULL, number, &booking);
        snprintf(booking.pool, SCENARIO_TEXT, SCENARIO_FULL_POOL);
        booking.gpus = FULL_CAPACITY;
        booking.start.number = start;
        booking.hours = WEEK;
        book(broker, &booking);
        start += WEEK + 1 + (int32_t)random_below(&random, GAP_HOURS_MOST);
    }
    broker_commit(broker);
}

void scenario_fill(struct broker *broker, struct hour from, int64_t live, uint64_t seed)
{
    struct random random = random_seeded(seed);
    apply_manifest(broker, from);
    fill_full_pool(broker, from);
    for (int64_t i = 1; i <= live; i++) {
        struct booking booking;
        scenario_booking(&random, from, RUN_SEED, i, &booking);
        book(broker, &booking);
        if (i % BATCH == 0 || i == live)
            broker_commit(broker);
    }
}

void scenario_ledger(const char *path, struct hour from, int64_t live, uint64_t seed)
{
    struct broker broker;
    broker_open(&broker, path, from);
    scenario_fill(&broker, from, live, seed);
    broker_close(&broker);
}
