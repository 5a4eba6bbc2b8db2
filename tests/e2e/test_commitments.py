"""Years that close: each figure worked out by hand in a comment, and read from the socket and from the views."""

from agreement import agree
from harness import Daemon, check, equal
from manifests import colossus, contract
from model import MICRO, dollars, half_even, hour, micro, money

START = "2026-10-01T00:00:00Z"
SECOND = "2027-10-01T00:00:00Z"
THIRD = "2028-10-01T00:00:00Z"


def period(client, start=START, name="acme-main", **params):
    periods = client.call("commitment.status", contract=name, **params)["periods"]
    return next(p for p in periods if p["period_start"] == start)


def amounts(client, *names, start=START, name="acme-main"):
    found = period(client, start, name)
    return tuple(found[wanted] for wanted in names)


def transfers(client, *kinds):
    found = client.call("statement.list", limit=1000)["transfers"]
    return [(t["at"], t["kind"], t["amount"], t["period_start"]) for t in found if not kinds or t["kind"] in kinds]


def use(client, amount, start="2026-12-01T00:00:00Z", gpus=1000):
    """Books so many dollars at $1.00 an hour: whole hours of `gpus`, and one hour of the rest."""
    hours, rest = divmod(amount, gpus)
    if hours:
        client.call("reservation.create", pool="hall/a", gpus=gpus, start=start, hours=hours)
    if rest:
        client.call("reservation.create", pool="hall/a", gpus=rest, start="2026-11-30T20:00:00Z", hours=1)


# ---- The published contracts


def anthropic(daemon, gpu_hours):
    """Books so many hours of 100,000 H100 at $5.27 within the year that begins on 2026-07-01."""
    tenant = daemon.tenant("anthropic")
    tenant.call("reservation.create", pool="colossus-1/h100", gpus=100000, start="2026-12-01T00:00:00Z",
                hours=gpu_hours)
    return tenant


def test_twelve_billion_used_of_fifteen_costs_nothing_more_at_the_close():
    manifest = colossus()
    listed = manifest["contracts"][0]
    listed["prices"] = [{"pool": "colossus-2/gb200", "tier": "firm", "price": "10.00"}]
    with Daemon(manifest, clock="2026-06-15T00:00:00Z") as daemon:
        tenant = daemon.tenant("anthropic")
        name, year = "anthropic-colossus", "2026-07-01T00:00:00Z"
        # 200,016 GPUs at $10.00: 6,000 hours are $12,000,960,000.
        tenant.call("reservation.create", pool="colossus-2/gb200", gpus=200016, start="2026-10-01T00:00:00Z",
                    hours=6000)
        equal(amounts(tenant, "used", "shortfall", "percent", start=year, name=name),
              ("12000960000.00", "2999040000.00", 80))
        daemon.advance("2027-06-30T23:59:59Z")
        # 12 × $1.25 billion, one on the first of each month.
        equal(amounts(tenant, "billed", "due", "closed", start=year, name=name),
              ("15000000000.00", "15000000000.00", False))
        daemon.advance("2027-07-01T00:00:00Z")
        equal(amounts(tenant, "billed", "due", "closed", "consumed", "shortfall", "overage", start=year, name=name),
              ("15000000000.00", "15000000000.00", True, "12000960000.00", "2999040000.00", "0.00"))
        billed = [t for t in transfers(tenant, "instalment") if t[3] == year]
        equal(billed, [(f"{2026 + (6 + k) // 12}-{(6 + k) % 12 + 1:02d}-01T00:00:00Z", "instalment", "1250000000.00",
                        year) for k in range(12)])
        equal([t for t in transfers(tenant, "shortfall", "refund", "surcharge", "usage") if t[3] == year], [])
        agree(daemon)


