// A period's amounts and how it is settled, against published contracts worked out by hand. Amounts are in
// millions of dollars unless a comment says otherwise.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/commitment.h"

#define MILLION                    INT64_C(1000000000000) // micro-dollars
#define MILLIONS(n)                ((struct amount){(int64_t)(n)*MILLION})
#define ASSERT_MILLIONS(amount, n) assert_int_equal((amount).micro, (int64_t)(n)*MILLION)

static struct commitment reckoned(struct commitment_inputs inputs)
{
    struct commitment result;
    assert_true(commitment_reckon(&inputs, &result));
    return result;
}

// What every settlement must be, whatever the terms.
static void assert_balanced(const struct commitment_inputs *inputs, const struct settlement *settled)
{
    int64_t charges = settled->charge_shortfall.micro + settled->charge_usage.micro +
                      settled->charge_fees.micro + settled->charge_surcharge.micro;
    assert_int_equal(settled->due.micro - inputs->billed.micro, charges - settled->refund.micro);
    assert_true(charges == 0 || settled->refund.micro == 0);
    const struct amount parts[] = {settled->unmet,       settled->deferred_out,     settled->waived,
                                   settled->credit_used, settled->credit_left,      settled->credit_granted,
                                   settled->surcharge,   settled->charge_shortfall, settled->charge_usage,
                                   settled->charge_fees, settled->charge_surcharge, settled->refund,
                                   settled->due};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_true(parts[i].micro >= 0);
    assert_true(settled->deferred_out.micro + settled->waived.micro <= settled->unmet.micro);
}

static struct settlement settled(struct commitment_inputs inputs, struct contract_terms_row terms, bool last)
{
    struct settlement result;
    inputs.surcharge_bp = terms.surcharge_bp;
    assert_true(commitment_settle(&inputs, &terms, last, &result));
    assert_balanced(&inputs, &result);
    return result;
}

static void every_amount_by_its_name(void **state)
{
    (void)state;
    struct commitment all = reckoned((struct commitment_inputs){.commit = MILLIONS(100),
                                                                .deferred_in = MILLIONS(20),
                                                                .relief = MILLIONS(7),
                                                                .credit = MILLIONS(10),
                                                                .overage_limit = MILLIONS(30),
                                                                .encumbered = MILLIONS(90),
                                                                .consumed = MILLIONS(50),
                                                                .fees = MILLIONS(3),
                                                                .billed = MILLIONS(40),
                                                                .surcharge_bp = 2000});
    ASSERT_MILLIONS(all.commit, 100);
    ASSERT_MILLIONS(all.deferred_in, 20);
    ASSERT_MILLIONS(all.relief, 7);
    ASSERT_MILLIONS(all.floor, 113); // 100 + 20 − 7
    ASSERT_MILLIONS(all.credit, 10);
    ASSERT_MILLIONS(all.overage_limit, 30);
    ASSERT_MILLIONS(all.authority, 160); // relief takes nothing from the cap
    ASSERT_MILLIONS(all.encumbered, 90);
    ASSERT_MILLIONS(all.consumed, 50);
    ASSERT_MILLIONS(all.used, 140);
    ASSERT_MILLIONS(all.available, 20);
    ASSERT_MILLIONS(all.shortfall, 0);
    ASSERT_MILLIONS(all.credit_used, 10); // 100 of the commit, 20 moved in, 10 credit,
    ASSERT_MILLIONS(all.overage, 10);     // and what is left of 140
    ASSERT_MILLIONS(all.surcharge, 2);    // 20 %
    ASSERT_MILLIONS(all.fees, 3);
    ASSERT_MILLIONS(all.billed, 40);
    ASSERT_MILLIONS(all.deferred_out, 0);
    ASSERT_MILLIONS(all.waived, 0);
    ASSERT_MILLIONS(all.due, 118); // max(113, 50) + 3 + 2: credit draws only on what is delivered
    assert_false(all.unlimited);
}

