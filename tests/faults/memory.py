#!/usr/bin/env python3
"""The daemon when memory runs out: for every method, the nth allocation fails, for all n until none does.

    tests/faults/memory.py [--every N] [--lasting] [NAME_PART]

The daemon runs with build/tests/faults/failing_memory.so before the C library, so every allocation counts, whoever
makes it: the daemon, libuv, jansson, SQLite, the C library. Each request of the script below stands on the ledger that
those before it have made. It is asked with the first allocation failing, then with the second, and so on, each time
on a fresh daemon on a copy of that ledger. The reader of the ledger is open already, but for one request ("list"): to
open it takes SQLite some thousands of allocations. What may become of it:

    done        the reply is the one it has without a fault
    refused     internal_error or ledger_unavailable, and the daemon goes on
    gone        the connection ends without a reply, and the daemon goes on
    ended       the daemon ends itself with status 70 and the line "out of memory"

Anything else is a failure: another signal, another status, another reply, a hang. Then the request is asked again, with
memory, of the same daemon or of a new one on the same ledger. Now it must be answered, with what it makes when nothing
fails or as a replay of that; all that can be read must then be the same as after a run without a fault, and the ledger
must be sound. So nothing was half done, done twice, or lost after it was acknowledged.

--lasting lets all allocations fail from the nth on, until the reply or the end. --every N tries each Nth alone.
"""

import argparse
import json
import mmap
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
from collections import Counter

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
sys.dont_write_bytecode = True

import harness  # noqa: E402  (needs the path above)
from harness import BUILD, Client, Daemon, Failure, Gone, check, connect, equal, parse, until  # noqa: E402
from manifests import small  # noqa: E402

SHIM = BUILD / "tests" / "faults" / "failing_memory.so"
NUMBERS = struct.Struct("4q")  # left, lasting, failed, counted
PATIENCE = 20.0

DAY = dict(pool="hall/a", start="2026-12-05T00:00:00Z", hours=24)
WINDOW = dict(start="2026-12-01T00:00:00Z", end="2027-07-01T00:00:00Z")


def manifest_with_more():
    manifest = small()
    manifest["pools"].append({"pool": "hall/c", "gpu": "H200", "unit": 8,
                              "capacity": [{"from": "2026-01-01T00:00:00Z", "gpus": 64}],
                              "rates": [{"from": "2026-01-01T00:00:00Z", "firm": "3.00"}]})
    manifest["tenants"].append({"tenant": "delta", "uids": [61004]})
    manifest["contracts"].append({"contract": "delta-main", "tenant": "delta", "start": "2027-01-01T00:00:00Z",
                                  "end": "2029-01-01T00:00:00Z", "periods": {"annual": "50000.00"}})
    return manifest


