"""Clients that mean harm, many at once: each costs no more memory than its limits say, and the others are answered.

What one such client does is in test_bad_input.py and test_limits.py. Here it is floods. "Others are answered" is a
booking by somebody else in the middle of it; nothing here asks how long that took.
"""

import os
import socket

from agreement import agree
from harness import Client, Daemon, Gone, check, connect, equal, parse, until
from manifests import contract
from test_limits import resident_kilobytes

GOOD = dict(pool="hall/a", gpus=8, start="2026-12-05T00:00:00Z", hours=24)
KIB, MIB = 1 << 10, 1 << 20
# An address sanitizer keeps what was given back for a while.
SLACK_KILOBYTES = (16 if not os.environ.get("SANITIZE") else 700) * KIB


class Bounded:
    """What happens inside may make the daemon larger by so many kilobytes at most, at any time that is looked at."""

    def __init__(self, daemon, kilobytes, what):
        self.daemon, self.most, self.what = daemon, kilobytes + SLACK_KILOBYTES, what

    def look(self):
        grown = resident_kilobytes(self.daemon) - self.before
        check(grown < self.most, f"{self.what}: the daemon has grown by {grown} KiB, and {self.most} are its limit")

    def __enter__(self):
        self.before = resident_kilobytes(self.daemon)
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.look()


def quoted(client):
    check("cost" in client.call("reservation.create", GOOD, dry_run=True), "a quote")


def stuff(connection, data):
    """Sends as much as is taken without waiting; gives how much that was, less than all when nobody reads it."""
    connection.setblocking(False)
    sent = 0
    try:
        while sent < len(data):
            sent += connection.send(data[sent:sent + 256 * KIB])
    except (BlockingIOError, ConnectionError):
        pass
    connection.setblocking(True)
    return sent


def stuff_until_full(daemon, connections, data, witness):
    """Sends to all of them, in turn, until a round in which nothing is taken from anybody any more."""
    left = {connection: 0 for connection in connections}
    idle = 0
    while idle < 3:
        taken = 0
        for connection in connections:
            sent = stuff(connection, data[left[connection] % len(data):])
            left[connection] += sent
            taken += sent
        quoted(witness)  # also lets the daemon have a turn of everything that came before
        idle = 0 if taken else idle + 1
        check(max(left.values()) < 64 * MIB, "the daemon goes on reading from clients that take no reply")
    return left


def test_many_that_never_read():
    limits = {"output_bytes": 256 * KIB, "in_flight": 16}
    with Daemon(config={"limits": limits}) as daemon:
        witness, operator = daemon.tenant("acme"), daemon.operator()
        others = [connect(daemon.socket) for _ in range(40)]
        request = b'{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}\n'
        # Beside what waits for the client: one reply more, and what was read of its requests.
        with Bounded(daemon, 40 * (256 + 256 + 64 + 64), "40 that never read") as bounded:
            stuff_until_full(daemon, others, request * 2000, witness)
            bounded.look()
            for _ in range(20):
                quoted(witness)
                bounded.look()
        for other in others:
            other.close()
        until(lambda: operator.call("server.status")["connections"] <= 3, "they are gone")
        quoted(witness)


def test_many_that_write_a_byte_at_a_time():
    with Daemon() as daemon:
        witness = daemon.tenant("acme")
        slow = [daemon.operator() for _ in range(60)]
        requests = [client.request("reservation.list", {"tenant": "acme", "limit": 1}) for client in slow]
        with Bounded(daemon, 60 * 16, "60 that write slowly"):
            for place in range(max(map(len, requests))):
                for client, request in zip(slow, requests):
                    client.raw(request[place:place + 1])
                if place % 16 == 0:
                    quoted(witness)
        for client in slow:
            equal(client.reply()["result"]["reservations"], [])


def test_many_lines_that_never_end():
    limits = {"line_bytes": 64 * KIB, "operator_line_bytes": 256 * KIB}
    with Daemon(config={"limits": limits}) as daemon:
        witness = daemon.tenant("acme")
        others = [connect(daemon.socket) for _ in range(50)]
        with Bounded(daemon, 50 * 2 * (256 + 64), "50 lines without end") as bounded:
            for other in others:
                stuff(other, b'"' + b"x" * 200 * KIB)
            quoted(witness)
            bounded.look()
            for other in others:
                stuff(other, b"x" * 2 * MIB)
            quoted(witness)
            bounded.look()
            for other in others:
                client = Client(other, "nobody")
                client.expect(None)
                # Each went over the limit as soon as all that was sent was read; some more may be asked for.
                stuff(other, b"x" * 300 * KIB)
                equal(client.reply()["error"]["data"]["kind"], "too_large")
                check(client.ended(), "and the connection is closed")
                client.close()
        quoted(witness)


