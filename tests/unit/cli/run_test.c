// The verbs against a daemon that answers by a script: what is asked, what is shown, and the exit status.
#include "../client/fake_server.h"

#include "cli/cli.h"
#include <locale.h>
#include <stdlib.h>
#include <string.h>

// One run of the program.
struct run {
    struct fake_server *fake;
    char *out, *err;
    int status;
};

#define WORDS_MOST 24

static struct run run_words(const char *const *script, const char *const *words)
{
    struct run run = {.fake = fake_start(script)};
    char *texts[WORDS_MOST] = {(char *)"colossus", (char *)"--socket", (char *)fake_path(run.fake)};
    int count = 3;
    for (; words[count - 3] != NULL; count++) {
        assert_true(count < WORDS_MOST);
        texts[count] = (char *)words[count - 3];
    }
    size_t out_length = 0, err_length = 0;
    FILE *out = open_memstream(&run.out, &out_length), *err = open_memstream(&run.err, &err_length);
    run.status = cli_main(count, texts, out, err);
    fclose(out);
    fclose(err);
    fake_stop(run.fake);
    return run;
}

#define RUN(script, ...) run_words(script, (const char *const[]){__VA_ARGS__, NULL})

static void end(struct run *run)
{
    fake_free(run->fake);
    free(run->out);
    free(run->err);
}

static json_t *params_of(const struct run *run, size_t number, const char *method)
{
    assert_non_null(fake_request(run->fake, number));
    json_t *request = json_loads(fake_request(run->fake, number), 0, NULL);
    assert_non_null(request);
    assert_string_equal(json_string_value(json_object_get(request, "method")), method);
    json_t *params = json_incref(json_object_get(request, "params"));
    json_decref(request);
    return params;
}

// The request's parameters are these and no others.
static void assert_params(const struct run *run, size_t number, const char *method, const char *expected)
{
    json_t *params = params_of(run, number, method), *wanted = json_loads(expected, 0, NULL);
    assert_non_null(wanted);
    if (!json_equal(params, wanted))
        fail_msg("request %zu is %s, not with %s", number, fake_request(run->fake, number), expected);
    json_decref(params);
    json_decref(wanted);
}

#define NOW FAKE_RESULT("\"now\":\"2026-12-01T10:20:30Z\"")
#define RESERVATION                                                                                          \
    "\"id\":7,\"state\":\"booked\",\"pool\":\"s/p\",\"gpus\":8,\"cost\":\"1234.50\",\"slices\":[]"

// ---- Booking

static void test_reserve_sends_what_was_said(void **state)
{
    (void)state;
    static const char *const script[] = {NOW, FAKE_RESULT(RESERVATION), NULL};
    struct run run =
        RUN(script, "reserve", "s/p", "1024", "--start", "now", "--for", "14d", "--hold", "2h", "--tier",
            "firm", "--project", "p", "--note", "größe", "--ref", "r1", "--tenant", "x", "--dry-run");
    assert_int_equal(run.status, 0);
    assert_params(
        &run, 1, "reservation.create",
        "{\"pool\":\"s/"
        "p\",\"gpus\":1024,\"start\":\"2026-12-01T10:00:00Z\",\"hours\":336,\"hold_seconds\":7200,"
        "\"tier\":\"firm\",\"project\":\"p\",\"note\":\"größe\",\"client_ref\":\"r1\",\"tenant\":\"x\","
        "\"dry_run\":true}");
    assert_string_equal(run.out, "id     7\nstate  booked\npool   s/p\ngpus   8\ncost   $1,234.50\n");
    assert_string_equal(run.err, "");
    end(&run);
}

static void test_an_end_goes_up_to_its_hour(void **state)
{
    (void)state;
    static const char *const script[] = {NOW, FAKE_RESULT(RESERVATION), NULL};
    struct run run =
        RUN(script, "reserve", "s/p", "8", "--start", "2026-12-01", "--end", "+1d", "--ref", "r");
    assert_int_equal(run.status, 0);
    assert_params(
        &run, 1, "reservation.create",
        "{\"pool\":\"s/p\",\"gpus\":8,\"start\":\"2026-12-01T00:00:00Z\",\"end\":\"2026-12-02T11:00:00Z\","
        "\"client_ref\":\"r\"}");
    end(&run);
}

