"""The tests' own checks can fail: each is shown something that is wrong."""

import contextlib
import os
import signal

import harness
from agreement import agree
from harness import COVERAGE, Daemon, Failure, check, check_error, check_reply, equal, validator

PONG = {"jsonrpc": "2.0", "id": 1, "result": {"now": "2026-11-30T12:00:00Z"}}
CONFLICT = {"code": 1004, "message": "taken", "data": {"kind": "conflict"}}


@contextlib.contextmanager
def fails(what):
    try:
        yield
    except Failure:
        return
    raise Failure(f"this was not noticed: {what}")


def test_replies_that_are_wrong_are_noticed():
    check_reply(PONG, 1, "server.ping")
    for what, reply in (("another id", {**PONG, "id": 2}), ("an id of another type", {**PONG, "id": "1"}),
                        ("no version", {"id": 1, "result": {}}), ("no result", {"jsonrpc": "2.0", "id": 1}),
                        ("both", {**PONG, "error": CONFLICT}), ("a strange member", {**PONG, "more": 1}),
                        ("a wrong time", {**PONG, "result": {"now": "2026-11-30"}}),
                        ("a missing member", {**PONG, "result": {}}),
                        ("an unknown member", {**PONG, "result": {**PONG["result"], "more": 1}})):
        with fails(what):
            check_reply(reply, 1, "server.ping")
    with fails("money as a number"):
        harness.check_schema("amount", {"$ref": "common.json#/$defs/amount"}, 12.5, "an amount")
    with fails("a member twice"):
        harness.parse(b'{"a":1,"a":2}')


def test_errors_that_are_wrong_are_noticed():
    check_error(CONFLICT, "reservation.create")
    expired = {"code": 1010, "message": "lapsed", "data": {"kind": "expired"}}
    check_error(expired, "reservation.confirm")
    short = {"code": 1007, "message": "too dear", "data": {"kind": "commitment_exceeded"}}
    for what, error, method in (("a kind of another code", {**CONFLICT, "code": 1003}, "reservation.create"),
                                ("an unknown code", {**CONFLICT, "code": 1}, "reservation.create"),
                                ("no message", {**CONFLICT, "message": ""}, "reservation.create"),
                                ("no way out", short, "reservation.create"),
                                ("a strange member", {**CONFLICT, "data": {"kind": "conflict", "x": 1}}, None),
                                ("an error that the method does not list", expired, "reservation.create")):
        with fails(what):
            check_error(error, method)


def test_what_was_never_exercised_is_noticed():
    kept = COVERAGE.methods, COVERAGE.kinds, COVERAGE.views, COVERAGE.views_there
    try:
        COVERAGE.methods = set(harness.METHODS) - {"server.backup"}
        COVERAGE.kinds = {row["kind"] for row in harness.ERRORS.values()} - {"expired"}
        COVERAGE.views, COVERAGE.views_there = {"v_now"}, {"v_now", "v_due"}
        for test in harness.COVERAGE_TESTS:
            with fails(test.__name__):
                test()
        COVERAGE.methods, COVERAGE.kinds, COVERAGE.views = set(harness.METHODS), COVERAGE.kinds | {"expired"}, {"v_now", "v_due"}
        for test in harness.COVERAGE_TESTS:
            test()
    finally:
        COVERAGE.methods, COVERAGE.kinds, COVERAGE.views, COVERAGE.views_there = kept


def test_a_change_and_a_bad_end_are_noticed():
    with Daemon() as daemon:
        with fails("a change"):
            with daemon.unchanged():
                daemon.operate("tenant.suspend", tenant="gamma")
        agree(daemon)
        os.kill(daemon.process.pid, signal.SIGKILL)
        with fails("a daemon that ended by a signal"):
            daemon.stop()


def test_every_schema_is_one():
    for name, schema in harness.METHODS.items():
        validator(name, schema["result"]).check_schema(schema["result"])
        for parameter in schema["params"]:
            validator((name, parameter["name"]), parameter["schema"]).check_schema(parameter["schema"])
    equal(len(harness.ERRORS), len({row["kind"] for row in harness.ERRORS.values()}), "a kind for each code")
