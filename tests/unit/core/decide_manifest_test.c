#include "manifest_fixture.h"

static const char *const new_year = "2026-01-01T00:00:00Z";

// ---- Applying and applying again

static void test_a_first_apply_adds_everything(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at(new_year);
    struct sample sample;
    sample_fill(&sample);
    const struct decision *decision = apply_manifest(&fixture, &sample.manifest);
    assert_int_equal(decision->verdict, VERDICT_DONE);
    assert_int_equal(count_events(decision, "site.added"), 1);
    assert_int_equal(count_events(decision, "pool.added"), 1);
    assert_int_equal(count_events(decision, "rate.added"), 2);
    assert_int_equal(count_events(decision, "capacity.changed"), 2);
    assert_int_equal(count_events(decision, "tenant.added"), 2);
    assert_int_equal(count_events(decision, "contract.added"), 1);
    assert_int_equal(count_events(decision, "operators.changed"), 1);
    assert_int_equal(count_events(decision, "manifest.applied"), 1);
    assert_non_null(
        strstr(decision->result, "{\"kind\":\"added\",\"what\":\"pool\",\"name\":\"north/h100\"}"));

    struct book *book = fixture.book;
    assert_int_equal(book_capacity(book, 1, hour_from("2026-06-30T23:00:00Z")), 800);
    assert_int_equal(book_capacity(book, 1, hour_from("2026-07-01T00:00:00Z")), 1000);
    assert_int_equal(book_free(book, 1, hour_from("2026-07-01T00:00:00Z")), 1000);
    uint32_t tenant;
    assert_true(book_uid(book, 1001, &tenant));
    assert_int_equal(tenant, book_tenant(book, "acme"));
    assert_true(book_uid(book, 0, &tenant));
    assert_int_equal(tenant, 0);
    fixture_end(&fixture);
}

static void test_applying_twice_changes_nothing(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at(new_year);
    struct sample sample;
    sample_fill(&sample);
    sample.changes[0] = (struct manifest_change){CAPACITY_MAINTENANCE, 8, hour_from("2026-02-01T00:00:00Z"),
                                                 hour_from("2026-02-02T00:00:00Z"), "cooling"};
    sample.changes[1] = sample.changes[0]; // two that are equal are two
    sample.pools[0].change_count = 1;
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_DONE);
    assert_int_equal(book_capacity(fixture.book, 1, hour_from("2026-02-01T00:00:00Z")), 792);
    sample.pools[0].change_count = 2;
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_DONE);
    assert_int_equal(book_capacity(fixture.book, 1, hour_from("2026-02-01T00:00:00Z")), 784);
    const struct decision *decision = apply_manifest(&fixture, &sample.manifest);
    assert_int_equal(decision->verdict, VERDICT_DONE);
    assert_int_equal(decision->row_count, 0);
    assert_string_equal(decision->result, "\"changes\":[]");
    fixture_end(&fixture);
}

static void test_a_reference_is_kept_even_when_nothing_changes(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at(new_year);
    struct sample sample;
    sample_fill(&sample);
    struct request request = {
        .kind = REQUEST_MANIFEST_APPLY, .manifest = &sample.manifest, .client_ref = "apply-1"};
    assert_false(decide(&fixture, request)->replayed);
    const struct decision *again = decide(&fixture, request);
    assert_true(again->replayed);
    assert_int_equal(again->row_count, 0);
    assert_string_equal(again->result, "\"changes\":[]");
    request.client_ref = "apply-2";
    const struct decision *unchanged = decide(&fixture, request);
    assert_int_equal(count_rows(unchanged, ROW_CLIENT_REF), 1);
    assert_int_equal(count_events(unchanged, "manifest.applied"), 1);
    sample.pools[0].note = "another";
    assert_refused(decide(&fixture, request), VERDICT_CONFLICT, NULL);
    fixture_end(&fixture);
}