static void test_a_client_ref_is_made_and_told(void **state)
{
    (void)state;
    static const char *const script[] = {FAKE_CLOSE, NULL};
    struct run run = RUN(script, "reserve", "s/p", "8", "--start", "2026-12-01", "--for", "1d");
    assert_int_equal(run.status, 3);
    json_t *params = params_of(&run, 0, "reservation.create");
    const char *client_ref = json_string_value(json_object_get(params, "client_ref"));
    assert_non_null(client_ref);
    assert_int_equal(strlen(client_ref), 36);
    assert_memory_equal(run.err, "client_ref cli-", 15);
    // What to do next is said with it.
    assert_non_null(strstr(strchr(run.err, '\n'), client_ref));
    assert_non_null(strstr(run.err, "may or may not have been carried out"));
    json_decref(params);
    end(&run);
}

static void test_json_has_the_client_ref(void **state)
{
    (void)state;
    static const char *const script[] = {FAKE_RESULT("\"suspended\":true"), NULL};
    struct run run = RUN(script, "suspend", "x", "-o", "json");
    assert_int_equal(run.status, 0);
    assert_string_equal(run.err, "");
    json_t *params = params_of(&run, 0, "tenant.suspend"), *result = json_loads(run.out, 0, NULL);
    assert_true(json_equal(json_object_get(params, "client_ref"), json_object_get(result, "client_ref")));
    assert_true(json_is_true(json_object_get(result, "suspended")));
    json_decref(params);
    json_decref(result);
    end(&run);
}

static void test_a_dry_run_needs_no_client_ref(void **state)
{
    (void)state;
    static const char *const script[] = {FAKE_RESULT(RESERVATION), NULL};
    struct run run = RUN(script, "confirm", "7", "-n");
    assert_int_equal(run.status, 0);
    assert_params(&run, 0, "reservation.confirm", "{\"id\":7,\"dry_run\":true}");
    assert_string_equal(run.err, "");
    end(&run);
}

static void test_a_group_is_made_of_legs(void **state)
{
    (void)state;
    static const char *const script[] = {FAKE_RESULT("\"group\":4,\"reservations\":[{\"id\":4},{\"id\":5}]"),
                                         NULL};
    struct run run =
        RUN(script, "reserve-group", "--leg", "a/b:8:2026-12-05:7d", "--leg",
            "c/d:16:2026-12-05T01:00:00Z:2026-12-06T02:00:00+01:00", "--ref", "r", "--hold", "60");
    assert_int_equal(run.status, 0);
    assert_params(
        &run, 0, "reservation.create_group",
        "{\"legs\":[{\"pool\":\"a/b\",\"gpus\":8,\"start\":\"2026-12-05T00:00:00Z\",\"hours\":168},"
        "{\"pool\":\"c/d\",\"gpus\":16,\"start\":\"2026-12-05T01:00:00Z\",\"end\":\"2026-12-06T01:00:00Z\"}],"
        "\"hold_seconds\":60,\"client_ref\":\"r\"}");
    assert_string_equal(run.out, "group  4\n\nID\n 4\n 5\n");
    end(&run);
}

// ---- Fees

#define FEE    FAKE_RESULT("\"id\":7,\"fee\":\"72192.00\",\"released\":\"100.00\"")
#define NO_FEE FAKE_RESULT("\"id\":7,\"fee\":\"0.00\",\"released\":\"100.00\"")

static void test_a_fee_is_not_paid_unasked(void **state)
{
    (void)state;
    static const char *const script[] = {FEE, FEE, NULL};
    struct run run = RUN(script, "cancel", "7", "--ref", "r");
    assert_int_equal(run.status, 2);
    assert_int_equal(fake_request_count(run.fake), 1);
    assert_params(&run, 0, "reservation.cancel", "{\"id\":7,\"client_ref\":\"r\",\"dry_run\":true}");
    assert_non_null(strstr(run.err, "$72,192.00"));
    assert_string_equal(run.out, "");
    end(&run);
}

static void test_a_fee_is_paid_with_yes(void **state)
{
    (void)state;
    static const char *const script[] = {FEE, NULL};
    struct run run = RUN(script, "cancel", "--group", "7", "--yes", "--ref", "r");
    assert_int_equal(run.status, 0);
    assert_params(&run, 0, "reservation.cancel", "{\"group\":7,\"client_ref\":\"r\"}");
    end(&run);
}

