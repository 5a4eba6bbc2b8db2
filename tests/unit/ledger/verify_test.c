// Verifying: a sound ledger is found sound, and each planted fault is caught and named.
#include "workshop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct workshop workshop;

static int begin_all(void **state)
{
    (void)state;
    workshop_begin(&workshop);
    workshop_live(&workshop);
    return 0;
}

static int end_all(void **state)
{
    (void)state;
    workshop_end(&workshop);
    return 0;
}

static struct verify_report verify(const char *path)
{
    struct verify_report report;
    struct ledger_error error = {0};
    if (!ledger_verify(path, NULL, NULL, &report, &error))
        fail_msg("%s", error.message);
    return report;
}

static void count_steps(void *context, const char *step, int64_t done, int64_t total)
{
    (void)step;
    assert_true(done <= total || total == 0);
    ++*(int *)context;
}

static void a_live_ledger_is_sound(void **state)
{
    (void)state;
    int steps = 0;
    struct verify_report report;
    struct ledger_error error = {0};
    assert_true(ledger_verify(workshop.path, count_steps, &steps, &report, &error));
    if (!report.sound)
        fail_msg("%s", report.message);
    assert_int_equal(report.batches, ledger_last_batch(workshop.ledger));
    assert_int_equal(report.events, workshop_count(&workshop, workshop.path, "SELECT count(*) FROM event"));
    assert_int_equal(report.transfers,
                     workshop_count(&workshop, workshop.path, "SELECT count(*) FROM transfer"));
    assert_int_equal(report.reservations, 7);
    assert_true(steps > 0);
}

static void no_file_is_an_error(void **state)
{
    (void)state;
    struct verify_report report;
    struct ledger_error error = {0};
    assert_false(ledger_verify("/nonexistent/ledger.db", NULL, NULL, &report, &error));
    assert_non_null(strstr(error.message, "/nonexistent/ledger.db"));
}

// Everything that keeps an operator from it is taken away first.
#define WITHOUT_TRIGGERS                                                                                     \
    "DROP TRIGGER event_keep; DROP TRIGGER event_fix; DROP TRIGGER transfer_keep; DROP TRIGGER "             \
    "transfer_fix; DROP TRIGGER batch_keep; DROP TRIGGER batch_fix; DROP TRIGGER capacity_change_fix; "      \
    "DROP TRIGGER client_ref_keep; DROP TRIGGER client_ref_fix; DROP TRIGGER contract_terms_fix; "           \
    "DROP TRIGGER rate_fix; DROP TRIGGER contract_price_keep; PRAGMA foreign_keys = OFF;"

