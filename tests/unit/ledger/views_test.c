// The views say what the book says, by the same clock, between any two writes.
#include "workshop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct workshop workshop;

static int begin(void **state)
{
    (void)state;
    workshop_begin(&workshop);
    return 0;
}

static int end(void **state)
{
    (void)state;
    workshop_end(&workshop);
    return 0;
}

// A member of the JSON of something, as text; "null" for null.
static char *member_of(const char *text, const char *member)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\":", member);
    const char *found = strstr(text, key);
    assert_non_null(found);
    found += strlen(key);
    bool quoted = *found == '"';
    found += quoted;
    return arena_copy(&workshop.arena, found, strcspn(found, quoted ? "\"" : ",}"));
}

static void assert_view(const char *view, const char *column, const char *where, const char *expected)
{
    char *sql = sqlite3_mprintf("SELECT %s FROM %s WHERE %s", column, view, where);
    const char *found = workshop_query(&workshop, workshop.path, sql);
    if (strcmp(expected, found == NULL ? "null" : found) != 0)
        fail_msg("%s: %s, expected %s", sql, found == NULL ? "null" : found, expected);
    sqlite3_free(sql);
}

static void assert_money(const char *view, const char *column, const char *where, const char *json,
                         const char *member)
{
    char name[64], *said = member_of(json, member);
    char micro[32] = "null";
    if (strcmp(said, "null") != 0)
        snprintf(micro, sizeof micro, "%lld", (long long)amount_of_text(said).micro);
    snprintf(name, sizeof name, "%s_micro", column);
    assert_view(view, name, where, micro);
    // The text is the same amount.
    if (strcmp(said, "null") != 0) {
        char *sql = sqlite3_mprintf("SELECT \"%s\" FROM %s WHERE %s", column, view, where);
        assert_int_equal(amount_of_text(workshop_query(&workshop, workshop.path, sql)).micro,
                         amount_of_text(said).micro);
        sqlite3_free(sql);
    }
}

static void assert_periods(void)
{
    static const char *const commitment[] = {
        "commit",    "deferred_in",   "relief",    "floor",   "credit",     "used",     "shortfall",
        "available", "overage_limit", "authority", "overage", "encumbered", "consumed", "fees"};
    static const char *const due[] = {"due",  "billed", "surcharge",    "relief",     "credit",
                                      "fees", "waived", "deferred_out", "credit_used"};
    for (uint32_t i = 1; i <= book_period_count(workshop.book); i++) {
        struct buffer out = {0};
        struct json json = json_begin(&out);
        json_write_object(&json, NULL);
        book_write_period(workshop.book, &json, i, workshop.now);
        json_write_object_end(&json);
        char where[200];
        snprintf(where, sizeof where, "contract = '%s' AND period_start = '%s'",
                 member_of(out.data, "contract"), member_of(out.data, "period_start"));
        for (size_t k = 0; k < sizeof commitment / sizeof commitment[0]; k++)
            assert_money("v_commitment", commitment[k], where, out.data, commitment[k]);
        for (size_t k = 0; k < sizeof due / sizeof due[0]; k++)
            assert_money("v_due", due[k], where, out.data, due[k]);
        char percent[64], *said = member_of(out.data, "percent");
        if (strcmp(said, "null") != 0) {
            snprintf(percent, sizeof percent, "%lld", (long long)(amount_of_text(said).micro / 10000));
            assert_view("v_commitment", "percent_bp", where, percent);
        }
        buffer_free(&out);
    }
}

static void assert_reservations(void)
{
    static const char *const members[] = {"tenant",    "client_ref",   "state",   "pool",
                                          "gpus",      "start",        "end",     "tier",
                                          "gpu_hours", "hold_expires", "project", "created"};
    for (int64_t id = 1; book_reservation_owner(workshop.book, id) != 0; id++) {
        struct reservation_image image;
        if (!book_reservation(workshop.book, id, workshop.now, &image))
            continue;
        struct buffer out = {0};
        struct json json = json_begin(&out);
        json_write_object(&json, NULL);
        book_write_reservation(workshop.book, &json, &image, workshop.now);
        json_write_object_end(&json);
        char where[32];
        snprintf(where, sizeof where, "id = %lld", (long long)id);
        for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
            assert_view("v_reservation", members[i], where, member_of(out.data, members[i]));
        assert_money("v_reservation", "cost", where, out.data, "cost");
        assert_money("v_reservation", "fees", where, out.data, "fees");
        buffer_free(&out);
    }
}

static void assert_calendar(void)
{
    struct hour hour = hour_of_instant(workshop.now), end = book_horizon_end(workshop.book, workshop.now);
    while (hour.number < end.number) {
        int32_t free, capacity;
        struct hour until;
        char text[INSTANT_TEXT_SIZE], where[200], number[16];
        book_calendar_step(workshop.book, 1, hour, end, &free, &capacity, &until);
        instant_format(hour_start(hour), text);
        snprintf(where, sizeof where,
                 "pool = 'colossus-1/h100' AND start <= '%s' AND (end > '%s' OR end IS NULL)", text, text);
        snprintf(number, sizeof number, "%d", free);
        assert_view("v_capacity", "free", where, number);
        snprintf(number, sizeof number, "%d", capacity);
        assert_view("v_capacity", "capacity", where, number);
        hour = until;
    }
}

