// What becomes of a batch when the disk fails under it: its outcome is unknown, the handle does nothing more,
// and the ledger that is opened anew holds the batch whole or not at all.
//
// The disk fails through SQLite's own way to the file: the file's methods are replaced by ones that can be
// told to refuse.
#include "workshop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sqlite3_vfs faulty;
static sqlite3_vfs *real;
static bool sync_fails, disk_is_full;
static int syncs;
static int64_t events_before; // of the first batch

// What the disk has of the WAL, as the system treats it: a sync takes over the pages that were written since
// the one before, and after a sync that failed they count as written all the same.
#define DISK_PAGE  4096
#define DISK_PAGES 1024
static const sqlite3_file *wal;
static char disk[DISK_PAGES * DISK_PAGE];
static bool is_dirty[DISK_PAGES];
static int64_t disk_size;

// The methods of a kind of file, and those they were made from.
struct wrapped {
    sqlite3_io_methods methods;
    const sqlite3_io_methods *real;
};
static struct wrapped wrapped[8];

static const sqlite3_io_methods *real_methods(const sqlite3_file *file)
{
    return ((const struct wrapped *)(const void *)file->pMethods)->real;
}

static void take_over(sqlite3_file *file)
{
    sqlite3_int64 size = 0;
    assert_int_equal(real_methods(file)->xFileSize(file, &size), SQLITE_OK);
    for (sqlite3_int64 place = 0; place < size && place < (sqlite3_int64)sizeof disk; place += DISK_PAGE) {
        int count = size - place < DISK_PAGE ? (int)(size - place) : DISK_PAGE;
        if (is_dirty[place / DISK_PAGE])
            assert_int_equal(real_methods(file)->xRead(file, disk + place, count, place), SQLITE_OK);
    }
    disk_size = size;
}

static int faulty_sync(sqlite3_file *file, int flags)
{
    syncs++;
    if (file == wal && !sync_fails)
        take_over(file);
    if (file == wal)
        memset(is_dirty, 0, sizeof is_dirty);
    return sync_fails ? SQLITE_IOERR_FSYNC : real_methods(file)->xSync(file, flags);
}

static int faulty_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset)
{
    for (sqlite3_int64 page = offset / DISK_PAGE; file == wal && page <= (offset + count - 1) / DISK_PAGE;
         page++)
        if (page < DISK_PAGES)
            is_dirty[page] = true;
    return disk_is_full ? SQLITE_FULL : real_methods(file)->xWrite(file, bytes, count, offset);
}

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    int code = real->xOpen(real, name, file, flags, out);
    if (code != SQLITE_OK || file->pMethods == NULL)
        return code;
    if ((flags & SQLITE_OPEN_WAL) != 0)
        wal = file;
    struct wrapped *place = wrapped;
    while (place->real != NULL && place->real != file->pMethods)
        place++;
    assert_true(place < wrapped + 8);
    if (place->real == NULL) {
        place->real = file->pMethods;
        place->methods = *file->pMethods;
        place->methods.xSync = faulty_sync;
        place->methods.xWrite = faulty_write;
    }
    file->pMethods = &place->methods;
    return code;
}

static int begin(void **state)
{
    if (real == NULL) {
        real = sqlite3_vfs_find(NULL);
        faulty = *real;
        faulty.zName = "faulty";
        faulty.xOpen = faulty_open;
        assert_int_equal(sqlite3_vfs_register(&faulty, 1), SQLITE_OK);
    }
    sync_fails = disk_is_full = false;
    wal = NULL;
    memset(disk, 0, sizeof disk);
    memset(is_dirty, 0, sizeof is_dirty);
    disk_size = 0;
    struct workshop *workshop = calloc(1, sizeof *workshop);
    *state = workshop;
    workshop_begin(workshop);
    workshop_manifest(workshop);
    workshop_commit(workshop);
    events_before = workshop_count(workshop, workshop->path, "SELECT max(seq) FROM event");
    return 0;
}

static int end(void **state)
{
    workshop_end(*state);
    free(*state);
    return 0;
}

