"""Metrics: the text is well formed in every detail, and what it says is so."""

import json
import os
import re
import shutil
import subprocess

import openmetrics
from agreement import agree
from harness import BUILD, DEADLINE, ROOT, Daemon, check, equal, until
from manifests import small

GOOD = dict(pool="hall/a", gpus=8, start="2026-12-05T00:00:00Z", hours=24)


def scrape(daemon):
    return openmetrics.parse(daemon.operate("server.metrics")["metrics"])


def test_the_reader_is_strict():
    good = '# TYPE a counter\n# HELP a b\na_total{x="1"} 1\na_total{x="2"} 2.5\n# TYPE b_s gauge\n# UNIT b_s s\n# HELP b_s c\nb_s -1\n'
    histogram = ('# TYPE h histogram\n# HELP h c\nh_bucket{le="1.0"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3.5\nh_count 2\n')
    equal(openmetrics.parse(good + histogram + "# EOF\n")["a"].value(x="2"), 2.5)
    equal(openmetrics.parse('# TYPE a gauge\n# HELP a b\na{x="\\\\n\\n\\""} 1\n# EOF\n')["a"].value(x='\\n\n"'), 1)
    for what, bad in {
            "no end": good, "after the end": good + "# EOF\n\n", "an empty line": good + "\n# EOF\n",
            "no total": good.replace("a_total", "a"), "no help": good.replace("# HELP a b\n", ""),
            "no type": good.replace("# TYPE a counter\n", ""), "a type": good.replace("counter", "count"),
            "a sample twice": good.replace('x="2"', 'x="1"'), "a unit": good.replace("UNIT b_s s", "UNIT b_s m"),
            "below zero": good.replace("2.5", "-2.5"), "a number": good.replace("2.5", "2,5"),
            "a timestamp": good.replace("2.5", "2.5 17"), "an escape": good.replace('"2"', '"\\t"'),
            "a quote": good.replace('"2"', '"""'), "a comma": good.replace('"2"', '"2",'),
            "a family twice": good + good, "a comment": good + "# a\n", "two spaces": good.replace(" 2.5", "  2.5"),
            "another family's": good + "c 1\n", "a clash": good + "# TYPE a_total gauge\n# HELP a_total b\na_total 1\n",
            "not cumulative": histogram.replace('"1.0"} 1', '"1.0"} 3'), "no sum": histogram.replace("h_sum 3.5\n", ""),
            "count": histogram.replace("h_count 2", "h_count 3"), "no infinity": histogram.replace("+Inf", "9.0"),
            "order": histogram.replace("1.0", "+Inf", 1)}.items():
        try:
            openmetrics.parse(bad + ("" if what in ("no end", "after the end") else "# EOF\n"))
        except openmetrics.Malformed:
            continue
        check(False, "the reader took", what)


def test_requests_are_counted_by_what_came_of_them():
    with Daemon() as daemon:
        acme = daemon.tenant("acme", by_token=True)
        before = scrape(daemon)
        acme.pipeline([("reservation.create", GOOD)] * 3)
        acme.refused("capacity_exceeded", "reservation.create", GOOD, gpus=48)
        acme.refused("invalid_params", "reservation.create", GOOD, gpus="8")
        acme.refused("invalid_params", "reservation.create", GOOD, gpus=3)
        acme.refused("forbidden", "server.metrics")
        acme.refused("method_not_found", "reservation.made")
        acme.raw(b"{\n")
        acme.expect(None)
        acme.reply()
        acme.batch([("pool.list", {}), ("pool.list", {"x": 1}), ("reservation.cancel", {"id": 1, "dry_run": True})])
        acme.raw(b'{"jsonrpc":"2.0","method":"pool.list","params":{"x":1}}\n')  # without id: counted all the same
        acme.call("reservation.list")
        after = scrape(daemon)
        requests = {key: value - (before["colossus_requests"].samples.get(key) or 0)
                    for key, value in after["colossus_requests"].samples.items()}
        changed = {(dict(labels)["method"], dict(labels)["verdict"]): value
                   for (_, labels), value in requests.items() if value > 0}
        equal(changed, {("reservation.create", "done"): 3, ("reservation.create", "capacity_exceeded"): 1,
                        ("reservation.create", "invalid_params"): 2, ("server.metrics", "forbidden"): 1,
                        ("server.metrics", "done"): 1, ("none", "method_not_found"): 1, ("none", "parse_error"): 1,
                        ("pool.list", "done"): 1, ("pool.list", "invalid_params"): 2, ("reservation.cancel", "done"): 1,
                        ("reservation.list", "done"): 1})

        def grown(name, suffix):
            return after[name].value(suffix) - before[name].value(suffix)

        equal(grown("colossus_decision_seconds", "_count"), 6, "what the book decided: not what is no request to it")
        equal(grown("colossus_decisions", "_total"), 3)
        equal(grown("colossus_events", "_total"), 3)
        equal(grown("colossus_ledger_reads", "_total"), 1)
        check(1 <= grown("colossus_batch_rows", "_count") <= 3, "batches")
        equal(grown("colossus_batch_rows", "_count"), grown("colossus_commit_seconds", "_count"))
        rows = grown("colossus_batch_rows", "_sum")
        equal(rows, sum(daemon.operate("server.status")["totals"][name] for name in ["rows"])
              - before["colossus_batch_rows"].value("_sum"), "rows")
        agree(daemon)


