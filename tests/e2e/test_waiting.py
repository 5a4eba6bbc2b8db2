"""Waiting: what doesn't fit is booked when it does, the oldest first."""

from agreement import agree
from harness import Daemon, check, equal
from manifests import contract, small

DAY = dict(pool="hall/a", start="2026-12-05T00:00:00Z", hours=24)
LATER = "2026-12-04T00:00:00Z"


def state(client, number):
    return client.call("reservation.get", id=number)["state"]


def states(daemon):
    return [row["state"] for row in daemon.sql("SELECT state FROM v_reservation ORDER BY id")]


def test_whoever_fits_is_booked_in_order():
    with Daemon() as daemon:
        acme, beta = daemon.tenant("acme"), daemon.tenant("beta")
        acme.call("reservation.create", DAY, gpus=64)
        before = acme.call("commitment.status")["periods"][0]["used"]
        first = acme.call("reservation.create", DAY, gpus=48, wait_until=LATER, client_ref="w")
        equal((first["state"], first["slices"], first["cost"], first["wait_until"], first["gpus"]),
              ("waiting", [], "0.00", LATER, 48))
        equal(first["waiting"], {"position": 1, "hold_seconds": 0, "blocked": [
            {"start": "2026-12-05T00:00:00Z", "end": "2026-12-06T00:00:00Z", "free": 0, "limit": "gpus"}]})
        equal(acme.call("commitment.status")["periods"][0]["used"], before, "what waits takes no commitment")
        equal(acme.call("reservation.create", DAY, gpus=48, wait_until=LATER, client_ref="w"),
              {**first, "replayed": True})
        equal(beta.call("reservation.create", DAY, gpus=32, wait_until=LATER)["waiting"]["position"], 2)
        equal(beta.call("reservation.create", DAY, gpus=16, wait_until=LATER)["waiting"]["position"], 3)
        agree(daemon)
        # 32 are freed: the first doesn't fit and lets the second go before it.
        acme.call("reservation.change", id=1, gpus=32)
        equal(states(daemon), ["booked", "waiting", "booked", "waiting"])
        equal(acme.call("reservation.get", id=2)["waiting"]["position"], 1)
        agree(daemon)
        # Their events come after that of the change, in the same batch.
        events = daemon.sql("SELECT type, actor, reservation, batch FROM event WHERE reservation IS NOT NULL "
                            "ORDER BY seq DESC LIMIT 2")
        equal([(e["type"], e["actor"], e["reservation"]) for e in reversed(events)],
              [("reservation.changed", acme.actor, 1), ("reservation.booked", "clock", 3)])
        equal(events[0]["batch"], events[1]["batch"])
        daemon.restart()
        agree(daemon)
        acme, beta = daemon.tenant("acme"), daemon.tenant("beta")
        acme.call("reservation.cancel", id=1)
        equal(states(daemon), ["cancelled", "waiting", "booked", "booked"])
        beta.call("reservation.cancel", id=3)
        equal(states(daemon), ["cancelled", "booked", "cancelled", "booked"])
        shown = acme.call("reservation.get", id=2)
        equal((shown["cost"], shown["wait_until"]), (f"{48 * 24 * 2}.00", LATER))
        check("waiting" not in shown, "it waits no longer", shown)
        agree(daemon)
        daemon.restart().verify()


def test_what_frees_capacity():
    """A cancel, a hold that lapses, growth, an end of a suspension, and room in the commitment."""
    with Daemon(contract("100000.00")) as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme", by_token=True)
        capacity = operator.call("pool.list")["pools"][0]["capacity"]
        full = dict(DAY, gpus=capacity)
        acme.call("reservation.create", full, hold_seconds=3600)
        waiting = acme.call("reservation.create", DAY, gpus=1, wait_until=LATER, hold_seconds=600)
        equal(waiting["waiting"]["hold_seconds"], 600)
        daemon.advance("2026-11-30T12:59:59Z")
        equal(state(acme, 2), "waiting")
        daemon.advance("2026-11-30T13:30:00Z")
        shown = daemon.sql("SELECT type, at FROM v_event WHERE reservation = 2 ORDER BY seq")
        equal([(e["type"], e["at"]) for e in shown[1:]], [("reservation.held", "2026-11-30T13:00:00Z"),
                                                          ("reservation.expired", "2026-11-30T13:10:00Z")])
        agree(daemon)
        acme.call("reservation.create", full)
        acme.call("reservation.create", DAY, gpus=1, wait_until=LATER)
        operator.call("tenant.suspend", tenant="acme")
        operator.call("capacity.change", pool="hall/a", kind="growth", gpus=1, start="2026-12-05T00:00:00Z")
        equal(state(acme, 4), "waiting", "a suspended tenant books nothing")
        operator.call("tenant.resume", tenant="acme")
        equal(state(acme, 4), "booked")
        agree(daemon)
        daemon.restart().verify()


