"""Offers and plans: what is proposed is what is booked, for that price."""

from agreement import agree
from harness import Daemon, check, equal
from manifests import contract, small
from test_cli import Shell

NOW = "2026-11-30T12:00:00Z"


def requests(found):
    return [(o["request"]["pool"], o["request"]["gpus"], o["request"]["start"], o["cost"]) for o in found]


def test_what_is_offered_is_booked_for_that_price():
    with Daemon() as daemon:
        acme, beta = daemon.tenant("acme"), daemon.tenant("beta")
        beta.call("reservation.create", pool="hall/a", gpus=56, start=NOW, hours=36)
        with daemon.unchanged("a search"):
            found = acme.call("offer.search", gpus=20, hours=24, latest_end="2026-12-15T00:00:00Z")
        # hall/a rounds 20 up to 24 and is booked until the 2nd; hall/b has no price before the 10th.
        equal(requests(found["offers"])[:2], [("hall/a", 24, "2026-12-02T00:00:00Z", "1152.00"),
                                              ("hall/a", 24, "2026-12-03T00:00:00Z", "1152.00")])
        equal((found["near_misses"], found["searched_until"]), ([], None))
        cheapest = acme.call("offer.search", gpus=20, hours=24, latest_end="2026-12-15T00:00:00Z", order="cheapest",
                             limit=3)["offers"]
        equal(requests(cheapest), [("hall/b", 20, "2026-12-10T00:00:00Z", "720.00"),
                                   ("hall/b", 20, "2026-12-11T00:00:00Z", "720.00"),
                                   ("hall/b", 20, "2026-12-12T00:00:00Z", "720.00")])
        for offer in (found["offers"][0], cheapest[0]):
            booked = acme.call("reservation.create", offer["request"])
            equal(booked["cost"], offer["cost"])
            period = acme.call("commitment.status", contract="acme-main", at=NOW)["periods"][0]
            left = offer["commitment"]["periods"][0]
            equal(left["cost"], offer["cost"])
            if offer is found["offers"][0]:
                equal((left["available_after"], left["shortfall_after"]), (period["available"], period["shortfall"]))
                equal(offer["commitment"]["available_after"], period["available"])
        agree(daemon)


def test_an_offer_that_is_gone_is_refused():
    with Daemon() as daemon:
        acme, beta = daemon.tenant("acme"), daemon.tenant("beta")
        offer = acme.call("offer.search", gpus=40, hours=2, pools=["hall/a"], limit=1)["offers"][0]
        beta.call("reservation.create", offer["request"])
        with daemon.unchanged("what was offered to two"):
            acme.refused("capacity_exceeded", "reservation.create", offer["request"])
        again = acme.call("offer.search", gpus=40, hours=2, pools=["hall/a"], limit=1)["offers"][0]
        acme.call("reservation.create", again["request"])


def test_what_comes_nearest_can_be_booked_too():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        acme.call("reservation.create", pool="hall/a", gpus=40, start="2026-12-01T00:00:00Z", hours=10)
        ask = dict(gpus=30, hours=20, gpu="H100", sites=["hall"], latest_end="2026-12-01T16:00:00Z")
        found = acme.call("offer.search", ask)
        equal(found["offers"], [])
        equal([(m["lacks"], m["request"]["gpus"], m["request"]["start"], m["request"]["end"])
               for m in found["near_misses"]],
              [({"hours": 8}, 32, NOW, "2026-12-01T00:00:00Z"),
               ({"gpus": 6}, 24, NOW, "2026-12-01T08:00:00Z"),
               ({"hours_after": 14}, 32, "2026-12-01T10:00:00Z", "2026-12-02T06:00:00Z")])
        for miss in found["near_misses"]:
            quote = acme.call("reservation.create", miss["request"], dry_run=True)
            equal(quote["cost"], miss["cost"])


