"""What operators do: capacity, manifests, backups, and seeing how the daemon does."""

import copy
import json
import subprocess
import sys

from agreement import agree
from harness import BUILD, METHODS, ROOT, SCHEMA, Daemon, check, check_schema, equal, until
from manifests import colossus, contract, small

DAY = dict(pool="hall/a", start="2026-12-05T00:00:00Z", hours=24)


# ---- Capacity


def test_capacity_grows_from_a_date():
    with Daemon() as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme")
        acme.refused("capacity_exceeded", "reservation.create", DAY, gpus=72)
        grown = operator.call("capacity.change", pool="hall/a", kind="growth", gpus=16, start="2026-12-05T00:00:00Z",
                              note="row 14")
        change = grown["capacity_change"]
        equal({name: change[name] for name in ("pool", "kind", "gpus", "start", "end", "note")},
              {"pool": "hall/a", "kind": "growth", "gpus": 16, "start": "2026-12-05T00:00:00Z", "end": None,
               "note": "row 14"})
        equal(grown["interruptions"], [])
        acme.call("reservation.create", DAY, gpus=72)
        data = acme.refused("capacity_exceeded", "reservation.create", DAY, gpus=80,
                            start="2026-12-04T12:00:00Z")
        equal(data["next_start"], "2026-12-06T00:00:00Z")
        agree(daemon)
        daemon.restart()
        agree(daemon)


def test_senseless_capacity_changes():
    with Daemon() as daemon:
        operator = daemon.operator()
        good = dict(pool="hall/a", kind="growth", gpus=8, start="2026-12-05T00:00:00Z")
        with daemon.unchanged("a refused change"):
            for bad, kind in ((dict(gpus=0), "invalid_params"), (dict(gpus=-8), "invalid_params"),
                              (dict(gpus=8.0), "invalid_params"), (dict(kind="shrink"), "invalid_params"),
                              (dict(pool="hall/x"), "not_found"), (dict(end=good["start"]), "invalid_params"),
                              (dict(kind="maintenance"), "invalid_params"),
                              (dict(start="2026-12-05T00:30:00Z"), "invalid_params"),
                              (dict(kind="retirement", gpus=72), "invalid_params")):
                operator.refused(kind, "capacity.change", {**good, **bad})


# ---- Manifests


def test_applying_a_manifest_twice_changes_nothing():
    for manifest in (small(), colossus(), contract("1000.00", billing="instalments", discount_pct=1.25)):
        with Daemon(manifest) as daemon:
            with daemon.unchanged("the same manifest"):
                equal(daemon.operate("manifest.apply", manifest=manifest), {"changes": []})
            daemon.stop()
            before = daemon.dump()
            daemon.start()  # with --manifest again
            equal(daemon.dump(), before, "the ledger after a start with the same manifest")


def test_an_export_recreates_the_present():
    with Daemon(colossus()) as daemon:
        operator = daemon.operator()
        operator.call("capacity.change", pool="colossus-1/h100", kind="growth", gpus=800, start="2027-01-01T00:00:00Z")
        operator.call("capacity.change", pool="colossus-1/h100", kind="maintenance", gpus=80,
                      start="2027-02-01T00:00:00Z", end="2027-02-03T00:00:00Z", note="row 14")
        operator.call("tenant.suspend", tenant="xai")
        exported = operator.call("manifest.export")["manifest"]
        check_schema("manifest", json.loads((SCHEMA / "manifest.schema.json").read_text()), exported, "an export")
        with daemon.unchanged("its own export"):
            equal(operator.call("manifest.apply", manifest=exported)["changes"], [])
        window = dict(pool="colossus-1/h100", start="2026-12-01T00:00:00Z", end="2028-01-01T00:00:00Z")
        steps = operator.call("pool.calendar", window)
        status = operator.call("commitment.status")
    with Daemon(exported) as daemon:
        operator = daemon.operator()
        equal(operator.call("manifest.export")["manifest"], exported)
        equal(operator.call("pool.calendar", window), steps)
        equal(operator.call("commitment.status"), status)
        agree(daemon)


