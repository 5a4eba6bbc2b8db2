"""Limits: each that is reached costs only the connection that reached it."""

import json
import os
import resource
import signal
import socket
import threading
import time

from agreement import agree
from harness import CAN_BE_OTHERS, Daemon, check, equal, until
from manifests import contract, small

GOOD = dict(pool="hall/a", gpus=8, start="2026-12-05T00:00:00Z", hours=24)
ONE = dict(pool="hall/a", gpus=1, start="2026-12-05T00:00:00Z", hours=1)


def day(number, k):
    """A start of its own for each, so that none is refused for want of GPUs."""
    return f"2026-12-{6 + number:02d}T{5 * k:02d}:00:00Z"


def resident_kilobytes(daemon):
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def virtual_bytes(daemon):
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmSize")) * 1024


def limit_memory(daemon, most):
    resource.prlimit(daemon.process.pid, resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))


def fill(client, request, most=200_000):
    """Sends a request again and again until the daemon reads no more; gives how many were sent whole."""
    client.socket.settimeout(0.3)
    sent, pending = 0, b""
    try:
        while sent < most:
            pending = client.request(*request) if not pending else pending
            pending = pending[client.socket.send(pending):]
            sent += not pending
    except socket.timeout:
        pass
    check(sent < most, "the daemon reads from a client that never takes a reply")
    return pending


def is_turned_away(connect):
    late = connect()
    late.expect(None)
    equal(late.reply()["error"]["data"]["kind"], "overloaded")
    check(late.ended(), "and the connection is closed")
    late.close()


def test_one_connection_too_many():
    if not CAN_BE_OTHERS:
        return
    with Daemon(config={"limits": {"connections": 6, "operator_connections": 2}}) as daemon:
        operator = daemon.operator()
        until(lambda: operator.call("server.status")["connections"] == 1, "those of the start have left")
        others = [daemon.tenant("acme") for _ in range(5)]
        for client in others:
            client.call("server.ping")
        for _ in range(3):
            is_turned_away(lambda: daemon.tenant("acme"))
            is_turned_away(lambda: daemon.tenant("beta"))
        more = [daemon.operator() for _ in range(2)]  # who have places of their own
        for client in more:
            client.call("server.ping")
        is_turned_away(daemon.operator)
        operator.call("server.ping")
        for client in [*more, others[0]]:
            client.close()
        until(lambda: operator.call("server.status")["connections"] == 5, "three have left")
        daemon.tenant("beta").call("server.ping")


def test_one_user_leaves_the_others_their_connections():
    if not CAN_BE_OTHERS:
        return
    with Daemon(config={"limits": {"user_connections": 3}}) as daemon:
        many = [daemon.tenant("acme") for _ in range(3)]
        for client in many:
            client.call("server.ping")
        is_turned_away(lambda: daemon.tenant("acme"))
        for _ in range(3):
            daemon.tenant("beta").call("server.ping")
        for _ in range(10):
            daemon.operator().call("server.ping")
        before = daemon.operate("server.status")["connections"]
        many[0].close()
        until(lambda: daemon.operate("server.status")["connections"] == before - 1, "one has left")
        daemon.tenant("acme").call("server.ping")


def test_a_flood_of_connections():
    """They come in a few at a time, and each of them has its turn."""
    with Daemon() as daemon:
        operator = daemon.operator()
        operator.call("server.ping")
        os.kill(daemon.process.pid, signal.SIGSTOP)  # so that it finds all of them at once
        many = [daemon.tenant("acme") for _ in range(200)]
        for client in many:
            client.raw(client.request("session.info", {}))
        operator.raw(operator.request("server.ping", {}))
        os.kill(daemon.process.pid, signal.SIGCONT)
        check("result" in operator.reply(), "the operator")
        for client in many:
            equal(client.reply()["result"]["tenant"], "acme")