static void shortfall_is_what_would_be_missing(void **state)
{
    (void)state;
    struct commitment_inputs inputs = {.commit = MILLIONS(100), .encumbered = MILLIONS(30)};
    ASSERT_MILLIONS(reckoned(inputs).shortfall, 70);
    inputs.consumed = MILLIONS(69);
    ASSERT_MILLIONS(reckoned(inputs).shortfall, 1);
    inputs.relief = MILLIONS(5);
    ASSERT_MILLIONS(reckoned(inputs).shortfall, 0);
    // Relief beyond the commit leaves no floor, and no less.
    inputs.relief = MILLIONS(300);
    ASSERT_MILLIONS(reckoned(inputs).floor, 0);
    ASSERT_MILLIONS(reckoned(inputs).due, 69);
}

static void available_is_never_negative(void **state)
{
    (void)state;
    struct commitment all = reckoned((struct commitment_inputs){
        .commit = MILLIONS(100), .encumbered = MILLIONS(60), .consumed = MILLIONS(60)});
    ASSERT_MILLIONS(all.authority, 100);
    ASSERT_MILLIONS(all.available, 0);
    ASSERT_MILLIONS(all.overage, 20);
}

static void credit_is_drawn_before_overage(void **state)
{
    (void)state;
    struct commitment_inputs inputs = {
        .commit = MILLIONS(100), .deferred_in = MILLIONS(10), .credit = MILLIONS(20)};
    static const int64_t cases[][3] = {// used, credit used, overage
                                       {0, 0, 0},    {100, 0, 0},  {110, 0, 0},  {111, 1, 0},
                                       {129, 19, 0}, {130, 20, 0}, {131, 20, 1}, {500, 20, 370}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        inputs.encumbered = MILLIONS(cases[i][0]);
        struct commitment all = reckoned(inputs);
        ASSERT_MILLIONS(all.credit_used, cases[i][1]);
        ASSERT_MILLIONS(all.overage, cases[i][2]);
    }
}

static void without_a_limit_nothing_caps(void **state)
{
    (void)state;
    // Where nothing caps, authority isn't reckoned: no commitment is too large for it.
    struct commitment all = reckoned((struct commitment_inputs){.commit = AMOUNT_MAX,
                                                                .overage_unlimited = true,
                                                                .overage_limit = AMOUNT_MAX,
                                                                .consumed = MILLIONS(1)});
    assert_true(all.unlimited);
    assert_int_equal(all.shortfall.micro, INT64_MAX - MILLION);
    int64_t percent;
    assert_false(commitment_percent(MILLIONS(1), AMOUNT_ZERO, &percent));
}

static void overflow_is_said(void **state)
{
    (void)state;
    static const struct commitment_inputs too_much[] = {
        {.commit = {INT64_MAX}, .deferred_in = {1}},
        {.commit = {INT64_MAX}, .credit = {1}},
        {.commit = {INT64_MAX}, .overage_limit = {1}},
        {.encumbered = {INT64_MAX}, .consumed = {1}},
        {.consumed = {INT64_MAX}, .fees = {1}, .overage_unlimited = true},
        {.consumed = {INT64_MAX}, .surcharge_bp = 1, .overage_unlimited = true},
        {.consumed = {INT64_MAX}, .surcharge_bp = INT64_MAX, .overage_unlimited = true},
    };
    for (size_t i = 0; i < sizeof too_much / sizeof too_much[0]; i++) {
        struct commitment result = {.commit = {-7}};
        if (commitment_reckon(&too_much[i], &result))
            fail_msg("case %zu was reckoned", i);
        assert_int_equal(result.commit.micro, -7); // and left as it was
    }
    struct settlement settlement = {.due = {-7}};
    struct commitment_inputs inputs = {.consumed = {INT64_MAX}, .fees = {1}};
    assert_false(commitment_settle(&inputs, &(struct contract_terms_row){0}, false, &settlement));
    assert_int_equal(settlement.due.micro, -7);
    inputs = (struct commitment_inputs){.commit = {INT64_MAX}};
    struct contract_terms_row terms = {.defer_bp = 20000};
    assert_false(commitment_settle(&inputs, &terms, false, &settlement));
}

