// Manifests: the example with every value, and what is refused at which path.
#include "wire_fixture.h"

#include "core/manifest_text.h"

static int begin(void **state)
{
    *state = calloc(1, sizeof(struct arena));
    return *state == NULL;
}

static int end(void **state)
{
    arena_free(*state);
    free(*state);
    return 0;
}

static void read_example(struct arena *arena, struct manifest *manifest)
{
    size_t length;
    char *text = read_file("docs/examples/colossus.json", &length);
    const char *path, *message;
    if (!wire_parse_manifest(text, length, arena, manifest, &path, &message))
        fail_msg("%s: %s", path, message);
    free(text);
}

static void the_example_is_read(void **state)
{
    struct manifest manifest;
    read_example(*state, &manifest);
    assert_true(manifest.has_operator_uids);
    assert_int_equal(manifest.operator_uid_count, 1);
    assert_int_equal(manifest.operator_uids[0], 0);
    assert_int_equal(manifest.site_count, 2);
    assert_string_equal(manifest.sites[1].site, "colossus-2");
    assert_int_equal(manifest.sites[1].power[0].value, INT64_C(1000000000));
    assert_int_equal(manifest.pool_count, 5);
    const struct manifest_pool *pool = &manifest.pools[3];
    assert_string_equal(pool->pool, "colossus-2/gb200");
    assert_string_equal(pool->gpu, "GB200");
    assert_int_equal(pool->unit, 72);
    assert_int_equal(pool->watts_per_gpu, 1670);
    assert_int_equal(pool->capacity_count, 2);
    assert_int_equal(pool->capacity[1].value, 325008);
    assert_int_equal(pool->rate_count, 1);
    assert_true(pool->rates[0].has[TIER_FIRM] && pool->rates[0].has[TIER_PREEMPTIBLE]);
    assert_int_equal(pool->rates[0].price[TIER_FIRM].micro, 4540000);
    assert_int_equal(pool->change_count, 0);
    assert_int_equal(manifest.tenant_count, 3);
    assert_string_equal(manifest.tenants[0].name, "Anthropic PBC");
    assert_int_equal(manifest.tenants[0].uids[0], 61001);
    assert_false(manifest.tenants[0].has_suspended);
    assert_int_equal(manifest.contract_count, 3);
}

static void the_examples_contracts_have_their_terms(void **state)
{
    struct manifest manifest;
    read_example(*state, &manifest);
    const struct manifest_contract *first = &manifest.contracts[0];
    assert_string_equal(first->contract, "anthropic-colossus");
    assert_string_equal(first->tenant, "anthropic");
    assert_false(first->terms.annual);
    assert_int_equal(first->period_count, 4);
    assert_int_equal(first->periods[3].commit.micro, INT64_C(13750000000000000));
    assert_int_equal(first->terms.overage_kind, OVERAGE_PERCENT);
    assert_int_equal(first->terms.overage_limit_bp, 1000);
    assert_int_equal(first->terms.surcharge_bp, 2000);
    assert_int_equal(first->terms.then, SHORTFALL_CHARGE);
    assert_int_equal(first->terms.billing, BILLING_INSTALMENTS);
    assert_int_equal(first->terms.cancel_notice_hours, 72);
    assert_int_equal(first->terms.late_fee_bp, 5000);
    assert_int_equal(first->terms.sla_credit_bp, 1000);
    assert_true(first->terms.has_termination);
    assert_int_equal(first->terms.termination_notice_days, 90);
    assert_int_equal(first->price_count, 5);
    assert_int_equal(first->prices[4].price.micro, 5270000);
    const struct manifest_contract *second = &manifest.contracts[1];
    assert_int_equal(second->terms.defer_bp, 1500);
    assert_true(second->terms.defer_until_last);
    const struct manifest_contract *third = &manifest.contracts[2];
    assert_true(third->terms.annual);
    assert_int_equal(third->terms.annual_commit.micro, 0);
    assert_int_equal(third->terms.overage_kind, OVERAGE_UNLIMITED);
    assert_int_equal(third->terms.discount_bp, 4000);
    assert_int_equal(third->terms.then, SHORTFALL_WAIVE);
    assert_int_equal(third->terms.billing, BILLING_ARREARS);
    assert_false(third->terms.has_termination);
}

