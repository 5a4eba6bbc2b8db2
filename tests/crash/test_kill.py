"""SIGKILL under load, at random moments and at each of the first system calls: nothing acknowledged is lost."""

import random
import shutil
import signal
import time

from load import Load, manifest, old_ledger
from rig import KILL_BEFORE, KILL_WITHIN, Gone, Rig, check, scale, seed

WORLD = 25  # cycles on one ledger, so that there is much in it and its checks stay quick


class Totals:
    def __init__(self):
        self.sums = {}
        self.kills = {"under load": 0, "while starting": 0}

    def add(self, load):
        for name, value in load.totals.items():
            self.sums[name] = self.sums.get(name, 0) + value

    def __str__(self):
        return ", ".join(f"{value} {name}" for name, value in {**self.kills, **self.sums}.items() if value)


def killed_under_load(rig, load, moment):
    """SIGKILL after a random time; what was sent before is told."""
    load.connect()
    end = time.monotonic() + moment
    load.run(until=lambda: time.monotonic() >= end)
    rig.process.kill()
    load.gone()
    rig.crashed()


def killed_while_starting(rig, moment):
    """What the last kill has left is recovered, and that is interrupted."""
    rig.spawn()
    time.sleep(moment)
    rig.process.send_signal(signal.SIGKILL)
    rig.crashed()


def world(random, cycles, totals):
    with Rig(manifest()) as rig:
        load = Load(rig, random)
        for cycle in range(cycles):
            killed_under_load(rig, load, random.uniform(0, 0.06))
            totals.kills["under load"] += 1
            if random.random() < 0.15:
                killed_while_starting(rig, random.uniform(0, 0.03))
                totals.kills["while starting"] += 1
            if random.random() < 0.15:
                rig.verify()  # also what no daemon has recovered yet
            rig.start()
            load.connect()
            load.settle()
            if random.random() < 0.15:
                rig.verify()
            load.gone_away()
        load.connect()
        load.settle(everything=True)
        load.gone_away()
        totals.add(load)


def test_sigkill_at_random_moments():
    cycles = scale(12, lambda n: n)
    totals, number = Totals(), 0
    while cycles > 0:
        world(random.Random(f"kill {seed()} {number}"), min(WORLD, cycles), totals)
        cycles, number = cycles - WORLD, number + 1
    check(totals.sums["open"] > 0, "no kill has met a request without a reply")
    return str(totals)


# ---- At each system call


def run_until_killed(rig, load):
    """From the start on, until the shim kills the daemon: True. False when the load was not enough for that."""
    rig.spawn()
    end = time.monotonic() + 60
    while rig.process.poll() is None and time.monotonic() < end:
        try:
            load.connect()
        except (OSError, Gone):
            time.sleep(0.001)
            continue
        load.run(until=lambda: time.monotonic() > end)
        break
    check(time.monotonic() < end, "the daemon was not brought to the call at which it is to die:", rig.shim("count"))
    load.gone()
    rig.crashed()


def killed_at(rig, load, action, call):
    rig.arm(action, call)
    run_until_killed(rig, load)
    rig.start()
    load.connect()
    load.settle(everything=True)
    load.gone_away()
    rig.stop()  # which verifies the ledger


def calls_to_try(normal, most):
    """All calls up to `most` in a large run, else some of them that every run draws anew from the seed."""
    some = random.Random(f"calls {seed()} {most}")
    return scale(sorted(some.sample(range(1, most + 1), normal)), lambda n: range(1, min(n // 2, most) + 1))


def test_sigkill_at_each_of_the_first_system_calls():
    """From an empty folder on: the ledger is made, the manifest applied, the first bookings are made."""
    totals, calls = Totals(), calls_to_try(5, 1000)
    for call in calls:
        for action in (KILL_BEFORE, KILL_WITHIN):
            with Rig(manifest(), start=False) as rig:
                load = Load(rig, random.Random(f"call {seed()} {call}"), by_token=False)
                killed_at(rig, load, action, call)
                totals.add(load)
    return f"{2 * len(calls)} kills at calls up to {calls[-1]}, " + str(totals)


def test_sigkill_at_system_calls_of_recovery_and_checkpoint():
    """From a ledger with a large WAL on: it is made durable at the start, and soon moved into the file."""
    totals, calls = Totals(), calls_to_try(3, 1600)[::2]
    with Rig(manifest(), start=False) as old:
        told = old_ledger(old, random.Random(f"old {seed()}"))
        for number, call in enumerate(calls):
            with Rig(manifest(), start=False) as rig:
                shutil.copytree(old.ledger.parent, rig.ledger.parent, dirs_exist_ok=True)
                load = told.continued(rig, random.Random(f"again {seed()} {call}"))
                killed_at(rig, load, (KILL_BEFORE, KILL_WITHIN)[number % 2], call)
                totals.add(load)
    return f"{len(calls)} kills at calls up to {calls[-1]}, " + str(totals)
