"""Outages without an end: a day is cut ahead, hour by hour, until they are closed."""

from agreement import agree
from harness import Daemon, check, equal
from manifests import small
from test_cli import Shell

DAY = dict(pool="hall/a", start="2026-12-05T00:00:00Z", hours=24)
OUTAGE = dict(pool="hall/a", kind="outage", gpus=40, start="2026-12-05T03:00:00Z")


def cuts(reply):
    return sorted((i["reservation"], i["start"], i["end"], i["gpus"]) for i in reply["interruptions"])


def capacity(client, start="2026-12-05T03:00:00Z", end="2026-12-08T00:00:00Z"):
    steps = client.call("pool.calendar", pool="hall/a", start=start, end=end)["steps"]
    joined = []
    for step in steps:
        gpus = step["capacity"]
        if not joined or joined[-1][1] != gpus:
            joined.append((step["start"], gpus))
    return joined


def views(daemon):
    return [(r["start"], r["capacity"], r["reserved"]) for r in daemon.sql(
        "SELECT start, capacity, reserved FROM v_capacity WHERE pool = 'hall/a' AND start >= '2026-12-05' "
        "AND start < '2026-12-09'")]


def hours(client, number):
    return sum((int(s["end"][8:10]) * 24 + int(s["end"][11:13]) - int(s["start"][8:10]) * 24 - int(s["start"][11:13]))
               * s["gpus"] for s in client.call("reservation.get", id=number)["slices"])


def test_an_open_outage_cuts_a_day_ahead_until_it_is_closed():
    with Daemon() as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme")
        acme.call("reservation.create", DAY, hours=72, gpus=32)
        daemon.advance("2026-12-05T03:20:00Z")
        with daemon.unchanged("a dry run"):
            dry = operator.call("capacity.change", OUTAGE, dry_run=True)
        made = operator.call("capacity.change", OUTAGE, client_ref="rack 7")
        # 64 less 40 are 24: 8 are missing for a day from the running hour on.
        equal(cuts(made), [(1, "2026-12-05T03:00:00Z", "2026-12-06T03:00:00Z", 8)])
        equal((made["capacity_change"]["end"], made["capacity_change"]["cut_until"]), (None, "2026-12-06T03:00:00Z"))
        equal(dry["interruptions"], made["interruptions"])
        equal(capacity(operator), [("2026-12-05T03:00:00Z", 24), ("2026-12-06T03:00:00Z", 64)])
        agree(daemon)
        # Each whole hour cuts one more, also over a stop, and none twice.
        daemon.advance("2026-12-05T04:00:00Z")
        equal(capacity(operator, "2026-12-05T04:00:00Z")[1], ("2026-12-06T04:00:00Z", 64))
        daemon.advance("2026-12-05T09:59:59Z")
        daemon.restart()
        daemon.advance("2026-12-05T14:10:00Z")
        operator, acme = daemon.operator(), daemon.tenant("acme")
        equal(capacity(operator, "2026-12-05T14:00:00Z"), [("2026-12-05T14:00:00Z", 24), ("2026-12-06T14:00:00Z", 64)])
        equal(hours(acme, 1), 72 * 32 - 35 * 8)
        equal(daemon.sql("SELECT type, count(*) AS n FROM event WHERE type LIKE 'outage.%' OR type = "
                         "'reservation.interrupted' GROUP BY 1 ORDER BY 1"),
              [{"type": "outage.extended", "n": 11}, {"type": "reservation.interrupted", "n": 12}])
        equal(daemon.sql("SELECT count(DISTINCT capacity_change) AS n, sum(gpu_hours) AS hours FROM v_interruption"),
              [{"n": 1, "hours": 35 * 8}])
        equal(acme.call("commitment.status")["periods"][0]["relief"], f"{35 * 8 * 2}.00")
        agree(daemon)
        # What waits for the GPUs gets them when the outage is closed; what was interrupted stays so.
        acme.call("reservation.create", DAY, start="2026-12-05T20:00:00Z", hours=6, gpus=24,
                  wait_until="2026-12-05T19:00:00Z")
        with daemon.unchanged("a dry run"):
            operator.call("capacity.change", OUTAGE, end="2026-12-05T16:00:00Z", dry_run=True)
        closed = operator.call("capacity.change", OUTAGE, end="2026-12-05T16:00:00Z", client_ref="rack 7 is back")
        equal((closed["capacity_change"]["id"], closed["capacity_change"]["end"], closed["interruptions"]),
              (made["capacity_change"]["id"], "2026-12-05T16:00:00Z", []))
        equal(capacity(operator, "2026-12-05T14:00:00Z"), [("2026-12-05T14:00:00Z", 24), ("2026-12-05T16:00:00Z", 64)])
        equal(acme.call("reservation.get", id=2)["state"], "booked")
        equal(hours(acme, 1), 72 * 32 - 35 * 8)
        # It can book again what it lost.
        acme.call("reservation.change", id=1, gpus=32, **{"from": "2026-12-05T16:00:00Z"})
        equal(hours(acme, 1), 72 * 32 - 13 * 8)
        # Both requests again show the outage as it is now.
        for reference, end in (("rack 7", {}), ("rack 7 is back", {"end": "2026-12-05T16:00:00Z"})):
            again = operator.call("capacity.change", OUTAGE, client_ref=reference, **end)
            equal((again["replayed"], again["capacity_change"]), (True, closed["capacity_change"]))
        equal(len(again["interruptions"]), 12)
        daemon.advance("2026-12-07T00:00:00Z")
        equal(daemon.sql("SELECT count(*) AS n FROM event WHERE type = 'outage.extended'"), [{"n": 11}])
        agree(daemon)
        seen = views(daemon)
        daemon.restart()
        equal(views(daemon), seen)
        agree(daemon)
        daemon.verify()


