"""Refusals: each with its way out, as plain sums have it, and in the right order when several reasons apply."""

import random

from agreement import agree
from harness import Daemon, check, equal
from manifests import contract, small
from model import Pool, dollars, hour, hour_text, micro, money

DAY = dict(pool="hall/a", start="2026-12-05T00:00:00Z", hours=24)
PERIOD = "2026-10-01T00:00:00Z"


def test_capacity_as_a_naive_calendar_has_it():
    """Random bookings; every verdict and every way out compared with arrays of hours. The seed is fixed."""
    draw = random.Random(20261130)
    manifest = small()
    manifest["contracts"][0]["overage"] = {"limit": "unlimited"}
    manifest["pools"][0]["capacity"] += [{"from": "2027-03-01T00:00:00Z", "gpus": 96}]
    with Daemon(manifest) as daemon:
        acme = daemon.tenant("acme")
        steps = manifest["pools"][0]["capacity"]
        naive, base = Pool(steps), hour("2027-01-28T00:00:00Z")
        booked = refused = 0
        for number in range(250):
            start = base + draw.randrange(200)
            length, gpus = draw.choice((1, 3, 24, 60)), 8 * draw.randint(1, 9)
            request = dict(pool="hall/a", gpus=gpus, start=hour_text(start), hours=length)
            place = f"request {number}: {request}"
            reply = acme.ask("reservation.create", request)
            if naive.fits(start, start + length, gpus):
                check("result" in reply, "refused although it fits", place, reply)
                naive.book(start, start + length, gpus)
                booked += 1
                continue
            check("error" in reply, "booked although it does not fit", place)
            data = reply["error"]["data"]
            expected = naive.refusal(start, start + length, gpus, base + 24 * 40)
            expected |= {"kind": "capacity_exceeded", "pool": "hall/a", "limit": "gpus"}
            equal({name: data[name] for name in expected}, expected, place)
            check(data["searched_until"] >= (data["next_start"] or request["start"]), "searched_until", data)
            if data["next_start"] is not None and number % 3 == 0:
                way_out = {**request, "start": data["next_start"], "dry_run": True}
                acme.call("reservation.create", way_out)
            refused += 1
        check(booked > 30 and refused > 100, "a useful mix", booked, refused)
        shown = acme.call("pool.calendar", pool="hall/a", start=hour_text(base), end=hour_text(base + 320))["steps"]
        found = [step["free"] for step in shown for _ in range(hour(step["end"]) - hour(step["start"]))]
        equal(found, [naive.free(at) for at in range(base, base + 320)], "free GPUs of every hour")
        for before, after in zip(shown, shown[1:]):
            equal(before["end"], after["start"], "steps without a gap")
            check(before["free"] != after["free"], "equal steps are one", before, after)
        agree(daemon)


def test_what_can_never_fit_has_no_next_start():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        data = acme.refused("capacity_exceeded", "reservation.create", DAY, gpus=104)
        equal((data["next_start"], data["free"]), (None, 64))
        # 72 fit when the pool grows.
        data = acme.refused("capacity_exceeded", "reservation.create", DAY, gpus=72)
        equal(data["next_start"], "2027-02-01T00:00:00Z")


def test_commitment_as_plain_sums_have_it():
    with Daemon() as daemon:
        beta = daemon.tenant("beta")
        # $10,000.00 in all; 16 GPUs for 96 hours at $2.00 are $3,072.00.
        beta.call("reservation.create", pool="hall/a", gpus=16, start="2026-12-01T00:00:00Z", hours=96)
        left = dollars(10000) - 16 * 96 * dollars(2)
        for gpus, hours in ((64, 96), (32, 120), (8, 1000), (64, 55)):
            needed = gpus * hours * dollars(2)
            most = left // (hours * dollars(2)) // 8 * 8
            data = beta.refused("commitment_exceeded", "reservation.create", pool="hall/a", gpus=gpus,
                                start="2027-02-10T00:00:00Z", hours=hours)
            equal(data, {"kind": "commitment_exceeded", "contract": "beta-main", "period_start": PERIOD,
                         "available": money(left), "needed": money(needed), "max_gpus": most})
            if most > 0:
                beta.call("reservation.create", pool="hall/a", gpus=most, start="2027-02-10T00:00:00Z", hours=hours,
                          dry_run=True)
                beta.refused("commitment_exceeded", "reservation.create", pool="hall/a", gpus=most + 8,
                             start="2027-02-10T00:00:00Z", hours=hours, dry_run=True)
        # To the last cent: 8 GPUs for 433 hours are $6,928.00, which is what is left.
        equal(money(left), "6928.00")
        beta.call("reservation.create", pool="hall/a", gpus=8, start="2027-02-10T00:00:00Z", hours=433)
        data = beta.refused("commitment_exceeded", "reservation.create", pool="hall/a", gpus=8,
                            start="2027-06-10T00:00:00Z", hours=1)
        equal((data["available"], data["max_gpus"]), ("0.00", 0))
        agree(daemon)


