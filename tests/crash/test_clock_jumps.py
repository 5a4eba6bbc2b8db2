"""Steps of the system's clock: what is due falls due once, and never before its time.

The shim moves the clock that the daemon sees and, as the kernel does, ends the wait of its timer. No request is sent
while something is to fall due, so that it is the timer that must see it: a client waits for events.
"""

import random
import signal
import time

from load import manifest
from rig import Rig, check, equal, hour_text, instant_text, scale, seconds, seed

HOUR, DAY = 3600, 86400
MONTH = 30 * DAY


def dated(now):
    """The load's manifest around the present, which is the system's."""
    plain = manifest()
    start = hour_text(now // HOUR - 24 * 400)
    for pool in plain["pools"]:
        for row in pool["capacity"] + pool["rates"]:
            row["from"] = start
    for contract in plain["contracts"]:
        contract.update(start=start, end=hour_text(now // HOUR + 24 * 3000))
    return plain


class Times:
    """A daemon on the system's clock, its operator, and what it has told of events."""

    def __init__(self, rig):
        self.rig = rig
        self.operator = rig.operator()
        self.last = 0
        self.events = []
        self.latest = 0  # the book's time, never to be less again

    def now(self):
        now = seconds(self.operator.call("server.ping")["now"])
        check(now >= self.latest, "the book's time went back from", instant_text(self.latest), "to", instant_text(now))
        self.latest = now
        return now

    def book(self, **more):
        start = hour_text(self.now() // HOUR + 24 * 200)
        return self.operator.call("reservation.create", {"tenant": "acme", "pool": "hall/a", "gpus": 1, "start": start,
                                                         "hours": 1, **more})

    def take(self, page):
        self.events += page["events"]
        self.last = page["events"][-1]["seq"] if page["events"] else self.last
        return page["next"]

    def read(self):
        while self.take(self.operator.call("event.list", after=self.last, limit=1000)) is not None:
            pass

    def step_until(self, by, kind, reservation):
        """Waits for events, then steps the clock: the timer alone can wake the daemon, and the event must be told."""
        self.read()
        check(not self.told(kind, reservation), kind, "before its time")
        waiting = self.rig.operator()
        waiting.send("event.list", after=self.last, limit=1000, wait_seconds=60)
        self.now()  # by then the other request has been read
        self.step(by)
        self.take(waiting.reply()["result"])
        waiting.close()
        equal(len(self.told(kind, reservation)), 1, f"how often {reservation} was told as {kind}")

    def told(self, kind, reservation):
        return [e for e in self.events if e["type"] == kind and e["reservation"] == reservation]

    def state(self, identity):
        return self.operator.call("reservation.get", id=identity)["state"]

    def step(self, by):
        self.rig.control(clock=self.rig.shim("clock") + by)

    def reconnected(self):
        self.operator = self.rig.operator()


def test_a_hold_expires_once_and_not_early():
    """Forward over its end, back by a month, and forward again."""
    with Rig(dated(int(time.time())), clock="system", moves_clock=True) as rig:
        times = Times(rig)
        hold = times.book(hold_seconds=DAY)["id"]
        times.read()
        times.step(DAY - 600)
        equal(times.state(hold), "held", "a hold ten minutes before its end")
        times.step(-MONTH)
        equal(times.state(hold), "held", "a hold after a step back")
        # A hold made while the clock is behind the book's time lasts as long from the book's time on.
        later = times.book(hold_seconds=DAY)
        check(seconds(later["hold_expires"]) >= times.latest + DAY - 1, "a hold made after a step back", later)
        times.read()
        equal(times.told("reservation.expired", hold), [], "told before the time")
        times.step_until(MONTH + 700, "reservation.expired", hold)
        equal(times.state(later["id"]), "held", "the later hold, a day before its end")
        times.step_until(MONTH, "reservation.expired", later["id"])
        times.step(-MONTH)
        times.step(MONTH)
        times.now()
        times.read()
        for identity in (hold, later["id"]):
            told = times.told("reservation.expired", identity)
            equal(len(told), 1, f"how often {identity} has expired")
            check(seconds(told[0]["at"]) >= seconds(
                times.operator.call("reservation.get", id=identity)["hold_expires"] or told[0]["at"]), "early", told)
        equal(rig.sql("SELECT sum(used_micro) AS used FROM v_commitment")[0]["used"], 0, "what is used after all")


def test_a_month_of_deliveries_at_once():
    """A booking is started, delivered and ended once each, in whatever order the clock goes."""
    with Rig(dated(int(time.time())), clock="system", moves_clock=True) as rig:
        times = Times(rig)
        start = times.now() // HOUR + 2
        booked = times.book(start=hour_text(start), hours=48, gpus=4)["id"]
        times.step_until(4 * HOUR, "reservation.started", booked)
        times.step(-MONTH)
        equal(times.state(booked), "active", "after a step back")
        rig.stop().start()  # with a clock that is behind the ledger
        times.reconnected()
        equal(times.state(booked), "active", "after a restart with a clock that is behind")
        times.now()
        times.step_until(2 * MONTH, "reservation.completed", booked)
        times.read()
        for kind in ("reservation.started", "reservation.completed"):
            equal(len(times.told(kind, booked)), 1, f"how often {booked} was {kind}")
        consumed = rig.sql("SELECT sum(consumed_micro) AS consumed FROM v_commitment")[0]["consumed"]
        equal(consumed, 48 * 4 * 2_000_000, "what was delivered")


def test_any_steps_of_the_clock():
    """Steps of up to a month either way, restarts and stops between, and many holds."""
    rounds = scale(15, lambda n: n // 4)
    some = random.Random(f"steps {seed()}")
    with Rig(dated(int(time.time())), clock="system", moves_clock=True) as rig:
        times, holds = Times(rig), {}
        for _ in range(rounds):
            for _ in range(3):
                hold = times.book(hold_seconds=some.randint(60, 7 * DAY))
                holds[hold["id"]] = seconds(hold["hold_expires"])
            # An hour either way, a day, a month; on the whole forward.
            times.step(some.choice((-MONTH, -DAY, -HOUR, HOUR, DAY, MONTH, 7 * DAY, 600)))
            chance = some.random()
            if chance < 0.1:
                rig.stop().start()
                times.reconnected()
            elif chance < 0.2:
                rig.process.kill()
                rig.crashed().start()
                times.reconnected()
            elif chance < 0.4:
                rig.process.send_signal(signal.SIGSTOP)
                times.step(some.randint(60, DAY))  # what passes while it is stopped
                rig.process.send_signal(signal.SIGCONT)
            before = times.now()
            for identity, ends in holds.items():
                state = times.state(identity)
                if state == "held":
                    check(ends > before, "a hold that ended", instant_text(ends), "is held at", instant_text(before))
                else:
                    equal(state, "expired")
                    check(ends <= times.now(), "a hold that ends", instant_text(ends), "has expired", times.latest)
            rig.verify()
        times.read()
        expired = [e["reservation"] for e in times.events if e["type"] == "reservation.expired"]
        equal(len(expired), len(set(expired)), "holds that expired, and how often")
        for event in times.events:
            if event["type"] == "reservation.expired":
                equal(seconds(event["at"]) >= holds[event["reservation"]], True, f"too early: {event}")
    return f"{rounds} steps, {len(holds)} holds, {len(expired)} expired"
