// Committing: what is written is there after a restart, what fails leaves everything as it was, and what
// happened can't be changed.
#include "ledger/file.h"
#include "workshop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static enum commit_outcome commit_rows(struct workshop *workshop, int64_t seq, const struct row *rows,
                                       size_t count, struct ledger_error *error)
{
    struct batch batch = {.seq = seq, .epoch = 1, .at = workshop->now, .rows = rows, .row_count = count};
    return ledger_commit(workshop->ledger, &batch, error);
}

static void a_commit_is_there_after_a_restart(void **state)
{
    struct workshop *workshop = *state;
    workshop_live(workshop);
    int64_t last = ledger_last_batch(workshop->ledger);
    workshop_close(workshop);
    workshop_open(workshop);
    assert_int_equal(ledger_last_batch(workshop->ledger), last);
    assert_int_equal(ledger_last_time(workshop->ledger).seconds,
                     instant_of_text("2027-01-05T00:00:00Z").seconds);
    assert_int_equal(workshop_count(workshop, workshop->path, "SELECT count(*) FROM batch"), last);
    assert_int_equal(workshop_count(workshop, workshop->path, "SELECT count(*) FROM reservation"), 7);
}

static void a_batch_that_is_there_is_done_without_being_written(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error = {0};
    struct row site = {.kind = ROW_SITE, .site = {.id = 1, .site = "north"}};
    struct row other = {.kind = ROW_SITE, .site = {.id = 2, .site = "south"}};
    assert_int_equal(commit_rows(workshop, 1, &site, 1, &error), COMMIT_DONE);
    assert_int_equal(commit_rows(workshop, 1, &other, 1, &error), COMMIT_DONE);
    assert_int_equal(workshop_count(workshop, workshop->path, "SELECT count(*) FROM site"), 1);
    assert_int_equal(ledger_last_batch(workshop->ledger), 1);
}

static void a_gap_between_batches_is_not_written(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error = {0};
    assert_int_equal(commit_rows(workshop, 2, NULL, 0, &error), COMMIT_UNKNOWN);
    assert_non_null(strstr(error.message, "batch 2"));
}

static void a_row_that_the_schema_refuses_takes_the_batch_with_it(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error = {0};
    struct row rows[2] = {
        {.kind = ROW_SITE, .site = {.id = 1, .site = "north"}},
        {.kind = ROW_POOL, .pool = {.id = 1, .site = 99, .pool = "p", .gpu = "g", .unit = 1}}};
    assert_int_equal(commit_rows(workshop, 1, rows, 2, &error), COMMIT_UNKNOWN);
    assert_int_equal(error.sqlite_code, SQLITE_CONSTRAINT_FOREIGNKEY);
    assert_non_null(strstr(error.message, "FOREIGN KEY"));
    // The handle is not used again, even for what would be sound.
    assert_int_equal(commit_rows(workshop, 1, rows, 1, &error), COMMIT_UNKNOWN);
    bool busy;
    assert_false(ledger_checkpoint(workshop->ledger, &busy, &error));
    workshop_close(workshop);
    workshop_open(workshop);
    assert_int_equal(ledger_last_batch(workshop->ledger), 0);
    assert_int_equal(workshop_count(workshop, workshop->path, "SELECT count(*) FROM site"), 0);
    assert_int_equal(commit_rows(workshop, 1, rows, 1, &error), COMMIT_DONE);
}

