// Replies: from a line to its reply, over a real book that the lines themselves have filled.
#include "wire_fixture.h"

#include "base/digest.h"

struct world {
    struct arena arena;
    struct book *book;
    struct instant now;
    uint32_t tenant; // who asks; 0: an operator
    struct buffer out;
    json_t *reply; // the last one
};

static struct instant instant_of(const char *text)
{
    struct instant instant;
    assert_true(instant_parse(text, strlen(text), &instant));
    return instant;
}

// Decides a change, answers it, and applies it.
static void change(struct world *world, const struct wire_call *call)
{
    struct request request;
    struct decision decision = {0};
    wire_request(call, &world->arena, &request);
    request.actor = (struct actor){
        .role = world->tenant == 0 ? ROLE_OPERATOR : ROLE_TENANT, .tenant = world->tenant, .name = "uid:1"};
    book_decide(world->book, &request, world->now, &world->arena, &decision);
    wire_reply_decision(&world->out, call->id, world->book, call, &decision, world->now);
    if (decision.verdict != VERDICT_DONE || decision.dry_run || decision.replayed)
        return;
    book_apply_rows(world->book, decision.rows, decision.row_count);
    struct row *rows;
    size_t count;
    book_end_batch(world->book, world->now, &world->arena, &rows, &count);
}

static void read_book(struct world *world, const struct wire_call *call)
{
    switch (call->row->method) {
    case METHOD_POOL_LIST:
        wire_reply_pool_list(&world->out, call->id, world->book, world->tenant, world->now);
        break;
    case METHOD_POOL_CALENDAR:
        wire_reply_pool_calendar(&world->out, call->id, world->book, world->tenant, &call->parameters,
                                 world->now);
        break;
    case METHOD_OFFER_SEARCH:
        wire_reply_offers(&world->out, call->id, world->book, world->tenant, &call->parameters, &world->arena,
                          world->now);
        break;
    case METHOD_COMMITMENT_PLAN:
        wire_reply_commitment_plan(&world->out, call->id, world->book, world->tenant, &call->parameters,
                                   &world->arena, world->now);
        break;
    case METHOD_COMMITMENT_STATUS:
        wire_reply_commitment_status(&world->out, call->id, world->book, world->tenant, &call->parameters,
                                     world->now);
        break;
    default:
        fail();
    }
}

// Sends a request; the reply is then world->reply.
static void ask(struct world *world, const char *method, const char *params)
{
    struct wire_call call = parse_method(&world->arena, method, params);
    buffer_clear(&world->out);
    if (call.error.code != 0)
        wire_reply_error(&world->out, call.id, call.error.code, call.error.message, call.error.member);
    else if (call.row->changes)
        change(world, &call);
    else
        read_book(world, &call);
    json_decref(world->reply);
    world->reply = load(&world->out);
    assert_text_at(world->reply, "jsonrpc", "2.0");
    assert_integer_at(world->reply, "id", 1);
}

static void refused(struct world *world, int code, const char *kind)
{
    assert_integer_at(world->reply, "error.code", code);
    assert_text_at(world->reply, "error.data.kind", kind);
    assert_nothing_at(world->reply, "result");
    assert_true(json_string_length(value_at(world->reply, "error.message")) > 5);
}