def test_rules_bound_what_is_offered():
    with Daemon() as daemon:
        operator, acme, beta, gamma = (daemon.operator(), daemon.tenant("acme"), daemon.tenant("beta"),
                                       daemon.tenant("gamma"))
        # $10,000 are 104 hours of 48 GPUs at $2.00, and no contract covers hall/b.
        found = beta.call("offer.search", gpus=48, hours=105)
        equal((found["offers"], [m["lacks"] for m in found["near_misses"]]), ([], [{"hours": 1}, {"gpus": 8}]))
        beta.call("reservation.create", found["near_misses"][0]["request"])
        # Who has no contract can book nothing.
        equal(gamma.call("offer.search", gpus=1, hours=1), {"offers": [], "near_misses": [], "searched_until": None})
        # No rate of that tier.
        equal(acme.call("offer.search", gpus=8, hours=1, tier="preemptible")["offers"], [])
        operator.call("tenant.suspend", tenant="acme")
        acme.refused("tenant_suspended", "offer.search", gpus=8, hours=1)


def test_bad_searches():
    with Daemon() as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme")
        for member, wrong in [("gpus", 0), ("hours", 0), ("limit", 51), ("limit", 0), ("order", "best"),
                              ("tier", "gold"), ("pools", []), ("pools", "hall/a"), ("pools", [7]), ("sites", [""]),
                              ("earliest", "2026-12-01T00:30:00Z"), ("start", "2026-12-01T00:00:00Z")]:
            acme.refused("invalid_params", "offer.search", {"gpus": 8, "hours": 1, member: wrong})
        acme.refused("invalid_params", "offer.search", gpus=8)
        acme.refused("invalid_params", "offer.search", gpus=8, hours=1, earliest="2026-12-02T00:00:00Z",
                     latest_end="2026-12-02T00:00:00Z")
        acme.refused("not_found", "offer.search", gpus=8, hours=1, pools=["hall/a", "hall/z"])
        acme.refused("not_found", "offer.search", gpus=8, hours=1, sites=["elsewhere"])
        acme.refused("not_found", "offer.search", gpus=8, hours=1, gpu="MI300X")
        acme.refused("not_found", "offer.search", gpus=8, hours=1, tenant="beta")
        # An offer is for somebody, and what an operator is offered names whom.
        operator.refused("invalid_params", "offer.search", gpus=8, hours=1)
        offer = operator.call("offer.search", gpus=8, hours=1, tenant="acme", limit=1)["offers"][0]
        equal(offer["request"]["tenant"], "acme")
        equal(operator.call("reservation.create", offer["request"])["tenant"], "acme")
        # Beyond what any pool can be asked for.
        most = acme.call("offer.search", gpus=2147483647, hours=2147483647)
        equal((most["offers"], most["near_misses"]), ([], []))


def test_a_plan_uses_the_shortfall_up():
    with Daemon(contract(commit="400000.00", overage={"limit_pct": 10})) as daemon:
        acme = daemon.tenant("acme")
        with daemon.unchanged("a plan"):
            plan = acme.call("commitment.plan")
        # 7,308 hours are left of the year at $1.00: 55 GPUs; and 400 hours of all 1,000.
        equal((plan["contract"], plan["shortfall"], plan["last_chance"]),
              ("acme-main", "400000.00", "2027-09-14T08:00:00Z"))
        equal(requests(plan["offers"]), [("hall/a", 55, NOW, f"{55 * 7308}.00")])
        equal(plan["offers"][0]["commitment"]["periods"][0]["shortfall_after"], "0.00")
        acme.call("reservation.create", plan["offers"][0]["request"])
        done = acme.call("commitment.plan", contract="acme-main")
        equal((done["shortfall"], done["last_chance"], done["offers"]), ("0.00", None, []))
        # The second year is planned for when it runs.
        daemon.advance("2028-09-30T00:00:00Z")
        late = daemon.tenant("acme").call("commitment.plan")
        equal((late["period_start"], late["shortfall"], late["last_chance"]),
              ("2027-10-01T00:00:00Z", "400000.00", None))
        equal(requests(late["offers"]), [("hall/a", 1000, "2028-09-30T00:00:00Z", "24000.00")])
        equal(late["offers"][0]["commitment"]["periods"][0]["shortfall_after"], "376000.00")
        daemon.advance("2028-10-01T00:00:00Z")
        acme = daemon.tenant("acme")
        acme.refused("invalid_state", "commitment.plan", contract="acme-main")
        acme.refused("invalid_state", "commitment.plan")
        agree(daemon)