// What an export writes is read as what it was written from.
static void what_is_written_is_read_again(void **state)
{
    struct manifest manifest, again;
    read_example(*state, &manifest);
    struct buffer first = {0}, second = {0};
    struct json json = json_begin(&first);
    json_write_object(&json, NULL);
    manifest_write(&json, &manifest);
    json_write_object_end(&json);
    const char *path, *message;
    assert_true(wire_parse_manifest(first.data, first.length, *state, &again, &path, &message));
    json = json_begin(&second);
    json_write_object(&json, NULL);
    manifest_write(&json, &again);
    json_write_object_end(&json);
    assert_string_equal(first.data, second.data);
    buffer_free(&first);
    buffer_free(&second);
}

// ---- What is refused

#define HOUR0 "\"2026-05-01T00:00:00Z\""
#define HOUR1 "\"2027-05-01T00:00:00Z\""
#define HOUR2 "\"2028-05-01T00:00:00Z\""

struct fault {
    const char *text;
    const char *path; // NULL: fine
};

static void run(struct arena *arena, const struct fault *faults, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct manifest manifest;
        const char *path = NULL, *message = NULL;
        bool well =
            wire_parse_manifest(faults[i].text, strlen(faults[i].text), arena, &manifest, &path, &message);
        if (well != (faults[i].path == NULL))
            fail_msg("%s: %s %s", faults[i].text, well ? "was read" : path, well ? "" : message);
        if (!well && strcmp(path, faults[i].path) != 0)
            fail_msg("%s: path is \"%s\", not \"%s\"", faults[i].text, path, faults[i].path);
        if (!well)
            assert_true(strlen(message) > 5);
    }
}
#define RUN(faults) run(*state, faults, sizeof faults / sizeof faults[0])

static void the_whole_is_checked(void **state)
{
    static const struct fault faults[] = {
        {"{\"version\":1}", NULL},
        {"{\"version\":1,\"$schema\":\"x\",\"note\":\"n\"}", NULL},
        {"{}", "version"},
        {"{\"version\":2}", "version"},
        {"{\"version\":1.0}", "version"},
        {"{\"version\":1,\"site\":[]}", "site"},
        {"{\"version\":1,\"sites\":{}}", "sites"},
        {"{\"version\":1,\"sites\":[7]}", "sites[0]"},
        {"{\"version\":1,\"note\":\"a\\nb\"}", "note"},
        {"{\"version\":1,\"operators\":[]}", "operators"},
        {"{\"version\":1,\"operators\":{\"uid\":[]}}", "operators.uid"},
        {"[]", ""},
        {"7", ""},
        {"{\"version\":1", ""},
        {"{\"version\":1,\"version\":1}", ""},
        {"", ""},
    };
    RUN(faults);
}

#define SITES(text) "{\"version\":1,\"sites\":[" text "]}"
#define POWER(text) SITES("{\"site\":\"s\",\"power\":[" text "]}")

static void sites_are_checked(void **state)
{
    static const struct fault faults[] = {
        {SITES("{\"site\":\"a.b_c-9\"}"), NULL},
        {SITES("{}"), "sites[0].site"},
        {SITES("{\"site\":\"\"}"), "sites[0].site"},
        {SITES("{\"site\":\"A\"}"), "sites[0].site"},
        {SITES("{\"site\":\"a/b\"}"), "sites[0].site"},
        {SITES("{\"site\":7}"), "sites[0].site"},
        {SITES("{\"site\":\"a\"},{\"site\":\"a\"}"), "sites[1].site"},
        {SITES("{\"site\":\"a\",\"x\":1}"), "sites[0].x"},
        {POWER("{\"from\":" HOUR0 ",\"kw\":0}"), NULL},
        {POWER("{\"from\":" HOUR0 ",\"kw\":-1}"), "sites[0].power[0].kw"},
        {POWER("{\"from\":" HOUR0 ",\"kw\":1.5}"), "sites[0].power[0].kw"},
        {POWER("{\"kw\":1}"), "sites[0].power[0].from"},
        {POWER("{\"from\":" HOUR1 ",\"kw\":1},{\"from\":" HOUR0 ",\"kw\":1}"), "sites[0].power[1].from"},
        {POWER("{\"from\":" HOUR1 ",\"kw\":1},{\"from\":" HOUR1 ",\"kw\":1}"), "sites[0].power[1].from"},
        {POWER("{\"from\":\"2026-05-01T00:30:00Z\",\"kw\":1}"), "sites[0].power[0].from"},
    };
    RUN(faults);
}

