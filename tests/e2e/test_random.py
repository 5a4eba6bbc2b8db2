"""Random requests of several tenants through time: what is quoted is what is decided, what was live is what is
reloaded, and the socket, the views and the sums agree all along.

The seed is fixed, so that a run can be repeated; E2E_SEED sets another one.
"""

import os
import random

from agreement import agree, pages
from harness import Daemon, check, equal
from manifests import small
from model import hour, hour_text, instant_text, seconds

SEEDS = [int(os.environ["E2E_SEED"])] if os.environ.get("E2E_SEED") else [1, 2, 3]


def manifest():
    """The small one, so tight that refusals are common, with instalments, deferral and credit to settle."""
    result = small()
    acme, beta = result["contracts"]
    acme.update(periods={"annual": "30000.00"}, billing="instalments",
                shortfall={"defer_pct": 15, "defer_until": "last", "then": "credit"})
    beta.update(periods=[{"start": "2026-10-01T00:00:00Z", "commit": "8000.00"},
                         {"start": "2026-12-20T12:00:00Z", "commit": "9000.00"}],
                overage={"limit": "1000.00", "surcharge_pct": 12.5}, cancel={"notice_hours": 24, "late_fee_pct": 33.33})
    return result


class Run:
    def __init__(self, daemon, seed):
        self.daemon = daemon
        self.draw = random.Random(seed)
        self.now = "2026-11-30T12:00:00Z"
        self.clients = {}
        self.refs = 0
        self.done = {}  # client_ref: (tenant, method, params)
        self.outcomes = {"result": 0, "error": 0}
        self.connect()

    def connect(self):
        self.clients = {name: self.daemon.tenant(name, by_token=True) for name in ("acme", "beta")}

    def window(self):
        start = hour(self.now[:13] + ":00:00Z") + self.draw.choice((0, 1, 2, 20, 100, 480, 700, 7300))
        return {"start": hour_text(start), "hours": self.draw.choice((1, 2, 24, 50, 300))}

    def leg(self):
        pool = self.draw.choice(("hall/a", "hall/a", "hall/b"))
        return {"pool": pool, "gpus": (8 if pool == "hall/a" else 1) * self.draw.randint(1, 6), **self.window()}

    def live(self, tenant):
        listed = pages(self.clients[tenant], "reservation.list", "reservations", "id",
                       state=["held", "booked", "active"])
        return [r["id"] for r in listed] or [1]

    def request(self, tenant):
        kind = self.draw.choice(("create",) * 4 + ("hold", "group", "confirm", "cancel", "cancel") + ("change",) * 4)
        if kind in ("create", "hold"):
            more = {"hold_seconds": self.draw.choice((1, 1800, 90000))} if kind == "hold" else {}
            return "reservation.create", {**self.leg(), **more}
        if kind == "group":
            return "reservation.create_group", {"legs": [self.leg() for _ in range(self.draw.randint(2, 4))]}
        target = {"id": self.draw.choice(self.live(tenant))}
        if kind == "change":
            change, found = {}, self.clients[tenant].ask("reservation.get", target).get("result")
            if found:
                begin, end = hour(found["start"]), hour(found["end"])
                unit = 8 if found["pool"] == "hall/a" else 1
                for member, value in (("gpus", unit * self.draw.randint(1, 8)),
                                      ("from", hour_text(self.draw.randint(begin, end))),
                                      ("end", hour_text(self.draw.randint(begin + 1, end + 40))),
                                      ("start", hour_text(self.draw.randint(begin - 5, end + 20)))):
                    if self.draw.random() < 0.4:
                        change[member] = value
            return "reservation.change", {**target, **(change or {"gpus": 8})}
        return f"reservation.{kind}", target

    def decide(self):
        """Quotes, decides, and asks again."""
        tenant = self.draw.choice(("acme", "acme", "beta"))
        client = self.clients[tenant]
        method, params = self.request(tenant)
        quote = client.ask(method, {**params, "dry_run": True})
        self.refs += 1
        params["client_ref"] = f"ref-{self.refs}"
        reply = client.ask(method, params)
        self.outcomes["result" if "result" in reply else "error"] += 1
        if "error" in reply:
            equal(quote.get("error"), reply["error"], f"quote and refusal of {method} {params}")
            return
        check("result" in quote, "the quote was refused, the request was not:", method, params, quote)
        equal(unmarked(quote["result"]), unmarked(reply["result"]), f"quote and decision of {method} {params}")
        again = client.call(method, params)
        equal(again["replayed"], True)
        self.done[params["client_ref"]] = (tenant, method, params)

    def pass_time(self):
        at = seconds(self.now) + self.draw.choice((1, 600, 3600, 3600 * 30, 86400 * 9, 86400 * 31))
        self.now = instant_text(at)
        self.daemon.advance(self.now)

    def come_back(self):
        """What was live is what is reloaded, after a clean stop and after a crash alike."""
        state = self.state()
        if self.draw.random() < 0.5:
            self.daemon.restart()
        else:
            self.daemon.kill().start()
        self.connect()
        equal(self.state(), state, "the book after a restart")
        for tenant, method, params in self.draw.sample(sorted(self.done.values(), key=str), min(5, len(self.done))):
            equal(self.clients[tenant].call(method, params)["replayed"], True, f"replay of {method} {params}")

    def state(self):
        operator = self.daemon.operator()
        return (pages(operator, "reservation.list", "reservations", "id"), operator.call("commitment.status"),
                pages(operator, "statement.list", "transfers", "id"), operator.call("pool.list"),
                [operator.call("pool.calendar", pool=pool, start=self.now[:13] + ":00:00Z", end="2028-12-01T00:00:00Z")
                 for pool in ("hall/a", "hall/b")])


def unmarked(result):
    """A result without what says that it is a quote, and without the name that only the request had."""
    result = {name: value for name, value in result.items() if name not in ("dry_run", "client_ref")}
    if "reservations" in result:
        result["reservations"] = [unmarked(r) for r in result["reservations"]]
    return result


def test_random_requests_through_time():
    for seed in SEEDS:
        with Daemon(manifest()) as daemon:
            run = Run(daemon, seed)
            try:
                for step in range(160):
                    chance = run.draw.random()
                    if chance < 0.86:
                        run.decide()
                    elif chance < 0.97:
                        run.pass_time()
                    else:
                        run.come_back()
                    if step % 20 == 19:
                        agree(daemon)
                daemon.advance("2028-10-01T00:00:00Z")
                agree(daemon)
                closed = daemon.sql("SELECT closed, rest_micro FROM v_due")
                equal({(row["closed"], row["rest_micro"]) for row in closed}, {(1, 0)}, "what is left when all is closed")
            except AssertionError as failure:
                raise AssertionError(f"seed {seed}: {failure}") from failure
            check(min(run.outcomes.values()) > 20, "a useful mix", run.outcomes)
