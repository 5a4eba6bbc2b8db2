#include "manifest_fixture.h"

static struct fixture operated_fixture(void)
{
    struct fixture fixture = fixture_at("2026-01-01T00:30:00Z");
    struct sample sample;
    sample_fill(&sample);
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_DONE);
    return fixture;
}

static struct request capacity_request(enum capacity_kind kind, int64_t gpus, const char *start)
{
    return (struct request){
        .kind = REQUEST_CAPACITY_CHANGE,
        .capacity = {
            .pool = "north/h100", .kind = kind, .gpus = gpus, .start = hour_from(start), .end = HOUR_NEVER}};
}

static void test_a_change_of_capacity_is_dated_and_signed(void **state)
{
    (void)state;
    struct fixture fixture = operated_fixture();
    struct request request = capacity_request(CAPACITY_MAINTENANCE, 80, "2026-02-01T00:00:00Z");
    assert_refused(decide(&fixture, request), VERDICT_INVALID_PARAMS, "end");
    request.capacity.end = hour_from("2026-02-02T00:00:00Z");
    const struct decision *decision = decide(&fixture, request);
    assert_int_equal(decision->verdict, VERDICT_DONE);
    assert_string_equal(decision->result,
                        "\"capacity_change\":{\"id\":3,\"pool\":\"north/h100\",\"kind\":\"maintenance\","
                        "\"gpus\":80,\"start\":\"2026-02-01T00:00:00Z\",\"end\":\"2026-02-02T00:00:00Z\","
                        "\"note\":null,\"base\":false},\"interruptions\":[]");
    assert_int_equal(count_events(decision, "capacity.changed"), 1);
    assert_int_equal(book_free(fixture.book, 1, hour_from("2026-02-01T23:00:00Z")), 720);
    assert_int_equal(book_free(fixture.book, 1, hour_from("2026-02-02T00:00:00Z")), 800);
    fixture_end(&fixture);
}

static void test_a_senseless_change_of_capacity_is_refused(void **state)
{
    (void)state;
    struct fixture fixture = operated_fixture();
    struct request request = capacity_request(CAPACITY_GROWTH, 0, "2026-02-01T00:00:00Z");
    assert_refused(decide(&fixture, request), VERDICT_INVALID_PARAMS, "gpus");
    request.capacity.gpus = INT64_C(5000000000);
    assert_refused(decide(&fixture, request), VERDICT_INVALID_PARAMS, "gpus");
    request = capacity_request(CAPACITY_RETIREMENT, 808, "2026-02-01T00:00:00Z");
    assert_refused(decide(&fixture, request), VERDICT_INVALID_PARAMS, "gpus");
    request = capacity_request(CAPACITY_GROWTH, 12, "2026-02-01T00:00:00Z"); // the unit is 8
    assert_refused(decide(&fixture, request), VERDICT_INVALID_PARAMS, "gpus");
    request = capacity_request(CAPACITY_GROWTH, 8, "2025-12-31T23:00:00Z");
    assert_refused(decide(&fixture, request), VERDICT_INVALID_PARAMS, "start");
    request = capacity_request(CAPACITY_GROWTH, 8, "2036-01-01T00:00:00Z");
    assert_refused(decide(&fixture, request), VERDICT_INVALID_PARAMS, "start");
    request = capacity_request(CAPACITY_GROWTH, 8, "2026-01-01T00:00:00Z"); // the running hour
    assert_int_equal(decide(&fixture, request)->verdict, VERDICT_DONE);
    request.capacity.end = request.capacity.start;
    assert_refused(decide(&fixture, request), VERDICT_INVALID_PARAMS, "end");
    request.capacity.pool = "north/b200";
    request.capacity.end = HOUR_NEVER;
    assert_refused(decide(&fixture, request), VERDICT_NOT_FOUND, NULL);
    fixture_end(&fixture);
}

