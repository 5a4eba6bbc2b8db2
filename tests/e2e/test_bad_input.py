"""Malformed, hostile and senseless input: each gets the named error, changes nothing, and nobody else feels it."""

import json
import random
import socket

from agreement import agree
from harness import CAN_BE_OTHERS, Daemon, Gone, METHODS, check, equal, parse, until

GOOD = dict(pool="hall/a", gpus=8, start="2026-12-05T00:00:00Z", hours=24)
MIB = 1 << 20


def booking(**params):
    return {"jsonrpc": "2.0", "id": 1, "method": "reservation.create", "params": {**GOOD, **params}}


def encoded(value):
    return json.dumps(value).encode()


def lines_refused(lines, kind, identity=None, tenant="acme"):
    """Each line gets this error, with this id, on one connection, which goes on; nothing is changed."""
    with Daemon() as daemon:
        client, other = daemon.tenant(tenant), daemon.tenant("beta")
        with daemon.unchanged("bad input"):
            for line in lines:
                client.raw(line + b"\n")
                client.expect(identity)
                reply = client.reply()
                equal(reply.get("error", {}).get("data", {}).get("kind"), kind, f"{line[:200]!r}: {reply}")
                other.call("server.ping")
            # All of them at once, too.
            client.raw(b"".join(line + b"\n" for line in lines))
            for _ in lines:
                client.expect(identity)
                client.reply()
            equal(client.call("session.info")["tenant"], tenant, "the connection goes on")


def test_what_is_no_json():
    deep = b'{"jsonrpc":"2.0","id":1,"method":"server.ping","params":' + b"[" * 40 + b"]" * 40 + b"}"
    good = encoded(booking())
    lines_refused([
        b"{", b"hello", b"{}}", good[:-1], good + b"x", good.replace(b'"', b"'"), b"[1,", b"nul", b"\x01",
        b'{"jsonrpc":"2.0","id":1,"method":"server.ping","method":"server.ping"}',  # a member twice
        encoded(booking()).replace(b'"gpus": 8', b'"gpus": 8, "gpus": 8'),
        deep, b"[" * 100000, b'{"a":' * 50000,
        b'{"jsonrpc":"2.0","id":1,"method":"server.p\xff\xfeing"}',  # no UTF-8
        b'{"jsonrpc":"2.0","id":1,"method":"server.ping\xc0\x80"}', b'"\xed\xa0\x80"', b"\xef\xbb\xbf{}",
        b'{"jsonrpc":"2.0","id":1,"method":"server.ping\x00"}', b"\x00", good.replace(b"hall/a", b"hall\\u0000/a"),
        good.replace(b"hall/a", b"\\ud800"), good.replace(b"hall/a", b"ha\tll"),
        encoded(booking()).replace(b": 8", b": 1e400"), encoded(booking()).replace(b": 8", b": 99999999999999999999"),
        encoded(booking()).replace(b": 8", b": 08"), encoded(booking()).replace(b": 8", b": +8"),
        encoded(booking()).replace(b": 8", b": NaN"), encoded(booking()).replace(b": 8", b": .5"),
    ], "parse_error")


def test_what_is_no_request():
    lines_refused([b"1", b'"x"', b"null", b"true", b"[]", b"{}"], "invalid_request")
    lines_refused([encoded(request) for request in (
        {"id": None, "method": "server.ping"}, {"jsonrpc": "1.0", "id": None, "method": "server.ping"},
        {"jsonrpc": 2.0, "id": None, "method": "server.ping"}, {"jsonrpc": "2.0", "id": None, "method": 7},
        {"jsonrpc": "2.0", "id": None}, {"jsonrpc": "2.0", "id": True, "method": "server.ping"},
        {"jsonrpc": "2.0", "id": {}, "method": "server.ping"}, {"jsonrpc": "2.0", "id": [1], "method": "server.ping"},
    )], "invalid_request")


def test_params_are_an_object():
    lines_refused([b'{"jsonrpc":"2.0","id":1,"method":"server.ping","params":%s}' % params
                   for params in (b"[]", b"[1]", b"7", b'"x"', b"true")], "invalid_params", 1)


def test_unknown_methods():
    lines_refused([b'{"jsonrpc":"2.0","id":1,"method":%s}' % json.dumps(name).encode() for name in (
        "", "reservation", "reservation.", "reservation.creat", "reservation.creates", "Reservation.Create",
        "reservation.create ", "rpc.x", "server.ping\u0001", "a" * 10000, "méthode")], "method_not_found", 1)