// Google Cloud–Snap 2017: $400M a year, of which up to 15 % may be moved to a later year.
static void unmet_commit_moves_to_a_later_year(void **state)
{
    (void)state;
    struct contract_terms_row snap = {.defer_bp = 1500, .defer_until_last = true};
    // 300 of 400: of the 100 that are unmet 60 move on, and 40 are owed beside the 300 that were billed.
    struct settlement year = settled((struct commitment_inputs){.commit = MILLIONS(400),
                                                                .consumed = MILLIONS(300),
                                                                .billed = MILLIONS(300)},
                                     snap, false);
    ASSERT_MILLIONS(year.unmet, 100);
    ASSERT_MILLIONS(year.deferred_out, 60);
    ASSERT_MILLIONS(year.charge_shortfall, 40);
    ASSERT_MILLIONS(year.due, 340);
    // 370 of 400: all 30 move on, which is less than 15 %.
    year =
        settled((struct commitment_inputs){.commit = MILLIONS(400), .consumed = MILLIONS(370)}, snap, false);
    ASSERT_MILLIONS(year.deferred_out, 30);
    ASSERT_MILLIONS(year.due, 370);
    // With 60 moved in, 430 meet this year's 400 and 30 of the 60; the other 30 roll on.
    struct commitment_inputs second = {.commit = MILLIONS(400),
                                       .deferred_in = MILLIONS(60),
                                       .consumed = MILLIONS(430),
                                       .billed = MILLIONS(430)};
    year = settled(second, snap, false);
    ASSERT_MILLIONS(year.unmet, 30);
    ASSERT_MILLIONS(year.deferred_out, 30);
    ASSERT_MILLIONS(year.charge_shortfall, 0);
    // Were it "next", they would be settled now.
    struct contract_terms_row next = {.defer_bp = 1500};
    year = settled(second, next, false);
    ASSERT_MILLIONS(year.deferred_out, 0);
    ASSERT_MILLIONS(year.charge_shortfall, 30);
    // 380: 20 of its own and all 60 of what was moved in are unmet. Both roll on; "next" moves the 20 alone.
    second.consumed = second.billed = MILLIONS(380);
    ASSERT_MILLIONS(settled(second, snap, false).deferred_out, 80);
    year = settled(second, next, false);
    ASSERT_MILLIONS(year.deferred_out, 20);
    ASSERT_MILLIONS(year.charge_shortfall, 60);
    // The last year can't defer: 400 + 80 − 390.
    year = settled((struct commitment_inputs){.commit = MILLIONS(400),
                                              .deferred_in = MILLIONS(80),
                                              .consumed = MILLIONS(390),
                                              .billed = MILLIONS(390)},
                   snap, true);
    ASSERT_MILLIONS(year.deferred_out, 0);
    ASSERT_MILLIONS(year.charge_shortfall, 90);
    ASSERT_MILLIONS(year.due, 480);
}

