"""Power: a booking must fit its site's envelope in every hour, beside its pool's GPUs."""

from agreement import agree
from harness import Daemon, equal
from manifests import small

DAY = dict(pool="hall/a", start="2026-12-05T00:00:00Z", hours=24)
OTHER = dict(DAY, pool="hall/b", start="2026-12-12T00:00:00Z")


def powered(*steps):
    """hall/a draws 1.5 kW a GPU, hall/b 0.5 kW; without steps the site's power is not stated."""
    manifest = small()
    manifest["pools"][0]["kw_per_gpu"] = "1.5"
    manifest["pools"][1]["kw_per_gpu"] = "0.5"
    if steps:
        manifest["sites"][0]["power"] = [{"from": start, "kw": kw} for start, kw in steps]
    return manifest


def steps(client, pool, start, end):
    return [(s["start"], s["end"], s["free"], s.get("free_by_power")) for s in
            client.call("pool.calendar", pool=pool, start=start, end=end)["steps"]]


def power(daemon):
    return [(row["start"], row["kw"], row["used_kw"]) for row in daemon.sql("SELECT * FROM v_power")]


def test_a_booking_fits_the_sites_power():
    with Daemon(powered(("2026-11-01T00:00:00Z", 72), ("2026-12-05T12:00:00Z", 60))) as daemon:
        acme = daemon.tenant("acme")
        data = acme.refused("capacity_exceeded", "reservation.create", DAY, gpus=48)
        equal({k: data[k] for k in ("limit", "free", "first_short", "missing_kw", "next_start")},
              {"limit": "power", "free": 40, "first_short": "2026-12-05T12:00:00Z", "missing_kw": "12.00",
               "next_start": None})
        # Its GPUs would do from another start, before the power is less.
        data = acme.refused("capacity_exceeded", "reservation.create", DAY, gpus=64)
        equal((data["limit"], data["free"], data["first_short"], data["missing_kw"]),
              ("power", 40, "2026-12-05T00:00:00Z", "36.00"))
        acme.call("reservation.create", DAY, gpus=40)
        equal(steps(acme, "hall/a", "2026-12-05T00:00:00Z", "2026-12-06T00:00:00Z"),
              [("2026-12-05T00:00:00Z", "2026-12-05T12:00:00Z", 24, 8),
               ("2026-12-05T12:00:00Z", "2026-12-06T00:00:00Z", 24, 0)])
        equal(power(daemon), [("2026-11-01T00:00:00Z", 72.0, 0.0), ("2026-12-05T00:00:00Z", 72.0, 60.0),
                              ("2026-12-05T12:00:00Z", 60.0, 60.0), ("2026-12-06T00:00:00Z", 60.0, 0.0)])
        agree(daemon)
        daemon.restart()
        acme = daemon.tenant("acme")
        data = acme.refused("capacity_exceeded", "reservation.create", DAY, gpus=8)
        equal((data["limit"], data["next_start"]), ("power", "2026-12-06T00:00:00Z"))
        daemon.verify()


def test_pools_share_the_sites_power():
    with Daemon(powered(("2026-11-01T00:00:00Z", 72))) as daemon:
        acme = daemon.tenant("acme")
        acme.call("reservation.create", OTHER, gpus=100)  # 50 kW
        data = acme.refused("capacity_exceeded", "reservation.create", dict(OTHER, pool="hall/a"), gpus=16)
        equal((data["limit"], data["free"], data["missing_kw"]), ("power", 8, "2.00"))
        # So do the legs of a group, and changes.
        acme.refused("capacity_exceeded", "reservation.create_group",
                     legs=[dict(OTHER, pool="hall/a", gpus=8, start="2026-12-20T00:00:00Z"),
                           dict(OTHER, pool="hall/a", gpus=16)])
        acme.call("reservation.create", dict(OTHER, pool="hall/a"), gpus=8)
        equal(acme.refused("capacity_exceeded", "reservation.change", id=2, gpus=16)["limit"], "power")
        # Who waits for power gets it from a booking of another pool.
        acme.call("reservation.create", dict(OTHER, pool="hall/a"), gpus=32, wait_until="2026-12-11T00:00:00Z")
        acme.call("reservation.change", id=1, gpus=24)
        equal(acme.call("reservation.get", id=3)["state"], "booked")
        agree(daemon)
        daemon.restart().verify()


def test_the_manifest_leaves_what_is_booked_its_power():
    with Daemon(powered()) as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme")
        acme.call("reservation.create", DAY, gpus=48)
        with daemon.unchanged("a refused manifest"):
            data = operator.refused("invalid_manifest", "manifest.apply",
                                    manifest=powered(("2026-11-01T00:00:00Z", 71)))
            equal(data["path"], "sites[0].power")
        operator.call("manifest.apply", manifest=powered(("2026-11-01T00:00:00Z", 72)))
        acme.refused("capacity_exceeded", "reservation.create", DAY, gpus=8)
        heavier = powered(("2026-11-01T00:00:00Z", 72))
        heavier["pools"][0]["kw_per_gpu"] = "1.501"
        with daemon.unchanged("a refused manifest"):
            equal(operator.refused("invalid_manifest", "manifest.apply", manifest=heavier)["path"], "sites[0].power")
        heavier["pools"][0]["kw_per_gpu"] = "1"
        operator.call("manifest.apply", manifest=heavier)
        acme.call("reservation.create", DAY, gpus=16)
        agree(daemon)
        daemon.verify()


