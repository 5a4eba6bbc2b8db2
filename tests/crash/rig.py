"""A daemon that can be killed, starved and lied to, on the end-to-end tests' harness.

    with Rig(manifest) as rig:            # a Daemon with its folder in memory, started under the shim
        rig.control(action=KILL_BEFORE, at=17)
        ...
        rig.process.wait()                # it is dead
        rig.crashed().start()             # and runs again, without faults

The shim (shim.c) counts the calls by which the daemon changes files; `control` says what happens at which of them.
A folder in memory makes the cycles quick: what SIGKILL leaves behind is what the kernel has, whichever disk it is on.
CRASH_FOLDER names another place.
"""

import mmap
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
sys.dont_write_bytecode = True

from agreement import commitments_agree, movements_agree  # noqa: E402,F401  (needs the path above)
from harness import (  # noqa: E402,F401
    BUILD, DEADLINE, Daemon, Failure, Gone, check, connect, equal, parse, until)
from model import hour, hour_text, instant_text, micro, seconds  # noqa: E402,F401

# enum action of shim.c
NONE, KILL_BEFORE, KILL_WITHIN, KILL_AFTER, FAIL_ONCE, FAIL_FROM, FAIL_WITHIN = range(7)
# enum kind
WRITE, SYNC, CUT, NAME = 1, 2, 4, 8
FIELDS = ("count", "at", "action", "error", "kinds", "failed", "clock")
SHIM = BUILD / "tests" / "crash" / "shim.so"


def scale(normal, large):
    """How much to do: `large` gives it from the number of cycles that CYCLES asks for, `normal` is for every run."""
    cycles = os.environ.get("CYCLES")
    return large(int(cycles)) if cycles else normal


def seed():
    """One number from which everything random follows: SEED repeats a run."""
    return int(os.environ.get("SEED") or 1)


def place():
    for folder in (os.environ.get("CRASH_FOLDER"), "/dev/shm"):
        if folder and os.access(folder, os.W_OK | os.X_OK):
            return folder
    return tempfile.gettempdir()


class Rig(Daemon):
    def __init__(self, manifest=None, clock="2026-11-30T12:00:00Z", config=None, start=True, moves_clock=False):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="colossus-crash-", dir=place()))
        with open(folder / "control", "w+b") as file:
            file.write(bytes(8 * len(FIELDS)))
            file.flush()
            self.shared = mmap.mmap(file.fileno(), 8 * len(FIELDS))
        self.moves_clock = moves_clock
        config = {"limits": {"retry_milliseconds": 10}, "min_free_bytes": 0, **(config or {})}
        super().__init__(manifest, clock, config, folder, start)
        self.owns_folder = True

    def environment(self):
        environment = super().environment()
        # A sanitizer wants to be the first library, and does not need to.
        sanitizer = environment.get("ASAN_OPTIONS", "")
        environment.update(LD_PRELOAD=str(SHIM), CRASH_CONTROL=str(self.folder / "control"),
                           ASAN_OPTIONS=f"{sanitizer}{':' if sanitizer else ''}verify_asan_link_order=0")
        if self.moves_clock:
            environment["CRASH_CLOCK"] = "1"
        return environment

    def spawn(self):
        """Starts the process and waits for nothing."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.arguments(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=self.environment())

    def start(self):
        self.spawn()
        deadline = time.monotonic() + DEADLINE
        while not self.is_ready():
            check(time.monotonic() < deadline, "waited in vain for the daemon's socket")
            time.sleep(0.001)
        return self

    def control(self, **values):
        """Sets numbers of the shim; the action comes last, when all that belongs to it is there."""
        for name in sorted(values, key=lambda name: name == "action"):
            struct.pack_into("q", self.shared, 8 * FIELDS.index(name), values[name])

    def shim(self, name):
        return struct.unpack_from("q", self.shared, 8 * FIELDS.index(name))[0]

    def arm(self, action, at, error=0, kinds=0):
        """From now on the first call is number 1."""
        self.control(action=NONE)
        self.control(count=0, failed=0, at=at, error=error, kinds=kinds, action=action)

    def disarm(self):
        self.control(action=NONE)

    def crashed(self):
        """The process has ended, or is about to, by SIGKILL."""
        status = self.process.wait(timeout=60)
        check(status == -9, f"the daemon ended with {status} where it was to be killed:\n{self.log_tail()}")
        self.process = None
        self.forget_clients()
        self.disarm()
        return self