def test_a_long_stop_catches_up_hour_by_hour():
    """Bookings made before the stop are cut as if the daemon had been there, and each at its own instant."""
    with Daemon() as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme")
        acme.call("reservation.create", DAY, hours=96, gpus=64)
        daemon.advance("2026-12-05T03:00:00Z")
        operator.call("capacity.change", OUTAGE)
        daemon.restart()
        daemon.advance("2026-12-08T10:30:00Z")
        equal(daemon.sql("SELECT count(*) AS n, min(at) AS first, max(at) AS last FROM v_event "
                         "WHERE type = 'outage.extended'"),
              [{"n": 79, "first": "2026-12-05T04:00:00Z", "last": "2026-12-08T10:00:00Z"}])
        equal(hours(daemon.tenant("acme"), 1), 96 * 64 - 93 * 40)
        agree(daemon)
        daemon.restart().verify()


def test_an_outage_that_begins_later():
    with Daemon() as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme")
        operator.call("capacity.change", OUTAGE)
        equal(capacity(operator), [("2026-12-05T03:00:00Z", 24), ("2026-12-06T03:00:00Z", 64)])
        daemon.advance("2026-12-05T03:30:00Z")
        equal(capacity(operator), [("2026-12-05T03:00:00Z", 24), ("2026-12-06T03:00:00Z", 64)])
        daemon.advance("2026-12-05T04:00:00Z")
        equal(capacity(operator, "2026-12-05T04:00:00Z"), [("2026-12-05T04:00:00Z", 24), ("2026-12-06T04:00:00Z", 64)])
        # Closed at an hour that lies further ahead than it cuts so far: that is cut as well.
        acme.call("reservation.create", DAY, start="2026-12-06T00:00:00Z", gpus=24)
        acme.call("reservation.create", DAY, start="2026-12-06T04:00:00Z", gpus=8)
        closed = operator.call("capacity.change", OUTAGE, end="2026-12-06T12:00:00Z")
        equal(cuts(closed), [(2, "2026-12-06T04:00:00Z", "2026-12-06T12:00:00Z", 8)])
        equal(capacity(operator, "2026-12-05T04:00:00Z"), [("2026-12-05T04:00:00Z", 24), ("2026-12-06T12:00:00Z", 64)])
        agree(daemon)
        daemon.advance("2026-12-07T00:00:00Z")
        daemon.restart().verify()


def test_what_is_refused_of_an_outage():
    with Daemon() as daemon:
        operator = daemon.operator()
        daemon.advance("2026-12-05T03:00:00Z")
        with daemon.unchanged("refusals"):
            equal(operator.refused("invalid_params", "capacity.change", OUTAGE, gpus=72)["member"], "gpus")
            equal(operator.refused("invalid_params", "capacity.change", OUTAGE, gpus=4)["member"], "gpus")
            equal(operator.refused("invalid_params", "capacity.change", OUTAGE, start="2026-12-05T02:00:00Z")["member"],
                  "start")
        operator.call("capacity.change", OUTAGE)
        daemon.advance("2026-12-05T06:30:00Z")
        with daemon.unchanged("refusals"):
            # What is over stays cut; none of another size or start is open.
            equal(operator.refused("invalid_params", "capacity.change", OUTAGE, end="2026-12-05T05:00:00Z")["member"],
                  "end")
            equal(operator.refused("invalid_params", "capacity.change", OUTAGE, gpus=32,
                                   end="2026-12-05T08:00:00Z")["member"], "start")
            equal(operator.refused("invalid_params", "capacity.change", OUTAGE, end="2026-12-05T03:00:00Z")["member"],
                  "end")
            daemon.tenant("acme").refused("forbidden", "capacity.change", OUTAGE, end="2026-12-05T08:00:00Z")
        operator.call("capacity.change", OUTAGE, end="2026-12-05T06:00:00Z")
        with daemon.unchanged("it is closed"):
            equal(operator.refused("invalid_params", "capacity.change", OUTAGE, end="2026-12-05T08:00:00Z")["member"],
                  "start")
        daemon.restart().verify()