def test_a_firm_booking_takes_power_from_preemptible_ones():
    """The newest of all the site's pools first, in the hours in which it is missing, and as much as is missing."""
    manifest = powered(("2026-11-01T00:00:00Z", 84))
    for pool in manifest["pools"]:
        pool["rates"][0]["preemptible"] = "0.50"
    with Daemon(manifest) as daemon:
        acme = daemon.tenant("acme")
        day = dict(pool="hall/b", start="2026-12-12T00:00:00Z", hours=24)
        other = dict(day, pool="hall/a")
        acme.call("reservation.create", day, gpus=40, tier="preemptible")    # 1: 20 kW
        acme.call("reservation.create", other, gpus=24, tier="preemptible")  # 2: 36 kW
        acme.call("reservation.create", day, gpus=30, tier="preemptible")    # 3: 15 kW, so 13 kW are left
        data = acme.refused("capacity_exceeded", "reservation.create", other, gpus=16, tier="preemptible")
        equal((data["limit"], data["free"]), ("power", 8))
        # 36 kW: 23 are missing, of which 3 has 15 and the rest is whole units of 12 kW of 2. There are GPUs enough.
        firm = dict(other, hours=12, gpus=24)
        with daemon.unchanged("a dry run"):
            acme.call("reservation.create", firm, dry_run=True)
        acme.call("reservation.create", firm)
        at = "2026-12-12T12:00:00Z"
        left = {n: [(s["start"] < at, s["gpus"]) for s in acme.call("reservation.get", id=n)["slices"]]
                for n in (1, 2, 3)}
        equal(left, {1: [(True, 40)], 2: [(True, 16), (False, 24)], 3: [(False, 30)]})
        agree(daemon)
        # Nothing is missing in the rest of the day, and nobody is relieved.
        equal(daemon.sql("SELECT reservation, end, gpus, capacity_change, relief FROM v_interruption ORDER BY 1"),
              [{"reservation": 2, "end": at, "gpus": 8, "capacity_change": None, "relief": "0.000000"},
               {"reservation": 3, "end": at, "gpus": 30, "capacity_change": None, "relief": "0.000000"}])
        # 48 kW more are all that is left beside the firm ones: nothing preemptible stays in these hours.
        data = acme.refused("capacity_exceeded", "reservation.create", firm, gpus=40)
        equal((data["limit"], data["free"], data["missing_kw"]), ("power", 32, "12.00"))
        acme.call("reservation.create", firm, gpus=32)
        equal([(n, s["gpus"]) for n in (1, 2, 3) for s in acme.call("reservation.get", id=n)["slices"]],
              [(1, 40), (2, 24), (3, 30)])
        agree(daemon)
        daemon.restart()
        agree(daemon)
        daemon.verify()


def test_a_firm_booking_takes_gpus_and_power():
    """GPUs first; what gives them frees their power too, and gives power only of what it still has."""
    manifest = powered(("2026-11-01T00:00:00Z", 100))
    for pool in manifest["pools"]:
        pool["rates"][0]["preemptible"] = "0.50"
    day = dict(start="2026-12-12T00:00:00Z", hours=24)

    def left(client, *numbers):
        return [sum(s["gpus"] for s in client.call("reservation.get", id=n)["slices"]) for n in numbers]

    with Daemon(manifest) as daemon:
        acme = daemon.tenant("acme")
        acme.call("reservation.create", day, pool="hall/a", gpus=40, tier="preemptible")  # 60 kW
        acme.call("reservation.create", day, pool="hall/b", gpus=60, tier="preemptible")  # 30 kW
        # 48 kW: 8 GPUs are missing, which free 12 of them, and 26 are missing then: exactly 52 of the newest.
        acme.call("reservation.create", day, pool="hall/a", gpus=32)
        equal(left(acme, 1, 2), [32, 8])
        agree(daemon)
        # The 24 GPUs that are missing free all that 24 draw.
        acme.call("reservation.create", day, pool="hall/a", gpus=24)
        equal(left(acme, 1, 2), [8, 8])
        agree(daemon)
        daemon.restart().verify()
    with Daemon(manifest) as daemon:
        acme = daemon.tenant("acme")
        acme.call("reservation.create", day, pool="hall/b", gpus=60, tier="preemptible")
        acme.call("reservation.create", day, pool="hall/a", gpus=40, tier="preemptible")
        # 84 kW: the newest gives 32 GPUs, then for 26 kW its other 8 and the oldest 28.
        acme.call("reservation.create", day, pool="hall/a", gpus=56)
        equal(left(acme, 1, 2), [32, 0])
        agree(daemon)
        daemon.restart().verify()