static const char manifest[] =
    "{\"manifest\":{\"version\":1,\"sites\":[{\"site\":\"s\"}],"
    "\"pools\":[{\"pool\":\"s/a\",\"gpu\":\"H100\",\"unit\":8,"
    "\"capacity\":[{\"from\":\"2026-01-01T00:00:00Z\",\"gpus\":800},{\"from\":\"2026-12-03T00:00:00Z\","
    "\"gpus\":1600}],\"rates\":[{\"from\":\"2026-01-01T00:00:00Z\",\"firm\":\"2.00\"}]},"
    "{\"pool\":\"s/b\",\"gpu\":\"GB300\",\"unit\":72,\"capacity\":[{\"from\":\"2027-01-01T00:00:00Z\","
    "\"gpus\":720}],\"rates\":[{\"from\":\"2027-01-01T00:00:00Z\",\"firm\":\"3.00\"}]}],"
    "\"tenants\":[{\"tenant\":\"x\"},{\"tenant\":\"y\"}],"
    "\"contracts\":[{\"contract\":\"cx\",\"tenant\":\"x\",\"start\":\"2026-12-01T00:00:00Z\","
    "\"end\":\"2028-12-01T00:00:00Z\",\"periods\":{\"annual\":\"100000.00\"},"
    "\"cancel\":{\"notice_hours\":72,\"late_fee_pct\":50}},"
    "{\"contract\":\"cy\",\"tenant\":\"y\",\"start\":\"2026-12-01T00:00:00Z\","
    "\"end\":\"2028-12-01T00:00:00Z\",\"periods\":{\"annual\":\"100.00\"},"
    "\"overage\":{\"limit\":\"unlimited\"},\"discount_pct\":50}]}}";

static int begin(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    if (world == NULL || !digest_initialise())
        return 1;
    world->now = instant_of("2026-12-01T00:00:00Z");
    struct book_options options = {
        .horizon_years = 10, .hold_seconds_max = 604800, .origin = hour_of_instant(world->now)};
    world->book = book_create(&options);
    book_loaded(world->book, world->now, 0, 0);
    ask(world, "manifest.apply", manifest);
    assert_non_null(value_at(world->reply, "result.changes"));
    world->tenant = book_tenant(world->book, "x");
    *state = world;
    return 0;
}

static int end(void **state)
{
    struct world *world = *state;
    json_decref(world->reply);
    book_destroy(world->book);
    arena_free(&world->arena);
    buffer_free(&world->out);
    free(world);
    return 0;
}

#define BOOKING                                                                                              \
    "\"pool\":\"s/a\",\"gpus\":80,\"start\":\"2026-12-02T00:00:00Z\",\"end\":\"2026-12-02T10:00:00Z\""

// ---- Decisions

static void a_booking_shows_the_reservation(void **state)
{
    struct world *world = *state;
    ask(world, "reservation.create", "{" BOOKING ",\"client_ref\":\"r\"}");
    assert_integer_at(world->reply, "result.id", 1);
    assert_text_at(world->reply, "result.tenant", "x");
    assert_text_at(world->reply, "result.state", "booked");
    assert_text_at(world->reply, "result.cost", "1600.00");
    assert_text_at(world->reply, "result.slices.0.contract", "cx");
    assert_null_at(world->reply, "result.group");
    assert_nothing_at(world->reply, "result.replayed");
    assert_nothing_at(world->reply, "result.dry_run");
    assert_nothing_at(world->reply, "result.fee");
}

static void replays_and_dry_runs_are_marked(void **state)
{
    struct world *world = *state;
    ask(world, "reservation.create", "{" BOOKING ",\"client_ref\":\"r\",\"dry_run\":true}");
    assert_true(json_is_true(value_at(world->reply, "result.dry_run")));
    ask(world, "reservation.create", "{" BOOKING ",\"client_ref\":\"r\"}");
    assert_nothing_at(world->reply, "result.dry_run");
    ask(world, "reservation.create", "{" BOOKING ",\"client_ref\":\"r\"}");
    assert_true(json_is_true(value_at(world->reply, "result.replayed")));
    assert_integer_at(world->reply, "result.id", 1);
    ask(world, "reservation.create", "{" BOOKING ",\"client_ref\":\"r\",\"note\":\"other\"}");
    refused(world, 1004, "conflict");
}