#define POOLS(text) "{\"version\":1,\"pools\":[" text "]}"
#define POOL(text)  POOLS("{\"pool\":\"s/p\",\"gpu\":\"H100\",\"unit\":8" text "}")

static void pools_are_checked(void **state)
{
    static const struct fault faults[] = {
        {POOL(""), NULL},
        {POOLS("{\"pool\":\"p\",\"gpu\":\"H100\",\"unit\":8}"), "pools[0].pool"},
        {POOLS("{\"pool\":\"s/\",\"gpu\":\"H100\",\"unit\":8}"), "pools[0].pool"},
        {POOLS("{\"pool\":\"/p\",\"gpu\":\"H100\",\"unit\":8}"), "pools[0].pool"},
        {POOLS("{\"pool\":\"s/p/q\",\"gpu\":\"H100\",\"unit\":8}"), "pools[0].pool"},
        {POOLS("{\"pool\":\"s/p\",\"gpu\":\"\",\"unit\":8}"), "pools[0].gpu"},
        {POOLS("{\"pool\":\"s/p\",\"gpu\":\"H\",\"unit\":0}"), "pools[0].unit"},
        {POOL(",\"kw_per_gpu\":\"1.275\""), NULL},
        {POOL(",\"kw_per_gpu\":\"1.2750\""), NULL},
        {POOL(",\"kw_per_gpu\":\"1.2755\""), "pools[0].kw_per_gpu"},
        {POOL(",\"kw_per_gpu\":1.275"), "pools[0].kw_per_gpu"},
        {POOL(",\"kw_per_gpu\":\"-1\""), "pools[0].kw_per_gpu"},
        {POOL(",\"kw_per_gpu\":\"0\""), "pools[0].kw_per_gpu"},
        {POOL(",\"capacity\":[{\"from\":" HOUR0 ",\"gpus\":0}]"), NULL},
        {POOL(",\"capacity\":[{\"from\":" HOUR0 ",\"gpus\":-1}]"), "pools[0].capacity[0].gpus"},
        {POOL(",\"capacity\":[{\"from\":" HOUR1 ",\"gpus\":8},{\"from\":" HOUR0 ",\"gpus\":8}]"),
         "pools[0].capacity[1].from"},
        {POOL(",\"rates\":[{\"from\":" HOUR0 ",\"firm\":\"2.35\"}]"), NULL},
        {POOL(",\"rates\":[{\"from\":" HOUR0 ",\"firm\":2.35}]"), "pools[0].rates[0].firm"},
        {POOL(",\"rates\":[{\"from\":" HOUR0 ",\"firm\":\"-2.35\"}]"), "pools[0].rates[0].firm"},
        {POOL(",\"rates\":[{\"from\":" HOUR0 ",\"firm\":\"2.1234567\"}]"), "pools[0].rates[0].firm"},
        {POOL(",\"rates\":[{\"from\":" HOUR0 "}]"), "pools[0].rates[0].firm"},
        {POOL(",\"rates\":[{\"from\":" HOUR0 ",\"spot\":\"1\"}]"), "pools[0].rates[0].spot"},
        {POOL(",\"changes\":[{\"kind\":\"growth\",\"gpus\":8,\"start\":" HOUR0 "}]"), NULL},
        {POOL(",\"changes\":[{\"kind\":\"growth\",\"gpus\":0,\"start\":" HOUR0 "}]"),
         "pools[0].changes[0].gpus"},
        {POOL(",\"changes\":[{\"kind\":\"fire\",\"gpus\":8,\"start\":" HOUR0 "}]"),
         "pools[0].changes[0].kind"},
        {POOL(",\"changes\":[{\"kind\":\"maintenance\",\"gpus\":8,\"start\":" HOUR0 "}]"),
         "pools[0].changes[0].end"},
        {POOL(",\"changes\":[{\"kind\":\"outage\",\"gpus\":8,\"start\":" HOUR1 ",\"end\":" HOUR0 "}]"),
         "pools[0].changes[0].end"},
    };
    RUN(faults);
}

