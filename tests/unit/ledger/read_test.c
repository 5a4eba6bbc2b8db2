// Readers and copies: pages, filters, and that no tenant sees another's.
#include "workshop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct workshop workshop;
static struct ledger_reader *reader;

static int begin(void **state)
{
    (void)state;
    struct ledger_error error = {0};
    workshop_begin(&workshop);
    workshop_live(&workshop);
    assert_true(ledger_reader_open(workshop.path, &reader, &error));
    return 0;
}

static int end(void **state)
{
    (void)state;
    ledger_reader_close(reader);
    workshop_end(&workshop);
    return 0;
}

// The ids of all pages of a filter, as "1 2 3".
static const char *list(struct reservation_filter filter, int32_t limit)
{
    struct ledger_error error = {0};
    struct ledger_page page = {.limit = limit};
    struct buffer ids = {0};
    filter.now = filter.now.seconds == 0 ? workshop.now : filter.now;
    buffer_append_text(&ids, "");
    do {
        struct reservation_image *images;
        size_t count;
        assert_true(
            ledger_read_reservations(reader, &filter, &page, &workshop.arena, &images, &count, &error));
        assert_true(count <= (size_t)limit);
        for (size_t i = 0; i < count; i++)
            buffer_append_format(&ids, ids.length == 0 ? "%lld" : " %lld", (long long)images[i].row.id);
        page.after = page.next;
    } while (page.has_next);
    const char *text = ids.data == NULL ? "" : arena_copy(&workshop.arena, ids.data, ids.length);
    buffer_free(&ids);
    return text;
}

static void reservations_are_listed_by_filter(void **state)
{
    (void)state;
    for (int32_t limit = 1; limit <= 8; limit++) {
        assert_string_equal(list((struct reservation_filter){0}, limit), "1 2 3 4 5 6 7");
        assert_string_equal(list((struct reservation_filter){.tenant = 1}, limit), "1 2 5 6 7");
        assert_string_equal(list((struct reservation_filter){.tenant = 2}, limit), "3 4");
        assert_string_equal(list((struct reservation_filter){.tenant = 3}, limit), "");
        assert_string_equal(list((struct reservation_filter){.project = "llm", .tenant = 1}, limit), "1 2 7");
        assert_string_equal(list((struct reservation_filter){.project = "other"}, limit), "");
        assert_string_equal(list((struct reservation_filter){.pool = 2}, limit), "");
        assert_string_equal(list((struct reservation_filter){.states = 1U << STATE_ACTIVE}, limit), "4 7");
        assert_string_equal(
            list((struct reservation_filter){.states = 1U << STATE_CANCELLED | 1U << STATE_EXPIRED}, limit),
            "3 6");
    }
    struct reservation_filter window = {.has_from = true,
                                        .from = hour_of_text("2026-04-01T00:00:00Z"),
                                        .has_to = true,
                                        .to = hour_of_text("2026-05-03T00:00:00Z")};
    assert_string_equal(list(window, 3), "3 5");
    // States are by the clock that is asked for.
    struct reservation_filter later = {.states = 1U << STATE_COMPLETED,
                                       .now = instant_of_text("2027-01-20T00:00:00Z")};
    assert_string_equal(list(later, 3), "1 2 4 5");
}

static void a_reservation_is_as_the_book_had_it(void **state)
{
    (void)state;
    struct ledger_error error = {0};
    struct reservation_image *images;
    struct reservation_image live;
    size_t count;
    assert_true(
        ledger_read_reservation(reader, 4, 1, workshop.now, &workshop.arena, &images, &count, &error));
    assert_int_equal(count, 1);
    assert_true(book_reservation(workshop.book, 4, workshop.now, &live));
    struct buffer texts[2] = {{0}, {0}};
    for (int i = 0; i < 2; i++) {
        struct json json = json_begin(&texts[i]);
        book_write_reservation(workshop.book, &json, i == 0 ? &live : &images[0], workshop.now);
    }
    assert_string_equal(texts[0].data, texts[1].data);
    buffer_free(&texts[0]);
    buffer_free(&texts[1]);
    assert_int_equal(images[0].slice_count, 2);
    assert_int_equal(images[0].row.gpus, 16);
    assert_true(
        ledger_read_reservation(reader, 8, 1, workshop.now, &workshop.arena, &images, &count, &error));
    assert_int_equal(count, 0);
    // A group by its first leg.
    assert_true(
        ledger_read_reservation(reader, 5, 0, workshop.now, &workshop.arena, &images, &count, &error));
    assert_int_equal(count, 2);
    assert_int_equal(images[1].row.id, 6);
    assert_int_equal(images[1].row.state, STATE_EXPIRED);
    assert_int_equal(images[1].slice_count, 0);
    assert_int_equal(images[1].row.gpus, 16);
    assert_true(
        ledger_read_reservation(reader, 1, 0, workshop.now, &workshop.arena, &images, &count, &error));
    assert_int_equal(count, 1);
}