def test_sixteen_billion_used_of_fifteen_costs_one_more_and_its_surcharge():
    manifest = colossus()
    manifest["contracts"][0]["prices"] = [{"pool": "colossus-2/gb200", "tier": "firm", "price": "10.00"}]
    with Daemon(manifest, clock="2026-06-15T00:00:00Z") as daemon:
        tenant = daemon.tenant("anthropic")
        name, year = "anthropic-colossus", "2026-07-01T00:00:00Z"
        # 250,056 GPUs at $10.00: 6,400 hours are $16,003,584,000. The cap is 110 %: $16.5 billion.
        tenant.call("reservation.create", pool="colossus-2/gb200", gpus=250056, start="2026-10-01T00:00:00Z",
                    hours=6400)
        # Over by $1,003,584,000; 20 % of that is $200,716,800.
        equal(amounts(tenant, "overage", "surcharge", "available", start=year, name=name),
              ("1003584000.00", "200716800.00", "496416000.00"))
        data = tenant.refused("commitment_exceeded", "reservation.create", pool="colossus-2/gb200", gpus=72000,
                              start="2026-10-01T00:00:00Z", hours=700)
        # $496,416,000 over 700 hours at $10.00 are 70,916 GPUs, and 984 racks of 72 are 70,848.
        equal((data["available"], data["needed"], data["max_gpus"]), ("496416000.00", "504000000.00", 70848))
        daemon.advance("2027-07-01T00:00:00Z")
        equal(amounts(tenant, "due", "billed", "surcharge", "closed", start=year, name=name),
              ("16204300800.00", "16204300800.00", "200716800.00", True))
        closing = [t for t in transfers(tenant) if t[0] == "2027-07-01T00:00:00Z" and t[3] == year
                   and t[1] in ("usage", "shortfall", "surcharge", "refund", "instalment")]
        equal(sorted(t[1:3] for t in closing), [("surcharge", "200716800.00"), ("usage", "1003584000.00")])
        agree(daemon)


def test_ramp_months_cost_less():
    with Daemon(colossus(), clock="2026-05-01T00:00:00Z") as daemon:
        tenant = daemon.tenant("anthropic")
        daemon.advance("2026-07-01T00:00:00Z")
        # $1.25 billion for May and June: $625 million each.
        found = [t[:3] for t in transfers(tenant, "instalment") if t[3] == "2026-05-01T00:00:00Z"]
        equal([(at, amount) for at, _, amount in found if at > "2026-05-01T00:00:00Z"],
              [("2026-06-01T00:00:00Z", "625000000.00")])
        equal(amounts(tenant, "billed", "closed", start="2026-05-01T00:00:00Z", name="anthropic-colossus"),
              ("1250000000.00", True))
        agree(daemon)


def snap(then="charge", until="last"):
    """Google Cloud and Snap, 2017: $400 million a year; up to 15 % of a year's may be moved to a later year."""
    return contract("400000000.00", start="2026-10-01T00:00:00Z", end="2029-10-01T00:00:00Z",
                    shortfall={"defer_pct": 15, "defer_until": until, "then": then}, billing="instalments")


def snap_books(client, start, gpus, hours):
    return client.call("reservation.create", pool="hall/a", gpus=gpus, start=start, hours=hours)


def test_snap_moves_fifteen_percent_to_the_last_year():
    manifest = snap()
    manifest["pools"][0]["rates"][0]["firm"] = "100.00"
    with Daemon(manifest) as daemon:
        tenant = daemon.tenant("acme")
        # 1,000 GPUs at $100.00: 3,000 hours are $300 million.
        snap_books(tenant, "2026-12-01T00:00:00Z", 1000, 3000)
        daemon.advance(SECOND)
        # Unmet: $100 million. 15 % of $400 million, $60 million, move; $40 million are owed. Paid in instalments were
        # $400 million, due are 300 + 40: $60 million come back.
        equal(amounts(tenant, "consumed", "deferred_out", "due", "billed"),
              ("300000000.00", "60000000.00", "340000000.00", "340000000.00"))
        equal([t[1:3] for t in transfers(tenant, "refund")], [("refund", "60000000.00")])
        equal(amounts(tenant, "deferred_in", "floor", "authority", start=SECOND),
              ("60000000.00", "460000000.00", "460000000.00"))
        # In the second year $420 million are used: commit first, then what was deferred. $40 million of that are unmet
        # and roll on to the last year ("a later year").
        snap_books(tenant, "2027-11-01T00:00:00Z", 1000, 4200)
        daemon.advance(THIRD)
        equal(amounts(tenant, "consumed", "deferred_out", "due", "billed", start=SECOND),
              ("420000000.00", "40000000.00", "420000000.00", "420000000.00"))
        equal(amounts(tenant, "deferred_in", "floor", start=THIRD), ("40000000.00", "440000000.00"))
        # The last year can't defer: $440 million are owed, whatever is used.
        daemon.advance("2029-10-01T00:00:00Z")
        equal(amounts(tenant, "consumed", "deferred_out", "due", "billed", start=THIRD),
              ("0.00", "0.00", "440000000.00", "440000000.00"))
        agree(daemon)