def test_a_manifest_names_what_it_added_and_changed():
    with Daemon() as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme")
        changes = operator.call("manifest.apply", manifest={
            "version": 1, "sites": [{"site": "other"}],
            "pools": [{"pool": "other/a", "gpu": "H100", "unit": 8,
                       "capacity": [{"from": "2026-01-01T00:00:00Z", "gpus": 8}],
                       "rates": [{"from": "2026-01-01T00:00:00Z", "firm": "1.00"}]}],
            "tenants": [{"tenant": "acme", "name": "Acme Inc."}, {"tenant": "new"}]})["changes"]
        found = {(change["kind"], change["what"], change["name"]) for change in changes}
        check({("added", "site", "other"), ("added", "pool", "other/a"), ("added", "tenant", "new"),
               ("changed", "tenant", "acme")} <= found, "changes", changes)
        # What it leaves out stays; acme's uids were not named, so they stay, too.
        acme.call("reservation.create", DAY, gpus=8)
        acme.call("reservation.create", dict(DAY, pool="other/a"), gpus=8)
        agree(daemon)


def test_an_error_in_a_manifest_names_its_path_and_changes_nothing():
    def broken(change):
        manifest = small()
        change(manifest)
        return manifest

    cases = [
        ("version", lambda m: m.update(version=2)),
        ("version", lambda m: m.pop("version")),
        ("colour", lambda m: m.update(colour="red")),
        ("sites[0].site", lambda m: m["sites"][0].update(site="Bad Name")),
        ("pools[0].unit", lambda m: m["pools"][0].update(unit=0)),
        ("pools[1].unit", lambda m: m["pools"][1].update(unit=2)),
        ("pools[0].pool", lambda m: m["pools"][0].update(pool="elsewhere/a")),
        ("pools[0].capacity[0].gpus", lambda m: m["pools"][0]["capacity"][0].update(gpus=-8)),
        # Capacity can't become less in hours that are over.
        ("pools[0].capacity[0].gpus", lambda m: m["pools"][0]["capacity"][0].update(gpus=56)),
        ("pools[0].capacity[1].from", lambda m: m["pools"][0]["capacity"][1].update({"from": "2027-02-01T00:30:00Z"})),
        ("pools[0].rates[0].firm", lambda m: m["pools"][0]["rates"][0].update(firm=2.0)),
        ("pools[0].rates[0].firm", lambda m: m["pools"][0]["rates"][0].update(firm="2.0000001")),
        ("pools[0].rates[0].firm", lambda m: m["pools"][0]["rates"][0].update(firm="-2.00")),
        ("tenants[2].tenant", lambda m: m["tenants"][2].update(tenant="")),
        ("contracts[1].tenant", lambda m: m["contracts"][1].update(tenant="nobody")),
        ("contracts[1].pools[0]", lambda m: m["contracts"][1].update(pools=["hall/x"])),
        ("contracts[0].end", lambda m: m["contracts"][0].update(end="2026-10-01T00:00:00Z")),
        ("contracts[0].periods.annual", lambda m: m["contracts"][0]["periods"].update(annual="1e400")),
        ("contracts[0].periods.annual", lambda m: m["contracts"][0]["periods"].update(annual=1000)),
        ("contracts[0].periods.annual", lambda m: m["contracts"][0]["periods"].update(annual="99999999999999999.00")),
        ("contracts[0].periods[0].start", lambda m: m["contracts"][0].update(
            periods=[{"start": "2026-11-01T00:00:00Z", "commit": "1.00"}])),
        ("contracts[0].overage.limit_pct", lambda m: m["contracts"][0]["overage"].update(limit_pct=10.123)),
        ("contracts[0].overage", lambda m: m["contracts"][0]["overage"].update(limit="1.00")),
        ("contracts[0].cancel.late_fee_pct", lambda m: m["contracts"][0]["cancel"].update(late_fee_pct=101)),
        ("contracts[0].billing", lambda m: m["contracts"][0].update(billing="weekly")),
        # Two contracts of a tenant for the same hours and pools.
        ("contracts[2]", lambda m: m["contracts"].append({**copy.deepcopy(m["contracts"][0]), "contract": "more"})),
        ("contracts[2]", lambda m: m["contracts"].append(copy.deepcopy(m["contracts"][0]))),
    ]
    with Daemon() as daemon:
        operator = daemon.operator()
        with daemon.unchanged("a refused manifest"):
            for path, change in cases:
                data = operator.refused("invalid_manifest", "manifest.apply", manifest=broken(change))
                check(data["path"].startswith(path), f"path {data['path']!r} instead of {path!r}")
            operator.refused("invalid_params", "manifest.apply", manifest=[])
            operator.refused("invalid_params", "manifest.apply")
        # The same errors keep the daemon from starting, with 65.
        daemon.stop()
        before = daemon.dump()
        for path, change in cases[::5]:
            daemon.manifest = broken(change)
            status, said = daemon.start_fails()
            equal(status, 65, said)
            check(path in said, "the path is named", said)
            status, said = daemon.start_fails("--check")
            equal(status in (0, 65), True, said)  # what the ledger has to say, --check can't know
        equal(daemon.dump(), before, "the ledger")


