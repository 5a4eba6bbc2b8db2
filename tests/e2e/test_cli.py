"""The command line through the real daemon: what it prints, and with which status it ends."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess

from agreement import agree
from harness import BUILD, DEADLINE, Daemon, check, equal
from manifests import small

RESERVE = ["reserve", "hall/a", "8", "--start", "2026-12-05", "--for", "24h"]


class Shell:
    """Runs colossus at a daemon, as an operator or as a tenant by a token."""

    def __init__(self, daemon, tenant=None):
        self.environment = {**daemon.environment(), "COLOSSUS_SOCKET": str(daemon.socket)}
        if tenant:
            self.environment["COLOSSUS_TOKEN"] = daemon.token(tenant)

    def run(self, *arguments, status=0, given=b""):
        done = subprocess.run([str(BUILD / "colossus"), *arguments], input=given, capture_output=True,
                              timeout=DEADLINE, env=self.environment, check=False)
        out, err = done.stdout.decode(), done.stderr.decode()
        equal(done.returncode, status, f"status of colossus {' '.join(arguments)}: {out[-600:]} {err[-600:]}")
        return out, err

    def json(self, *arguments, status=0):
        return json.loads(self.run(*arguments, "-o", "json", status=status)[0])


def test_exit_codes():
    manifest = small()
    with Daemon(manifest) as daemon:
        operator, acme, beta = Shell(daemon), Shell(daemon, "acme"), Shell(daemon, "beta")
        acme.run("ping")
        acme.run("show", "99", status=1)
        acme.run("reserve", "hall/x", "8", "--start", "2026-12-05", "--for", "1h", status=1)
        acme.run("reserve", "hall/a", "8", status=2)
        acme.run("fly", status=2)
        acme.run("reserve", "hall/a", "eight", "--start", "2026-12-05", "--for", "1h", status=2)
        acme.run("status", status=4)
        acme.run("advance", "+1d", status=4)
        _, err = acme.run("reserve", "hall/a", "72", "--start", "2026-12-05", "--for", "24h", status=5)
        check("2027-02-01T00:00:00Z" in err and "64" in err, "the way out in words", err)
        _, err = beta.run("reserve", "hall/a", "64", "--start", "2026-12-05", "--for", "96h", status=6)
        check("$10,000.00" in err and "48" in err, "the way out in words", err)
        # A wrong token is not let in; a socket that is not there can't be reached.
        wrong = Shell(daemon)
        wrong.environment["COLOSSUS_TOKEN"] = "clss_wrong"
        wrong.run("ping", status=4)
        away = Shell(daemon)
        away.environment["COLOSSUS_SOCKET"] = str(daemon.folder / "nowhere.sock")
        away.run("ping", status=3)
        operator.run("--help")
        operator.run("reserve", "--help")
        operator.run("--version")
        with daemon.unchanged("an operator's change for nobody"):
            operator.run(*RESERVE, status=1)
        operator.run(*RESERVE, "--tenant", "acme")


def test_reserve_prints_its_ref_and_a_retry_is_safe():
    with Daemon() as daemon:
        acme = Shell(daemon, "acme")
        out, err = acme.run(*RESERVE)
        check("booked" in out and "$384.00" in out, "a table", out)
        ref = daemon.sql("SELECT client_ref FROM v_reservation")[0]["client_ref"]
        check(ref and ref in err, "the ref that was made is printed", err)
        again = acme.json(*RESERVE, "--ref", ref)
        equal((again["id"], again["replayed"]), (1, True))
        made = acme.json(*RESERVE, "--ref", "mine", "--note", "row 3", "--project", "x")
        equal((made["id"], made["client_ref"], made["note"], made["project"]), (2, "mine", "row 3", "x"))
        with daemon.unchanged("a quote"):
            equal(acme.json(*RESERVE, "--dry-run")["dry_run"], True)
        agree(daemon)


def test_what_waits_shows_what_blocks_it():
    with Daemon() as daemon:
        acme = Shell(daemon, "acme")
        acme.run("reserve", "hall/a", "64", "--start", "2026-12-05", "--for", "24h")
        out, _ = acme.run("reserve", "hall/a", "8", "--start", "2026-12-04", "--for", "72h", "--wait-until", "2026-12-02")
        check("waiting.position" in out, "its place", out)
        rows = out[out.index("waiting.blocked:"):].split("\n")
        equal([row.split() for row in rows[1:3]],
              [["START", "END", "FREE", "LIMIT"], ["2026-12-05T00:00:00Z", "2026-12-06T00:00:00Z", "0", "gpus"]])


def test_every_verb():
    with Daemon() as daemon:
        operator, acme = Shell(daemon), Shell(daemon, "acme")
        equal([p["pool"] for p in acme.json("pools")["pools"]], ["hall/a", "hall/b"])
        acme.json("calendar", "hall/a")
        equal(acme.json("calendar", "hall/a", "--start", "2026-12-05", "--for", "2w")["steps"][0]["free"], 64)
        equal(acme.json("offers", "8", "--for", "1d", "--limit", "1")["offers"][0]["cost"], "384.00")
        equal(acme.json("plan")["contract"], "acme-main")
        equal(acme.json(*RESERVE, "--hold", "2h")["state"], "held")
        equal(acme.json("confirm", "1")["state"], "booked")
        equal(acme.json("change", "1", "--gpus", "16")["added"], "384.00")
        equal(acme.json("show", "1")["gpus"], 16)
        group = acme.json("reserve-group", "--leg", "hall/a:8:2026-12-05:24h",
                          "--leg", "hall/b:3:2026-12-12T00:00:00Z:2026-12-12T02:00:00Z", "--ref", "both")
        equal([r["cost"] for r in group["reservations"]], ["384.00", "9.00"])
        equal(len(acme.json("show", "--group", "2")["reservations"]), 2)
        equal(acme.json("show", "--ref", "both")["group"], 2)
        equal(acme.json("cancel", "--group", "2")["released"], "393.00")
        equal([r["id"] for r in acme.json("list", "--state", "booked")["reservations"]], [1])
        equal(len(acme.json("list", "--all")["reservations"]), 3)
        equal(acme.json("commitment", "acme-main", "--at", "2026-12-01")["periods"][0]["used"], "768.00")
        check(len(acme.json("statement")["transfers"]) > 3, "a statement")
        check(len(acme.json("events", "--all")["events"]) > 3, "events")
        equal(acme.json("call", "reservation.get", '{"id":1}')["id"], 1)
        equal(json.loads(acme.run("call", "reservation.get", "-", given=b'{"id":1}')[0])["id"], 1)
        equal(operator.json("capacity", "hall/a", "growth", "8", "--start", "2027-01-01")["capacity_change"]["gpus"], 8)
        equal(operator.json("suspend", "gamma", "--reason", "test")["suspended"], True)
        equal(operator.json("resume", "gamma")["suspended"], False)
        equal(operator.json("token", "create", "t", "--tenant", "beta")["label"], "t")
        equal(operator.json("token", "revoke", "t")["label"], "t")
        equal(operator.json("status")["clock"], "manual")
        check(operator.run("metrics")[0].endswith("# EOF\n"), "metrics")
        daemon.verify(operator.json("backup", "b.db")["path"])
        equal(operator.json("advance", "+36h")["now"], "2026-12-02T00:00:00Z")
        exported = operator.json("export")
        manifest = daemon.folder / "exported.json"
        manifest.write_text(json.dumps(exported.get("manifest", exported)))
        equal(operator.json("apply", str(manifest))["changes"], [])
        with daemon.unchanged("a dry run"):
            equal(operator.json("apply", str(manifest), "--dry-run")["dry_run"], True)
        manifest.write_text('{"version":1,"sites":[{"site":"Bad Name"}]}')
        _, err = operator.run("apply", str(manifest), status=1)
        check("sites[0].site" in err, "the path is named", err)
        operator.run("schema")
        check("CREATE" in operator.run("schema", "--sql")[0], "the ledger's SQL")
        for verb in (["pools"], ["calendar", "hall/a"], ["list"], ["show", "1"], ["commitment"], ["statement"],
                     ["events"], ["ping"]):
            out, _ = acme.run(*verb)
            check(out.strip() and "\x1b" not in out, "a table without colours in a pipe", verb, out)
        agree(daemon)


def test_a_cancel_that_costs_asks_first():
    with Daemon(clock="2026-12-04T00:00:00Z") as daemon:
        acme = Shell(daemon, "acme")
        acme.run(*RESERVE)
        with daemon.unchanged("a cancel that nobody agreed to"):
            # 24 hours' notice: all of $384.00 is late.
            _, err = acme.run("cancel", "1", status=2)
            check("$192.00" in err and "--yes" in err, "the fee and the way to agree", err)
            acme.run("change", "1", "--end", "2026-12-05T12:00:00Z", status=2)
            equal(acme.json("cancel", "1", "--dry-run")["fee"], "192.00")
        equal(acme.json("cancel", "1", "--yes")["fee"], "192.00")
        # Without a fee nothing is asked.
        acme.run("reserve", "hall/a", "8", "--start", "2026-12-20", "--for", "1d")
        acme.run("cancel", "2")
        agree(daemon)


def test_a_refusal_as_json():
    with Daemon() as daemon:
        acme = Shell(daemon, "acme")
        error = acme.json("reserve", "hall/a", "72", "--start", "2026-12-05", "--for", "24h", status=5)["error"]
        equal((error["code"], error["data"]["kind"]), (1006, "capacity_exceeded"))


def test_following_events():
    """Across a restart, each once; and an interrupt ends it well."""
    with Daemon() as daemon:
        acme = Shell(daemon, "acme")
        last = acme.json("events", "--all")["events"][-1]["seq"]
        following = subprocess.Popen(
            [str(BUILD / "colossus"), "events", "--follow", "--after", str(last), "-o", "json"],
            env=acme.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            for number in range(1, 5):
                acme.run(*RESERVE)
                event = json.loads(following.stdout.readline())
                equal((event["type"], event["reservation"]), ("reservation.booked", number))
                if number % 2 == 0:
                    daemon.restart()
            following.send_signal(signal.SIGINT)
            out, err = following.communicate(timeout=DEADLINE)
            equal((out, following.returncode), (b"", 0))
            check(b"connecting again" in err, "it says what happened", err)
        finally:
            following.kill()
            following.wait()
        done = subprocess.run([str(BUILD / "colossus"), "events", "--follow"], env={**acme.environment, "COLOSSUS_TOKEN": "x"},
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE, check=False)
        equal(done.returncode, 4, "who may not watch is told so at once")


def verify(path, status):
    done = subprocess.run([str(BUILD / "colossus"), "verify", str(path)], capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=DEADLINE, check=False)
    said = (done.stdout + done.stderr).decode()
    equal(done.returncode, status, said)
    return said


def test_verify_names_what_was_tampered_with():
    with Daemon() as daemon:
        acme = Shell(daemon, "acme")
        acme.run(*RESERVE)
        acme.run(*RESERVE)
        acme.run("cancel", "2")
        Shell(daemon).run("advance", "2027-01-02")
        daemon.stop()
        copy = daemon.folder / "copy"
        for named, change in (
                ("reservation", "UPDATE reservation SET gpus = gpus + 8 WHERE id = 1"),
                ("reservation", "UPDATE reservation SET state = 'booked' WHERE id = 2"),
                ("slice", "UPDATE slice SET gpus = gpus + 8"),
                ("slice", "DELETE FROM slice"),
                ("account", "UPDATE account SET balance_micro = balance_micro + 1 WHERE id = 1"),
                ("contract_period", "UPDATE contract_period SET closed = 1"),
                ("tenant", "UPDATE tenant SET suspended = 1 WHERE tenant = 'gamma'"),
                ("transfer", "UPDATE transfer SET amount_micro = amount_micro + 1 WHERE id = 1"),
                ("transfer", "DELETE FROM transfer WHERE id = (SELECT max(id) FROM transfer)"),
                ("event", "UPDATE event SET actor = 'nobody' WHERE seq = 3"),
                ("event", "DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)"),
                ("batch", "UPDATE batch SET at = at + 1 WHERE seq = 1"),
                ("rate", "UPDATE rate SET price_micro = 1"),
                ("capacity_change", "UPDATE capacity_change SET gpus = gpus + 8")):
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(daemon.ledger.parent, copy)
            database = sqlite3.connect(copy / "ledger.db")
            refused = False
            try:
                database.execute(change)
                database.commit()
            except sqlite3.DatabaseError:
                refused = True  # a trigger: what happened can't be changed by hand
                database.rollback()
                for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                    database.execute(f'DROP TRIGGER "{trigger}"')
                database.execute(change)
                database.commit()
            finally:
                database.close()
            equal(refused, named in ("transfer", "event", "batch", "rate", "capacity_change"), f"refused: {change}")
            said = verify(copy / "ledger.db", 1)
            check(any(word in said for word in (named, "batch", "chain")), f"{change}: verify says", said)
        verify(daemon.folder / "nothing.db", 1)
        (daemon.folder / "text.db").write_text("no ledger")
        verify(daemon.folder / "text.db", 1)


def test_verify_beside_a_running_daemon():
    with Daemon() as daemon:
        acme = Shell(daemon, "acme")
        for _ in range(3):
            acme.run(*RESERVE)
            verify(daemon.ledger, 0)
        equal(json.loads(subprocess.run([str(BUILD / "colossus"), "verify", str(daemon.ledger), "-o", "json"],
                                        capture_output=True, check=True).stdout)["reservations"], 3)


def test_a_token_in_a_file():
    with Daemon() as daemon:
        path = daemon.folder / "token"
        path.write_text(daemon.token("acme") + "\n")
        os.chmod(path, 0o600)
        shell = Shell(daemon)
        equal(shell.json("call", "session.info", "--token-file", str(path))["tenant"], "acme")
        shell.run("ping", "--token-file", str(daemon.folder / "none"), status=2)