static void a_change_and_a_cancel_say_what_they_moved(void **state)
{
    struct world *world = *state;
    ask(world, "reservation.create", "{" BOOKING "}");
    ask(world, "reservation.change", "{\"id\":1,\"end\":\"2026-12-02T11:00:00Z\",\"client_ref\":\"c\"}");
    assert_text_at(world->reply, "result.added", "160.00");
    assert_text_at(world->reply, "result.released", "0.00");
    assert_text_at(world->reply, "result.fee", "0.00");
    ask(world, "reservation.change", "{\"id\":1,\"end\":\"2026-12-02T11:00:00Z\",\"client_ref\":\"c\"}");
    assert_true(json_is_true(value_at(world->reply, "result.replayed")));
    assert_nothing_at(world->reply, "result.added");
    ask(world, "reservation.cancel", "{\"id\":1}");
    assert_text_at(world->reply, "result.state", "cancelled");
    assert_text_at(world->reply, "result.released", "1760.00");
    assert_text_at(world->reply, "result.fee", "880.00");
    assert_nothing_at(world->reply, "result.added");
    ask(world, "reservation.cancel", "{\"id\":1}");
    refused(world, 1005, "invalid_state");
    assert_text_at(world->reply, "error.data.state", "cancelled");
}

#define WINDOW    "\"start\":\"2026-12-02T00:00:00Z\",\"end\":\"2026-12-02T10:00:00Z\""
#define LEG(gpus) "{\"pool\":\"s/a\",\"gpus\":" gpus "," WINDOW "}"

static void a_group_has_its_sums(void **state)
{
    struct world *world = *state;
    ask(world, "reservation.create_group", "{\"legs\":[" LEG("80") "," LEG("160") "]}");
    assert_integer_at(world->reply, "result.group", 1);
    assert_integer_at(world->reply, "result.reservations.1.id", 2);
    assert_integer_at(world->reply, "result.reservations.1.gpus", 160);
    assert_nothing_at(world->reply, "result.released");
    ask(world, "reservation.cancel", "{\"group\":1,\"dry_run\":true}");
    assert_text_at(world->reply, "result.released", "4800.00");
    assert_text_at(world->reply, "result.fee", "2400.00");
    assert_nothing_at(world->reply, "result.reservations.0.fee");
    assert_true(json_is_true(value_at(world->reply, "result.dry_run")));
}

static void a_groups_refusal_names_the_leg(void **state)
{
    struct world *world = *state;
    ask(world, "reservation.create_group", "{\"legs\":[" LEG("80") "," LEG("800") "]}");
    refused(world, 1006, "capacity_exceeded");
    assert_integer_at(world->reply, "error.data.leg", 1);
    assert_text_at(world->reply, "error.data.pool", "s/a");
    assert_text_at(world->reply, "error.data.limit", "gpus");
    assert_integer_at(world->reply, "error.data.free", 720);
    assert_text_at(world->reply, "error.data.first_short", "2026-12-02T00:00:00Z");
    ask(world, "reservation.create_group", "{\"legs\":[" LEG("80") "," LEG("81") "]}");
    refused(world, -32602, "invalid_params");
    assert_text_at(world->reply, "error.data.member", "legs[1].gpus");
    assert_integer_at(world->reply, "error.data.leg", 1);
    ask(world, "reservation.create_group",
        "{\"hold_seconds\":999999999,\"legs\":[" LEG("80") "," LEG("80") "]}");
    assert_text_at(world->reply, "error.data.member", "hold_seconds");
}

static void a_refusal_for_capacity_has_the_next_start(void **state)
{
    struct world *world = *state;
    ask(world, "reservation.create", "{" BOOKING "}");
    ask(world, "reservation.create",
        "{\"pool\":\"s/a\",\"gpus\":800,\"start\":\"2026-12-02T00:00:00Z\",\"hours\":2}");
    refused(world, 1006, "capacity_exceeded");
    assert_text_at(world->reply, "error.data.next_start", "2026-12-02T10:00:00Z");
    assert_non_null(value_at(world->reply, "error.data.searched_until"));
    assert_nothing_at(world->reply, "error.data.leg");
}

static void a_refusal_for_commitment_has_what_would_fit(void **state)
{
    struct world *world = *state;
    ask(world, "reservation.create",
        "{\"pool\":\"s/a\",\"gpus\":800,\"start\":\"2026-12-02T00:00:00Z\",\"hours\":100}");
    refused(world, 1007, "commitment_exceeded");
    assert_text_at(world->reply, "error.data.contract", "cx");
    assert_text_at(world->reply, "error.data.period_start", "2026-12-01T00:00:00Z");
    assert_text_at(world->reply, "error.data.available", "100000.00");
    assert_text_at(world->reply, "error.data.needed", "160000.00");
    assert_integer_at(world->reply, "error.data.max_gpus", 496);
}

