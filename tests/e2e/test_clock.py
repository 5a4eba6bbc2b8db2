"""Time: what starts, ends and falls due by the clock, shown alike by replies, lists and views."""

from agreement import agree, pages
from harness import Daemon, check, equal
from manifests import contract

DAY = dict(pool="hall/a", start="2026-12-05T00:00:00Z", hours=24)


def states(daemon, client):
    """The state of every reservation, as four ways of asking give it."""
    listed = {r["id"]: r["state"] for r in pages(client, "reservation.list", "reservations", "id")}
    equal({id: client.call("reservation.get", id=id)["state"] for id in listed}, listed, "reservation.get")
    viewed = {row["id"]: row["state"] for row in daemon.sql("SELECT id, state FROM v_reservation")}
    equal(viewed, listed, "v_reservation")
    filtered = {}
    for state in ("waiting", "held", "booked", "active", "completed", "cancelled", "expired"):
        for reservation in pages(client, "reservation.list", "reservations", "id", state=[state]):
            equal(reservation["state"], state)
            filtered[reservation["id"]] = state
    equal(filtered, listed, "reservation.list by state")
    return [listed[id] for id in sorted(listed)]


def test_states_by_the_clock():
    with Daemon() as daemon:
        acme = daemon.tenant("acme", by_token=True)
        acme.call("reservation.create", DAY, gpus=8)
        acme.call("reservation.create", DAY, gpus=8, hold_seconds=3600)
        acme.call("reservation.create", dict(DAY, hours=1), gpus=8)
        acme.call("reservation.create", DAY, gpus=8)
        acme.call("reservation.cancel", id=4)
        equal(states(daemon, acme), ["booked", "held", "booked", "cancelled"])
        for now, expected in (("2026-11-30T12:59:59Z", ["booked", "held", "booked", "cancelled"]),
                              ("2026-11-30T13:00:00Z", ["booked", "expired", "booked", "cancelled"]),
                              ("2026-12-04T23:59:59Z", ["booked", "expired", "booked", "cancelled"]),
                              ("2026-12-05T00:00:00Z", ["active", "expired", "active", "cancelled"]),
                              ("2026-12-05T00:59:59Z", ["active", "expired", "active", "cancelled"]),
                              ("2026-12-05T01:00:00Z", ["active", "expired", "completed", "cancelled"]),
                              ("2026-12-06T00:00:00Z", ["completed", "expired", "completed", "cancelled"])):
            daemon.advance(now)
            equal(states(daemon, acme), expected, now)
            agree(daemon)
            daemon.restart()
            acme = daemon.tenant("acme", by_token=True)
            equal(states(daemon, acme), expected, f"{now}, after a restart")


def test_events_carry_the_instant_they_were_due():
    with Daemon() as daemon:
        acme = daemon.tenant("acme", by_token=True)
        acme.call("reservation.create", DAY, gpus=8)
        acme.call("reservation.create", DAY, gpus=8, hold_seconds=90)
        daemon.advance("2027-03-01T00:00:00Z")
        found = {(e["type"], e["at"], e["reservation"]) for e in acme.call("event.list", limit=1000)["events"]
                 if e["actor"] == "clock" and e["reservation"]}
        equal(found, {("reservation.expired", "2026-11-30T12:01:30Z", 2),
                      ("reservation.started", "2026-12-05T00:00:00Z", 1),
                      ("reservation.completed", "2026-12-06T00:00:00Z", 1)})
        agree(daemon)


def test_many_starts_at_one_hour():
    """More than a batch may have of them: all are started all the same, and nothing that is asked waits for it."""
    with Daemon(contract("1000000.00"), config={"limits": {"lifecycle_per_batch": 7}}) as daemon:
        acme = daemon.tenant("acme", by_token=True)
        request = dict(pool="hall/a", gpus=1, start="2026-12-05T00:00:00Z", hours=2)
        replies = acme.pipeline([("reservation.create", request)] * 300)
        equal([r["result"]["id"] for r in replies], list(range(1, 301)))
        daemon.advance("2026-12-05T00:30:00Z")
        equal(set(states(daemon, acme)), {"active"})
        daemon.advance("2026-12-05T05:00:00Z")
        equal(set(states(daemon, acme)), {"completed"})
        found = [e["type"] for e in daemon.sql("SELECT type FROM v_event WHERE reservation IS NOT NULL")]
        equal({kind: found.count(kind) for kind in set(found)},
              {"reservation.booked": 300, "reservation.started": 300, "reservation.completed": 300})
        agree(daemon)


