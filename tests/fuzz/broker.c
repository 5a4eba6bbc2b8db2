#include "broker.h"

#include "fuzz.h"
#include <stdlib.h>

#define DAY_HOURS 24

// ---- Power

// By how much what a site uses changes at an hour; 0 where there is more or less of it.
struct edge {
    int32_t hour;
    int64_t watts;
};

static struct edge *edges;
static size_t edge_count, edge_capacity;

static void add_edge(struct hour hour, int64_t watts)
{
    if (edge_count == edge_capacity) {
        edge_capacity = edge_capacity * 2 + 256;
        edges = realloc(edges, edge_capacity * sizeof *edges);
        FUZZ_CHECK(edges != NULL);
    }
    edges[edge_count++] = (struct edge){hour.number, watts};
}

static int by_hour(const void *left, const void *right)
{
    const struct edge *a = left, *b = right;
    return (a->hour > b->hour) - (a->hour < b->hour);
}

static const struct pool_row *pool_of(const struct store *store, uint32_t pool)
{
    return &store->rows[ROW_POOL][pool - 1].row.pool;
}

static void collect_edges(const struct store *store, uint32_t site)
{
    size_t at = 0;
    edge_count = 0;
    for (size_t i = 0; i < store->count[ROW_SITE_POWER]; i++)
        if (store->rows[ROW_SITE_POWER][i].row.site_power.site == site)
            add_edge(store->rows[ROW_SITE_POWER][i].row.site_power.start, 0);
    for (size_t i = 0; i < store->count[ROW_RESERVATION]; i++) {
        const struct reservation_row *row = &store->rows[ROW_RESERVATION][i].row.reservation;
        const struct pool_row *pool = pool_of(store, row->pool);
        for (; at < store->count[ROW_SLICE] && store->rows[ROW_SLICE][at].first == row->id; at++) {
            const struct slice_row *slice = &store->rows[ROW_SLICE][at].row.slice;
            if (pool->site != site)
                continue;
            add_edge(slice->start, slice->gpus * pool->watts_per_gpu);
            add_edge(slice->end, -slice->gpus * pool->watts_per_gpu);
        }
    }
    qsort(edges, edge_count, sizeof *edges, by_hour);
}

// The watts there are in an hour, −1: not stated.
static int64_t envelope(const struct store *store, uint32_t site, int32_t hour)
{
    int64_t watts = -1;
    for (size_t i = 0; i < store->count[ROW_SITE_POWER]; i++) { // by site and start
        const struct site_power_row *row = &store->rows[ROW_SITE_POWER][i].row.site_power;
        if (row->site == site && row->start.number <= hour)
            watts = row->watts;
    }
    return watts;
}

static void check_hour(const struct ledger *ledger, const struct store *store, uint32_t site, int32_t hour,
                       int64_t used)
{
    int64_t watts = envelope(store, site, hour), left = watts - used;
    if (watts >= 0 && left < 0)
        FUZZ_FAIL("site %u uses %lld W more than it has in hour %d", site, (long long)-left, hour);
    for (uint32_t id = 1; id <= store->count[ROW_POOL]; id++) {
        const struct pool_row *pool = pool_of(store, id);
        if (pool->site != site)
            continue;
        int64_t expected =
            watts < 0 || pool->watts_per_gpu == 0 ? -1 : left / pool->watts_per_gpu / pool->unit * pool->unit;
        FUZZ_CHECK(book_powered(ledger->book, id, TIER_PREEMPTIBLE, (struct hour){hour}) == expected);
    }
}

// In the running hour, and wherever something changes.
static void check_power(const struct ledger *ledger, const struct store *store)
{
    int32_t running = hour_of_instant(ledger->now).number;
    int32_t end = book_horizon_end(ledger->book, ledger->now).number;
    for (uint32_t site = 1; site <= store->count[ROW_SITE]; site++) {
        int64_t used = 0;
        size_t at = 0;
        collect_edges(store, site);
        for (int32_t hour = running; hour < end;
             hour = at < edge_count && edges[at].hour < end ? edges[at].hour : end) {
            for (; at < edge_count && edges[at].hour <= hour; at++)
                used += edges[at].watts;
            check_hour(ledger, store, site, hour, used);
        }
    }
}

// ---- What was interrupted

