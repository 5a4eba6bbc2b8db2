"""Lists: page by page without a gap, filtered, and waiting for what is new."""

import time

from agreement import agree, pages
from harness import Daemon, check, equal
from manifests import contract

REQUEST = dict(pool="hall/a", gpus=8, start="2026-12-05T00:00:00Z", hours=2)


def test_pages_of_statements_and_events_have_no_gap_and_nothing_twice():
    with Daemon() as daemon:
        acme, beta = daemon.tenant("acme"), daemon.tenant("beta")
        for number in range(12):
            acme.call("reservation.create", REQUEST, start=f"2026-12-{number + 10}T00:00:00Z")
            beta.call("reservation.create", REQUEST, start=f"2026-12-{number + 10}T12:00:00Z")
        acme.call("reservation.cancel", id=1)
        daemon.advance("2027-01-01T00:00:00Z")
        with daemon.operator() as operator:
            for client, tenant in ((acme, "acme"), (beta, "beta"), (operator, None)):
                for method, key, number, view in (("statement.list", "transfers", "id", "v_statement"),
                                                  ("event.list", "events", "seq", "v_event"),
                                                  ("reservation.list", "reservations", "id", "v_reservation")):
                    whole = pages(client, method, key, number)
                    rows = daemon.sql(f"SELECT {number} FROM {view} WHERE tenant = ? OR ? IS NULL ORDER BY {number}",
                                      tenant, tenant)
                    equal([e[number] for e in whole], [row[number] for row in rows], f"{method} of {tenant}")
                    for limit in (1, 2, 7, len(whole)):
                        equal(pages(client, method, key, number, limit=limit), whole, f"{method} by {limit}")
                    last = whole[-1][number]
                    equal(client.call(method, after=last), {key: [], "next": None})
                    equal(client.call(method, after=2**63 - 1), {key: [], "next": None})
                    for limit in (0, 1001, -1):
                        client.refused("invalid_params", method, limit=limit)
            equal([e["tenant"] for e in pages(operator, "event.list", "events", "seq", tenant="acme")],
                  [e["tenant"] for e in pages(acme, "event.list", "events", "seq")])
        agree(daemon)


def test_pages_while_more_is_booked():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        found, after = [], 0
        for number in range(20):
            acme.call("reservation.create", REQUEST, start=f"2026-12-{number + 10}T00:00:00Z")
            page = acme.call("reservation.list", after=after, limit=3)
            found += [r["id"] for r in page["reservations"]]
            after = found[-1]
        equal(found, list(range(1, 21)))


def test_filters_of_reservations():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        acme.call("reservation.create", REQUEST, project="x")
        acme.call("reservation.create", pool="hall/b", gpus=1, start="2026-12-12T00:00:00Z", hours=24)
        acme.call("reservation.create", REQUEST, start="2026-12-07T00:00:00Z", project="x", hold_seconds=3600)
        acme.call("reservation.cancel", id=1)

        def ids(**params):
            return [r["id"] for r in acme.call("reservation.list", **params)["reservations"]]

        equal(ids(), [1, 2, 3])
        equal(ids(state=["booked", "cancelled"]), [1, 2])
        equal(ids(pool="hall/b"), [2])
        equal(ids(project="x"), [1, 3])
        equal(ids(project="x", state=["held"]), [3])
        # Windows that overlap from..to; both are half-open.
        equal(ids(from_="2026-12-05T02:00:00Z"), [2, 3])
        equal(ids(from_="2026-12-05T01:00:00Z"), [1, 2, 3])
        equal(ids(to="2026-12-07T00:00:00Z"), [1])
        equal(ids(to="2026-12-07T01:00:00Z"), [1, 3])
        equal(ids(from_="2026-12-07T01:00:00Z", to="2026-12-12T00:00:00Z"), [3])
        equal(ids(from_="2026-12-12T00:00:00Z", to="2026-12-12T01:00:00Z", project="x"), [])
        acme.refused("not_found", "reservation.list", pool="hall/x")
        acme.refused("invalid_params", "reservation.list", state=["done"])
        acme.refused("invalid_params", "reservation.list", state=[])


def test_filters_of_statements_and_commitments():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        daemon.advance("2026-12-01T00:00:00Z")
        acme.call("reservation.create", REQUEST)
        daemon.advance("2026-12-02T00:00:00Z")
        acme.call("reservation.cancel", id=1)

        def kinds(**params):
            return [t["kind"] for t in acme.call("statement.list", **params)["transfers"]]

        equal(set(kinds(to="2026-12-01T00:00:00Z")), {"grant"})
        equal(kinds(from_="2026-12-01T00:00:00Z", to="2026-12-01T00:00:01Z"), ["book"])
        equal(kinds(from_="2026-12-01T00:00:01Z"), ["release"])
        equal([p["period_start"] for p in acme.call("commitment.status", at="2027-09-30T23:59:59Z")["periods"]],
              ["2026-10-01T00:00:00Z"])
        equal([p["period_start"] for p in acme.call("commitment.status", at="2027-10-01T00:00:00Z")["periods"]],
              ["2027-10-01T00:00:00Z"])
        equal(acme.call("commitment.status", at="2030-01-01T00:00:00Z"), {"periods": []})
        equal(len(acme.call("commitment.status", contract="acme-main")["periods"]), 2)
        acme.refused("not_found", "commitment.status", contract="acme-other")