def test_requests_in_flight():
    """More are read only when some are answered; all are answered in order."""
    for limits in ({"in_flight": 1}, {"in_flight": 3, "calls_per_turn": 2}, {"ledger_reads": 2}):
        with Daemon(contract("1000000.00"), config={"limits": limits}) as daemon:
            acme, other = daemon.tenant("acme", by_token=True), daemon.operator()
            requests = [("reservation.create", ONE), ("reservation.list", {"limit": 3}), ("server.ping", {})] * 100
            acme.raw(b"".join(acme.request(*request) for request in requests))
            other.call("server.ping")
            replies = [acme.reply() for _ in requests]
            check(all("result" in reply for reply in replies), "all are answered")
            equal([r["result"]["id"] for r in replies[::3]], list(range(1, 101)))
            agree(daemon)


def test_requests_without_id_are_in_flight_too():
    """Nobody waits for their replies, yet no more of them are decided at a time than of those with an id."""
    with Daemon(contract("1000000.00"), config={"limits": {"in_flight": 8, "ledger_reads": 2}}) as daemon:
        acme = daemon.tenant("acme", by_token=True)
        first = daemon.sql("SELECT max(batch) AS batch FROM event")[0]["batch"]
        booking = json.dumps({"jsonrpc": "2.0", "method": "reservation.create", "params": ONE}).encode() + b"\n"
        read = b'{"jsonrpc":"2.0","method":"reservation.list"}\n'
        acme.raw((booking + read + booking) * 100 + b"[" + booking.strip() + b"]\n")
        equal(len(acme.call("reservation.list", limit=1000)["reservations"]), 201, "those that were asked for")
        most = daemon.sql("SELECT max(n) AS n FROM (SELECT count(*) AS n FROM event WHERE batch > ? GROUP BY batch)",
                          first)[0]["n"]
        check(most <= 8, "a batch has more decisions than a connection may have in flight:", most)
        agree(daemon)