// Rows are written kind after kind, so that what one names is there before it; of several for the same thing
// the last one holds.
static void rows_of_a_batch_may_come_in_any_order(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error = {0};
    struct hour start = hour_of_text("2026-02-01T00:00:00Z"), end = hour_of_text("2026-02-02T00:00:00Z");
    struct reservation_row held = {.id = 1,
                                   .tenant = 1,
                                   .pool = 1,
                                   .state = STATE_HELD,
                                   .start = start,
                                   .end = end,
                                   .gpus = 8,
                                   .created = workshop->now,
                                   .last_slice = 2,
                                   .last_layer = 1};
    struct reservation_row booked = held;
    booked.state = STATE_BOOKED;
    struct slice_row first = {.reservation = 1,
                              .number = 1,
                              .layer = 1,
                              .start = start,
                              .end = end,
                              .gpus = 8,
                              .price = amount_of_text("2.00"),
                              .period = 1};
    struct slice_row gone = first, second = first;
    gone.removed = true;
    second.number = 2;
    struct account_row authority = {.id = 1, .contract = 1, .period = 1, .kind = ACCOUNT_AUTHORITY};
    struct account_row encumbered = {.id = 2, .contract = 1, .period = 1, .kind = ACCOUNT_ENCUMBERED};
    struct account_row authority_after = authority, encumbered_after = encumbered;
    authority_after.balance.micro = -5;
    encumbered_after.balance.micro = 5;
    struct contract_period_row period = {
        .id = 1, .contract = 1, .number = 1, .start = start, .end = end, .delivered_through = start};
    struct row rows[] = {
        {.kind = ROW_TRANSFER,
         .transfer = {.id = 1,
                      .at = workshop->now,
                      .kind = TRANSFER_BOOK,
                      .debit_account = 1,
                      .credit_account = 2,
                      .amount = {5},
                      .period = 1,
                      .reservation = 1,
                      .event = 1}},
        {.kind = ROW_SLICE, .slice = first},
        {.kind = ROW_SLICE, .slice = gone},
        {.kind = ROW_SLICE, .slice = second},
        {.kind = ROW_RESERVATION, .reservation = held},
        {.kind = ROW_RESERVATION, .reservation = booked},
        {.kind = ROW_ACCOUNT, .account = authority},
        {.kind = ROW_ACCOUNT, .account = encumbered},
        {.kind = ROW_ACCOUNT, .account = authority_after},
        {.kind = ROW_ACCOUNT, .account = encumbered_after},
        {.kind = ROW_CONTRACT_PERIOD, .contract_period = period},
        {.kind = ROW_CONTRACT,
         .contract =
             {.id = 1, .tenant = 1, .contract = "acme-2026", .start = start, .end = end, .version = 1}},
        {.kind = ROW_EVENT,
         .event = {.seq = 1,
                   .at = workshop->now,
                   .type = "reservation.booked",
                   .tenant = 1,
                   .reservation = 1,
                   .data = "{}rest",
                   .data_length = 2}},
        {.kind = ROW_TENANT, .tenant = {.id = 1, .tenant = "acme"}},
        {.kind = ROW_POOL, .pool = {.id = 1, .site = 1, .pool = "north/g", .gpu = "g", .unit = 1}},
        {.kind = ROW_SITE, .site = {.id = 1, .site = "north"}},
    };
    assert_int_equal(commit_rows(workshop, 1, rows, sizeof rows / sizeof *rows, &error), COMMIT_DONE);
    const char *path = workshop->path;
    assert_string_equal(workshop_query(workshop, path, "SELECT state FROM reservation"), "booked");
    assert_string_equal(workshop_query(workshop, path, "SELECT group_concat(number) FROM slice"), "2");
    assert_string_equal(workshop_query(workshop, path, "SELECT data FROM event"), "{}");
    const char *balances = "SELECT group_concat(balance_micro) FROM (SELECT * FROM account ORDER BY id)";
    assert_string_equal(workshop_query(workshop, path, balances), "-5,5");
    // Accounts that exist get their balance and nothing else; other accounts stay as they are.
    struct row later[] = {
        {.kind = ROW_ACCOUNT,
         .account = {.id = 2, .contract = 1, .period = 1, .kind = ACCOUNT_ENCUMBERED, .balance = {7}}},
        {.kind = ROW_ACCOUNT, .account = {.id = 3, .contract = 1, .kind = ACCOUNT_CHARGES, .balance = {9}}},
    };
    assert_int_equal(commit_rows(workshop, 2, later, 2, &error), COMMIT_DONE);
    assert_string_equal(workshop_query(workshop, path, balances), "-5,7,9");
    // Opened anew, the ledger still knows which accounts it has.
    later[0].account.balance.micro = 8;
    workshop_close(workshop);
    assert_true(ledger_open(&(struct ledger_options){.path = path, .manual_clock = true, .writer = "tests"},
                            &workshop->ledger, &error));
    assert_int_equal(commit_rows(workshop, 3, later, 1, &error), COMMIT_DONE);
    assert_string_equal(workshop_query(workshop, path, balances), "-5,8,9");
}

// One that can't be written because another connection holds the lock to write: nothing of it is there, and
// the ledger works again when opened anew.
static void a_commit_that_can_not_begin_is_unknown(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error = {0};
    workshop_manifest(workshop);
    workshop_commit(workshop);
    sqlite3 *other;
    assert_int_equal(sqlite3_open(workshop->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    struct row site = {.kind = ROW_SITE, .site = {.id = 2, .site = "north"}};
    assert_int_equal(commit_rows(workshop, 2, &site, 1, &error), COMMIT_UNKNOWN);
    assert_int_equal(error.sqlite_code & 0xff, SQLITE_BUSY);
    sqlite3_close(other);
    workshop_close(workshop);
    workshop_open(workshop);
    assert_int_equal(ledger_last_batch(workshop->ledger), 1);
    assert_int_equal(commit_rows(workshop, 2, &site, 1, &error), COMMIT_DONE);
}

static void what_happened_can_not_be_changed(void **state)
{
    struct workshop *workshop = *state;
    static const char *const changes[] = {
        "DELETE FROM event",
        "UPDATE event SET at = at + 1",
        "DELETE FROM transfer WHERE id = 1",
        "UPDATE transfer SET amount_micro = amount_micro + 1",
        "DELETE FROM batch",
        "UPDATE batch SET writer = 'me'",
        "DELETE FROM capacity_change",
        "UPDATE capacity_change SET gpus = 8",
        "DELETE FROM rate",
        "UPDATE rate SET price_micro = 0",
        "DELETE FROM contract_terms",
        "UPDATE contract_terms SET surcharge_bp = 0",
        "DELETE FROM contract_price",
        "UPDATE contract_price SET price_micro = 0",
        "DELETE FROM contract_pool",
        "UPDATE contract_pool SET pool = pool",
        "DELETE FROM client_ref",
        "UPDATE client_ref SET thing = 1",
    };
    workshop_live(workshop);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        if (workshop_execute(workshop->path, changes[i]))
            fail_msg("the ledger took: %s", changes[i]);
    struct verify_report report;
    struct ledger_error error;
    assert_true(ledger_verify(workshop->path, NULL, NULL, &report, &error));
    assert_true(report.sound);
}

static void files_have_their_modes(void **state)
{
    struct workshop *workshop = *state;
    static const char *const names[] = {"made/ledger.db", "made/ledger.db-wal", "made/ledger.db-witness",
                                        "made/ledger.db-lock"};
    struct stat status;
    char path[PATH_SIZE];
    workshop_manifest(workshop);
    workshop_commit(workshop);
    workshop_path(workshop, "made", path);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0750);
    for (size_t i = 0; i < 4; i++) {
        workshop_path(workshop, names[i], path);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0640);
    }
}

