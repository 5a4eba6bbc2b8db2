// libcolossus against a daemon that answers by a script.
#include "fake_server.h"

#include <colossus.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define SHORT_TIMEOUT_MS 50

static struct colossus *connect_to(const struct fake_server *fake, int timeout_ms)
{
    struct colossus *connection = NULL;
    char message[COLOSSUS_MESSAGE_SIZE] = "";
    assert_int_equal(colossus_connect(fake_path(fake), timeout_ms, &connection, message), COLOSSUS_OK);
    assert_non_null(connection);
    return connection;
}

static void assert_call(struct colossus *connection, const char *method, const char *params,
                        enum colossus_status status, struct colossus_reply *reply)
{
    assert_int_equal(colossus_call(connection, method, params, reply), status);
    assert_int_equal(reply->status, status);
    assert_int_equal(reply->message == NULL, status == COLOSSUS_OK);
    assert_int_equal(reply->result != NULL, status == COLOSSUS_OK);
}

// ---- Calls

static void test_a_call_gives_the_result(void **state)
{
    (void)state;
    static const char *const script[] = {FAKE_RESULT("\"now\":\"2026-12-01T00:00:00Z\""), NULL};
    struct fake_server *fake = fake_start(script);
    struct colossus *connection = connect_to(fake, 5000);
    struct colossus_reply reply;
    assert_call(connection, "server.ping", NULL, COLOSSUS_OK, &reply);
    assert_string_equal(reply.result, "{\"now\":\"2026-12-01T00:00:00Z\"}");
    assert_int_equal(reply.code, 0);
    colossus_reply_free(&reply);
    colossus_close(connection);
    fake_stop(fake);
    assert_string_equal(fake_request(fake, 0), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server.ping\"}");
    fake_free(fake);
}

static void test_an_error_gives_code_kind_message_and_data(void **state)
{
    (void)state;
    static const char *const script[] = {
        FAKE_ERROR(1006, "too few", "\"kind\":\"capacity_exceeded\",\"free\":128"), FAKE_RESULT(""), NULL};
    struct fake_server *fake = fake_start(script);
    struct colossus *connection = connect_to(fake, 5000);
    struct colossus_reply reply;
    assert_call(connection, "reservation.create", "{}", COLOSSUS_REFUSED, &reply);
    assert_int_equal(reply.code, COLOSSUS_CAPACITY_EXCEEDED);
    assert_string_equal(reply.kind, "capacity_exceeded");
    assert_string_equal(reply.message, "too few");
    assert_string_equal(reply.data, "{\"kind\":\"capacity_exceeded\",\"free\":128}");
    colossus_reply_free(&reply);
    // A refusal does not end the connection.
    assert_call(connection, "server.ping", NULL, COLOSSUS_OK, &reply);
    colossus_reply_free(&reply);
    colossus_close(connection);
    fake_free(fake);
}

static void test_parameters_are_sent_as_written_on_one_line(void **state)
{
    (void)state;
    static const char *const script[] = {FAKE_RESULT(""), NULL};
    struct fake_server *fake = fake_start(script);
    struct colossus *connection = connect_to(fake, 5000);
    struct colossus_reply reply;
    assert_call(connection, "a\"b", "{\n \"pct\": 0.10,\r\n \"text\": \"a\\nb\"\n}", COLOSSUS_OK, &reply);
    colossus_reply_free(&reply);
    colossus_close(connection);
    fake_stop(fake);
    assert_string_equal(
        fake_request(fake, 0),
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\\\"b\",\"params\":{  \"pct\": 0.10,   \"text\": "
        "\"a\\nb\" }}");
    fake_free(fake);
}

static void test_senseless_parameters_are_not_sent(void **state)
{
    (void)state;
    static const char *const bad[] = {"[]", "3", "{", "{\"a\":1,\"a\":2}", "", "{\"a\":\"\xff\"}"};
    static const char *const script[] = {FAKE_RESULT(""), NULL};
    struct fake_server *fake = fake_start(script);
    struct colossus *connection = connect_to(fake, 5000);
    struct colossus_reply reply;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_call(connection, "m", bad[i], COLOSSUS_MISUSED, &reply);
        colossus_reply_free(&reply);
    }
    assert_call(connection, "m", "{}", COLOSSUS_OK, &reply);
    colossus_reply_free(&reply);
    colossus_close(connection);
    fake_stop(fake);
    assert_int_equal(fake_request_count(fake), 1);
    fake_free(fake);
}

