// The ledger when SQLite gets no memory, or can't read its file: the nth allocation fails, or the nth read,
// for every n.
//
//     memory_test        all of the first ones of each operation, then ever fewer of those that follow
//     memory_test all    each of them
//
// Whatever fails says so, leaves nothing open and nothing half done, and works as soon as there is memory
// again. Verifying must never call a sound ledger wrong, nor the other way round.
#include "workshop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static sqlite3_mem_methods real;
static int64_t left;   // allocations until one fails, that one counted; 0: none does
static int64_t failed; // how many have
static bool lasting;   // all after it fail as well
static bool sweeps_all;
static enum { MEMORY, READS } failing; // what fails

static bool is_to_fail(int what)
{
    if (what != (int)failing)
        return false;
    if (left > 0 && --left == 0) {
        failed++;
        return true;
    }
    if (failed > 0 && lasting) {
        failed++;
        return true;
    }
    return false;
}

static void *failing_malloc(int size)
{
    return is_to_fail(MEMORY) ? NULL : real.xMalloc(size);
}

static void *failing_realloc(void *memory, int size)
{
    return is_to_fail(MEMORY) ? NULL : real.xRealloc(memory, size);
}

// Before anything else uses SQLite. Without its pool of small pieces every piece is one that can fail.
static void take_over_memory(void)
{
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real), SQLITE_OK);
    sqlite3_mem_methods failing = real;
    failing.xMalloc = failing_malloc;
    failing.xRealloc = failing_realloc;
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &failing), SQLITE_OK);
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0), SQLITE_OK);
}

// The methods of a kind of file, and those they were made from.
struct wrapped {
    sqlite3_io_methods methods;
    const sqlite3_io_methods *real;
};

static struct wrapped wrapped[8];
static sqlite3_vfs failing_vfs;
static sqlite3_vfs *real_vfs;

static int failing_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset)
{
    const struct wrapped *of_file = (const struct wrapped *)(const void *)file->pMethods;
    return is_to_fail(READS) ? SQLITE_IOERR_READ : of_file->real->xRead(file, bytes, count, offset);
}

static int failing_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    int code = real_vfs->xOpen(real_vfs, name, file, flags, out);
    if (code != SQLITE_OK || file->pMethods == NULL)
        return code;
    struct wrapped *place = wrapped;
    while (place->real != NULL && place->real != file->pMethods)
        place++;
    assert_true(place < wrapped + 8);
    if (place->real == NULL) {
        place->real = file->pMethods;
        place->methods = *file->pMethods;
        place->methods.xRead = failing_read;
    }
    file->pMethods = &place->methods;
    return code;
}

static void take_over_files(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    failing_vfs = *real_vfs;
    failing_vfs.zName = "failing";
    failing_vfs.xOpen = failing_open;
    assert_int_equal(sqlite3_vfs_register(&failing_vfs, 1), SQLITE_OK);
}

// ---- Sweeping

// Does one thing, and says whether it worked; what it said when it did not is in *error.
typedef bool (*operation)(struct workshop *workshop, struct ledger_error *error);
// Checks that nothing is wrong after it, with memory.
typedef void (*check)(struct workshop *workshop, bool worked);

static void sweep(struct workshop *workshop, operation operate, check look)
{
    int64_t tried = 0, refused = 0;
    bool was_met = true;
    for (int64_t n = 1; was_met; n += sweeps_all ? 1 : 1 + n / (failing == MEMORY ? 8 : 64)) {
        struct ledger_error error = {0};
        failed = 0;
        left = n;
        bool worked = operate(workshop, &error);
        was_met = failed > 0;
        left = failed = 0;
        if (!worked) {
            assert_true(was_met);
            assert_true(strlen(error.message) > 0);
            assert_non_null(strstr(error.message, workshop->folder));
        }
        look(workshop, worked);
        tried++;
        refused += !worked;
    }
    print_message("%s: %lld tried, %lld refused%s\n", failing == MEMORY ? "memory" : "reads",
                  (long long)tried, (long long)refused, lasting ? ", all after it failing too" : "");
    assert_true(refused > 0 || tried == 1); // a commit reads nothing that it has not read before
}

static void sweep_ways(struct workshop *workshop, operation operate, check look)
{
    for (int way = 0; way < 4; way++) {
        failing = way < 2 ? MEMORY : READS;
        lasting = way % 2 == 1;
        sweep(workshop, operate, look);
    }
    lasting = false;
}

static void is_sound(struct workshop *workshop)
{
    struct verify_report report = {0};
    struct ledger_error error = {0};
    if (!ledger_verify(workshop->path, NULL, NULL, &report, &error))
        fail_msg("%s", error.message);
    if (!report.sound)
        fail_msg("%s", report.message);
}

// ---- Opening