static void a_refusal_for_a_parameter_names_it(void **state)
{
    struct world *world = *state;
    ask(world, "reservation.create", LEG("81"));
    refused(world, -32602, "invalid_params");
    assert_text_at(world->reply, "error.data.member", "gpus");
    assert_nothing_at(world->reply, "error.data.leg");
}

static void refusals_name_the_first_hour(void **state)
{
    struct world *world = *state;
    ask(world, "reservation.create",
        "{\"pool\":\"s/a\",\"gpus\":8,\"start\":\"2028-11-30T23:00:00Z\",\"hours\":2}");
    refused(world, 1008, "no_contract");
    assert_text_at(world->reply, "error.data.first_uncovered", "2028-12-01T00:00:00Z");
    ask(world, "reservation.create",
        "{\"pool\":\"s/b\",\"gpus\":72,\"start\":\"2026-12-02T00:00:00Z\",\"hours\":2}");
    refused(world, 1017, "no_rate");
    assert_text_at(world->reply, "error.data.first_unrated", "2026-12-02T00:00:00Z");
}

static void a_change_of_capacity_lists_what_it_cut(void **state)
{
    struct world *world = *state;
    ask(world, "reservation.create", "{" BOOKING "}");
    world->tenant = 0;
    ask(world, "capacity.change",
        "{\"pool\":\"s/a\",\"kind\":\"retirement\",\"gpus\":760,\"start\":\"2026-12-02T05:00:00Z\"}");
    assert_int_equal(json_array_size(value_at(world->reply, "result.interruptions")), 1);
    assert_integer_at(world->reply, "result.interruptions.0.reservation", 1);
    assert_text_at(world->reply, "result.interruptions.0.start", "2026-12-02T05:00:00Z");
    assert_text_at(world->reply, "result.interruptions.0.end", "2026-12-02T10:00:00Z");
    assert_integer_at(world->reply, "result.interruptions.0.gpus", 40);
}

static void other_results_are_the_books_members(void **state)
{
    struct world *world = *state;
    world->tenant = 0;
    ask(world, "tenant.suspend", "{\"tenant\":\"x\",\"dry_run\":true}");
    assert_text_at(world->reply, "result.tenant", "x");
    assert_true(json_is_true(value_at(world->reply, "result.suspended")));
    assert_true(json_is_true(value_at(world->reply, "result.dry_run")));
    ask(world, "manifest.apply",
        "{\"manifest\":{\"version\":1,\"pools\":[{\"pool\":\"z/a\",\"gpu\":\"H\",\"unit\":8}]}}");
    refused(world, 1015, "invalid_manifest");
    assert_text_at(world->reply, "error.data.path", "pools[0].pool");
}

// ---- Reads

static void pools_are_listed_as_the_asker_sees_them(void **state)
{
    struct world *world = *state;
    world->tenant = book_tenant(world->book, "y");
    ask(world, "pool.list", "{}");
    assert_int_equal(json_array_size(value_at(world->reply, "result.pools")), 2);
    assert_text_at(world->reply, "result.pools.0.pool", "s/a");
    assert_text_at(world->reply, "result.pools.0.site", "s");
    assert_integer_at(world->reply, "result.pools.0.unit", 8);
    assert_integer_at(world->reply, "result.pools.0.free", 800);
    assert_text_at(world->reply, "result.pools.0.price_per_gpu_hour", "1.00");
    assert_nothing_at(world->reply, "result.pools.0.capacity");
    assert_null_at(world->reply, "result.pools.1.price_per_gpu_hour");
    world->tenant = 0;
    ask(world, "pool.list", "{}");
    assert_text_at(world->reply, "result.pools.0.price_per_gpu_hour", "2.00");
    assert_integer_at(world->reply, "result.pools.0.capacity", 800);
}

