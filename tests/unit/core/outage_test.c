// Outages without an end: the rows they are made of, when their hours are cut, and what closing gives back.
#include "manifest_fixture.h"

#define START "2026-01-01T00:00:00Z"

static struct fixture short_fixture(struct sample *sample, int32_t horizon_years)
{
    struct fixture fixture = {.now = instant_from(START)};
    struct book_options options = {
        .horizon_years = horizon_years, .hold_seconds_max = 604800, .origin = hour_of_instant(fixture.now)};
    fixture.book = book_create(&options);
    book_loaded(fixture.book, fixture.now, 0, 0);
    sample_fill(sample);
    assert_int_equal(apply_manifest(&fixture, &sample->manifest)->verdict, VERDICT_DONE);
    return fixture;
}

static struct request outage(int64_t gpus, const char *start, const char *end)
{
    return (struct request){.kind = REQUEST_CAPACITY_CHANGE,
                            .capacity = {.pool = "north/h100",
                                         .kind = CAPACITY_OUTAGE,
                                         .gpus = gpus,
                                         .start = hour_from(start),
                                         .end = end == NULL ? HOUR_NEVER : hour_from(end)}};
}

// The changes of capacity among a decision's rows.
static size_t changes_of(const struct decision *decision, struct capacity_change_row *changes, size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < decision->row_count; i++) {
        if (decision->rows[i].kind != ROW_CAPACITY_CHANGE)
            continue;
        assert_true(count < most);
        changes[count++] = decision->rows[i].capacity_change;
    }
    return count;
}

static void assert_part(const struct capacity_change_row *row, enum outage_part part, int32_t gpus,
                        const char *start, const char *end)
{
    assert_int_equal(row->part, part);
    assert_int_equal(row->gpus, gpus);
    assert_int_equal(row->start.number, hour_from(start).number);
    assert_int_equal(row->end.number, end == NULL ? HOUR_NEVER.number : hour_from(end).number);
    assert_int_equal(capacity_change_counts(row), part == OUTAGE_CUT || part == OUTAGE_RETURNED);
}

// Decides all that is due by a time. Gives how many hours of outages were cut.
static size_t go_on(struct fixture *fixture, struct instant to)
{
    size_t cut = 0;
    struct decision decision;
    struct row *rows;
    size_t count;
    bool urgent;
    while (book_decide_due(fixture->book, to, &fixture->arena, &decision, &urgent)) {
        cut += count_events(&decision, "outage.extended");
        book_apply_rows(fixture->book, decision.rows, decision.row_count);
        arena_reset(&fixture->arena);
    }
    fixture->now = to;
    book_end_batch(fixture->book, to, &fixture->arena, &rows, &count);
    return cut;
}

