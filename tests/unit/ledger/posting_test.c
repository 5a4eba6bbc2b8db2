// The tables by tenant: filled in runs, one in a commit, and read together with what came since as if there
// were no runs.
#include "workshop.h"

#include "generated/sql.h"
#include "ledger/posting.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int begin(void **state)
{
    struct workshop *workshop = calloc(1, sizeof *workshop);
    *state = workshop;
    workshop_begin(workshop);
    workshop_manifest(workshop);
    workshop_commit(workshop);
    return 0;
}

static int end(void **state)
{
    workshop_end(*state);
    free(*state);
    return 0;
}

// Bookings of one hour, one after the other, every third of them zeta's; each has a reservation, an event and
// a transfer. In one batch.
static void book(struct workshop *workshop, int count, int *hour)
{
    for (int i = 0; i < count; i++, ++*hour) {
        char start[INSTANT_TEXT_SIZE], finish[INSTANT_TEXT_SIZE];
        struct hour at = {hour_of_text("2026-01-02T00:00:00Z").number + *hour};
        instant_format(hour_start(at), start);
        instant_format(hour_start((struct hour){at.number + 1}), finish);
        workshop_create(workshop, *hour % 3 == 0 ? "zeta" : "acme", 8, start, finish, NULL);
    }
    workshop_commit(workshop);
}

static int64_t count_of(struct workshop *workshop, const char *sql)
{
    return workshop_count(workshop, workshop->path, sql);
}

static void assert_sound(struct workshop *workshop)
{
    struct verify_report report;
    struct ledger_error error = {0};
    if (!ledger_verify(workshop->path, NULL, NULL, &report, &error))
        fail_msg("%s", error.message);
    if (!report.sound)
        fail_msg("%s", report.message);
}

// How many of the tables are filled to the last row.
static int64_t filled(struct workshop *workshop)
{
    return count_of(workshop, "SELECT (event = (SELECT max(seq) FROM event)) "
                              "+ (reservation = (SELECT max(id) FROM reservation)) "
                              "+ (transfer = (SELECT max(id) FROM transfer)) FROM indexed");
}

static int64_t indexed(struct workshop *workshop)
{
    return count_of(workshop, "SELECT (SELECT count(*) FROM tenant_event) + (SELECT count(*) FROM "
                              "tenant_reservation) + (SELECT count(*) FROM tenant_transfer)");
}

static void a_commit_fills_one_table_that_lags_by_a_run(void **state)
{
    struct workshop *workshop = *state;
    int hour = 0;
    int64_t last = 0;
    // Events come first by a few (the manifest's), then all three are there.
    while (last + 10 < POSTING_RUN) {
        assert_int_equal(indexed(workshop), 0);
        book(workshop, 100, &hour);
        last = count_of(workshop, "SELECT max(seq) FROM event");
    }
    assert_int_equal(filled(workshop), last >= POSTING_RUN);
    for (int64_t expected = filled(workshop); expected < 3;) {
        book(workshop, 10, &hour);
        assert_true(count_of(workshop, "SELECT max(seq) FROM event") < 2 * POSTING_RUN);
        int64_t now = filled(workshop);
        assert_true(now == 0 || now == 1); // the others lag again by what was just booked
        assert_sound(workshop);
        expected = count_of(workshop, "SELECT (event > 0) + (reservation > 0) + (transfer > 0) FROM indexed");
    }
    assert_int_equal(count_of(workshop,
                              "SELECT count(*) FROM indexed AS i, event AS e WHERE e.seq <= i.event "
                              "AND e.tenant IS NOT NULL"),
                     count_of(workshop, "SELECT count(*) FROM tenant_event"));
    assert_int_equal(count_of(workshop, "SELECT reservation FROM indexed"),
                     count_of(workshop, "SELECT count(*) FROM tenant_reservation"));
    assert_int_equal(count_of(workshop, "SELECT transfer FROM indexed"),
                     count_of(workshop, "SELECT count(*) FROM tenant_transfer"));
    assert_sound(workshop);
}

static void filling_goes_on_after_a_restart(void **state)
{
    struct workshop *workshop = *state;
    int hour = 0;
    for (int i = 0; i < 4; i++)
        book(workshop, POSTING_RUN / 2 + 10, &hour);
    int64_t before = indexed(workshop);
    assert_true(before > 0);
    workshop_close(workshop);
    workshop_open(workshop);
    assert_int_equal(indexed(workshop), before);
    for (int i = 0; i < 3; i++)
        book(workshop, POSTING_RUN, &hour);
    assert_true(indexed(workshop) >= before + POSTING_RUN);
    assert_sound(workshop);
}