static void step_is(struct world *world, size_t index, const char *start, const char *end_text, int64_t free)
{
    char path[64];
    snprintf(path, sizeof path, "result.steps.%zu.start", index);
    assert_text_at(world->reply, path, start);
    snprintf(path, sizeof path, "result.steps.%zu.end", index);
    assert_text_at(world->reply, path, end_text);
    snprintf(path, sizeof path, "result.steps.%zu.free", index);
    assert_integer_at(world->reply, path, free);
}

static void a_calendar_has_merged_steps(void **state)
{
    struct world *world = *state;
    ask(world, "reservation.create", "{" BOOKING "}");
    ask(world, "pool.calendar",
        "{\"pool\":\"s/a\",\"start\":\"2026-11-01T00:00:00Z\",\"end\":\"2026-12-04T00:00:00Z\"}");
    assert_int_equal(json_array_size(value_at(world->reply, "result.steps")), 4);
    step_is(world, 0, "2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z", 800);
    step_is(world, 1, "2026-12-02T00:00:00Z", "2026-12-02T10:00:00Z", 720);
    step_is(world, 2, "2026-12-02T10:00:00Z", "2026-12-03T00:00:00Z", 800);
    step_is(world, 3, "2026-12-03T00:00:00Z", "2026-12-04T00:00:00Z", 1600);
    assert_nothing_at(world->reply, "result.steps.0.reserved");
}

// Where capacity and reservations change together, only an operator sees a step.
static void steps_are_those_that_the_asker_can_see(void **state)
{
    struct world *world = *state;
    ask(world, "reservation.create",
        "{\"pool\":\"s/a\",\"gpus\":800,\"start\":\"2026-12-03T00:00:00Z\",\"hours\":10}");
    assert_nothing_at(world->reply, "error");
    const char *window =
        "{\"pool\":\"s/a\",\"start\":\"2026-12-02T00:00:00Z\",\"end\":\"2026-12-03T10:00:00Z\"}";
    ask(world, "pool.calendar", window);
    assert_int_equal(json_array_size(value_at(world->reply, "result.steps")), 1);
    step_is(world, 0, "2026-12-02T00:00:00Z", "2026-12-03T10:00:00Z", 800);
    world->tenant = 0;
    ask(world, "pool.calendar", window);
    assert_int_equal(json_array_size(value_at(world->reply, "result.steps")), 2);
    assert_integer_at(world->reply, "result.steps.0.capacity", 800);
    assert_integer_at(world->reply, "result.steps.0.reserved", 0);
    assert_integer_at(world->reply, "result.steps.1.capacity", 1600);
    assert_integer_at(world->reply, "result.steps.1.reserved", 800);
}

static void a_calendar_outside_the_horizon_is_empty(void **state)
{
    struct world *world = *state;
    ask(world, "pool.calendar",
        "{\"pool\":\"s/a\",\"start\":\"2025-01-01T00:00:00Z\",\"end\":\"2026-12-01T00:00:00Z\"}");
    assert_int_equal(json_array_size(value_at(world->reply, "result.steps")), 0);
    ask(world, "pool.calendar",
        "{\"pool\":\"s/a\",\"start\":\"2100-01-01T00:00:00Z\",\"end\":\"9998-01-01T00:00:00Z\"}");
    assert_int_equal(json_array_size(value_at(world->reply, "result.steps")), 0);
    ask(world, "pool.calendar",
        "{\"pool\":\"s/a\",\"start\":\"0001-01-01T00:00:00Z\",\"end\":\"9998-01-01T00:00:00Z\"}");
    assert_text_at(world->reply, "result.steps.0.start", "2026-12-01T00:00:00Z");
    ask(world, "pool.calendar",
        "{\"pool\":\"s/c\",\"start\":\"2026-12-02T00:00:00Z\",\"end\":\"2026-12-03T00:00:00Z\"}");
    refused(world, 1003, "not_found");
}

