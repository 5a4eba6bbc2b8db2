#include "displacement_figures.h"

#include "figures.h"
#include "scenario.h"
#include <stdio.h>
#include <string.h>

enum { MANY = 10000, GPUS = 8, HOURS = 24, AHEAD_HOURS = 1000, TIMES = 5, BATCH = 256, FULL_FIT = 128 };

static void check(const struct decision *decision, const char *what)
{
    if (decision->verdict != VERDICT_DONE)
        bench_fail("%s is refused: %s", what, decision->refusal.message);
}

static void add_figure(const char *name, int64_t live, double milliseconds, const char *note)
{
    figures_add(&(struct figure){
        .name = name, .live = live, .unit = UNIT_MICROSECONDS, .value = milliseconds * 1000, .note = note});
}

static double since(int64_t begun)
{
    return (double)(nanoseconds() - begun) / 1e6;
}

static struct request booking_of(struct leg *leg, const char *pool, int tenant, int64_t gpus,
                                 struct hour start)
{
    static char name[SCENARIO_TEXT];
    snprintf(name, sizeof name, "tenant-%02d", tenant % SCENARIO_TENANTS + 1);
    *leg = (struct leg){.pool = pool, .gpus = gpus, .start = start, .end = {start.number + HOURS}};
    return (struct request){.kind = REQUEST_CREATE, .tenant = name, .create = {.legs = leg, .leg_count = 1}};
}

// Books, or lets wait, many of a day for a few GPUs each.
static void ask_for_many(struct broker *broker, const char *pool, struct hour start, bool waits)
{
    for (int i = 0; i < MANY; i++) {
        struct leg leg;
        struct decision decision;
        struct request request = booking_of(&leg, pool, i, GPUS, start);
        request.create.has_wait_until = waits;
        request.create.wait_until = hour_start(start);
        broker_decide(broker, &request, &decision);
        check(&decision, "one of many bookings");
        if (decision.outcomes[0].image.row.state != (waits ? STATE_WAITING : STATE_BOOKED))
            bench_fail("one of many bookings does not wait, or does");
        if (i % BATCH == BATCH - 1)
            broker_commit(broker);
    }
    broker_commit(broker);
}

// ---- A maintenance window

// Of the whole pool, so that all reservations of the book are looked at.
static struct request maintenance(const struct broker *broker, const char *pool, struct hour start)
{
    return (struct request){
        .kind = REQUEST_CAPACITY_CHANGE,
        .actor = {.role = ROLE_OPERATOR, .name = "uid:0"},
        .capacity = {.pool = pool,
                     .kind = CAPACITY_MAINTENANCE,
                     .gpus = book_capacity(broker->book, book_pool(broker->book, pool), start),
                     .start = start,
                     .end = {start.number + 1}},
    };
}

static void measure_maintenance(struct broker *broker, struct hour from, int64_t live)
{
    static const char pool[] = "colossus-1/h100-1";
    struct hour start = {from.number + AHEAD_HOURS};
    ask_for_many(broker, pool, start, false);
    struct request request = maintenance(broker, pool, start);
    struct decision decision;
    double least = 0;
    for (int i = 0; i < TIMES; i++) {
        request.dry_run = true;
        int64_t begun = nanoseconds();
        book_decide(broker->book, &request, broker->now, &broker->arena, &decision);
        double took = since(begun);
        check(&decision, "the maintenance");
        least = i == 0 || took < least ? took : least;
        arena_reset(&broker->arena);
    }
    add_figure("decide a maintenance that cuts 10,000", live, least, "the least of five dry runs");
    request.dry_run = false;
    int64_t begun = nanoseconds();
    book_decide(broker->book, &request, broker->now, &broker->arena, &decision);
    book_apply_rows(broker->book, decision.rows, decision.row_count);
    double took = since(begun);
    size_t cut = 0;
    for (size_t i = 0; i < decision.row_count; i++)
        cut += decision.rows[i].kind == ROW_INTERRUPTION;
    if (cut < MANY)
        bench_fail("the maintenance cuts %zu reservations", cut);
    char note[64];
    snprintf(note, sizeof note, "once; %zu cut, %zu rows", cut, decision.row_count);
    add_figure("decide and apply it", live, took, note);
    broker_commit(broker);
}

// ---- A freed pool

static int64_t block(struct broker *broker, const char *pool, struct hour start)
{
    struct leg leg;
    struct decision decision;
    int32_t free = book_free(broker->book, book_pool(broker->book, pool), start);
    for (int32_t hour = start.number; hour < start.number + HOURS; hour++) {
        int32_t here = book_free(broker->book, book_pool(broker->book, pool), (struct hour){hour});
        free = here < free ? here : free;
    }
    struct request request = booking_of(&leg, pool, 0, free, start);
    broker_decide(broker, &request, &decision);
    check(&decision, "a booking of all that is left");
    int64_t id = decision.outcomes[0].image.row.id;
    broker_commit(broker);
    return id;
}

// Cancels what blocks the pool, and books those that get it. As the daemon does, a batch at a time.
static void measure_freed(struct broker *broker, const char *pool, struct hour start, int wanted,
                          const char *name, int64_t live)
{
    int64_t id = block(broker, pool, start);
    ask_for_many(broker, pool, start, true);
    struct request request = {
        .kind = REQUEST_CANCEL, .tenant = "tenant-01", .cancel = {.target = {.id = id}}};
    struct decision decision;
    bool urgent;
    int served = 0;
    int64_t begun = nanoseconds();
    broker_decide(broker, &request, &decision);
    check(&decision, "a cancel");
    while (book_serves_waiting(broker->book) &&
           book_decide_due(broker->book, broker->now, &broker->arena, &decision, &urgent)) {
        book_apply_rows(broker->book, decision.rows, decision.row_count);
        served++;
    }
    double took = since(begun);
    if (served != wanted)
        bench_fail("%d of those that wait are served", served);
    add_figure(name, live, took, "decided and applied");
    broker_commit(broker);
}

void displacement_figures(struct broker *broker, struct hour from, int64_t live)
{
    measure_maintenance(broker, from, live);
    measure_freed(broker, "colossus-1/h100-2", (struct hour){from.number + 2 * AHEAD_HOURS}, MANY,
                  "free a pool for 10,000 that wait and fit", live);
    // The full pool is free only after the last of its weeks.
    measure_freed(broker, SCENARIO_FULL_POOL,
                  (struct hour){from.number + (SCENARIO_HORIZON_YEARS * 2 - 1) * 4380}, FULL_FIT,
                  "free a pool for 10,000, 128 of whom fit", live);
}