def test_requests_bring_no_more_starts_into_a_batch():
    """A batch has as many as its limit says, however many requests come in the same one."""
    with Daemon(contract("1000000.00"), config={"limits": {"lifecycle_per_batch": 1}}) as daemon:
        acme, operator = daemon.tenant("acme", by_token=True), daemon.operator()
        request = dict(pool="hall/a", gpus=1, start="2026-12-05T00:00:00Z", hours=2)
        acme.pipeline([("reservation.create", request)] * 300)
        operator.pipeline([("clock.advance", {"to": "2026-12-05T00:30:00Z"}), *[("server.ping", {})] * 30])
        daemon.advance("2026-12-05T00:31:00Z")
        batches = daemon.sql("SELECT count(*) AS n FROM event WHERE type = 'reservation.started' GROUP BY batch")
        equal(sum(batch["n"] for batch in batches), 300)
        check(max(batch["n"] for batch in batches) <= 256, "starts in a batch:", batches)
        agree(daemon)


def test_the_manual_clock():
    with Daemon() as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme")
        equal(acme.call("server.ping"), {"now": "2026-11-30T12:00:00Z"})
        equal(acme.call("session.info")["clock"], "manual")
        with daemon.unchanged("a refused advance"):
            operator.refused("invalid_params", "clock.advance", to="2026-11-30T11:59:59Z")
            acme.refused("forbidden", "clock.advance", to="2026-12-01T00:00:00Z")
        equal(operator.call("clock.advance", to="2026-12-01T00:00:01Z", client_ref="c"), {"now": "2026-12-01T00:00:01Z"})
        equal(operator.call("clock.advance", to="2026-12-01T00:00:01Z", client_ref="c"),
              {"now": "2026-12-01T00:00:01Z", "replayed": True})
        daemon.restart()  # with the clock of before: it goes on from where it was
        equal(daemon.operate("server.ping"), {"now": "2026-12-01T00:00:01Z"})
        daemon.stop()
        daemon.clock = "2026-12-24T00:00:00Z"
        daemon.start()
        equal(daemon.operate("server.ping"), {"now": "2026-12-24T00:00:00Z"})
        event = daemon.operate("event.list", limit=1000)["events"][-1]
        equal((event["type"], event["actor"], event["data"]), ("clock.advanced", "clock", {
            "clock": {"from": "2026-12-01T00:00:01Z", "to": "2026-12-24T00:00:00Z"}}))
        agree(daemon)


def test_the_system_clock():
    with Daemon(contract("1000.00", start="2026-01-01T00:00:00Z", end="2099-01-01T00:00:00Z"),
                clock="system") as daemon:
        operator = daemon.operator()
        equal(operator.call("session.info")["clock"], "system")
        operator.refused("invalid_state", "clock.advance", to="2098-01-01T00:00:00Z")
        now = operator.call("server.ping")["now"]
        acme = daemon.tenant("acme")
        booked = acme.call("reservation.create", pool="hall/a", gpus=1, start=f"{now[:13]}:00:00Z", hours=10)
        check(booked["state"] in ("active", "booked"), "a booking of the running hour", booked)
        check(now <= booked["created"] <= operator.call("server.ping")["now"], "made now", booked)


def test_a_ledger_is_for_one_kind_of_clock():
    with Daemon() as daemon:
        daemon.stop()
        daemon.clock = "system"
        status, said = daemon.start_fails()
        equal(status, 69, said)
        check("clock" in said, "what is wrong is said", said)
        daemon.verify()
    with Daemon(clock="system") as daemon:
        daemon.stop()
        daemon.clock = "2030-01-01T00:00:00Z"
        status, said = daemon.start_fails()
        equal(status, 69, said)
        daemon.verify()


def test_what_falls_due_is_decided_before_what_is_asked():
    """A hold that keeps all GPUs lapses at the instant of the request that wants them."""
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        acme.call("reservation.create", DAY, gpus=64, hold_seconds=3600)
        operator = daemon.operator()
        replies = operator.pipeline([
            ("clock.advance", {"to": "2026-11-30T13:00:00Z"}),
            ("reservation.create", dict(DAY, gpus=64, tenant="acme")),
            ("reservation.create", dict(DAY, gpus=8, tenant="acme"))])
        equal(["result" in reply for reply in replies], [True, True, False])
        equal(replies[2]["error"]["data"]["kind"], "capacity_exceeded")
        agree(daemon)
