#include "manifest_fixture.h"

static int64_t period_micro(const struct fixture *fixture, uint32_t period, enum account_kind kind)
{
    return period_balance(fixture->book, period, kind).micro;
}

static void test_periods_are_granted_their_commit_and_overage(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at("2026-01-01T00:00:00Z");
    struct sample sample;
    sample_fill(&sample);
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_DONE);
    struct book *book = fixture.book;
    assert_int_equal(book_period_count(book), 2);
    assert_int_equal(book->account_count, ACCOUNT_CONTRACT_COUNT + 2 * ACCOUNT_PERIOD_COUNT);
    assert_int_equal(period_micro(&fixture, 1, ACCOUNT_AUTHORITY), dollars(1320).micro);
    assert_int_equal(period_micro(&fixture, 2, ACCOUNT_AUTHORITY), dollars(2640).micro);
    uint32_t commitment = contract_account(book, 1, ACCOUNT_COMMITMENT);
    assert_int_equal(account_balance(book, commitment).micro, -dollars(3600).micro);
    int64_t sum = 0;
    for (uint32_t id = 1; id <= book->account_count; id++)
        sum += account_balance(book, id).micro;
    assert_int_equal(sum, 0);
    const struct contract_period_row *last = book_period_row(book, 2);
    assert_int_equal(last->end.number, hour_from("2028-01-01T00:00:00Z").number);
    assert_int_equal(last->overage_limit.micro, dollars(240).micro);
    assert_false(last->imported);
    fixture_end(&fixture);
}

static void test_unlimited_overage_grants_the_commit_alone(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at("2026-01-01T00:00:00Z");
    struct sample sample;
    sample_fill(&sample);
    sample.contracts[0].terms.overage_kind = OVERAGE_UNLIMITED;
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_DONE);
    assert_true(book_period_row(fixture.book, 1)->overage_unlimited);
    assert_int_equal(period_micro(&fixture, 1, ACCOUNT_AUTHORITY), dollars(1200).micro);
    fixture_end(&fixture);
}

static void test_annual_periods_end_with_the_contract(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at("2026-01-01T00:00:00Z");
    struct sample sample;
    sample_fill(&sample);
    sample.contracts[0].terms.annual = true;
    sample.contracts[0].terms.annual_commit = dollars(8760);
    sample.contracts[0].period_count = 0;
    sample.contracts[0].end = hour_from("2027-01-02T00:00:00Z");
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_DONE);
    assert_int_equal(book_period_count(fixture.book), 2);
    assert_int_equal(book_period_row(fixture.book, 2)->commit.micro, dollars(24).micro);
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->row_count, 0);
    fixture_end(&fixture);
}

static void test_what_was_over_or_due_before_is_settled(void **state)
{
    (void)state;
    // A year and two months in: the first period is over, of the second the instalments of 1 January and 1
    // February were due, and that of 1 March falls due now.
    struct fixture fixture = fixture_at("2027-03-01T00:00:00Z");
    struct sample sample;
    sample_fill(&sample);
    sample.contracts[0].terms.billing = BILLING_INSTALMENTS;
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_DONE);
    const struct contract_period_row *first = book_period_row(fixture.book, 1);
    assert_true(first->closed && first->imported);
    assert_int_equal(period_micro(&fixture, 1, ACCOUNT_BILLED), dollars(1200).micro);
    assert_int_equal(period_micro(&fixture, 1, ACCOUNT_RECEIVABLE), 0);
    const struct contract_period_row *second = book_period_row(fixture.book, 2);
    assert_false(second->closed);
    assert_true(second->imported);
    assert_int_equal(second->instalments_billed, 2);
    assert_int_equal(second->delivered_through.number, hour_from("2027-03-01T00:00:00Z").number);
    assert_int_equal(period_micro(&fixture, 2, ACCOUNT_BILLED), dollars(400).micro);
    uint32_t settled = contract_account(fixture.book, 1, ACCOUNT_SETTLED);
    assert_int_equal(account_balance(fixture.book, settled).micro, -dollars(1600).micro);
    fixture_end(&fixture);
}

static void test_a_period_that_ends_now_is_over(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at("2027-01-01T00:00:00Z");
    struct sample sample;
    sample_fill(&sample);
    sample.contracts[0].terms.billing = BILLING_INSTALMENTS;
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_DONE);
    assert_true(book_period_row(fixture.book, 1)->closed);
    assert_false(book_period_row(fixture.book, 2)->imported); // its first instalment falls due now
    assert_int_equal(book_period_row(fixture.book, 2)->instalments_billed, 0);
    fixture_end(&fixture);
}

