"""What a crash leaves, failing disks, and ledgers that can't be opened; tests/crash has what is done under load."""

import os
import resource
import shutil
import socket
import subprocess

from agreement import agree
from harness import BUILD, Daemon, Refused, check, connect, equal, until
from manifests import contract, small

ONE = dict(pool="hall/a", gpus=1, start="2026-12-05T00:00:00Z", hours=1)
GOOD = dict(pool="hall/a", gpus=8, start="2026-12-05T00:00:00Z", hours=24)


def refs_in_the_ledger(daemon):
    return {row["client_ref"] for row in daemon.sql("SELECT client_ref FROM v_reservation")}


def test_a_second_daemon():
    with Daemon() as daemon:
        with Daemon(start=False) as other:
            other.socket = daemon.socket
            status, said = other.start_fails()
            equal(status, 69, said)
            check(str(daemon.socket) in said, "it says which socket", said)
            other.socket = other.folder / "other.sock"
            other.ledger = daemon.ledger
            status, said = other.start_fails()
            equal(status, 69, said)
            check(str(daemon.ledger) in said, "it says which ledger", said)
        daemon.tenant("acme").call("reservation.create", GOOD)
        agree(daemon)


def test_what_a_crash_leaves_behind_is_no_obstacle():
    with Daemon() as daemon:
        daemon.tenant("acme", by_token=True).call("reservation.create", GOOD)
        daemon.kill()
        check(daemon.socket.exists(), "the socket's file is left")
        daemon.verify()
        daemon.start()
        equal(len(daemon.operate("reservation.list")["reservations"]), 1)
        agree(daemon)
        daemon.stop()
        equal(daemon.sql("SELECT id, state FROM v_reservation"), [{"id": 1, "state": "booked"}])
        modes = (daemon.ledger.stat().st_mode & 0o777, daemon.ledger.parent.stat().st_mode & 0o777)
        equal(modes[0], 0o640)


def test_missing_folders_are_made():
    with Daemon(start=False) as daemon:
        daemon.ledger = daemon.folder / "new" / "deeper" / "ledger.db"
        daemon.socket = daemon.folder / "run" / "x" / "colossus.sock"
        daemon.start()
        equal([path.stat().st_mode & 0o777 for path in (daemon.ledger.parent, daemon.socket.parent, daemon.socket)],
              [0o750, 0o755, 0o666])
        daemon.operate("server.ping")


# ---- Disks


def test_a_full_disk_refuses_before_deciding_and_reads_go_on():
    with Daemon() as daemon:
        daemon.tenant("acme", by_token=True).call("reservation.create", GOOD)
        daemon.stop()
        daemon.manifest, manifest = None, daemon.manifest
        daemon.config = {"min_free_bytes": 2**62}
        daemon.start()
        daemon.manifest = manifest
        acme = daemon.tenant("acme", by_token=True)
        with daemon.unchanged("a request on a full disk"):
            equal(acme.refused("ledger_unavailable", "reservation.create", GOOD)["outcome"], "none")
            equal(acme.refused("ledger_unavailable", "reservation.cancel", id=1)["outcome"], "none")
            equal(daemon.operator().refused("ledger_unavailable", "tenant.suspend", tenant="acme")["outcome"], "none")
            equal(acme.call("reservation.get", id=1)["state"], "booked")
            equal(len(acme.call("reservation.list")["reservations"]), 1)
            daemon.operate("server.status")
        agree(daemon)


def test_a_commit_that_fails_is_neither_done_nor_refused():
    """The WAL may grow no further: whatever was in the batch is unknown until it is asked again."""
    with Daemon(contract("10000000.00"), config={"limits": {"retry_milliseconds": 10}}) as daemon:
        acme, operator = daemon.tenant("acme", by_token=True), daemon.operator()
        acknowledged = {r["result"]["client_ref"] for r in acme.pipeline(
            [("reservation.create", dict(ONE, client_ref=f"before-{k}")) for k in range(20)])}
        wal = daemon.ledger.with_name("ledger.db-wal")
        most = max(wal.stat().st_size, daemon.ledger.stat().st_size, 1) + 50000
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
        unknown = set()
        for number in range(200):
            refs = [f"{number}-{k}" for k in range(20)]
            for ref, reply in zip(refs, acme.pipeline(
                    [("reservation.create", dict(ONE, client_ref=ref)) for ref in refs])):
                if "result" in reply:
                    acknowledged.add(ref)
                else:
                    equal(reply["error"]["data"]["kind"], "ledger_unavailable")
                    if reply["error"]["data"]["outcome"] == "unknown":
                        unknown.add(ref)
            if unknown:
                break
        check(unknown, "no commit failed with an unknown outcome")
        operator.call("server.ping")
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        until(lambda: operator.call("server.status")["ledger"]["available"], "the ledger is back")
        there = refs_in_the_ledger(daemon)
        check(acknowledged <= there, "lost:", sorted(acknowledged - there))
        # What was refused with the outcome "none" is not there, and asking again settles all.
        check(there <= acknowledged | unknown, "made though told otherwise:", sorted(there - acknowledged - unknown))
        for ref in sorted(unknown):
            again = acme.call("reservation.create", dict(ONE, client_ref=ref))
            equal(again.get("replayed", False), ref in there, f"replay of {ref}")
        agree(daemon)