static enum commit_outcome commit_site(struct workshop *workshop, int64_t seq, struct ledger_error *error)
{
    const char *north = "{\"site\":{\"site\":\"north\"}}", *south = "{\"site\":{\"site\":\"south\"}}";
    struct row rows[] = {
        {.kind = ROW_SITE, .site = {.id = (uint32_t)seq, .site = seq == 2 ? "north" : "south"}},
        {.kind = ROW_EVENT,
         .event = {.seq = events_before + seq - 1,
                   .type = "site.added",
                   .data = seq == 2 ? north : south,
                   .data_length = strlen(north)}},
    };
    struct batch batch = {.seq = seq, .epoch = 1, .at = workshop->now, .rows = rows, .row_count = 2};
    return ledger_commit(workshop->ledger, &batch, error);
}

// After the failure: nothing more with this handle; opened anew, the ledger goes on.
static void assert_recovers(struct workshop *workshop)
{
    struct ledger_error error = {0};
    bool busy;
    assert_int_equal(commit_site(workshop, 2, &error), COMMIT_UNKNOWN);
    assert_false(ledger_checkpoint(workshop->ledger, &busy, &error));
    int before = syncs;
    sync_fails = true; // closing syncs nothing
    workshop_close(workshop);
    assert_int_equal(syncs, before);
    sync_fails = disk_is_full = false;
    workshop_open(workshop);
    int64_t last = ledger_last_batch(workshop->ledger);
    assert_true(last == 1 || last == 2);
    assert_int_equal(workshop_count(workshop, workshop->path, "SELECT count(*) FROM site"), last);
    assert_int_equal(commit_site(workshop, 2, &error), COMMIT_DONE);
    assert_int_equal(commit_site(workshop, 3, &error), COMMIT_DONE);
    assert_int_equal(workshop_count(workshop, workshop->path, "SELECT count(*) FROM site"), 3);
    struct verify_report report;
    assert_true(ledger_verify(workshop->path, NULL, NULL, &report, &error));
    if (!report.sound)
        fail_msg("%s", report.message);
    assert_int_equal(report.batches, 3);
}

static void a_failed_sync_leaves_the_outcome_unknown(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error = {0};
    sync_fails = true;
    assert_int_equal(commit_site(workshop, 2, &error), COMMIT_UNKNOWN);
    assert_int_equal(error.sqlite_code, SQLITE_IOERR_FSYNC);
    assert_non_null(strstr(error.message, "ledger.db: commit"));
    assert_recovers(workshop);
}

