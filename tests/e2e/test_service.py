"""As a service: the unit's limits, the socket that systemd binds, and the signs of life that it watches."""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

import manifests
import sandbox
from harness import BUILD, CAN_BE_OTHERS, ROOT, Daemon, check, connect, equal, until

UNITS = ROOT / "src" / "systemd"
SERVICE_UID = 64123  # nobody's
HAS_SYSTEMD = b"libsystemd.so" in (BUILD / "colossusd").read_bytes()
DAY = dict(pool="hall/a", start="2026-12-01T00:00:00Z", hours=24)


@contextlib.contextmanager
def unit_file():
    """The service's unit as it is installed."""
    with tempfile.TemporaryDirectory(prefix="colossus-unit-") as folder:
        os.chmod(folder, 0o755)
        path = pathlib.Path(folder) / "colossusd.service"
        path.write_text((UNITS / "colossusd.service.in").read_text().replace("@PREFIX@", "/usr"))
        shutil.copy(UNITS / "colossusd.socket", folder)
        yield path


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_the_units_are_hardened():
    """systemd's own measure of how much a service could do: 1.5 at most, of 10."""
    with unit_file() as unit:
        done = analyze("security", "--offline=true", "--threshold=15", str(unit))
        equal(done.returncode, 0, done.stdout[-3000:] + done.stderr)
        found = re.search(r"Overall exposure level for colossusd.service: ([0-9.]+)", done.stdout)
        check(found and float(found.group(1)) <= 1.5, done.stdout[-300:])
        check("PrivateUsers" not in sandbox.read_unit(unit), "every client would be uid 65534")


def test_the_units_are_understood():
    with unit_file() as unit:
        done = analyze("verify", "--man=no", "--recursive-errors=no", str(unit), str(unit.with_name("colossusd.socket")))
        complaints = [line for line in (done.stdout + done.stderr).splitlines()
                      if "colossusd" in line and "not executable" not in line]
        equal(complaints, [], "complaints of systemd-analyze verify")


def sandboxed(unit, writable, command):
    return [sys.executable, str(pathlib.Path(sandbox.__file__)), str(unit), str(SERVICE_UID),
            *map(str, writable), "--", *command]


# Tries what the sandbox must not allow, and names what went through.
BURGLAR = """
import ctypes, mmap, os, socket, sys
inside, outside = sys.argv[1:]
def tried(name, what):
    try:
        what()
        print(name)
    except (OSError, ValueError):
        pass
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")
open(os.path.join(inside, "allowed"), "w").close()
socket.socket(socket.AF_UNIX).close()
tried("wrote outside", lambda: open(os.path.join(outside, "stolen"), "w"))
tried("wrote to /tmp", lambda: open("/tmp/stolen", "w"))
tried("opened a network socket", lambda: socket.socket(socket.AF_INET))
tried("opened a netlink socket", lambda: socket.socket(socket.AF_NETLINK))
tried("mapped memory to write and run", lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC))
tried("became root", lambda: os.setuid(0))
tried("changed an owner", lambda: os.chown(inside, 0, 0))
tried("made a namespace", lambda: call(272, 0x10000000))
tried("mounted", lambda: call(165, b"none", b"/tmp", b"tmpfs", 0, 0))
tried("traced", lambda: call(101, 0, 0, 0, 0))
tried("raised its priority", lambda: os.nice(-1))
"""


def test_it_serves_under_the_units_limits():
    """Where namespaces can be had: booked, backed up, read, stopped, all inside the sandbox."""
    if not CAN_BE_OTHERS:
        return
    with unit_file() as unit, Daemon(start=False) as daemon:
        book, run = daemon.ledger.parent, daemon.folder / "run"
        run.mkdir()
        for folder in (book, run):
            os.chown(folder, SERVICE_UID, SERVICE_UID)
            folder.chmod(0o755)
        tried = subprocess.run(sandboxed(unit, [book, run], [sys.executable, "-c", BURGLAR, str(run), str(daemon.folder)]),
                               capture_output=True, text=True, check=False)
        if tried.returncode == sandbox.CANNOT:
            print(f"left out: {tried.stderr.strip()}")
            return
        equal((tried.returncode, tried.stdout, tried.stderr), (0, "", ""), "what the sandbox let through")
        (run / "allowed").unlink()
        daemon.socket = run / "colossus.sock"
        plain = daemon.arguments
        # The program is run where it is installed for all: a build folder may be closed to others.
        program = daemon.folder / "colossusd"
        shutil.copy(BUILD / "colossusd", program)
        program.chmod(0o755)
        # Looking for leaks is tracing, which is not allowed there.
        plain_environment = daemon.environment()
        daemon.environment = lambda: {**plain_environment, "ASAN_OPTIONS": "detect_leaks=0"}
        daemon.arguments = lambda *more: sandboxed(unit, [book, run], [str(program), *plain(*more)[1:]])
        daemon.start()
        status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
        check(re.search(r"^Seccomp:\s2$", status, re.M) and re.search(r"^CapEff:\s0+$", status, re.M), status)
        acme = daemon.tenant("acme")
        booked = acme.call("reservation.create", DAY, gpus=8)
        operator = daemon.operator()
        operator.call("server.backup", name="inside")
        operator.call("clock.advance", to="2026-12-01T12:00:00Z")
        equal(acme.call("reservation.get", id=booked["id"])["state"], "active")
        equal([r["id"] for r in acme.call("reservation.list")["reservations"]], [booked["id"]])
        equal((daemon.ledger.stat().st_uid, daemon.ledger.stat().st_mode & 0o777), (SERVICE_UID, 0o640))
        equal(daemon.socket.stat().st_mode & 0o777, 0o666, "mode of the socket")
        daemon.stop()