static void test_login_sends_the_token(void **state)
{
    (void)state;
    static const char *const script[] = {FAKE_RESULT("\"role\":\"tenant\""), NULL};
    struct fake_server *fake = fake_start(script);
    struct colossus *connection = connect_to(fake, 5000);
    struct colossus_reply reply;
    assert_int_equal(colossus_login(connection, "clss_\"x", &reply), COLOSSUS_OK);
    colossus_reply_free(&reply);
    colossus_close(connection);
    fake_stop(fake);
    assert_non_null(
        strstr(fake_request(fake, 0), "\"method\":\"session.login\",\"params\":{\"token\":\"clss_\\\"x\"}"));
    fake_free(fake);
}

// ---- Pipelining

static void test_replies_come_in_order(void **state)
{
    (void)state;
    static const char *const script[] = {FAKE_RESULT("\"n\":1"),
                                         FAKE_ERROR(1003, "none", "\"kind\":\"not_found\""),
                                         FAKE_RESULT("\"n\":3"), NULL};
    struct fake_server *fake = fake_start(script);
    struct colossus *connection = connect_to(fake, 5000);
    struct colossus_reply reply;
    for (int i = 0; i < 3; i++)
        assert_int_equal(colossus_send(connection, "m", NULL), COLOSSUS_OK);
    assert_int_equal(colossus_pending(connection), 3);
    assert_int_equal(colossus_call(connection, "m", NULL, &reply), COLOSSUS_MISUSED);
    colossus_reply_free(&reply);
    assert_int_equal(colossus_receive(connection, &reply), COLOSSUS_OK);
    assert_string_equal(reply.result, "{\"n\":1}");
    colossus_reply_free(&reply);
    assert_int_equal(colossus_receive(connection, &reply), COLOSSUS_REFUSED);
    colossus_reply_free(&reply);
    assert_int_equal(colossus_receive(connection, &reply), COLOSSUS_OK);
    assert_string_equal(reply.result, "{\"n\":3}");
    colossus_reply_free(&reply);
    assert_int_equal(colossus_receive(connection, &reply), COLOSSUS_MISUSED);
    colossus_reply_free(&reply);
    colossus_close(connection);
    fake_free(fake);
}

#define MANY      4000
#define BIG_BYTES 4000

// More than the kernel keeps in either direction: it ends only if the client takes replies in while it sends.
static void test_sending_takes_replies_in(void **state)
{
    (void)state;
    char *text = malloc(BIG_BYTES + 1), *params = malloc(BIG_BYTES + 64), *entry = malloc(BIG_BYTES + 64);
    const char **script = calloc(MANY + 1, sizeof *script);
    memset(text, 'x', BIG_BYTES);
    text[BIG_BYTES] = '\0';
    sprintf(params, "{\"t\":\"%s\"}", text);
    sprintf(entry, "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"t\":\"%s\"}}", text);
    for (int i = 0; i < MANY; i++)
        script[i] = entry;
    struct fake_server *fake = fake_start(script);
    struct colossus *connection = connect_to(fake, 20000);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(colossus_send(connection, "m", params), COLOSSUS_OK);
    for (int i = 0; i < MANY; i++) {
        struct colossus_reply reply;
        assert_int_equal(colossus_receive(connection, &reply), COLOSSUS_OK);
        colossus_reply_free(&reply);
    }
    colossus_close(connection);
    fake_free(fake);
    free(script);
    free(entry);
    free(params);
    free(text);
}

// ---- Watching

#define EVENT(seq) "\n{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"seq\":" #seq "}}"

static void assert_event(struct colossus *connection, const char *expected)
{
    struct colossus_reply reply;
    assert_int_equal(colossus_event(connection, 5000, &reply), COLOSSUS_OK);
    assert_string_equal(reply.result, expected);
    colossus_reply_free(&reply);
}