static void check_interruptions(const struct store *store)
{
    for (size_t k = 0; k < store->count[ROW_CONTRACT_PERIOD]; k++) {
        const struct contract_period_row *period = &store->rows[ROW_CONTRACT_PERIOD][k].row.contract_period;
        int64_t relief = 0;
        for (size_t i = 0; i < store->count[ROW_INTERRUPTION]; i++) {
            const struct interruption_row *row = &store->rows[ROW_INTERRUPTION][i].row.interruption;
            if (row->period == period->id)
                relief += row->relief.micro;
        }
        if (relief != period->relief.micro)
            FUZZ_FAIL("period %u has %lld of relief, and its interruptions %lld", period->id,
                      (long long)period->relief.micro, (long long)relief);
    }
    for (size_t i = 0; i < store->count[ROW_INTERRUPTION]; i++) {
        const struct interruption_row *row = &store->rows[ROW_INTERRUPTION][i].row.interruption;
        FUZZ_CHECK(row->reservation >= 1 && (size_t)row->reservation <= store->count[ROW_RESERVATION]);
        const struct reservation_row *reservation =
            &store->rows[ROW_RESERVATION][row->reservation - 1].row.reservation;
        bool relieves = row->capacity_change != 0 && reservation->tier == TIER_FIRM;
        int64_t gpu_hours = (int64_t)row->gpus * (row->end.number - row->start.number);
        FUZZ_CHECK(row->gpus > 0 && gpu_hours > 0);
        FUZZ_CHECK(row->capacity_change != 0 || reservation->tier == TIER_PREEMPTIBLE);
        FUZZ_CHECK(row->relief.micro == (relieves ? row->price.micro * gpu_hours : 0));
    }
}

// ---- Outages without an end

static void check_outage(const struct ledger *ledger, const struct store *store,
                         const struct capacity_change_row *opened)
{
    int32_t running = hour_of_instant(ledger->now).number;
    int32_t ahead = (opened->start.number > running ? opened->start.number : running) + DAY_HOURS;
    int32_t cut_until = opened->start.number, end = NEVER;
    int64_t after_end = 0; // GPU-hours
    for (size_t i = 0; i < store->count[ROW_CAPACITY_CHANGE]; i++) {
        const struct capacity_change_row *row = &store->rows[ROW_CAPACITY_CHANGE][i].row.capacity_change;
        if (row->outage != opened->id)
            continue;
        FUZZ_CHECK(row->pool == opened->pool && row->id >= opened->id && end == NEVER);
        if (row->part == OUTAGE_CUT) {
            FUZZ_CHECK(row->start.number == cut_until && row->gpus <= 0 && row->gpus >= opened->gpus);
            cut_until = row->end.number;
        }
        if (row->part == OUTAGE_CLOSED)
            end = row->end.number;
    }
    FUZZ_CHECK(end != NEVER || cut_until == ahead);
    for (size_t i = 0; i < store->count[ROW_CAPACITY_CHANGE] && end != NEVER; i++) {
        const struct capacity_change_row *row = &store->rows[ROW_CAPACITY_CHANGE][i].row.capacity_change;
        int32_t start = row->start.number > end ? row->start.number : end;
        if (row->outage == opened->id && capacity_change_counts(row) && start < row->end.number)
            after_end += (int64_t)row->gpus * (row->end.number - start);
    }
    FUZZ_CHECK(after_end == 0);
}

static void check_outages(const struct ledger *ledger, const struct store *store)
{
    for (size_t i = 0; i < store->count[ROW_CAPACITY_CHANGE]; i++) {
        const struct capacity_change_row *row = &store->rows[ROW_CAPACITY_CHANGE][i].row.capacity_change;
        if (row->part == OUTAGE_OPENED)
            check_outage(ledger, store, row);
    }
}

// ---- Who waits

// The same booking, asked for now, is refused; or its tenant is suspended, whom nothing is booked for.
static void check_waiting(struct ledger *ledger, const struct store *store)
{
    for (size_t i = 0; i < store->count[ROW_RESERVATION]; i++) {
        const struct reservation_row *row = &store->rows[ROW_RESERVATION][i].row.reservation;
        if (row->state != STATE_WAITING)
            continue;
        FUZZ_CHECK(row->wait_until.seconds > ledger->now.seconds);
        struct leg leg = {.pool = pool_of(store, row->pool)->pool,
                          .gpus = row->gpus,
                          .start = row->start,
                          .end = row->end,
                          .tier = row->tier};
        struct request request = {.kind = REQUEST_CREATE,
                                  .actor = {.role = ROLE_TENANT, .tenant = row->tenant, .name = "uid:0"},
                                  .dry_run = true,
                                  .create = {.legs = &leg, .leg_count = 1}};
        struct decision decision;
        book_decide(ledger->book, &request, ledger->now, &ledger->arena, &decision);
        if (decision.verdict == VERDICT_DONE)
            FUZZ_FAIL("reservation %lld waits for what can be booked", (long long)row->id);
    }
}

void broker_check(struct ledger *ledger, const struct store *store)
{
    check_power(ledger, store);
    check_interruptions(store);
    check_outages(ledger, store);
    check_waiting(ledger, store);
}