static void test_a_dry_run_says_the_same_and_changes_nothing(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at(new_year);
    struct sample sample;
    sample_fill(&sample);
    struct request request = {.kind = REQUEST_MANIFEST_APPLY, .manifest = &sample.manifest, .dry_run = true};
    const char *quoted = decide(&fixture, request)->result;
    assert_int_equal(book_pool_count(fixture.book), 0);
    request.dry_run = false;
    assert_string_equal(decide(&fixture, request)->result, quoted);
    fixture_end(&fixture);
}

// ---- Export

static char *exported(const struct book *book, struct buffer *buffer)
{
    struct json json = json_begin(buffer);
    json_write_object(&json, NULL);
    book_write_manifest(book, &json);
    json_write_object_end(&json);
    return buffer->data;
}

static void test_an_export_recreates_the_book_and_changes_nothing_in_it(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at(new_year), other = fixture_at(new_year);
    struct sample sample;
    sample_fill(&sample);
    sample.contracts[0].terms.has_termination = true;
    sample.contracts[0].terms.termination_notice_from = hour_from("2026-08-01T00:00:00Z");
    sample.contracts[0].terms.termination_notice_days = 90;
    sample.prices[0] = (struct manifest_price){"north/h100", TIER_FIRM, {1234567}};
    sample.contracts[0].price_count = 1;
    sample.scope[0] = "north/h100";
    sample.contracts[0].pool_count = 1;
    sample.tenants[1].has_suspended = sample.tenants[1].suspended = true;
    sample.tenants[0].has_rate_limit = true;
    sample.tenants[0].rate_limit = (struct rate_limit){50, 80};
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_DONE);
    decide(&fixture, (struct request){.kind = REQUEST_CAPACITY_CHANGE,
                                      .capacity = {.pool = "north/h100",
                                                   .kind = CAPACITY_OUTAGE,
                                                   .gpus = 16,
                                                   .start = hour_from("2026-03-01T00:00:00Z"),
                                                   .end = HOUR_NEVER,
                                                   .note = "a switch"}});
    assert_int_equal(fixture.decision.verdict, VERDICT_DONE);

    struct manifest export;
    book_manifest(fixture.book, &fixture.arena, &export);
    assert_int_equal(apply_manifest(&other, &export)->verdict, VERDICT_DONE);
    struct buffer first = {0}, second = {0};
    assert_string_equal(exported(fixture.book, &first), exported(other.book, &second));
    assert_non_null(strstr(first.data, "\"limit_pct\":10,\"surcharge_pct\":20"));
    assert_non_null(strstr(first.data, "\"kw_per_gpu\":\"1.275\""));
    assert_non_null(strstr(first.data, "{\"kind\":\"outage\",\"gpus\":16,\"start\":\"2026-03-01T00:00:00Z\","
                                       "\"note\":\"a switch\"}"));
    const struct decision *again = apply_manifest(&fixture, &export);
    assert_int_equal(again->verdict, VERDICT_DONE);
    assert_int_equal(again->row_count, 0);
    buffer_free(&first);
    buffer_free(&second);
    fixture_end(&fixture);
    fixture_end(&other);
}

// ---- Names

static void test_unknown_and_repeated_names_are_refused_by_their_path(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at(new_year);
    struct sample sample;
    sample_fill(&sample);
    sample.pools[0].pool = "south/h100";
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST, "pools[0].pool");
    sample.pools[0].pool = "no-site";
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST, "pools[0].pool");
    sample_fill(&sample);
    sample.pools[1] = sample.pools[0];
    sample.manifest.pool_count = 2;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST, "pools[1].pool");
    sample_fill(&sample);
    sample.contracts[0].tenant = "initech";
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "contracts[0].tenant");
    sample_fill(&sample);
    sample.scope[0] = "north/b200";
    sample.contracts[0].pool_count = 1;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "contracts[0].pools[0]");
    sample_fill(&sample);
    sample.prices[0] = (struct manifest_price){"north/b200", TIER_FIRM, dollars(1)};
    sample.contracts[0].price_count = 1;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "contracts[0].prices[0].pool");
    assert_int_equal(book_site_count(fixture.book), 0);
    fixture_end(&fixture);
}

