"""What gives way when there are fewer GPUs than are booked: preemptible bookings to firm ones, and all to the loss."""

from agreement import agree
from harness import Daemon, check, equal
from manifests import contract, small

DAY = dict(pool="hall/a", start="2026-12-05T00:00:00Z", hours=24)


def preemptible():
    """Beside the firm tier hall/a is sold preemptible at $0.50."""
    manifest = small()
    manifest["pools"][0]["rates"][0]["preemptible"] = "0.50"
    return manifest


def cuts(reply):
    return sorted((i["reservation"], i["start"], i["end"], i["gpus"]) for i in reply["interruptions"])


def slices(client, number):
    return [(s["start"], s["end"], s["gpus"]) for s in client.call("reservation.get", id=number)["slices"]]


def relief(client):
    return client.call("commitment.status")["periods"][0]["relief"]


def test_a_loss_interrupts_the_newest_first():
    with Daemon() as daemon:
        operator, acme, beta = daemon.operator(), daemon.tenant("acme"), daemon.tenant("beta")
        acme.call("reservation.create", DAY, gpus=32)
        beta.call("reservation.create", DAY, gpus=16, start="2026-12-05T12:00:00Z")
        window = dict(pool="hall/a", kind="maintenance", start="2026-12-05T06:00:00Z", end="2026-12-05T18:00:00Z")
        # 64 less 24 are 40; 32 are booked until 12:00, then 48, so 8 are missing from then on.
        lesser = [(2, "2026-12-05T12:00:00Z", "2026-12-05T18:00:00Z", 8)]
        with daemon.unchanged("a dry run"):
            dry = operator.call("capacity.change", window, gpus=24, dry_run=True)
            equal(cuts(dry), lesser)
            # All 64: both are cut, each in its hours.
            equal(cuts(operator.call("capacity.change", window, gpus=64, dry_run=True)),
                  [(1, "2026-12-05T06:00:00Z", "2026-12-05T18:00:00Z", 32),
                   (2, "2026-12-05T12:00:00Z", "2026-12-05T18:00:00Z", 16)])
        made = operator.call("capacity.change", window, gpus=24, client_ref="row 14")
        equal(cuts(made), lesser)
        equal({**made, "replayed": True}, operator.call("capacity.change", window, gpus=24, client_ref="row 14"))
        equal(slices(beta, 2), [("2026-12-05T12:00:00Z", "2026-12-05T18:00:00Z", 8),
                                ("2026-12-05T18:00:00Z", "2026-12-06T12:00:00Z", 16)])
        # The hours go back, and the same sum is relief: 6 hours, 8 GPUs, $2.00.
        equal((relief(beta), relief(acme)), ("96.00", "0.00"))
        event = beta.call("event.list", limit=1000)["events"][-1]
        equal((event["type"], event["reservation"], event["data"]["relief"]), ("reservation.interrupted", 2, "96.00"))
        equal(event["data"]["interruptions"], [{"start": "2026-12-05T12:00:00Z", "end": "2026-12-05T18:00:00Z",
                                                "gpus": 8, "price_per_gpu_hour": "2.00"}])
        equal(daemon.sql("SELECT reservation, tenant, kind, start, gpus, gpu_hours, relief FROM v_interruption"),
              [{"reservation": 2, "tenant": "beta", "kind": "maintenance", "start": "2026-12-05T12:00:00Z",
                "gpus": 8, "gpu_hours": 48, "relief": "96.000000"}])
        equal(acme.refused("capacity_exceeded", "reservation.create", DAY, gpus=8)["first_short"],
              "2026-12-05T12:00:00Z")
        agree(daemon)
        daemon.restart()
        equal(cuts(daemon.operator().call("capacity.change", window, gpus=24, client_ref="row 14")), lesser)
        agree(daemon)
        daemon.verify()