def test_commitment_is_by_period():
    with Daemon(contract("1000.00")) as daemon:
        acme = daemon.tenant("acme")
        # Over the anniversary of 2027-10-01: 10 hours in the first period, 90 in the second, at $1.00.
        across = dict(pool="hall/a", start="2027-09-30T14:00:00Z", hours=100)
        data = acme.refused("commitment_exceeded", "reservation.create", across, gpus=20)
        equal((data["period_start"], data["needed"], data["available"], data["max_gpus"]),
              ("2027-10-01T00:00:00Z", "1800.00", "1000.00", 11))
        # With the first period used up to $50.00 it is the first that decides.
        acme.call("reservation.create", pool="hall/a", gpus=950, start="2026-12-01T00:00:00Z", hours=1)
        data = acme.refused("commitment_exceeded", "reservation.create", across, gpus=10)
        equal((data["period_start"], data["needed"], data["available"], data["max_gpus"]),
              (PERIOD, "100.00", "50.00", 5))
        acme.call("reservation.create", across, gpus=5)
        agree(daemon)


def test_commitment_of_a_change():
    with Daemon(contract("1000.00")) as daemon:
        acme = daemon.tenant("acme")
        acme.call("reservation.create", pool="hall/a", gpus=9, start="2026-12-05T00:00:00Z", hours=100)
        with daemon.unchanged("a refused change"):
            data = acme.refused("commitment_exceeded", "reservation.change", id=1, gpus=11)
            equal((data["available"], data["needed"]), ("100.00", "200.00"))
            data = acme.refused("commitment_exceeded", "reservation.change", id=1, end="2026-12-09T16:00:00Z")
            equal((data["available"], data["needed"]), ("100.00", "108.00"))
        # Half of it moves on: what is given back counts, too.
        acme.call("reservation.change", id=1, start="2026-12-07T00:00:00Z")
        acme.call("reservation.change", id=1, gpus=10)
        equal(acme.call("commitment.status", at="2026-12-01T00:00:00Z")["periods"][0]["available"], "0.00")
        agree(daemon)


def test_no_contract_names_the_first_hour():
    with Daemon() as daemon:
        acme, beta, gamma = (daemon.tenant(name) for name in ("acme", "beta", "gamma"))
        data = gamma.refused("no_contract", "reservation.create", DAY, gpus=8)
        equal(data["first_uncovered"], "2026-12-05T00:00:00Z")
        data = acme.refused("no_contract", "reservation.create", pool="hall/a", gpus=8, start="2028-09-30T12:00:00Z",
                            hours=24)
        equal(data["first_uncovered"], "2028-10-01T00:00:00Z")
        # beta's contract is for hall/a alone.
        data = beta.refused("no_contract", "reservation.create", pool="hall/b", gpus=1, start="2026-12-12T00:00:00Z",
                            hours=1)
        equal(data["first_uncovered"], "2026-12-12T00:00:00Z")
        acme.call("reservation.create", DAY, gpus=8)
        data = acme.refused("no_contract", "reservation.change", id=1, end="2028-10-02T00:00:00Z")
        equal(data["first_uncovered"], "2028-10-01T00:00:00Z")


def test_no_rate_names_the_first_hour():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        data = acme.refused("no_rate", "reservation.create", pool="hall/b", gpus=1, start="2026-12-08T00:00:00Z",
                            hours=72)
        equal(data["first_unrated"], "2026-12-08T00:00:00Z")
        acme.call("reservation.create", pool="hall/b", gpus=1, start="2026-12-10T00:00:00Z", hours=72)
        data = acme.refused("no_rate", "reservation.change", id=1, start="2026-12-09T12:00:00Z")
        equal(data["first_unrated"], "2026-12-09T12:00:00Z")


def test_a_contract_price_is_a_price_where_there_is_no_rate():
    manifest = small()
    manifest["contracts"][0]["prices"] = [{"pool": "hall/b", "tier": "firm", "price": "0.000001"}]
    with Daemon(manifest) as daemon:
        acme = daemon.tenant("acme")
        booked = acme.call("reservation.create", pool="hall/b", gpus=3, start="2026-12-01T00:00:00Z", hours=5)
        equal((booked["cost"], booked["slices"][0]["price_per_gpu_hour"]), ("0.000015", "0.000001"))
        pools = {p["pool"]: p["price_per_gpu_hour"] for p in acme.call("pool.list")["pools"]}
        equal(pools, {"hall/a": "2.00", "hall/b": "0.000001"})
        pools = {p["pool"]: p["price_per_gpu_hour"] for p in daemon.operate("pool.list")["pools"]}
        equal(pools, {"hall/a": "2.00", "hall/b": None})
        agree(daemon)