static void test_what_bookings_rest_on_cannot_change(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at(new_year);
    struct sample sample;
    sample_fill(&sample);
    apply_manifest(&fixture, &sample.manifest);
    sample.pools[0].unit = 72;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST, "pools[0].unit");
    sample.pools[0].unit = 8;
    sample.pools[0].gpu = "H200";
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST, "pools[0].gpu");
    sample.pools[0].gpu = "H100";
    sample.pools[0].note = "second hall";
    sample.rates[0].price[TIER_FIRM] = dollars(3);
    const struct decision *decision = apply_manifest(&fixture, &sample.manifest);
    assert_int_equal(count_events(decision, "pool.changed"), 1);
    assert_int_equal(count_rows(decision, ROW_RATE), 1);
    assert_string_equal(book_pool_row(fixture.book, 1)->note, "second hall");
    assert_int_equal(book_pool_row(fixture.book, 1)->watts_per_gpu, 1275);
    sample.pools[0].note = NULL; // what is left out stays
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->row_count, 0);
    fixture_end(&fixture);
}

// ---- Capacity

static void test_a_changed_step_lasts_to_the_next_one(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at(new_year);
    struct sample sample;
    sample_fill(&sample);
    apply_manifest(&fixture, &sample.manifest);
    sample.capacity[0] = (struct manifest_step){hour_from("2026-03-01T00:00:00Z"), 904};
    sample.pools[0].capacity_count = 1; // the other steps are not listed and stay
    const struct decision *decision = apply_manifest(&fixture, &sample.manifest);
    assert_int_equal(count_rows(decision, ROW_CAPACITY_CHANGE), 1);
    struct book *book = fixture.book;
    assert_int_equal(book_capacity(book, 1, hour_from("2026-02-28T23:00:00Z")), 800);
    assert_int_equal(book_capacity(book, 1, hour_from("2026-03-01T00:00:00Z")), 904);
    assert_int_equal(book_capacity(book, 1, hour_from("2026-07-01T00:00:00Z")), 1000);
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->row_count, 0);
    fixture_end(&fixture);
}

static void test_capacity_never_falls_below_zero(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at(new_year);
    struct sample sample;
    sample_fill(&sample);
    sample.changes[0] = (struct manifest_change){CAPACITY_DELAY, 808, hour_from("2026-02-01T00:00:00Z"),
                                                 hour_from("2026-03-01T00:00:00Z"), NULL};
    sample.pools[0].change_count = 1;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "pools[0].changes[0].gpus");
    sample.changes[0].gpus = 12; // the unit is 8
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "pools[0].changes[0].gpus");
    sample.changes[0].kind = CAPACITY_MAINTENANCE;
    sample.changes[0].gpus = 8;
    sample.changes[0].end = HOUR_NEVER;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "pools[0].changes[0].end");
    sample.pools[0].change_count = 0;
    sample.capacity[1].from = sample.capacity[0].from;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "pools[0].capacity[1].from");
    fixture_end(&fixture);
}

static void test_less_than_is_booked_is_refused_with_what_it_displaces(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at(new_year);
    struct sample sample;
    sample_fill(&sample);
    apply_manifest(&fixture, &sample.manifest);
    put_reservation(&fixture, 7, TIER_FIRM, hour_from("2026-08-01T00:00:00Z"),
                    hour_from("2026-08-02T00:00:00Z"), 960);
    sample.capacity[1].value = 952;
    const struct decision *decision = apply_manifest(&fixture, &sample.manifest);
    assert_refused(decision, VERDICT_INVALID_MANIFEST, "pools[0].capacity[1].gpus");
    assert_non_null(strstr(decision->refusal.message, "displace 1 reservation, first number 7"));
    assert_non_null(strstr(decision->refusal.message, "2026-08-01T00:00:00Z"));
    sample.capacity[1].value = 960;
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_DONE);
    fixture_end(&fixture);
}