def test_a_ledger_behind_its_witness_is_refused():
    with Daemon() as daemon:
        acme = daemon.tenant("acme", by_token=True)
        acme.call("reservation.create", GOOD)
        path = daemon.operate("server.backup", name="old.db")["path"]
        acme.call("reservation.create", GOOD)
        daemon.stop()
        for suffix in ("-wal", "-shm"):
            daemon.ledger.with_name("ledger.db" + suffix).unlink(missing_ok=True)
        shutil.copy(path, daemon.ledger)
        status, said = daemon.start_fails()
        equal(status, 69, said)
        check("witness" in said, "what is missing is said", said)
        done = subprocess.run([str(BUILD / "colossus"), "verify", str(daemon.ledger)], capture_output=True, check=False)
        check(done.returncode != 0, "verify is content with a ledger behind its witness", done)


def test_a_file_that_is_no_ledger_is_refused_and_left_alone():
    with Daemon(start=False) as daemon:
        daemon.ledger.write_bytes(b"something of somebody's\n" * 1000)
        status, said = daemon.start_fails()
        equal(status, 69, said)
        equal(daemon.ledger.read_bytes(), b"something of somebody's\n" * 1000)


# ---- Options


def test_options_and_their_exit_codes():
    with Daemon(start=False) as daemon:
        for arguments, expected in ((["--nonsense"], 64), (["--clock", "sundial"], 64), (["extra"], 64),
                                    (["--clock", "manual:yesterday"], 64), (["--log-level", "loud"], 64),
                                    (["--ledger"], 64), (["--check"], 0), (["--version"], 0), (["--help"], 0)):
            status, said = daemon.start_fails(*arguments)
            equal(status, expected, f"{arguments}: {said}")
            check(said if arguments != ["--check"] else True, "it says something")
        for config, member in (({"colour": 1}, "colour"), ({"horizon_years": 0}, "horizon_years"),
                               ({"limits": {"lines": 5}}, "lines"), ({"limits": {"in_flight": "many"}}, "in_flight"),
                               ({"limits": 7}, "limits"), ({"log_level": "loud"}, "log_level")):
            daemon.config = config
            for more in ([], ["--check"]):
                status, said = daemon.start_fails(*more)
                equal(status, 65, said)
                check(member in said, "the member is named", said)
        check(not daemon.ledger.exists(), "a refused start has made a ledger")


def test_a_manifest_that_is_refused_at_the_start():
    manifest = small()
    with Daemon(manifest) as daemon:
        daemon.stop()
        before = daemon.dump()
        manifest["tenants"].append({"tenant": "late"})
        manifest["contracts"][0]["tenant"] = "nobody"
        status, said = daemon.start_fails()
        equal(status, 65, said)
        check("contracts[0].tenant" in said, "the path is named", said)
        equal(daemon.dump(), before)


def test_the_log_says_when_it_is_ready():
    with Daemon() as daemon:
        lines = daemon.log.read_text().splitlines()
        equal(sum(" ready " in line for line in lines), 1, lines)
        before = os.stat(daemon.log).st_size
        daemon.tenant("acme", by_token=True).call("reservation.create", GOOD)
        try:
            daemon.operator().call("nothing")
        except Refused:
            pass
        equal(os.stat(daemon.log).st_size, before, "the log of ordinary requests")


def test_what_stands_at_the_sockets_path_stays():
    """Only a socket that nobody serves any more is taken over."""
    with Daemon(start=False) as daemon:
        daemon.socket.write_text("a diary")
        status, said = daemon.start_fails()
        equal(status, 69)
        check("there is something that is no socket" in said, said)
        equal(daemon.socket.read_text(), "a diary")
        daemon.socket.unlink()
        other = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        other.bind(str(daemon.socket))
        other.listen(1)
        status, said = daemon.start_fails()
        equal(status, 69)
        check("another program serves this socket" in said, said)
        connect(daemon.socket).close()
        other.close()  # as one that was killed: its socket is left and nobody serves it
        daemon.start()
        daemon.operator().call("server.ping")


def test_readiness_is_told_to_the_service_manager():
    if b"libsystemd.so" not in (BUILD / "colossusd").read_bytes():
        return  # built without it
    with Daemon(start=False) as daemon:
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(str(daemon.folder / "notify"))
        manager.settimeout(60)
        environment = daemon.environment()
        daemon.environment = lambda: {**environment, "NOTIFY_SOCKET": str(daemon.folder / "notify")}
        daemon.start()
        equal(manager.recv(100), b"READY=1")
        daemon.stop()
        equal(manager.recv(100), b"STOPPING=1")
        manager.close()