def test_what_was_deferred_until_next_is_settled_there():
    with Daemon(contract("1000.00", end="2029-10-01T00:00:00Z",
                         shortfall={"defer_pct": 15, "defer_until": "next", "then": "charge"})) as daemon:
        tenant = daemon.tenant("acme")
        daemon.advance(SECOND)
        # Nothing used: $150 move, $850 are owed.
        equal(amounts(tenant, "deferred_out", "due", "billed"), ("150.00", "850.00", "850.00"))
        daemon.advance(THIRD)
        # Of $1,000 + $150: again $150 of the year's own move; the old $150 are settled now, with $850.
        equal(amounts(tenant, "deferred_in", "deferred_out", "due", start=SECOND), ("150.00", "150.00", "1000.00"))
        daemon.advance("2029-10-01T00:00:00Z")
        equal(amounts(tenant, "deferred_in", "deferred_out", "due", start=THIRD), ("150.00", "0.00", "1150.00"))
        agree(daemon)


def test_a_charged_shortfall_becomes_credit():
    """AWS and Snap, 2017: the payment may be applied to future use but not to future minimums."""
    with Daemon(contract("1000.00", end="2029-10-01T00:00:00Z", shortfall={"then": "credit"})) as daemon:
        tenant = daemon.tenant("acme")
        use(tenant, 700)
        daemon.advance(SECOND)
        equal(amounts(tenant, "due", "billed", "deferred_out"), ("1000.00", "1000.00", "0.00"))
        equal(amounts(tenant, "credit", "floor", "authority", start=SECOND), ("300.00", "1000.00", "1300.00"))
        # $1,200 used: the commit first, then $200 of the credit, which are not owed again.
        tenant.call("reservation.create", pool="hall/a", gpus=100, start="2027-11-01T00:00:00Z", hours=12)
        equal(amounts(tenant, "shortfall", "overage", "available", start=SECOND), ("0.00", "0.00", "100.00"))
        daemon.advance(THIRD)
        equal(amounts(tenant, "credit_used", "due", "billed", start=SECOND), ("200.00", "1000.00", "1000.00"))
        # What is left of it rolls on.
        equal(amounts(tenant, "credit", "floor", start=THIRD), ("100.00", "1000.00"))
        agree(daemon)


def test_a_waived_shortfall_is_recorded():
    with Daemon(contract("1000.00", shortfall={"then": "waive"})) as daemon:
        tenant = daemon.tenant("acme")
        use(tenant, 400)
        daemon.advance(SECOND)
        equal(amounts(tenant, "waived", "due", "billed", "shortfall"), ("600.00", "400.00", "400.00", "600.00"))
        equal([t[1:3] for t in transfers(tenant, "waive", "shortfall")], [("waive", "600.00")])
        agree(daemon)


# ---- Billing


