// Each parameter's type and range, and what parameters must be together.
#include "wire_fixture.h"

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

struct trial {
    const char *method;
    const char *params;
    const char *member; // at fault; NULL: fine
};

static void run(struct arena *arena, const struct trial *trials, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct wire_call call = parse_method(arena, trials[i].method, trials[i].params);
        if (trials[i].member == NULL) {
            if (call.error.code != 0)
                fail_msg("%s %s: %s", trials[i].method, trials[i].params, call.error.message);
            continue;
        }
        if (call.error.code != RPC_INVALID_PARAMS)
            fail_msg("%s %s: code %d", trials[i].method, trials[i].params, call.error.code);
        if (call.error.member == NULL || strcmp(call.error.member, trials[i].member) != 0)
            fail_msg("%s %s: member %s", trials[i].method, trials[i].params, call.error.member);
        if (strncmp(call.error.message, trials[i].member, strlen(trials[i].member)) != 0)
            fail_msg("%s %s: the sentence does not begin with the member: %s", trials[i].method,
                     trials[i].params, call.error.message);
    }
}
#define RUN(trials) run(*state, trials, sizeof trials / sizeof trials[0])

#define CREATE        "reservation.create"
#define BOOKING       "\"pool\":\"a/b\",\"start\":\"2026-12-01T00:00:00Z\""
#define WITH(members) "{" BOOKING ",\"gpus\":8,\"hours\":4," members "}"

static void members_are_known_and_there(void **state)
{
    static const struct trial trials[] = {
        {CREATE, "{" BOOKING ",\"gpus\":8,\"hours\":4}", NULL},
        {CREATE, "{}", "gpus"},
        {CREATE, "{\"gpus\":8,\"start\":\"2026-12-01T00:00:00Z\",\"hours\":4}", "pool"},
        {CREATE, "{\"gpus\":null," BOOKING ",\"hours\":4}", "gpus"},
        {CREATE, WITH("\"tier\":null"), NULL},
        {CREATE, WITH("\"gpu\":1"), "gpu"},
        {CREATE, WITH("\"id\":1"), "id"},
        {"pool.list", "{\"tenant\":\"x\"}", NULL},
        {"server.ping", "{\"tenant\":\"x\"}", "tenant"},
        {"pool.list", "{\"dry_run\":true}", "dry_run"},
        {"session.login", "{}", "token"},
        {"session.login", "{\"token\":\"\"}", NULL},
        {"session.login", "{\"token\":7}", "token"},
    };
    RUN(trials);
    // A name of no characters has no path.
    struct wire_call call = parse_method(*state, CREATE, WITH("\"\":1"));
    assert_error(&call, "1", RPC_INVALID_PARAMS);
    assert_null(call.error.member);
}

