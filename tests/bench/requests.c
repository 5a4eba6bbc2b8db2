#include "requests.h"

#include "base/memory.h"
#include "scenario.h"
#include <stdlib.h>

// What is written over when it is sent. Spaces, because a JSON number has no leading zeros.
#define NUMBER_ROOM      "1000000000"
#define RESERVATION_ROOM "          "
#define TENANT_ROOM      "tenant-00"

enum { GROWN_GPUS = 40, LIST_LIMIT = 20, CODE_CAPACITY_EXCEEDED = 1006, HOURS_PER_YEAR = 8760 };

struct maker {
    struct requests *requests;
    struct random random;
    struct hour from;
    uint32_t run;
    int64_t number;
};

// ---- Lines

static struct prepared *line_begin(struct requests *requests, const char *method)
{
    requests->all = memory_grow(requests->all, requests->count, &requests->capacity, sizeof *requests->all);
    struct prepared *line = &requests->all[requests->count++];
    *line = (struct prepared){.begin = requests->text.length};
    buffer_append_text(&requests->text, "{\"jsonrpc\":\"2.0\",\"id\":");
    line->number = requests->text.length - line->begin;
    buffer_append_format(&requests->text, NUMBER_ROOM ",\"method\":\"%s\",\"params\":{", method);
    return line;
}

static void line_end(struct requests *requests, struct prepared *line)
{
    buffer_append_text(&requests->text, "}}\n");
    line->length = requests->text.length - line->begin;
}

// The place of what follows in the line.
static size_t here(const struct requests *requests, const struct prepared *line)
{
    return requests->text.length - line->begin;
}

static void put_hour(struct requests *requests, const char *name, struct hour hour)
{
    char text[INSTANT_TEXT_SIZE];
    instant_format(hour_start(hour), text);
    buffer_append_format(&requests->text, "\"%s\":\"%s\"", name, text);
}

static void put_target(struct requests *requests, struct prepared *line)
{
    buffer_append_text(&requests->text, "\"tenant\":\"");
    line->tenant = here(requests, line);
    buffer_append_text(&requests->text, TENANT_ROOM "\",\"id\":");
    line->reservation = here(requests, line);
    buffer_append_text(&requests->text, RESERVATION_ROOM);
}

static int choose_tenant(struct maker *maker)
{
    return (int)random_below(&maker->random, SCENARIO_TENANTS) + 1;
}

// ---- Kinds

static struct prepared *create_begin(struct maker *maker, const struct booking *booking)
{
    struct requests *requests = maker->requests;
    struct prepared *line = line_begin(requests, "reservation.create");
    buffer_append_format(&requests->text, "\"tenant\":\"%s\",\"pool\":\"%s\",\"gpus\":%d,", booking->tenant,
                         booking->pool, booking->gpus);
    put_hour(requests, "start", booking->start);
    buffer_append_format(&requests->text, ",\"hours\":%d,\"client_ref\":\"run-%u-", booking->hours,
                         maker->run);
    line->reference = here(requests, line);
    buffer_append_text(&requests->text, NUMBER_ROOM "\"");
    return line;
}

static void make_booking(struct maker *maker)
{
    struct booking booking;
    scenario_booking(&maker->random, maker->from, maker->run, maker->number++, &booking);
    struct prepared *line = create_begin(maker, &booking);
    line->use = USE_MAKES;
    line_end(maker->requests, line);
}

static void make_dry_run(struct maker *maker)
{
    struct booking booking;
    scenario_booking(&maker->random, maker->from, maker->run, maker->number++, &booking);
    struct prepared *line = create_begin(maker, &booking);
    buffer_append_text(&maker->requests->text, ",\"dry_run\":true");
    line->in_reply = "\"dry_run\":true";
    line_end(maker->requests, line);
}