// AWS–Snap 2017: the payment for what is missing may be applied to future use, but not to future minimums.
static void payment_for_a_shortfall_is_usable_later(void **state)
{
    (void)state;
    struct contract_terms_row aws = {.then = SHORTFALL_CREDIT};
    struct settlement year = settled(
        (struct commitment_inputs){.commit = MILLIONS(50), .consumed = MILLIONS(20), .billed = MILLIONS(20)},
        aws, false);
    ASSERT_MILLIONS(year.charge_shortfall, 30); // owed,
    ASSERT_MILLIONS(year.credit_granted, 30);   // and usable in the next year
    ASSERT_MILLIONS(year.due, 50);
    // The next year's minimum of 150 stays; of 170 used, 20 are paid with credit, and 10 of it roll on.
    struct commitment_inputs next = {
        .commit = MILLIONS(150), .credit = MILLIONS(30), .consumed = MILLIONS(170)};
    ASSERT_MILLIONS(reckoned(next).authority, 180);
    ASSERT_MILLIONS(reckoned(next).floor, 150);
    year = settled(next, aws, false);
    ASSERT_MILLIONS(year.unmet, 0);
    ASSERT_MILLIONS(year.credit_used, 20);
    ASSERT_MILLIONS(year.credit_left, 10);
    ASSERT_MILLIONS(year.due, 150);
    // 100 used: credit doesn't count toward the minimum, so 50 are missing and all of the credit rolls on.
    next.consumed = MILLIONS(100);
    year = settled(next, aws, false);
    ASSERT_MILLIONS(year.credit_used, 0);
    ASSERT_MILLIONS(year.credit_left, 30);
    ASSERT_MILLIONS(year.credit_granted, 50);
    ASSERT_MILLIONS(year.due, 150);
    // The contract's end takes with it what was not used, and grants nothing.
    year = settled(next, aws, true);
    ASSERT_MILLIONS(year.credit_left, 0);
    ASSERT_MILLIONS(year.credit_granted, 0);
    ASSERT_MILLIONS(year.due, 150);
}

// Anthropic–SpaceX 2026: $15B a year in instalments of $1.25B; here with up to 10 % overage at 20 %
// surcharge.
static void instalments_count_against_what_is_due(void **state)
{
    (void)state;
    struct contract_terms_row terms = {.surcharge_bp = 2000, .billing = BILLING_INSTALMENTS};
    struct commitment_inputs year = {.commit = MILLIONS(15000),
                                     .overage_limit = MILLIONS(1500),
                                     .consumed = MILLIONS(12000),
                                     .billed = MILLIONS(15000)};
    ASSERT_MILLIONS(reckoned(year).authority, 16500);
    // 12 of 15: all is billed already.
    struct settlement close = settled(year, terms, false);
    ASSERT_MILLIONS(close.unmet, 3000);
    ASSERT_MILLIONS(close.due, 15000);
    ASSERT_MILLIONS(close.charge_shortfall, 0);
    ASSERT_MILLIONS(close.refund, 0);
    // 16: one more, and a fifth of it.
    year.consumed = MILLIONS(16000);
    close = settled(year, terms, false);
    ASSERT_MILLIONS(close.due, 16200);
    ASSERT_MILLIONS(close.charge_usage, 1000);
    ASSERT_MILLIONS(close.charge_surcharge, 200);
    ASSERT_MILLIONS(close.charge_shortfall, 0);
    // A billion's worth of hours that were not delivered comes back.
    year.consumed = MILLIONS(12000);
    year.relief = MILLIONS(1000);
    close = settled(year, terms, false);
    ASSERT_MILLIONS(close.due, 14000);
    ASSERT_MILLIONS(close.refund, 1000);
    // The ramp: 1.25 for two months. 0.9 used, and billed in full.
    close = settled((struct commitment_inputs){.commit = MILLIONS(1250),
                                               .consumed = MILLIONS(900),
                                               .billed = MILLIONS(1250)},
                    terms, false);
    ASSERT_MILLIONS(close.due, 1250);
    ASSERT_MILLIONS(close.charge_shortfall, 0);
}

