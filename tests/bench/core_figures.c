#include "core_figures.h"

#include "broker.h"
#include "core/offer.h"
#include "displacement_figures.h"
#include "figures.h"
#include "scenario.h"
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DECISIONS = 100000, REFUSALS = 20000, SEARCHES = 2000, BATCH = 256, RUN_CORE = 10 };

// What this process has in memory, in bytes.
static int64_t resident(void)
{
    char line[128];
    long long kibibytes = 0;
    malloc_trim(0);
    FILE *status = fopen("/proc/self/status", "r");
    if (status == NULL)
        bench_fail("/proc/self/status can't be read");
    while (fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmRSS: %lld kB", &kibibytes) == 1)
            break;
    fclose(status);
    return kibibytes * 1024;
}

// What taking the time costs by itself: the median of many.
static int64_t cost_of_clock(void)
{
    static struct histogram costs;
    memset(&costs, 0, sizeof costs);
    for (int i = 0; i < 10000; i++) {
        int64_t begun = nanoseconds();
        histogram_add(&costs, nanoseconds() - begun);
    }
    return histogram_percentile(&costs, 500);
}

static void add_median(const char *name, int64_t live, const struct histogram *latencies, const char *note)
{
    figures_add(&(struct figure){.name = name,
                                 .live = live,
                                 .unit = UNIT_MICROSECONDS,
                                 .value = (double)histogram_percentile(latencies, 500) / 1000,
                                 .latencies = latencies,
                                 .note = note});
}

static void measure_bookings(struct broker *broker, struct hour from, int64_t live, int64_t clock)
{
    static struct histogram decided, applied;
    memset(&decided, 0, sizeof decided);
    memset(&applied, 0, sizeof applied);
    struct random random = random_seeded(RUN_CORE);
    for (int i = 0; i < DECISIONS; i++) {
        struct booking booking;
        struct leg leg;
        struct request request;
        struct decision decision;
        scenario_booking(&random, from, RUN_CORE, i, &booking);
        scenario_request(&booking, &leg, &request);
        request.actor = (struct actor){.role = ROLE_OPERATOR, .name = "uid:0"};
        int64_t begun = nanoseconds();
        book_decide(broker->book, &request, broker->now, &broker->arena, &decision);
        int64_t made = nanoseconds();
        if (decision.verdict != VERDICT_DONE)
            bench_fail("a booking is refused: %s", decision.refusal.message);
        book_apply_rows(broker->book, decision.rows, decision.row_count);
        histogram_add(&applied, nanoseconds() - made - clock);
        histogram_add(&decided, made - begun - clock);
        if (i % BATCH == BATCH - 1)
            broker_commit(broker);
    }
    add_median("decide a booking, core alone", live, &decided, "median");
    add_median("apply it to the book, core alone", live, &applied, "median");
}

static void measure_refusals(struct broker *broker, struct hour from, int64_t live, int64_t clock)
{
    static struct histogram decided;
    memset(&decided, 0, sizeof decided);
    struct random random = random_seeded(RUN_CORE + 1);
    for (int i = 0; i < REFUSALS; i++) {
        struct booking booking;
        struct leg leg;
        struct request request;
        struct decision decision;
        scenario_refused(&random, from, RUN_CORE + 1, i, &booking);
        scenario_request(&booking, &leg, &request);
        request.actor = (struct actor){.role = ROLE_OPERATOR, .name = "uid:0"};
        int64_t begun = nanoseconds();
        book_decide(broker->book, &request, broker->now, &broker->arena, &decision);
        histogram_add(&decided, nanoseconds() - begun - clock);
        if (decision.verdict != VERDICT_CAPACITY_EXCEEDED || !decision.refusal.has_next_start)
            bench_fail("a booking of the full pool is not refused with a next_start");
        arena_reset(&broker->arena);
    }
    add_median("refuse one with next_start, core alone", live, &decided, "median; nine years of short gaps");
}

enum { WEEK = 168, HALF_YEAR = 4380, RATES = 12 * (SCENARIO_HORIZON_YEARS - 1) };

// From now on each large pool has another price every month.
static void change_rates(struct broker *broker, struct hour from)
{
    static struct manifest_rate rates[SCENARIO_POOLS][RATES];
    struct manifest_pool pools[SCENARIO_POOLS];
    struct random random = random_seeded(RUN_CORE + 2);
    for (uint32_t pool = 0; pool < SCENARIO_POOLS; pool++) {
        const struct pool_row *row = book_pool_row(broker->book, pool + 1);
        pools[pool] = (struct manifest_pool){
            .pool = row->pool, .gpu = row->gpu, .unit = row->unit, .rates = rates[pool], .rate_count = RATES};
        for (int month = 0; month < RATES; month++)
            rates[pool][month] =
                (struct manifest_rate){.from = hour_add_months(from, month + 1),
                                       .has = {true},
                                       .price = {{2000000 + 10000 * (int64_t)random_below(&random, 100)}}};
    }
    struct manifest manifest = {.pools = pools, .pool_count = SCENARIO_POOLS};
    struct request request = {.kind = REQUEST_MANIFEST_APPLY, .manifest = &manifest};
    struct decision decision;
    broker_decide(broker, &request, &decision);
    if (decision.verdict != VERDICT_DONE)
        bench_fail("the rates are refused: %s", decision.refusal.message);
    broker_commit(broker);
}

// A week within half a year somewhere in the horizon, in any of the large pools: for as many GPUs as some
// hour of it has free, so that about half of the hours have enough, or for more than there are.
static void random_search(const struct broker *broker, struct random *random, struct hour from, bool fits,
                          const char *const *pools, struct offer_query *query)
{
    enum { STARTS = 9 * 8760 };
    uint32_t pool = 1 + (uint32_t)random_below(random, SCENARIO_POOLS);
    *query = (struct offer_query){
        .tenant = 1 + (uint32_t)random_below(random, SCENARIO_TENANTS),
        .hours = WEEK,
        .pools = pools,
        .pool_count = SCENARIO_POOLS,
        .has_earliest = true,
        .has_latest_end = true,
        .earliest = {from.number + (int32_t)random_below(random, STARTS)},
        .limit = OFFERS_DEFAULT,
    };
    query->latest_end.number = query->earliest.number + HALF_YEAR;
    struct hour level = {query->earliest.number + (int32_t)random_below(random, HALF_YEAR)};
    query->gpus =
        fits ? book_free(broker->book, pool, level) : 3 * (int64_t)book_free(broker->book, pool, level);
}

static void measure_searches(struct broker *broker, struct hour from, int64_t live, int64_t clock,
                             enum offer_order order, bool fits, const char *name)
{
    static struct histogram searched;
    memset(&searched, 0, sizeof searched);
    struct random random = random_seeded(RUN_CORE + 3);
    const char *pools[SCENARIO_POOLS];
    for (uint32_t pool = 0; pool < SCENARIO_POOLS; pool++)
        pools[pool] = book_pool_row(broker->book, pool + 1)->pool;
    int64_t offers = 0, misses = 0;
    for (int i = 0; i < SEARCHES; i++) {
        struct offer_query query;
        struct offer_list list;
        random_search(broker, &random, from, fits, pools, &query);
        query.order = order;
        int64_t begun = nanoseconds();
        offers_search(broker->book, &query, broker->now, &broker->arena, &list);
        histogram_add(&searched, nanoseconds() - begun - clock);
        if (list.verdict != VERDICT_DONE || list.count + list.miss_count == 0 || list.stopped_short)
            bench_fail("a search finds nothing");
        offers += (int64_t)list.count;
        misses += (int64_t)list.miss_count;
        arena_reset(&broker->arena);
    }
    char note[100];
    snprintf(note, sizeof note, "median; from 5 pools, each time %.1f offers or %.1f near misses",
             (double)offers / SEARCHES, (double)misses / SEARCHES);
    add_median(name, live, &searched, note);
}

// Makes the book, and gives what it takes in memory, without what deciding needs for the moment.
static int64_t fill_and_weigh(struct broker *broker, struct hour from, int64_t live, uint64_t seed)
{
    int64_t before = resident();
    broker_open(broker, NULL, from);
    scenario_fill(broker, from, live, seed);
    arena_free(&broker->arena);
    return resident() - before;
}

void core_figures(int64_t live, uint64_t seed)
{
    struct broker broker;
    struct hour from = hour_of_instant((struct instant){(int64_t)time(NULL)});
    int64_t bytes = fill_and_weigh(&broker, from, live, seed);
    figures_add(&(struct figure){.name = "memory of the book",
                                 .live = live,
                                 .unit = UNIT_BYTES,
                                 .value = (double)bytes,
                                 .note = "6 pools over 10 years, 64 contracts of 11 years"});
    int64_t clock = cost_of_clock();
    measure_bookings(&broker, from, live, clock);
    measure_refusals(&broker, from, live, clock);
    displacement_figures(&broker, from, live);
    change_rates(&broker, from);
    measure_searches(&broker, from, live, clock, OFFER_EARLIEST, true, "earliest offers, core alone");
    measure_searches(&broker, from, live, clock, OFFER_CHEAPEST, true, "cheapest offers, core alone");
    measure_searches(&broker, from, live, clock, OFFER_EARLIEST, false, "near misses, core alone");
    broker_close(&broker);
}

void load_figure(const char *ledger, int64_t live)
{
    struct broker broker;
    int64_t begun = nanoseconds();
    broker_open(&broker, ledger, (struct hour){0});
    double seconds = (double)(nanoseconds() - begun) / 1e9;
    broker_close(&broker);
    figures_add(&(struct figure){
        .name = "open the ledger and load the book", .live = live, .unit = UNIT_SECONDS, .value = seconds});
}