static void commitments_are_the_askers(void **state)
{
    struct world *world = *state;
    ask(world, "commitment.status", "{}");
    assert_int_equal(json_array_size(value_at(world->reply, "result.periods")), 2);
    assert_text_at(world->reply, "result.periods.1.contract", "cx");
    assert_text_at(world->reply, "result.periods.1.period_start", "2027-12-01T00:00:00Z");
    ask(world, "commitment.status", "{\"contract\":\"cy\"}");
    refused(world, 1003, "not_found");
    ask(world, "commitment.status", "{\"contract\":\"nothing\"}");
    refused(world, 1003, "not_found");
    world->tenant = 0;
    ask(world, "commitment.status", "{}");
    assert_int_equal(json_array_size(value_at(world->reply, "result.periods")), 4);
    ask(world, "commitment.status", "{\"contract\":\"cy\"}");
    assert_int_equal(json_array_size(value_at(world->reply, "result.periods")), 2);
    assert_null_at(world->reply, "result.periods.0.available");
}

static void at_picks_the_period_that_holds_it(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *params;
        size_t count;
        const char *start;
    } trials[] = {
        {"{\"at\":\"2026-11-30T23:59:59Z\"}", 0, NULL},
        {"{\"at\":\"2026-12-01T00:00:00Z\"}", 1, "2026-12-01T00:00:00Z"},
        {"{\"at\":\"2027-11-30T23:59:59Z\"}", 1, "2026-12-01T00:00:00Z"},
        {"{\"at\":\"2027-12-01T00:00:00Z\",\"contract\":\"cx\"}", 1, "2027-12-01T00:00:00Z"},
        {"{\"at\":\"2028-12-01T00:00:00Z\"}", 0, NULL},
    };
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
        ask(world, "commitment.status", trials[i].params);
        assert_int_equal(json_array_size(value_at(world->reply, "result.periods")), trials[i].count);
        if (trials[i].start != NULL)
            assert_text_at(world->reply, "result.periods.0.period_start", trials[i].start);
    }
}

static json_t *reload(struct world *world)
{
    json_decref(world->reply);
    world->reply = load(&world->out);
    buffer_clear(&world->out);
    return world->reply;
}

static void lists_say_where_they_go_on(void **state)
{
    struct world *world = *state;
    ask(world, "reservation.create", "{" BOOKING "}");
    struct reservation_image image;
    assert_true(book_reservation(world->book, 1, world->now, &image));
    buffer_clear(&world->out);
    wire_reply_reservation_list(&world->out, "\"a\"", world->book, &image, 1, true, 1, world->now);
    assert_text_at(reload(world), "id", "a");
    assert_integer_at(world->reply, "result.next", 1);
    assert_integer_at(world->reply, "result.reservations.0.id", 1);
    wire_reply_reservation_list(&world->out, "null", world->book, NULL, 0, false, 0, world->now);
    assert_null_at(reload(world), "result.next");
    assert_int_equal(json_array_size(value_at(world->reply, "result.reservations")), 0);
    struct event_row event = {
        .seq = 9, .at = world->now, .type = "a.b", .actor = "clock", .data = "{\"x\":1}", .data_length = 7};
    wire_reply_event_list(&world->out, "1", world->book, &event, 1, true, 9);
    assert_integer_at(reload(world), "result.events.0.data.x", 1);
    assert_integer_at(world->reply, "result.next", 9);
    buffer_clear(&world->out);
    wire_event_notification(&world->out, world->book, &event);
    wire_event_notification(&world->out, world->book, &event);
    const char *line = "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"seq\":9,";
    const char *second = strchr(world->out.data, '\n');
    assert_non_null(second);
    assert_memory_equal(world->out.data, line, strlen(line));
    assert_memory_equal(second + 1, line, strlen(line));
    assert_int_equal(world->out.data[world->out.length - 1], '\n');
    buffer_clear(&world->out);
    wire_reply_watch_ended(&world->out, 40211);
    assert_integer_at(reload(world), "error.code", RPC_OVERLOADED);
    assert_integer_at(world->reply, "error.data.after", 40211);
    assert_null_at(world->reply, "id");
    struct transfer_row transfer = {.id = 4,
                                    .at = world->now,
                                    .kind = TRANSFER_BOOK,
                                    .debit_account = 1,
                                    .credit_account = 2,
                                    .amount = {5},
                                    .period = 1};
    wire_reply_statement_list(&world->out, "1", world->book, &transfer, 1, false, 0);
    assert_text_at(reload(world), "result.transfers.0.amount", "0.000005");
    assert_null_at(world->reply, "result.next");
    wire_reply_reservations(&world->out, "1", world->book, &image, 1, 0, true, false, world->now);
    assert_integer_at(reload(world), "result.id", 1);
    assert_true(json_is_true(value_at(world->reply, "result.replayed")));
    assert_nothing_at(world->reply, "result.dry_run");
    wire_reply_reservations(&world->out, "1", world->book, &image, 1, 1, false, true, world->now);
    assert_integer_at(reload(world), "result.group", 1);
    assert_integer_at(world->reply, "result.reservations.0.id", 1);
    assert_true(json_is_true(value_at(world->reply, "result.dry_run")));
}