static void test_what_costs_nothing_is_done(void **state)
{
    (void)state;
    static const char *const script[] = {NO_FEE, NO_FEE, NULL};
    struct run run = RUN(script, "change", "7", "--gpus", "16", "--from", "2026-12-03", "--ref", "r");
    assert_int_equal(run.status, 0);
    assert_params(&run, 1, "reservation.change",
                  "{\"id\":7,\"gpus\":16,\"from\":\"2026-12-03T00:00:00Z\",\"client_ref\":\"r\"}");
    end(&run);
}

static void test_what_was_done_before_is_not_asked_again(void **state)
{
    (void)state;
    static const char *const script[] = {FAKE_RESULT("\"id\":7,\"fee\":\"5.00\",\"replayed\":true"), FEE,
                                         NULL};
    struct run run = RUN(script, "cancel", "7", "--ref", "r");
    assert_int_equal(run.status, 0);
    assert_int_equal(fake_request_count(run.fake), 2);
    end(&run);
}

// ---- Exit statuses

static void assert_status(const char *reply, int status, const char *words)
{
    const char *const script[] = {reply, NULL};
    struct run run = RUN(script, "pools");
    assert_int_equal(run.status, status);
    assert_string_equal(run.out, "");
    assert_non_null(strstr(run.err, words));
    end(&run);
}

static void test_exit_statuses(void **state)
{
    (void)state;
    assert_status(FAKE_ERROR(1004, "used already", "\"kind\":\"conflict\""), 1, "colossus: used already\n");
    assert_status(FAKE_ERROR(-32602, "is wrong", "\"kind\":\"invalid_params\",\"member\":\"gpus\""), 1,
                  "gpus: is wrong");
    assert_status(FAKE_ERROR(1001, "who are you", "\"kind\":\"unauthenticated\""), 4, "--token-file");
    assert_status(FAKE_ERROR(1002, "not you", "\"kind\":\"forbidden\""), 4, "not you");
    assert_status(FAKE_ERROR(1006, "full", "\"kind\":\"capacity_exceeded\""), 5, "full");
    assert_status(FAKE_ERROR(1007, "spent", "\"kind\":\"commitment_exceeded\""), 6, "this needs");
    assert_status(FAKE_CLOSE, 3, "the daemon closed the connection\n");
    assert_status("nonsense", 3, "not as the protocol says");
    // What the daemon says is not to steer the terminal.
    assert_status(FAKE_ERROR(1003, "a\\u001b[2Jb", "\"kind\":\"not_found\""), 1, "colossus: a?[2Jb\n");
}

static void test_errors_as_json(void **state)
{
    (void)state;
    static const char *const script[] = {
        FAKE_ERROR(1006, "full", "\"kind\":\"capacity_exceeded\",\"free\":3"), NULL};
    struct run run = RUN(script, "-o", "json", "pools");
    assert_int_equal(run.status, 5);
    json_t *shown = json_loads(run.out, 0, NULL), *error = json_object_get(shown, "error");
    assert_int_equal(json_integer_value(json_object_get(error, "code")), 1006);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(error, "data"), "free")), 3);
    json_decref(shown);
    assert_non_null(strstr(run.err, "full"));
    end(&run);
}