def test_what_a_client_leaves_behind():
    with Daemon() as daemon:
        acme = daemon.tenant("acme", by_token=True)
        acme.send("server.ping")
        acme.send("event.list", after=10**9, wait_seconds=60)
        until(lambda: scrape(daemon)["colossus_ledger_reads_waiting"].value() == 1, "it waits")
        equal(scrape(daemon)["colossus_requests_waiting"].value() >= 1, True)
        acme.close()  # over a reply that it has not read, so that it is known to be gone
        until(lambda: scrape(daemon)["colossus_requests"].value(method="event.list", verdict="abandoned") == 1,
              "nobody waits for it any more")
        equal(scrape(daemon)["colossus_requests_waiting"].value() <= 1, True)


def test_what_is_measured():
    manifest = small()
    manifest["tenants"][1]["uids"] = []
    with Daemon(manifest) as daemon:
        acme, watcher = daemon.tenant("acme", by_token=True), daemon.operator()
        watcher.call("event.watch", after=0)
        first = [watcher.event() for _ in range(5)]
        acme.call("reservation.create", GOOD)
        acme.call("reservation.create", GOOD, gpus=16)
        daemon.advance("2026-12-05T03:00:00Z")
        families = scrape(daemon)
        of_a, of_b = dict(pool="hall/a", site="hall", gpu="H100"), dict(pool="hall/b", site="hall", gpu="B200")
        equal([families[f"colossus_pool_{what}_gpus"].value(**of) for what in ("capacity", "booked") for of in (of_a, of_b)],
              [64, 100, 24, 0])
        for row in acme.call("commitment.status")["periods"]:
            of = dict(contract=row["contract"], tenant="acme", period_start=row["period_start"])
            equal(families["colossus_period_used_dollars"].value(**of), float(row["used"]))
            equal(families["colossus_period_floor_dollars"].value(**of), float(row["floor"]))
        equal(families["colossus_connections"].value(), 3)
        equal(families["colossus_watchers"].value(), 1)
        equal(families["colossus_reservations"].value(), 2)
        equal(families["colossus_ledger_available"].value(), 1)
        check(families["colossus_watch_events"].value() >= len(first), "events were sent")
        equal(families["colossus_build_info"].value(version=acme.call("session.info")["server"]["version"]), 1)
        equal(families["colossus_ledger_bytes"].value(), os.path.getsize(daemon.ledger))
        equal(families["colossus_wal_bytes"].value(), os.path.getsize(f"{daemon.ledger}-wal"))
        check(families["colossus_uptime_seconds"].value() < DEADLINE * 10, "uptime")
        # What is closed is shown no more.
        daemon.advance("2027-10-02T00:00:00Z")
        starts = {dict(labels)["period_start"] for _, labels in scrape(daemon)["colossus_period_used_dollars"].samples}
        equal(starts, {"2027-10-01T00:00:00Z"})


def test_each_is_described():
    table = (ROOT / "docs" / "metrics.md").read_text()
    described = dict(re.findall(r"^\| `(colossus_\w+)` \| (\w+) \|", table, re.MULTILINE))
    with Daemon() as daemon:
        equal(described, {name: family.kind for name, family in scrape(daemon).items()})


def test_the_command_line_prints_it_for_collectors():
    with Daemon() as daemon:
        daemon.tenant("acme").call("reservation.create", GOOD)

        def metrics(*options):
            done = subprocess.run([str(BUILD / "colossus"), "--socket", str(daemon.socket), "metrics", *options],
                                  capture_output=True, stdin=subprocess.DEVNULL, timeout=DEADLINE, check=False)
            equal((done.returncode, done.stderr), (0, b""))
            return done.stdout.decode()

        text = metrics()
        older = openmetrics.parse(text, older=True)
        newer = openmetrics.parse(json.loads(metrics("-o", "json"))["metrics"])
        equal(set(older), {name + ("_total" if family.kind == "counter" else "") for name, family in newer.items()})
        equal(older["colossus_requests_total"].value(suffix="", method="reservation.create", verdict="done"), 1)
        promtool = shutil.which("promtool")
        if promtool is not None:
            done = subprocess.run([promtool, "check", "metrics"], input=text.encode(), capture_output=True,
                                  timeout=DEADLINE, check=False)
            equal((done.returncode, done.stdout + done.stderr), (0, b""), "promtool")