static void integers_are_integers_in_range(void **state)
{
    static const struct trial trials[] = {
        {CREATE, "{" BOOKING ",\"hours\":4,\"gpus\":1}", NULL},
        {CREATE, "{" BOOKING ",\"hours\":4,\"gpus\":2147483647}", NULL},
        {CREATE, "{" BOOKING ",\"hours\":4,\"gpus\":2147483648}", "gpus"},
        {CREATE, "{" BOOKING ",\"hours\":4,\"gpus\":0}", "gpus"},
        {CREATE, "{" BOOKING ",\"hours\":4,\"gpus\":-0}", "gpus"},
        {CREATE, "{" BOOKING ",\"hours\":4,\"gpus\":-8}", "gpus"},
        {CREATE, "{" BOOKING ",\"hours\":4,\"gpus\":8.0}", "gpus"},
        {CREATE, "{" BOOKING ",\"hours\":4,\"gpus\":8e0}", "gpus"},
        {CREATE, "{" BOOKING ",\"hours\":4,\"gpus\":8.5}", "gpus"},
        {CREATE, "{" BOOKING ",\"hours\":4,\"gpus\":\"8\"}", "gpus"},
        {CREATE, "{" BOOKING ",\"hours\":4,\"gpus\":true}", "gpus"},
        {CREATE, "{" BOOKING ",\"hours\":4,\"gpus\":[8]}", "gpus"},
        {CREATE, "{" BOOKING ",\"hours\":0,\"gpus\":8}", "hours"},
        {CREATE, "{" BOOKING ",\"hours\":1.5,\"gpus\":8}", "hours"},
        {CREATE, "{" BOOKING ",\"hours\":-1,\"gpus\":8}", "hours"},
        {CREATE, "{" BOOKING ",\"hours\":2147483647,\"gpus\":8}", "hours"},
        {CREATE, WITH("\"hold_seconds\":0"), "hold_seconds"},
        {CREATE, WITH("\"hold_seconds\":1"), NULL},
        {"reservation.list", "{\"limit\":0}", "limit"},
        {"reservation.list", "{\"limit\":1001}", "limit"},
        {"reservation.list", "{\"limit\":1000,\"after\":0}", NULL},
        {"reservation.list", "{\"after\":-1}", "after"},
        {"event.list", "{\"wait_seconds\":60}", NULL},
        {"event.list", "{\"wait_seconds\":0}", NULL},
        {"event.list", "{\"wait_seconds\":61}", "wait_seconds"},
        {"reservation.get", "{\"id\":0}", "id"},
        {"reservation.get", "{\"id\":9223372036854775807}", NULL},
        {"reservation.get", "{\"group\":0}", "group"},
    };
    RUN(trials);
}

static void times_are_on_hours_where_hours_are_meant(void **state)
{
#define AT(start) "{\"pool\":\"a/b\",\"gpus\":8,\"hours\":4,\"start\":" start "}"
    static const struct trial trials[] = {
        {CREATE, AT("\"2026-12-01T00:00:00+00:00\""), NULL},
        {CREATE, AT("\"2026-12-01T05:30:00+05:30\""), NULL},
        {CREATE, AT("\"2026-12-01T00:30:00Z\""), "start"},
        {CREATE, AT("\"2026-12-01T00:00:01Z\""), "start"},
        {CREATE, AT("\"2026-12-01T00:00:00+05:30\""), "start"},
        {CREATE, AT("\"2026-12-01\""), "start"},
        {CREATE, AT("\"2026-02-29T00:00:00Z\""), "start"},
        {CREATE, AT("\"0000-01-01T00:00:00Z\""), "start"},
        {CREATE, AT("\"9999-01-01T00:00:00Z\""), "start"},
        {CREATE, AT("\"9998-12-31T20:00:00Z\""), NULL},
        {CREATE, AT("\"9998-12-31T21:00:00Z\""), "hours"},
        {CREATE, AT("\"0001-01-01T00:00:00Z\""), NULL},
        {CREATE, AT("1764547200"), "start"},
        {CREATE, AT("\"\""), "start"},
        {"reservation.list", "{\"from\":\"2026-12-01T00:30:00Z\"}", "from"},
        {"reservation.list", "{\"to\":\"2026-12-01T00:30:00Z\"}", "to"},
        {"reservation.change", "{\"id\":1,\"gpus\":8,\"from\":\"2026-12-01T00:30:00Z\"}", "from"},
        {"statement.list", "{\"from\":\"2026-12-01T00:30:00Z\",\"to\":\"2026-12-01T00:30:01Z\"}", NULL},
        {"statement.list", "{\"from\":\"2026-12-01T00:30:00.5Z\"}", "from"},
        {"commitment.status", "{\"at\":\"2026-12-01T00:30:17Z\"}", NULL},
        {"clock.advance", "{\"to\":\"2026-12-01T00:30:17Z\"}", NULL},
        {"clock.advance", "{\"to\":\"soon\"}", "to"},
        {CREATE, WITH("\"wait_until\":\"2026-12-01T00:30:17Z\""), NULL},
    };
    RUN(trials);
}