static bool open_and_load(struct workshop *workshop, struct ledger_error *error)
{
    struct ledger_options options = workshop_options(workshop);
    if (!ledger_open(&options, &workshop->ledger, error))
        return false;
    struct book_options book = {
        .horizon_years = 10, .hold_seconds_max = 7 * 86400, .origin = hour_of_text("2026-01-01T00:00:00Z")};
    workshop->book = book_create(&book);
    return ledger_load(workshop->ledger, workshop->book, error);
}

static void can_be_opened(struct workshop *workshop, bool worked)
{
    if (worked)
        assert_int_equal(ledger_last_batch(workshop->ledger), workshop->last_batch);
    if (workshop->ledger != NULL)
        workshop_close(workshop);
    workshop_open(workshop); // nothing of the first attempt holds the lock
    assert_int_equal(ledger_last_batch(workshop->ledger), workshop->last_batch);
    workshop_close(workshop);
}

static void test_opening(void **state)
{
    struct workshop *workshop = *state;
    workshop->last_batch = ledger_last_batch(workshop->ledger);
    workshop_close(workshop);
    sweep_ways(workshop, open_and_load, can_be_opened);
    is_sound(workshop);
}

static bool make_new(struct workshop *workshop, struct ledger_error *error)
{
    return open_and_load(workshop, error);
}

// A ledger that was half made is completed, and then another one is made.
static void is_new(struct workshop *workshop, bool worked)
{
    can_be_opened(workshop, worked);
    is_sound(workshop);
    static const char *const suffixes[] = {"", "-wal", "-shm", "-witness"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char path[2 * PATH_SIZE];
        snprintf(path, sizeof path, "%s%s", workshop->path, suffixes[i]);
        unlink(path);
    }
}

static void test_making(void **state)
{
    struct workshop *workshop = *state;
    workshop_close(workshop);
    workshop_path(workshop, "made/another.db", workshop->path);
    workshop->last_batch = 0;
    sweep_ways(workshop, make_new, is_new);
}

// ---- Committing

static int64_t booked; // how many times

static bool book_and_commit(struct workshop *workshop, struct ledger_error *error)
{
    int64_t remaining = left;
    left = 0;
    char reference[32];
    snprintf(reference, sizeof reference, "sweep-%lld", (long long)++booked);
    workshop_create(workshop, "acme", 8, "2027-06-01T00:00:00Z", "2027-06-01T01:00:00Z", reference);
    struct row *rows;
    size_t count;
    book_end_batch(workshop->book, workshop->now, &workshop->arena, &rows, &count);
    workshop_keep(workshop, rows, count);
    struct batch batch = {.seq = ledger_last_batch(workshop->ledger) + 1,
                          .epoch = 1,
                          .at = workshop->now,
                          .rows = workshop->rows,
                          .row_count = workshop->row_count};
    left = remaining;
    enum commit_outcome outcome = ledger_commit(workshop->ledger, &batch, error);
    left = 0;
    bool busy;
    struct ledger_error ignored = {0};
    if (outcome == COMMIT_DONE)
        assert_true(ledger_checkpoint(workshop->ledger, &busy, &ignored));
    workshop->row_count = 0;
    return outcome == COMMIT_DONE;
}

// The batch is in the ledger whole or not at all; it is there when the commit said so.
static void is_whole(struct workshop *workshop, bool worked)
{
    char reference[32];
    bool is_group;
    snprintf(reference, sizeof reference, "sweep-%lld", (long long)booked);
    workshop_close(workshop);
    workshop_open(workshop);
    bool is_there = ledger_last_batch(workshop->ledger) == workshop->last_batch + 1;
    assert_true(is_there || ledger_last_batch(workshop->ledger) == workshop->last_batch);
    assert_true(is_there || !worked);
    int64_t id = book_client_ref(workshop->book, book_tenant(workshop->book, "acme"), reference, &is_group);
    assert_int_equal(id != 0, is_there);
    workshop->last_batch = ledger_last_batch(workshop->ledger);
    if (id != 0) {
        workshop_cancel(workshop, "acme", id); // so that there is room for the next
        workshop_commit(workshop);
        workshop->last_batch++;
    }
    arena_reset(&workshop->arena);
}

static void test_committing(void **state)
{
    struct workshop *workshop = *state;
    workshop->last_batch = ledger_last_batch(workshop->ledger);
    sweep_ways(workshop, book_and_commit, is_whole);
    is_sound(workshop);
}

// ---- Reading

static char *expected; // what is read without a fault