static void test_hours_that_are_over_never_had_less(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at("2026-03-01T00:00:00Z");
    struct sample sample;
    sample_fill(&sample);
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_DONE);
    sample.capacity[0].value = 704;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "pools[0].capacity[0].gpus");
    assert_string_equal(fixture.decision.refusal.message,
                        "capacity can't become less in hours that are over: list a step from "
                        "2026-03-01T00:00:00Z or later");
    sample.capacity[0].from = hour_from("2026-03-01T00:00:00Z");
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_DONE);
    assert_int_equal(book_capacity(fixture.book, 1, hour_from("2026-02-28T00:00:00Z")), 800);
    assert_int_equal(book_capacity(fixture.book, 1, hour_from("2026-03-01T00:00:00Z")), 704);
    // More in hours that are over is a matter of the record, also when it ends before now.
    struct manifest_step more[] = {{hour_from("2026-02-01T00:00:00Z"), 904},
                                   {hour_from("2026-02-02T00:00:00Z"), 800}};
    sample.pools[0].capacity = more;
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_DONE);
    assert_int_equal(book_capacity(fixture.book, 1, hour_from("2026-03-01T00:00:00Z")), 704);
    fixture_end(&fixture);
}

// ---- Uids

static void test_a_list_of_uids_replaces_the_one_before(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at(new_year);
    struct sample sample;
    sample_fill(&sample);
    apply_manifest(&fixture, &sample.manifest);
    sample.acme_uids[0] = 1003;
    const struct decision *decision = apply_manifest(&fixture, &sample.manifest);
    assert_int_equal(count_events(decision, "tenant.changed"), 1);
    assert_int_equal(count_rows(decision, ROW_UID), 2);
    uint32_t tenant;
    assert_false(book_uid(fixture.book, 1001, &tenant));
    assert_true(book_uid(fixture.book, 1003, &tenant));
    sample.tenants[0].has_uids = false; // not listed: kept
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->row_count, 0);
    fixture_end(&fixture);
}

static void test_a_uid_moves_only_when_it_is_taken_from_its_owner(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at(new_year);
    struct sample sample;
    sample_fill(&sample);
    apply_manifest(&fixture, &sample.manifest);
    sample.globex_uids[1] = 1001;
    sample.tenants[1].uid_count = 2;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "tenants[1].uids[1]"); // listed twice
    sample.tenants[0].has_uids = false;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "tenants[1].uids[1]"); // still acme's
    sample.tenants[0].has_uids = true;
    sample.tenants[0].uid_count = 0;
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_DONE);
    uint32_t tenant;
    assert_true(book_uid(fixture.book, 1001, &tenant));
    assert_int_equal(tenant, book_tenant(fixture.book, "globex"));
    sample.operators[0] = 65534;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST, "operators.uids[0]");
    fixture_end(&fixture);
}

static void test_an_hour_is_listed_once(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at(new_year);
    struct sample sample;
    sample_fill(&sample);
    struct manifest_step power[] = {
        sample.power[0], {hour_from("2026-05-01T00:00:00Z"), 1000}, sample.power[0]};
    sample.sites[0].power = power;
    sample.sites[0].power_count = 3;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "sites[0].power[2].from");
    sample.sites[0].power_count = 2;
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_DONE);
    fixture_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_first_apply_adds_everything),
        cmocka_unit_test(test_an_hour_is_listed_once),
        cmocka_unit_test(test_applying_twice_changes_nothing),
        cmocka_unit_test(test_a_reference_is_kept_even_when_nothing_changes),
        cmocka_unit_test(test_a_dry_run_says_the_same_and_changes_nothing),
        cmocka_unit_test(test_an_export_recreates_the_book_and_changes_nothing_in_it),
        cmocka_unit_test(test_unknown_and_repeated_names_are_refused_by_their_path),
        cmocka_unit_test(test_what_bookings_rest_on_cannot_change),
        cmocka_unit_test(test_a_changed_step_lasts_to_the_next_one),
        cmocka_unit_test(test_capacity_never_falls_below_zero),
        cmocka_unit_test(test_less_than_is_booked_is_refused_with_what_it_displaces),
        cmocka_unit_test(test_hours_that_are_over_never_had_less),
        cmocka_unit_test(test_a_list_of_uids_replaces_the_one_before),
        cmocka_unit_test(test_a_uid_moves_only_when_it_is_taken_from_its_owner),
    };
    return digest_initialise() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