BAD_PARAMS = [
    # (member that is to be named, params)
    ("gpus", dict(gpus=0)), ("gpus", dict(gpus=-8)), ("gpus", dict(gpus=12)), ("gpus", dict(gpus=8.0)),
    ("gpus", dict(gpus=8.5)), ("gpus", dict(gpus="8")), ("gpus", dict(gpus=2**31)), ("gpus", dict(gpus=2**62)),
    ("gpus", dict(gpus=True)), ("gpus", dict(gpus=[8])), ("gpus", dict(gpus=None)),
    ("pool", dict(pool=7)), ("pool", dict(pool={})), ("pool", dict(pool="")), ("pool", dict(pool="x" * 1000)),
    ("start", dict(start="2026-12-05T00:30:00Z")), ("start", dict(start="2026-12-05T00:00:01Z")),
    ("start", dict(start="2026-12-05")), ("start", dict(start="2026-12-05 00:00:00")), ("start", dict(start=1796428800)),
    ("start", dict(start="2026-02-30T00:00:00Z")), ("start", dict(start="2026-12-05T24:00:00Z")),
    ("start", dict(start="2026-12-05T00:00:00+05:30")), ("start", dict(start="2026-12-05T00:00:00")),
    ("start", dict(start="0000-01-01T00:00:00Z")), ("start", dict(start="9999-12-31T23:00:00Z")),
    ("start", dict(start="0001-01-01T00:00:00Z")), ("start", dict(start="2020-01-01T00:00:00Z")),
    ("start", dict(start="-2026-12-05T00:00:00Z")), ("start", dict(start="tomorrow")), ("start", dict(start=None)),
    ("start", dict(start="2026-11-30T11:00:00Z")), ("start", dict(start="2026-12-05T00:00:00.5Z")),
    ("end", dict(hours=None, end="2026-12-05T00:00:00Z")), ("end", dict(hours=None, end="2026-12-04T00:00:00Z")),
    ("end", dict(hours=None, end="9999-01-01T00:00:00Z")), ("end", dict(hours=None, end="2026-12-06T00:59:00Z")),
    (None, dict(hours=None)), (None, dict(end="2026-12-06T00:00:00Z")),
    ("hours", dict(hours=0)), ("hours", dict(hours=-1)), ("hours", dict(hours=1.5)), ("hours", dict(hours="24")),
    (None, dict(hours=2**31 - 1)), (None, dict(hours=1000000)), ("hours", dict(hours=2**63 - 1)),
    ("tier", dict(tier="gold")), ("tier", dict(tier=1)), ("hold_seconds", dict(hold_seconds=0)),
    ("hold_seconds", dict(hold_seconds=-1)), ("hold_seconds", dict(hold_seconds=10**9)),
    ("hold_seconds", dict(hold_seconds=0.5)), ("note", dict(note="x" * 1025)), ("note", dict(note=7)),
    ("note", dict(note="a\u0007b")), ("project", dict(project="x" * 65)), ("client_ref", dict(client_ref="")),
    ("client_ref", dict(client_ref="x" * 129)), ("client_ref", dict(client_ref="é")),
    ("client_ref", dict(client_ref="a\nb")), ("client_ref", dict(client_ref=1)), ("dry_run", dict(dry_run="yes")),
    ("dry_run", dict(dry_run=1)), ("color", dict(color="red")), ("Gpus", dict(Gpus=8)), ("gpu", dict(gpu=None)),
    ("tenant", dict(tenant=7)),
]


def test_senseless_parameters_are_named():
    with Daemon() as daemon:
        acme, other = daemon.tenant("acme"), daemon.tenant("beta")
        with daemon.unchanged("senseless parameters"):
            for member, params in BAD_PARAMS:
                data = acme.refused("invalid_params", "reservation.create", {**GOOD, **params})
                if member is not None:
                    equal(data.get("member"), member, f"member named for {params}")
            other.call("server.ping")
            group = dict(legs=[GOOD, {**GOOD, "gpus": -8}])
            data = acme.refused("invalid_params", "reservation.create_group", group)
            equal((data["member"], data.get("leg", 1)), ("legs[1].gpus", 1))
            for legs in ([GOOD, 7], [GOOD, {}], [GOOD, {**GOOD, "hold_seconds": 5}], "x", {}, [[], []]):
                acme.refused("invalid_params", "reservation.create_group", legs=legs)
            for params in (dict(), dict(id=0), dict(id=-1), dict(id=1.0), dict(id="1"), dict(id=2**63 - 1, group=1),
                           dict(group=0), dict(id=1, x=1)):
                for method in ("reservation.confirm", "reservation.cancel", "reservation.get"):
                    acme.refused("invalid_params", method, params)
        # A text may have any character but control ones.
        booked = acme.call("reservation.create", GOOD, note="grün, 🚀 \\ \" / \u2028", project="p" * 64,
                           client_ref=" ~" * 64)
        equal(booked["note"], "grün, 🚀 \\ \" / \u2028")
        agree(daemon)


