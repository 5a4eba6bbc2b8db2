"""Bookings: made, quoted, held, changed, cancelled, in groups, and asked for again."""

from agreement import agree
from harness import Daemon, check, equal
from manifests import small
from model import dollars, money

DAY = dict(pool="hall/a", start="2026-12-05T00:00:00Z", hours=24)
PERIOD = "2026-10-01T00:00:00Z"


def standing(client, contract="acme-main", period=PERIOD):
    periods = client.call("commitment.status", contract=contract)["periods"]
    return next(p for p in periods if p["period_start"] == period)


def without(reservation, *names):
    return {name: value for name, value in reservation.items() if name not in names}


def test_a_booking_is_what_was_asked_for():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        booked = acme.call("reservation.create", DAY, gpus=16, project="pretraining", note="row 3", client_ref="a-1")
        # 16 GPUs, 24 hours, $2.00.
        equal(booked, {
            "id": 1, "tenant": "acme", "client_ref": "a-1", "state": "booked", "pool": "hall/a", "gpus": 16,
            "start": "2026-12-05T00:00:00Z", "end": "2026-12-06T00:00:00Z", "tier": "firm", "gpu_hours": 384,
            "cost": "768.00", "fees": "0.00", "hold_expires": None, "wait_until": None, "project": "pretraining",
            "note": "row 3", "group": None, "created": "2026-11-30T12:00:00Z",
            "slices": [{"start": "2026-12-05T00:00:00Z", "end": "2026-12-06T00:00:00Z", "gpus": 16,
                        "price_per_gpu_hour": "2.00", "cost": "768.00", "contract": "acme-main",
                        "period_start": PERIOD}]})
        for way in (dict(id=1), dict(client_ref="a-1")):
            equal(acme.call("reservation.get", way), booked, f"reservation.get {way}")
        equal(acme.call("reservation.list"), {"reservations": [booked], "next": None})
        equal((standing(acme)["encumbered"], standing(acme)["available"]), ("768.00", "1099232.00"))
        agree(daemon)


def test_end_and_hours_and_any_offset_say_the_same():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        given = dict(pool="hall/a", gpus=8, client_ref="same")
        booked = acme.call("reservation.create", given, start="2026-12-05T00:00:00Z", end="2026-12-06T00:00:00Z")
        for start, end in ((dict(start="2026-12-05T05:30:00+05:30"), dict(hours=24)),
                           (dict(start="2026-12-04T19:00:00-05:00"), dict(end="2026-12-06T01:00:00+01:00"))):
            again = acme.call("reservation.create", given, **start, **end)
            equal(again, {**booked, "replayed": True}, "the same request said otherwise")


def test_running_hour_is_paid_whole_and_active_at_once():
    with Daemon(clock="2026-12-01T10:40:00Z") as daemon:
        acme = daemon.tenant("acme")
        booked = acme.call("reservation.create", pool="hall/a", gpus=8, start="2026-12-01T10:00:00Z", hours=2)
        equal((booked["state"], booked["cost"]), ("active", "32.00"))
        acme.refused("invalid_params", "reservation.create", pool="hall/a", gpus=8, start="2026-12-01T09:00:00Z",
                     hours=2)
        # A hold expires at the latest at its start, which has passed.
        acme.refused("invalid_params", "reservation.create", pool="hall/a", gpus=8, start="2026-12-01T10:00:00Z",
                     hours=2, hold_seconds=60)
        agree(daemon)


def test_the_horizon_is_the_farthest_end():
    with Daemon(config={"horizon_years": 1}) as daemon:
        acme = daemon.tenant("acme")
        far = dict(pool="hall/a", gpus=8, start="2027-11-30T00:00:00Z")
        acme.call("reservation.create", far, end="2027-11-30T12:00:00Z")
        data = acme.refused("invalid_params", "reservation.create", far, end="2027-11-30T14:00:00Z")
        check(data.get("member") in ("end", "hours"), "the member is named", data)