static void make_refused(struct maker *maker)
{
    struct booking booking;
    scenario_refused(&maker->random, maker->from, maker->run, maker->number++, &booking);
    struct prepared *line = create_begin(maker, &booking);
    line->code = CODE_CAPACITY_EXCEEDED;
    line->in_reply = "\"next_start\":\"";
    line_end(maker->requests, line);
}

static void make_cancel(struct maker *maker)
{
    struct prepared *line = line_begin(maker->requests, "reservation.cancel");
    put_target(maker->requests, line);
    line->use = USE_TAKES;
    line->in_reply = "\"state\":\"cancelled\"";
    line_end(maker->requests, line);
}

// Bookings have fewer GPUs than this, so it is always a growth.
static void make_change(struct maker *maker)
{
    struct prepared *line = line_begin(maker->requests, "reservation.change");
    put_target(maker->requests, line);
    buffer_append_format(&maker->requests->text, ",\"gpus\":%d", GROWN_GPUS);
    line->use = USE_TAKES;
    line->in_reply = "\"added\":";
    line_end(maker->requests, line);
}

static void make_get(struct maker *maker)
{
    struct prepared *line = line_begin(maker->requests, "reservation.get");
    put_target(maker->requests, line);
    line->use = USE_READS;
    line_end(maker->requests, line);
}

static void make_list(struct maker *maker)
{
    struct prepared *line = line_begin(maker->requests, "reservation.list");
    buffer_append_format(&maker->requests->text, "\"tenant\":\"tenant-%02d\",\"limit\":%d",
                         choose_tenant(maker), LIST_LIMIT);
    line->in_reply = "\"reservations\":[{";
    line_end(maker->requests, line);
}

// A year of the horizon, not always the same.
static void make_calendar(struct maker *maker)
{
    struct requests *requests = maker->requests;
    struct prepared *line = line_begin(requests, "pool.calendar");
    buffer_append_format(&requests->text, "\"pool\":\"colossus-1/h100-%d\",",
                         (int)random_below(&maker->random, SCENARIO_POOLS) + 1);
    int32_t year = (int32_t)random_below(&maker->random, SCENARIO_HORIZON_YEARS - 1);
    struct hour start = {maker->from.number + year * HOURS_PER_YEAR};
    put_hour(requests, "start", start);
    buffer_append_text(&requests->text, ",");
    put_hour(requests, "end", (struct hour){start.number + HOURS_PER_YEAR});
    line->in_reply = "\"steps\":[{";
    line_end(requests, line);
}

static void make_commitment(struct maker *maker)
{
    struct prepared *line = line_begin(maker->requests, "commitment.status");
    buffer_append_format(&maker->requests->text, "\"tenant\":\"tenant-%02d\"", choose_tenant(maker));
    line->in_reply = "\"periods\":[{";
    line_end(maker->requests, line);
}

static void make_mixed(struct maker *maker)
{
    uint64_t percent = random_below(&maker->random, 100);
    if (percent < 60)
        make_booking(maker);
    else if (percent < 75)
        make_cancel(maker);
    else if (percent < 85)
        make_change(maker);
    else if (percent < 90)
        make_get(maker);
    else if (percent < 95)
        make_list(maker);
    else
        make_dry_run(maker);
}

void requests_make(struct requests *requests, enum requests_kind kind, size_t count, struct hour from,
                   uint32_t run, uint64_t seed)
{
    static void (*const makers[])(struct maker *) = {
        [REQUESTS_BOOKINGS] = make_booking,      [REQUESTS_MIX] = make_mixed,
        [REQUESTS_REFUSED] = make_refused,       [REQUESTS_CALENDAR] = make_calendar,
        [REQUESTS_COMMITMENT] = make_commitment,
    };
    struct maker maker = {
        .requests = requests, .random = random_seeded(seed + run), .from = from, .run = run};
    *requests = (struct requests){0};
    for (size_t i = 0; i < count; i++)
        makers[kind](&maker);
}

void requests_free(struct requests *requests)
{
    buffer_free(&requests->text);
    free(requests->all);
    *requests = (struct requests){0};
}