static void the_wal_goes_into_the_file(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error;
    char wal[PATH_SIZE + 4];
    snprintf(wal, sizeof wal, "%s-wal", workshop->path);
    workshop_manifest(workshop);
    workshop_commit(workshop);
    int64_t before = file_size(workshop->path);
    // Enough for several checkpoints: one is made for 8 MiB of WAL.
    for (int i = 0; i < 40; i++) {
        struct row *rows = calloc(5000, sizeof *rows);
        for (int k = 0; k < 5000; k++)
            rows[k] = (struct row){
                .kind = ROW_EVENT,
                .event = {.seq = 1000 + i * 5000 + k,
                          .type = "a.thing",
                          .data = "{\"text\":\"some hundred bytes of what happened, so that pages fill up\"}",
                          .data_length = 68}};
        assert_int_equal(commit_rows(workshop, 2 + i, rows, 5000, &error), COMMIT_DONE);
        bool busy;
        assert_true(ledger_checkpoint(workshop->ledger, &busy, &error));
        assert_false(busy);
        free(rows);
    }
    assert_true(file_size(workshop->path) > before + 8 * 1024 * 1024);
    assert_in_range(file_size(wal), 1, 16 * 1024 * 1024);
}

// How often a text is in a file.
static int count_in_file(const char *path, const char *text)
{
    char line[1024];
    int count = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        count += strstr(line, text) != NULL;
    fclose(file);
    return count;
}

// A reader with an old snapshot keeps the WAL from being reset, and is told of: once, and once more when it
// has doubled.
static void a_reader_keeps_the_wal(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error;
    bool busy = false;
    workshop_manifest(workshop);
    workshop_commit(workshop);
    ledger_close(workshop->ledger);
    struct ledger_options options = workshop_options(workshop);
    options.wal_warn_bytes = 9 << 20;
    assert_true(ledger_open(&options, &workshop->ledger, &error));
    char log[PATH_SIZE];
    workshop_path(workshop, "log", log);
    int standard_error = dup(STDERR_FILENO);
    FILE *file = fopen(log, "w");
    dup2(fileno(file), STDERR_FILENO);
    fclose(file);
    sqlite3 *reader;
    assert_int_equal(sqlite3_open_v2(workshop->path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM event", NULL, NULL, NULL), SQLITE_OK);
    char *text = calloc(1, 1 << 20);
    memset(text, 'x', (1 << 20) - 1);
    for (int i = 0; i < 30; i++) {
        struct row row = {
            .kind = ROW_EVENT,
            .event = {.seq = 1000 + i, .type = "a.thing", .data = text, .data_length = (1 << 20) - 1}};
        assert_int_equal(commit_rows(workshop, 2 + i, &row, 1, &error), COMMIT_DONE);
        bool now_busy;
        assert_true(ledger_checkpoint(workshop->ledger, &now_busy, &error));
        busy = busy || now_busy;
    }
    dup2(standard_error, STDERR_FILENO);
    close(standard_error);
    assert_true(busy);
    assert_int_equal(count_in_file(log, "the wal is large"), 2);
    assert_int_equal(sqlite3_close(reader), SQLITE_OK);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_commit_is_there_after_a_restart, begin, end),
        cmocka_unit_test_setup_teardown(a_batch_that_is_there_is_done_without_being_written, begin, end),
        cmocka_unit_test_setup_teardown(a_gap_between_batches_is_not_written, begin, end),
        cmocka_unit_test_setup_teardown(rows_of_a_batch_may_come_in_any_order, begin, end),
        cmocka_unit_test_setup_teardown(a_row_that_the_schema_refuses_takes_the_batch_with_it, begin, end),
        cmocka_unit_test_setup_teardown(a_commit_that_can_not_begin_is_unknown, begin, end),
        cmocka_unit_test_setup_teardown(what_happened_can_not_be_changed, begin, end),
        cmocka_unit_test_setup_teardown(files_have_their_modes, begin, end),
        cmocka_unit_test_setup_teardown(the_wal_goes_into_the_file, begin, end),
        cmocka_unit_test_setup_teardown(a_reader_keeps_the_wal, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