// What can't be filled takes the batch with it, and is filled when the batch is written anew.
static void a_batch_that_can_not_be_indexed_fails(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error = {0};
    int64_t event = count_of(workshop, "SELECT max(seq) FROM event");
    struct row *rows = calloc(POSTING_RUN, sizeof *rows);
    for (int i = 0; i < POSTING_RUN; i++)
        rows[i] = (struct row){.kind = ROW_EVENT,
                               .event = {.seq = event + 1 + i,
                                         .at = workshop->now,
                                         .type = "a.thing",
                                         .tenant = 1,
                                         .data = "{}",
                                         .data_length = 2}};
    struct batch batch = {.seq = ledger_last_batch(workshop->ledger) + 1,
                          .epoch = 1,
                          .at = workshop->now,
                          .rows = rows,
                          .row_count = POSTING_RUN};
    assert_true(workshop_execute(workshop->path, "INSERT INTO tenant_event VALUES (1, 20)"));
    assert_int_equal(ledger_commit(workshop->ledger, &batch, &error), COMMIT_UNKNOWN);
    assert_non_null(strstr(error.message, "index_events"));
    workshop_close(workshop);
    workshop_open(workshop);
    assert_int_equal(count_of(workshop, "SELECT max(seq) FROM event"), event);
    assert_int_equal(count_of(workshop, "SELECT event FROM indexed"), 0);
    assert_true(workshop_execute(workshop->path, "DELETE FROM tenant_event"));
    assert_int_equal(ledger_commit(workshop->ledger, &batch, &error), COMMIT_DONE);
    assert_int_equal(count_of(workshop, "SELECT event FROM indexed"), event + POSTING_RUN);
    free(rows);
    assert_sound(workshop);
}

// ---- Reading

// The numbers of all pages as the readers give them, summed up in an order that matters.
struct listing {
    int64_t count, last, mixed;
};

static void list(struct listing *listing, int64_t number)
{
    assert_true(number > listing->last);
    listing->last = number;
    listing->count++;
    listing->mixed = listing->mixed * 31 % 1000000007 + number;
}

static struct listing listed_in_sql(struct workshop *workshop, const char *sql)
{
    struct listing listing = {0};
    sqlite3 *database;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open_v2(workshop->path, &database, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW)
        list(&listing, sqlite3_column_int64(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return listing;
}

static void assert_same(struct listing read, struct listing expected)
{
    assert_int_equal(read.count, expected.count);
    assert_int_equal(read.last, expected.last);
    assert_int_equal(read.mixed, expected.mixed);
}

static struct listing list_reservations(struct workshop *workshop, struct ledger_reader *reader,
                                        uint32_t tenant, int32_t limit)
{
    struct listing listing = {0};
    struct ledger_error error = {0};
    struct ledger_page page = {.limit = limit};
    struct reservation_filter filter = {.tenant = tenant, .now = workshop->now};
    do {
        struct reservation_image *images;
        size_t count;
        assert_true(
            ledger_read_reservations(reader, &filter, &page, &workshop->arena, &images, &count, &error));
        assert_true(!page.has_next || count == (size_t)limit);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(images[i].row.tenant, tenant);
            assert_int_equal(images[i].slice_count, 1);
            list(&listing, images[i].row.id);
        }
        page.after = page.next;
    } while (page.has_next);
    return listing;
}

static struct listing list_events(struct workshop *workshop, struct ledger_reader *reader, uint32_t tenant,
                                  int32_t limit)
{
    struct listing listing = {0};
    struct ledger_error error = {0};
    struct ledger_page page = {.limit = limit};
    do {
        struct event_row *events;
        size_t count;
        assert_true(ledger_read_events(reader, tenant, &page, &workshop->arena, &events, &count, &error));
        assert_true(!page.has_next || count == (size_t)limit);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(events[i].tenant, tenant);
            list(&listing, events[i].seq);
        }
        page.after = page.next;
    } while (page.has_next);
    return listing;
}