def test_cut_at_an_anniversary_and_at_a_rate():
    manifest = small()
    manifest["pools"][0]["rates"].append({"from": "2027-10-03T00:00:00Z", "firm": "2.50"})
    with Daemon(manifest) as daemon:
        acme = daemon.tenant("acme")
        booked = acme.call("reservation.create", pool="hall/a", gpus=8, start="2027-09-30T00:00:00Z", hours=96)
        # 24 hours in the first period, 48 in the second at $2.00, 24 at $2.50.
        parts = [(s["start"], s["end"], s["price_per_gpu_hour"], s["cost"], s["period_start"])
                 for s in booked["slices"]]
        equal(parts, [("2027-09-30T00:00:00Z", "2027-10-01T00:00:00Z", "2.00", "384.00", PERIOD),
                      ("2027-10-01T00:00:00Z", "2027-10-03T00:00:00Z", "2.00", "768.00", "2027-10-01T00:00:00Z"),
                      ("2027-10-03T00:00:00Z", "2027-10-04T00:00:00Z", "2.50", "480.00", "2027-10-01T00:00:00Z")])
        equal((standing(acme)["used"], standing(acme, period="2027-10-01T00:00:00Z")["used"]), ("384.00", "1248.00"))
        agree(daemon)


def test_a_rate_that_changes_later_does_not_move_a_booking():
    manifest = small()
    with Daemon(manifest) as daemon:
        acme = daemon.tenant("acme")
        booked = acme.call("reservation.create", DAY, gpus=8)
        manifest["pools"][0]["rates"] = [{"from": "2026-01-01T00:00:00Z", "firm": "3.00"}]
        daemon.operate("manifest.apply", manifest=manifest)
        equal(acme.call("reservation.get", id=1), booked)
        # Kept hours keep their price, added ones have the new: 8 GPUs for 24 hours at $3.00.
        changed = acme.call("reservation.change", id=1, end="2026-12-07T00:00:00Z")
        equal((changed["cost"], changed["added"]), ("960.00", "576.00"))
        agree(daemon)


def test_dry_runs_change_nothing_and_say_what_would_be():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        acme.call("reservation.create", DAY, gpus=8)
        acme.call("reservation.create", DAY, gpus=8, hold_seconds=3600)
        legs = [dict(DAY, gpus=8), dict(DAY, gpus=16)]
        requests = [("reservation.create", dict(DAY, gpus=8)),
                    ("reservation.create", dict(DAY, gpus=8, hold_seconds=60)),
                    ("reservation.create_group", dict(legs=legs)),
                    ("reservation.confirm", dict(id=2)),
                    ("reservation.change", dict(id=1, gpus=24)),
                    ("reservation.change", dict(id=1, start="2026-12-09T00:00:00Z")),
                    ("reservation.cancel", dict(id=1)),
                    ("reservation.cancel", dict(id=2))]
        operator = daemon.operator()
        operators = [("manifest.apply", dict(manifest={"version": 1, "sites": [{"site": "other"}]})),
                     ("capacity.change", dict(pool="hall/a", kind="growth", gpus=8, start="2026-12-05T00:00:00Z")),
                     ("tenant.suspend", dict(tenant="acme")), ("tenant.resume", dict(tenant="acme")),
                     ("token.create", dict(label="t", tenant="acme")),
                     ("server.backup", dict(name="b.db")),
                     ("clock.advance", dict(to="2027-05-01T00:00:00Z"))]
        daemon.operate("token.create", label="there", tenant="acme")
        operators.append(("token.revoke", dict(label="there")))
        views = ["v_reservation", "v_commitment", "v_due", "v_capacity", "v_statement", "v_trial_balance", "v_now"]
        before = {view: daemon.sql(f"SELECT * FROM {view}") for view in views}
        with daemon.unchanged("a dry run"):
            quotes = [acme.call(method, params, dry_run=True) for method, params in requests]
            for method, params in operators:
                equal(operator.call(method, params, dry_run=True)["dry_run"], True, method)
        for view in views:
            equal(daemon.sql(f"SELECT * FROM {view}"), before[view], view)
        check(not (daemon.ledger.parent / "backups" / "b.db").exists(), "a dry run has made a backup")
        check("token" not in operator.call("token.create", label="t", tenant="acme", dry_run=True), "a token was shown")
        # What was quoted is what is decided. (The rest of the quotes start from a changed state.)
        for index in (0, 4, 6):
            with Daemon() as other:
                again = other.tenant("acme")
                again.call("reservation.create", DAY, gpus=8)
                again.call("reservation.create", DAY, gpus=8, hold_seconds=3600)
                equal(again.call(*requests[index]), without(quotes[index], "dry_run"), requests[index][0])
        agree(daemon)