def test_a_batch_is_bounded():
    """However many ask at once, and however much one does, a batch has its limit, so that nobody waits for all of it."""
    limits = {"batch_rows": 64}
    with Daemon(contract("1000000.00"), config={"limits": limits}) as daemon:
        first = daemon.operate("server.status")["ledger"]["last_batch"]
        clients = [daemon.operator() for _ in range(20)]
        os.kill(daemon.process.pid, signal.SIGSTOP)  # so that it finds all of it at once
        for client in clients:
            client.raw(b"".join(client.request("reservation.create", dict(ONE, tenant="acme")) for _ in range(50)))
        os.kill(daemon.process.pid, signal.SIGCONT)
        for client in clients:
            while client.expected:
                check("result" in client.reply(), "a booking was refused")
        most = daemon.sql("SELECT max(n) AS n FROM (SELECT count(*) AS n FROM event WHERE batch > ? GROUP BY batch)",
                          first)[0]["n"]
        check(most <= 64 // 3 + 1, "decisions in a batch:", most)
        agree(daemon)


def with_rate_limit(**limit):
    manifest = small()
    manifest["tenants"][0]["rate_limit"] = limit
    return manifest


def test_a_tenant_has_a_rate_limit():
    """It is for all of a tenant's connections together, and for nobody else; what is refused says when to come back."""
    with Daemon(with_rate_limit(per_second=1, burst=5)) as daemon:
        operator, other = daemon.operator(), daemon.tenant("beta")
        clients = [daemon.tenant("acme") for _ in range(2)]
        begun = time.monotonic()
        answers = []
        for round_number in range(20):
            for client in clients:
                answers.append(client.ask("session.info" if round_number % 2 else "pool.list"))
        passed = sum("result" in answer for answer in answers)
        check(5 <= passed <= 6 + time.monotonic() - begun, "requests that were let through:", passed)
        check("result" in answers[0] and "result" in answers[4], "the burst comes first")
        for answer in answers:
            if "error" in answer:
                equal(answer["error"]["data"]["kind"], "rate_limited")
                check(1 <= answer["error"]["data"]["retry_after_ms"] <= 1000, "when to come back:", answer)
        for _ in range(20):
            other.call("session.info")
            operator.call("reservation.list", tenant="acme")
        equal(operator.call("manifest.export")["manifest"]["tenants"][0]["rate_limit"], {"per_second": 1, "burst": 5})
        # It is the ledger's, so a restart keeps it; a manifest without it leaves it, and one with 0 takes it away.
        daemon.restart()
        operator = daemon.operator()
        operator.call("manifest.apply", manifest=small())
        equal(daemon.sql("SELECT requests_per_second AS n, requests_burst AS b FROM tenant WHERE tenant = 'acme'"),
              [{"n": 1, "b": 5}])
        operator.call("manifest.apply", manifest=with_rate_limit(per_second=0))
        acme = daemon.tenant("acme")
        for _ in range(20):
            acme.call("session.info")
        daemon.verify()


def test_all_that_is_asked_beyond_the_rate_limit_is_answered():
    """Refusals take their time too, so that they don't take that of the others; none is left out."""
    with Daemon(with_rate_limit(per_second=1, burst=3)) as daemon:
        clients, other = [daemon.tenant("acme") for _ in range(5)], daemon.tenant("beta")
        for client in clients:
            client.raw(b"".join(client.request("session.info", {}) for _ in range(300)))
        other.call("reservation.create", GOOD)
        clients[0].socket.shutdown(socket.SHUT_WR)
        answers = [client.reply() for client in clients for _ in range(300)]
        kinds = {answer["error"]["data"]["kind"] for answer in answers if "error" in answer}
        equal(kinds, {"rate_limited"})
        check(3 <= sum("result" in answer for answer in answers) < 750, "those within the limit")
        check(clients[0].ended(), "one that has nothing more to ask is let go")
        for client in clients[1:]:
            client.raw(b"".join(client.request("session.info", {}) for _ in range(100)))
        daemon.stop()


def test_a_tenant_has_one_share_of_a_turn():
    """However many connections one tenant asks on, another's request is decided in the first turn."""
    with Daemon(small(), config={"limits": {"calls_per_turn": 1}}) as daemon:
        first = daemon.operate("server.status")["ledger"]["last_batch"]
        many, other = [daemon.tenant("acme") for _ in range(20)], daemon.tenant("beta")
        for client in [*many, other]:
            client.call("session.info")
        os.kill(daemon.process.pid, signal.SIGSTOP)  # so that it finds all of it at once
        for number, client in enumerate(many):
            client.raw(b"".join(client.request("reservation.create", dict(GOOD, start=day(number, k), hours=1))
                                for k in range(5)))
        other.raw(other.request("reservation.create", GOOD))
        os.kill(daemon.process.pid, signal.SIGCONT)
        for client in [*many, other]:
            while client.expected:
                check("result" in client.reply(), "a booking was refused")
        order = daemon.sql("SELECT t.tenant FROM event AS e JOIN tenant AS t ON t.id = e.tenant "
                           "WHERE e.batch > ? AND e.type = 'reservation.booked' ORDER BY e.seq", first)
        place = [row["tenant"] for row in order].index("beta")
        check(place <= 2, "so many of the other tenant's requests were decided before:", place)
        agree(daemon)


def test_a_client_that_never_reads():
    with Daemon(config={"limits": {"output_bytes": 65536}}) as daemon:
        greedy, other = daemon.tenant("acme"), daemon.tenant("beta")
        before = resident_kilobytes(daemon)
        rest = fill(greedy, ("rpc.discover", None))
        for _ in range(20):
            other.call("reservation.create", GOOD, dry_run=True)
        grown = resident_kilobytes(daemon) - before
        check(grown < 65536, f"the daemon has grown by {grown} KiB for a client that reads nothing")
        # Once it reads, everything it asked is answered, in order.
        done = threading.Event()

        def finish():
            greedy.socket.settimeout(60)
            greedy.socket.sendall(rest)
            done.set()

        thread = threading.Thread(target=finish)
        thread.start()
        for _ in range(len(greedy.expected)):
            check("result" in greedy.reply(), "an answer")
        thread.join()
        check(done.is_set(), "the rest was taken")
        greedy.call("server.ping")


def test_bookings_of_a_client_that_never_reads_are_durable_or_not_made():
    with Daemon(contract("1000000.00"), config={"limits": {"output_bytes": 4096, "shutdown_milliseconds": 200}}) as daemon:
        greedy = daemon.tenant("acme", by_token=True)
        greedy.call("reservation.create", ONE)
        fill(greedy, ("reservation.create", ONE))
        # It is not waited for longer than the limit says.
        daemon.stop().start()
        made = daemon.sql("SELECT count(*) AS n, max(id) AS last FROM v_reservation")[0]
        check(made["n"] == made["last"] and made["n"] > 0, "some were made", made)
        agree(daemon)


def test_no_more_memory():
    """What is under way is finished from the reserve; new requests are refused until there is memory again."""
    with Daemon(contract("1000000.00")) as daemon:
        acme, greedy = daemon.tenant("acme", by_token=True), [daemon.operator() for _ in range(16)]
        acme.call("reservation.create", ONE)
        for client in greedy:
            client.call("server.ping")
        if virtual_bytes(daemon) > 1 << 40:
            return  # a sanitizer has taken addresses without end
        limit_memory(daemon, virtual_bytes(daemon))
        answers = []
        for client in greedy:
            client.raw(b" " * 4_000_000)  # a line that never ends
            answers.append(acme.ask("reservation.create", ONE))
            if "error" in answers[-1]:
                break
        equal(answers[-1]["error"]["data"]["kind"], "overloaded")
        acme.refused("overloaded", "pool.list")
        limit_memory(daemon, resource.RLIM_INFINITY)
        acme.call("reservation.create", ONE)
        equal(daemon.sql("SELECT count(*) AS n FROM v_reservation"),
              [{"n": 2 + sum("result" in answer for answer in answers)}])
        agree(daemon)


def test_wrong_tokens():
    with Daemon(config={"limits": {"wrong_tokens": 2}}) as daemon:
        client = daemon.operator()
        client.refused("unauthenticated", "session.login", token="a")
        client.refused("unauthenticated", "session.login", token="b")
        check(client.ended(), "closed after two")


def test_many_connections():
    with Daemon(contract("1000000.00")) as daemon:
        token = daemon.token("acme")
        clients = [daemon.client(actor="token:test-acme") for _ in range(200)]
        for client in clients:
            client.send("session.login", token=token)
            client.send("reservation.create", ONE)
        ids = []
        for client in clients:
            client.reply()
            ids.append(client.reply()["result"]["id"])
        equal(sorted(ids), list(range(1, 201)))
        agree(daemon)


def test_sixteen_connections_that_pipeline():
    """Group commit: every request of every connection is answered, in its order, and all of it is durable."""
    with Daemon(contract("10000000.00")) as daemon:
        clients = [daemon.tenant("acme", by_token=True) for _ in range(16)]
        count = 60
        failures = []

        def book(number, client):
            try:
                requests = [("reservation.create", dict(ONE, client_ref=f"{number}-{k}")) for k in range(count)]
                replies = client.pipeline(requests)
                equal([r["result"]["client_ref"] for r in replies], [f"{number}-{k}" for k in range(count)])
            except Exception as failure:  # told by the main thread
                failures.append(failure)

        threads = [threading.Thread(target=book, args=place) for place in enumerate(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        equal(failures, [])
        status = daemon.operate("server.status")
        equal(status["reservations"], 16 * count)
        check(status["totals"]["batches"] < status["totals"]["decisions"], "bookings share batches", status)
        agree(daemon)
        daemon.restart()
        equal(daemon.operate("server.status")["reservations"], 16 * count)


def test_one_at_a_time_from_sixteen():
    with Daemon(contract("10000000.00")) as daemon:
        clients = [daemon.tenant("acme", by_token=True) for _ in range(16)]
        for _ in range(20):
            for client in clients:
                client.send("reservation.create", ONE)
            for client in clients:
                client.reply()
        equal(daemon.sql("SELECT count(*) AS n FROM v_reservation"), [{"n": 320}])
