// From calls to the core's requests.
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

static struct request request_of(struct arena *arena, const char *method, const char *params)
{
    struct wire_call call = parse_method(arena, method, params);
    if (call.error.code != 0)
        fail_msg("%s %s: %s", method, params, call.error.message);
    struct request request;
    wire_request(&call, arena, &request);
    return request;
}

static struct hour hour_of(const char *text)
{
    struct hour hour;
    assert_true(hour_parse(text, strlen(text), &hour));
    return hour;
}

static void a_booking_is_one_leg(void **state)
{
    struct request request = request_of(
        *state, "reservation.create",
        "{\"pool\":\"a/b\",\"gpus\":16,\"start\":\"2026-12-01T00:00:00Z\",\"hours\":4,"
        "\"tier\":\"preemptible\",\"hold_seconds\":60,\"wait_until\":\"2026-12-01T00:00:07Z\","
        "\"project\":\"p\",\"note\":\"n\",\"tenant\":\"t\",\"client_ref\":\"r\",\"dry_run\":true}");
    assert_int_equal(request.kind, REQUEST_CREATE);
    assert_string_equal(request.tenant, "t");
    assert_string_equal(request.client_ref, "r");
    assert_true(request.dry_run);
    assert_int_equal(request.create.leg_count, 1);
    const struct leg *leg = &request.create.legs[0];
    assert_string_equal(leg->pool, "a/b");
    assert_int_equal(leg->gpus, 16);
    assert_int_equal(leg->start.number, hour_of("2026-12-01T00:00:00Z").number);
    assert_int_equal(leg->end.number, hour_of("2026-12-01T04:00:00Z").number);
    assert_int_equal(leg->tier, TIER_PREEMPTIBLE);
    assert_string_equal(leg->project, "p");
    assert_string_equal(leg->note, "n");
    assert_int_equal(request.create.hold_seconds, 60);
    assert_true(request.create.has_wait_until);
    assert_int_equal(request.create.wait_until.seconds,
                     hour_start(hour_of("2026-12-01T00:00:00Z")).seconds + 7);
}

static void what_is_left_out_is_empty(void **state)
{
    struct request request = request_of(*state, "reservation.create",
                                        "{\"pool\":\"a/b\",\"gpus\":16,\"start\":\"2026-12-01T00:00:00Z\","
                                        "\"end\":\"2026-12-02T00:00:00Z\"}");
    assert_null(request.tenant);
    assert_null(request.client_ref);
    assert_false(request.dry_run);
    assert_int_equal(request.create.hold_seconds, 0);
    assert_false(request.create.has_wait_until);
    assert_int_equal(request.create.legs[0].end.number, hour_of("2026-12-02T00:00:00Z").number);
    assert_int_equal(request.create.legs[0].tier, TIER_FIRM);
    assert_null(request.create.legs[0].project);
    assert_null(request.create.legs[0].note);
}

static void a_group_has_its_legs(void **state)
{
    struct request request = request_of(
        *state, "reservation.create_group",
        "{\"hold_seconds\":9,\"legs\":["
        "{\"pool\":\"a/b\",\"gpus\":8,\"start\":\"2026-12-01T00:00:00Z\",\"hours\":1},"
        "{\"pool\":\"a/c\",\"gpus\":72,\"start\":\"2026-12-01T00:00:00Z\",\"hours\":2,\"note\":\"n\"}]}");
    assert_int_equal(request.kind, REQUEST_CREATE_GROUP);
    assert_int_equal(request.create.leg_count, 2);
    assert_int_equal(request.create.hold_seconds, 9);
    assert_string_equal(request.create.legs[0].pool, "a/b");
    assert_int_equal(request.create.legs[1].gpus, 72);
    assert_string_equal(request.create.legs[1].note, "n");
}

static void a_target_is_an_id_or_a_group(void **state)
{
    struct request request = request_of(*state, "reservation.confirm", "{\"id\":4}");
    assert_int_equal(request.kind, REQUEST_CONFIRM);
    assert_false(request.confirm.is_group);
    assert_int_equal(request.confirm.id, 4);
    request =
        request_of(*state, "reservation.cancel", "{\"group\":5,\"waive_fee\":true,\"reason\":\"ours\"}");
    assert_int_equal(request.kind, REQUEST_CANCEL);
    assert_true(request.cancel.target.is_group);
    assert_int_equal(request.cancel.target.id, 5);
    assert_true(request.cancel.waive_fee);
    assert_string_equal(request.cancel.reason, "ours");
}