static void test_events_come_one_by_one(void **state)
{
    (void)state;
    static const char *const script[] = {
        FAKE_RESULT("\"watching\":true,\"after\":4")
            EVENT(5) "\n{\"jsonrpc\":\"2.0\",\"method\":\"other\",\"params\":{}}" EVENT(6),
        FAKE_SILENT, NULL};
    struct fake_server *fake = fake_start(script);
    struct colossus *connection = connect_to(fake, 5000);
    struct colossus_reply reply;
    assert_int_equal(colossus_event(connection, 0, &reply), COLOSSUS_MISUSED);
    colossus_reply_free(&reply);
    assert_int_equal(colossus_watch(connection, "{\"after\":4}", &reply), COLOSSUS_OK);
    assert_string_equal(reply.result, "{\"watching\":true,\"after\":4}");
    colossus_reply_free(&reply);
    assert_event(connection, "{\"seq\":5}");
    assert_event(connection, "{\"seq\":6}");
    // There is none: that costs nothing, and leaves the connection as it is.
    assert_true(colossus_descriptor(connection) >= 0);
    for (int timeout_ms = 0; timeout_ms < 2; timeout_ms++) {
        assert_int_equal(colossus_event(connection, timeout_ms, &reply), COLOSSUS_OK);
        assert_null(reply.result);
    }
    assert_int_equal(colossus_call(connection, "server.ping", NULL, &reply), COLOSSUS_MISUSED);
    colossus_reply_free(&reply);
    fake_stop(fake);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(colossus_event(connection, 5000, &reply), COLOSSUS_UNREACHABLE);
        assert_string_equal(reply.message, "the daemon closed the connection");
        colossus_reply_free(&reply);
    }
    assert_int_equal(colossus_descriptor(connection), -1);
    assert_non_null(strstr(fake_request(fake, 0), "\"method\":\"event.watch\",\"params\":{\"after\":4}"));
    assert_int_equal(fake_request_count(fake), 1);
    colossus_close(connection);
    fake_free(fake);
}

static void test_the_last_word_says_where_to_go_on(void **state)
{
    (void)state;
    static const char *const script[] = {
        FAKE_RESULT("\"watching\":true,\"after\":4")
            EVENT(5) "\n{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":1016,\"message\":\"too slow\","
                     "\"data\":{\"kind\":\"overloaded\",\"after\":5}}}",
        NULL};
    struct fake_server *fake = fake_start(script);
    struct colossus *connection = connect_to(fake, 5000);
    struct colossus_reply reply;
    assert_int_equal(colossus_watch(connection, NULL, &reply), COLOSSUS_OK);
    colossus_reply_free(&reply);
    assert_event(connection, "{\"seq\":5}");
    assert_int_equal(colossus_event(connection, 5000, &reply), COLOSSUS_REFUSED);
    assert_int_equal(reply.code, COLOSSUS_OVERLOADED);
    assert_string_equal(reply.data, "{\"kind\":\"overloaded\",\"after\":5}");
    colossus_reply_free(&reply);
    assert_int_equal(colossus_event(connection, 5000, &reply), COLOSSUS_UNREACHABLE);
    colossus_reply_free(&reply);
    colossus_close(connection);
    fake_free(fake);
}

static void test_a_watch_that_is_refused_leaves_the_connection(void **state)
{
    (void)state;
    static const char *const script[] = {FAKE_ERROR(1003, "none", "\"kind\":\"not_found\""),
                                         FAKE_RESULT("\"watching\":true,\"after\":4") "\nnonsense", NULL};
    struct fake_server *fake = fake_start(script);
    struct colossus *connection = connect_to(fake, 5000);
    struct colossus_reply reply;
    assert_int_equal(colossus_watch(connection, "{\"tenant\":\"x\"}", &reply), COLOSSUS_REFUSED);
    colossus_reply_free(&reply);
    assert_int_equal(colossus_watch(connection, NULL, &reply), COLOSSUS_OK);
    colossus_reply_free(&reply);
    assert_int_equal(colossus_event(connection, 5000, &reply), COLOSSUS_UNREACHABLE);
    assert_string_equal(reply.message, "the daemon's reply is not as the protocol says");
    colossus_reply_free(&reply);
    colossus_close(connection);
    fake_free(fake);
}

// ---- What can be lost

static void test_nobody_there_is_unreachable(void **state)
{
    (void)state;
    struct colossus *connection = (struct colossus *)state;
    char message[COLOSSUS_MESSAGE_SIZE] = "";
    assert_int_equal(colossus_connect("/nonexistent/socket", 100, &connection, message),
                     COLOSSUS_UNREACHABLE);
    assert_null(connection);
    assert_non_null(strstr(message, "/nonexistent/socket"));
    char path[COLOSSUS_PATH_SIZE + 1];
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(colossus_connect(path, 100, &connection, message), COLOSSUS_MISUSED);
    assert_int_equal(colossus_connect("", 100, &connection, message), COLOSSUS_MISUSED);
}