def test_a_hold_is_confirmed():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        held = acme.call("reservation.create", DAY, gpus=64, hold_seconds=3600)
        equal((held["state"], held["hold_expires"]), ("held", "2026-11-30T13:00:00Z"))
        # It takes capacity and commitment like a booking.
        acme.refused("capacity_exceeded", "reservation.create", DAY, gpus=8)
        equal(standing(acme)["encumbered"], "3072.00")
        booked = acme.call("reservation.confirm", id=1, client_ref="yes")
        equal((booked["state"], booked["hold_expires"]), ("booked", None))
        equal(acme.call("reservation.confirm", id=1, client_ref="yes"), {**booked, "replayed": True})
        equal(acme.refused("invalid_state", "reservation.confirm", id=1)["state"], "booked")
        daemon.advance("2026-11-30T14:00:00Z")
        equal(acme.call("reservation.get", id=1)["state"], "booked")
        agree(daemon)


def test_a_hold_expires_and_gives_everything_back():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        acme.call("reservation.create", DAY, gpus=64, hold_seconds=3600)
        daemon.advance("2026-11-30T12:59:59Z")
        acme.refused("capacity_exceeded", "reservation.create", DAY, gpus=8)
        daemon.advance("2026-11-30T13:00:00Z")
        expired = acme.call("reservation.get", id=1)
        equal((expired["state"], expired["gpu_hours"], expired["cost"]), ("expired", 0, "0.00"))
        equal(standing(acme)["encumbered"], "0.00")
        acme.refused("expired", "reservation.confirm", id=1)
        acme.refused("expired", "reservation.cancel", id=1)
        acme.refused("expired", "reservation.change", id=1, gpus=8)
        acme.call("reservation.create", DAY, gpus=64)
        events = [e for e in acme.call("event.list", limit=1000)["events"] if e["type"] == "reservation.expired"]
        equal([(e["at"], e["actor"], e["reservation"]) for e in events], [("2026-11-30T13:00:00Z", "clock", 1)])
        agree(daemon)


def test_a_hold_expires_at_its_start_at_the_latest():
    with Daemon(config={"hold_seconds_max": 7200}) as daemon:
        acme = daemon.tenant("acme")
        held = acme.call("reservation.create", pool="hall/a", gpus=8, start="2026-11-30T13:00:00Z", hours=1,
                         hold_seconds=7200)
        equal(held["hold_expires"], "2026-11-30T13:00:00Z")
        acme.refused("invalid_params", "reservation.create", DAY, gpus=8, hold_seconds=7201)
        daemon.advance("2026-11-30T13:00:00Z")
        equal(acme.call("reservation.get", id=1)["state"], "expired")


def test_cancel_on_time_is_free():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        acme.call("reservation.create", DAY, gpus=8)
        # 2026-12-05 is 108 hours off, and notice is 72.
        cancelled = acme.call("reservation.cancel", id=1)
        equal((cancelled["state"], cancelled["released"], cancelled["fee"], cancelled["cost"], cancelled["slices"]),
              ("cancelled", "384.00", "0.00", "0.00", []))
        equal((cancelled["start"], cancelled["end"], cancelled["gpus"]),
              ("2026-12-05T00:00:00Z", "2026-12-06T00:00:00Z", 8))
        equal(acme.refused("invalid_state", "reservation.cancel", id=1)["state"], "cancelled")
        equal(standing(acme)["used"], "0.00")
        agree(daemon)


def test_cancel_late_costs_half_of_the_late_hours():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        acme.call("reservation.create", DAY, gpus=8)
        daemon.advance("2026-12-02T06:00:00Z")
        # Hours before 2026-12-05T06:00 have less than 72 hours' notice: 6 of 24; half of 6 × 8 × $2.00 is $48.
        quote = acme.call("reservation.cancel", id=1, dry_run=True)
        cancelled = acme.call("reservation.cancel", id=1)
        equal(without(quote, "dry_run"), cancelled)
        equal((cancelled["released"], cancelled["fee"], cancelled["fees"]), ("384.00", "48.00", "48.00"))
        # A fee is outside floor and authority.
        period = standing(acme)
        equal((period["used"], period["fees"], period["available"]), ("0.00", "48.00", "1100000.00"))
        agree(daemon)