static void test_usage_asks_nothing(void **state)
{
    (void)state;
    static const char *const script[] = {NOW, NULL};
    static const char *const bad[][8] = {
        {"reserve", "s/p", "8", "--start", "now"},
        {"reserve", "s/p", "8", "--start", "soon", "--for", "1d"},
        {"reserve", "s/p", "8x", "--start", "now", "--for", "1d"},
        {"reserve", "s/p", "8", "--start", "2026-12-01", "--for", "1y"},
        {"reserve", "s/p", "-8", "--start", "now", "--for", "1d"},
        {"confirm"},
        {"confirm", "3", "--group", "4"},
        {"show"},
        {"token", "create", "l"},
        {"reserve-group"},
        {"reserve-group", "--leg", "a/b:8"},
        {"reserve-group", "--leg", "a/b:8:2026-12-01"},
        {"reserve-group", "--leg", "a/b:8:x:1d"},
        {"list", "--state", "held,,booked"},
        {"list", "--all", "--limit", "3"},
        {"events", "--all", "--follow"},
        {"events", "--limit", "3", "--follow"},
        {"calendar", "s/p", "--end", "now", "--for", "1d"},
        {"call", "m", "[]"},
        {"call", "m", "{\"a\":1,\"a\":1}"},
        {"pools", "-o", "yaml"},
        {"pools", "--timeout", "0"},
        {"pools", "--timeout", "1s"},
        {"offers"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct run run = run_words(script, bad[i]);
        if (run.status != 2 || fake_request_count(run.fake) != 0)
            fail_msg("case %zu: status %d, %zu requests, %s", i, run.status, fake_request_count(run.fake),
                     run.err);
        assert_memory_equal(run.err, "colossus: ", 10);
        end(&run);
    }
}

static void test_nobody_there(void **state)
{
    (void)state;
    char *texts[] = {(char *)"colossus", (char *)"ping", (char *)"--socket", (char *)"/nonexistent/socket"};
    char *shown = NULL;
    size_t length = 0;
    FILE *err = open_memstream(&shown, &length);
    assert_int_equal(cli_main(4, texts, stdout, err), 3);
    fclose(err);
    assert_non_null(strstr(shown, "is colossusd running?"));
    free(shown);
}

// ---- Tokens

static void test_a_token_logs_in_first(void **state)
{
    (void)state;
    static const char *const good[] = {FAKE_RESULT("\"role\":\"tenant\""), FAKE_RESULT("\"pools\":[]"), NULL};
    static const char *const bad[] = {FAKE_ERROR(1001, "no such token", "\"kind\":\"unauthenticated\""),
                                      FAKE_RESULT(""), NULL};
    setenv("COLOSSUS_TOKEN", "clss_x", 1);
    struct run run = RUN(good, "pools");
    assert_int_equal(run.status, 0);
    assert_params(&run, 0, "session.login", "{\"token\":\"clss_x\"}");
    end(&run);
    run = RUN(bad, "pools");
    assert_int_equal(run.status, 4);
    assert_int_equal(fake_request_count(run.fake), 1);
    end(&run);
    unsetenv("COLOSSUS_TOKEN");
    run = RUN(good, "pools", "--token-file", "/nonexistent/token");
    assert_int_equal(run.status, 2);
    assert_int_equal(fake_request_count(run.fake), 0);
    end(&run);
}

// ---- Reading

static void test_pools_are_a_table(void **state)
{
    (void)state;
    static const char *const script[] = {
        FAKE_RESULT(
            "\"pools\":[{\"pool\":\"s/größe\",\"unit\":8,\"free\":150000,\"price_per_gpu_hour\":\"2.35\"},"
            "{\"pool\":\"s/b\",\"unit\":72,\"free\":0,\"price_per_gpu_hour\":null}]"),
        NULL};
    struct run run = RUN(script, "pools");
    assert_int_equal(run.status, 0);
    assert_string_equal(run.out, "POOL     UNIT     FREE  PRICE_PER_GPU_HOUR\n"
                                 "s/größe     8  150,000               $2.35\n"
                                 "s/b        72        0                   -\n");
    end(&run);
}

static void test_what_has_no_limit_says_so(void **state)
{
    (void)state;
    static const char *const script[] = {
        FAKE_RESULT("\"periods\":[{\"contract\":\"c\",\"commit\":\"15000000000.00\",\"available\":null,"
                    "\"percent\":0.5}]"),
        NULL};
    struct run run = RUN(script, "commitment", "c", "--at", "2026-12-01T00:30:00Z");
    assert_int_equal(run.status, 0);
    assert_params(&run, 0, "commitment.status", "{\"contract\":\"c\",\"at\":\"2026-12-01T00:30:00Z\"}");
    assert_string_equal(
        run.out, "contract   c\ncommit     $15,000,000,000.00\navailable  unlimited\npercent    0.50 %\n");
    end(&run);
}

static void test_a_page_says_that_there_is_more(void **state)
{
    (void)state;
    static const char *const script[] = {FAKE_RESULT("\"reservations\":[{\"id\":1}],\"next\":1"), NULL};
    struct run run = RUN(script, "list", "--state", "held,booked", "--state", "active", "--limit", "1");
    assert_int_equal(run.status, 0);
    assert_params(&run, 0, "reservation.list", "{\"state\":[\"held\",\"booked\",\"active\"],\"limit\":1}");
    assert_string_equal(run.out, "ID\n 1\n");
    assert_non_null(strstr(run.err, "--after 1"));
    end(&run);
}

static void test_all_pages_are_one(void **state)
{
    (void)state;
    static const char *const script[] = {FAKE_RESULT("\"transfers\":[{\"id\":1},{\"id\":2}],\"next\":2"),
                                         FAKE_RESULT("\"transfers\":[{\"id\":3}],\"next\":null"), NULL};
    struct run run = RUN(script, "statement", "--all", "-o", "json");
    assert_int_equal(run.status, 0);
    assert_params(&run, 1, "statement.list", "{\"limit\":1000,\"after\":2}");
    json_t *shown = json_loads(run.out, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(shown, "transfers")), 3);
    assert_true(json_is_null(json_object_get(shown, "next")));
    json_decref(shown);
    end(&run);
}