#define TENANTS(text) "{\"version\":1,\"operators\":{\"uids\":[0,7]},\"tenants\":[" text "]}"

static void tenants_and_uids_are_checked(void **state)
{
    static const struct fault faults[] = {
        {TENANTS("{\"tenant\":\"t\",\"uids\":[1,4294967294],\"suspended\":true}"), NULL},
        {TENANTS("{\"tenant\":\"t\",\"uids\":[1,1]}"), "tenants[0].uids[1]"},
        {TENANTS("{\"tenant\":\"t\",\"uids\":[1,7]}"), "tenants[0].uids[1]"},
        {TENANTS("{\"tenant\":\"t\",\"uids\":[1]},{\"tenant\":\"u\",\"uids\":[2,1]}"), "tenants[1].uids[1]"},
        {TENANTS("{\"tenant\":\"t\",\"uids\":[65534]}"), "tenants[0].uids[0]"},
        {TENANTS("{\"tenant\":\"t\",\"uids\":[4294967295]}"), "tenants[0].uids[0]"},
        {TENANTS("{\"tenant\":\"t\",\"uids\":[-1]}"), "tenants[0].uids[0]"},
        {TENANTS("{\"tenant\":\"t\",\"uids\":7}"), "tenants[0].uids"},
        {TENANTS("{\"tenant\":\"t\",\"suspended\":1}"), "tenants[0].suspended"},
        {TENANTS("{\"tenant\":\"t\"},{\"tenant\":\"t\"}"), "tenants[1].tenant"},
        {TENANTS("{\"tenant\":\"t\",\"rate_limit\":5}"), "tenants[0].rate_limit"},
        {TENANTS("{\"tenant\":\"t\",\"rate_limit\":{}}"), "tenants[0].rate_limit.per_second"},
        {TENANTS("{\"tenant\":\"t\",\"rate_limit\":{\"per_second\":-1}}"),
         "tenants[0].rate_limit.per_second"},
        {TENANTS("{\"tenant\":\"t\",\"rate_limit\":{\"per_second\":1000001}}"),
         "tenants[0].rate_limit.per_second"},
        {TENANTS("{\"tenant\":\"t\",\"rate_limit\":{\"per_second\":1,\"burst\":0}}"),
         "tenants[0].rate_limit.burst"},
        {TENANTS("{\"tenant\":\"t\",\"rate_limit\":{\"per_second\":0,\"burst\":1}}"),
         "tenants[0].rate_limit.burst"},
    };
    RUN(faults);
    struct manifest manifest;
    const char *path, *message, *text = TENANTS("{\"tenant\":\"t\",\"uids\":[]},{\"tenant\":\"u\"}");
    assert_true(wire_parse_manifest(text, strlen(text), *state, &manifest, &path, &message));
    assert_true(manifest.tenants[0].has_uids);
    assert_int_equal(manifest.tenants[0].uid_count, 0);
    assert_false(manifest.tenants[1].has_uids);
    assert_false(manifest.tenants[1].has_rate_limit);
}

static void a_rate_limit_has_a_burst_of_a_second(void **state)
{
    struct manifest manifest;
    const char *path, *message;
    const char *text = TENANTS("{\"tenant\":\"t\",\"rate_limit\":{\"per_second\":7}},"
                               "{\"tenant\":\"u\",\"rate_limit\":{\"per_second\":7,\"burst\":1000000}},"
                               "{\"tenant\":\"v\",\"rate_limit\":{\"per_second\":0}}");
    assert_true(wire_parse_manifest(text, strlen(text), *state, &manifest, &path, &message));
    static const struct rate_limit expected[] = {{7, 7}, {7, 1000000}, {0, 0}};
    for (size_t i = 0; i < 3; i++) {
        assert_true(manifest.tenants[i].has_rate_limit);
        assert_int_equal(manifest.tenants[i].rate_limit.per_second, expected[i].per_second);
        assert_int_equal(manifest.tenants[i].rate_limit.burst, expected[i].burst);
    }
}

#define CONTRACTS(text) "{\"version\":1,\"contracts\":[" text "]}"
#define CONTRACT(text)                                                                                       \
    CONTRACTS("{\"contract\":\"c\",\"tenant\":\"t\",\"start\":" HOUR0 ",\"end\":" HOUR2 text "}")
