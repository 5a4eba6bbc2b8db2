// Opening: what is refused, and in which words; the witness; the copy of an older ledger.
#include "workshop.h"

#include <fcntl.h>
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

static void assert_refused(const struct ledger_options *options, const char *words)
{
    struct ledger *ledger;
    struct ledger_error error = {0};
    assert_false(ledger_open(options, &ledger, &error));
    assert_null(ledger);
    if (strstr(error.message, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, words);
    assert_non_null(strstr(error.message, "ledger.db"));
}

static void a_second_daemon_is_refused(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_options options = workshop_options(workshop);
    assert_refused(&options, "another colossusd has this ledger open");
    workshop_close(workshop);
    workshop_open(workshop);
}

// One ledger by two names is one ledger, with one lock and one witness.
static void a_second_daemon_by_another_name_is_refused(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_options options = workshop_options(workshop);
    struct ledger_error error = {0};
    struct verify_report report;
    char name[PATH_SIZE], witness[PATH_SIZE + 8];
    workshop_path(workshop, "another.db", name);
    assert_int_equal(symlink(workshop->path, name), 0);
    options.path = name;
    assert_refused(&options, "another colossusd has this ledger open");
    workshop_close(workshop);
    snprintf(witness, sizeof witness, "%s-witness", workshop->path);
    FILE *file = fopen(witness, "w");
    assert_non_null(file);
    fprintf(file, "colossusd witness\nbatch 99\nhash %064d\n", 0);
    assert_int_equal(fclose(file), 0);
    assert_true(ledger_verify(name, NULL, NULL, &report, &error));
    assert_non_null(strstr(report.message, "witness"));
}

static void the_other_clock_is_refused(void **state)
{
    struct workshop *workshop = *state;
    workshop_close(workshop);
    struct ledger_options options = workshop_options(workshop);
    options.manual_clock = false;
    assert_refused(&options, "made with a manual clock");
    workshop_path(workshop, "system-ledger.db", workshop->path);
    options.path = workshop->path;
    struct ledger *ledger;
    struct ledger_error error = {0};
    assert_true(ledger_open(&options, &ledger, &error));
    ledger_close(ledger);
    options.manual_clock = true;
    assert_refused(&options, "made on the system's clock");
}

static void a_newer_ledger_is_refused(void **state)
{
    struct workshop *workshop = *state;
    workshop_close(workshop);
    assert_true(workshop_execute(workshop->path, "PRAGMA user_version = 99"));
    struct ledger_options options = workshop_options(workshop);
    assert_refused(&options, "version 99, from a newer colossusd");
    struct ledger_reader *reader;
    struct ledger_error error = {0};
    assert_false(ledger_reader_open(workshop->path, &reader, &error));
    assert_non_null(strstr(error.message, "version is 99") == NULL ? strstr(error.message, "version 99")
                                                                   : error.message);
}

static void another_database_is_refused(void **state)
{
    struct workshop *workshop = *state;
    char path[PATH_SIZE];
    workshop_path(workshop, "other-ledger.db", path);
    sqlite3 *database;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, "CREATE TABLE t (x)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
    struct ledger_options options = workshop_options(workshop);
    options.path = path;
    assert_refused(&options, "not a ledger");
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    struct workshop *workshop = *state;
    char path[PATH_SIZE];
    workshop_path(workshop, "text-ledger.db", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("not a database ", file);
    fclose(file);
    struct ledger_options options = workshop_options(workshop);
    options.path = path;
    assert_refused(&options, "not a database");
}

static void write_witness(struct workshop *workshop, const char *text)
{
    char path[PATH_SIZE];
    workshop_path(workshop, "made/ledger.db-witness", path);
    int descriptor = open(path, O_RDWR | O_TRUNC);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), (ssize_t)strlen(text));
    close(descriptor);
}

static void a_ledger_behind_its_witness_is_refused(void **state)
{
    struct workshop *workshop = *state;
    char saved[PATH_SIZE], wal[PATH_SIZE], witness[PATH_SIZE];
    workshop_manifest(workshop);
    workshop_commit(workshop);
    workshop_close(workshop);
    // A copy of the ledger as it is, put back after more was acknowledged.
    workshop_path(workshop, "saved", saved);
    workshop_path(workshop, "made/ledger.db-wal", wal);
    workshop_path(workshop, "made/ledger.db-witness", witness);
    copy_file(workshop->path, saved);
    workshop_open(workshop);
    workshop_create(workshop, "acme", 8, "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", NULL);
    workshop_commit(workshop);
    workshop_create(workshop, "acme", 8, "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", NULL);
    workshop_commit(workshop);
    workshop_close(workshop);
    copy_file(saved, workshop->path);
    unlink(wal);
    struct ledger_options options = workshop_options(workshop);
    assert_refused(&options, "ends with batch 1, but batch 3 was acknowledged: 2 batches are missing");
    struct verify_report report;
    struct ledger_error error;
    assert_true(ledger_verify(workshop->path, NULL, NULL, &report, &error));
    assert_false(report.sound);
    assert_non_null(strstr(report.message, "batch 3 was acknowledged"));
    // An operator who knows removes the witness.
    unlink(witness);
    workshop_open(workshop);
    assert_int_equal(ledger_last_batch(workshop->ledger), 1);
}

