// The JSON-RPC envelope, and texts meant to do harm.
#include "wire_fixture.h"

#include "wire/scan.h"

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

// ---- Requests

static void a_request_is_a_call(void **state)
{
    struct wire_call call = parse_one(*state, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"pool.list\"}");
    assert_int_equal(call.error.code, 0);
    assert_string_equal(call.id, "7");
    assert_int_equal(call.row->method, METHOD_POOL_LIST);
    assert_int_equal(call.parameters.present, 0);
    assert_int_equal(call.parameters.limit, 100);
    call = parse_one(*state,
                     " {\"method\" : \"pool.list\" , \"jsonrpc\":\"2.0\", \"params\":null, \"id\" : 7 } ");
    assert_int_equal(call.error.code, 0);
    assert_string_equal(call.id, "7");
}

static void an_id_comes_back_as_it_was_written(void **state)
{
    static const char *const ids[] = {"1",
                                      "-0",
                                      "0.10",
                                      "1e2",
                                      "9223372036854775807",
                                      "\"a\"",
                                      "null",
                                      "1.5E3",
                                      "\"\\u0041\\n\\\"x\\\\\"",
                                      "\"id\"",
                                      "\"\"",
                                      "1e-400"};
    char line[200];
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\": %s ,\"method\":\"server.ping\"}", ids[i]);
        struct wire_call call = parse_one(*state, line);
        assert_int_equal(call.error.code, 0);
        assert_string_equal(call.id, ids[i]);
        snprintf(line, sizeof line,
                 "{\"params\":{\"x\":{\"id\":3}},\"method\":\"nothing\",\"id\":%s,\"jsonrpc\":\"2.0\"}",
                 ids[i]);
        call = parse_one(*state, line);
        assert_error(&call, ids[i], RPC_METHOD_NOT_FOUND);
    }
}

static void an_escaped_key_is_an_id_too(void **state)
{
    struct wire_call call =
        parse_one(*state, "{\"jsonrpc\":\"2.0\",\"\\u0069d\":\"x y\",\"method\":\"server.ping\"}");
    assert_int_equal(call.error.code, 0);
    assert_string_equal(call.id, "\"x y\"");
}

static void without_an_id_it_is_a_notification(void **state)
{
    struct wire_call call = parse_one(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"server.ping\"}");
    assert_int_equal(call.error.code, 0);
    assert_null(call.id);
    call = parse_one(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"server.ping\",\"params\":{\"x\":1}}");
    assert_error(&call, NULL, RPC_INVALID_PARAMS);
    call = parse_one(*state, "{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}");
    assert_error(&call, NULL, RPC_METHOD_NOT_FOUND);
}

static void what_is_no_request_is_refused(void **state)
{
    static const char *const with_null_id[] = {
        "1",
        "\"x\"",
        "null",
        "true",
        "{}",
        "{\"jsonrpc\":\"2.0\"}",
        "{\"method\":\"pool.list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"pool.list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"pool.list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"pool.list\"}",
    };
    for (size_t i = 0; i < sizeof with_null_id / sizeof with_null_id[0]; i++) {
        struct wire_call call = parse_one(*state, with_null_id[i]);
        assert_error(&call, "null", RPC_INVALID_REQUEST);
    }
    static const char *const with_id[] = {
        "{\"jsonrpc\":\"1.0\",\"id\":5,\"method\":\"pool.list\"}",
        "{\"jsonrpc\":2.0,\"id\":5,\"method\":\"pool.list\"}",
        "{\"id\":5,\"method\":\"pool.list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":7}",
        "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"pool.list\",\"param\":{}}",
    };
    for (size_t i = 0; i < sizeof with_id / sizeof with_id[0]; i++) {
        struct wire_call call = parse_one(*state, with_id[i]);
        assert_error(&call, "5", RPC_INVALID_REQUEST);
    }
}

static void params_is_an_object(void **state)
{
    static const char *const texts[] = {"[]", "[1]", "1", "\"x\"", "true"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct wire_call call = parse_method(*state, "pool.list", texts[i]);
        assert_error(&call, "1", RPC_INVALID_PARAMS);
        assert_string_equal(call.error.message, "params is an object");
        assert_null(call.error.member);
    }
}