#define ANNUAL(text) CONTRACT(",\"periods\":{\"annual\":\"1\"}" text)

static void windows_and_periods_are_checked(void **state)
{
    static const struct fault faults[] = {
        {ANNUAL(""), NULL},
        {CONTRACT(""), "contracts[0].periods"},
        {CONTRACT(",\"periods\":7"), "contracts[0].periods"},
        {CONTRACT(",\"periods\":{}"), "contracts[0].periods.annual"},
        {CONTRACT(",\"periods\":{\"annual\":\"-1\"}"), "contracts[0].periods.annual"},
        {CONTRACT(",\"periods\":{\"annual\":\"1\",\"x\":1}"), "contracts[0].periods.x"},
        {CONTRACT(",\"periods\":[]"), "contracts[0].periods"},
        {CONTRACT(",\"periods\":[{\"start\":" HOUR0 ",\"commit\":\"1\"},{\"start\":" HOUR1
                  ",\"commit\":\"0\"}]"),
         NULL},
        {CONTRACT(",\"periods\":[{\"start\":" HOUR1 ",\"commit\":\"1\"}]"), "contracts[0].periods[0].start"},
        {CONTRACT(",\"periods\":[{\"start\":" HOUR0 ",\"commit\":\"1\"},{\"start\":" HOUR0
                  ",\"commit\":\"0\"}]"),
         "contracts[0].periods[1].start"},
        {CONTRACT(",\"periods\":[{\"start\":" HOUR0 ",\"commit\":\"1\"},{\"start\":" HOUR2
                  ",\"commit\":\"0\"}]"),
         "contracts[0].periods[1].start"},
        {CONTRACT(",\"periods\":[{\"start\":" HOUR0 "}]"), "contracts[0].periods[0].commit"},
        {CONTRACTS("{\"contract\":\"c\",\"tenant\":\"t\",\"start\":" HOUR0 ",\"end\":" HOUR0
                   ",\"periods\":{\"annual\":\"1\"}}"),
         "contracts[0].end"},
        {CONTRACTS("{\"contract\":\"c\",\"tenant\":\"t\",\"start\":" HOUR0
                   ",\"end\":\"2126-06-01T00:00:00Z\",\"periods\":{\"annual\":\"1\"}}"),
         "contracts[0].end"},
        {CONTRACTS("{\"contract\":\"c\",\"start\":" HOUR0 "}"), "contracts[0].tenant"},
    };
    RUN(faults);
}