// Where the file of a ledger was taken away, or emptied, no new one is made over what is left of it: with the
// file back in its place nothing is missing.
static void the_rest_of_a_ledger_is_kept(void **state)
{
    struct workshop *workshop = *state;
    char saved[PATH_SIZE];
    struct ledger_options options = workshop_options(workshop);
    workshop_manifest(workshop);
    workshop_commit(workshop);
    workshop_close(workshop);
    workshop_path(workshop, "saved", saved);
    assert_int_equal(rename(workshop->path, saved), 0);
    assert_refused(&options, "but it had 1 batches: put the file back");
    assert_int_not_equal(access(workshop->path, F_OK), 0);
    fclose(fopen(workshop->path, "w"));
    assert_refused(&options, "but it had 1 batches: put the file back");
    assert_int_equal(rename(saved, workshop->path), 0);
    workshop_open(workshop);
    assert_int_equal(ledger_last_batch(workshop->ledger), 1);
}

static void a_probe_finds_a_ledger_that_can_be_written(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error = {0};
    assert_true(ledger_probe(workshop->ledger, &error));
    workshop_manifest(workshop);
    workshop_commit(workshop);
    assert_true(ledger_probe(workshop->ledger, &error));
    workshop_create(workshop, "acme", 8, "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", NULL);
    workshop_commit(workshop);
    assert_int_equal(ledger_last_batch(workshop->ledger), 2);
}

static void a_probe_finds_a_ledger_that_others_wrote_to(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error = {0};
    workshop_manifest(workshop);
    workshop_commit(workshop);
    assert_true(workshop_execute(workshop->path, "INSERT INTO batch (seq, epoch, writer, at, hash) "
                                                 "VALUES (2, 1, 'someone', 0, zeroblob(32))"));
    assert_false(ledger_probe(workshop->ledger, &error));
    assert_non_null(strstr(error.message, "batch 1 was written last, but the file ends with 2"));
    assert_false(ledger_probe(workshop->ledger, &error)); // the first left no transaction open
    assert_non_null(strstr(error.message, "the file ends with 2"));
}

static void a_probe_finds_a_ledger_that_was_taken_away(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error = {0};
    char saved[PATH_SIZE];
    workshop_manifest(workshop);
    workshop_commit(workshop);
    workshop_path(workshop, "saved", saved);
    assert_int_equal(rename(workshop->path, saved), 0);
    assert_false(ledger_probe(workshop->ledger, &error));
    assert_non_null(strstr(error.message, "no longer there under its name"));
    assert_int_equal(rename(saved, workshop->path), 0);
    assert_true(ledger_probe(workshop->ledger, &error));
}

static void a_witness_of_another_ledger_is_refused(void **state)
{
    struct workshop *workshop = *state;
    workshop_manifest(workshop);
    workshop_commit(workshop);
    workshop_close(workshop);
    write_witness(workshop, "colossusd witness\nbatch 1\nhash "
                            "00000000000000000000000000000000000000000000000000000000000000ff\n");
    struct ledger_options options = workshop_options(workshop);
    assert_refused(&options, "batch 1 is not the one that was acknowledged");
    write_witness(workshop, "colossusd witness\nbatch one\n");
    assert_refused(&options, "says nothing readable");
    write_witness(workshop, ""); // made, and lost to a crash before anything was acknowledged
    workshop_open(workshop);
}

static void a_witness_may_lag_behind(void **state)
{
    struct workshop *workshop = *state;
    char witness[PATH_SIZE], saved[PATH_SIZE];
    workshop_path(workshop, "made/ledger.db-witness", witness);
    workshop_path(workshop, "saved", saved);
    workshop_manifest(workshop);
    workshop_commit(workshop);
    copy_file(witness, saved);
    workshop_create(workshop, "acme", 8, "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", NULL);
    workshop_commit(workshop);
    workshop_close(workshop);
    copy_file(saved, witness);
    workshop_open(workshop);
    assert_int_equal(ledger_last_batch(workshop->ledger), 2);
}