static struct listing list_transfers(struct workshop *workshop, struct ledger_reader *reader, uint32_t tenant,
                                     int32_t limit)
{
    struct listing listing = {0};
    struct ledger_error error = {0};
    struct ledger_page page = {.limit = limit};
    struct transfer_filter filter = {.tenant = tenant};
    do {
        struct transfer_row *transfers;
        size_t count;
        assert_true(
            ledger_read_transfers(reader, &filter, &page, &workshop->arena, &transfers, &count, &error));
        assert_true(!page.has_next || count == (size_t)limit);
        for (size_t i = 0; i < count; i++)
            list(&listing, transfers[i].id);
        page.after = page.next;
    } while (page.has_next);
    return listing;
}

static void compare_lists(struct workshop *workshop, struct ledger_reader *reader, int32_t limit)
{
    for (uint32_t tenant = 1; tenant <= 3; tenant++) {
        char sql[300];
        snprintf(sql, sizeof sql, "SELECT id FROM reservation WHERE tenant = %u ORDER BY id", tenant);
        assert_same(list_reservations(workshop, reader, tenant, limit), listed_in_sql(workshop, sql));
        snprintf(sql, sizeof sql, "SELECT seq FROM event WHERE tenant = %u ORDER BY seq", tenant);
        assert_same(list_events(workshop, reader, tenant, limit), listed_in_sql(workshop, sql));
        snprintf(sql, sizeof sql,
                 "SELECT t.id FROM transfer AS t JOIN contract_period AS p ON p.id = t.period "
                 "JOIN contract AS k ON k.id = p.contract WHERE k.tenant = %u ORDER BY t.id",
                 tenant);
        assert_same(list_transfers(workshop, reader, tenant, limit), listed_in_sql(workshop, sql));
    }
}

// With none of it indexed, some, most: lists and pages are the same as if there were no such tables.
static void lists_are_the_same_however_much_is_indexed(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_reader *reader;
    struct ledger_error error = {0};
    int hour = 0;
    assert_true(ledger_reader_open(workshop->path, &reader, &error));
    static const int counts[] = {1, 40, POSTING_RUN, 1, 1, 1, 17, POSTING_RUN / 2, POSTING_RUN / 2, 3, 30};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        book(workshop, counts[i], &hour);
        for (int32_t limit = i < 2 ? 1 : 250; limit <= 5000; limit = limit * 4 + 3)
            compare_lists(workshop, reader, limit);
    }
    assert_true(indexed(workshop) > 3 * POSTING_RUN);
    assert_true(count_of(workshop, "SELECT event < (SELECT max(seq) FROM event) FROM indexed"));
    // One page is cut by the mark at every place.
    book(workshop, 30, &hour);
    int64_t mark = count_of(workshop, "SELECT reservation FROM indexed");
    for (int64_t after = mark - 8; after <= mark + 1; after++) {
        struct ledger_page page = {.after = after, .limit = 4};
        struct reservation_filter filter = {.tenant = 1, .now = workshop->now};
        struct reservation_image *images;
        size_t count;
        char sql[300];
        assert_true(
            ledger_read_reservations(reader, &filter, &page, &workshop->arena, &images, &count, &error));
        assert_int_equal(count, 4);
        assert_true(page.has_next);
        for (size_t k = 0; k < count; k++) {
            snprintf(
                sql, sizeof sql,
                "SELECT id FROM reservation WHERE tenant = 1 AND id > %lld ORDER BY id LIMIT 1 OFFSET %zu",
                (long long)after, k);
            assert_int_equal(images[k].row.id, count_of(workshop, sql));
        }
    }
    ledger_reader_close(reader);
}

// Every statement that reads a tenant's list enters its tables at a key and sorts nothing.
static void no_list_is_read_through_or_sorted(void **state)
{
    struct workshop *workshop = *state;
    static const enum statement statements[] = {
        STATEMENT_READ_TENANT_RESERVATIONS, STATEMENT_READ_TENANT_EVENTS,
        STATEMENT_READ_TENANT_TRANSFERS,    STATEMENT_READ_TENANT_RESERVATIONS_SINCE,
        STATEMENT_READ_TENANT_EVENTS_SINCE, STATEMENT_READ_TENANT_TRANSFERS_SINCE,
    };
    sqlite3 *database;
    assert_int_equal(sqlite3_open_v2(workshop->path, &database, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", statement_sql[statements[i]]);
        sqlite3_stmt *plan;
        int steps = 0;
        assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &plan, NULL), SQLITE_OK);
        while (sqlite3_step(plan) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(plan, 3);
            bool is_small = strcmp(step, "SCAN indexed") == 0 || strcmp(step, "SCAN k") == 0; // contracts
            if (strstr(step, "TEMP B-TREE") != NULL || (strstr(step, "SCAN ") != NULL && !is_small))
                fail_msg("%s: %s", statement_names[statements[i]], step);
            steps += strstr(step, "SEARCH ") != NULL;
        }
        assert_true(steps > 0);
        sqlite3_finalize(plan);
        sqlite3_free(sql);
    }
    sqlite3_close(database);
}

