"""What a system does to a daemon: it is told to stop, runs out of room, of files, of memory, and is held up."""

import contextlib
import os
import pathlib
import random
import resource
import signal
import socket
import sqlite3
import subprocess

from load import Load, manifest
from rig import (FAIL_ONCE, SYNC, Gone, Rig, check, commitments_agree, connect, equal, movements_agree, scale, seed,
                 until)

FREE = resource.RLIM_INFINITY
BOOKING = {"tenant": "acme", "pool": "hall/a", "gpus": 1, "start": "2026-12-20T00:00:00Z", "hours": 1}


def available(rig):
    return rig.operate("server.status")["ledger"]["available"]


def answers(load):
    return sum(load.totals.values())


def some_load(load, count):
    """So many more answers."""
    enough = answers(load) + count
    load.run(until=lambda: answers(load) >= enough)
    check(answers(load) >= enough, "the daemon has ended:", load.rig.log_tail())


def settled(rig, load):
    until(lambda: available(rig), "the ledger is back")
    load.settle(everything=True)
    load.gone_away()


# ---- Stopping


def test_sigterm_under_load():
    """What was read is committed and answered, and it ends with 0."""
    rounds, totals = scale(4, lambda n: n // 20), 0
    for number in range(rounds):
        with Rig(manifest()) as rig:
            load = Load(rig, random.Random(f"stop {seed()} {number}"), by_token=False)
            load.connect()
            some_load(load, load.random.randint(0, 400))
            rig.process.send_signal((signal.SIGTERM, signal.SIGINT)[number % 2])
            load.run(until=lambda: False)  # goes on asking until the daemon closes the connections
            load.gone()
            rig.ended()  # with 0, and verifies
            load.all_told()
            totals += load.totals["done"]
            rig.start()
            with rig.operator() as operator:
                commitments_agree(rig, operator)
                movements_agree(rig, operator)
    return f"{rounds} times, {totals} acknowledged"


# ---- Room


@contextlib.contextmanager
def small_disk(folder, size):
    """A disk of so many bytes; None when this process may not mount one."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0750", "crash-test", str(folder)],
                          capture_output=True, check=False) if os.geteuid() == 0 else None
    mounted = done is not None and done.returncode == 0
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder, leave):
    """Takes all room but so many bytes."""
    filler = pathlib.Path(folder) / "filler"
    space = os.statvfs(folder)
    size = space.f_bavail * space.f_frsize - leave
    with open(filler, "wb") as file:
        while size > 0:
            file.write(bytes(min(size, 1 << 20)))
            size -= 1 << 20
    return filler


def test_a_full_disk():
    """Nothing is decided that can't be written, reads are answered, and it goes on when room returns."""
    for floor, leave in ((4 << 20, 3 << 20), (0, 60000), (0, 0)):
        with Rig(manifest(), config={"min_free_bytes": floor}, start=False) as rig:
            with small_disk(rig.ledger.parent, 24 << 20) as disk:
                if disk is None:
                    return "skipped: a small disk can't be mounted here"
                rig.start()
                load = Load(rig, random.Random(f"disk {seed()}"), by_token=False)
                load.connect()
                some_load(load, 200)
                load.finish()
                filler = fill(disk, leave)
                some_load(load, 1500)
                load.finish()
                check(load.totals["unavailable"] > 0, "nothing was refused on a full disk")
                operator = rig.operator()
                if floor:  # without one what was freed by giving up a batch may do for another
                    operator.refused("ledger_unavailable", "reservation.create", BOOKING, client_ref="full")
                until(lambda: "result" in operator.ask("reservation.list"), "a list on a full disk")
                until(lambda: "result" in operator.ask("commitment.status"), "the commitments on a full disk")
                filler.unlink()
                settled(rig, load)
                rig.stop()
    return "floor, last pages, nothing left"


def test_a_limit_on_file_sizes():
    """It takes no SIGXFSZ; what can't be written is refused."""
    with Rig(manifest()) as rig:
        load = Load(rig, random.Random(f"limit {seed()}"), by_token=False)
        load.connect()
        some_load(load, 200)
        wal = rig.ledger.with_name("ledger.db-wal")
        most = max(wal.stat().st_size, rig.ledger.stat().st_size) + 50000
        resource.prlimit(rig.process.pid, resource.RLIMIT_FSIZE, (most, FREE))
        load.run(until=lambda: load.totals["unavailable"] > 100)
        check(load.totals["unavailable"] > 100, "it ended:", rig.log_tail())
        load.finish()
        resource.prlimit(rig.process.pid, resource.RLIMIT_FSIZE, (FREE, FREE))
        settled(rig, load)


# ---- Descriptors and memory


def test_no_descriptors_left():
    """Those who are connected are served; others are when there are descriptors again."""
    with Rig(manifest()) as rig:
        load = Load(rig, random.Random(f"files {seed()}"), by_token=False)
        load.connect()
        some_load(load, 100)
        load.finish()
        used = len(os.listdir(f"/proc/{rig.process.pid}/fd"))
        before = resource.prlimit(rig.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(rig.process.pid, resource.RLIMIT_NOFILE, (used, before[1]))
        refused = []
        for _ in range(20):
            refused.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            refused[-1].connect(str(rig.socket))
        some_load(load, 300)
        load.finish()
        for connection in refused:
            connection.close()
        resource.prlimit(rig.process.pid, resource.RLIMIT_NOFILE, before)
        until(lambda: serves_another(rig), "a new connection is served")
        settled(rig, load)


def serves_another(rig):
    with contextlib.suppress(OSError, Gone):
        with rig.operator() as client:
            client.call("reservation.list", limit=1)
            return True
    return False


def test_no_memory_left():
    """It refuses, or ends and says so; either way nothing that was acknowledged is lost, nor done that was refused."""
    if os.environ.get("SANITIZE"):
        return "skipped: a sanitizer takes all addresses at once"
    ended = refused = 0
    for more in (0, 1 << 20, 4 << 20):
        with Rig(manifest()) as rig:
            load = Load(rig, random.Random(f"memory {seed()}"), by_token=False)
            load.connect()
            some_load(load, 100)
            pages = int(pathlib.Path(f"/proc/{rig.process.pid}/statm").read_text().split()[0])
            resource.prlimit(rig.process.pid, resource.RLIMIT_AS, (pages * 4096 + more, FREE))
            load.lacks_memory = True
            enough = answers(load) + 3000
            load.run(until=lambda: answers(load) >= enough)
            if answers(load) >= enough:
                resource.prlimit(rig.process.pid, resource.RLIMIT_AS, (FREE, FREE))
                load.finish()
            else:
                ended += 1
                load.gone()
                status = rig.process.wait(timeout=60)
                equal(status, 70, f"exit status without memory; it said {rig.log_tail()}")
                check("memory" in rig.log_tail(), "it says what was missing:", rig.log_tail())
                rig.process = None
                rig.forget_clients()
                rig.start()
                load.connect()
            load.lacks_memory = False
            refused += load.totals["unavailable"]
            settled(rig, load)
    return f"ended {ended} of 3 times, refused {refused} requests"


# ---- Others who have the file open


def test_a_ledger_that_another_process_has_locked():
    """Commits wait a while and are then refused; all goes on when the lock is gone."""
    with Rig(manifest()) as rig:
        load = Load(rig, random.Random(f"lock {seed()}"), by_token=False)
        load.connect()
        some_load(load, 100)
        load.finish()
        other = sqlite3.connect(rig.ledger, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            some_load(load, 60)
            load.finish()
            check(load.totals["unavailable"] > 0, "nothing was refused while another process held the lock")
        finally:
            other.execute("ROLLBACK")
            other.close()
        settled(rig, load)


def test_a_reader_that_never_ends():
    """Who reads an old state for long makes the WAL grow, and stops nothing."""
    with Rig(manifest(), config={"wal_warn_bytes": 1 << 20}) as rig:
        load = Load(rig, random.Random(f"reader {seed()}"), by_token=False)
        load.connect()
        some_load(load, 50)
        reader = sqlite3.connect(f"file:{rig.ledger}?mode=ro", uri=True, isolation_level=None)
        reader.execute("BEGIN")
        seen = reader.execute("SELECT count(*) FROM event").fetchone()
        wal = rig.ledger.with_name("ledger.db-wal")
        load.run(until=lambda: wal.stat().st_size > 12 << 20)
        check(wal.stat().st_size > 12 << 20, "it ended:", rig.log_tail())
        load.finish()
        equal(reader.execute("SELECT count(*) FROM event").fetchone(), seen, "events that the reader sees")
        check("WAL" in rig.log_tail() or "wal" in rig.log_tail(), "the log does not warn of the WAL:", rig.log_tail())
        reader.execute("ROLLBACK")
        reader.close()
        enough = answers(load) + 50000
        while answers(load) < enough:
            size = wal.stat().st_size
            some_load(load, 2000)
            if wal.stat().st_size == size:
                break
        check(answers(load) < enough, "the WAL goes on growing after the reader has left")
        load.finish()
        settled(rig, load)


def test_waiting_for_events_while_the_ledger_fails():
    """Who waits is told of what happens after the ledger is back, or is told to ask again; nobody waits for ever."""
    rounds, told, asked = scale(3, lambda n: n // 20), 0, 0
    with Rig(manifest()) as rig:
        for number in range(rounds):
            operator = rig.operator()
            last = rig.sql("SELECT max(seq) AS seq FROM event")[0]["seq"]
            waiting = [rig.operator() for _ in range(4)]
            for place, client in enumerate(waiting):
                tenant = {"tenant": "acme"} if place % 2 else {}
                client.send("event.list", after=last, wait_seconds=60, **tenant)
            # Their first look has been taken when others' requests are answered.
            rig.operate("event.list", after=last)
            rig.arm(FAIL_ONCE, 1, 5, SYNC)
            reference = f"event-{number}"
            operator.refused("ledger_unavailable", "reservation.create", BOOKING, client_ref=reference)
            until(lambda: available(rig), "the ledger is back")
            operator.call("reservation.create", BOOKING, client_ref=reference)
            for place, client in enumerate(waiting):
                reply = client.reply()
                if "error" in reply:
                    equal(reply["error"]["data"]["kind"], "ledger_unavailable")
                    asked += 1
                    reply = client.ask("event.list", after=last, wait_seconds=60)
                else:
                    told += 1
                check("reservation.booked" in [e["type"] for e in reply["result"]["events"]],
                      "the booking's event is told", reply)
            for client in [operator, *waiting]:
                client.close()
    return f"{rounds} failures: {told} were told, {asked} were to ask again"


# ---- Clients and time


def test_clients_that_leave_without_reading():
    """It takes no SIGPIPE."""
    with Rig(manifest()) as rig:
        load = Load(rig, random.Random(f"pipe {seed()}"), by_token=False)
        load.connect()
        for number in range(scale(20, lambda n: n // 4)):
            client = connect(rig.socket)
            client.sendall(b'{"jsonrpc":"2.0","id":1,"method":"event.list","params":{"limit":1000}}\n' * 20)
            if number % 2:
                client.shutdown(socket.SHUT_RD)
            client.close()
            some_load(load, 20)
        load.finish()
        settled(rig, load)


def test_stopped_for_a_while_under_load():
    with Rig(manifest()) as rig:
        load = Load(rig, random.Random(f"hold {seed()}"), by_token=False)
        load.connect()
        for _ in range(scale(5, lambda n: n // 40)):
            some_load(load, 100)
            rig.process.send_signal(signal.SIGSTOP)
            for _ in range(5):
                load.turn()
            rig.process.send_signal(signal.SIGCONT)
        load.finish()
        settled(rig, load)