// ---- Batches

static void a_batch_has_its_calls_in_order(void **state)
{
    struct wire_message message =
        parse_line(*state, "[{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"pool.list\"},17,[\"id\",1],"
                           "{\"jsonrpc\":\"2.0\",\"method\":\"server.ping\",\"params\":{\"id\":1}},"
                           "{\"jsonrpc\":\"2.0\",\"method\":\"server.ping\",\"id\":2.50}]");
    assert_true(message.is_batch);
    assert_int_equal(message.call_count, 5);
    assert_string_equal(message.calls[0].id, "\"a\"");
    assert_int_equal(message.calls[0].row->method, METHOD_POOL_LIST);
    assert_error(&message.calls[1], "null", RPC_INVALID_REQUEST);
    assert_error(&message.calls[2], "null", RPC_INVALID_REQUEST);
    assert_error(&message.calls[3], NULL, RPC_INVALID_PARAMS);
    assert_string_equal(message.calls[4].id, "2.50");
    assert_int_equal(message.calls[4].row->method, METHOD_SERVER_PING);
}

static void a_batch_of_none_is_one_error(void **state)
{
    struct wire_call call = parse_one(*state, "[]");
    assert_error(&call, "null", RPC_INVALID_REQUEST);
}

static void a_batch_has_at_most_256_calls(void **state)
{
    struct buffer line = {0};
    for (int count = 256; count <= 257; count++) {
        buffer_clear(&line);
        for (int i = 0; i < count; i++)
            buffer_append_format(&line, "%c{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"server.ping\"}",
                                 i == 0 ? '[' : ',', i);
        buffer_append_text(&line, "]");
        struct wire_message message = parse_bytes(*state, line.data, line.length);
        assert_int_equal(message.is_batch, count == 256);
        assert_int_equal(message.call_count, count == 256 ? 256 : 1);
        if (count == 256)
            assert_string_equal(message.calls[255].id, "255");
        else
            assert_error(&message.calls[0], "null", RPC_INVALID_REQUEST);
    }
    buffer_free(&line);
}

// ---- Texts that are not JSON as it is meant

static void refuse_bytes(struct arena *arena, const char *bytes, size_t length)
{
    struct wire_message message = parse_bytes(arena, bytes, length);
    assert_int_equal(message.call_count, 1);
    assert_false(message.is_batch);
    assert_error(&message.calls[0], "null", RPC_PARSE_ERROR);
}