def test_a_wait_ends():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        acme.call("reservation.create", DAY, gpus=64)
        for until in ("2026-12-01T00:00:30Z", "2027-01-01T00:00:00Z"):
            acme.call("reservation.create", DAY, gpus=8, wait_until=until)
        equal(acme.call("reservation.get", id=3)["wait_until"], "2026-12-05T00:00:00Z", "at the latest at its start")
        equal(acme.refused("invalid_state", "reservation.confirm", id=2)["state"], "waiting")
        equal(acme.refused("invalid_state", "reservation.change", id=2, gpus=16)["state"], "waiting")
        daemon.advance("2026-12-01T00:00:29Z")
        equal(state(acme, 2), "waiting")
        daemon.advance("2026-12-01T00:00:30Z")
        equal(state(acme, 2), "expired")
        acme.refused("expired", "reservation.cancel", id=2)
        agree(daemon)
        daemon.advance("2026-12-05T00:00:00Z")
        equal(state(acme, 3), "expired")
        acme.call("reservation.cancel", id=1)
        equal(state(acme, 3), "expired")
        agree(daemon)
        daemon.restart().verify()


def test_what_waits_can_be_cancelled_free_of_charge():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        acme.call("reservation.create", DAY, gpus=64)
        acme.call("reservation.create", DAY, gpus=8, wait_until=LATER)
        gone = acme.call("reservation.cancel", id=2)
        equal((gone["state"], gone["released"], gone["fee"]), ("cancelled", "0.00", "0.00"))
        acme.call("reservation.cancel", id=1)
        equal(states(daemon), ["cancelled", "cancelled"])
        agree(daemon)
        daemon.restart().verify()


def test_what_fits_does_not_wait():
    with Daemon() as daemon:
        booked = daemon.tenant("acme").call("reservation.create", DAY, gpus=8, wait_until=LATER)
        equal((booked["state"], booked["wait_until"]), ("booked", None))


def test_requests_that_can_not_wait():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        acme.call("reservation.create", DAY, gpus=64)
        with daemon.unchanged("refusals"):
            for params in (dict(wait_until="2026-11-30T12:00:00Z"), dict(wait_until="2026-11-30T11:00:00Z"),
                           dict(wait_until=LATER, start="2026-11-30T12:00:00Z"), dict(wait_until=7)):
                acme.refused("invalid_params", "reservation.create", {**DAY, **params}, gpus=8)
            # The pool will have 96 and never more; what waits must be within the commitment.
            acme.refused("capacity_exceeded", "reservation.create", DAY, gpus=104, wait_until=LATER)
            acme.refused("invalid_params", "reservation.create_group", legs=[DAY, DAY], wait_until=LATER)
            dry = acme.call("reservation.create", DAY, gpus=96, wait_until=LATER, dry_run=True)
            equal(dry["state"], "waiting")


def test_firm_requests_do_not_wait_for_preemptible_ones():
    manifest = small()
    manifest["pools"][0]["rates"][0]["preemptible"] = "0.50"
    with Daemon(manifest) as daemon:
        acme, beta = daemon.tenant("acme"), daemon.tenant("beta")
        beta.call("reservation.create", DAY, gpus=64, tier="preemptible")
        equal(acme.call("reservation.create", DAY, gpus=48, wait_until=LATER)["state"], "booked")
        equal(beta.call("reservation.create", DAY, gpus=8, tier="preemptible", wait_until=LATER)["state"], "waiting")
        equal(acme.call("reservation.create", DAY, gpus=24, wait_until=LATER)["state"], "waiting")
        # One that waited takes the place of preemptible ones as well, also of one that was served before it.
        acme.call("reservation.change", id=2, gpus=40)
        equal([(r["state"], r["gpu_hours"]) for r in daemon.sql("SELECT state, gpu_hours FROM v_reservation ORDER BY id")],
              [("booked", 0), ("booked", 40 * 24), ("booked", 0), ("booked", 24 * 24)])
        agree(daemon)
        daemon.restart().verify()


def test_many_wait():
    with Daemon(contract("10000000.00")) as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme", by_token=True)
        capacity = operator.call("pool.list")["pools"][0]["capacity"]
        acme.call("reservation.create", DAY, gpus=capacity)
        count = 500
        acme.pipeline([("reservation.create", dict(DAY, gpus=1 + k % 3, wait_until=LATER)) for k in range(count)])
        equal(operator.call("server.status")["reservations"], count + 1)
        acme.call("reservation.cancel", id=1)
        booked = [row["id"] for row in daemon.sql("SELECT id FROM v_reservation WHERE state = 'booked' ORDER BY id")]
        taken, expected = 0, []
        for k in range(count):
            if taken + 1 + k % 3 <= capacity:
                taken += 1 + k % 3
                expected.append(k + 2)
        equal(booked, expected)
        agree(daemon)
        daemon.restart().verify()