#define EVENT(seq) "\n{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"seq\":" #seq "}}"

static void test_following_goes_on_after_the_last(void **state)
{
    (void)state;
    static const char *const script[] = {
        FAKE_LAST FAKE_RESULT("\"watching\":true,\"after\":4") EVENT(5) EVENT(6),
        FAKE_CLOSE,
        FAKE_ERROR(1012, "no ledger", "\"kind\":\"ledger_unavailable\",\"outcome\":\"none\""),
        FAKE_LAST FAKE_RESULT("\"watching\":true,\"after\":6")
            EVENT(9) "\n{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":1016,\"message\":\"too slow\","
                     "\"data\":{\"kind\":\"overloaded\",\"after\":9}}}",
        FAKE_ERROR(1001, "who are you", "\"kind\":\"unauthenticated\""),
        NULL};
    struct run run = RUN(script, "events", "--follow", "--after", "4", "--tenant", "x", "-o", "json");
    assert_int_equal(run.status, 4);
    assert_params(&run, 0, "event.watch", "{\"after\":4,\"tenant\":\"x\"}");
    assert_params(&run, 1, "event.watch", "{\"after\":6,\"tenant\":\"x\"}");
    assert_params(&run, 2, "event.watch", "{\"after\":6,\"tenant\":\"x\"}");
    assert_params(&run, 3, "event.watch", "{\"after\":6,\"tenant\":\"x\"}");
    assert_params(&run, 4, "event.watch", "{\"after\":9,\"tenant\":\"x\"}");
    assert_memory_equal(run.out, "{\"seq\":5}\n{\"seq\":6}\n{\"seq\":9}\n{\n", 32);
    assert_non_null(strstr(run.out, "\"unauthenticated\""));
    assert_null(strstr(run.out, "overloaded"));
    assert_non_null(strstr(run.err, "too slow; connecting again"));
    assert_null(strstr(run.err, "no ledger"));
    assert_non_null(strstr(run.err, "Go on with --after 9."));
    end(&run);
}

// Without a place it begins now, and a connection lost before the first event costs none.
static void test_following_from_now_on(void **state)
{
    (void)state;
    static const char *const script[] = {FAKE_LAST FAKE_RESULT("\"watching\":true,\"after\":31"),
                                         FAKE_ERROR(1002, "no", "\"kind\":\"forbidden\""), NULL};
    struct run run = RUN(script, "events", "-F");
    assert_int_equal(run.status, 4);
    assert_params(&run, 0, "event.watch", "{}");
    assert_params(&run, 1, "event.watch", "{\"after\":31}");
    end(&run);
}

// The first time nothing is tried again.
static void test_following_that_does_not_begin(void **state)
{
    (void)state;
    static const char *const script[] = {
        FAKE_ERROR(1012, "no ledger", "\"kind\":\"ledger_unavailable\",\"outcome\":\"none\""), FAKE_CLOSE,
        NULL};
    struct run run = RUN(script, "events", "-F");
    assert_int_equal(run.status, 1);
    assert_int_equal(fake_request_count(run.fake), 1);
    assert_non_null(strstr(run.err, "no ledger"));
    assert_null(strstr(run.err, "Go on"));
    end(&run);
}

// A counter's family gets the name of its samples; all else stays.
static void test_metrics_are_text(void **state)
{
    (void)state;
    static const char *const script[] = {
        FAKE_RESULT(
            "\"metrics\":\"# TYPE a counter\\n# HELP a Of a.\\na_total{x=\\\"# TYPE a counter\\\"} 1\\n"
            "# TYPE a_b gauge\\n# UNIT a_b b\\n# HELP a_b counter\\na_b 2\\n# EOF\\n\""),
        NULL};
    struct run run = RUN(script, "metrics");
    assert_int_equal(run.status, 0);
    assert_params(&run, 0, "server.metrics", "{}");
    assert_string_equal(run.out,
                        "# TYPE a_total counter\n# HELP a_total Of a.\na_total{x=\"# TYPE a counter\"} 1\n"
                        "# TYPE a_b gauge\n# UNIT a_b b\n# HELP a_b counter\na_b 2\n# EOF\n");
    end(&run);
}