static void assert_lost(const char *const *script, int timeout_ms)
{
    struct fake_server *fake = fake_start(script);
    struct colossus *connection = connect_to(fake, timeout_ms);
    struct colossus_reply reply;
    assert_call(connection, "reservation.create", "{}", COLOSSUS_OUTCOME_UNKNOWN, &reply);
    assert_int_equal(reply.code, 0);
    colossus_reply_free(&reply);
    // Nothing of the next one is sent, so its outcome is known.
    assert_call(connection, "reservation.create", "{}", COLOSSUS_UNREACHABLE, &reply);
    colossus_reply_free(&reply);
    colossus_close(connection);
    fake_free(fake);
}

static void test_a_lost_reply_is_an_unknown_outcome(void **state)
{
    (void)state;
    static const char *const closed[] = {FAKE_CLOSE, NULL};
    static const char *const half[] = {FAKE_HALF, NULL};
    static const char *const senseless[] = {"hello", NULL};
    static const char *const other_id[] = {"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}", NULL};
    static const char *const no_result[] = {"{\"jsonrpc\":\"2.0\",\"id\":$id}", NULL};
    static const char *const bad_error[] = {"{\"jsonrpc\":\"2.0\",\"id\":$id,\"error\":{\"code\":\"x\"}}",
                                            NULL};
    assert_lost(closed, 5000);
    assert_lost(half, 5000);
    assert_lost(senseless, 5000);
    assert_lost(other_id, 5000);
    assert_lost(no_result, 5000);
    assert_lost(bad_error, 5000);
}

static void test_a_timeout_is_an_unknown_outcome(void **state)
{
    (void)state;
    static const char *const script[] = {FAKE_SILENT, FAKE_SILENT, NULL};
    assert_lost(script, SHORT_TIMEOUT_MS);
}

static void test_the_daemon_may_say_that_the_outcome_is_unknown(void **state)
{
    (void)state;
    static const char *const script[] = {
        FAKE_ERROR(1012, "ask again", "\"kind\":\"ledger_unavailable\",\"outcome\":\"unknown\""),
        FAKE_ERROR(1012, "full", "\"kind\":\"ledger_unavailable\",\"outcome\":\"none\""), NULL};
    struct fake_server *fake = fake_start(script);
    struct colossus *connection = connect_to(fake, 5000);
    struct colossus_reply reply;
    assert_call(connection, "m", NULL, COLOSSUS_OUTCOME_UNKNOWN, &reply);
    assert_int_equal(reply.code, COLOSSUS_LEDGER_UNAVAILABLE);
    colossus_reply_free(&reply);
    assert_call(connection, "m", NULL, COLOSSUS_REFUSED, &reply);
    colossus_reply_free(&reply);
    colossus_close(connection);
    fake_free(fake);
}

static void test_of_several_lost_each_is_told(void **state)
{
    (void)state;
    static const char *const script[] = {FAKE_RESULT(""), FAKE_CLOSE, NULL};
    struct fake_server *fake = fake_start(script);
    struct colossus *connection = connect_to(fake, 5000);
    struct colossus_reply reply;
    for (int i = 0; i < 3; i++)
        assert_int_equal(colossus_send(connection, "m", NULL), COLOSSUS_OK);
    assert_int_equal(colossus_receive(connection, &reply), COLOSSUS_OK);
    colossus_reply_free(&reply);
    assert_int_equal(colossus_receive(connection, &reply), COLOSSUS_OUTCOME_UNKNOWN);
    colossus_reply_free(&reply);
    enum colossus_status last = colossus_receive(connection, &reply);
    // Whether any of it was taken before the daemon hung up is the kernel's secret; it is never "refused".
    assert_true(last == COLOSSUS_OUTCOME_UNKNOWN || last == COLOSSUS_UNREACHABLE);
    colossus_reply_free(&reply);
    assert_int_equal(colossus_send(connection, "m", NULL), COLOSSUS_UNREACHABLE);
    assert_true(colossus_message(connection)[0] != '\0');
    colossus_close(connection);
    fake_free(fake);
}

static void test_a_daemon_that_hangs_up_raises_no_signal(void **state)
{
    (void)state;
    struct fake_server *fake = fake_start_hanging_up(NULL);
    struct colossus *connection = connect_to(fake, 5000);
    struct colossus_reply reply;
    fake_wait_hung_up(fake);
    assert_call(connection, "m", NULL, COLOSSUS_UNREACHABLE, &reply);
    colossus_reply_free(&reply);
    colossus_close(connection);
    fake_free(fake);
}