// Google: $920M a month, 15 % deferrable to the last year: instalments were billed for what then moves on.
static void deferral_gives_instalments_back(void **state)
{
    (void)state;
    struct contract_terms_row terms = {
        .defer_bp = 1500, .defer_until_last = true, .billing = BILLING_INSTALMENTS};
    // 10,040 of 11,040: 1,000 is less than 15 % (1,656), so all of it moves on and comes back.
    struct commitment_inputs year = {
        .commit = MILLIONS(11040), .consumed = MILLIONS(10040), .billed = MILLIONS(11040)};
    struct settlement close = settled(year, terms, false);
    ASSERT_MILLIONS(close.deferred_out, 1000);
    ASSERT_MILLIONS(close.refund, 1000);
    // 9,040: 1,656 move on and come back, and 344 stay owed, as they were billed.
    year.consumed = MILLIONS(9040);
    close = settled(year, terms, false);
    ASSERT_MILLIONS(close.deferred_out, 1656);
    ASSERT_MILLIONS(close.refund, 1656);
    ASSERT_MILLIONS(close.due, 9384);
    // The last nine months owe 8,280 and the 2,656 moved in; instalments billed the commit.
    close = settled((struct commitment_inputs){.commit = MILLIONS(8280),
                                               .deferred_in = MILLIONS(2656),
                                               .consumed = MILLIONS(8500),
                                               .billed = MILLIONS(8280)},
                    terms, true);
    ASSERT_MILLIONS(close.unmet, 2436);
    ASSERT_MILLIONS(close.charge_usage, 220); // what was used beyond what was billed
    ASSERT_MILLIONS(close.charge_shortfall, 2436);
    ASSERT_MILLIONS(close.due, 10936);
}

// Azure MACC: what is missing is written off.
static void unmet_commit_is_waived(void **state)
{
    (void)state;
    struct contract_terms_row terms = {.defer_bp = 1000, .then = SHORTFALL_WAIVE};
    struct commitment_inputs year = {
        .commit = MILLIONS(100), .consumed = MILLIONS(70), .billed = MILLIONS(70)};
    struct settlement close = settled(year, terms, false);
    ASSERT_MILLIONS(close.deferred_out, 10);
    ASSERT_MILLIONS(close.waived, 20);
    ASSERT_MILLIONS(close.due, 70);
    close = settled(year, terms, true);
    ASSERT_MILLIONS(close.waived, 30);
    ASSERT_MILLIONS(close.due, 70);
}

static void charges_are_told_apart(void **state)
{
    (void)state;
    // In arrears 70 of usage and 2 of fees were billed; since then 10 more were consumed and 3 of fees came.
    struct settlement close = settled((struct commitment_inputs){.commit = MILLIONS(100),
                                                                 .consumed = MILLIONS(80),
                                                                 .fees = MILLIONS(5),
                                                                 .billed = MILLIONS(72),
                                                                 .fees_billed = MILLIONS(2)},
                                      (struct contract_terms_row){0}, false);
    ASSERT_MILLIONS(close.due, 105);
    ASSERT_MILLIONS(close.charge_fees, 3);
    ASSERT_MILLIONS(close.charge_usage, 10);
    ASSERT_MILLIONS(close.charge_shortfall, 20);
    ASSERT_MILLIONS(close.charge_surcharge, 0);
    // Instalments of 100; 120 consumed, 10 of it beyond what credit covers: the surcharge is on that, and 10
    // of usage and 1 of fees are left to be charged.
    close = settled((struct commitment_inputs){.commit = MILLIONS(100),
                                               .credit = MILLIONS(10),
                                               .overage_limit = MILLIONS(50),
                                               .consumed = MILLIONS(120),
                                               .fees = MILLIONS(1),
                                               .billed = MILLIONS(100)},
                    (struct contract_terms_row){.surcharge_bp = 5000}, false);
    ASSERT_MILLIONS(close.credit_used, 10);
    ASSERT_MILLIONS(close.surcharge, 5);
    ASSERT_MILLIONS(close.due, 116); // max(100, 110) + 1 + 5
    ASSERT_MILLIONS(close.charge_surcharge, 5);
    ASSERT_MILLIONS(close.charge_fees, 1);
    ASSERT_MILLIONS(close.charge_usage, 10);
    // More was billed than is due without the fees: they are covered first, then less comes back.
    close = settled((struct commitment_inputs){.commit = MILLIONS(100),
                                               .relief = MILLIONS(30),
                                               .consumed = MILLIONS(50),
                                               .fees = MILLIONS(4),
                                               .billed = MILLIONS(100)},
                    (struct contract_terms_row){0}, false);
    ASSERT_MILLIONS(close.refund, 26);
    ASSERT_MILLIONS(close.charge_fees, 0);
}