static const struct fault {
    const char *sql;
    const char *found[3]; // each is in the message
} faults[] = {
    // What happened.
    {"UPDATE transfer SET amount_micro = amount_micro + 1 WHERE id = 7", {"batch 2", "hash"}},
    {"DELETE FROM transfer WHERE id = 9", {"transfer 9 is missing"}},
    {"DELETE FROM transfer WHERE id = (SELECT max(id) FROM transfer)", {"hash does not agree"}},
    {"UPDATE event SET data = replace(data, '\"gpus\":64', '\"gpus\":72') WHERE seq = 11",
     {"batch 2", "hash"}},
    {"UPDATE event SET actor = 'uid:7' WHERE seq = 12", {"batch 2", "hash"}},
    {"DELETE FROM event WHERE seq = 20", {"event 20 is missing"}},
    {"INSERT INTO event SELECT 1000, at, type, actor, tenant, reservation, 99, data FROM event WHERE seq = 1",
     {"event 57 is missing"}},
    {"INSERT INTO event SELECT seq + 1, at, type, actor, tenant, reservation, 99, data FROM event WHERE seq "
     "= 56",
     {"event 57", "belongs to no batch"}},
    {"DELETE FROM batch WHERE seq = (SELECT max(seq) FROM batch)", {"event 56", "belongs to no batch"}},
    {"UPDATE batch SET at = at + 1 WHERE seq = 3", {"batch 3", "hash"}},
    {"UPDATE batch SET hash = zeroblob(32) WHERE seq = 3", {"batch 3", "hash"}},
    {"UPDATE capacity_change SET gpus = 2048", {"batch 1", "hash"}},
    {"UPDATE rate SET price_micro = 1", {"batch 1", "hash"}},
    {"UPDATE contract_terms SET surcharge_bp = 0", {"batch 1", "hash"}},
    {"DELETE FROM contract_price", {"batch 1", "hash"}},
    {"UPDATE client_ref SET thing = 2 WHERE client_ref = 'job-1'", {"batch 2", "hash"}},
    {"DELETE FROM client_ref WHERE client_ref = 'pair'", {"hash"}},
    {"DELETE FROM batch WHERE seq = 3", {"batch 3 is missing"}},
    {"UPDATE batch SET at = 0 WHERE seq = 3", {"batch 3", "earlier than the batch before it"}},
    {"PRAGMA ignore_check_constraints = ON; UPDATE batch SET hash = zeroblob(31) WHERE seq = 3",
     {"batch 3", "no batch can"}},
    {"UPDATE rate SET start = 7731410400000", {"rate 1", "no row can"}},
    {"UPDATE event SET batch = 2 WHERE seq = 30", {"event 30", "names batch 2"}},
    // What is replaced in place.
    {"UPDATE account SET balance_micro = balance_micro + 1 WHERE id = 10",
     {"account 10", "transfers sum to"}},
    {"DELETE FROM account WHERE id = 30", {"account"}},
    {"UPDATE reservation SET gpus = gpus + 8 WHERE id = 2", {"reservation 2", "gpus", "event 52"}},
    {"UPDATE reservation SET state = 'cancelled' WHERE id = 1", {"reservation 1", "state"}},
    {"UPDATE reservation SET cost_micro = cost_micro + 1 WHERE id = 3", {"reservation 3", "cost"}},
    {"UPDATE reservation SET tenant = 2 WHERE id = 1", {"reservation 1", "tenant"}},
    {"UPDATE reservation SET note = NULL WHERE id = 4", {"reservation 4", "note"}},
    {"UPDATE reservation SET \"group\" = 6 WHERE id = 6", {"reservation 6", "group"}},
    {"DELETE FROM slice WHERE reservation = 6; DELETE FROM reservation WHERE id = 6",
     {"names a row of reservation that does not exist"}},
    {"UPDATE slice SET gpus = gpus + 8 WHERE reservation = 1", {"slice 1/1", "gpus"}},
    {"UPDATE slice SET start = start + 3600 WHERE reservation = 5", {"slice 5/1", "start"}},
    {"UPDATE slice SET price_micro = price_micro + 1 WHERE reservation = 7", {"slice 7/1", "price"}},
    {"DELETE FROM slice WHERE reservation = 4 AND number = 2", {"slice: reservation 4 has 1 slices, but 2"}},
    {"UPDATE slice SET period = 1 WHERE reservation = 7", {"slice 7/1", "period"}},
    {"UPDATE slice SET end = end - 3600 WHERE reservation = 5", {"slice 5/1", "end"}},
    {"UPDATE slice SET price_micro = 9223372036854775807 WHERE reservation = 7", {"slice 7/1", "largest"}},
    {"UPDATE slice SET gpus = 3000000000 WHERE reservation = 1", {"slice 1/1", "no row can"}},
    {"CREATE TABLE other AS SELECT * FROM reservation WHERE id = 1; UPDATE other SET id = 8; "
     "INSERT INTO reservation SELECT * FROM other; DROP TABLE other",
     {"reservation 8", "no event"}},
    {"CREATE TABLE other AS SELECT * FROM reservation WHERE id = 1; UPDATE other SET id = 9; "
     "INSERT INTO reservation SELECT * FROM other; DROP TABLE other",
     {"reservation 8 is missing"}},
    {"INSERT INTO tenant (id, tenant, suspended, requests_per_second, requests_burst) "
     "VALUES (3, 'stray', 0, 0, 0)",
     {"tenant stray", "differs"}},
    {"UPDATE contract_period SET commit_micro = commit_micro + 1 WHERE id = 1",
     {"contract_period acme-2026/2026", "commit_micro"}},
    {"UPDATE contract_period SET relief_micro = 1 WHERE id = 3",
     {"contract_period zeta-2026/2026", "relief_micro"}},
    {"UPDATE contract_period SET waived_micro = 1 WHERE id = 3",
     {"contract_period zeta-2026/2026", "waived"}},
    {"UPDATE contract_period SET credit_used_micro = 1 WHERE id = 3",
     {"contract_period zeta-2026/2026", "credit_used"}},
    {"UPDATE contract_period SET surcharge_micro = 1 WHERE id = 3",
     {"contract_period zeta-2026/2026", "surcharge"}},
    {"UPDATE tenant SET suspended = 0 WHERE tenant = 'zeta'", {"tenant zeta", "suspended"}},
    {"UPDATE contract_period SET closed = 0 WHERE id = 1",
     {"contract_period acme-2026/2026-01-01", "closed"}},
    {"UPDATE contract_period SET deferred_out_micro = 1 WHERE id = 3",
     {"contract_period zeta-2026", "deferred_out"}},
    {"UPDATE contract_period SET instalments_billed = 2 WHERE id = 2",
     {"contract_period acme-2026", "instalments"}},
    {"UPDATE contract_period SET threshold = 4 WHERE id = 2", {"contract_period acme-2026", "threshold"}},
    {"UPDATE contract_period SET delivering_micro = 1 WHERE id = 4",
     {"contract_period zeta-2026/2027", "delivering"}},
    {"UPDATE contract_period SET delivered_micro = delivered_micro + 1 WHERE id = 4",
     {"contract_period zeta-2026/2027", "delivered"}},
    {"UPDATE contract_period SET waived_micro = 1 WHERE id = 4",
     {"contract_period zeta-2026/2027", "settled"}},
    // What nothing but the row itself, its transfers, its terms or its last event say.
    {"UPDATE contract_period SET commit_micro = commit_micro + 1 WHERE id = 4",
     {"contract_period zeta-2026/2027", "commit_micro", "transfers come to"}},
    {"UPDATE contract_period SET overage_limit_micro = overage_limit_micro + 1 WHERE id = 2",
     {"contract_period acme-2026/2027", "overage_limit_micro", "transfers come to"}},
    {"UPDATE contract_period SET overage_limit_micro = NULL WHERE id = 2",
     {"contract_period acme-2026/2", "overage is unlimited"}},
    {"UPDATE contract_period SET overage_limit_micro = 0 WHERE id = 4",
     {"contract_period zeta-2026/2", "overage is unlimited"}},
    {"UPDATE contract_period SET relief_micro = 1 WHERE id = 2",
     {"contract_period acme-2026/2027", "relief_micro"}},
    {"UPDATE contract_period SET fees_billed_micro = fees_billed_micro + 1 WHERE id = 2",
     {"contract_period acme-2026/2027", "fees_billed_micro"}},
    {"UPDATE contract_period SET end = end - 3600 WHERE id = 2", {"contract_period acme-2026/2", "end"}},
    {"UPDATE contract_period SET end = end + 3600 WHERE id = 1; "
     "UPDATE contract_period SET start = start + 3600 WHERE id = 2",
     {"contract_period acme-2026", "start"}},
    {"UPDATE contract_period SET number = 5 WHERE id = 2", {"contract_period acme-2026", "number"}},
    {"UPDATE contract SET end = end + 3600 WHERE id = 1", {"contract acme-2026", "differs"}},
    {"UPDATE contract SET tenant = 2 WHERE id = 1", {"contract acme-2026", "differs"}},
    {"UPDATE contract SET version = 2 WHERE id = 1", {"contract acme-2026", "differs"}},
    {"UPDATE account SET kind = 'charges' WHERE id = 8; UPDATE account SET kind = 'authority' WHERE id = 12; "
     "UPDATE account SET kind = 'credit' WHERE id = 8",
     {"account 8", "kind"}},
    {"UPDATE pool SET unit = 1", {"pool colossus-1/h100", "differs"}},
    {"UPDATE tenant SET name = 'Another' WHERE id = 1", {"tenant acme", "differs"}},
    {"INSERT INTO tenant_uid (uid, tenant, revoked) VALUES (4711, NULL, 0)", {"tenant_uid 4711", "no event"}},
    {"DELETE FROM tenant_uid WHERE uid = 1001", {"tenant_uid 1001", "an event gives it"}},
    {"INSERT INTO token VALUES ('mine', NULL, zeroblob(32), zeroblob(32), 0, 0)", {"token mine", "differs"}},
    {"DELETE FROM ledger", {"ledger", "clock"}},
    {"UPDATE reservation SET legs = 3 WHERE \"group\" IS NOT NULL", {"legs"}},
    {"UPDATE reservation SET legs = NULL, \"group\" = NULL WHERE id = 6", {"reservation 6"}},
    {"UPDATE slice SET layer = 7 WHERE reservation = 1", {"slice 1/1", "layer"}},
    {"UPDATE reservation SET last_slice = 0 WHERE id = 1", {"slice 1/1", "number"}},
    // Rows that no table can have.
    {"INSERT INTO account VALUES (-1, 1, NULL, 'authority', 0)", {"account", "no row can"}},
    {"PRAGMA ignore_check_constraints = ON; UPDATE account SET kind = 'wealth' WHERE id = 1",
     {"account 1", "no row can"}},
    {"UPDATE contract_period SET id = -4 WHERE id = 4", {"names a row of contract_period"}},
    {"PRAGMA ignore_check_constraints = ON; UPDATE contract_period SET delivered_through = 7731410400000 "
     "WHERE "
     "id = 4",
     {"contract_period"}},
    // The schema's own rules.
    {"PRAGMA ignore_check_constraints = ON; UPDATE reservation SET state = 'gone' WHERE id = 1",
     {"reservation 1", "no row can"}},
    {"UPDATE reservation SET pool = 9 WHERE id = 1", {"reservation, row 1", "pool"}},
};