static void what_is_not_json_is_a_parse_error(void **state)
{
    static const char *const lines[] = {
        "",
        " ",
        "{",
        "}",
        "]",
        "[",
        "{]",
        "tru",
        "nul",
        "'x'",
        "{\"a\":1,}",
        "[1,]",
        "{\"a\" 1}",
        "{a:1}",
        "\"abc",
        "\"\\x\"",
        "\"\\u12\"",
        "\"a\tb\"",
        "01",
        "+1",
        ".5",
        "1.",
        "1e",
        "-",
        "NaN",
        "Infinity",
        "{} {}",
        "// c",
        "\xEF\xBB\xBF{}",
        "\"\\",
        "{\"id\":",
        "{\"id\"",
        "[\"",
        ":",
        ",",
        "\\",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        refuse_bytes(*state, lines[i], strlen(lines[i]));
}

static void in_a_member(struct arena *arena, const char *value, size_t length)
{
    struct buffer line = {0};
    buffer_append_text(&line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pool.list\",\"params\":{\"x\":");
    buffer_append(&line, value, length);
    buffer_append_text(&line, "}}");
    refuse_bytes(arena, line.data, line.length);
    buffer_free(&line);
}

static void hostile_texts_are_parse_errors(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } texts[] = {
#define BYTES(literal) {literal, sizeof literal - 1}
        BYTES("\"\\u0000\""),             // NUL
        BYTES("\"\0\""),                  // a raw one
        BYTES("\0"),                      //
        BYTES("{\"a\\u0000\":1}"),        // in a key
        BYTES("\"\x80\""),                // a continuation alone
        BYTES("\"\xC3\""),                // one missing
        BYTES("\"\xC0\xAF\""),            // overlong
        BYTES("\"\xED\xA0\x80\""),        // a surrogate in UTF-8
        BYTES("\"\xF4\x90\x80\x80\""),    // beyond U+10FFFF
        BYTES("\"\xFF\""),                //
        BYTES("\"\\\xC3\xA9\""),          // an escape of what can't be escaped
        BYTES("\"\\ud800\""),             // lone surrogates
        BYTES("\"\\udc00\""),             //
        BYTES("\"\\ud800\\u0041\""),      //
        BYTES("\"\\ud800x\""),            //
        BYTES("{\"a\":1,\"a\":1}"),       // twice
        BYTES("{\"a\":1,\"\\u0061\":1}"), // written in two ways
        BYTES("1e400"),
        BYTES("-1e400"),
        BYTES("9223372036854775808"),
        BYTES("-9223372036854775809"),
        BYTES("123456789012345678901234567890"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        in_a_member(*state, texts[i].bytes, texts[i].length);
}

// Nested `depth` deep, the request and its params included.
static struct wire_message parse_nested(struct arena *arena, size_t depth, char open, char close)
{
    struct buffer line = {0};
    buffer_append_text(&line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pool.list\",\"params\":{\"x\":");
    for (size_t i = 2; i < depth; i++) {
        buffer_append(&line, &open, 1);
        if (open == '{')
            buffer_append_text(&line, "\"k\":");
    }
    buffer_append_text(&line, "0");
    for (size_t i = 2; i < depth; i++)
        buffer_append(&line, &close, 1);
    buffer_append_text(&line, "}}");
    struct wire_message message = parse_bytes(arena, line.data, line.length);
    buffer_free(&line);
    return message;
}

static void nesting_ends_at_32(void **state)
{
    static const struct {
        size_t depth;
        int code;
    } depths[] = {
        {2, RPC_INVALID_PARAMS}, {32, RPC_INVALID_PARAMS}, {33, RPC_PARSE_ERROR}, {100000, RPC_PARSE_ERROR}};
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        struct wire_message message = parse_nested(*state, depths[i].depth, '[', ']');
        assert_int_equal(message.calls[0].error.code, depths[i].code);
        message = parse_nested(*state, depths[i].depth, '{', '}');
        assert_int_equal(message.calls[0].error.code, depths[i].code);
    }
}

static void brackets_in_texts_are_no_nesting(void **state)
{
    struct wire_call call =
        parse_method(*state, "reservation.list",
                     "{\"project\":\"[[[[[[[[[[[[[[[[{{{{{{{{{{{{{{{{\\\"[[[[[[[[[[[[[[[[\\\\\"}");
    assert_int_equal(call.error.code, 0);
}

static void a_text_of_a_megabyte_is_refused_by_its_length(void **state)
{
    size_t length = 1 << 20;
    char *params = malloc(length + 32);
    assert_non_null(params);
    size_t begin_at = (size_t)sprintf(params, "{\"pool\":\"");
    memset(params + begin_at, 'a', length);
    strcpy(params + begin_at + length, "\"}");
    struct wire_call call = parse_method(*state, "reservation.list", params);
    assert_error(&call, "1", RPC_INVALID_PARAMS);
    assert_string_equal(call.error.member, "pool");
    // The same as a name: what is shown of it is short, and whole characters.
    for (size_t i = 1; i + 2 < length; i += 2)
        memcpy(params + begin_at + i, "\xC3\xA9", 2);
    params[begin_at + length - 1] = 'z';
    memmove(params + 2, params + begin_at, length);
    strcpy(params + 2 + length, "\":1}");
    params[0] = '{', params[1] = '"';
    call = parse_method(*state, "reservation.list", params);
    assert_error(&call, "1", RPC_INVALID_PARAMS);
    assert_true(strlen(call.error.member) <= 128 && strlen(call.error.member) > 120);
    assert_int_equal(strlen(call.error.member) % 2, 1);
    free(params);
}

static void every_beginning_of_a_request_is_a_parse_error(void **state)
{
    const char *line =
        "{\"jsonrpc\":\"2.0\",\"id\":\"\\u00e9\xC3\xA9\",\"method\":\"reservation.create_group\","
        "\"params\":{\"legs\":[{\"pool\":\"a/b\",\"gpus\":8,\"start\":\"2026-12-01T00:00:00Z\","
        "\"hours\":4},{\"pool\":\"a/c\",\"gpus\":72,\"start\":\"2026-12-01T00:00:00Z\","
        "\"end\":\"2026-12-02T00:00:00Z\"}],\"hold_seconds\":60,\"dry_run\":true}}";
    size_t length = strlen(line);
    for (size_t i = 0; i < length; i++)
        refuse_bytes(*state, line, i);
    struct wire_call call = parse_one(*state, line);
    assert_int_equal(call.error.code, 0);
    assert_int_equal(call.parameters.leg_count, 2);
}

// Any byte in the place of any other: whatever it means, it is answered and harms nothing.
static void every_changed_byte_is_survived(void **state)
{
    const char *line =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"reservation.create\",\"params\":{\"pool\":\"a/b\","
        "\"gpus\":8,\"start\":\"2026-12-01T00:00:00Z\",\"hours\":4}}";
    size_t length = strlen(line);
    char *changed = malloc(length);
    assert_non_null(changed);
    for (size_t i = 0; i < length; i++) {
        for (int byte = 0; byte < 256; byte++) {
            memcpy(changed, line, length);
            changed[i] = (char)byte;
            struct wire_message message = parse_bytes(*state, changed, length);
            assert_int_equal(message.call_count, 1);
            assert_true((message.calls[0].error.code == 0) == (message.calls[0].row != NULL));
        }
        arena_reset(*state);
    }
    free(changed);
}

static void the_scanner_answers_on_anything(void **state)
{
    (void)state;
    struct span ids[2];
    scan_ids("[{\"id\":1},{\"x\":\"id\",\"id\":\"b\"},{\"id\":3}]", 38, ids, 2);
    assert_int_equal(ids[0].length, 1);
    assert_int_equal(ids[1].length, 3);
    scan_ids("", 0, ids, 2);
    assert_int_equal(ids[0].length, 0);
    scan_ids("}}]]:\"id\"::,", 12, ids, 1);
    assert_int_equal(scan_nesting("]]]}}}[", 7, 1), SCAN_FINE);
    assert_int_equal(scan_nesting("[[", 2, 1), SCAN_TOO_DEEP);
    assert_int_equal(scan_nesting("\"\\", 2, 1), SCAN_FINE);
    assert_int_equal(scan_nesting("a\0b", 3, 1), SCAN_NUL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_is_a_call, begin, end),
        cmocka_unit_test_setup_teardown(an_id_comes_back_as_it_was_written, begin, end),
        cmocka_unit_test_setup_teardown(an_escaped_key_is_an_id_too, begin, end),
        cmocka_unit_test_setup_teardown(without_an_id_it_is_a_notification, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_request_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(params_is_an_object, begin, end),
        cmocka_unit_test_setup_teardown(a_batch_has_its_calls_in_order, begin, end),
        cmocka_unit_test_setup_teardown(a_batch_of_none_is_one_error, begin, end),
        cmocka_unit_test_setup_teardown(a_batch_has_at_most_256_calls, begin, end),
        cmocka_unit_test_setup_teardown(what_is_not_json_is_a_parse_error, begin, end),
        cmocka_unit_test_setup_teardown(hostile_texts_are_parse_errors, begin, end),
        cmocka_unit_test_setup_teardown(nesting_ends_at_32, begin, end),
        cmocka_unit_test_setup_teardown(brackets_in_texts_are_no_nesting, begin, end),
        cmocka_unit_test_setup_teardown(a_text_of_a_megabyte_is_refused_by_its_length, begin, end),
        cmocka_unit_test_setup_teardown(every_beginning_of_a_request_is_a_parse_error, begin, end),
        cmocka_unit_test_setup_teardown(every_changed_byte_is_survived, begin, end),
        cmocka_unit_test(the_scanner_answers_on_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