static void closed_period_shows_what_was_settled(void **state)
{
    (void)state;
    struct commitment all = reckoned((struct commitment_inputs){.commit = MILLIONS(400),
                                                                .consumed = MILLIONS(300),
                                                                .billed = MILLIONS(340),
                                                                .closed = true,
                                                                .deferred_out = MILLIONS(60),
                                                                .waived = MILLIONS(0),
                                                                .surcharge_bp = 2000});
    ASSERT_MILLIONS(all.deferred_out, 60);
    ASSERT_MILLIONS(all.due, 340);
    // Of an open one these are ignored.
    all = reckoned((struct commitment_inputs){.commit = MILLIONS(400),
                                              .consumed = MILLIONS(300),
                                              .deferred_out = MILLIONS(60),
                                              .waived = MILLIONS(9),
                                              .credit_used = MILLIONS(8),
                                              .surcharge = MILLIONS(7)});
    ASSERT_MILLIONS(all.due, 400);
    ASSERT_MILLIONS(all.deferred_out, 0);
    ASSERT_MILLIONS(all.surcharge, 0);
}

static void months_bill_what_credit_does_not_cover(void **state)
{
    (void)state;
    struct commitment_inputs inputs = {.commit = MILLIONS(100),
                                       .credit = MILLIONS(10),
                                       .encumbered = MILLIONS(500),
                                       .consumed = MILLIONS(80),
                                       .fees = MILLIONS(3),
                                       .billed = MILLIONS(52),
                                       .fees_billed = MILLIONS(2)};
    struct amount usage;
    assert_true(commitment_usage_to_bill(&inputs, &usage));
    ASSERT_MILLIONS(usage, 30); // 80 less the 50 that were billed; what is only booked counts for nothing
    inputs.consumed = MILLIONS(115);
    assert_true(commitment_usage_to_bill(&inputs, &usage));
    ASSERT_MILLIONS(usage, 55); // 115 − 10 − 50
    inputs.billed = MILLIONS(300);
    assert_true(commitment_usage_to_bill(&inputs, &usage));
    ASSERT_MILLIONS(usage, 0); // never less
}

static void thresholds_are_reached_to_the_micro_dollar(void **state)
{
    (void)state;
    static const int percents[] = {50, 75, 90, 100};
    struct amount floor = MILLIONS(15000);
    for (uint32_t level = 0; level < 4; level++) {
        struct amount reached = {floor.micro / 100 * percents[level]};
        assert_int_equal(commitment_threshold((struct amount){reached.micro - 1}, floor), level);
        assert_int_equal(commitment_threshold(reached, floor), level + 1);
        assert_int_equal(commitment_threshold_percent(level + 1), percents[level]);
    }
    assert_int_equal(commitment_threshold(AMOUNT_ZERO, floor), 0);
    assert_int_equal(commitment_threshold(AMOUNT_MAX, floor), 4);
    assert_int_equal(commitment_threshold(AMOUNT_MAX, AMOUNT_ZERO), 0);
    // A floor that has no exact half: 50 % of 3 is reached by 2, not by 1.
    assert_int_equal(commitment_threshold((struct amount){1}, (struct amount){3}), 0);
    assert_int_equal(commitment_threshold((struct amount){2}, (struct amount){3}), 1);
}