static void each_fault_is_caught_and_named(void **state)
{
    (void)state;
    struct ledger_error error = {0};
    char path[PATH_SIZE];
    workshop_path(&workshop, "fault.db", path);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        unlink(path);
        if (!ledger_backup(workshop.path, path, &error))
            fail_msg("%s", error.message);
        assert_true(workshop_execute(path, WITHOUT_TRIGGERS));
        struct verify_report report = verify(path);
        if (!report.sound)
            fail_msg("before %s: %s", faults[i].sql, report.message);
        char *sql = sqlite3_mprintf("PRAGMA foreign_keys = OFF; %s", faults[i].sql);
        assert_true(workshop_execute(path, sql));
        sqlite3_free(sql);
        report = verify(path);
        if (report.sound)
            fail_msg("not found: %s", faults[i].sql);
        for (int k = 0; k < 3 && faults[i].found[k] != NULL; k++)
            if (strstr(report.message, faults[i].found[k]) == NULL)
                fail_msg("%s: \"%s\" does not say \"%s\"", faults[i].sql, report.message, faults[i].found[k]);
    }
}

// A fault that is consistent in itself: a slice that was made larger in the table, in its event, in the chain
// and in the money is still one too many for the pool.
static void too_much_in_an_hour_is_found(void **state)
{
    (void)state;
    struct workshop small = {0};
    struct ledger_error error = {0};
    workshop_begin(&small);
    workshop_manifest(&small);
    workshop_create(&small, "acme", 1024, "2026-02-01T00:00:00Z", "2026-02-02T00:00:00Z", NULL);
    // Another book, which knows nothing of the first booking, is made to decide on the rest of the pool.
    struct row *rows = small.rows;
    for (size_t i = 0; i < small.row_count; i++)
        if (rows[i].kind == ROW_CAPACITY_CHANGE)
            rows[i].capacity_change.gpus = 512;
    workshop_commit(&small);
    struct verify_report report = verify(small.path);
    assert_false(report.sound);
    assert_non_null(strstr(report.message, "512 GPUs more reserved than it has at 2026-02-01T00:00:00Z"));
    assert_int_equal(workshop_count(&small, small.path, "SELECT missing FROM v_overbooked"), 512);
    (void)error;
    workshop_end(&small);
}