static void test_a_change_interrupts_what_it_leaves_no_gpus_for(void **state)
{
    (void)state;
    struct fixture fixture = operated_fixture();
    put_reservation(&fixture, 1, TIER_FIRM, hour_from("2026-02-01T00:00:00Z"),
                    hour_from("2026-02-03T00:00:00Z"), 760);
    struct request request = capacity_request(CAPACITY_RETIREMENT, 80, "2026-02-02T00:00:00Z");
    request.client_ref = "rack";
    const struct decision *decision = decide(&fixture, request);
    assert_int_equal(decision->verdict, VERDICT_DONE);
    assert_non_null(strstr(decision->result, "\"interruptions\":[{\"reservation\":1,"
                                             "\"start\":\"2026-02-02T00:00:00Z\","
                                             "\"end\":\"2026-02-03T00:00:00Z\",\"gpus\":40}]"));
    const char *made = decision->result;
    size_t interruptions = 0;
    for (size_t i = 0; i < decision->row_count; i++)
        interruptions += decision->rows[i].kind == ROW_INTERRUPTION;
    assert_int_equal(interruptions, 1);
    struct reservation_image image;
    assert_true(book_reservation(fixture.book, 1, fixture.now, &image));
    assert_int_equal(image.row.end.number, hour_from("2026-02-03T00:00:00Z").number); // its window stays
    assert_int_equal(image.row.gpu_hours, 24 * 760 + 24 * 720);
    assert_int_equal(book_free(fixture.book, 1, hour_from("2026-02-02T00:00:00Z")), 0);
    // A replay shows them too.
    assert_string_equal(decide(&fixture, request)->result, made);
    fixture_end(&fixture);
}

static void test_a_replay_shows_the_change_it_made(void **state)
{
    (void)state;
    struct fixture fixture = operated_fixture();
    struct request request = capacity_request(CAPACITY_GROWTH, 8, "2026-02-01T00:00:00Z");
    request.client_ref = "grow";
    request.capacity.note = "rack 9";
    const char *made = decide(&fixture, request)->result;
    fixture.now = instant_from("2026-06-01T00:00:00Z"); // its start is over by now
    const struct decision *again = decide(&fixture, request);
    assert_true(again->replayed);
    assert_int_equal(again->row_count, 0);
    assert_string_equal(again->result, made);
    request.capacity.gpus = 16;
    assert_refused(decide(&fixture, request), VERDICT_CONFLICT, NULL);
    request = (struct request){.kind = REQUEST_BACKUP, .backup_name = "x", .client_ref = "grow"};
    assert_refused(decide(&fixture, request), VERDICT_CONFLICT, NULL);
    fixture_end(&fixture);
}

static void test_tenants_are_suspended_and_resumed(void **state)
{
    (void)state;
    struct fixture fixture = operated_fixture();
    struct request request = {.kind = REQUEST_TENANT_SUSPEND, .tenant = "acme", .reason = "unpaid"};
    const struct decision *decision = decide(&fixture, request);
    assert_string_equal(decision->result, "\"tenant\":\"acme\",\"suspended\":true");
    assert_int_equal(count_events(decision, "tenant.suspended"), 1);
    assert_true(book_tenant_row(fixture.book, 1)->suspended);
    assert_string_equal(book_tenant_row(fixture.book, 1)->name, "Acme");
    assert_int_equal(decide(&fixture, request)->row_count, 0); // so already
    request.kind = REQUEST_TENANT_RESUME;
    assert_int_equal(count_events(decide(&fixture, request), "tenant.resumed"), 1);
    assert_false(book_tenant_row(fixture.book, 1)->suspended);
    request.tenant = "initech";
    assert_refused(decide(&fixture, request), VERDICT_NOT_FOUND, NULL);
    request.tenant = NULL;
    assert_refused(decide(&fixture, request), VERDICT_INVALID_PARAMS, "tenant");
    fixture_end(&fixture);
}

