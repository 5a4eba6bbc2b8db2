// The names of the wire and the ledger: each enum's in its order, written and read alike.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/row.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

// Nothing that is near a name is one.
static const char *const no_names[] = {"",     " ",     "none",    "Firm",  "firm ",
                                       "book", "booke", "creditx", "arrear"};

// Each name is written for its value and read back as it; a name that is none is refused and leaves the
// value alone. `first` is the first value that has a name to be read.
#define CHECK_NAMES(type, name_of, parse, first, ...)                                                        \
    do {                                                                                                     \
        static const char *const expected[] = {__VA_ARGS__};                                                 \
        for (size_t i = 0; i < COUNT_OF(expected); i++) {                                                    \
            type value = (type)(first), wanted = (type)((first) + i);                                        \
            assert_string_equal(name_of(wanted), expected[i]);                                               \
            assert_true(parse(expected[i], &value));                                                         \
            assert_int_equal(value, wanted);                                                                 \
        }                                                                                                    \
        for (size_t i = 0; i < COUNT_OF(no_names); i++) {                                                    \
            type value = (type)((first) + 1);                                                                \
            assert_false(parse(no_names[i], &value));                                                        \
            assert_int_equal(value, (first) + 1);                                                            \
        }                                                                                                    \
    } while (0)

static void names_of_tiers(void **state)
{
    (void)state;
    CHECK_NAMES(enum tier, tier_name, tier_parse, 0, "firm", "preemptible");
}

static void names_of_capacity_kinds(void **state)
{
    (void)state;
    CHECK_NAMES(enum capacity_kind, capacity_kind_name, capacity_kind_parse, 0, "initial", "growth", "delay",
                "maintenance", "outage", "retirement");
}

static void names_of_outage_parts(void **state)
{
    (void)state;
    CHECK_NAMES(enum outage_part, outage_part_name, outage_part_parse, OUTAGE_OPENED, "opened", "cut",
                "returned", "closed");
    assert_null(outage_part_name(OUTAGE_NONE));
}

static void names_of_accounts(void **state)
{
    (void)state;
    CHECK_NAMES(enum account_kind, account_kind_name, account_kind_parse, 0, "authority", "encumbered",
                "consumed", "deferred", "credit", "receivable", "billed", "fees", "commitment", "overage",
                "deferral", "prepaid", "charges", "settled", "written_off");
}

// One of them is spelled as two of the names that are none elsewhere: "book" and "credit" are kinds here.
static void names_of_transfers(void **state)
{
    (void)state;
    static const char *const expected[TRANSFER_KIND_COUNT] = {
        "grant", "defer", "credit",    "book",      "release", "consume", "relief", "instalment",
        "usage", "fee",   "shortfall", "surcharge", "waive",   "refund",  "adjust"};
    for (int i = 0; i < TRANSFER_KIND_COUNT; i++) {
        enum transfer_kind kind = TRANSFER_GRANT;
        assert_string_equal(transfer_kind_name((enum transfer_kind)i), expected[i]);
        assert_true(transfer_kind_parse(expected[i], &kind));
        assert_int_equal(kind, i);
    }
    enum transfer_kind kind = TRANSFER_REFUND;
    assert_false(transfer_kind_parse("booked", &kind));
    assert_false(transfer_kind_parse("", &kind));
    assert_int_equal(kind, TRANSFER_REFUND);
}

// STATE_NONE has a name to be shown in a fault's message, and none to be read.
static void names_of_states(void **state)
{
    (void)state;
    CHECK_NAMES(enum reservation_state, reservation_state_name, reservation_state_parse, STATE_WAITING,
                "waiting", "held", "booked", "active", "completed", "cancelled", "expired");
    assert_string_equal(reservation_state_name(STATE_NONE), "none");
}

static void names_of_terms(void **state)
{
    (void)state;
    CHECK_NAMES(enum shortfall_rest, shortfall_rest_name, shortfall_rest_parse, 0, "charge", "credit",
                "waive");
    CHECK_NAMES(enum billing, billing_name, billing_parse, 0, "arrears", "instalments");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_tiers),        cmocka_unit_test(names_of_capacity_kinds),
        cmocka_unit_test(names_of_outage_parts), cmocka_unit_test(names_of_accounts),
        cmocka_unit_test(names_of_transfers),    cmocka_unit_test(names_of_states),
        cmocka_unit_test(names_of_terms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