def test_an_outage_takes_what_other_changes_leave():
    with Daemon() as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme")
        daemon.advance("2026-12-05T03:00:00Z")
        operator.call("capacity.change", OUTAGE)
        operator.call("capacity.change", pool="hall/a", kind="maintenance", gpus=48, start="2026-12-06T06:00:00Z",
                      end="2026-12-06T08:00:00Z")
        daemon.advance("2026-12-05T12:00:00Z")
        equal(capacity(operator, "2026-12-06T03:00:00Z"),
              [("2026-12-06T03:00:00Z", 24), ("2026-12-06T06:00:00Z", 0), ("2026-12-06T08:00:00Z", 24),
               ("2026-12-06T12:00:00Z", 64)])
        # Only what it took comes back.
        operator.call("capacity.change", OUTAGE, end="2026-12-06T05:00:00Z")
        equal(capacity(operator, "2026-12-06T03:00:00Z"),
              [("2026-12-06T03:00:00Z", 24), ("2026-12-06T05:00:00Z", 64), ("2026-12-06T06:00:00Z", 16),
               ("2026-12-06T08:00:00Z", 64)])
        agree(daemon)
        daemon.restart().verify()


def test_an_export_has_outages():
    """One that is open goes on to be so where the export is applied; of one that is closed there is what it took."""
    with Daemon() as daemon:
        operator = daemon.operator()
        daemon.advance("2026-12-05T03:00:00Z")
        operator.call("capacity.change", OUTAGE, note="rack 7")
        operator.call("capacity.change", OUTAGE, gpus=8)
        daemon.advance("2026-12-05T05:00:00Z")
        before = operator.call("manifest.export")["manifest"]
        operator.call("capacity.change", OUTAGE, gpus=8, end="2026-12-05T09:00:00Z")
        exported = operator.call("manifest.export")["manifest"]
        changes = [p for p in exported["pools"] if p["pool"] == "hall/a"][0]["changes"]
        equal([(c["gpus"], c["start"], c.get("end")) for c in changes],
              [(8, "2026-12-05T03:00:00Z", "2026-12-05T09:00:00Z"), (40, "2026-12-05T03:00:00Z", None)])
        for manifest in (before, exported):
            equal(operator.call("manifest.apply", manifest=manifest)["changes"], [])
        shown = capacity(operator, "2026-12-05T05:00:00Z")
        daemon.verify()
        with Daemon(exported, clock="2026-12-05T05:00:00Z") as other:
            equal(capacity(other.operator(), "2026-12-05T05:00:00Z"), shown)
            other.advance("2026-12-05T08:00:00Z")
            equal(capacity(other.operator(), "2026-12-05T08:00:00Z")[-1], ("2026-12-06T08:00:00Z", 64))
            equal(other.operator().call("manifest.export")["manifest"], exported)
            other.operator().call("capacity.change", OUTAGE, end="2026-12-05T08:00:00Z")
            other.restart().verify()


def test_a_manifest_with_an_outage_that_can_not_be():
    manifest = small()
    manifest["pools"][0]["changes"] = [{"kind": "outage", "gpus": 72, "start": "2026-12-05T03:00:00Z"}]
    with Daemon() as daemon:
        with daemon.unchanged("a refusal"):
            equal(daemon.operator().refused("invalid_manifest", "manifest.apply", manifest=manifest)["path"],
                  "pools[0].changes[0].gpus")
        # Who is booked is not displaced by a manifest.
        daemon.tenant("acme").call("reservation.create", DAY, gpus=32)
        manifest["pools"][0]["changes"][0]["gpus"] = 40
        with daemon.unchanged("a refusal"):
            daemon.operator().refused("invalid_manifest", "manifest.apply", manifest=manifest)
        manifest["pools"][0]["changes"][0]["gpus"] = 32
        daemon.operator().call("manifest.apply", manifest=manifest)
        equal(capacity(daemon.operator())[0], ("2026-12-05T03:00:00Z", 32))
        agree(daemon)
        daemon.restart().verify()


def test_outages_on_the_command_line():
    with Daemon() as daemon:
        shell = Shell(daemon)
        daemon.advance("2026-12-05T03:00:00Z")
        rack = ["capacity", "hall/a", "outage", "8", "--start", "2026-12-05T03:00:00Z"]
        opened = shell.json(*rack)["capacity_change"]
        equal((opened["end"], opened["cut_until"]), (None, "2026-12-06T03:00:00Z"))
        check("2026-12-06" in shell.run(*rack, "--dry-run")[0], "it is shown how far it cuts")
        closed = shell.json(*rack, "--end", "2026-12-05T05:00:00Z")["capacity_change"]
        equal((closed["id"], closed["end"]), (opened["id"], "2026-12-05T05:00:00Z"))
        check("outage.closed" in shell.run("events", "--limit", "1000")[0], "the event is listed")
        daemon.restart().verify()