static void test_an_outage_is_made_of_its_parts(void **state)
{
    (void)state;
    struct sample sample;
    struct fixture fixture = short_fixture(&sample, 10);
    struct capacity_change_row changes[4];
    struct instant due;
    fixture.now = instant_from("2026-01-01T00:30:00Z");
    const struct decision *decision = decide(&fixture, outage(80, START, NULL));
    assert_int_equal(decision->verdict, VERDICT_DONE);
    assert_int_equal(changes_of(decision, changes, 4), 2);
    assert_part(&changes[0], OUTAGE_OPENED, -80, START, NULL);
    assert_part(&changes[1], OUTAGE_CUT, -80, START, "2026-01-02T00:00:00Z");
    int64_t id = changes[0].id;
    assert_true(changes[0].outage == id && changes[1].outage == id && changes[1].id == id + 1);
    assert_int_equal(book_outage_pool(fixture.book, id), 1);
    assert_int_equal(book_outage_pool(fixture.book, id + 1), 0);
    assert_true(book_next_due(fixture.book, &due));
    assert_int_equal(due.seconds, instant_from("2026-01-01T01:00:00Z").seconds);
    assert_int_equal(go_on(&fixture, instant_from("2026-01-01T02:59:59Z")), 2);
    assert_int_equal(book_capacity(fixture.book, 1, hour_from("2026-01-02T01:00:00Z")), 720);
    assert_int_equal(book_capacity(fixture.book, 1, hour_from("2026-01-02T02:00:00Z")), 800);
    decision = decide(&fixture, outage(80, START, "2026-01-01T05:00:00Z"));
    assert_int_equal(decision->verdict, VERDICT_DONE);
    assert_non_null(strstr(decision->result, "\"end\":\"2026-01-01T05:00:00Z\""));
    assert_int_equal(changes_of(decision, changes, 4), 2);
    assert_part(&changes[0], OUTAGE_RETURNED, 80, "2026-01-01T05:00:00Z", "2026-01-02T02:00:00Z");
    assert_part(&changes[1], OUTAGE_CLOSED, -80, START, "2026-01-01T05:00:00Z");
    assert_true(changes[0].outage == id && changes[1].outage == id && changes[1].id == changes[0].id + 1);
    assert_int_equal(count_events(decision, "outage.closed"), 1);
    assert_int_equal(book_free(fixture.book, 1, hour_from("2026-01-01T04:00:00Z")), 720);
    assert_int_equal(book_free(fixture.book, 1, hour_from("2026-01-01T05:00:00Z")), 800);
    assert_int_equal(go_on(&fixture, instant_from("2026-01-03T00:00:00Z")), 0);
    // A manifest says what it took.
    struct manifest_change *described;
    size_t count;
    book_manifest_changes(fixture.book, 1, &fixture.arena, &described, &count);
    assert_int_equal(count, 1);
    assert_int_equal(described[0].gpus, 80);
    assert_int_equal(described[0].start.number, hour_from(START).number);
    assert_int_equal(described[0].end.number, hour_from("2026-01-01T05:00:00Z").number);
    fixture_end(&fixture);
}

// What a manifest's outage cuts names the event of the outage.
static void test_an_outage_in_a_manifest(void **state)
{
    (void)state;
    struct sample sample;
    struct fixture fixture = short_fixture(&sample, 10);
    struct capacity_change_row changes[4];
    sample.changes[0] = (struct manifest_change){
        .kind = CAPACITY_OUTAGE, .gpus = 8, .start = hour_from(START), .end = HOUR_NEVER};
    sample.changes[1] = (struct manifest_change){.kind = CAPACITY_MAINTENANCE,
                                                 .gpus = 8,
                                                 .start = hour_from("2026-02-01T00:00:00Z"),
                                                 .end = hour_from("2026-02-02T00:00:00Z")};
    sample.pools[0].change_count = 2;
    const struct decision *decision = apply_manifest(&fixture, &sample.manifest);
    assert_int_equal(decision->verdict, VERDICT_DONE);
    assert_int_equal(changes_of(decision, changes, 4), 3);
    assert_true(changes[0].part == OUTAGE_NONE && changes[0].outage == 0);
    assert_part(&changes[1], OUTAGE_OPENED, -8, START, NULL);
    assert_part(&changes[2], OUTAGE_CUT, -8, START, "2026-01-02T00:00:00Z");
    assert_true(changes[1].event > changes[0].event && changes[2].event == changes[1].event);
    assert_true(changes[1].outage == changes[1].id && changes[2].outage == changes[1].id);
    fixture_end(&fixture);
}