static void a_change_says_what_it_has(void **state)
{
    struct request request =
        request_of(*state, "reservation.change", "{\"id\":4,\"gpus\":8,\"from\":\"2026-12-01T00:00:00Z\"}");
    assert_int_equal(request.kind, REQUEST_CHANGE);
    assert_int_equal(request.change.id, 4);
    assert_true(request.change.has_from && request.change.has_gpus);
    assert_false(request.change.has_start || request.change.has_end);
    assert_int_equal(request.change.from.number, hour_of("2026-12-01T00:00:00Z").number);
    assert_int_equal(request.change.gpus, 8);
    request = request_of(*state, "reservation.change",
                         "{\"id\":4,\"start\":\"2026-12-01T00:00:00Z\",\"end\":\"2026-12-02T00:00:00Z\"}");
    assert_false(request.change.has_from || request.change.has_gpus);
    assert_true(request.change.has_start && request.change.has_end);
    assert_int_equal(request.change.start.number + 24, request.change.end.number);
}

static void a_capacity_change_may_be_open(void **state)
{
    struct request request =
        request_of(*state, "capacity.change",
                   "{\"pool\":\"a/"
                   "b\",\"kind\":\"outage\",\"gpus\":8,\"start\":\"2026-12-01T00:00:00Z\",\"note\":\"n\"}");
    assert_int_equal(request.kind, REQUEST_CAPACITY_CHANGE);
    assert_int_equal(request.capacity.kind, CAPACITY_OUTAGE);
    assert_int_equal(request.capacity.end.number, HOUR_NEVER.number);
    assert_int_equal(request.capacity.gpus, 8);
    assert_string_equal(request.capacity.note, "n");
}

static void operators_requests_are_filled(void **state)
{
    struct request request = request_of(*state, "tenant.suspend", "{\"tenant\":\"t\",\"reason\":\"r\"}");
    assert_int_equal(request.kind, REQUEST_TENANT_SUSPEND);
    assert_string_equal(request.tenant, "t");
    assert_string_equal(request.reason, "r");
    request = request_of(*state, "tenant.resume", "{\"tenant\":\"t\"}");
    assert_int_equal(request.kind, REQUEST_TENANT_RESUME);
    assert_null(request.reason);
    request = request_of(*state, "token.create", "{\"label\":\"l\",\"operator\":true}");
    assert_int_equal(request.kind, REQUEST_TOKEN_CREATE);
    assert_true(request.token.is_operator);
    assert_null(request.tenant);
    request = request_of(*state, "token.create", "{\"label\":\"l\",\"tenant\":\"t\"}");
    assert_false(request.token.is_operator);
    assert_string_equal(request.tenant, "t");
    request = request_of(*state, "token.revoke", "{\"label\":\"l\"}");
    assert_int_equal(request.kind, REQUEST_TOKEN_REVOKE);
    assert_string_equal(request.token.label, "l");
    request = request_of(*state, "server.backup", "{\"name\":\"n.db\"}");
    assert_int_equal(request.kind, REQUEST_BACKUP);
    assert_string_equal(request.backup_name, "n.db");
    request = request_of(*state, "clock.advance", "{\"to\":\"2026-12-01T00:00:00Z\"}");
    assert_int_equal(request.kind, REQUEST_CLOCK_ADVANCE);
    assert_int_equal(request.advance_to.seconds, hour_start(hour_of("2026-12-01T00:00:00Z")).seconds);
    request = request_of(*state, "manifest.apply", "{\"manifest\":{\"version\":1}}");
    assert_int_equal(request.kind, REQUEST_MANIFEST_APPLY);
    assert_int_equal(request.manifest->pool_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_booking_is_one_leg, begin, end),
        cmocka_unit_test_setup_teardown(what_is_left_out_is_empty, begin, end),
        cmocka_unit_test_setup_teardown(a_group_has_its_legs, begin, end),
        cmocka_unit_test_setup_teardown(a_target_is_an_id_or_a_group, begin, end),
        cmocka_unit_test_setup_teardown(a_change_says_what_it_has, begin, end),
        cmocka_unit_test_setup_teardown(a_capacity_change_may_be_open, begin, end),
        cmocka_unit_test_setup_teardown(operators_requests_are_filled, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