static void windows_end_after_they_start(void **state)
{
#define WINDOW "\"start\":\"2026-12-01T01:00:00Z\",\"end\":"
    static const struct trial trials[] = {
        {CREATE, "{\"pool\":\"a/b\",\"gpus\":8," WINDOW "\"2026-12-01T02:00:00Z\"}", NULL},
        {CREATE, "{\"pool\":\"a/b\",\"gpus\":8," WINDOW "\"2026-12-01T01:00:00Z\"}", "end"},
        {CREATE, "{\"pool\":\"a/b\",\"gpus\":8," WINDOW "\"2026-12-01T00:00:00Z\"}", "end"},
        {CREATE, "{\"pool\":\"a/b\",\"gpus\":8," WINDOW "\"2026-12-01T02:00:00Z\",\"hours\":1}", "end"},
        {CREATE, "{\"pool\":\"a/b\",\"gpus\":8,\"start\":\"2026-12-01T01:00:00Z\"}", "end"},
        {"pool.calendar", "{\"pool\":\"a/b\"," WINDOW "\"2026-12-01T00:00:00Z\"}", "end"},
        {"reservation.change", "{\"id\":1," WINDOW "\"2026-12-01T01:00:00Z\"}", "end"},
        {"statement.list", "{\"from\":\"2026-12-01T00:00:00Z\",\"to\":\"2026-12-01T00:00:00Z\"}", "to"},
        {"reservation.list", "{\"from\":\"2026-12-01T01:00:00Z\",\"to\":\"2026-12-01T00:00:00Z\"}", "to"},
    };
    RUN(trials);
}

static void one_of_several_is_given(void **state)
{
    static const struct trial trials[] = {
        {"reservation.confirm", "{}", "id"},
        {"reservation.confirm", "{\"id\":1,\"group\":1}", "id"},
        {"reservation.confirm", "{\"group\":1}", NULL},
        {"reservation.cancel", "{}", "id"},
        {"reservation.cancel", "{\"id\":1,\"waive_fee\":true,\"reason\":\"ours\"}", NULL},
        {"reservation.cancel", "{\"id\":1,\"waive_fee\":1}", "waive_fee"},
        {"reservation.get", "{}", "id"},
        {"reservation.get", "{\"id\":1,\"client_ref\":\"x\"}", "id"},
        {"reservation.get", "{\"client_ref\":\"x\"}", NULL},
        {"reservation.change", "{\"id\":1}", "gpus"},
        {"reservation.change", "{\"id\":1,\"end\":\"2026-12-01T00:00:00Z\"}", NULL},
        {"token.create", "{\"label\":\"a\"}", "tenant"},
        {"token.create", "{\"label\":\"a\",\"tenant\":\"x\",\"operator\":true}", "tenant"},
        {"token.create", "{\"label\":\"a\",\"operator\":true}", NULL},
        {"token.create", "{\"label\":\"a\",\"operator\":false}", "operator"},
        {"token.create", "{\"label\":\"a\",\"tenant\":\"x\"}", NULL},
    };
    RUN(trials);
}

static void capacity_changes_have_the_end_of_their_kind(void **state)
{
#define CAPACITY(kind, more)                                                                                 \
    "{\"pool\":\"a/b\",\"gpus\":8,\"start\":\"2026-12-01T00:00:00Z\",\"kind\":\"" kind "\"" more "}"
#define UNTIL ",\"end\":\"2026-12-02T00:00:00Z\""
    static const struct trial trials[] = {
        {"capacity.change", CAPACITY("maintenance", ""), "end"},
        {"capacity.change", CAPACITY("maintenance", UNTIL), NULL},
        {"capacity.change", CAPACITY("retirement", ""), NULL},
        {"capacity.change", CAPACITY("retirement", UNTIL), "end"},
        {"capacity.change", CAPACITY("initial", UNTIL), "end"},
        {"capacity.change", CAPACITY("growth", UNTIL), NULL},
        {"capacity.change", CAPACITY("delay", UNTIL), NULL},
        {"capacity.change", CAPACITY("outage", ""), NULL},
        {"capacity.change", CAPACITY("outage", ",\"end\":\"2026-11-30T00:00:00Z\""), "end"},
        {"capacity.change", CAPACITY("fire", ""), "kind"},
    };
    RUN(trials);
}