// ---- Errors that are not decisions

static void errors_have_their_kind_and_data(void **state)
{
    struct world *world = *state;
    buffer_clear(&world->out);
    wire_reply_error(&world->out, "null", RPC_PARSE_ERROR, "a \"sentence\"", NULL);
    assert_null_at(reload(world), "id");
    assert_integer_at(world->reply, "error.code", -32700);
    assert_text_at(world->reply, "error.data.kind", "parse_error");
    assert_text_at(world->reply, "error.message", "a \"sentence\"");
    assert_nothing_at(world->reply, "error.data.member");
    wire_reply_error(&world->out, "1.50", RPC_INVALID_PARAMS, "wrong", "gpus");
    assert_text_at(reload(world), "error.data.member", "gpus");
    wire_reply_error(&world->out, "1", RPC_INVALID_MANIFEST, "wrong", "sites[0].site");
    assert_text_at(reload(world), "error.data.path", "sites[0].site");
    wire_reply_error(&world->out, "1", RPC_INVALID_MANIFEST, "wrong", NULL);
    assert_text_at(reload(world), "error.data.path", "");
    wire_reply_ledger_unavailable(&world->out, "1", true, "ask again");
    assert_text_at(reload(world), "error.data.outcome", "unknown");
    assert_integer_at(world->reply, "error.code", 1012);
    wire_reply_ledger_unavailable(&world->out, "1", false, "nothing was done");
    assert_text_at(reload(world), "error.data.outcome", "none");
    wire_reply_rate_limited(&world->out, "1", 250);
    assert_integer_at(reload(world), "error.data.retry_after_ms", 250);
    assert_text_at(world->reply, "error.data.kind", "rate_limited");
}

static void an_empty_result_is_an_object(void **state)
{
    struct world *world = *state;
    buffer_clear(&world->out);
    struct json json = wire_reply_begin(&world->out, "7");
    wire_reply_end(&json);
    assert_string_equal(world->out.data, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_booking_shows_the_reservation),
        TEST(replays_and_dry_runs_are_marked),
        TEST(a_change_and_a_cancel_say_what_they_moved),
        TEST(a_group_has_its_sums),
        TEST(a_groups_refusal_names_the_leg),
        TEST(a_refusal_for_capacity_has_the_next_start),
        TEST(a_refusal_for_commitment_has_what_would_fit),
        TEST(a_refusal_for_a_parameter_names_it),
        TEST(refusals_name_the_first_hour),
        TEST(a_change_of_capacity_lists_what_it_cut),
        TEST(other_results_are_the_books_members),
        TEST(pools_are_listed_as_the_asker_sees_them),
        TEST(a_calendar_has_merged_steps),
        TEST(steps_are_those_that_the_asker_can_see),
        TEST(a_calendar_outside_the_horizon_is_empty),
        TEST(commitments_are_the_askers),
        TEST(at_picks_the_period_that_holds_it),
        TEST(lists_say_where_they_go_on),
        TEST(errors_have_their_kind_and_data),
        TEST(an_empty_result_is_an_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