static void test_a_label_is_used_once_for_ever(void **state)
{
    (void)state;
    struct fixture fixture = operated_fixture();
    struct request request = {.kind = REQUEST_TOKEN_CREATE, .tenant = "acme", .token = {.label = "gateway"}};
    const struct decision *decision = decide(&fixture, request);
    assert_string_equal(decision->result, "\"label\":\"gateway\",\"tenant\":\"acme\"");
    assert_int_equal(count_events(decision, "token.created"), 1);
    assert_int_equal(book_token_count(fixture.book), 1);
    assert_int_equal(book_token(fixture.book, 0)->tenant, book_tenant(fixture.book, "acme"));
    assert_int_equal(book_token(fixture.book, 0)->created.seconds, fixture.now.seconds);
    assert_refused(decide(&fixture, request), VERDICT_CONFLICT, NULL);
    struct request revoke = {.kind = REQUEST_TOKEN_REVOKE, .token = {.label = "gateway"}};
    assert_int_equal(count_events(decide(&fixture, revoke), "token.revoked"), 1);
    assert_true(book_token(fixture.book, 0)->revoked);
    assert_int_equal(decide(&fixture, revoke)->row_count, 0);
    assert_refused(decide(&fixture, request), VERDICT_CONFLICT, NULL);
    revoke.token.label = "nobody's";
    assert_refused(decide(&fixture, revoke), VERDICT_NOT_FOUND, NULL);
    fixture_end(&fixture);
}

static void test_a_token_is_a_tenants_or_an_operators(void **state)
{
    (void)state;
    struct fixture fixture = operated_fixture();
    struct request request = {.kind = REQUEST_TOKEN_CREATE, .token = {.label = "ops"}};
    assert_refused(decide(&fixture, request), VERDICT_INVALID_PARAMS, "tenant");
    request.token.is_operator = true;
    assert_string_equal(decide(&fixture, request)->result, "\"label\":\"ops\",\"tenant\":null");
    request.tenant = "acme";
    assert_refused(decide(&fixture, request), VERDICT_INVALID_PARAMS, "tenant");
    request.token.is_operator = false;
    request.tenant = "initech";
    assert_refused(decide(&fixture, request), VERDICT_NOT_FOUND, NULL);
    fixture_end(&fixture);
}

static void test_backups_and_the_clock_are_recorded(void **state)
{
    (void)state;
    struct fixture fixture = operated_fixture();
    struct request backup = {.kind = REQUEST_BACKUP, .backup_name = "monday.db"};
    const struct decision *decision = decide(&fixture, backup);
    assert_string_equal(decision->result, "\"name\":\"monday.db\"");
    assert_int_equal(count_events(decision, "backup.requested"), 1);
    struct request advance = {.kind = REQUEST_CLOCK_ADVANCE,
                              .advance_to = instant_from("2026-01-01T00:29:59Z")};
    assert_refused(decide(&fixture, advance), VERDICT_INVALID_PARAMS, "to");
    advance.advance_to = instant_from("2026-02-01T00:00:00Z");
    decision = decide(&fixture, advance);
    assert_string_equal(decision->result, "\"now\":\"2026-02-01T00:00:00Z\"");
    assert_int_equal(decision->row_count, 1);
    assert_int_equal(decision->rows[0].event.at.seconds, fixture.now.seconds);
    fixture_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_change_of_capacity_is_dated_and_signed),
        cmocka_unit_test(test_a_senseless_change_of_capacity_is_refused),
        cmocka_unit_test(test_a_change_interrupts_what_it_leaves_no_gpus_for),
        cmocka_unit_test(test_a_replay_shows_the_change_it_made),
        cmocka_unit_test(test_tenants_are_suspended_and_resumed),
        cmocka_unit_test(test_a_label_is_used_once_for_ever),
        cmocka_unit_test(test_a_token_is_a_tenants_or_an_operators),
        cmocka_unit_test(test_backups_and_the_clock_are_recorded),
    };
    return digest_initialise() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