# ---- Backups


def test_a_backup_is_a_ledger():
    with Daemon() as daemon:
        acme = daemon.tenant("acme", by_token=True)
        acme.call("reservation.create", DAY, gpus=8, client_ref="a")
        made = daemon.operate("server.backup", name="one.db")
        copied = daemon.ledger.parent / "backups" / "one.db"
        equal((made["path"], made["bytes"]), (str(copied), copied.stat().st_size))
        daemon.verify(copied)
        equal(daemon.dump(copied)["reservation"], daemon.dump()["reservation"])
        # Never over an existing one.
        stamp = (copied.stat().st_mtime_ns, copied.stat().st_size)
        equal(daemon.operator().refused("conflict", "server.backup", name="one.db").get("member"), "name")
        (copied.parent / "mine").write_text("a file of somebody's")
        daemon.operator().refused("conflict", "server.backup", name="mine")
        equal(((copied.parent / "mine").read_text(), (copied.stat().st_mtime_ns, copied.stat().st_size)),
              ("a file of somebody's", stamp))
        # Without a name each gets one of its own.
        paths = {daemon.operate("server.backup")["path"] for _ in range(3)}
        equal(len(paths), 3)
        for path in paths:
            daemon.verify(path)
        for bad in ("", ".hidden", "../out", "a/b", "x" * 129, "a b"):
            daemon.operator().refused("invalid_params", "server.backup", name=bad)
        listed, status = acme.call("reservation.list"), daemon.operate("commitment.status")
        with Daemon(start=False) as other:
            other.ledger.write_bytes(copied.read_bytes())
            other.start()
            equal(other.operate("reservation.list"), listed)
            equal(other.operate("commitment.status"), status)
            again = other.operate("reservation.create", DAY, gpus=8, client_ref="a", tenant="acme")
            equal(again["replayed"], True)
            other.operate("reservation.create", DAY, gpus=8, tenant="acme")
            agree(other)


def test_backups_asked_for_at_once():
    """A name is taken as soon as its backup is asked for, and what is refused for it leaves no trace."""
    with Daemon() as daemon:
        operator = daemon.operator()
        replies = operator.pipeline([("server.backup", {"name": "one.db"}),
                                     ("server.backup", {"name": "one.db", "client_ref": "late"})])
        equal(sorted(replies[0]), ["id", "jsonrpc", "result"])
        equal(replies[1].get("error", {}).get("data", {}).get("kind"), "conflict", replies[1])
        equal(len(daemon.sql("SELECT seq FROM event WHERE type = 'backup.requested'")), 1)
        check("replayed" not in operator.call("server.backup", name="two.db", client_ref="late"), "the ref was free")
        replies = operator.pipeline([("server.backup", {})] * 3)
        equal(len({reply["result"]["path"] for reply in replies}), 3, "names of unnamed backups")