def test_a_flood_of_connections():
    with Daemon(config={"limits": {"connections": 32, "operator_connections": 0}}) as daemon:
        witness, operator = daemon.tenant("acme"), daemon.operator()
        until(lambda: operator.call("server.status")["connections"] == 2, "those of the start have left")
        with Bounded(daemon, 4 * KIB, "a flood of connections") as bounded:
            open_ones, refused = [], 0
            for number in range(400):
                client = Client(connect(daemon.socket), "flood")
                if len(open_ones) < 30:
                    client.call("server.ping")
                    open_ones.append(client)
                    continue
                client.expect(None)
                equal(client.reply()["error"]["data"]["kind"], "overloaded")
                refused += 1
                check(client.ended(), "and the connection is closed")
                client.close()
                if number % 50 == 0:
                    quoted(witness)
                    bounded.look()
            equal(refused, 370)
            # Those that come and go without a word, and those that leave their refusal unread.
            for number in range(600):
                connect(daemon.socket).close()
                if number % 100 == 0:
                    quoted(witness)
            unread = [connect(daemon.socket) for _ in range(200)]
            for connection in unread:
                stuff(connection, b"x" * KIB)
            quoted(witness)
            bounded.look()
            for connection in unread:
                connection.close()
        for client in open_ones:
            client.call("server.ping")
            client.close()
        until(lambda: operator.call("server.status")["connections"] == 2, "all have left")
        daemon.operator().call("server.ping")


def test_a_flood_of_notifications():
    with Daemon(contract("1000000.00")) as daemon:
        flooder, witness = daemon.tenant("acme", by_token=True), daemon.operator()
        lines = [b'{"jsonrpc":"2.0","method":"server.ping"}\n', b'{"jsonrpc":"2.0","method":"nothing"}\n',
                 b'{"jsonrpc":"2.0","method":"reservation.create","params":{}}\n',
                 b'{"jsonrpc":"2.0","method":"reservation.get","params":{"id":1}}\n',
                 b'{"jsonrpc":"2.0","method":"manifest.apply","params":{"manifest":{}}}\n',
                 b'[{"jsonrpc":"2.0","method":"server.ping"},{"jsonrpc":"2.0","method":"pool.list"}]\n',
                 b'{"jsonrpc":"2.0","method":"rpc.discover"}\n', b'{"jsonrpc":"2.0","method":"reservation.list"}\n']
        with Bounded(daemon, 4 * KIB, "a flood of notifications") as bounded, daemon.unchanged("notifications"):
            for number in range(40):
                flooder.raw(b"".join(lines) * 50)
                if number % 4 == 0:
                    check("cost" in witness.call("reservation.create", dict(GOOD, tenant="acme", dry_run=True)))
                    bounded.look()
            # None of the sixteen thousand is answered, and the first request after them is.
            equal(flooder.call("session.info")["tenant"], "acme")
            equal(flooder.input, b"")


def test_a_flood_of_bookings_without_id():
    with Daemon(contract("1000000.00")) as daemon:
        flooder, witness = daemon.tenant("acme", by_token=True), daemon.operator()
        line = b'{"jsonrpc":"2.0","method":"reservation.create","params":{"pool":"hall/a","gpus":1,' \
               b'"start":"2026-12-05T00:00:00Z","hours":1}}\n'
        for _ in range(15):
            flooder.raw(line * 100)
            witness.call("pool.list")
        # A thousand fit, the others are refused, to nobody.
        equal(flooder.call("reservation.create", GOOD, dry_run=True, start="2026-12-07T00:00:00Z")["state"], "booked")
        equal(daemon.sql("SELECT count(*) AS n, max(id) AS last FROM v_reservation"), [{"n": 1000, "last": 1000}])
        agree(daemon)