static void test_offers_are_rows(void **state)
{
    (void)state;
    static const char *const script[] = {
        FAKE_RESULT(
            "\"offers\":[{\"request\":{\"pool\":\"s/p\",\"gpus\":1024,\"start\":\"2026-12-01T00:00:00Z\","
            "\"end\":\"2026-12-02T00:00:00Z\",\"tier\":\"firm\"},\"cost\":\"1234.50\","
            "\"commitment\":{\"available_after\":null,\"periods\":[]}}],\"near_misses\":[],"
            "\"searched_until\":\"2027-01-01T00:00:00Z\""),
        NULL};
    struct run run = RUN(script, "offers", "1000", "--for", "1d", "--pools", "s/p,s/q", "--sites", "s",
                         "--earliest", "2026-12-01", "--order", "cheapest");
    assert_int_equal(run.status, 0);
    assert_params(&run, 0, "offer.search",
                  "{\"gpus\":1000,\"hours\":24,\"pools\":[\"s/p\",\"s/q\"],\"sites\":[\"s\"],"
                  "\"earliest\":\"2026-12-01T00:00:00Z\",\"order\":\"cheapest\"}");
    assert_non_null(strstr(run.out, "$1,234.50"));
    assert_non_null(strstr(run.out, "1,024"));
    assert_non_null(strstr(run.out, "unlimited"));
    assert_non_null(strstr(run.err, "2027-01-01T00:00:00Z"));
    end(&run);
}

static void test_near_misses_say_what_they_lack(void **state)
{
    (void)state;
    static const char *const script[] = {
        FAKE_RESULT(
            "\"offers\":[],\"near_misses\":[{\"request\":{\"pool\":\"s/p\",\"gpus\":8},"
            "\"lacks\":{\"hours\":1}},{\"request\":{\"pool\":\"s/p\"},\"lacks\":{\"gpus\":2000}},"
            "{\"request\":{\"pool\":\"s/q\"},\"lacks\":{\"hours_after\":3}}],\"searched_until\":null"),
        FAKE_RESULT("\"offers\":[],\"near_misses\":[],\"searched_until\":null"), NULL};
    struct run run = RUN(script, "offers", "8", "--for", "1h");
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "1 hour too short"));
    assert_non_null(strstr(run.out, "2,000 GPUs too few"));
    assert_non_null(strstr(run.out, "ends 3 hours late"));
    assert_non_null(strstr(run.err, "Nothing fits. This comes nearest"));
    end(&run);
}

static void test_a_calendar_begins_now(void **state)
{
    (void)state;
    static const char *const script[] = {NOW, FAKE_RESULT("\"steps\":[]"), NULL};
    struct run run = RUN(script, "calendar", "s/p", "--tenant", "x");
    assert_int_equal(run.status, 0);
    assert_params(
        &run, 1, "pool.calendar",
        "{\"pool\":\"s/"
        "p\",\"tenant\":\"x\",\"start\":\"2026-12-01T10:00:00Z\",\"end\":\"2026-12-31T10:00:00Z\"}");
    end(&run);
}

// ---- Operators

static void test_repeating_needs_no_client_ref_where_it_is_harmless(void **state)
{
    (void)state;
    static const char *const script[] = {NOW, FAKE_RESULT("\"now\":\"x\""), NULL};
    struct run run = RUN(script, "advance", "+2h");
    assert_int_equal(run.status, 0);
    assert_params(&run, 1, "clock.advance", "{\"to\":\"2026-12-01T12:20:30Z\"}");
    end(&run);
}

static void test_an_export_is_the_manifest_alone(void **state)
{
    (void)state;
    static const char *const script[] = {FAKE_RESULT("\"manifest\":{\"version\":1}"), NULL};
    struct run run = RUN(script, "export");
    assert_int_equal(run.status, 0);
    assert_string_equal(run.out, "{\n  \"version\": 1\n}\n");
    end(&run);
}