def test_unknown_members_of_every_method():
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.unchanged("unknown members"):
            for method, schema in METHODS.items():
                params = {**schema["example"]["params"], "surprise": 1}
                equal(operator.refused("invalid_params", method, params).get("member"), "surprise", method)


def test_amounts_are_no_numbers():
    """Money comes in manifests alone: each of these is refused by its path."""
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.unchanged("bad amounts"):
            for bad in (b'2.5', b'"2.5000001"', b'"1e400"', b'"-1.00"', b'"+1.00"', b'""', b'"."', b'" 1.00"', b'"1,000"',
                        b'"0x10"', b'"99999999999999999999"', b'null', b'"NaN"', b'"1."', b'".5"', b'"$1"'):
                manifest = b'{"version":1,"pools":[{"pool":"hall/a","gpu":"H100","unit":8,"rates":' \
                           b'[{"from":"2026-12-01T00:00:00Z","firm":%s}]}]}' % bad
                operator.raw(b'{"jsonrpc":"2.0","id":1,"method":"manifest.apply","params":{"manifest":%s}}\n' % manifest)
                operator.expect(1, "manifest.apply")
                error = operator.reply().get("error")
                check(error is not None, "accepted", bad)
                equal(error["data"]["kind"], "invalid_manifest", bad)
                check(error["data"]["path"].startswith("pools[0].rates[0]"), bad, error)


def test_ids_come_back_as_they_were():
    with Daemon() as daemon:
        client = daemon.tenant("acme")
        for identity in (0, -7, 2**53 + 1, "a", "", "é\"\\\n", None, 9007199254740993):
            client.raw(encoded({"jsonrpc": "2.0", "id": identity, "method": "server.ping"}) + b"\n")
            client.expect(identity, "server.ping")
            client.reply()
        # Numbers exactly as they were written.
        for written in (b"1.50", b"1E2", b"-0"):
            client.raw(b'{"jsonrpc":"2.0","id":%s,"method":"server.ping"}\n' % written)
            line = client.line()
            check(b'"id":' + written in line, "the id of", line)


def test_notifications_are_carried_out_and_not_answered():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        request = booking()
        del request["id"]
        acme.raw(encoded(request) + b"\n" + encoded({"jsonrpc": "2.0", "method": "nothing"}) + b"\n")
        acme.raw(encoded([request, request]) + b"\n")
        equal([r["id"] for r in acme.call("reservation.list")["reservations"]], [1, 2, 3])
        agree(daemon)


def test_batches():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        create = ("reservation.create", GOOD)
        replies = acme.batch([create, ("server.ping", {}), ("nothing", {}), ("reservation.create", {**GOOD, "gpus": 7}),
                              ("reservation.get", {"id": 1}), ("reservation.cancel", {"id": 1}), create])
        kinds = [reply.get("error", {}).get("data", {}).get("kind") for reply in replies]
        equal(kinds, [None, None, "method_not_found", "invalid_params", None, None, None])
        equal((replies[4]["result"]["state"], replies[5]["result"]["state"], replies[6]["result"]["id"]),
              ("booked", "cancelled", 2))
        equal(len(acme.batch([("server.ping", {})] * 256)), 256)
        with daemon.unchanged("a refused batch"):
            acme.raw(b"[" + b",".join([encoded(booking())] * 257) + b"]\n")
            acme.expect(None)
            equal(acme.reply()["error"]["data"]["kind"], "invalid_request")
        # Entries that are no requests are answered one by one; those without id, not.
        silent = booking()
        del silent["id"]
        acme.raw(encoded([1, booking(), silent, [], {"jsonrpc": "2.0", "id": "p", "method": "server.ping"}]) + b"\n")
        replies = parse(acme.line())
        equal([(r["id"], r.get("error", {}).get("data", {}).get("kind")) for r in replies],
              [(None, "invalid_request"), (1, None), (None, "invalid_request"), ("p", None)])
        equal(len(acme.call("reservation.list")["reservations"]), 4)
        agree(daemon)


def test_a_carriage_return_and_empty_lines():
    with Daemon() as daemon:
        client = daemon.tenant("acme")
        client.raw(encoded({"jsonrpc": "2.0", "id": 5, "method": "server.ping"}) + b"\r\n")
        client.expect(5, "server.ping")
        client.reply()