def test_huge_batches():
    """Batches of the most requests whose replies are together far more than a client may leave untaken."""
    limits = {"output_bytes": 256 * KIB}
    with Daemon(config={"limits": limits}) as daemon:
        witness = daemon.tenant("acme")
        one = b'{"jsonrpc":"2.0","id":%d,"method":"rpc.discover"}'
        batch = b"[" + b",".join(one % number for number in range(256)) + b"]\n"
        with Bounded(daemon, 10 * (2 * 256 + 512), "huge batches") as bounded:
            clients = [daemon.operator() for _ in range(10)]
            for client in clients:
                client.raw(batch)
                quoted(witness)
                bounded.look()
            for client in clients:
                replies = parse(client.line())
                equal([reply["id"] for reply in replies], list(range(256)))
                done = sum("result" in reply for reply in replies)
                check(0 < done < 256, "answered in full:", done)
                for reply in replies[done:]:
                    equal(reply["error"]["data"]["kind"], "overloaded")
                client.call("server.ping")
        # Batches of batches, of nothing, and of things that are no requests.
        client = daemon.operator()
        for entry in (b"[]", b"[[]]", b"7", b"{}", b'"x"', b"null"):
            client.raw(b"[" + b",".join([entry] * 256) + b"]\n")
            equal({reply["error"]["code"] for reply in parse(client.line())}, {-32600}, entry)
        client.raw(b"[" + b",".join([b"1"] * 100000) + b"]\n")
        client.expect(None)
        equal(client.reply()["error"]["data"]["kind"], "invalid_request")
        quoted(witness)


def test_texts_that_unfold():
    """Short JSON that is large as a tree: what it took is given back, and the next one finds no less room."""
    with Daemon() as daemon:
        witness, hostile = daemon.tenant("acme"), daemon.tenant("beta")
        bombs = [
            b"[" + b"[]," * (300 * KIB) + b"[]]", b"[" + b"{}," * (300 * KIB) + b"{}]",
            b"{" + b",".join(b'"%d":0' % number for number in range(80_000)) + b"}",
            b"[" + b"0," * (500 * KIB) + b"0]", b'["' + b"\\u0041" * (170 * KIB) + b'"]',
            (b'{"a":[' * 15 + b"1" + b"]}" * 15) + b" " * (900 * KIB),
            b'{"jsonrpc":"2.0","id":1,"method":"reservation.create_group","params":{"legs":['
            + b",".join([b"{}"] * (300 * KIB)) + b"]}}",
            b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * (1000 * KIB) + b'"}',
            b'{"jsonrpc":"2.0","id":"' + b"\\u0041" * (170 * KIB) + b'","method":"server.ping"}',
        ]
        for _ in range(2):
            with Bounded(daemon, 96 * KIB, "texts that unfold"):
                for bomb in bombs * 3:
                    hostile.raw(bomb + b"\n")
                    reply = parse(hostile.line())
                    for one in reply if isinstance(reply, list) else [reply]:
                        check("error" in one or len(one["id"]) == 170 * KIB, str(one)[:200])
                    quoted(witness)
        hostile.call("server.ping")
        # The tree of a line is dozens of times as large as the line, and there is one at a time.
        with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
            peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        check(peak < 160 * KIB + SLACK_KILOBYTES, f"the daemon once had {peak} KiB")


def test_a_flood_of_wrong_tokens():
    with Daemon(config={"limits": {"wrong_tokens": 3}}) as daemon:
        right = daemon.token("acme")
        witness = daemon.tenant("acme", by_token=True)
        wrong = [right[:-1], right + "x", right.upper(), right[:-1] + ("a" if right[-1] != "a" else "b"), "", "clss_",
                 "clss_" + "A" * 1000, "x" * 1024, "\u00e9" * 50, right[5:], " " + right]
        with daemon.unchanged("wrong tokens"), Bounded(daemon, 4 * KIB, "wrong tokens"):
            for number in range(60):
                client = daemon.operator()
                for attempt in range(3):
                    client.refused("unauthenticated", "session.login", token=wrong[(number + attempt) % len(wrong)])
                check(client.ended(), "closed after the third")
                client.close()
                if number % 10 == 0:
                    quoted(witness)
        # As many as are allowed, sent at once: the last of them ends the connection, and what follows is not done.
        client = daemon.operator()
        client.raw(b"".join(client.request("session.login", {"token": "clss_no"}) for _ in range(50)))
        for _ in range(3):
            equal(client.reply()["error"]["data"]["kind"], "unauthenticated")
        try:
            rest = client.line()
            check(False, "an attempt too many was answered:", rest)
        except Gone:
            pass
        again = daemon.operator()
        equal(again.call("session.login", token=right)["tenant"], "acme")
        log = daemon.log.read_bytes()
        for token in (right, right[:-1], right[5:]):
            check(token.encode() not in log, "a token stands in the log")