// ---- Verifying

static void what_is_wrong_in_them_is_found(void **state)
{
    struct workshop *workshop = *state;
    static const struct {
        const char *sql, *found[2];
    } faults[] = {
        {"DELETE FROM tenant_event WHERE event = 100", {"tenant_event: tenant 1 lacks its event 100"}},
        {"DELETE FROM tenant_reservation WHERE reservation = 100",
         {"tenant_reservation: tenant 2 lacks its reservation 100"}},
        {"DELETE FROM tenant_transfer WHERE transfer = 100",
         {"tenant_transfer: tenant", "lacks its transfer 100"}},
        {"UPDATE tenant_event SET tenant = 2 WHERE event = 100",
         {"tenant_event: tenant 2 has event 100", "another's"}},
        {"UPDATE tenant_reservation SET tenant = 1 WHERE reservation = 100",
         {"tenant_reservation: tenant 1 has reservation 100"}},
        {"UPDATE tenant_transfer SET tenant = 9 WHERE transfer = 100",
         {"tenant_transfer: tenant 9 has transfer 100"}},
        {"INSERT INTO tenant_event VALUES (1, 1000000)", {"tenant_event: tenant 1 has event 1000000"}},
        {"INSERT INTO tenant_transfer VALUES (1, 1000000)", {"tenant_transfer", "1000000"}},
        {"INSERT INTO tenant_reservation VALUES (2, 2)", {"tenant_reservation: tenant 2 has reservation 2,"}},
        // Through a row that is neither missing nor another's: the marks alone are wrong.
        {"UPDATE indexed SET reservation = reservation - 1", {"tenant_reservation", "comes after"}},
        {"UPDATE indexed SET event = event - 1", {"tenant_event", "comes after"}},
        {"UPDATE indexed SET transfer = transfer + 1", {"tenant_transfer", "lacks its transfer"}},
        {"UPDATE indexed SET event = 1000000", {"indexed: its event is 1000000, but the last"}},
        {"DELETE FROM indexed", {"indexed", "missing"}},
    };
    int hour = 0;
    for (int i = 0; i < 4; i++)
        book(workshop, POSTING_RUN / 2 + 10, &hour);
    for (int i = 0; i < 3; i++)
        book(workshop, 1, &hour);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        char path[PATH_SIZE];
        struct ledger_error error = {0};
        struct verify_report report;
        char name[40];
        snprintf(name, sizeof name, "fault-%zu.db", i);
        workshop_path(workshop, name, path);
        if (!ledger_backup(workshop->path, path, &error))
            fail_msg("%s", error.message);
        assert_true(ledger_verify(path, NULL, NULL, &report, &error));
        assert_true(report.sound);
        if (!workshop_execute(path, faults[i].sql))
            fail_msg("not carried out: %s", faults[i].sql);
        if (!ledger_verify(path, NULL, NULL, &report, &error))
            fail_msg("%s: %s", faults[i].sql, error.message);
        if (report.sound)
            fail_msg("not found: %s", faults[i].sql);
        for (int k = 0; k < 2 && faults[i].found[k] != NULL; k++)
            if (strstr(report.message, faults[i].found[k]) == NULL)
                fail_msg("%s: \"%s\" does not say \"%s\"", faults[i].sql, report.message, faults[i].found[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_commit_fills_one_table_that_lags_by_a_run, begin, end),
        cmocka_unit_test_setup_teardown(filling_goes_on_after_a_restart, begin, end),
        cmocka_unit_test_setup_teardown(a_batch_that_can_not_be_indexed_fails, begin, end),
        cmocka_unit_test_setup_teardown(lists_are_the_same_however_much_is_indexed, begin, end),
        cmocka_unit_test_setup_teardown(no_list_is_read_through_or_sorted, begin, end),
        cmocka_unit_test_setup_teardown(what_is_wrong_in_them_is_found, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