def script():
    """(name, method, params), asked by an operator one after the other. What changes something has a client_ref."""
    acme = dict(tenant="acme")
    return [
        ("ping", "server.ping", {}),
        ("info", "session.info", {}),
        ("discover", "rpc.discover", {}),
        ("apply", "manifest.apply", dict(manifest=manifest_with_more(), client_ref="m1")),
        ("apply again", "manifest.apply", dict(manifest=manifest_with_more(), client_ref="m2")),
        ("apply, dry", "manifest.apply", dict(manifest=small(), dry_run=True)),
        ("apply nonsense", "manifest.apply", dict(manifest={**small(), "sites": [{"site": 3}]})),
        ("export", "manifest.export", {}),
        ("create", "reservation.create", dict(DAY, **acme, gpus=8, client_ref="c1", project="llm", note="a note")),
        ("create again", "reservation.create", dict(DAY, **acme, gpus=8, client_ref="c1", project="llm",
                                                    note="a note")),
        ("create, dry", "reservation.create", dict(DAY, **acme, gpus=16, dry_run=True)),
        ("create held", "reservation.create", dict(DAY, **acme, gpus=8, hold_seconds=3600, client_ref="c2")),
        ("create too much", "reservation.create", dict(DAY, **acme, gpus=64)),
        ("create without contract", "reservation.create", dict(DAY, tenant="gamma", gpus=8)),
        ("create beyond the budget", "reservation.create", dict(DAY, tenant="beta", gpus=32, hours=2000)),
        ("create group", "reservation.create_group",
         dict(**acme, client_ref="g1", hold_seconds=7200,
              legs=[dict(DAY, gpus=8), dict(DAY, gpus=8, start="2026-12-20T00:00:00Z")])),
        ("create group, dry", "reservation.create_group",
         dict(**acme, dry_run=True, legs=[dict(DAY, gpus=8), dict(DAY, gpus=8, start="2026-12-20T00:00:00Z")])),
        ("confirm", "reservation.confirm", dict(**acme, id=2, client_ref="k1")),
        ("confirm group", "reservation.confirm", dict(**acme, group=3, client_ref="k2")),
        ("change", "reservation.change", dict(**acme, id=1, gpus=16, end="2026-12-08T00:00:00Z", client_ref="h1")),
        ("change, dry", "reservation.change", dict(**acme, id=1, gpus=24, dry_run=True)),
        ("get", "reservation.get", dict(id=1)),
        ("get group", "reservation.get", dict(group=3)),
        ("get unknown", "reservation.get", dict(id=99)),
        ("list", "reservation.list", {}),
        ("list some", "reservation.list", dict(tenant="acme", state=["booked"], limit=2)),
        ("pools", "pool.list", {}),
        ("calendar", "pool.calendar", dict(pool="hall/a", **WINDOW)),
        ("offers", "offer.search", dict(**acme, gpus=8, hours=24, order="cheapest")),
        ("near misses", "offer.search", dict(**acme, gpus=800, hours=24, latest_end="2026-12-20T00:00:00Z")),
        ("plan", "commitment.plan", dict(**acme)),
        ("capacity", "capacity.change", dict(pool="hall/a", kind="growth", gpus=16, start="2026-12-05T00:00:00Z",
                                             client_ref="p1", note="row 14")),
        ("capacity refused", "capacity.change", dict(pool="hall/a", kind="outage", gpus=72,
                                                     start="2026-12-05T00:00:00Z")),
        ("suspend", "tenant.suspend", dict(tenant="beta", reason="late", client_ref="s1")),
        ("resume", "tenant.resume", dict(tenant="beta", client_ref="s2")),
        ("token", "token.create", dict(label="gateway", tenant="acme", client_ref="t1")),
        ("revoke", "token.revoke", dict(label="gateway", client_ref="t2")),
        ("wrong login", "session.login", dict(token="clss_" + "A" * 43)),
        ("cancel", "reservation.cancel", dict(**acme, id=2, client_ref="x1")),
        ("cancel group", "reservation.cancel", dict(**acme, group=3, client_ref="x2")),
        ("get ended", "reservation.get", dict(id=2)),
        ("create once more", "reservation.create", dict(DAY, **acme, gpus=8, client_ref="c2", hold_seconds=3600)),
        ("clock", "clock.advance", dict(to="2027-03-01T00:00:00Z", client_ref="a1")),
        ("commitments", "commitment.status", {}),
        ("statement", "statement.list", dict(limit=1000)),
        ("events", "event.list", dict(limit=1000)),
        ("status", "server.status", {}),
        ("backup", "server.backup", dict(name="copy.db", client_ref="b1")),
        ("unknown method", "reservation.steal", {}),
        ("wrong params", "reservation.create", dict(DAY, **acme, gpus="8")),
        ("a batch", None, json.dumps([
            {"jsonrpc": "2.0", "id": 1, "method": "reservation.create",
             "params": dict(DAY, **acme, gpus=8, client_ref="ba1", start="2027-06-01T00:00:00Z")},
            {"jsonrpc": "2.0", "method": "server.ping"},
            {"jsonrpc": "2.0", "id": "two", "method": "reservation.get", "params": {"id": 1}},
            {"jsonrpc": "2.0", "id": 3, "method": "pool.list"}, 7])),
        ("a broken line", None, '{"jsonrpc":"2.0","id":1,"method":"server.ping"'),
        ("a broken batch", None, "[]"),
        ("an escaped id", None, '{"jsonrpc":"2.0","\\u0069d":"four","method":"server.ping"}'),
    ]


# ---- The daemon, with orders about its memory


class Poor(Daemon):
    def __init__(self, folder):
        self.file = pathlib.Path(folder) / "orders"
        self.file.write_bytes(bytes(NUMBERS.size))
        with open(self.file, "r+b") as file:
            self.orders = mmap.mmap(file.fileno(), NUMBERS.size)
        super().__init__(folder=folder)

    def environment(self):
        return {**super().environment(), "LD_PRELOAD": str(SHIM), "FAILING_MEMORY": str(self.file)}

    def order(self, left, lasting=False):
        self.orders[:] = NUMBERS.pack(left, int(lasting), 0, 0)

    @property
    def failed(self):
        return NUMBERS.unpack(self.orders[:])[2]

    def answers(self):
        """Does it still answer? When it does, whatever was still going on had its memory."""
        try:
            return self.asker() is not None
        except (Gone, OSError):
            return False

    def asker(self, warm=False):
        """A connection that has been greeted, so that accepting it is over; warm: and the ledger's reader is open."""
        client = Client(connect(self.socket), "uid:0")
        self.clients.append(client)
        client.call("server.ping")
        if warm:
            client.call("event.list", limit=1)
        return client


def ask(client, request):
    """The reply's text with what differs by nature taken out, or None when the connection ended."""
    _, method, params = request
    line = params if method is None else json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    try:
        client.raw(line.encode() + b"\n")
        return parse(client.line(PATIENCE))
    except (Gone, OSError):
        return None


def plain(request, reply):
    """The reply without what differs from run to run: the daemon's own figures, a token, where the folder is."""
    if request[1] in ("server.status", "server.backup", "token.create") and "result" in reply:
        return {"result": sorted(reply["result"])}
    return reply


def kinds(reply):
    return {one["error"]["data"]["kind"] for one in (reply if isinstance(reply, list) else [reply]) if "error" in one}