static bool read_all(struct workshop *workshop, struct ledger_error *error, struct buffer *text)
{
    struct ledger_reader *reader;
    struct ledger_page page = {.limit = 1000};
    struct reservation_filter filter = {.now = workshop->now};
    struct transfer_filter transfers = {0};
    struct reservation_image *images;
    struct transfer_row *moved;
    struct event_row *events;
    size_t counts[4] = {0};
    if (!ledger_reader_open(workshop->path, &reader, error))
        return false;
    bool read =
        ledger_read_reservations(reader, &filter, &page, &workshop->arena, &images, &counts[0], error);
    for (size_t i = 0; read && i < counts[0]; i++)
        buffer_append_format(text, "%lld %d %d\n", (long long)images[i].row.id, (int)images[i].row.state,
                             images[i].slice_count);
    read = read &&
           ledger_read_reservation(reader, 1, 1, workshop->now, &workshop->arena, &images, &counts[1], error);
    page = (struct ledger_page){.limit = 1000};
    read =
        read && ledger_read_transfers(reader, &transfers, &page, &workshop->arena, &moved, &counts[2], error);
    for (size_t i = 0; read && i < counts[2]; i++)
        buffer_append_format(text, "%lld\n", (long long)moved[i].amount.micro);
    page = (struct ledger_page){.limit = 1000};
    read = read && ledger_read_events(reader, 1, &page, &workshop->arena, &events, &counts[3], error);
    for (size_t i = 0; read && i < counts[3]; i++)
        buffer_append_format(text, "%s\n", events[i].data);
    if (read)
        buffer_append_format(text, "%zu %zu %zu %zu\n", counts[0], counts[1], counts[2], counts[3]);
    ledger_reader_close(reader);
    return read;
}

static bool read_as_expected(struct workshop *workshop, struct ledger_error *error)
{
    struct buffer text = {0};
    bool read = read_all(workshop, error, &text);
    if (read)
        assert_string_equal(text.data, expected);
    buffer_free(&text);
    arena_reset(&workshop->arena);
    return read;
}

static void nothing_more(struct workshop *workshop, bool worked)
{
    (void)workshop;
    (void)worked;
}

static void test_reading(void **state)
{
    struct workshop *workshop = *state;
    struct buffer text = {0};
    struct ledger_error error = {0};
    assert_true(read_all(workshop, &error, &text));
    expected = text.data;
    sweep_ways(workshop, read_as_expected, nothing_more);
    buffer_free(&text);
}

// ---- Backups

static bool back_up(struct workshop *workshop, struct ledger_error *error)
{
    char path[PATH_SIZE];
    workshop_path(workshop, "made/copy.db", path);
    return ledger_backup(workshop->path, path, error);
}

// There is a whole copy, or none that could be taken for one.
static void is_copy_or_nothing(struct workshop *workshop, bool worked)
{
    char path[PATH_SIZE];
    workshop_path(workshop, "made/copy.db", path);
    assert_int_equal(access(path, F_OK) == 0, worked);
    if (!worked) {
        struct ledger_error error = {0};
        assert_true(back_up(workshop, &error));
    }
    struct workshop copy = *workshop;
    memcpy(copy.path, path, sizeof path);
    is_sound(&copy);
    unlink(path);
}

static void test_backing_up(void **state)
{
    sweep_ways(*state, back_up, is_copy_or_nothing);
}

// ---- Verifying

static bool verify_sound(struct workshop *workshop, struct ledger_error *error)
{
    struct verify_report report = {0};
    bool read = ledger_verify(workshop->path, NULL, NULL, &report, error);
    if (!read || report.sound)
        return read;
    // What can't be read is told as damage of the file when SQLite's own check comes upon it.
    if (failing == MEMORY || strstr(report.message, "unable to get the page") == NULL)
        fail_msg("called wrong: %s", report.message);
    snprintf(error->message, sizeof error->message, "%s %.200s", workshop->path, report.message);
    return false;
}

static bool verify_wrong(struct workshop *workshop, struct ledger_error *error)
{
    struct verify_report report = {0};
    bool read = ledger_verify(workshop->path, NULL, NULL, &report, error);
    if (read && report.sound)
        fail_msg("called sound");
    return read;
}

static void test_verifying(void **state)
{
    struct workshop *workshop = *state;
    sweep_ways(workshop, verify_sound, nothing_more);
    workshop_close(workshop);
    assert_true(workshop_execute(workshop->path, "DROP TRIGGER IF EXISTS event_is_final;"
                                                 "UPDATE account SET balance_micro = balance_micro + 1 "
                                                 "WHERE id = 1"));
    sweep_ways(workshop, verify_wrong, nothing_more);
}

// ----

static int begin(void **state)
{
    struct workshop *workshop = calloc(1, sizeof *workshop);
    *state = workshop;
    left = failed = 0;
    lasting = false;
    workshop_begin(workshop);
    workshop_live(workshop);
    return 0;
}

static int end(void **state)
{
    left = failed = 0;
    workshop_end(*state);
    free(*state);
    return 0;
}

int main(int count, char **arguments)
{
    sweeps_all = count > 1 && strcmp(arguments[1], "all") == 0;
    take_over_memory();
    take_over_files();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_opening, begin, end),
        cmocka_unit_test_setup_teardown(test_making, begin, end),
        cmocka_unit_test_setup_teardown(test_committing, begin, end),
        cmocka_unit_test_setup_teardown(test_reading, begin, end),
        cmocka_unit_test_setup_teardown(test_backing_up, begin, end),
        cmocka_unit_test_setup_teardown(test_verifying, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