static void transfers_are_in_order_and_of_one_tenant(void **state)
{
    (void)state;
    struct ledger_error error = {0};
    int64_t all[3] = {0};
    for (uint32_t tenant = 0; tenant <= 2; tenant++) {
        for (int32_t limit = 1; limit < 100; limit = limit * 3 + 1) {
            struct ledger_page page = {.limit = limit};
            struct transfer_filter filter = {.tenant = tenant};
            int64_t last = 0, found = 0;
            do {
                struct transfer_row *transfers;
                size_t count;
                assert_true(ledger_read_transfers(reader, &filter, &page, &workshop.arena, &transfers, &count,
                                                  &error));
                for (size_t i = 0; i < count; i++, found++) {
                    assert_true(transfers[i].id > last);
                    last = transfers[i].id;
                    assert_true(tenant == 0 || (transfers[i].period + 1) / 2 == tenant);
                }
                page.after = page.next;
            } while (page.has_next);
            all[tenant] = found;
            assert_int_equal(
                found, tenant == 0 ? workshop_count(&workshop, workshop.path, "SELECT count(*) FROM transfer")
                                   : found);
        }
    }
    assert_int_equal(all[0], all[1] + all[2]);
    assert_true(all[1] > 10 && all[2] > 10);
    struct ledger_page page = {.limit = 1000};
    struct transfer_filter january = {.has_from = true,
                                      .from = instant_of_text("2026-02-01T00:00:00Z"),
                                      .has_to = true,
                                      .to = instant_of_text("2026-02-02T00:00:00Z")};
    struct transfer_row *transfers;
    size_t count;
    assert_true(ledger_read_transfers(reader, &january, &page, &workshop.arena, &transfers, &count, &error));
    assert_int_equal(count, workshop_count(&workshop, workshop.path,
                                           "SELECT count(*) FROM v_statement WHERE at LIKE '2026-02-01%'"));
    assert_true(count > 0 && !page.has_next);
}

static void events_are_in_order_and_of_one_tenant(void **state)
{
    (void)state;
    struct ledger_error error = {0};
    for (uint32_t tenant = 0; tenant <= 2; tenant++) {
        struct ledger_page page = {.limit = 7};
        int64_t last = 0, found = 0;
        do {
            struct event_row *events;
            size_t count;
            assert_true(ledger_read_events(reader, tenant, &page, &workshop.arena, &events, &count, &error));
            for (size_t i = 0; i < count; i++, found++) {
                assert_true(events[i].seq > last);
                last = events[i].seq;
                assert_true(tenant == 0 || events[i].tenant == tenant);
                assert_int_equal(events[i].data_length, strlen(events[i].data));
                assert_int_equal(events[i].data[0], '{');
            }
            page.after = page.next;
        } while (page.has_next);
        char sql[100];
        snprintf(sql, sizeof sql, "SELECT count(*) FROM event WHERE %u IN (0, tenant)", tenant);
        assert_int_equal(found, workshop_count(&workshop, workshop.path, sql));
    }
}