static void test_what_was_said_before_hanging_up_is_heard(void **state)
{
    (void)state;
    struct fake_server *fake = fake_start_hanging_up("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":"
                                                     "1016,\"message\":\"too many connections\",\"data\":"
                                                     "{\"kind\":\"overloaded\"}}}\n");
    struct colossus *connection = connect_to(fake, 5000);
    struct colossus_reply reply;
    fake_wait_hung_up(fake);
    assert_call(connection, "m", NULL, COLOSSUS_REFUSED, &reply);
    assert_int_equal(reply.code, COLOSSUS_OVERLOADED);
    colossus_reply_free(&reply);
    colossus_close(connection);
    fake_free(fake);
}

// ---- Signals

static void heed_alarm(int number)
{
    (void)number;
}

static void test_interruptions_cost_nothing(void **state)
{
    (void)state;
    static const char *const script[] = {FAKE_SILENT, NULL};
    struct sigaction action = {.sa_handler = heed_alarm}, before; // without SA_RESTART
    sigaction(SIGALRM, &action, &before);
    struct fake_server *fake = fake_start(script);
    struct colossus *connection = connect_to(fake, 100);
    struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    struct colossus_reply reply;
    setitimer(ITIMER_REAL, &often, NULL);
    enum colossus_status status = colossus_call(connection, "m", NULL, &reply);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    assert_int_equal(status, COLOSSUS_OUTCOME_UNKNOWN);
    assert_string_equal(reply.message, "the daemon did not answer in time");
    colossus_reply_free(&reply);
    colossus_close(connection);
    fake_free(fake);
}

// ---- Codes and paths

static void test_each_code_has_a_kind(void **state)
{
    (void)state;
    static const int codes[] = {-32700, -32600, -32601, -32602, -32603, 1001, 1002, 1003, 1004, 1005, 1006,
                                1007,   1008,   1009,   1010,   1011,   1012, 1013, 1014, 1015, 1016, 1017};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        assert_non_null(colossus_kind(codes[i]));
        assert_int_equal(colossus_code(colossus_kind(codes[i])), codes[i]);
    }
    assert_string_equal(colossus_kind(COLOSSUS_NO_RATE), "no_rate");
    assert_null(colossus_kind(0));
    assert_null(colossus_kind(1018));
    assert_int_equal(colossus_code("nonsense"), 0);
}

static void test_the_path_is_found_by_the_environment(void **state)
{
    (void)state;
    char path[COLOSSUS_PATH_SIZE], message[COLOSSUS_MESSAGE_SIZE];
    setenv("COLOSSUS_SOCKET", "/x/y.sock", 1);
    assert_int_equal(colossus_socket_path(path, message), COLOSSUS_OK);
    assert_string_equal(path, "/x/y.sock");
    unsetenv("COLOSSUS_SOCKET");
    setenv("XDG_RUNTIME_DIR", "/run/user/5", 1);
    assert_int_equal(colossus_socket_path(path, message), COLOSSUS_OK);
    assert_string_equal(path, geteuid() == 0 ? "/run/colossus/colossus.sock" : "/run/user/5/colossus.sock");
    char *much = malloc(301);
    memset(much, 'z', 300);
    much[300] = '\0';
    setenv("COLOSSUS_SOCKET", much, 1);
    assert_int_equal(colossus_socket_path(path, message), COLOSSUS_MISUSED);
    unsetenv("COLOSSUS_SOCKET");
    free(much);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_gives_the_result),
        cmocka_unit_test(test_an_error_gives_code_kind_message_and_data),
        cmocka_unit_test(test_parameters_are_sent_as_written_on_one_line),
        cmocka_unit_test(test_senseless_parameters_are_not_sent),
        cmocka_unit_test(test_login_sends_the_token),
        cmocka_unit_test(test_replies_come_in_order),
        cmocka_unit_test(test_sending_takes_replies_in),
        cmocka_unit_test(test_events_come_one_by_one),
        cmocka_unit_test(test_the_last_word_says_where_to_go_on),
        cmocka_unit_test(test_a_watch_that_is_refused_leaves_the_connection),
        cmocka_unit_test(test_nobody_there_is_unreachable),
        cmocka_unit_test(test_a_lost_reply_is_an_unknown_outcome),
        cmocka_unit_test(test_a_timeout_is_an_unknown_outcome),
        cmocka_unit_test(test_the_daemon_may_say_that_the_outcome_is_unknown),
        cmocka_unit_test(test_of_several_lost_each_is_told),
        cmocka_unit_test(test_a_daemon_that_hangs_up_raises_no_signal),
        cmocka_unit_test(test_what_was_said_before_hanging_up_is_heard),
        cmocka_unit_test(test_interruptions_cost_nothing),
        cmocka_unit_test(test_each_code_has_a_kind),
        cmocka_unit_test(test_the_path_is_found_by_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