static void more_than_the_authority_is_found(void **state)
{
    (void)state;
    struct workshop small = {0};
    workshop_begin(&small);
    workshop_manifest(&small);
    workshop_create(&small, "acme", 1024, "2026-02-01T00:00:00Z", "2026-02-05T00:00:00Z", NULL);
    for (size_t i = 0; i < small.row_count; i++)
        if (small.rows[i].kind == ROW_CONTRACT_PERIOD) {
            small.rows[i].contract_period.commit = amount_of_text("1000.00");
            small.rows[i].contract_period.overage_limit = amount_of_text("100.00");
        }
    workshop_commit(&small);
    struct verify_report report = verify(small.path);
    assert_false(report.sound);
    assert_non_null(strstr(report.message, "more is used than its authority"));
    workshop_end(&small);
}

// An outage that the daemon cut wrong, all of it consistent with itself.
static void an_outage_that_is_cut_wrong_is_found(void **state)
{
    (void)state;
    static const struct {
        enum outage_part part;
        int32_t start, end, gpus; // what is added to them
        const char *found;
    } faults[] = {
        {OUTAGE_CUT, 0, 0, 0, NULL},
        {OUTAGE_CUT, 1, 0, 0, "does not follow the cut before it"},
        {OUTAGE_CUT, 0, -1, 0, "is not cut for the next 24 hours"},
        {OUTAGE_CUT, 0, 0, -8, "cuts more than its outage"},
        {OUTAGE_RETURNED, 1, 0, 0, "still takes GPUs after its end"},
        {OUTAGE_RETURNED, 0, 0, -8, "still takes GPUs after its end"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct workshop small = {0};
        workshop_begin(&small);
        workshop_manifest(&small);
        struct request request = {.kind = REQUEST_CAPACITY_CHANGE,
                                  .capacity = {.pool = "colossus-1/h100",
                                               .kind = CAPACITY_OUTAGE,
                                               .gpus = 16,
                                               .start = hour_of_text("2026-02-01T00:00:00Z"),
                                               .end = HOUR_NEVER}};
        assert_int_equal(workshop_decide(&small, request), VERDICT_DONE);
        if (faults[i].part == OUTAGE_RETURNED) {
            request.capacity.end = hour_of_text("2026-02-01T05:00:00Z");
            assert_int_equal(workshop_decide(&small, request), VERDICT_DONE);
        }
        for (size_t k = 0; k < small.row_count; k++) {
            struct capacity_change_row *row = &small.rows[k].capacity_change;
            if (small.rows[k].kind != ROW_CAPACITY_CHANGE || row->part != faults[i].part)
                continue;
            row->start.number += faults[i].start;
            row->end.number += faults[i].end;
            row->gpus += faults[i].gpus;
        }
        workshop_commit(&small);
        struct verify_report report = verify(small.path);
        if (report.sound != (faults[i].found == NULL) ||
            (faults[i].found != NULL && strstr(report.message, faults[i].found) == NULL))
            fail_msg("fault %zu: %s", i, report.message);
        workshop_end(&small);
    }
}

static void a_flipped_bit_is_found(void **state)
{
    (void)state;
    struct ledger_error error = {0};
    char path[PATH_SIZE];
    workshop_path(&workshop, "flipped.db", path);
    assert_true(ledger_backup(workshop.path, path, &error));
    // Somewhere in the text of an event.
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    char page[4096];
    long at = -1;
    for (long offset = 0; at < 0 && fread(page, 1, sizeof page, file) == sizeof page; offset += 4096)
        for (size_t i = 0; at < 0 && i + 16 < sizeof page; i++)
            if (memcmp(page + i, "\"state\":\"booked\"", 16) == 0)
                at = offset + (long)i + 10;
    assert_true(at > 0);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fputc('B', file), 'B');
    fclose(file);
    struct verify_report report = verify(path);
    assert_false(report.sound);
    assert_non_null(strstr(report.message, "hash"));
}