// Each page ends with the event whose data goes over the bound, and none is left out.
static void pages_of_events_are_bounded_by_bytes(void **state)
{
    (void)state;
    struct ledger_error error = {0};
    struct ledger_page all = {.limit = 1000};
    struct event_row *whole, *events;
    size_t whole_count, count;
    assert_true(ledger_read_events(reader, 0, &all, &workshop.arena, &whole, &whole_count, &error));
    assert_false(all.has_next);
    for (size_t bytes = 1; bytes < 5000; bytes += 700) {
        struct ledger_page page = {.limit = 1000, .bytes = bytes};
        size_t found = 0;
        do {
            assert_true(ledger_read_events(reader, 0, &page, &workshop.arena, &events, &count, &error));
            size_t sum = 0;
            for (size_t i = 0; i < count; i++) {
                assert_true(sum < bytes);
                sum += events[i].data_length;
                assert_int_equal(events[i].seq, whole[found + i].seq);
            }
            assert_true(page.has_next ? sum >= bytes : found + count == whole_count);
            found += count;
            page.after = page.next;
        } while (page.has_next);
        assert_int_equal(found, whole_count);
    }
}

static void a_reader_sees_what_was_committed_since(void **state)
{
    (void)state;
    int64_t id = workshop_create(&workshop, "acme", 8, "2027-06-01T00:00:00Z", "2027-06-02T00:00:00Z", NULL);
    assert_string_equal(list((struct reservation_filter){.states = 1U << STATE_BOOKED}, 3), "");
    workshop_commit(&workshop);
    char expected[24];
    snprintf(expected, sizeof expected, "%lld", (long long)id);
    assert_string_equal(list((struct reservation_filter){.states = 1U << STATE_BOOKED}, 3), expected);
    workshop_cancel(&workshop, "acme", id);
    workshop_commit(&workshop);
}

// ---- Copies

static void a_copy_is_complete_in_one_file(void **state)
{
    (void)state;
    char copy[PATH_SIZE], beside[PATH_SIZE];
    struct ledger_error error = {0};
    struct stat status;
    workshop_path(&workshop, "copies/first.db", copy);
    assert_true(ledger_backup(workshop.path, copy, &error));
    assert_int_equal(stat(copy, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_string_equal(workshop_query(&workshop, copy, "PRAGMA journal_mode"), "delete");
    static const char *const left[] = {"copies/first.db-wal", "copies/first.db-shm",
                                       "copies/first.db-journal"};
    for (int i = 0; i < 3; i++) {
        workshop_path(&workshop, left[i], beside);
        assert_int_not_equal(access(beside, F_OK), 0);
    }
    struct verify_report report;
    assert_true(ledger_verify(copy, NULL, NULL, &report, &error));
    assert_true(report.sound);
    assert_int_equal(report.batches, ledger_last_batch(workshop.ledger));
    // Never over a file that is there.
    assert_false(ledger_backup(workshop.path, copy, &error));
    assert_non_null(strstr(error.message, "already"));
    assert_int_equal(workshop_count(&workshop, copy, "SELECT count(*) FROM batch"), report.batches);
    unlink(copy);
    workshop_path(&workshop, "copies", beside);
    assert_int_equal(rmdir(beside), 0); // nothing else was left behind
}

// A copy is a ledger that can be gone on with.
static void a_copy_can_be_opened(void **state)
{
    (void)state;
    char copy[PATH_SIZE];
    struct ledger_error error = {0};
    workshop_path(&workshop, "copy-ledger.db", copy);
    assert_true(ledger_backup(workshop.path, copy, &error));
    struct ledger_options options = workshop_options(&workshop);
    options.path = copy;
    struct ledger *ledger;
    assert_true(ledger_open(&options, &ledger, &error));
    assert_int_equal(ledger_last_batch(ledger), ledger_last_batch(workshop.ledger));
    ledger_close(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reservations_are_listed_by_filter),
        cmocka_unit_test(a_reservation_is_as_the_book_had_it),
        cmocka_unit_test(transfers_are_in_order_and_of_one_tenant),
        cmocka_unit_test(events_are_in_order_and_of_one_tenant),
        cmocka_unit_test(a_copy_is_complete_in_one_file),
        cmocka_unit_test(a_copy_can_be_opened),
        cmocka_unit_test(pages_of_events_are_bounded_by_bytes),
        cmocka_unit_test(a_reader_sees_what_was_committed_since),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