static void texts_have_their_characters_and_lengths(void **state)
{
    static const struct trial trials[] = {
        {CREATE, WITH("\"client_ref\":\"\""), "client_ref"},
        {CREATE, WITH("\"client_ref\":\" ~\""), NULL},
        {CREATE, WITH("\"client_ref\":\"a\\u007f\""), "client_ref"},
        {CREATE, WITH("\"client_ref\":\"\xC3\xA9\""), "client_ref"},
        {CREATE, WITH("\"note\":\"\""), NULL},
        {CREATE, WITH("\"note\":\"a\\nb\""), "note"},
        {CREATE, WITH("\"note\":\"a\\u0085b\""), "note"},
        {CREATE, WITH("\"note\":\"\\u00a0\\ud83d\\ude00\""), NULL},
        {CREATE, WITH("\"project\":7"), "project"},
        {CREATE, WITH("\"tier\":\"firm\""), NULL},
        {CREATE, WITH("\"tier\":\"preemptible\""), NULL},
        {CREATE, WITH("\"tier\":\"Firm\""), "tier"},
        {CREATE, WITH("\"dry_run\":1"), "dry_run"},
        {"server.backup", "{\"name\":\"a.db\"}", NULL},
        {"server.backup", "{\"name\":\".a\"}", "name"},
        {"server.backup", "{\"name\":\"a/b\"}", "name"},
        {"server.backup", "{\"name\":\"..\"}", "name"},
        {"server.backup", "{\"name\":\"\"}", "name"},
        {"server.backup", "{}", NULL},
        {"token.revoke", "{\"label\":\"\"}", "label"},
        {"reservation.list", "{\"state\":[\"held\",\"booked\"]}", NULL},
        {"reservation.list", "{\"state\":[]}", "state"},
        {"reservation.list", "{\"state\":\"held\"}", "state"},
        {"reservation.list", "{\"state\":[\"held\",\"none\"]}", "state[1]"},
        {"reservation.list", "{\"state\":[7]}", "state[0]"},
    };
    RUN(trials);
}

// count times the same character, as the member of a booking.
static struct wire_call with_long(struct arena *arena, const char *member, const char *character,
                                  size_t count)
{
    struct buffer params = {0};
    buffer_append_format(&params, "{" BOOKING ",\"gpus\":8,\"hours\":4,\"%s\":\"", member);
    for (size_t i = 0; i < count; i++)
        buffer_append_text(&params, character);
    buffer_append_text(&params, "\"}");
    struct wire_call call = parse_method(arena, CREATE, params.data);
    buffer_free(&params);
    return call;
}

static void lengths_are_of_characters(void **state)
{
    static const struct {
        const char *member, *character;
        size_t most;
    } limits[] = {{"client_ref", "x", 128},
                  {"project", "\xF0\x9F\x98\x80", 64},
                  {"note", "\xC3\xA9", 1024},
                  {"note", "x", 1024}};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct wire_call call = with_long(*state, limits[i].member, limits[i].character, limits[i].most);
        assert_int_equal(call.error.code, 0);
        call = with_long(*state, limits[i].member, limits[i].character, limits[i].most + 1);
        assert_error(&call, "1", RPC_INVALID_PARAMS);
        assert_string_equal(call.error.member, limits[i].member);
    }
}

#define LEG "{\"pool\":\"a/b\",\"gpus\":8,\"start\":\"2026-12-01T00:00:00Z\",\"hours\":4}"