def test_cancel_in_the_middle_keeps_what_was_delivered():
    for minute, released_hours in (("00", 20), ("01", 19), ("59", 19)):
        with Daemon() as daemon:
            acme = daemon.tenant("acme")
            acme.call("reservation.create", DAY, gpus=8)
            daemon.advance(f"2026-12-05T04:{minute}:00Z")
            cancelled = acme.call("reservation.cancel", id=1)
            # From the next whole hour on; exactly on the hour that one too. All of it is late: half.
            released = released_hours * 8 * dollars(2)
            equal((cancelled["released"], cancelled["fee"]), (money(released), money(released // 2)))
            equal((cancelled["gpu_hours"], cancelled["state"]), ((24 - released_hours) * 8, "cancelled"))
            daemon.advance("2026-12-07T00:00:00Z")
            equal(standing(acme)["consumed"], money((24 - released_hours) * 8 * dollars(2)))
            agree(daemon)


def test_an_operator_waives_a_fee_with_a_reason():
    with Daemon() as daemon:
        acme, operator = daemon.tenant("acme"), daemon.operator()
        acme.call("reservation.create", DAY, gpus=8)
        daemon.advance("2026-12-04T00:00:00Z")
        acme.refused("forbidden", "reservation.cancel", id=1, waive_fee=True, reason="please")
        operator.refused("invalid_params", "reservation.cancel", id=1, tenant="acme", waive_fee=True)
        cancelled = operator.call("reservation.cancel", id=1, tenant="acme", waive_fee=True, reason="a power cut")
        equal((cancelled["released"], cancelled["fee"]), ("384.00", "0.00"))
        event = acme.call("event.list", limit=1000)["events"][-1]
        equal((event["type"], event["actor"], event["tenant"]), ("reservation.cancelled", operator.actor, "acme"))
        check("a power cut" in str(event["data"]), "the reason is kept", event)
        agree(daemon)


def test_cancelling_a_hold_is_free():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        held = acme.call("reservation.create", pool="hall/a", gpus=8, start="2026-12-01T00:00:00Z", hours=24,
                         hold_seconds=3600)
        cancelled = acme.call("reservation.cancel", id=held["id"])
        equal((cancelled["state"], cancelled["released"], cancelled["fee"]), ("cancelled", "384.00", "0.00"))
        agree(daemon)


def test_changes():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        acme.call("reservation.create", DAY, gpus=8)

        def change(**params):
            changed = acme.call("reservation.change", id=1, **params)
            return tuple(changed[name] for name in ("start", "end", "gpus", "cost", "added", "released", "fee"))

        fifth, sixth, seventh = "2026-12-05T00:00:00Z", "2026-12-06T00:00:00Z", "2026-12-07T00:00:00Z"
        # Extend by a day: 8 × 24 × $2.00 more.
        equal(change(end=seventh), (fifth, seventh, 8, "768.00", "384.00", "0.00", "0.00"))
        # Grow by 16 from the second day on.
        equal(change(from_=sixth, gpus=24), (fifth, seventh, 8, "1536.00", "768.00", "0.00", "0.00"))
        # Shrink all of it to 8: what was added last goes first.
        equal(change(gpus=8), (fifth, seventh, 8, "768.00", "0.00", "768.00", "0.00"))
        # Shorten.
        equal(change(end=sixth), (fifth, sixth, 8, "384.00", "0.00", "384.00", "0.00"))
        # Move, keeping the length.
        eighth, ninth = "2026-12-08T00:00:00Z", "2026-12-09T00:00:00Z"
        moved = change(start=eighth)
        equal(moved[:4], (eighth, ninth, 8, "384.00"))
        agree(daemon)
        # Move and resize at once, over its own old window.
        changed = change(start="2026-12-08T12:00:00Z", end="2026-12-09T12:00:00Z", gpus=64)
        equal(changed[:4], ("2026-12-08T12:00:00Z", "2026-12-09T12:00:00Z", 64, "3072.00"))
        agree(daemon)


def test_a_change_happens_whole_or_not_at_all():
    with Daemon() as daemon:
        acme, beta = daemon.tenant("acme"), daemon.tenant("beta")
        acme.call("reservation.create", DAY, gpus=32)
        beta.call("reservation.create", pool="hall/a", gpus=40, start="2026-12-06T00:00:00Z", hours=24)
        with daemon.unchanged("a refused change"):
            # Growing fits on the first day; the day it is extended by has 24 free.
            data = acme.refused("capacity_exceeded", "reservation.change", id=1, gpus=40, end="2026-12-07T00:00:00Z")
            equal((data["free"], data["first_short"]), (24, "2026-12-06T00:00:00Z"))
            acme.refused("capacity_exceeded", "reservation.change", id=1, start="2026-12-05T01:00:00Z")
            acme.refused("invalid_params", "reservation.change", id=1, gpus=12)
            acme.refused("invalid_params", "reservation.change", id=1)
            acme.refused("invalid_params", "reservation.change", id=1, end="2026-12-05T00:00:00Z")
        agree(daemon)


def test_changing_what_runs():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        acme.call("reservation.create", DAY, gpus=16)
        daemon.advance("2026-12-05T06:30:00Z")
        # Delivered hours, and the running one, stay.
        changed = acme.call("reservation.change", id=1, gpus=8)
        # 17 hours from 07:00 on with 8 fewer: $272 given back, all of it late.
        equal((changed["released"], changed["fee"]), ("272.00", "136.00"))
        equal((changed["gpu_hours"], changed["gpus"]), (7 * 16 + 17 * 8, 16))
        acme.refused("invalid_params", "reservation.change", id=1, from_="2026-12-05T06:00:00Z", gpus=8)
        refusal = acme.ask("reservation.change", id=1, start="2026-12-08T00:00:00Z")
        check("error" in refusal, "what runs was moved", refusal)
        acme.call("reservation.change", id=1, end="2026-12-08T00:00:00Z")
        daemon.advance("2026-12-05T07:00:00Z")
        equal(acme.call("reservation.get", id=1)["gpus"], 8)
        daemon.advance("2026-12-08T00:00:00Z")
        equal(acme.refused("invalid_state", "reservation.change", id=1, gpus=8)["state"], "completed")
        agree(daemon)


def test_groups_are_booked_confirmed_and_cancelled_together_or_singly():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        legs = [dict(DAY, gpus=8), dict(DAY, gpus=16, project="x"),
                dict(pool="hall/b", gpus=3, start="2026-12-12T00:00:00Z", hours=2)]
        acme.call("reservation.create", DAY, gpus=8)
        group = acme.call("reservation.create_group", legs=legs, hold_seconds=3600, client_ref="g")
        equal((group["group"], [r["id"] for r in group["reservations"]]), (2, [2, 3, 4]))
        equal([(r["state"], r["cost"], r["group"], r["project"]) for r in group["reservations"]],
              [("held", "384.00", 2, None), ("held", "768.00", 2, "x"), ("held", "9.00", 2, None)])
        equal(acme.call("reservation.create_group", legs=legs, hold_seconds=3600, client_ref="g"),
              {**group, "replayed": True})
        equal(acme.call("reservation.get", group=2), group)
        equal(acme.call("reservation.get", client_ref="g"), group)
        acme.refused("not_found", "reservation.get", group=3)
        acme.refused("not_found", "reservation.get", group=1)
        single = acme.call("reservation.confirm", id=3)
        equal((single["state"], single["id"]), ("booked", 3))
        # One of them is booked already: a confirmation of all is no longer possible, or completes the rest.
        reply = acme.ask("reservation.confirm", group=2)
        if "error" in reply:
            equal(reply["error"]["data"]["kind"], "invalid_state")
            acme.call("reservation.confirm", id=2)
            acme.call("reservation.confirm", id=4)
        equal([r["state"] for r in acme.call("reservation.get", group=2)["reservations"]], ["booked"] * 3)
        agree(daemon)
        daemon.advance("2026-12-04T00:00:00Z")
        quote = acme.call("reservation.cancel", group=2, dry_run=True)
        cancelled = acme.call("reservation.cancel", group=2, client_ref="gc")
        equal(without(quote, "dry_run"), cancelled)
        # The two legs in hall/a are late by less than 72 hours throughout: half of $1,152; hall/b is 192 hours off.
        equal((cancelled["released"], cancelled["fee"]), ("1161.00", "576.00"))
        equal([r["state"] for r in cancelled["reservations"]], ["cancelled"] * 3)
        equal(acme.call("reservation.get", id=1)["state"], "booked")
        acme.refused("invalid_state", "reservation.cancel", group=2)
        replayed = acme.call("reservation.cancel", group=2, client_ref="gc")
        equal([r["state"] for r in replayed["reservations"]], ["cancelled"] * 3)
        agree(daemon)


def test_a_group_is_all_or_nothing_and_the_refusal_names_the_leg():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        fits = dict(DAY, gpus=40)
        with daemon.unchanged("a refused group"):
            # Either would fit by itself; together they need 80 of 64.
            data = acme.refused("capacity_exceeded", "reservation.create_group", legs=[fits, fits])
            equal((data["leg"], data["free"]), (1, 24))
            data = acme.refused("no_contract", "reservation.create_group",
                                legs=[fits, dict(fits, start="2028-12-05T00:00:00Z")])
            equal((data["leg"], data["first_uncovered"]), (1, "2028-12-05T00:00:00Z"))
            data = acme.refused("no_rate", "reservation.create_group",
                                legs=[fits, dict(pool="hall/b", gpus=1, start="2026-12-09T23:00:00Z", hours=3)])
            equal((data["leg"], data["first_unrated"]), (1, "2026-12-09T23:00:00Z"))
            data = acme.refused("not_found", "reservation.create_group", legs=[fits, dict(fits, pool="hall/c")])
            equal(data["leg"], 1)
            data = acme.refused("invalid_params", "reservation.create_group", legs=[fits, dict(fits, gpus=12)])
            equal(data["member"], "legs[1].gpus")
            for count in (0, 1, 65):
                acme.refused("invalid_params", "reservation.create_group", legs=[dict(DAY, gpus=8)] * count)
        group = acme.call("reservation.create_group",
                          legs=[dict(pool="hall/b", gpus=1, start="2026-12-12T00:00:00Z", hours=1)] * 64)
        equal(len(group["reservations"]), 64)
        agree(daemon)


def test_a_group_that_is_too_dear_names_the_leg():
    with Daemon() as daemon:
        beta = daemon.tenant("beta")
        # $10,000.00: the first leg takes $6,144.00 (64 × 48 × $2.00), the second needs as much.
        first = dict(pool="hall/a", gpus=64, start="2026-12-05T00:00:00Z", hours=48)
        second = dict(first, start="2026-12-08T00:00:00Z")
        data = beta.refused("commitment_exceeded", "reservation.create_group", legs=[first, second])
        equal((data["leg"], data["contract"], data["period_start"]), (1, "beta-main", PERIOD))


# ---- Asking again


def test_replays_show_the_thing_as_it_is_now():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        request = dict(DAY, gpus=8, client_ref="once")
        booked = acme.call("reservation.create", request)
        with daemon.unchanged("a replay"):
            equal(acme.call("reservation.create", request), {**booked, "replayed": True})
            equal(acme.call("reservation.create", request, tier="firm", hold_seconds=None),
                  {**booked, "replayed": True}, "what is the default anyway")
        changed = acme.call("reservation.change", id=1, gpus=16, client_ref="grow")
        now = without(changed, "added", "released", "fee")
        equal(acme.call("reservation.create", request), {**now, "replayed": True})
        replayed = acme.call("reservation.change", id=1, gpus=16, client_ref="grow")
        equal(without(replayed, "added", "released", "fee"), {**now, "replayed": True})
        acme.call("reservation.cancel", id=1, client_ref="stop")
        with daemon.unchanged("a replay"):
            for method, params in (("reservation.create", request),
                                   ("reservation.change", dict(id=1, gpus=16, client_ref="grow")),
                                   ("reservation.cancel", dict(id=1, client_ref="stop"))):
                again = acme.call(method, params)
                equal((again["state"], again["replayed"], again["id"]), ("cancelled", True, 1), method)
        agree(daemon)


def test_the_same_client_ref_for_another_request_is_a_conflict():
    with Daemon() as daemon:
        acme, beta = daemon.tenant("acme"), daemon.tenant("beta")
        acme.call("reservation.create", DAY, gpus=8, client_ref="mine")
        with daemon.unchanged("a conflict"):
            acme.refused("conflict", "reservation.create", DAY, gpus=16, client_ref="mine")
            acme.refused("conflict", "reservation.create", DAY, gpus=8, note="other", client_ref="mine")
            acme.refused("conflict", "reservation.create", dict(DAY, hours=25), gpus=8, client_ref="mine")
            acme.refused("conflict", "reservation.create", DAY, gpus=8, hold_seconds=60, client_ref="mine")
            acme.refused("conflict", "reservation.cancel", id=1, client_ref="mine")
        # Each tenant has its own names, and so has the operators' side.
        beta.call("reservation.create", DAY, gpus=8, client_ref="mine")
        daemon.operate("tenant.suspend", tenant="gamma", client_ref="mine")
        daemon.operator().refused("conflict", "tenant.suspend", tenant="beta", client_ref="mine")
        agree(daemon)


def test_a_refused_request_leaves_no_trace_of_its_client_ref():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        with daemon.unchanged("a refused request"):
            acme.refused("capacity_exceeded", "reservation.create", DAY, gpus=72, client_ref="again")
            acme.refused("not_found", "reservation.get", client_ref="again")
        booked = acme.call("reservation.create", DAY, gpus=8, client_ref="again")
        check("replayed" not in booked, "it was never done before", booked)


def test_a_dry_run_does_not_use_up_its_client_ref():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        acme.call("reservation.create", DAY, gpus=8, client_ref="r", dry_run=True)
        booked = acme.call("reservation.create", DAY, gpus=16, client_ref="r")
        check("replayed" not in booked, "a dry run is no request", booked)


def test_replays_after_a_restart_and_after_the_end():
    with Daemon() as daemon:
        acme = daemon.tenant("acme", by_token=True)
        requests = [("reservation.create", dict(DAY, gpus=8, client_ref="one")),
                    ("reservation.create_group", dict(legs=[dict(DAY, gpus=8)] * 2, client_ref="two")),
                    ("reservation.change", dict(id=1, end="2026-12-07T00:00:00Z", client_ref="three")),
                    ("reservation.create", dict(DAY, gpus=8, hold_seconds=60, client_ref="four")),
                    ("reservation.cancel", dict(id=3, client_ref="five"))]
        for method, params in requests:
            acme.call(method, params)
        operators = [("tenant.suspend", dict(tenant="gamma", client_ref="o-1")),
                     ("token.create", dict(label="other", tenant="beta", client_ref="o-2")),
                     ("capacity.change", dict(pool="hall/a", kind="growth", gpus=8, start="2027-01-01T00:00:00Z",
                                              client_ref="o-3")),
                     ("server.backup", dict(name="one.db", client_ref="o-4")),
                     ("manifest.apply", dict(manifest={"version": 1, "sites": [{"site": "other"}]},
                                             client_ref="o-5")),
                     ("token.revoke", dict(label="other", client_ref="o-6")),
                     ("tenant.resume", dict(tenant="gamma", client_ref="o-7"))]
        for method, params in operators:
            daemon.operate(method, params)
        daemon.restart()

        def replay(states):
            client = daemon.tenant("acme", by_token=True)
            with daemon.unchanged("a replay"):
                for (method, params), state in zip(requests, states):
                    again = client.call(method, params)
                    check(again.get("replayed") is True, method, again)
                    found = [r["state"] for r in again["reservations"]] if "group" in params or "legs" in params \
                        else again["state"]
                    equal(found, state, f"state after a replay of {method}")
                for method, params in operators:
                    again = daemon.operate(method, params)
                    check(again.get("replayed") is True, method, again)
                    check("token" not in again, "a token was shown twice")

        replay(["booked", ["booked", "cancelled"], "booked", "held", "cancelled"])
        daemon.advance("2027-01-05T00:00:00Z")
        replay(["completed", ["completed", "cancelled"], "completed", "expired", "cancelled"])
        daemon.restart()
        replay(["completed", ["completed", "cancelled"], "completed", "expired", "cancelled"])
        daemon.tenant("acme", by_token=True).refused("conflict", "reservation.create", DAY, gpus=16, client_ref="one")
        agree(daemon)