def test_which_contract_is_planned_for():
    manifest = small()
    manifest["contracts"] += [
        {"contract": "beta-second", "tenant": "beta", "pools": ["hall/b"], "start": "2026-11-01T00:00:00Z",
         "end": "2027-11-01T00:00:00Z", "periods": {"annual": "1000.00"}},
        {"contract": "acme-next", "tenant": "acme", "start": "2028-10-01T00:00:00Z", "end": "2029-10-01T00:00:00Z",
         "periods": {"annual": "1000.00"}}]
    with Daemon(manifest) as daemon:
        operator, acme, beta = daemon.operator(), daemon.tenant("acme"), daemon.tenant("beta")
        beta.refused("invalid_params", "commitment.plan")
        # hall/b has no price before the 10th of December, so nothing can be booked from now on.
        second = beta.call("commitment.plan", contract="beta-second")
        equal((second["shortfall"], second["offers"], second["last_chance"]),
              ("1000.00", [], "2027-10-31T17:00:00Z"))
        # Without overage 1 unit of 8 is too much of what is left to be spent: nothing can be booked so long.
        equal(beta.call("commitment.plan", contract="beta-main", pools=["hall/a"])["offers"], [])
        equal(acme.call("commitment.plan", pools=["hall/b"])["offers"], [])
        acme.refused("not_found", "commitment.plan", contract="beta-main")
        acme.refused("not_found", "commitment.plan", pools=["hall/z"])
        acme.refused("invalid_state", "commitment.plan", contract="acme-next")
        daemon.tenant("gamma").refused("invalid_state", "commitment.plan")
        operator.refused("invalid_params", "commitment.plan")
        plan = operator.call("commitment.plan", contract="acme-main")
        equal(plan["offers"][0]["request"]["tenant"], "acme")
        operator.call("reservation.create", plan["offers"][0]["request"], dry_run=True)


def test_offers_and_plans_as_tables():
    with Daemon() as daemon:
        acme = Shell(daemon, "acme")
        out, err = acme.run("offers", "20", "--for", "1d", "--pools", "hall/a,hall/b", "--earliest", "2026-12-10",
                            "--latest-end", "2026-12-12", "--order", "cheapest", "--limit", "2")
        rows = [line.split() for line in out.splitlines()]
        equal((rows[0][0], len(rows)), ("POOL", 3))
        equal(rows[1][:3] + rows[1][5:6], ["hall/b", "20", "2026-12-10T00:00:00Z", "$720.00"])
        equal(err, "")
        out, err = acme.run("offers", "65", "--for", "1d", "--gpu", "H100", "--sites", "hall", "--latest-end", "+3d")
        check("Nothing fits" in err and "1 GPU too few" in out and "LACKS" in out, "a near miss", out, err)
        equal(len(acme.json("offers", "8", "--for", "1d", "--tier", "firm")["offers"]), 10)
        acme.run("offers", "8", status=2)
        acme.run("offers", "8", "--for", "1d", "--sites", "hall,", status=2)
        out, _ = acme.run("plan")
        check("shortfall" in out and "last_chance" in out and "SHORTFALL_AFTER" in out, "a plan", out)
        equal(acme.json("plan", "acme-main", "--pools", "hall/a")["contract"], "acme-main")
        acme.run("plan", "beta-main", status=1)