def test_arrears_bill_each_month_and_the_close_the_rest():
    with Daemon(contract("1000.00", overage={"limit": "500.00", "surcharge_pct": 20},
                         cancel={"notice_hours": 72, "late_fee_pct": 50})) as daemon:
        tenant = daemon.tenant("acme")
        # Over new year: 30 hours of 10 GPUs in December, 18 in January: $300 and $180.
        tenant.call("reservation.create", pool="hall/a", gpus=10, start="2026-12-30T18:00:00Z", hours=48)
        tenant.call("reservation.create", pool="hall/a", gpus=10, start="2026-12-28T00:00:00Z", hours=10)
        daemon.advance("2026-12-27T00:00:00Z")
        # All of $100 with less than 72 hours' notice: $50, billed in the month of the cancel.
        equal(tenant.call("reservation.cancel", id=2)["fee"], "50.00")
        daemon.advance("2027-02-01T00:00:00Z")
        billed = [t[:3] for t in transfers(tenant, "usage", "fee") if "01T00:00:00Z" in t[0]]
        equal(sorted(billed), [("2027-01-01T00:00:00Z", "fee", "50.00"), ("2027-01-01T00:00:00Z", "usage", "300.00"),
                               ("2027-02-01T00:00:00Z", "usage", "180.00")])
        equal(amounts(tenant, "consumed", "billed", "fees"), ("480.00", "530.00", "50.00"))
        daemon.advance(SECOND)
        # The floor is $1,000: $520 more. The fee is beside it.
        equal(amounts(tenant, "due", "billed", "closed"), ("1050.00", "1050.00", True))
        equal([t[1:3] for t in transfers(tenant, "shortfall", "surcharge")], [("shortfall", "520.00")])
        # The second year is $300 over: 20 % of that at the close.
        tenant.call("reservation.create", pool="hall/a", gpus=100, start="2027-11-01T00:00:00Z", hours=13)
        daemon.advance(THIRD)
        equal(amounts(tenant, "due", "billed", "surcharge", "overage", start=SECOND),
              ("1360.00", "1360.00", "60.00", "300.00"))
        agree(daemon)


def test_consumed_counts_whole_hours_between_postings():
    with Daemon(contract("1000.00")) as daemon:
        tenant = daemon.tenant("acme")
        tenant.call("reservation.create", pool="hall/a", gpus=7, start="2026-12-05T00:00:00Z", hours=48)
        for now, hours in (("2026-12-05T00:59:59Z", 0), ("2026-12-05T01:00:00Z", 1), ("2026-12-06T12:30:00Z", 36),
                           ("2026-12-07T00:00:00Z", 48), ("2026-12-31T23:59:59Z", 48), ("2027-01-01T00:00:00Z", 48)):
            daemon.advance(now)
            consumed, encumbered = 7 * hours, 7 * (48 - hours)
            equal(amounts(tenant, "consumed", "encumbered"), (f"{consumed}.00", f"{encumbered}.00"), now)
            agree(daemon)
        # One transfer for all of it, at the month's end.
        equal([t[:3] for t in transfers(tenant, "consume")], [("2027-01-01T00:00:00Z", "consume", "336.00")])


def test_instalments_add_up_to_the_commit():
    # $1,000.00 in 12 parts: $83.333333 each, and the last takes what is left.
    with Daemon(contract("1000.00", billing="instalments"), clock="2026-09-15T00:00:00Z") as daemon:
        tenant = daemon.tenant("acme")
        daemon.advance("2027-09-30T00:00:00Z")
        found = [micro(t[2]) for t in transfers(tenant, "instalment")]
        equal(found, [half_even(1000 * MICRO, 12)] * 11 + [1000 * MICRO - 11 * half_even(1000 * MICRO, 12)])
        daemon.advance(SECOND)
        equal(amounts(tenant, "due", "billed"), ("1000.00", "1000.00"))
        agree(daemon)


