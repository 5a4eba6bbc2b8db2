#include "core_figures.h"

#include "broker.h"
#include "displacement_figures.h"
#include "figures.h"
#include "scenario.h"
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DECISIONS = 100000, REFUSALS = 20000, BATCH = 256, RUN_CORE = 10 };

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