# ---- The socket that is passed


@contextlib.contextmanager
def passing(daemon, sockets, count=None):
    """Starts of this daemon are passed these sockets, as systemd does it: from descriptor 3 on."""
    numbers = [s.fileno() for s in sockets]
    arguments = daemon.arguments

    def with_sockets(*more):
        # The shell becomes the daemon, so it knows the process whose sockets they are.
        moved = " ".join(f"{3 + i}<&{number}" for i, number in enumerate(numbers))
        script = f'exec {moved}; LISTEN_PID=$$ LISTEN_FDS={len(numbers) if count is None else count} exec "$@"'
        return ["bash", "-c", script, "bash", *arguments(*more)]

    daemon.arguments = with_sockets
    for s in sockets:
        os.set_inheritable(s.fileno(), True)
    real = subprocess.Popen
    subprocess.Popen = lambda *a, **k: real(*a, **{**k, "close_fds": False})
    try:
        yield
    finally:
        subprocess.Popen = real
        daemon.arguments = arguments


def listening(path):
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(str(path))
    os.chmod(path, 0o666)
    server.listen(64)
    return server


def test_a_socket_that_was_passed_is_served():
    """Who connects before the daemon is there, or between two daemons, is answered by the next."""
    if not HAS_SYSTEMD:
        return
    with Daemon(start=False) as daemon:
        server = listening(daemon.socket)
        with passing(daemon, [server]):
            early = connect(daemon.socket)
            early.sendall(b'{"jsonrpc":"2.0","id":1,"method":"server.ping"}\n')
            daemon.start()
            check(b'"now"' in early.recv(1000), "who came before the daemon is answered")
            daemon.operator().call("server.status")
            daemon.stop()
            check(daemon.socket.exists(), "a socket that was passed is left when the daemon ends")
            between = connect(daemon.socket)
            between.sendall(b'{"jsonrpc":"2.0","id":2,"method":"server.ping"}\n')
            daemon.start()
            check(b'"now"' in between.recv(1000), "who came between two daemons is answered")
        early.close()
        between.close()
        server.close()


def test_a_wrong_socket_is_refused():
    if not HAS_SYSTEMD:
        return
    with Daemon(start=False) as daemon:
        other = listening(daemon.folder / "other.sock")
        datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        datagrams.bind(str(daemon.socket))
        for sockets, what in (([other], "not a stream socket at this path"),
                              ([datagrams], "not a stream socket at this path"),
                              ([other, datagrams], "more than one socket")):
            with passing(daemon, sockets):
                status, said = daemon.start_fails()
                equal(status, 69, said)
                check(what in said, said)
        other.close()
        datagrams.close()


# ---- Signs of life


class Manager:
    """What a service manager hears."""

    def __init__(self, daemon, patience):
        path = str(daemon.folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        plain = daemon.environment()
        daemon.environment = lambda: {**plain, "NOTIFY_SOCKET": path, "WATCHDOG_USEC": str(patience)}

    def heard(self):
        """What came since it was last asked."""
        messages = []
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                messages.append(self.socket.recv(100).decode())
        return messages

    def hears(self, message):
        until(lambda: message in self.heard(), f"the message {message}")


def test_signs_of_life_come_from_the_ledger():
    """They come while the ledger can be written, idle or not, stop when it can't, and come again."""
    if not HAS_SYSTEMD:
        return
    with Daemon(start=False, config={"limits": {"retry_milliseconds": 20}}) as daemon:
        manager = Manager(daemon, patience=200000)
        daemon.start()
        manager.hears("WATCHDOG=1")
        manager.hears("WATCHDOG=1")
        daemon.tenant("acme").call("reservation.create", DAY, gpus=8)
        with contextlib.closing(sqlite3.connect(daemon.ledger, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            until(lambda: "ledger failed" in daemon.log_tail(), "a probe that fails")
            manager.heard()
            seen = daemon.log_tail().count("can't be reopened")
            until(lambda: daemon.log_tail().count("can't be reopened") > seen, "a ledger that stays locked")
            equal(manager.heard(), [], "what is heard while the ledger can't be written")
            other.execute("ROLLBACK")
        until(lambda: "ledger is back" in daemon.log_tail(), "the ledger to be back")
        manager.hears("WATCHDOG=1")
        daemon.stop()


def test_a_ledger_that_was_taken_away_is_noticed():
    if not HAS_SYSTEMD:
        return
    with Daemon(start=False, config={"limits": {"retry_milliseconds": 20}}) as daemon:
        manager = Manager(daemon, patience=200000)
        daemon.start()
        manager.hears("WATCHDOG=1")
        away = daemon.ledger.with_name("away.db")
        daemon.ledger.rename(away)
        until(lambda: "no longer there under its name" in daemon.log_tail(), "what is wrong to be said")
        until(lambda: "put the file back" in daemon.log_tail(), "a ledger that is not made anew")
        check(not daemon.ledger.exists(), "no other ledger is made in its place")
        away.rename(daemon.ledger)
        until(lambda: "ledger is back" in daemon.log_tail(), "the ledger to be served again")
        daemon.tenant("acme").call("reservation.create", DAY, gpus=8)
        daemon.stop()


def test_without_patience_nobody_is_told():
    """No timer runs for nothing."""
    if not HAS_SYSTEMD:
        return
    with Daemon(start=False) as daemon:
        manager = Manager(daemon, patience=0)
        daemon.start()
        daemon.tenant("acme").call("reservation.create", DAY, gpus=8)
        daemon.stop()
        equal(manager.heard(), ["READY=1", "STOPPING=1"])
