"""Calls that fail: bookings are refused as ledger_unavailable, nothing acknowledged is lost, and it goes on after."""

import errno
import random
import re
import shutil

from load import Load, manifest, old_ledger
from rig import (CUT, FAIL_FROM, FAIL_ONCE, FAIL_WITHIN, NAME, SYNC, WRITE, Failure, Rig, check, equal, scale, seed, until)

FAULTS = [(action, error, kinds) for action in (FAIL_ONCE, FAIL_FROM, FAIL_WITHIN)
          for error in (errno.EIO, errno.ENOSPC, errno.EDQUOT) for kinds in (0, WRITE, SYNC, WRITE | CUT | NAME)
          if action != FAIL_WITHIN or kinds in (0, WRITE)]


def is_back(rig):
    return rig.operate("server.status")["ledger"]["available"]


BOOKING = {"tenant": "acme", "pool": "hall/a", "gpus": 1, "start": "2026-12-20T00:00:00Z", "hours": 1}


def while_it_fails(rig, load, action):
    """Everything is answered: what would change something with a refusal that says so, the rest as it can be."""
    load.finish()
    operator = rig.operator()
    if action == FAIL_FROM:
        operator.refused("ledger_unavailable", "reservation.create", BOOKING, client_ref="never")
    operator.call("server.ping")
    operator.call("server.status")
    reply = operator.ask("reservation.list")
    check("result" in reply or reply["error"]["data"]["kind"] == "ledger_unavailable", "a read while calls fail", reply)
    operator.close()


def fault(rig, load, action, at, error, kinds):
    """One fault under load. True when it was met."""
    load.connect()
    rig.arm(action, at, error, kinds)
    answered = sum(load.totals.values())
    load.run(until=lambda: rig.shim("failed") > 0 or sum(load.totals.values()) > answered + 1500)
    met = rig.shim("failed") > 0
    for _ in range(3):
        check(load.turn(), "the daemon has ended:", rig.log_tail())
    while_it_fails(rig, load, action)
    rig.disarm()
    until(lambda: is_back(rig), "the ledger is back")
    load.settle()
    load.gone_away()
    return met


def test_calls_that_fail_under_load():
    rounds, totals, met, number = scale(20, lambda n: n // 2), {}, 0, 0
    while number < rounds:
        with Rig(manifest()) as rig:
            some = random.Random(f"fault {seed()} {number}")
            load = Load(rig, some, by_token=False)
            for number in range(number + 1, min(number + 20, rounds) + 1):
                action, error, kinds = some.choice(FAULTS)
                met += fault(rig, load, action, some.randint(1, 60), error, kinds)
                if some.random() < 0.2:
                    rig.verify()
            load.connect()
            load.settle(everything=True)
            load.gone_away()
            for name, value in load.totals.items():
                totals[name] = totals.get(name, 0) + value
    check(totals["unavailable"] > 0, "no fault has kept a request from being answered")
    return f"{rounds} faults, {met} met, " + ", ".join(f"{value} {name}" for name, value in totals.items())


def test_calls_that_fail_in_a_checkpoint():
    """With a WAL so large that the first commit is followed by a checkpoint."""
    some = random.Random(f"checkpoint {seed()}")
    rounds, met = scale(3, lambda n: n // 20), 0
    with Rig(manifest(), start=False) as old:
        told = old_ledger(old, some)
        for _ in range(rounds):
            action, error, kinds = some.choice(FAULTS)
            with Rig(manifest(), start=False) as rig:
                shutil.copytree(old.ledger.parent, rig.ledger.parent, dirs_exist_ok=True)
                rig.start()
                load = told.continued(rig, some)
                met += fault(rig, load, action, some.randint(1, 800), error, kinds)
    return f"{rounds} faults, {met} met"


def test_calls_that_fail_while_starting():
    """It ends with 69 and says what is wrong, or it serves; without the fault it always serves."""
    some = random.Random(f"start {seed()}")
    # How many calls there are from an empty folder until it serves.
    with Rig(manifest()) as rig:
        calls = rig.shim("count")
    tried = scale(sorted(some.sample(range(1, calls + 1), 12)), lambda n: range(1, min(calls, n) + 1))
    refused = 0
    for call in tried:
        for action, error in scale([some.choice([(FAIL_ONCE, errno.EIO), (FAIL_FROM, errno.ENOSPC)])],
                                   lambda _: [(FAIL_ONCE, errno.EIO), (FAIL_FROM, errno.EIO),
                                              (FAIL_ONCE, errno.ENOSPC), (FAIL_FROM, errno.ENOSPC)]):
            with Rig(manifest(), start=False) as rig:
                rig.arm(action, call, error)
                rig.spawn()
                status = until(lambda: ended_or_serves(rig), "the daemon serves or ends")
                if status != "serves":
                    refused += 1
                    equal(status, 69, f"exit status after call {call} failed; it said {rig.log_tail()}")
                    check(re.search(r"\berror\b.*error=\".+\"", rig.log_tail()), "it says why:", rig.log_tail())
                    rig.process = None
                rig.disarm()
                if rig.process is None:
                    rig.start()
                until(lambda: is_back(rig), "the ledger is back")
                load = Load(rig, some, by_token=False)
                load.connect()
                load.run(until=lambda: load.totals["done"] > 20)
                load.finish()
                load.settle()
                load.gone_away()
    check(refused > 0, "no fault has kept it from starting")
    return f"{len(tried)} of {calls} calls, {refused} times it did not start"


def ended_or_serves(rig):
    try:
        return "serves" if rig.is_ready() else None
    except Failure:  # it has ended
        return rig.process.wait()