// The power goes: of the WAL there is what the disk has, and of the index beside it nothing.
static void lose_power(struct workshop *workshop)
{
    char path[PATH_SIZE + 4];
    sync_fails = true; // nothing more reaches the disk
    workshop_close(workshop);
    sync_fails = false;
    snprintf(path, sizeof path, "%s-shm", workshop->path);
    assert_int_equal(remove(path), 0);
    snprintf(path, sizeof path, "%s-wal", workshop->path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_in_range(disk_size, 1, sizeof disk);
    assert_int_equal(fwrite(disk, 1, (size_t)disk_size, file), disk_size);
    assert_int_equal(fclose(file), 0);
}

// A batch whose sync failed may be read again from the system's cache. Then those after it stand on it.
static void what_follows_a_failed_sync_survives_a_loss_of_power(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error = {0};
    sync_fails = true;
    assert_int_equal(commit_site(workshop, 2, &error), COMMIT_UNKNOWN);
    workshop_close(workshop);
    sync_fails = false;
    workshop_open(workshop);
    assert_int_equal(ledger_last_batch(workshop->ledger), 2); // it was found, so it is told to be there
    assert_int_equal(commit_site(workshop, 3, &error), COMMIT_DONE);
    lose_power(workshop);
    workshop_open(workshop); // refused when a batch is missing that was acknowledged
    assert_int_equal(ledger_last_batch(workshop->ledger), 3);
}

// So may one that a killed daemon had written and not synced.
static void what_was_read_at_the_start_survives_a_loss_of_power(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error = {0};
    sync_fails = true;
    assert_int_equal(commit_site(workshop, 2, &error), COMMIT_UNKNOWN);
    workshop_close(workshop);
    sync_fails = false;
    workshop_open(workshop);
    lose_power(workshop);
    workshop_open(workshop);
    assert_int_equal(ledger_last_batch(workshop->ledger), 2);
}

// While somebody else has the file open, the WAL's index outlives the handle that failed, and what is opened
// anew does not look for batches that the index does not name. What it says is missing must not be found by
// one that does look.
static void a_batch_that_was_found_missing_does_not_come_back(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error = {0};
    struct ledger_reader *reader = NULL;
    struct ledger_page page = {.limit = 1};
    struct arena arena = {0};
    struct event_row *events;
    size_t count;
    assert_true(ledger_reader_open(workshop->path, &reader, &error));
    assert_true(ledger_read_events(reader, 0, &page, &arena, &events, &count, &error));
    sync_fails = true;
    assert_int_equal(commit_site(workshop, 2, &error), COMMIT_UNKNOWN);
    workshop_close(workshop);
    sync_fails = false;
    workshop_open(workshop);
    int64_t last = ledger_last_batch(workshop->ledger);
    // What a daemon finds that is killed now and started again, when nobody else has it open any more.
    char copy[PATH_SIZE + 8], copied_wal[PATH_SIZE + 12], copied_from[PATH_SIZE + 4];
    snprintf(copy, sizeof copy, "%s-copied", workshop->path);
    snprintf(copied_wal, sizeof copied_wal, "%s-wal", copy);
    snprintf(copied_from, sizeof copied_from, "%s-wal", workshop->path);
    copy_file(workshop->path, copy);
    copy_file(copied_from, copied_wal);
    assert_int_equal(workshop_count(workshop, copy, "SELECT max(seq) FROM batch"), last);
    ledger_reader_close(reader);
    arena_free(&arena);
}

static void a_wal_that_can_t_be_made_durable_stops_the_start(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error = {0};
    struct ledger *ledger = NULL;
    struct ledger_options options = workshop_options(workshop);
    workshop_close(workshop);
    sync_fails = true;
    assert_false(ledger_open(&options, &ledger, &error));
    assert_int_equal(error.sqlite_code, SQLITE_IOERR_FSYNC);
    assert_non_null(strstr(error.message, "WAL"));
    sync_fails = false;
    workshop_open(workshop);
}

static void a_full_disk_takes_the_whole_batch(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error = {0};
    disk_is_full = true;
    assert_int_equal(commit_site(workshop, 2, &error), COMMIT_UNKNOWN);
    assert_int_equal(error.sqlite_code, SQLITE_FULL);
    assert_recovers(workshop);
}

static void a_commit_syncs_the_wal(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error = {0};
    int before = syncs;
    assert_int_equal(commit_site(workshop, 2, &error), COMMIT_DONE);
    assert_true(syncs > before);
}

static void a_failed_checkpoint_is_final_for_the_handle(void **state)
{
    struct workshop *workshop = *state;
    struct ledger_error error = {0};
    bool busy, reported = false;
    char *text = calloc(1, 1 << 20);
    memset(text, 'x', (1 << 20) - 1);
    for (int64_t seq = 2; seq < 40 && !reported; seq++) {
        struct row row = {
            .kind = ROW_EVENT,
            .event = {.seq = 1000 + seq, .type = "a.thing", .data = text, .data_length = 1 << 19}};
        struct batch batch = {.seq = seq, .epoch = 1, .at = workshop->now, .rows = &row, .row_count = 1};
        sync_fails = false;
        assert_int_equal(ledger_commit(workshop->ledger, &batch, &error), COMMIT_DONE);
        sync_fails = true;
        reported = !ledger_checkpoint(workshop->ledger, &busy, &error);
    }
    free(text);
    assert_true(reported);
    assert_int_equal(error.sqlite_code, SQLITE_IOERR_FSYNC);
    assert_int_equal(commit_site(workshop, ledger_last_batch(workshop->ledger) + 1, &error), COMMIT_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_commit_syncs_the_wal, begin, end),
        cmocka_unit_test_setup_teardown(a_failed_sync_leaves_the_outcome_unknown, begin, end),
        cmocka_unit_test_setup_teardown(what_follows_a_failed_sync_survives_a_loss_of_power, begin, end),
        cmocka_unit_test_setup_teardown(what_was_read_at_the_start_survives_a_loss_of_power, begin, end),
        cmocka_unit_test_setup_teardown(a_batch_that_was_found_missing_does_not_come_back, begin, end),
        cmocka_unit_test_setup_teardown(a_wal_that_can_t_be_made_durable_stops_the_start, begin, end),
        cmocka_unit_test_setup_teardown(a_full_disk_takes_the_whole_batch, begin, end),
        cmocka_unit_test_setup_teardown(a_failed_checkpoint_is_final_for_the_handle, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