// What can't be is also refused by those that do not verify: at the start, and by a reader.
static const struct unreadable {
    const char *sql, *said;
} unreadable[] = {
    {"UPDATE slice SET gpus = 3000000000 WHERE reservation = 7", "no row can"},
    {"UPDATE reservation SET gpus = 3000000000 WHERE id = 7", "no row can"},
    {"UPDATE rate SET start = 7731410400000", "no row can"},
    {"PRAGMA ignore_check_constraints = ON; UPDATE batch SET hash = zeroblob(31) WHERE seq = (SELECT "
     "max(seq) FROM batch)",
     "no batch can"},
    {"DELETE FROM indexed", "missing"},
    {"PRAGMA application_id = 7", "not a ledger"},
    {"PRAGMA user_version = 99", "version"},
};

static void what_can_not_be_is_not_loaded(void **state)
{
    (void)state;
    char path[PATH_SIZE], witness[2 * PATH_SIZE];
    struct ledger_error error = {0};
    workshop_path(&workshop, "unreadable.db", path);
    snprintf(witness, sizeof witness, "%s-witness", path);
    for (size_t i = 0; i < sizeof unreadable / sizeof unreadable[0]; i++) {
        unlink(path);
        unlink(witness);
        assert_true(ledger_backup(workshop.path, path, &error));
        assert_true(workshop_execute(path, WITHOUT_TRIGGERS));
        char *sql = sqlite3_mprintf("PRAGMA foreign_keys = OFF; %s", unreadable[i].sql);
        assert_true(workshop_execute(path, sql));
        sqlite3_free(sql);
        struct workshop other = workshop;
        memcpy(other.path, path, sizeof path);
        struct ledger_options options = workshop_options(&other);
        struct book_options book_options = {
            .horizon_years = 10, .hold_seconds_max = 86400, .origin = hour_of_text("2026-01-01T00:00:00Z")};
        struct book *book = book_create(&book_options);
        struct ledger *ledger = NULL;
        if (ledger_open(&options, &ledger, &error) && ledger_load(ledger, book, &error))
            fail_msg("loaded after %s", unreadable[i].sql);
        if (strstr(error.message, unreadable[i].said) == NULL || strstr(error.message, path) == NULL)
            fail_msg("after %s: %s", unreadable[i].sql, error.message);
        if (ledger != NULL)
            ledger_close(ledger);
        book_destroy(book);
    }
}