static void assert_views(void)
{
    assert_periods();
    assert_reservations();
    assert_calendar();
    assert_view("v_overbooked", "count(*)", "1", "0");
    assert_view("v_trial_balance", "sum(balance_micro)", "1", "0");
}

static void views_say_what_the_book_says(void **state)
{
    (void)state;
    workshop_manifest(&workshop);
    workshop_commit(&workshop);
    assert_views();
    workshop_create(&workshop, "acme", 64, "2026-01-01T00:00:00Z", "2026-02-15T00:00:00Z", "job-1");
    workshop_create(&workshop, "zeta", 16, "2026-01-01T05:00:00Z", "2026-01-01T06:00:00Z", NULL);
    // More than acme's commit, so that there is overage and surcharge.
    workshop_create(&workshop, "acme", 512, "2026-03-01T00:00:00Z", "2026-04-08T00:00:00Z", NULL);
    struct leg leg = {.pool = "colossus-1/h100",
                      .gpus = 8,
                      .start = hour_of_text("2026-05-01T00:00:00Z"),
                      .end = hour_of_text("2026-05-02T00:00:00Z")};
    assert_int_equal(
        workshop_decide(&workshop,
                        (struct request){.kind = REQUEST_CREATE,
                                         .create = {.legs = &leg, .leg_count = 1, .hold_seconds = 5400}}),
        VERDICT_DONE);
    workshop_commit(&workshop);
    assert_views();
    // Batches without the writing of starts and ends: states are by the clock all the same.
    static const char *const times[] = {
        "2026-01-01T01:10:00Z", "2026-01-01T01:30:00Z", "2026-01-01T05:59:59Z", "2026-01-01T06:00:00Z",
        "2026-01-20T12:00:00Z", "2026-02-01T00:00:00Z", "2026-03-15T07:30:00Z", "2026-07-01T00:00:00Z",
        "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z", "2027-05-05T05:05:05Z", "2028-01-01T00:00:00Z"};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        workshop_advance(&workshop, times[i]);
        assert_views();
    }
}

static void dollars_keep_their_sign(void **state)
{
    (void)state;
    char copy[PATH_SIZE];
    struct ledger_error error;
    workshop_manifest(&workshop);
    workshop_commit(&workshop);
    workshop_path(&workshop, "copy.db", copy);
    assert_true(ledger_backup(workshop.path, copy, &error));
    assert_true(workshop_execute(copy, "UPDATE account SET balance_micro = -500000 WHERE id = 1"));
    assert_string_equal(workshop_query(&workshop, copy, "SELECT balance FROM v_trial_balance WHERE id = 1"),
                        "-0.500000");
}

static void statements_run_with_their_balances(void **state)
{
    (void)state;
    workshop_live(&workshop);
    // Each account's last running balance is its balance.
    assert_int_equal(
        workshop_count(
            &workshop, workshop.path,
            "WITH last AS (SELECT account, balance_micro FROM (SELECT id, debit_account AS account, "
            "debit_balance_micro AS balance_micro FROM v_statement UNION ALL SELECT id, credit_account, "
            "credit_balance_micro FROM v_statement) GROUP BY account HAVING id = max(id)) "
            "SELECT count(*) FROM last JOIN v_trial_balance AS b USING (account) "
            "WHERE last.balance_micro <> b.balance_micro"),
        0);
    assert_int_equal(workshop_count(&workshop, workshop.path, "SELECT count(*) FROM v_statement"),
                     workshop_count(&workshop, workshop.path, "SELECT count(*) FROM transfer"));
}

static void days_add_up(void **state)
{
    (void)state;
    workshop_live(&workshop);
    assert_int_equal(
        workshop_count(&workshop, workshop.path, "SELECT sum(gpu_hours_booked) FROM v_utilisation_daily"),
        workshop_count(&workshop, workshop.path, "SELECT sum(gpu_hours) FROM reservation"));
    assert_view("v_utilisation_daily", "gpu_hours_offered", "day = '2026-07-07'", "24576");
    assert_view("v_utilisation_daily", "gpu_hours_booked", "day = '2026-01-01'", "1536");
    assert_view("v_utilisation_daily", "percent", "day = '2026-01-01'", "6.25");
}

static void now_is_the_last_batch(void **state)
{
    (void)state;
    assert_view("v_now", "now", "1", "2026-01-01T00:00:00Z");
    workshop_manifest(&workshop);
    workshop_advance(&workshop, "2026-01-02T03:04:05Z");
    assert_view("v_now", "now", "1", "2026-01-02T03:04:05Z");
    assert_view("v_now", "batch", "1", "1");
    assert_view("v_event", "tenant", "type = 'contract.added' AND data LIKE '%zeta%'", "zeta");
    assert_view("v_interruption", "count(*)", "1", "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(views_say_what_the_book_says, begin, end),
        cmocka_unit_test_setup_teardown(dollars_keep_their_sign, begin, end),
        cmocka_unit_test_setup_teardown(statements_run_with_their_balances, begin, end),
        cmocka_unit_test_setup_teardown(days_add_up, begin, end),
        cmocka_unit_test_setup_teardown(now_is_the_last_batch, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
