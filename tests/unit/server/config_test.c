#include "server/config.h"
#include "server/options.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool parse(const char *text, struct config *config, char error[CONFIG_ERROR_SIZE])
{
    config_defaults(config);
    error[0] = '\0';
    return config_parse(config, text, strlen(text), error);
}

static void refused(const char *text, const char *words)
{
    struct config config;
    char error[CONFIG_ERROR_SIZE];
    assert_false(parse(text, &config, error));
    if (strstr(error, words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", error, words);
    }
    config_free(&config);
}

static void test_defaults(void **state)
{
    (void)state;
    struct config config;
    char error[CONFIG_ERROR_SIZE];
    assert_true(parse("{}", &config, error));
    assert_int_equal(config.horizon_years, 10);
    assert_int_equal(config.hold_seconds_max, 604800);
    assert_int_equal(config.limits.line_bytes, 1 << 20);
    assert_int_equal(config.limits.operator_line_bytes, 8 << 20);
    assert_int_equal(config.limits.wrong_tokens, 5);
    assert_null(config.ledger);
    config_free(&config);
}

static void test_every_member(void **state)
{
    (void)state;
    struct config config;
    char error[CONFIG_ERROR_SIZE];
    assert_true(parse("{\"ledger\":\"/l\",\"socket\":\"/s\",\"writer\":\"w\",\"log_level\":\"debug\","
                      "\"horizon_years\":5,\"hold_seconds_max\":60,\"min_free_bytes\":0,\"wal_warn_bytes\":1,"
                      "\"limits\":{\"connections\":7,\"in_flight\":3,\"line_bytes\":2048}}",
                      &config, error));
    assert_string_equal(config.ledger, "/l");
    assert_string_equal(config.socket, "/s");
    assert_string_equal(config.writer, "w");
    assert_int_equal(config.log_level, LOG_DEBUG);
    assert_int_equal(config.horizon_years, 5);
    assert_int_equal(config.hold_seconds_max, 60);
    assert_int_equal(config.min_free_bytes, 0);
    assert_int_equal(config.wal_warn_bytes, 1);
    assert_int_equal(config.limits.connections, 7);
    assert_int_equal(config.limits.in_flight, 3);
    assert_int_equal(config.limits.line_bytes, 2048);
    assert_int_equal(config.limits.output_bytes, 4 << 20);
    config_free(&config);
}

static void test_refused(void **state)
{
    (void)state;
    refused("[]", "object");
    refused("{\"ledger\":\"/l\"", "line 1");
    refused("{\"ledgr\":\"/l\"}", "'ledgr'");
    refused("{\"ledger\":\"/l\",\"ledger\":\"/m\"}", "duplicate");
    refused("{\"ledger\":7}", "ledger must be");
    refused("{\"ledger\":\"\"}", "ledger must be");
    refused("{\"log_level\":\"loud\"}", "log_level must be");
    refused("{\"horizon_years\":0}", "horizon_years must be");
    refused("{\"horizon_years\":1.5}", "horizon_years must be");
    refused("{\"hold_seconds_max\":\"60\"}", "hold_seconds_max must be");
    refused("{\"limits\":[]}", "limits must be");
    refused("{\"limits\":{\"conections\":1}}", "'conections'");
    refused("{\"limits\":{\"connections\":0}}", "connections must be");
    refused("{\"limits\":{\"connections\":null}}", "connections must be");
}

// What is given on the command line goes before the environment, and that before what is built in.
static void test_precedence(void **state)
{
    (void)state;
    struct config config;
    char error[CONFIG_ERROR_SIZE];
    struct options options = {.socket = "/from/option"};
    setenv("COLOSSUS_LEDGER", "/from/environment", 1);
    setenv("COLOSSUS_SOCKET", "/from/environment", 1);
    assert_true(config_load(&config, &options, error));
    assert_string_equal(config.ledger, "/from/environment");
    assert_string_equal(config.socket, "/from/option");
    assert_non_null(config.writer);
    config_free(&config);
}

static void test_missing_file(void **state)
{
    (void)state;
    struct config config;
    char error[CONFIG_ERROR_SIZE];
    struct options options = {.config = "/nonexistent/config.json"};
    assert_false(config_load(&config, &options, error));
    assert_non_null(strstr(error, "/nonexistent/config.json"));
    config_free(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),     cmocka_unit_test(test_every_member),
        cmocka_unit_test(test_refused),      cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_missing_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