static void terms_are_checked(void **state)
{
    static const struct fault faults[] = {
        {ANNUAL(",\"overage\":{}"), NULL},
        {ANNUAL(",\"overage\":{\"limit\":\"5\",\"surcharge_pct\":10000}"), NULL},
        {ANNUAL(",\"overage\":{\"limit\":\"5\",\"limit_pct\":5}"), "contracts[0].overage.limit_pct"},
        {ANNUAL(",\"overage\":{\"limit\":5}"), "contracts[0].overage.limit"},
        {ANNUAL(",\"overage\":{\"limit\":\"much\"}"), "contracts[0].overage.limit"},
        {ANNUAL(",\"overage\":{\"surcharge_pct\":10000.01}"), "contracts[0].overage.surcharge_pct"},
        {ANNUAL(",\"shortfall\":{\"defer_pct\":100.01}"), "contracts[0].shortfall.defer_pct"},
        {ANNUAL(",\"shortfall\":{\"defer_pct\":-0.01}"), "contracts[0].shortfall.defer_pct"},
        {ANNUAL(",\"shortfall\":{\"defer_pct\":\"5\"}"), "contracts[0].shortfall.defer_pct"},
        {ANNUAL(",\"shortfall\":{\"defer_until\":\"never\"}"), "contracts[0].shortfall.defer_until"},
        {ANNUAL(",\"shortfall\":{\"then\":\"forget\"}"), "contracts[0].shortfall.then"},
        {ANNUAL(",\"billing\":\"yearly\"}"), ""},
        {ANNUAL(",\"billing\":\"yearly\""), "contracts[0].billing"},
        {ANNUAL(",\"cancel\":{\"notice_hours\":-1}"), "contracts[0].cancel.notice_hours"},
        {ANNUAL(",\"cancel\":{\"late_fee_pct\":33.333}"), "contracts[0].cancel.late_fee_pct"},
        {ANNUAL(",\"sla_credit_pct\":100"), NULL},
        {ANNUAL(",\"sla_credit_pct\":101"), "contracts[0].sla_credit_pct"},
        {ANNUAL(",\"discount_pct\":12.5"), NULL},
        {ANNUAL(",\"termination\":{\"notice_from\":" HOUR0 "}"), "contracts[0].termination.notice_days"},
        {ANNUAL(",\"pools\":[]"), "contracts[0].pools"},
        {ANNUAL(",\"pools\":[\"s/p\",\"s/p\"]"), "contracts[0].pools[1]"},
        {ANNUAL(",\"pools\":[\"s/p\",7]"), "contracts[0].pools[1]"},
        {ANNUAL(",\"prices\":[{\"pool\":\"s/p\",\"tier\":\"firm\",\"price\":\"1\"},"
                "{\"pool\":\"s/p\",\"tier\":\"preemptible\",\"price\":\"1\"}]"),
         NULL},
        {ANNUAL(",\"prices\":[{\"pool\":\"s/p\",\"tier\":\"firm\",\"price\":\"1\"},"
                "{\"pool\":\"s/p\",\"tier\":\"firm\",\"price\":\"1\"}]"),
         "contracts[0].prices[1].pool"},
        {ANNUAL(",\"prices\":[{\"pool\":\"s/p\",\"price\":\"1\"}]"), "contracts[0].prices[0].tier"},
        {ANNUAL(",\"note\":\"x\""), NULL},
        {ANNUAL(",\"commit\":\"x\""), "contracts[0].commit"},
    };
    RUN(faults);
}

// Every hundredth of a percent is read as exactly that many basis points, however it is written.
static void percentages_are_exact(void **state)
{
    for (int basis_points = 0; basis_points <= 10000; basis_points++) {
        char text[400];
        snprintf(text, sizeof text, ANNUAL(",\"discount_pct\":%d.%02d"), basis_points / 100,
                 basis_points % 100);
        struct manifest manifest;
        const char *path, *message;
        if (!wire_parse_manifest(text, strlen(text), *state, &manifest, &path, &message))
            fail_msg("%s: %s", text, message);
        assert_int_equal(manifest.contracts[0].terms.discount_bp, basis_points);
        snprintf(text, sizeof text, ANNUAL(",\"discount_pct\":%d.%02d5"), basis_points / 100,
                 basis_points % 100);
        assert_false(wire_parse_manifest(text, strlen(text), *state, &manifest, &path, &message));
        arena_reset(*state);
    }
}

static void every_beginning_of_the_example_is_refused(void **state)
{
    size_t length;
    char *text = read_file("docs/examples/colossus.json", &length);
    while (length > 0 && text[length - 1] != '}')
        length--;
    for (size_t i = 0; i < length; i++) {
        struct manifest manifest;
        const char *path, *message;
        char *exact = malloc(i + 1);
        assert_non_null(exact);
        memcpy(exact, text, i);
        assert_false(wire_parse_manifest(exact, i, *state, &manifest, &path, &message));
        free(exact);
        arena_reset(*state);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_example_is_read, begin, end),
        cmocka_unit_test_setup_teardown(the_examples_contracts_have_their_terms, begin, end),
        cmocka_unit_test_setup_teardown(what_is_written_is_read_again, begin, end),
        cmocka_unit_test_setup_teardown(the_whole_is_checked, begin, end),
        cmocka_unit_test_setup_teardown(sites_are_checked, begin, end),
        cmocka_unit_test_setup_teardown(pools_are_checked, begin, end),
        cmocka_unit_test_setup_teardown(tenants_and_uids_are_checked, begin, end),
        cmocka_unit_test_setup_teardown(a_rate_limit_has_a_burst_of_a_second, begin, end),
        cmocka_unit_test_setup_teardown(windows_and_periods_are_checked, begin, end),
        cmocka_unit_test_setup_teardown(terms_are_checked, begin, end),
        cmocka_unit_test_setup_teardown(percentages_are_exact, begin, end),
        cmocka_unit_test_setup_teardown(every_beginning_of_the_example_is_refused, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