def image(daemon):
    """All that can be read, and all rows of the ledger that aren't random or a matter of when batches end."""
    client = daemon.asker()
    read = [client.call(method, params) for method, params in (
        ("pool.list", {}), ("manifest.export", {}), ("commitment.status", {}), ("reservation.list", {"limit": 1000}),
        ("statement.list", {"limit": 1000}), ("event.list", {"limit": 1000}))]
    for pool in read[0]["pools"]:
        read.append(client.call("pool.calendar", {"pool": pool["pool"], **WINDOW}))
    return json.dumps(read, sort_keys=True)


# ---- Sweeping


class Sweep:
    def __init__(self, arguments):
        self.arguments = arguments
        self.totals = Counter()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="colossus-memory-",
                                                    dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
        self.folder.chmod(0o755)

    def copy_of(self, source, name):
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copytree(source / "book", folder / "book")
        return folder

    def without_fault(self, before, request, name):
        """Asks with all the memory there is, twice. The folder after it, both replies, and what can be read then."""
        folder = self.copy_of(before, name)
        with Poor(folder) as daemon:
            replies = [plain(request, ask(daemon.asker(), request)) for _ in range(2)]
            seen = image(daemon)
        return folder, replies, seen

    def one(self, before, request, expected, seen, left):
        """One run with a fault. False when the fault was never met, because nothing asked for memory so often."""
        with Poor(self.copy_of(before, "run")) as daemon:
            client = daemon.asker(warm=request[0] != "list")
            daemon.order(left, self.arguments.lasting)
            reply = ask(client, request)
            failed = daemon.failed
            outcome = self.outcome(daemon, request, reply, expected[0])
            acknowledged = reply is not None and not kinds(reply)
            again = self.ask_again(daemon, request)
            if acknowledged or plain(request, again) != expected[0]:
                equal(plain(request, again), expected[1], "asked again")
            equal(image(daemon), seen, "what can be read in the end")
        self.totals[outcome] += failed > 0
        return failed > 0

    @staticmethod
    def begin_again(daemon):
        """After its end: that has to be an end by itself that says why. Then another on the same ledger."""
        status = daemon.process.wait(PATIENCE)
        daemon.process = None
        daemon.forget_clients()
        equal(status, 70, f"the daemon's exit status; it said\n{daemon.log_tail()}\n")
        check("out of memory" in daemon.log_tail(), "it did not say why it ended", daemon.log_tail())
        daemon.start()

    def ask_again(self, daemon, request):
        """The reply, as soon as there is a ledger again: after a commit that failed it is opened anew."""
        client = daemon.asker()
        until(lambda: "error" not in client.ask("pool.list"), "the ledger")
        reply = ask(client, request)
        check(reply is not None, "asked again, the connection ended")
        return reply

    @staticmethod
    def has_ended(daemon, seconds):
        try:
            daemon.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def outcome(self, daemon, request, reply, expected):
        # What was asked for may also fail after the reply has left.
        daemon.order(0)
        if self.has_ended(daemon, 0.3 if reply is None else 0) or not daemon.answers():
            self.begin_again(daemon)
            return "ended"
        if reply is None:
            return "gone"
        if plain(request, reply) == expected:
            return "done"
        check(kinds(reply) & {"internal_error", "ledger_unavailable"}, "another reply:", json.dumps(reply)[:600],
              "where this was expected:", json.dumps(expected)[:600])
        return "refused"

    def all_of(self, before, request):
        """Sweeps one request. The folder with the ledger after it."""
        after, expected, seen = self.without_fault(before, request, f"after {request[0]}")
        self.totals = Counter()
        left = self.arguments.first
        try:
            while self.one(before, request, expected, seen, left):
                left += self.arguments.every
        except Failure as failure:
            raise Failure(f"allocation {left}: {failure}") from None
        return after, left, ", ".join(sorted(kinds(expected[0])))

    def run(self):
        passed = failed = 0
        whole = Counter()
        before = self.folder / "begin"
        before.mkdir()
        with Poor(before):
            pass
        for request in script():
            wanted = self.arguments.part in request[0]
            try:
                if wanted:
                    after, left, refused = self.all_of(before, request)
                    whole.update(self.totals)
                    print(f"ok    {request[0]}{refused and ' (' + refused + ')'}: {left - 1} allocations; "
                          + ", ".join(f"{count} {name}" for name, count in sorted(self.totals.items())), flush=True)
                    passed += 1
                else:
                    after, _, _ = self.without_fault(before, request, f"after {request[0]}")
            except Failure as failure:
                print(f"FAIL  {request[0]}: {str(failure)[:2000]}", flush=True)
                failed += 1
                after, _, _ = self.without_fault(before, request, f"after {request[0]}")
            before = after
        print("all:  " + ", ".join(f"{count} {name}" for name, count in sorted(whole.items())))
        print(f"{passed} passed, {failed} failed")
        shutil.rmtree(self.folder, ignore_errors=True)
        return 1 if failed or not passed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--lasting", action="store_true")
    parser.add_argument("part", nargs="?", default="")
    arguments = parser.parse_args()
    check(SHIM.exists(), f"there is no {SHIM}: run make faults")
    return Sweep(arguments).run()


if __name__ == "__main__":
    sys.exit(main())