static void legs_are_named_by_their_index(void **state)
{
#define GROUP "reservation.create_group"
    static const struct trial trials[] = {
        {GROUP, "{\"legs\":[" LEG "," LEG "]}", NULL},
        {GROUP, "{\"legs\":[" LEG "]}", "legs"},
        {GROUP, "{\"legs\":{}}", "legs"},
        {GROUP, "{\"legs\":[" LEG ",7]}", "legs[1]"},
        {GROUP, "{\"legs\":[" LEG ",{\"pool\":\"a/b\",\"gpus\":8.5,\"start\":\"2026-12-01T00:00:00Z\"}]}",
         "legs[1].gpus"},
        {GROUP, "{\"legs\":[{\"pool\":\"a/b\",\"gpus\":8,\"hours\":4}," LEG "]}", "legs[0].start"},
        {GROUP, "{\"legs\":[{\"pool\":\"a/b\",\"gpus\":8,\"start\":\"2026-12-01T00:00:00Z\"}," LEG "]}",
         "legs[0].end"},
        {GROUP,
         "{\"legs\":[" LEG ",{\"pool\":\"a/b\",\"gpus\":8,\"start\":\"2026-12-01T00:00:00Z\","
         "\"end\":\"2026-11-01T00:00:00Z\"}]}",
         "legs[1].end"},
        {GROUP, "{\"legs\":[" LEG ",{\"hold_seconds\":1}]}", "legs[1].hold_seconds"},
        {GROUP, "{\"legs\":[" LEG ",{\"legs\":[]}]}", "legs[1].legs"},
        {GROUP, "{\"legs\":[" LEG "," LEG "],\"pool\":\"a/b\"}", "pool"},
    };
    RUN(trials);
    struct wire_call call = parse_method(*state, GROUP, trials[0].params);
    assert_int_equal(call.parameters.leg_count, 2);
    assert_string_equal(call.parameters.legs[1].pool, "a/b");
    assert_int_equal(call.parameters.legs[1].end.number - call.parameters.legs[1].start.number, 4);
}

static void a_group_has_at_most_64_legs(void **state)
{
    for (int count = 64; count <= 65; count++) {
        struct buffer params = {0};
        for (int i = 0; i < count; i++)
            buffer_append_format(&params, "%s%s", i == 0 ? "{\"legs\":[" : ",", LEG);
        buffer_append_text(&params, "]}");
        struct wire_call call = parse_method(*state, GROUP, params.data);
        assert_int_equal(call.error.code, count == 64 ? 0 : RPC_INVALID_PARAMS);
        buffer_free(&params);
    }
}

static void a_manifest_at_fault_is_named_by_its_path(void **state)
{
    struct wire_call call =
        parse_method(*state, "manifest.apply", "{\"manifest\":{\"version\":1,\"sites\":[{\"site\":\"A\"}]}}");
    assert_error(&call, "1", RPC_INVALID_MANIFEST);
    assert_string_equal(call.error.member, "sites[0].site");
    call = parse_method(*state, "manifest.apply", "{\"manifest\":[]}");
    assert_error(&call, "1", RPC_INVALID_PARAMS);
    assert_string_equal(call.error.member, "manifest");
    call = parse_method(*state, "manifest.apply", "{\"manifest\":{\"version\":1},\"dry_run\":true}");
    assert_int_equal(call.error.code, 0);
    assert_non_null(call.parameters.manifest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(members_are_known_and_there, begin, end),
        cmocka_unit_test_setup_teardown(integers_are_integers_in_range, begin, end),
        cmocka_unit_test_setup_teardown(times_are_on_hours_where_hours_are_meant, begin, end),
        cmocka_unit_test_setup_teardown(windows_end_after_they_start, begin, end),
        cmocka_unit_test_setup_teardown(one_of_several_is_given, begin, end),
        cmocka_unit_test_setup_teardown(capacity_changes_have_the_end_of_their_kind, begin, end),
        cmocka_unit_test_setup_teardown(texts_have_their_characters_and_lengths, begin, end),
        cmocka_unit_test_setup_teardown(lengths_are_of_characters, begin, end),
        cmocka_unit_test_setup_teardown(legs_are_named_by_their_index, begin, end),
        cmocka_unit_test_setup_teardown(a_group_has_at_most_64_legs, begin, end),
        cmocka_unit_test_setup_teardown(a_manifest_at_fault_is_named_by_its_path, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