static void a_changed_tail_is_refused(void **state)
{
    struct workshop *workshop = *state;
    workshop_manifest(workshop);
    workshop_commit(workshop);
    workshop_create(workshop, "acme", 8, "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", NULL);
    workshop_commit(workshop);
    workshop_close(workshop);
    assert_true(workshop_execute(
        workshop->path, "DROP TRIGGER transfer_fix; UPDATE transfer SET amount_micro = amount_micro - 1 "
                        "WHERE id = (SELECT max(id) FROM transfer)"));
    struct ledger_options options = workshop_options(workshop);
    assert_refused(&options, "batch 2: its hash does not agree");
}

// Views are not part of what is migrated: a ledger whose views are not this release's gets them.
static void views_are_kept_current(void **state)
{
    struct workshop *workshop = *state;
    workshop_close(workshop);
    assert_true(workshop_execute(workshop->path, "DROP VIEW v_now; CREATE VIEW v_stale AS SELECT 1;"
                                                 "UPDATE ledger SET views = 'of another release'"));
    workshop_open(workshop);
    assert_int_equal(workshop_count(workshop, workshop->path, "SELECT count(*) FROM v_now"), 1);
    assert_int_equal(
        workshop_count(workshop, workshop->path, "SELECT count(*) FROM sqlite_schema WHERE type = 'view'"),
        12);
}

// What can't be migrated is left as it was, and copied beside itself before anything was tried.
static void a_migration_that_fails_leaves_the_ledger_as_it_was(void **state)
{
    struct workshop *workshop = *state;
    char copy[PATH_SIZE];
    workshop_manifest(workshop);
    workshop_commit(workshop);
    workshop_close(workshop);
    // An older ledger, so it says, but the tables that the migration makes are there.
    assert_true(workshop_execute(workshop->path, "PRAGMA user_version = 0"));
    struct ledger_options options = workshop_options(workshop);
    assert_refused(&options, "already exists");
    assert_int_equal(workshop_count(workshop, workshop->path, "PRAGMA user_version"), 0);
    assert_int_equal(workshop_count(workshop, workshop->path, "SELECT count(*) FROM batch"), 1);
    workshop_path(workshop, "made/ledger.db-version-0", copy);
    assert_int_equal(workshop_count(workshop, copy, "SELECT count(*) FROM batch"), 1);
    assert_refused(&options, "already exists");
    workshop_path(workshop, "made/ledger.db-version-0-2", copy); // the first one is kept
    assert_int_equal(workshop_count(workshop, copy, "SELECT count(*) FROM batch"), 1);
    assert_true(workshop_execute(workshop->path, "PRAGMA user_version = 1"));
    workshop_open(workshop);
}

static void the_file_says_what_it_is(void **state)
{
    struct workshop *workshop = *state;
    assert_string_equal(workshop_query(workshop, workshop->path, "PRAGMA application_id"), "1129270355");
    assert_string_equal(workshop_query(workshop, workshop->path, "PRAGMA journal_mode"), "wal");
    assert_int_equal(workshop_count(workshop, workshop->path, "PRAGMA user_version"),
                     workshop_count(workshop, workshop->path, "SELECT schema_version FROM v_now"));
    assert_int_equal(workshop_count(workshop, workshop->path,
                                    "SELECT count(*) FROM pragma_table_list WHERE type = 'table' "
                                    "AND schema = 'main' AND NOT strict AND name NOT LIKE 'sqlite%'"),
                     0);
}

// After a clean stop an operator who may only read can open the file.
static void it_can_be_read_after_a_clean_stop(void **state)
{
    struct workshop *workshop = *state;
    workshop_manifest(workshop);
    workshop_commit(workshop);
    workshop_close(workshop);
    char wal[PATH_SIZE];
    workshop_path(workshop, "made/ledger.db-wal", wal);
    assert_int_equal(access(wal, F_OK), 0);
    assert_int_equal(workshop_count(workshop, workshop->path, "SELECT count(*) FROM batch"), 1);
}