static void test_apply_sends_the_file(void **state)
{
    (void)state;
    static const char *const script[] = {
        FAKE_RESULT("\"changes\":[{\"kind\":\"added\",\"what\":\"pool\",\"name\":\"s/p\"}]"), NULL};
    char path[] = "/tmp/colossus-manifest-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    fputs("{\"version\":1,\n\"pct\":0.1}", file);
    fclose(file);
    struct run run = RUN(script, "apply", path, "--ref", "r");
    assert_int_equal(run.status, 0);
    assert_params(&run, 0, "manifest.apply",
                  "{\"manifest\":{\"version\":1,\"pct\":0.1},\"client_ref\":\"r\"}");
    assert_string_equal(run.out, "KIND   WHAT  NAME\nadded  pool  s/p\n");
    end(&run);
    remove(path);
    run = RUN(script, "apply", path);
    assert_int_equal(run.status, 2);
    end(&run);
}

static void test_call_prints_json(void **state)
{
    (void)state;
    static const char *const script[] = {FAKE_RESULT("\"a\":\"1.50\""), NULL};
    struct run run = RUN(script, "call", "x.y", "{\"b\":[1]}");
    assert_int_equal(run.status, 0);
    assert_params(&run, 0, "x.y", "{\"b\":[1]}");
    assert_string_equal(run.out, "{\n  \"a\": \"1.50\"\n}\n");
    end(&run);
}

static void test_verify_of_no_ledger(void **state)
{
    (void)state;
    static const char *const script[] = {NULL};
    struct run run = RUN(script, "verify", "/nonexistent/ledger.db");
    assert_int_equal(run.status, 1);
    assert_non_null(strstr(run.err, "/nonexistent/ledger.db"));
    end(&run);
}

static void test_schema_needs_no_daemon(void **state)
{
    (void)state;
    static const char *const script[] = {NULL};
    struct run run = RUN(script, "schema");
    assert_int_equal(run.status, 0);
    json_t *document = json_loads(run.out, 0, NULL);
    assert_non_null(json_object_get(document, "openrpc"));
    json_decref(document);
    end(&run);
    run = RUN(script, "schema", "--sql");
    assert_int_equal(run.status, 0);
    assert_non_null(strstr(run.out, "CREATE TABLE reservation"));
    assert_non_null(strstr(run.out, "CREATE VIEW v_commitment"));
    end(&run);
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    unsetenv("COLOSSUS_TOKEN");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reserve_sends_what_was_said),
        cmocka_unit_test(test_an_end_goes_up_to_its_hour),
        cmocka_unit_test(test_a_client_ref_is_made_and_told),
        cmocka_unit_test(test_json_has_the_client_ref),
        cmocka_unit_test(test_a_dry_run_needs_no_client_ref),
        cmocka_unit_test(test_a_group_is_made_of_legs),
        cmocka_unit_test(test_a_fee_is_not_paid_unasked),
        cmocka_unit_test(test_a_fee_is_paid_with_yes),
        cmocka_unit_test(test_what_costs_nothing_is_done),
        cmocka_unit_test(test_what_was_done_before_is_not_asked_again),
        cmocka_unit_test(test_exit_statuses),
        cmocka_unit_test(test_errors_as_json),
        cmocka_unit_test(test_usage_asks_nothing),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_a_token_logs_in_first),
        cmocka_unit_test(test_pools_are_a_table),
        cmocka_unit_test(test_what_has_no_limit_says_so),
        cmocka_unit_test(test_a_page_says_that_there_is_more),
        cmocka_unit_test(test_all_pages_are_one),
        cmocka_unit_test(test_following_goes_on_after_the_last),
        cmocka_unit_test(test_following_from_now_on),
        cmocka_unit_test(test_following_that_does_not_begin),
        cmocka_unit_test(test_metrics_are_text),
        cmocka_unit_test(test_offers_are_rows),
        cmocka_unit_test(test_near_misses_say_what_they_lack),
        cmocka_unit_test(test_a_calendar_begins_now),
        cmocka_unit_test(test_repeating_needs_no_client_ref_where_it_is_harmless),
        cmocka_unit_test(test_an_export_is_the_manifest_alone),
        cmocka_unit_test(test_apply_sends_the_file),
        cmocka_unit_test(test_call_prints_json),
        cmocka_unit_test(test_verify_of_no_ledger),
        cmocka_unit_test(test_schema_needs_no_daemon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