static void test_two_that_are_alike_are_closed_one_by_one(void **state)
{
    (void)state;
    struct sample sample;
    struct fixture fixture = short_fixture(&sample, 10);
    struct capacity_change_row changes[4];
    int64_t first = 0;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(changes_of(decide(&fixture, outage(80, START, NULL)), changes, 4), 2);
        first = i == 0 ? changes[0].id : first;
    }
    assert_int_equal(book_capacity(fixture.book, 1, hour_from(START)), 640);
    assert_int_equal(go_on(&fixture, instant_from("2026-01-01T01:00:00Z")), 2);
    assert_int_equal(changes_of(decide(&fixture, outage(80, START, "2026-01-01T01:00:00Z")), changes, 4), 2);
    assert_int_equal(changes[1].outage, first);
    assert_int_equal(book_capacity(fixture.book, 1, hour_from("2026-01-01T01:00:00Z")), 720);
    // Then the other; and then there is none, and the change begins before the running hour.
    assert_int_equal(decide(&fixture, outage(80, START, "2026-01-01T02:00:00Z"))->verdict, VERDICT_DONE);
    assert_refused(decide(&fixture, outage(80, START, "2026-01-01T02:00:00Z")), VERDICT_INVALID_PARAMS,
                   "start");
    fixture_end(&fixture);
}

// Closing at exactly where it is cut until gives nothing back.
static void test_nothing_is_left_to_give_back(void **state)
{
    (void)state;
    struct sample sample;
    struct fixture fixture = short_fixture(&sample, 10);
    struct capacity_change_row changes[4];
    decide(&fixture, outage(80, START, NULL));
    const struct decision *decision = decide(&fixture, outage(80, START, "2026-01-02T00:00:00Z"));
    assert_int_equal(changes_of(decision, changes, 4), 1);
    assert_part(&changes[0], OUTAGE_CLOSED, -80, START, "2026-01-02T00:00:00Z");
    fixture_end(&fixture);
}

// A stop of years, over which the calendars have to move on: each hour is cut in its own time all the same,
// and so is what waits then.
static void test_a_stop_of_years(void **state)
{
    (void)state;
    struct sample sample;
    struct fixture fixture = short_fixture(&sample, 1);
    assert_int_equal(decide(&fixture, outage(80, START, NULL))->verdict, VERDICT_DONE);
    struct instant after = {fixture.now.seconds + INT64_C(30000) * 3600};
    assert_int_equal(go_on(&fixture, after), 30000);
    struct hour last = {hour_of_instant(after).number + 23};
    assert_int_equal(book_capacity(fixture.book, 1, last), 920);
    assert_int_equal(book_free(fixture.book, 1, last), 920);
    last.number++;
    assert_int_equal(book_free(fixture.book, 1, last), 1000);
    fixture_end(&fixture);
}

// What a timed decision may have to relieve can't be more than can be counted, so no more is booked.
static void test_what_could_be_interrupted_is_bounded(void **state)
{
    (void)state;
    struct sample sample;
    struct fixture fixture = short_fixture(&sample, 10);
    struct leg leg = {.pool = "north/h100",
                      .gpus = 8,
                      .start = hour_from("2026-01-02T00:00:00Z"),
                      .end = hour_from("2026-01-02T01:00:00Z")};
    struct request request = {
        .kind = REQUEST_CREATE, .tenant = "acme", .create = {.legs = &leg, .leg_count = 1}, .dry_run = true};
    const struct decision *decision = decide(&fixture, request);
    assert_int_equal(decision->verdict, VERDICT_DONE);
    int64_t cost = decision->outcomes[0].added.micro;
    assert_true(cost > 0);
    for (int more = 0; more < 2; more++) {
        struct row row = {.kind = ROW_CONTRACT_PERIOD, .contract_period = *book_period_row(fixture.book, 1)};
        row.contract_period.relief.micro = INT64_MAX - cost + more;
        book_apply(fixture.book, &row);
        assert_int_equal(decide(&fixture, request)->verdict,
                         more == 0 ? VERDICT_DONE : VERDICT_AMOUNT_OVERFLOW);
    }
    fixture_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_outage_is_made_of_its_parts),
        cmocka_unit_test(test_an_outage_in_a_manifest),
        cmocka_unit_test(test_two_that_are_alike_are_closed_one_by_one),
        cmocka_unit_test(test_nothing_is_left_to_give_back),
        cmocka_unit_test(test_a_stop_of_years),
        cmocka_unit_test(test_what_could_be_interrupted_is_bounded),
    };
    return digest_initialise() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