def test_a_backup_while_bookings_go_on():
    with Daemon(contract("100000000.00")) as daemon:
        acme = daemon.tenant("acme", by_token=True)
        request = ("reservation.create", dict(pool="hall/a", gpus=1, start="2026-12-05T00:00:00Z", hours=1))
        operator = daemon.operator()
        acme.raw(b"".join(acme.request(*request) for _ in range(400)))
        operator.send("server.backup", name="busy.db")
        replies = [acme.reply() for _ in range(400)]
        check(all("result" in reply for reply in replies), "all were booked")
        path = operator.reply()["result"]["path"]
        daemon.verify(path)
        copied = daemon.sql("SELECT count(*) AS n, max(id) AS last FROM v_reservation", path=path)[0]
        equal(copied["n"], copied["last"] or 0, "a consistent copy has all up to its last")


def test_a_backup_where_no_folder_can_be():
    with Daemon() as daemon:
        operator = daemon.operator()
        folder = daemon.ledger.parent
        folder.rename(folder.with_name("away"))
        try:
            operator.refused("internal_error", "server.backup", name="x.db")
        finally:
            folder.with_name("away").rename(folder)
        operator.call("server.backup", name="x.db")


# ---- The daemon


def test_status():
    with Daemon() as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme")
        before = operator.call("server.status")
        equal((before["clock"], before["now"]), ("manual", "2026-11-30T12:00:00Z"))
        equal((before["ledger"]["path"], before["ledger"]["available"]), (str(daemon.ledger), True))
        check(before["ledger"]["bytes"] == daemon.ledger.stat().st_size, "size", before)
        acme.call("reservation.create", DAY, gpus=8)
        acme.refused("not_found", "reservation.get", id=9)
        acme.call("reservation.list")
        after = operator.call("server.status")
        equal(after["reservations"] - before["reservations"], 1)
        until(lambda: operator.call("server.status")["connections"] == len(daemon.clients), "its connections")
        moved = {name: after["totals"][name] - before["totals"][name] for name in after["totals"]}
        check(moved["decisions"] == 1 and moved["refusals"] == 1 and moved["ledger_reads"] >= 1
              and moved["batches"] == 1 and moved["requests"] >= 4 and moved["events"] == 1, "totals", moved)
        equal(after["ledger"]["last_batch"], daemon.sql("SELECT batch FROM v_now")[0]["batch"])
        equal(after["version"], operator.call("session.info")["server"]["version"])


def test_discover_is_what_the_schema_files_say():
    with Daemon() as daemon:
        document = daemon.tenant("acme").call("rpc.discover")
        generated = subprocess.run([sys.executable, str(SCHEMA / "generate.py"), "openrpc"], cwd=ROOT,
                                   capture_output=True, check=True).stdout
        equal(document, json.loads(generated))
        equal(sorted(method["name"] for method in document["methods"]), sorted(METHODS))
        for method in document["methods"]:
            schema = METHODS[method["name"]]
            equal(method["summary"], schema["summary"])
            equal([(p["name"], p.get("required", False)) for p in method["params"]],
                  [(p["name"], p["required"]) for p in schema["params"]])
        equal(json.loads(subprocess.run([str(BUILD / "colossus"), "schema"], capture_output=True, check=True).stdout),
              document)


def test_a_large_manifest():
    """A manifest larger than a tenant's line, on an operator's connection."""
    with Daemon() as daemon:
        manifest = {"version": 1, "tenants": [{"tenant": f"t{number}", "note": "x" * 1000} for number in range(1500)]}
        changes = daemon.operate("manifest.apply", manifest=manifest)["changes"]
        equal(len(changes), 1500)
        daemon.restart()
        with daemon.unchanged("the same manifest"):
            equal(daemon.operate("manifest.apply", manifest=manifest)["changes"], [])
