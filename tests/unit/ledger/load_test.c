// Loading: a book that is loaded from its ledger is the book that was live, in all that can be seen of it,
// and goes on deciding the same.
#include "workshop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int begin(void **state)
{
    struct workshop *workshop = calloc(1, sizeof *workshop);
    *state = workshop;
    workshop_begin(workshop);
    return 0;
}

static int end(void **state)
{
    workshop_end(*state);
    free(*state);
    return 0;
}

static void write_reservations(const struct book *book, struct json *json, struct instant now)
{
    json_write_array(json, "reservations");
    for (int64_t id = 1; book_reservation_owner(book, id) != 0; id++) {
        struct reservation_image image;
        json_write_object(json, NULL);
        json_write_integer(json, "owner", book_reservation_owner(book, id));
        if (book_reservation(book, id, now, &image))
            book_write_reservation(book, json, &image, now);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

static void write_calendar(const struct book *book, struct json *json, struct instant now)
{
    struct hour hour = hour_of_instant(now), end = book_horizon_end(book, now);
    json_write_array(json, "calendar");
    while (hour.number < end.number) {
        int32_t free, capacity;
        book_calendar_step(book, 1, hour, end, &free, &capacity, &hour);
        json_write_hour(json, NULL, hour);
        json_write_integer(json, NULL, free);
        json_write_integer(json, NULL, capacity);
    }
    json_write_array_end(json);
}

// All that can be seen of a book.
static char *portrait(struct workshop *workshop)
{
    const struct book *book = workshop->book;
    struct buffer out = {0};
    struct json json = json_begin(&out);
    json_write_object(&json, NULL);
    book_write_manifest(book, &json);
    for (uint32_t i = 1; i <= book_period_count(book); i++) {
        json_write_object(&json, "period");
        book_write_period(book, &json, i, workshop->now);
        json_write_object_end(&json);
    }
    write_reservations(book, &json, workshop->now);
    write_calendar(book, &json, workshop->now);
    for (size_t i = 0; i < book_token_count(book); i++)
        json_write_text(&json, "token", book_token(book, i)->label);
    uint32_t tenant;
    json_write_bool(&json, "uid 1001", book_uid(book, 1001, &tenant));
    bool is_group;
    json_write_integer(&json, "pair", book_client_ref(book, 1, "pair", &is_group));
    json_write_integer(&json, "job-1 of acme", book_client_ref(book, 1, "job-1", &is_group));
    json_write_integer(&json, "job-1 of zeta", book_client_ref(book, 2, "job-1", &is_group));
    struct instant due = {0};
    if (book_next_due(book, &due))
        json_write_instant(&json, "next due", due);
    json_write_instant(&json, "time", book_time(book));
    json_write_object_end(&json);
    return out.data;
}

static void reload(struct workshop *workshop)
{
    char *live = portrait(workshop);
    workshop_close(workshop);
    workshop_open(workshop);
    char *loaded = portrait(workshop);
    assert_string_equal(loaded, live);
    free(live);
    free(loaded);
}

static void a_loaded_book_is_the_live_one(void **state)
{
    struct workshop *workshop = *state;
    workshop_manifest(workshop);
    workshop_commit(workshop);
    reload(workshop);
    workshop_create(workshop, "acme", 64, "2026-01-01T00:00:00Z", "2026-02-15T00:00:00Z", "job-1");
    workshop_create(workshop, "zeta", 16, "2026-01-01T05:00:00Z", "2026-01-01T06:00:00Z", "job-1");
    int64_t cancelled =
        workshop_create(workshop, "zeta", 8, "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", NULL);
    workshop_commit(workshop);
    reload(workshop);
    workshop_advance(workshop, "2026-01-01T05:20:00Z");
    // Its running hour stays sold.
    workshop_cancel(workshop, "zeta", cancelled);
    workshop_commit(workshop);
    assert_int_equal(book_free(workshop->book, 1, hour_of_text("2026-01-01T05:00:00Z")), 1024 - 64 - 16 - 8);
    reload(workshop);
    assert_int_equal(book_free(workshop->book, 1, hour_of_text("2026-01-01T05:00:00Z")), 1024 - 64 - 16 - 8);
    assert_false(book_reservation_live(workshop->book, cancelled));
    assert_int_equal(book_reservation_owner(workshop->book, cancelled), 2);
    workshop_advance(workshop, "2026-04-01T00:00:00Z");
    reload(workshop);
    workshop_advance(workshop, "2027-02-03T07:00:00Z");
    reload(workshop);
}

// What zeta's first period shows of what was delivered.
static void assert_delivered(struct workshop *workshop, const char *expected)
{
    struct buffer out = {0};
    struct json json = json_begin(&out);
    book_write_period(workshop->book, &json, 3, workshop->now);
    char *found = strstr(out.data, "\"encumbered\"");
    assert_non_null(found);
    if (strncmp(found, expected, strlen(expected)) != 0)
        fail_msg("%.80s, and should be %s", found, expected);
    buffer_free(&out);
}

// What is cancelled exactly on the hour is delivered until then and no longer, also after a restart at that
// very instant: 5 hours of 8 GPUs at $1.90.
static void a_cancel_on_the_hour_is_loaded(void **state)
{
    struct workshop *workshop = *state;
    workshop_manifest(workshop);
    int64_t cancelled =
        workshop_create(workshop, "zeta", 8, "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z", NULL);
    workshop_commit(workshop);
    workshop_advance(workshop, "2026-01-01T05:00:00Z");
    workshop_cancel(workshop, "zeta", cancelled);
    workshop_commit(workshop);
    reload(workshop);
    workshop_advance(workshop, "2026-01-01T09:00:00Z");
    assert_delivered(workshop, "\"encumbered\":\"0.00\",\"consumed\":\"76.00\"");
}

// Where one booking takes over from another that cost the same, nothing changes in what is delivered an hour:
// 8 GPUs at $1.90 for 3 hours, and for 5 of the next 7.
static void bookings_back_to_back_are_loaded(void **state)
{
    struct workshop *workshop = *state;
    workshop_manifest(workshop);
    workshop_create(workshop, "zeta", 8, "2026-01-01T02:00:00Z", "2026-01-01T05:00:00Z", NULL);
    workshop_create(workshop, "zeta", 8, "2026-01-01T05:00:00Z", "2026-01-01T12:00:00Z", NULL);
    workshop_commit(workshop);
    workshop_advance(workshop, "2026-01-01T07:00:00Z");
    reload(workshop);
    workshop_advance(workshop, "2026-01-01T10:00:00Z");
    assert_delivered(workshop, "\"encumbered\":\"30.40\",\"consumed\":\"121.60\"");
}

static void everything_is_loaded(void **state)
{
    struct workshop *workshop = *state;
    workshop_live(workshop);
    struct request token = {.kind = REQUEST_TOKEN_CREATE, .tenant = "acme", .token = {.label = "gateway"}};
    for (int i = 0; i < DIGEST_SIZE; i++)
        token.token.salt.bytes[i] = token.token.hash.bytes[i] = (uint8_t)i;
    assert_int_equal(workshop_decide(workshop, token), VERDICT_DONE);
    token.kind = REQUEST_TOKEN_REVOKE;
    struct request change = {.kind = REQUEST_CAPACITY_CHANGE,
                             .capacity = {.pool = "colossus-1/h100",
                                          .kind = CAPACITY_GROWTH,
                                          .gpus = 512,
                                          .start = hour_of_text("2027-06-01T00:00:00Z"),
                                          .end = HOUR_NEVER,
                                          .note = "phase 2"}};
    assert_int_equal(workshop_decide(workshop, change), VERDICT_DONE);
    workshop_commit(workshop);
    reload(workshop);
    assert_int_equal(book_token_count(workshop->book), 1);
    assert_int_equal(book_token(workshop->book, 0)->hash.bytes[31], 31);
    assert_false(book_token(workshop->book, 0)->revoked);
    assert_int_equal(workshop_decide(workshop, token), VERDICT_DONE);
    workshop_commit(workshop);
    reload(workshop);
    assert_true(book_token(workshop->book, 0)->revoked);
}

static void a_loaded_book_goes_on_as_the_live_one(void **state)
{
    struct workshop *workshop = *state;
    static struct workshop other;
    workshop_begin(&other);
    workshop_live(workshop);
    workshop_live(&other);
    workshop_close(&other);
    workshop_open(&other);
    for (int i = 0; i < 2; i++) {
        struct workshop *one = i == 0 ? workshop : &other;
        workshop_advance(one, "2027-03-10T10:10:10Z");
        workshop_create(one, "acme", 8, "2027-04-01T00:00:00Z", "2027-04-02T00:00:00Z", "later");
        workshop_commit(one);
    }
    const char *hash = "SELECT hex(hash) FROM batch ORDER BY seq DESC LIMIT 1";
    assert_string_equal(workshop_query(workshop, workshop->path, hash),
                        workshop_query(&other, other.path, hash));
    // And the same ref finds its booking.
    struct leg leg = {.pool = "colossus-1/h100",
                      .gpus = 8,
                      .start = hour_of_text("2027-04-01T00:00:00Z"),
                      .end = hour_of_text("2027-04-02T00:00:00Z"),
                      .project = "llm",
                      .note = "with a \"quote\" and ünïcode"};
    workshop_close(&other);
    workshop_open(&other);
    assert_int_equal(workshop_decide(&other, (struct request){.kind = REQUEST_CREATE,
                                                              .client_ref = "later",
                                                              .create = {.legs = &leg, .leg_count = 1}}),
                     VERDICT_DONE);
    assert_true(other.decision.replayed);
    workshop_end(&other);
}

// Changed by hand, with SQLite's own checks off: refused with a word on where, whatever it would do to the
// book.
static void what_does_not_fit_is_refused(void **state)
{
    static const char *const changes[][2] = {
        {"UPDATE site SET id = 7", "table site"},
        {"UPDATE pool SET site = 9", "table pool"},
        {"UPDATE tenant SET id = 4000000000 WHERE id = 2", "table tenant"},
        {"UPDATE contract SET tenant = 2147483647 WHERE id = 1", "table contract"},
        {"UPDATE contract SET end = start", "table contract"},
        {"UPDATE contract_period SET contract = 3000000000 WHERE id = 4", "table contract_period"},
        {"UPDATE contract_period SET delivered_through = 0 WHERE id = 2", "table contract_period"},
        {"UPDATE contract_period SET instalments_billed = 4000000000 WHERE id = 2", "table contract_period"},
        {"DELETE FROM contract_period WHERE id = 3", "table contract_period"},
        {"UPDATE account SET period = 2147483647 WHERE period = 4 AND kind = 'fees'", "table account"},
        {"UPDATE account SET period = NULL WHERE period = 4 AND kind = 'fees'", "table account"},
        {"DELETE FROM account WHERE id = 9", "table account"},
        {"UPDATE tenant_uid SET tenant = 8", "table tenant_uid"},
        {"UPDATE reservation SET pool = 2147483647 WHERE id = 1", "table reservation"},
        {"UPDATE reservation SET tenant = 0 WHERE id = 1", "table reservation"},
        {"UPDATE reservation SET id = 4611686018427387904 WHERE id = 7", "table reservation"},
        {"UPDATE slice SET period = 0 WHERE reservation = 7", "table slice"},
        {"UPDATE slice SET period = 1 WHERE reservation = 7", "table slice"},
        {"UPDATE slice SET price_micro = 4611686018427387904 WHERE reservation = 7", "table slice"},
    };
    struct workshop *workshop = *state;
    workshop_live(workshop);
    workshop_close(workshop);
    char kept[PATH_SIZE], wal[PATH_SIZE + 4];
    workshop_path(workshop, "kept.db", kept);
    struct ledger_error error = {0};
    assert_true(ledger_backup(workshop->path, kept, &error));
    snprintf(wal, sizeof wal, "%s-wal", workshop->path);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        remove(wal);
        copy_file(kept, workshop->path);
        char *sql = sqlite3_mprintf("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; %s",
                                    changes[i][0]);
        assert_true(workshop_execute(workshop->path, sql));
        sqlite3_free(sql);
        struct ledger *ledger = NULL;
        struct ledger_options options = workshop_options(workshop);
        assert_true(ledger_open(&options, &ledger, &error));
        struct book *book = book_create(&(struct book_options){.horizon_years = 10});
        if (ledger_load(ledger, book, &error))
            fail_msg("it was loaded: %s", changes[i][0]);
        if (strstr(error.message, changes[i][1]) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", changes[i][0], error.message, changes[i][1]);
        book_destroy(book);
        ledger_close(ledger);
    }
    remove(wal);
    copy_file(kept, workshop->path);
    workshop_open(workshop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_loaded_book_is_the_live_one, begin, end),
        cmocka_unit_test_setup_teardown(a_cancel_on_the_hour_is_loaded, begin, end),
        cmocka_unit_test_setup_teardown(bookings_back_to_back_are_loaded, begin, end),
        cmocka_unit_test_setup_teardown(everything_is_loaded, begin, end),
        cmocka_unit_test_setup_teardown(a_loaded_book_goes_on_as_the_live_one, begin, end),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_refused, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