static void a_reader_refuses_what_can_not_be(void **state)
{
    (void)state;
    char path[PATH_SIZE];
    struct ledger_error error = {0};
    struct ledger_reader *reader;
    struct ledger_page page = {.limit = 100};
    struct reservation_filter filter = {.now = workshop.now};
    struct transfer_filter transfer_filter = {0};
    struct reservation_image *images;
    struct transfer_row *transfers;
    size_t count;
    workshop_path(&workshop, "odd.db", path);
    assert_true(ledger_backup(workshop.path, path, &error));
    assert_true(workshop_execute(path, WITHOUT_TRIGGERS));
    assert_true(workshop_execute(path, "UPDATE reservation SET gpus = 3000000000 WHERE id = 3;"
                                       "PRAGMA ignore_check_constraints = ON;"
                                       "UPDATE transfer SET kind = 'gift' WHERE id = 3"));
    assert_true(ledger_reader_open(path, &reader, &error));
    assert_false(ledger_read_reservations(reader, &filter, &page, &workshop.arena, &images, &count, &error));
    assert_non_null(strstr(error.message, "no row can"));
    assert_false(
        ledger_read_reservation(reader, 3, 1, workshop.now, &workshop.arena, &images, &count, &error));
    assert_false(
        ledger_read_transfers(reader, &transfer_filter, &page, &workshop.arena, &transfers, &count, &error));
    assert_true(
        ledger_read_reservation(reader, 1, 1, workshop.now, &workshop.arena, &images, &count, &error));
    assert_int_equal(count, 1);
    ledger_reader_close(reader);
}

static void a_lost_page_is_named(void **state)
{
    (void)state;
    struct ledger_error error = {0};
    char path[PATH_SIZE], page[4096] = {0};
    workshop_path(&workshop, "lost.db", path);
    assert_true(ledger_backup(workshop.path, path, &error));
    int64_t root = workshop_count(&workshop, path, "SELECT rootpage FROM sqlite_schema WHERE name = 'event'");
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (root - 1) * (long)sizeof page, SEEK_SET), 0);
    assert_int_equal(fwrite(page, 1, sizeof page, file), sizeof page);
    fclose(file);
    struct verify_report report = verify(path);
    assert_false(report.sound);
    char wanted[40];
    snprintf(wanted, sizeof wanted, "Page %d", (int)root);
    assert_non_null(strstr(report.message, wanted));
    assert_null(strchr(report.message, '\n'));
    assert_null(strstr(report.message, "***"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_live_ledger_is_sound),
        cmocka_unit_test(no_file_is_an_error),
        cmocka_unit_test(each_fault_is_caught_and_named),
        cmocka_unit_test(too_much_in_an_hour_is_found),
        cmocka_unit_test(more_than_the_authority_is_found),
        cmocka_unit_test(an_outage_that_is_cut_wrong_is_found),
        cmocka_unit_test(a_flipped_bit_is_found),
        cmocka_unit_test(what_can_not_be_is_not_loaded),
        cmocka_unit_test(a_reader_refuses_what_can_not_be),
        cmocka_unit_test(a_lost_page_is_named),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