def test_a_line_without_end():
    with Daemon() as daemon:
        acme, other = daemon.tenant("acme"), daemon.tenant("beta")
        with daemon.unchanged("a line that is too long"):
            try:
                acme.raw(b"x" * (MIB + MIB // 2))
            except (ConnectionError, socket.timeout):
                pass  # it may be closed before all of it is sent
            acme.expect(None)
            equal(acme.reply()["error"]["data"]["kind"], "too_large")
            check(acme.ended(), "and the connection is closed")
            other.call("server.ping")
        # Just below the limit is no fault.
        other.raw(b" " * (MIB - 100) + encoded({"jsonrpc": "2.0", "id": 1, "method": "server.ping"}) + b"\n")
        other.expect(1, "server.ping")
        other.reply()
        # An operator's may be 8 MiB.
        operator = daemon.operator()
        operator.raw(b" " * (4 * MIB) + encoded({"jsonrpc": "2.0", "id": 1, "method": "server.ping"}) + b"\n")
        operator.expect(1, "server.ping")
        operator.reply()
        try:
            operator.raw(b"x" * (9 * MIB))
        except (ConnectionError, socket.timeout):
            pass
        operator.expect(None)
        equal(operator.reply()["error"]["data"]["kind"], "too_large")


def test_requests_before_a_line_that_is_too_long_are_answered():
    with Daemon(config={"limits": {"line_bytes": 2000}}) as daemon:
        acme = daemon.tenant("acme", by_token=True)
        acme.raw(acme.request("reservation.create", GOOD) + b"y" * 3000)
        equal(acme.reply()["result"]["id"], 1)
        acme.expect(None)
        equal(acme.reply()["error"]["data"]["kind"], "too_large")
        agree(daemon)


def test_a_byte_at_a_time():
    with Daemon() as daemon:
        slow, other = daemon.tenant("acme"), daemon.tenant("beta")
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        for byte in slow.request("reservation.create", GOOD):
            slow.raw(bytes([byte]))
            if byte == ord(","):
                other.call("server.ping")
        equal(slow.reply()["result"]["id"], 1)


def test_leaving_in_the_middle():
    with Daemon() as daemon:
        with daemon.unchanged("half a request"):
            for cut in range(1, len(encoded(booking())), 9):
                client = daemon.tenant("acme", by_token=False) if CAN_BE_OTHERS else daemon.operator()
                client.raw(encoded(booking())[:cut])
                client.close()
            daemon.operate("server.ping")
        # Leaving before the reply: what was asked is done.
        acme = daemon.tenant("acme", by_token=True)
        acme.raw(acme.request("reservation.create", {**GOOD, "client_ref": "left"}))
        acme.close()
        again = daemon.tenant("acme", by_token=True)
        until(lambda: "result" in again.ask("reservation.get", client_ref="left"), "the booking of one that left")
        equal(again.call("reservation.create", GOOD, client_ref="left")["replayed"], True)
        agree(daemon)


def test_half_a_close_as_nc_does_it():
    with Daemon() as daemon:
        acme, beta = daemon.tenant("acme"), daemon.tenant("beta")
        acme.raw(acme.request("pool.list") + acme.request("reservation.create", GOOD) + acme.request("reservation.list"))
        acme.socket.shutdown(socket.SHUT_WR)
        acme.reply()
        equal(acme.reply()["result"]["id"], 1)
        equal(len(acme.reply()["result"]["reservations"]), 1)
        check(acme.ended(), "and then it is closed")
        # What has no newline at its end is not carried out: it may be half of a request.
        with daemon.unchanged("a line without end"):
            beta.raw(encoded(booking()))
            beta.socket.shutdown(socket.SHUT_WR)
            beta.expect(None)
            equal(beta.reply()["error"]["data"]["kind"], "parse_error")
            check(beta.ended(), "and then it is closed")


def test_noise():
    """Bytes that mean nothing, from a fixed seed, between good requests of others."""
    draw = random.Random(7)
    good = encoded(booking(dry_run=True))
    with Daemon() as daemon:
        other = daemon.tenant("beta")
        daemon.token("acme")
        with daemon.unchanged("noise"):
            for _ in range(40):
                client = daemon.tenant("acme")
                for _ in range(20):
                    line = bytearray(good)
                    for _ in range(draw.randint(1, 6)):
                        line[draw.randrange(len(line))] = draw.randrange(256)
                    if b"dry_run\": true" not in line:
                        continue
                    client.raw(bytes(line) + b"\n")
                client.socket.shutdown(socket.SHUT_WR)
                try:
                    while True:
                        reply = parse(client.line())
                        for one in reply if isinstance(reply, list) else [reply]:
                            check(one["jsonrpc"] == "2.0" and ("result" in one or "kind" in one["error"]["data"]), one)
                except Gone:
                    pass
                client.close()
                other.call("server.ping")