def test_instalments_of_a_contract_from_the_31st():
    manifest = contract([{"start": "2026-12-31T00:00:00Z", "commit": "700.00"}], start="2026-12-31T00:00:00Z",
                        end="2027-06-15T00:00:00Z", billing="instalments")
    with Daemon(manifest) as daemon:
        tenant = daemon.tenant("acme")
        daemon.advance("2027-07-01T00:00:00Z")
        found = transfers(tenant, "instalment")
        # The day is clamped to the month's last; the last part is 15 of 30 days, May 31 to June 15 (of June 30).
        equal([t[0][:10] for t in found], ["2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30",
                                           "2027-05-31"])
        whole = {t[2] for t in found[:5]}
        equal(len(whole), 1, "equal parts")
        check(micro(found[5][2]) < micro(found[0][2]) * 6 // 10, "the last part is for half a month", found)
        equal(sum(micro(t[2]) for t in found), dollars(700))
        agree(daemon)


def test_a_last_year_is_prorated_by_hours():
    with Daemon(contract("1000.00", end="2028-01-01T00:00:00Z")) as daemon:
        tenant = daemon.tenant("acme")
        # 92 days of 366 (2027-10-01 to 2028-10-01 has a 29 February).
        part = (hour("2028-01-01T00:00:00Z") - hour(SECOND)) * dollars(1000)
        equal(period(tenant, SECOND)["commit"], money(half_even(part, hour(THIRD) - hour(SECOND))))


def test_years_from_29_february():
    with Daemon(contract("1000.00", start="2028-02-29T00:00:00Z", end="2033-03-01T00:00:00Z")) as daemon:
        tenant = daemon.tenant("acme")
        starts = [p["period_start"][:10] for p in tenant.call("commitment.status")["periods"]]
        equal(starts, ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29", "2033-02-28"])


def test_what_is_past_is_imported_as_settled():
    with Daemon(contract("1200.00", billing="instalments", end="2028-10-01T00:00:00Z"),
                clock="2027-12-15T00:00:00Z") as daemon:
        tenant = daemon.tenant("acme")
        equal(amounts(tenant, "closed", "due", "billed"), (True, "1200.00", "1200.00"))
        # October, November and December fell due before.
        equal(amounts(tenant, "billed", "closed", start=SECOND), ("300.00", False))
        equal([t[:3] for t in transfers(tenant, "shortfall", "usage")], [])
        daemon.advance("2028-01-01T00:00:00Z")
        equal(amounts(tenant, "billed", start=SECOND), ("400.00",))
        daemon.advance(THIRD)
        equal(amounts(tenant, "billed", "due", "closed", start=SECOND), ("1200.00", "1200.00", True))
        agree(daemon)


def test_closes_at_the_right_instant_while_the_daemon_was_down():
    """A ledger that sleeps over two anniversaries closes as one that was awake."""
    outcomes = []
    for asleep in (False, True):
        with Daemon(contract("1000.00", end="2029-10-01T00:00:00Z",
                             shortfall={"defer_pct": 10, "then": "charge"})) as daemon:
            use(daemon.tenant("acme", by_token=True), 400)
            daemon.advance("2026-12-15T00:00:00Z")
            if asleep:
                daemon.stop()
                daemon.clock = "2029-01-10T00:00:00Z"
                daemon.start()
            else:
                for month in range(1, 25):
                    daemon.advance(f"{2027 + (month - 1) // 12}-{(month - 1) % 12 + 1:02d}-10T00:00:00Z")
                daemon.advance("2029-01-10T00:00:00Z")
            tenant = daemon.tenant("acme", by_token=True)
            outcomes.append(([tenant.call("commitment.status")], sorted(transfers(tenant))))
            agree(daemon)
    equal(outcomes[1], outcomes[0])
    # Nothing is billed twice.
    closes = [t for t in outcomes[0][1] if t[1] in ("shortfall",)]
    equal(len(closes), 2, "shortfalls of two closed years")


def test_thresholds_are_told_once_per_crossing():
    with Daemon(contract("1000.00")) as daemon:
        tenant = daemon.tenant("acme")

        def alerts():
            events = tenant.call("event.list", limit=1000)["events"]
            return [e["type"] for e in events if e["type"].startswith("commitment.")]

        request = dict(pool="hall/a", start="2026-12-05T00:00:00Z", hours=1)
        tenant.call("reservation.create", request, gpus=499)
        equal(alerts(), [])
        tenant.call("reservation.create", request, gpus=1)
        equal(alerts(), ["commitment.threshold"])
        tenant.call("reservation.create", request, gpus=100)
        equal(alerts(), ["commitment.threshold"])
        # From 60 % to 95 %: 75 and 90.
        tenant.call("reservation.create", request, gpus=350)
        equal(alerts(), ["commitment.threshold"] * 3)
        tenant.call("reservation.cancel", id=4)
        equal(alerts(), ["commitment.threshold"] * 3 + ["commitment.threshold_cleared"] * 2)
        tenant.call("reservation.create", request, gpus=400)
        equal(alerts().count("commitment.threshold"), 6)
        agree(daemon)


def test_an_unlimited_overage_has_no_authority():
    with Daemon(contract("100.00", overage={"limit": "unlimited", "surcharge_pct": 12.5})) as daemon:
        tenant = daemon.tenant("acme")
        use(tenant, 1100)
        equal(amounts(tenant, "authority", "available", "overage_limit", "overage", "surcharge", "percent"),
              (None, None, None, "1000.00", "125.00", 1100))
        agree(daemon)
        daemon.advance(SECOND)
        equal(amounts(tenant, "due", "billed"), ("1225.00", "1225.00"))
        agree(daemon)


def test_the_books_of_the_example_through_all_its_years():
    with Daemon(colossus(), clock="2026-05-01T00:00:00Z") as daemon:
        tenants = {name: daemon.tenant(name) for name in ("anthropic", "google", "xai")}
        anthropic(daemon, 100)
        tenants["google"].call("reservation.create", pool="colossus-2/gb300", gpus=72000, start="2027-01-01T00:00:00Z",
                               hours=8000)
        tenants["xai"].call("reservation.create", pool="colossus-1/gb200", gpus=7200, start="2026-05-01T00:00:00Z",
                            hours=24 * 365)
        for to in ("2026-10-01T00:00:00Z", "2027-05-01T00:00:00Z", "2028-02-29T12:00:00Z", "2029-07-01T00:00:00Z",
                   "2031-05-01T00:00:00Z"):
            daemon.advance(to)
            agree(daemon)
        closed = [p for p in daemon.operate("commitment.status")["periods"]]
        check(all(p["closed"] for p in closed), "every period is closed")
        equal([p["contract"] for p in closed if p["due"] != p["billed"]], [], "periods with a rest")


def test_what_is_forecast_is_what_is_closed():
    """Whatever the terms, if nothing more is booked; and the books show what was still to be billed."""
    for terms in ({}, {"billing": "instalments"}, {"shortfall": {"defer_pct": 15, "then": "charge"}},
                  {"billing": "instalments", "shortfall": {"defer_pct": 15, "defer_until": "last", "then": "credit"}},
                  {"billing": "instalments", "shortfall": {"then": "waive"}},
                  {"overage": {"limit_pct": 50, "surcharge_pct": 20}, "cancel": {"notice_hours": 72, "late_fee_pct": 50}}):
        with Daemon(contract(**terms), clock="2026-09-30T00:00:00Z") as daemon:
            tenant = daemon.tenant("acme")
            equal(period(tenant)["pace"], None, "before an hour is over")
            daemon.advance("2026-11-30T00:00:00Z")
            use(tenant, 15510 if "overage" in terms else 7777, gpus=500)
            tenant.call("reservation.cancel", id=2)
            daemon.advance("2027-01-01T00:00:00Z")
            before = period(tenant)
            forecast, billed = before["forecast"], before["billed"]
            daemon.advance(SECOND)
            after = period(tenant)
            equal((after["forecast"], after["pace"]), (None, None), "of a closed period")
            for name in ("consumed", "deferred_out", "waived", "surcharge", "due"):
                equal(after[name], forecast[name], f"{name} with {terms}")
            equal(after["shortfall"], forecast["unmet"])
            equal(after["billed"], after["due"])
            equal(money(micro(after["billed"]) - micro(billed)), forecast["to_bill"], f"billed since then with {terms}")
            equal(period(tenant, SECOND)["credit"], forecast["credit_granted"])
            agree(daemon)


def test_the_pace_of_a_period():
    with Daemon(contract(), clock="2026-10-01T00:00:00Z") as daemon:
        tenant = daemon.tenant("acme")
        # $100 an hour for the first 73 of 8,760 hours: at that pace it is $876,000, where $12,000 are committed.
        tenant.call("reservation.create", pool="hall/a", gpus=100, start=START, hours=73)
        daemon.advance("2026-10-04T01:00:00Z")
        equal(period(tenant)["pace"], {"hours": 8760, "hours_gone": 73, "consumed": "876000.00", "percent": 7300})
        daemon.advance("2027-10-01T00:00:00Z")
        equal(period(tenant, SECOND)["pace"], None)
        daemon.advance("2027-10-01T01:00:00Z")
        # 2027-10-01 to 2028-10-01 has 29 February.
        equal(period(tenant, SECOND)["pace"], {"hours": 8784, "hours_gone": 1, "consumed": "0.00", "percent": 0})