def test_a_wait_for_events_ends_with_the_first_new_one():
    with Daemon() as daemon:
        acme, other, beta = daemon.tenant("acme"), daemon.tenant("acme"), daemon.tenant("beta")
        last = acme.call("event.list", limit=1000)["events"][-1]["seq"]
        begun = time.monotonic()
        acme.send("event.list", after=last, wait_seconds=60)
        # Another tenant's events are no news.
        beta.call("reservation.create", REQUEST)
        other.call("reservation.create", REQUEST)
        events = acme.reply(30)["result"]["events"]
        equal([(e["type"], e["tenant"]) for e in events], [("reservation.booked", "acme")])
        check(time.monotonic() - begun < 30, "it woke up")
        # What is there already is answered at once.
        equal(acme.call("event.list", after=last, wait_seconds=60)["events"], events)


def test_a_wait_ends_with_its_time():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        last = acme.call("event.list", limit=1000)["events"][-1]["seq"]
        equal(acme.call("event.list", after=last, wait_seconds=0), {"events": [], "next": None})
        begun = time.monotonic()
        equal(acme.call("event.list", after=last, wait_seconds=1), {"events": [], "next": None})
        check(time.monotonic() - begun > 0.9, "it waited")
        acme.refused("invalid_params", "event.list", wait_seconds=61)


def test_a_later_request_ends_a_wait():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        last = acme.call("event.list", limit=1000)["events"][-1]["seq"]
        begun = time.monotonic()
        acme.send("event.list", after=last, wait_seconds=60)
        acme.send("server.ping")
        equal(acme.reply(30)["result"], {"events": [], "next": None})
        acme.reply(30)
        # In a pipeline, and in a batch: each wait is ended by what comes after it.
        replies = acme.pipeline([("event.list", {"after": last, "wait_seconds": 60})] * 3 + [("server.ping", {})])
        equal([r["result"].get("events") for r in replies], [[], [], [], None])
        acme.batch([("event.list", {"after": last, "wait_seconds": 60}), ("server.ping", {})])
        check(time.monotonic() - begun < 30, "none waited for long")


def test_a_wait_ends_when_the_daemon_stops():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        last = acme.call("event.list", limit=1000)["events"][-1]["seq"]
        acme.send("event.list", after=last, wait_seconds=60)
        acme.socket.settimeout(0.05)
        clients, daemon.clients = daemon.clients, []
        begun = time.monotonic()
        # The request may still be unread when the signal comes; then it is not answered, and the connection ends.
        daemon.stop()
        try:
            equal(acme.reply(30)["result"], {"events": [], "next": None})
        except AssertionError as failure:
            check("ended" in str(failure), failure)
        check(time.monotonic() - begun < 30, "it did not wait for its time")
        daemon.clients = clients


def test_the_calendar():
    with Daemon() as daemon:
        acme, operator = daemon.tenant("acme"), daemon.operator()
        acme.call("reservation.create", REQUEST)
        acme.call("reservation.create", REQUEST, start="2026-12-05T02:00:00Z", hold_seconds=60)
        window = dict(pool="hall/a", start="2026-12-04T00:00:00Z", end="2026-12-06T00:00:00Z")
        steps = [("2026-12-04T00:00:00Z", "2026-12-05T00:00:00Z", 64),
                 ("2026-12-05T00:00:00Z", "2026-12-05T04:00:00Z", 56),
                 ("2026-12-05T04:00:00Z", "2026-12-06T00:00:00Z", 64)]
        equal(acme.call("pool.calendar", window)["steps"], [dict(zip(("start", "end", "free"), s)) for s in steps])
        equal(operator.call("pool.calendar", window)["steps"],
              [dict(zip(("start", "end", "free"), s), capacity=64, reserved=64 - s[2]) for s in steps])
        # From the running hour on, and not beyond the horizon.
        steps = acme.call("pool.calendar", pool="hall/a", start="2020-01-01T00:00:00Z", end="2099-01-01T00:00:00Z")["steps"]
        equal(steps[0]["start"], "2026-11-30T12:00:00Z")
        check(steps[-1]["end"] <= "2036-12-01T00:00:00Z", "the horizon", steps[-1])
        acme.refused("not_found", "pool.calendar", window, pool="hall/x")
        acme.refused("invalid_params", "pool.calendar", window, end="2026-12-04T00:00:00Z")
        for client, more in ((acme, set()), (operator, {"capacity"})):
            for pool in client.call("pool.list")["pools"]:
                equal(set(pool), {"pool", "site", "gpu", "unit", "free", "price_per_gpu_hour"} | more)


def test_a_thousand_reservations():
    with Daemon(contract("1000000.00")) as daemon:
        acme = daemon.tenant("acme", by_token=True)
        request = dict(pool="hall/a", gpus=1, start="2026-12-05T00:00:00Z", hours=1)
        for _ in range(5):
            replies = acme.batch([("reservation.create", request)] * 200)
            check(all("result" in reply for reply in replies), "all fit")
        acme.refused("capacity_exceeded", "reservation.create", request)
        whole = pages(acme, "reservation.list", "reservations", "id", limit=999)
        equal([r["id"] for r in whole], list(range(1, 1001)))
        agree(daemon)