// What stands where one of the ledger's files should be is told, with its name, and left alone.
static void what_stands_in_the_way_is_named(void **state)
{
    struct workshop *workshop = *state;
    workshop_manifest(workshop);
    workshop_commit(workshop);
    workshop_close(workshop);
    struct ledger_options options = workshop_options(workshop);
    char path[2 * PATH_SIZE], moved[3 * PATH_SIZE];
    static const struct {
        const char *suffix, *words;
    } files[] = {{"-witness", "can't open the witness"}, {"-lock", "can't make the lock"}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s%s", workshop->path, files[i].suffix);
        snprintf(moved, sizeof moved, "%s.moved", path);
        assert_int_equal(rename(path, moved), 0);
        assert_int_equal(mkdir(path, 0700), 0);
        assert_refused(&options, files[i].words);
        assert_refused(&options, path);
        assert_int_equal(rmdir(path), 0);
        assert_int_equal(rename(moved, path), 0);
    }
    // A file where the folder should be, and a name that leads nowhere.
    snprintf(path, sizeof path, "%s/ledger.db", workshop->path);
    options.path = path;
    assert_refused(&options, "can't make the");
    struct ledger *ledger;
    struct ledger_error error = {0};
    options.path = "/proc/nowhere/ledger.db";
    assert_false(ledger_open(&options, &ledger, &error));
    assert_non_null(strstr(error.message, "/proc/nowhere: can't make the folder"));
    workshop_open(workshop);
    assert_int_equal(ledger_last_batch(workshop->ledger), 1);
}

static bool is_sound(const struct workshop *workshop, struct verify_report *report)
{
    struct ledger_error error = {0};
    if (!ledger_verify(workshop->path, NULL, NULL, report, &error))
        snprintf(report->message, sizeof report->message, "%.500s", error.message);
    return error.message[0] == '\0' && report->sound;
}

// Verifying looks at the witness too: one that saw another batch, and one that can't be read.
static void verify_heeds_the_witness(void **state)
{
    struct workshop *workshop = *state;
    struct verify_report report = {0};
    workshop_manifest(workshop);
    workshop_commit(workshop);
    char path[2 * PATH_SIZE];
    snprintf(path, sizeof path, "%s-witness", workshop->path);
    workshop_close(workshop);
    assert_true(is_sound(workshop, &report));
    FILE *file = fopen(path, "w");
    fprintf(file, "colossusd witness\nbatch 1\nhash %064d\n", 7);
    fclose(file);
    assert_false(is_sound(workshop, &report));
    assert_non_null(strstr(report.message, "not the one that the witness"));
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_false(is_sound(workshop, &report));
    assert_non_null(strstr(report.message, "can't read the witness"));
    rmdir(path);
    assert_true(is_sound(workshop, &report));
    workshop_open(workshop);
}

// Nor does it, or a reader, take another program's database for a ledger.
static void another_database_is_no_ledger(void **state)
{
    struct workshop *workshop = *state;
    struct verify_report report = {0};
    struct ledger_error error = {0};
    struct ledger_reader *reader;
    char path[PATH_SIZE];
    struct workshop other = *workshop;
    workshop_path(workshop, "other.db", path);
    memcpy(other.path, path, sizeof path);
    FILE *file = fopen(path, "w");
    fclose(file);
    assert_true(workshop_execute(path, "CREATE TABLE song (name TEXT)"));
    assert_false(is_sound(&other, &report));
    assert_non_null(strstr(report.message, "not a ledger of colossusd"));
    assert_false(ledger_reader_open(path, &reader, &error));
    assert_non_null(strstr(error.message, "not a ledger of colossusd"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_second_daemon_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(what_stands_in_the_way_is_named, begin, end),
        cmocka_unit_test_setup_teardown(verify_heeds_the_witness, begin, end),
        cmocka_unit_test_setup_teardown(another_database_is_no_ledger, begin, end),
        cmocka_unit_test_setup_teardown(a_second_daemon_by_another_name_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(the_other_clock_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_newer_ledger_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(another_database_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_database_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_ledger_behind_its_witness_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(the_rest_of_a_ledger_is_kept, begin, end),
        cmocka_unit_test_setup_teardown(a_probe_finds_a_ledger_that_can_be_written, begin, end),
        cmocka_unit_test_setup_teardown(a_probe_finds_a_ledger_that_others_wrote_to, begin, end),
        cmocka_unit_test_setup_teardown(a_probe_finds_a_ledger_that_was_taken_away, begin, end),
        cmocka_unit_test_setup_teardown(a_witness_of_another_ledger_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_witness_may_lag_behind, begin, end),
        cmocka_unit_test_setup_teardown(a_changed_tail_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(views_are_kept_current, begin, end),
        cmocka_unit_test_setup_teardown(a_migration_that_fails_leaves_the_ledger_as_it_was, begin, end),
        cmocka_unit_test_setup_teardown(the_file_says_what_it_is, begin, end),
        cmocka_unit_test_setup_teardown(it_can_be_read_after_a_clean_stop, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
