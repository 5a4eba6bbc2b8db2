#include "core/waiting.h"

#include "core/alter.h"
#include "core/builder.h"
#include "core/interrupt.h"
#include <assert.h>

// How many windows without room a reservation that waits shows.
enum { BLOCKED_SHOWN = 16 };

bool book_serves_waiting(const struct book *book)
{
    for (size_t i = 1; i <= book->pool_count; i++)
        if (book->pools[i].serving)
            return true;
    return false;
}

// Does it fit into the calendar? That rules out most of them at little cost.
static bool has_room(const struct builder *builder, const struct reservation_row *row)
{
    int32_t free;
    struct hour first_short;
    struct power_gap gap;
    return builder_fits(builder, row->pool, row->tier, row->start, row->end, row->gpus, &free,
                        &first_short) &&
           builder_powers(builder, row->pool, row->tier, row->start, row->end, row->gpus, &gap);
}

// Plans the booking of one that waits. Refused when it can't be booked yet.
static void plan_booking(struct builder *builder, const struct reservation_image *before, struct plan *plan)
{
    const struct reservation_row *row = &before->row;
    plan_begin(plan, builder, row->tenant, row->pool, row->tier, before, false);
    plan_set_gpus(plan, row->start, row->end, row->gpus);
    plan_price(plan);
    plan_check_contract(plan, -1);
    plan_check_rate(plan, -1);
    if (!builder_refused(builder))
        check_capacity(builder, plan, NULL, -1, false);
    struct spending spending = {.builder = builder};
    if (!builder_refused(builder))
        check_commitment(&spending, plan, builder->book->pools[row->pool].row.unit, row->gpus, -1);
}

static void add_booking(struct builder *builder, const struct reservation_image *before, struct plan *plan)
{
    struct reservation_row row = before->row;
    const char *event = "reservation.booked";
    row.state = STATE_BOOKED;
    if (before->row.hold_seconds > 0) {
        event = "reservation.held";
        row.state = STATE_HELD;
        row.hold_expires.seconds = builder->at.seconds + before->row.hold_seconds;
        if (row.hold_expires.seconds > hour_start(row.start).seconds)
            row.hold_expires = hour_start(row.start);
    }
    plan_settle(plan, row.id);
    alter_expect(builder, 1);
    alter_reservation(builder, before, &row, plan, event, false, NULL);
    interrupt_preempted(builder);
}

// Books one that waits and is live. False when it has to go on waiting.
static bool serve(const struct book *book, int64_t id, struct instant at, struct arena *arena,
                  struct decision *decision)
{
    struct builder builder;
    const struct reservation *reservation = book_live(book, id);
    assert(reservation != NULL);
    builder_begin(&builder, book, arena, at, "clock", decision);
    if (book->tenants[reservation->row.tenant].row.suspended || !has_room(&builder, &reservation->row))
        return false;
    struct reservation_image before = {.row = reservation->row};
    struct plan plan;
    plan_booking(&builder, &before, &plan);
    if (!builder_refused(&builder))
        add_booking(&builder, &before, &plan);
    builder_finish(&builder);
    return decision->verdict == VERDICT_DONE;
}

// Serves the next one of a pool. False when its list is through.
static bool serve_next(struct book *book, struct pool *pool, struct instant at, struct arena *arena,
                       struct decision *decision)
{
    while (pool->serving) {
        while (pool->served < pool->waiting_count) {
            int64_t id = pool->waiting[pool->served++];
            if (book_waits(book, id) && serve(book, id, at, arena, decision))
                return true;
        }
        pool->serving = pool->serve_again;
        pool->serve_again = false;
        pool->served = 0;
    }
    return false;
}

bool decide_waiting(struct book *book, struct instant now, struct arena *arena, struct decision *decision)
{
    struct instant at = book->latest;
    assert(at.seconds <= now.seconds);
    if (book->urgent.count > 0 && due_first(&book->urgent).at.seconds <= at.seconds)
        return false; // what is due at the same instant comes first
    for (size_t i = 1; i <= book->pool_count; i++)
        if (serve_next(book, &book->pools[i], at, arena, decision))
            return true;
    return false;
}

// ---- As it is shown

static int64_t position(const struct book *book, const struct reservation_row *row)
{
    const struct pool *pool = &book->pools[row->pool];
    int64_t place = 1;
    for (size_t i = 0; i < pool->waiting_count && pool->waiting[i] < row->id; i++)
        place += book_waits(book, pool->waiting[i]);
    return place;
}

// Hours without room for one that waits: GPUs that could be booked in them, and whether there is power for no
// more.
struct blocked {
    struct hour start, end;
    int32_t free;
    bool by_power;
};

static int32_t powered(const struct book *book, const struct reservation_row *row, struct hour hour)
{
    int64_t gpus = book_powered(book, row->pool, row->tier, hour);
    return gpus < 0 || gpus > INT32_MAX ? INT32_MAX : (int32_t)gpus;
}

// The first such hours from an hour on, as long as they are alike. False when there are none.
static bool find_blocked(const struct book *book, const struct reservation_row *row, struct hour from,
                         struct blocked *blocked)
{
    const struct calendar *calendar = pool_calendar(&book->pools[row->pool], row->tier);
    blocked->start = row->end;
    if (from.number < row->end.number)
        calendar_first_below(calendar, from, row->end, row->gpus, &blocked->start);
    for (struct hour hour = from; hour.number < blocked->start.number; hour.number++)
        if (powered(book, row, hour) < row->gpus)
            blocked->start = hour;
    if (blocked->start.number >= row->end.number)
        return false;
    int32_t by_power = powered(book, row, blocked->start);
    calendar_step(calendar, blocked->start, row->end, &blocked->free, &blocked->end);
    for (struct hour hour = blocked->start; hour.number < blocked->end.number; hour.number++)
        if (powered(book, row, hour) != by_power)
            blocked->end = hour;
    blocked->by_power = by_power < blocked->free;
    blocked->free = blocked->by_power ? by_power : blocked->free;
    return true;
}

void waiting_write(const struct book *book, struct json *json, const struct reservation_row *row,
                   struct instant now)
{
    json_write_object(json, "waiting");
    json_write_integer(json, "position", position(book, row));
    json_write_integer(json, "hold_seconds", row->hold_seconds);
    json_write_array(json, "blocked");
    struct hour from = hour_of_instant(now);
    struct blocked blocked = {.end = row->start.number > from.number ? row->start : from};
    for (int shown = 0; shown < BLOCKED_SHOWN && find_blocked(book, row, blocked.end, &blocked); shown++) {
        json_write_object(json, NULL);
        json_write_hour(json, "start", blocked.start);
        json_write_hour(json, "end", blocked.end);
        json_write_integer(json, "free", blocked.free);
        json_write_text(json, "limit", blocked.by_power ? "power" : "gpus");
        json_write_object_end(json);
    }
    json_write_array_end(json);
    json_write_object_end(json);
}