def test_all_of_a_reservation_can_be_interrupted():
    """It keeps its window, starts and ends in it, and is not paid for."""
    with Daemon() as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme")
        acme.call("reservation.create", DAY, gpus=64)
        operator.call("capacity.change", pool="hall/a", kind="retirement", gpus=64, start="2026-12-05T00:00:00Z")
        shown = acme.call("reservation.get", id=1)
        equal((shown["state"], shown["slices"], shown["cost"], shown["gpu_hours"]), ("booked", [], "0.00", 0))
        agree(daemon)
        daemon.advance("2026-12-05T01:00:00Z")
        equal(acme.call("reservation.get", id=1)["state"], "active")
        equal(acme.call("reservation.cancel", id=1)["released"], "0.00")
        daemon.advance("2026-12-07T00:00:00Z")
        equal(acme.call("reservation.get", id=1)["state"], "cancelled")
        agree(daemon)
        daemon.restart().verify()


def test_a_loss_in_the_running_hour():
    """What has not been delivered whole is not paid for."""
    with Daemon() as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme")
        acme.call("reservation.create", DAY, gpus=64)
        daemon.advance("2026-12-05T03:20:00Z")
        made = operator.call("capacity.change", pool="hall/a", kind="outage", gpus=8, start="2026-12-05T03:00:00Z",
                             end="2026-12-05T05:00:00Z")
        equal(cuts(made), [(1, "2026-12-05T03:00:00Z", "2026-12-05T05:00:00Z", 8)])
        agree(daemon)
        daemon.advance("2026-12-06T00:00:00Z")
        period = acme.call("commitment.status")["periods"][0]
        equal((period["consumed"], period["relief"]), (f"{2 * (24 * 64 - 16)}.00", "32.00"))
        agree(daemon)
        daemon.restart().verify()


def test_the_running_hour_of_what_was_cancelled():
    """It stays sold, and nobody can give way in it: neither to a firm booking nor to a loss."""
    with Daemon(preemptible()) as daemon:
        operator, acme, beta = daemon.operator(), daemon.tenant("acme"), daemon.tenant("beta")
        beta.call("reservation.create", DAY, gpus=64, tier="preemptible")
        daemon.advance("2026-12-05T03:20:00Z")
        beta.call("reservation.cancel", id=1)
        now = dict(start="2026-12-05T03:00:00Z", end="2026-12-05T05:00:00Z")
        with daemon.unchanged("refusals"):
            for client in (acme, beta):
                data = client.refused("capacity_exceeded", "reservation.create", pool="hall/a", gpus=8, **now)
                equal((data["free"], data["first_short"], data["next_start"]),
                      (0, "2026-12-05T03:00:00Z", "2026-12-05T04:00:00Z"))
            data = operator.refused("capacity_exceeded", "capacity.change",
                                    dict(now, pool="hall/a", kind="outage", gpus=8))
            equal(data["first_short"], "2026-12-05T03:00:00Z")
        daemon.restart()
        daemon.tenant("acme").refused("capacity_exceeded", "reservation.create", pool="hall/a", gpus=8, **now)
        operator = daemon.operator()
        operator.call("capacity.change", pool="hall/a", kind="outage", gpus=8, start="2026-12-05T04:00:00Z",
                      end="2026-12-05T05:00:00Z")
        agree(daemon)
        daemon.verify()


def test_preemptible_bookings_use_what_firm_ones_leave():
    with Daemon(preemptible()) as daemon:
        acme, beta = daemon.tenant("acme"), daemon.tenant("beta")
        firm = acme.call("reservation.create", DAY, gpus=48)
        equal(firm["cost"], f"{48 * 24 * 2}.00")
        first = beta.call("reservation.create", DAY, gpus=16, tier="preemptible")
        equal((first["tier"], first["cost"]), ("preemptible", f"{16 * 24 // 2}.00"))
        equal(beta.refused("capacity_exceeded", "reservation.create", DAY, gpus=8, tier="preemptible")["free"], 0)
        agree(daemon)
        # Firm bookings see past it, and take its place only in the hours and by the GPUs that they need.
        with daemon.unchanged("a dry run"):
            acme.call("reservation.create", DAY, start="2026-12-05T06:00:00Z", hours=6, gpus=8, dry_run=True)
        acme.call("reservation.create", DAY, start="2026-12-05T06:00:00Z", hours=6, gpus=8)
        equal(slices(beta, 2), [("2026-12-05T00:00:00Z", "2026-12-05T06:00:00Z", 16),
                                ("2026-12-05T06:00:00Z", "2026-12-05T12:00:00Z", 8),
                                ("2026-12-05T12:00:00Z", "2026-12-06T00:00:00Z", 16)])
        equal(acme.refused("capacity_exceeded", "reservation.create", DAY, gpus=16)["free"], 8)
        # No fee and no relief: it is only not paid for. The tenant learns nothing of whoever came.
        event = beta.call("event.list", limit=1000)["events"][-1]
        equal((event["type"], event["data"]["released"], event["data"]["fee"], event["data"]["relief"]),
              ("reservation.interrupted", "24.00", "0.00", "0.00"))
        check("acme" not in str(event), "another tenant in", event)
        equal(relief(beta), "0.00")
        equal(daemon.sql("SELECT reservation, capacity_change, gpus FROM v_interruption"),
              [{"reservation": 2, "capacity_change": None, "gpus": 8}])
        agree(daemon)
        daemon.restart()
        agree(daemon)
        daemon.verify()