static void percent_is_rounded_down(void **state)
{
    (void)state;
    int64_t percent = -7;
    assert_true(commitment_percent((struct amount){2}, (struct amount){3}, &percent));
    assert_int_equal(percent, 6666);
    assert_true(commitment_percent((struct amount){1}, AMOUNT_MAX, &percent));
    assert_int_equal(percent, 0);
    assert_true(commitment_percent(AMOUNT_MAX, (struct amount){1}, &percent));
    assert_int_equal(percent, INT64_MAX);
    percent = -7;
    assert_false(commitment_percent((struct amount){2}, AMOUNT_ZERO, &percent)); // of nothing
    assert_int_equal(percent, -7);
}

static int64_t below(uint64_t *random, int64_t bound)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)(*random >> 33) % bound;
}

// Random periods and terms: what is charged is what is due less what was billed, and the parts of what is
// unmet add up.
static void settlements_balance(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (int i = 0; i < 20000; i++) {
        struct commitment_inputs inputs = {.commit = {below(&random, 1000)},
                                           .deferred_in = {below(&random, 2) * below(&random, 300)},
                                           .relief = {below(&random, 3) ? 0 : below(&random, 1500)},
                                           .credit = {below(&random, 2) * below(&random, 300)},
                                           .consumed = {below(&random, 2000)},
                                           .fees = {below(&random, 100)},
                                           .billed = {below(&random, 2500)}};
        inputs.fees_billed.micro =
            inputs.fees.micro < inputs.billed.micro ? below(&random, inputs.fees.micro + 1) : 0;
        struct contract_terms_row terms = {.defer_bp = below(&random, 10001),
                                           .defer_until_last = below(&random, 2),
                                           .surcharge_bp = below(&random, 10001),
                                           .then = (enum shortfall_rest)below(&random, 3)};
        bool last = below(&random, 3) == 0;
        struct settlement close = settled(inputs, terms, last);
        int64_t floor = inputs.commit.micro + inputs.deferred_in.micro - inputs.relief.micro;
        floor = floor < 0 ? 0 : floor;
        int64_t unmet = floor > inputs.consumed.micro ? floor - inputs.consumed.micro : 0;
        assert_int_equal(close.unmet.micro, unmet);
        int64_t owed = floor - close.deferred_out.micro - close.waived.micro;
        int64_t usage = inputs.consumed.micro - close.credit_used.micro;
        assert_int_equal(close.due.micro,
                         (owed > usage ? owed : usage) + inputs.fees.micro + close.surcharge.micro);
        int64_t rest = unmet - close.deferred_out.micro;
        assert_int_equal(close.waived.micro, terms.then == SHORTFALL_WAIVE ? rest : 0);
        assert_int_equal(close.credit_granted.micro, terms.then == SHORTFALL_CREDIT && !last ? rest : 0);
        assert_int_equal(close.credit_left.micro, last ? 0 : inputs.credit.micro - close.credit_used.micro);
        assert_true(!last || close.deferred_out.micro == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_amount_by_its_name),
        cmocka_unit_test(shortfall_is_what_would_be_missing),
        cmocka_unit_test(available_is_never_negative),
        cmocka_unit_test(credit_is_drawn_before_overage),
        cmocka_unit_test(without_a_limit_nothing_caps),
        cmocka_unit_test(overflow_is_said),
        cmocka_unit_test(unmet_commit_moves_to_a_later_year),
        cmocka_unit_test(payment_for_a_shortfall_is_usable_later),
        cmocka_unit_test(instalments_count_against_what_is_due),
        cmocka_unit_test(deferral_gives_instalments_back),
        cmocka_unit_test(unmet_commit_is_waived),
        cmocka_unit_test(charges_are_told_apart),
        cmocka_unit_test(closed_period_shows_what_was_settled),
        cmocka_unit_test(months_bill_what_credit_does_not_cover),
        cmocka_unit_test(thresholds_are_reached_to_the_micro_dollar),
        cmocka_unit_test(percent_is_rounded_down),
        cmocka_unit_test(settlements_balance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
