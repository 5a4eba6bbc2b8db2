"""SIGKILL under load, at random moments and at each of the first system calls: nothing acknowledged is lost."""

import random
import signal
import time

from load import Load, manifest
from rig import KILL_BEFORE, KILL_WITHIN, NONE, Rig, check, equal, scale, seed

WORLD = 40  # cycles on one ledger, so that there is much in it and its checks stay quick


class Totals:
    def __init__(self):
        self.sums = {}
        self.kills = {"under load": 0, "while starting": 0}

    def add(self, load):
        for name, value in load.totals.items():
            self.sums[name] = self.sums.get(name, 0) + value

    def __str__(self):
        return ", ".join(f"{value} {name}" for name, value in {**self.kills, **self.sums}.items())


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
            if random.random() < 0.3:
                rig.verify()  # also what no daemon has recovered yet
            rig.start()
            load.connect()
            load.settle()
            if random.random() < 0.3:
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