static void test_terms_in_force_stand(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at("2026-01-01T00:00:00Z");
    struct sample sample;
    sample_fill(&sample);
    apply_manifest(&fixture, &sample.manifest);
    sample.contracts[0].terms.surcharge_bp = 1;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "contracts[0].overage");
    sample.contracts[0].terms.surcharge_bp = 2000;
    sample.periods[1].commit = dollars(2401);
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "contracts[0].periods");
    sample.periods[1].commit = dollars(2400);
    sample.contracts[0].tenant = "globex";
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "contracts[0].tenant");
    sample.contracts[0].tenant = "acme";
    sample.scope[0] = "north/h100";
    sample.contracts[0].pool_count = 1;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "contracts[0].pools");
    sample.contracts[0].pool_count = 0;
    sample.contracts[0].note = "signed in May";
    const struct decision *decision = apply_manifest(&fixture, &sample.manifest);
    assert_int_equal(count_events(decision, "contract.changed"), 1);
    assert_string_equal(book_contract_row(fixture.book, 1)->note, "signed in May");
    fixture_end(&fixture);
}

static void test_two_contracts_for_the_same_hours_are_ambiguous(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at("2026-01-01T00:00:00Z");
    struct sample sample;
    sample_fill(&sample);
    struct manifest_period later = {hour_from("2027-12-31T23:00:00Z"), dollars(1)};
    sample.contracts[1] = sample.contracts[0];
    sample.contracts[1].contract = "acme-2028";
    sample.contracts[1].start = later.start;
    sample.contracts[1].end = hour_from("2029-01-01T00:00:00Z");
    sample.contracts[1].periods = &later;
    sample.contracts[1].period_count = 1;
    sample.manifest.contract_count = 2;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST, "contracts[1]");
    // The same against a contract of the book.
    sample.manifest.contract_count = 1;
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_DONE);
    sample.manifest.contract_count = 2;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST, "contracts[1]");
    later.start = sample.contracts[1].start = hour_from("2028-01-01T00:00:00Z");
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_DONE);
    fixture_end(&fixture);
}

static void test_what_closes_may_move_must_be_within_range(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at("2026-01-01T00:00:00Z");
    struct sample sample;
    sample_fill(&sample);
    // Two years of $2 trillion can be granted, but not again at each close, as credit and as authority.
    sample.contracts[0].terms.overage_kind = OVERAGE_NONE;
    sample.periods[0].commit = sample.periods[1].commit = dollars(2000000000000);
    sample.contracts[0].terms.then = SHORTFALL_CREDIT;
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_INVALID_MANIFEST);
    assert_string_equal(fixture.decision.refusal.path, "contracts[0].periods");
    sample.contracts[0].terms.then = SHORTFALL_CHARGE;
    assert_int_equal(apply_manifest(&fixture, &sample.manifest)->verdict, VERDICT_DONE);
    fixture_end(&fixture);
}

static void test_senseless_periods_are_refused_by_their_path(void **state)
{
    (void)state;
    struct fixture fixture = fixture_at("2026-01-01T00:00:00Z");
    struct sample sample;
    sample_fill(&sample);
    sample.periods[0].start = hour_from("2026-01-02T00:00:00Z");
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "contracts[0].periods[0].start");
    sample_fill(&sample);
    sample.periods[1].start = sample.periods[0].start;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "contracts[0].periods[1].start");
    sample.periods[1].start = sample.contracts[0].end;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "contracts[0].periods[1].start");
    sample_fill(&sample);
    sample.contracts[0].end = sample.contracts[0].start;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST, "contracts[0].end");
    sample_fill(&sample);
    sample.periods[1].commit = AMOUNT_MAX;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "contracts[0].periods[1].commit");
    sample_fill(&sample);
    sample.contracts[0].period_count = 0;
    assert_refused(apply_manifest(&fixture, &sample.manifest), VERDICT_INVALID_MANIFEST,
                   "contracts[0].periods");
    assert_int_equal(book_contract_count(fixture.book), 0);
    fixture_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_periods_are_granted_their_commit_and_overage),
        cmocka_unit_test(test_unlimited_overage_grants_the_commit_alone),
        cmocka_unit_test(test_annual_periods_end_with_the_contract),
        cmocka_unit_test(test_what_was_over_or_due_before_is_settled),
        cmocka_unit_test(test_a_period_that_ends_now_is_over),
        cmocka_unit_test(test_terms_in_force_stand),
        cmocka_unit_test(test_two_contracts_for_the_same_hours_are_ambiguous),
        cmocka_unit_test(test_what_closes_may_move_must_be_within_range),
        cmocka_unit_test(test_senseless_periods_are_refused_by_their_path),
    };
    return digest_initialise() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