def test_a_discount_is_off_the_list_price():
    manifest = contract("100000.00", discount_pct=12.5)
    with Daemon(manifest) as daemon:
        acme = daemon.tenant("acme")
        booked = acme.call("reservation.create", pool="hall/a", gpus=8, start="2026-12-01T00:00:00Z", hours=10)
        equal((booked["slices"][0]["price_per_gpu_hour"], booked["cost"]), ("0.875", "70.00"))
        equal(acme.call("pool.list")["pools"][0]["price_per_gpu_hour"], "0.875")


def test_an_amount_that_can_not_be_counted():
    manifest = contract("1000.00", overage={"limit": "unlimited"})
    manifest["pools"][0]["rates"][0]["firm"] = "3000000000000.00"  # a period comes to at most half of 2^63: $4.6 trillion
    with Daemon(manifest) as daemon:
        acme = daemon.tenant("acme")
        request = dict(pool="hall/a", start="2026-12-05T00:00:00Z")
        with daemon.unchanged("a refused request"):
            acme.refused("amount_overflow", "reservation.create", request, gpus=1000, hours=1000)
            acme.refused("amount_overflow", "reservation.create", request, gpus=2, hours=1)
        acme.call("reservation.create", request, gpus=1, hours=1)
        with daemon.unchanged("a refused request"):
            # Each alone could be counted; what the period has used could not.
            acme.refused("amount_overflow", "reservation.create", request, gpus=1, hours=1)
            acme.refused("amount_overflow", "reservation.create_group", legs=[dict(request, gpus=1, hours=1)] * 2)
        agree(daemon)


def test_the_order_of_refusals():
    """One request for which every reason applies; then one reason less each time."""
    manifest = small()
    manifest["contracts"][0]["periods"] = {"annual": "100000.00"}
    with Daemon(manifest) as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme")
        acme.call("reservation.create", DAY, gpus=8, client_ref="used")
        operator.call("tenant.suspend", tenant="acme")
        # No unit, pool unknown, used client_ref, suspended, no contract, no rate, no capacity, no commitment.
        worst = dict(pool="hall/x", gpus=100, start="2026-11-01T00:00:00Z", hours=1, client_ref="used", color="red")
        acme.refused("invalid_params", "reservation.create", worst)
        worst.pop("color")
        acme.refused("not_found", "reservation.create", worst)
        # What is a parameter's fault only at this time, or in this pool, comes after the client_ref: a booking that was
        # made must be recognised when its start has passed.
        worst.update(pool="hall/b")
        acme.refused("conflict", "reservation.create", worst)
        acme.refused("invalid_params", "reservation.create", worst, client_ref=None)
        worst.update(start="2026-12-09T00:00:00Z", gpus=101, hours=24 * 700)
        acme.refused("conflict", "reservation.create", worst)
        worst.pop("client_ref")
        acme.refused("tenant_suspended", "reservation.create", worst)
        operator.call("tenant.resume", tenant="acme")
        acme.refused("no_contract", "reservation.create", worst)
        worst.update(hours=48)
        acme.refused("no_rate", "reservation.create", worst)
        worst.update(start="2026-12-10T00:00:00Z", hours=24 * 400)
        acme.refused("capacity_exceeded", "reservation.create", worst)
        worst.update(gpus=100)
        acme.refused("commitment_exceeded", "reservation.create", worst)
        worst.update(hours=24)
        acme.call("reservation.create", worst)
        agree(daemon)


def test_the_order_of_refusals_of_what_is_there():
    with Daemon() as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme")
        acme.call("reservation.create", DAY, gpus=8, hold_seconds=60)
        acme.call("reservation.create", DAY, gpus=8, client_ref="used")
        operator.call("tenant.suspend", tenant="acme")
        daemon.advance("2026-11-30T12:02:00Z")
        lapsed = dict(id=1, client_ref="used")
        acme.refused("not_found", "reservation.confirm", lapsed, id=99)
        acme.refused("conflict", "reservation.confirm", lapsed)
        lapsed.pop("client_ref")
        acme.refused("tenant_suspended", "reservation.confirm", lapsed)
        operator.call("tenant.resume", tenant="acme")
        acme.refused("expired", "reservation.confirm", lapsed)
        equal(acme.refused("invalid_state", "reservation.confirm", id=2)["state"], "booked")
        # A role comes before what is unknown, parameters before the role.
        acme.refused("forbidden", "tenant.suspend", tenant="nobody")
        acme.refused("invalid_params", "tenant.suspend", tenant=7)


def test_every_amount_is_exact():
    manifest = contract("1000000.00")
    manifest["pools"][0]["rates"][0]["firm"] = "1.234567"
    with Daemon(manifest) as daemon:
        acme = daemon.tenant("acme")
        booked = acme.call("reservation.create", pool="hall/a", gpus=7, start="2026-12-01T00:00:00Z", hours=13)
        equal(micro(booked["cost"]), 7 * 13 * 1234567)
        period = acme.call("commitment.status", at="2026-12-01T00:00:00Z")["periods"][0]
        equal(micro(period["available"]), dollars(1000000) - 7 * 13 * 1234567)
        agree(daemon)