def test_the_newest_preemptible_gives_way_first():
    with Daemon(preemptible()) as daemon:
        acme, beta = daemon.tenant("acme"), daemon.tenant("beta")
        for _ in range(4):
            beta.call("reservation.create", DAY, gpus=16, tier="preemptible")
        acme.call("reservation.create", DAY, gpus=24)
        equal([sum(s[2] for s in slices(beta, n)) for n in range(1, 5)], [16, 16, 8, 0])
        # A change that grows takes more of them, a cancel gives nothing back.
        acme.call("reservation.change", id=5, gpus=32)
        equal([sum(s[2] for s in slices(beta, n)) for n in range(1, 5)], [16, 16, 0, 0])
        acme.call("reservation.cancel", id=5)
        equal([sum(s[2] for s in slices(beta, n)) for n in range(1, 5)], [16, 16, 0, 0])
        # In a group the firm legs come first, whatever their order.
        data = acme.refused("capacity_exceeded", "reservation.create_group",
                            legs=[dict(DAY, gpus=8, tier="preemptible"), dict(DAY, gpus=40)])
        equal((data["leg"], data["free"]), (0, 0))
        acme.call("reservation.create_group", legs=[dict(DAY, gpus=8, tier="preemptible"), dict(DAY, gpus=24)])
        equal([sum(s[2] for s in slices(beta, n)) for n in range(1, 3)], [16, 16])
        agree(daemon)
        daemon.restart().verify()


def test_a_loss_takes_preemptible_bookings_first():
    with Daemon(preemptible()) as daemon:
        operator, acme, beta = daemon.operator(), daemon.tenant("acme"), daemon.tenant("beta")
        beta.call("reservation.create", DAY, gpus=16, tier="preemptible")
        acme.call("reservation.create", DAY, gpus=48)
        made = operator.call("capacity.change", pool="hall/a", kind="outage", gpus=24, start="2026-12-05T10:00:00Z",
                             end="2026-12-05T12:00:00Z")
        equal(cuts(made), [(1, "2026-12-05T10:00:00Z", "2026-12-05T12:00:00Z", 16),
                           (2, "2026-12-05T10:00:00Z", "2026-12-05T12:00:00Z", 8)])
        equal((relief(beta), relief(acme)), ("0.00", "32.00"))
        agree(daemon)
        daemon.restart().verify()


def test_preemptible_without_a_rate():
    with Daemon() as daemon:
        daemon.tenant("acme").refused("no_rate", "reservation.create", DAY, gpus=8, tier="preemptible")


def test_many_are_interrupted_in_one_decision():
    with Daemon(contract("1000000.00")) as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme", by_token=True)
        pool = dict(pool="hall/a", start="2026-12-05T00:00:00Z", hours=24)
        count = 1000
        acme.pipeline([("reservation.create", dict(pool, gpus=1, client_ref=f"r{k}")) for k in range(count)])
        capacity = operator.call("pool.list")["pools"][0]["capacity"]
        made = operator.call("capacity.change", pool="hall/a", kind="maintenance", gpus=capacity,
                             start="2026-12-05T08:00:00Z", end="2026-12-05T09:00:00Z")
        equal(len(made["interruptions"]), count)
        batches = daemon.sql("SELECT count(DISTINCT batch) AS n FROM event WHERE type IN "
                             "('reservation.interrupted', 'capacity.changed') AND seq > 1000")
        equal(batches, [{"n": 1}])
        agree(daemon)
        daemon.restart().verify()
