"""Watching: every event once, in order, to whom it concerns, from anywhere, whatever happens on the way."""

import json
import random
import resource
import socket
import threading

from agreement import agree, pages
from harness import CAN_BE_OTHERS, DEADLINE, Daemon, Gone, check, equal, parse, until
from manifests import contract

REQUEST = dict(pool="hall/a", gpus=8, start="2026-12-05T00:00:00Z", hours=2)
ONE = dict(pool="hall/a", gpus=1, start="2026-12-05T00:00:00Z", hours=1)


def roomy():
    """A pool that many fit into."""
    manifest = contract("10000000.00")
    manifest["pools"][0]["capacity"][0]["gpus"] = 100000
    return manifest


def collect(client, last):
    """The events up to that seq."""
    events = []
    while not events or events[-1]["seq"] < last:
        events.append(client.event())
    return events


def collect_seqs(client, last):
    """Their numbers alone, for where there are very many."""
    seqs = [e["seq"] for e in client.events]
    while not seqs or seqs[-1] < last:
        line = client.line()
        check(line.startswith(b'{"jsonrpc":"2.0","method":"event","params":{"seq":'), "an event", line[:200])
        seqs.append(int(line[50:line.index(b",", 50)]))
    return seqs


def last_seq(daemon, tenant=None):
    return daemon.sql("SELECT max(seq) AS last FROM v_event WHERE tenant = ? OR ? IS NULL", tenant, tenant)[0]["last"]


def book(client, count, first=0):
    for number in range(first, first + count):
        client.call("reservation.create", REQUEST, start=f"2026-12-{number % 20 + 10}T{number // 20:02d}:00:00Z")


def test_everyone_gets_what_concerns_them():
    with Daemon() as daemon:
        acme, beta, operator = daemon.tenant("acme"), daemon.tenant("beta"), daemon.operator()
        book(acme, 5)
        watchers = [(daemon.tenant("acme"), "acme", {}), (daemon.tenant("beta"), "beta", {}),
                    (daemon.operator(), None, {}), (daemon.operator(), "acme", {"tenant": "acme"}),
                    (daemon.tenant("acme"), "acme", {"tenant": "acme"})]
        for watcher, _, params in watchers:
            equal(watcher.call("event.watch", params, after=0), {"watching": True, "after": 0})
        book(beta, 5, 20)
        book(acme, 5, 40)
        operator.call("tenant.suspend", tenant="beta")
        for watcher, tenant, params in watchers:
            whole = pages(operator, "event.list", "events", "seq", **({"tenant": tenant} if tenant else {}))
            equal(collect(watcher, last_seq(daemon, tenant)), whole, f"what {tenant} {params} gets")
            equal([e["seq"] for e in whole], sorted({e["seq"] for e in whole}), "in order, none twice")
        daemon.tenant("acme").refused("not_found", "event.watch", tenant="beta")
        daemon.operator().refused("not_found", "event.watch", tenant="nobody")
        daemon.operator().refused("invalid_params", "event.watch", after=-1)
        agree(daemon)


def test_from_now_on():
    with Daemon() as daemon:
        acme, watcher, beta = daemon.tenant("acme"), daemon.tenant("acme"), daemon.tenant("beta")
        book(acme, 3)
        equal(watcher.call("event.watch"), {"watching": True, "after": last_seq(daemon)})
        book(beta, 1, 20)
        made = acme.call("reservation.create", REQUEST)
        equal(watcher.event()["reservation"], made["id"])
        # Behind all there is, it begins when it comes that far.
        far = daemon.operator()
        begin = last_seq(daemon) + 2
        far.call("event.watch", after=begin)
        book(acme, 4, 40)
        equal([far.event()["seq"], far.event()["seq"]], [begin + 1, begin + 2])


def test_from_any_event():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        book(acme, 6)
        whole = pages(acme, "event.list", "events", "seq")
        seqs = [e["seq"] for e in whole]
        for after in range(seqs[-1]):
            with daemon.tenant("acme") as watcher:
                watcher.call("event.watch", after=after)
                equal(collect(watcher, seqs[-1]), [e for e in whole if e["seq"] > after], f"after {after}")


def test_requests_on_a_connection_that_watches():
    with Daemon() as daemon:
        acme = daemon.tenant("acme")
        acme.call("event.watch", after=0)
        for number in range(20):
            replies = acme.pipeline([("reservation.create", dict(REQUEST, client_ref=f"{number}-{k}", dry_run=k == 2))
                                     for k in range(3)] + [("server.ping", {}), ("event.list", {"limit": 1})])
            check("result" in replies[3] and len(replies[4]["result"]["events"]) == 1, "all are answered")
            acme.batch([("pool.list", {}), ("reservation.create", dict(ONE, pool="hall/b"))])
        last = last_seq(daemon, "acme")
        events = collect(acme, last)
        with daemon.tenant("acme") as other:
            equal(events, pages(other, "event.list", "events", "seq"))


def test_an_event_never_stands_within_a_line():
    """The reply to a batch leaves part by part."""
    with Daemon() as daemon:
        acme, other = daemon.tenant("acme"), daemon.tenant("acme")
        book(other, 3)
        before = last_seq(daemon)
        texts = [acme.request("event.watch", {"after": 0})[:-1],
                 acme.request("event.list", {"after": before, "wait_seconds": 60})[:-1]]
        acme.raw(b"[" + b",".join(texts) + b"]\n")
        until(lambda: daemon.operate("server.status")["watchers"] == 1, "it watches")
        for _ in range(20):
            other.call("server.ping")
        made = other.call("reservation.create", REQUEST, start="2026-12-07T00:00:00Z")
        replies = parse(acme.line())
        equal([reply["id"] for reply in replies], [1, 2])
        equal([e["reservation"] for e in replies[1]["result"]["events"]], [made["id"]])
        acme.expected = []
        equal(collect(acme, last_seq(daemon)), pages(other, "event.list", "events", "seq"))
        # One without id is carried out too.
        silent = daemon.operator()
        silent.raw(b'{"jsonrpc":"2.0","method":"event.watch","params":{"after":0}}\n')
        equal(silent.event()["seq"], 1)


def test_one_watch_and_who_may_watch():
    with Daemon() as daemon:
        acme, operator = daemon.tenant("acme"), daemon.operator()
        acme.call("event.watch")
        acme.refused("conflict", "event.watch")
        acme.refused("conflict", "session.login", token=daemon.token("acme"))
        replies = operator.pipeline([("event.watch", {}), ("event.watch", {})])
        equal(["result" in reply for reply in replies], [True, False], "two at once")
        if CAN_BE_OTHERS:
            daemon.client(64999).refused("unauthenticated", "event.watch")
        watcher = daemon.tenant("acme", by_token=True)
        watcher.call("event.watch")
        daemon.operate("token.revoke", label="test-acme")
        try:
            while True:
                equal(watcher.event()["tenant"], "acme")
        except Gone:
            pass
        until(lambda: daemon.operate("server.status")["watchers"] == 2, "it watches no more")


def test_a_watch_ends_with_its_client():
    with Daemon() as daemon:
        for end in (lambda client: client.socket.shutdown(socket.SHUT_WR), lambda client: client.close()):
            client = daemon.operator()
            client.call("event.watch")
            until(lambda: daemon.operate("server.status")["watchers"] == 1, "it watches")
            end(client)
            until(lambda: daemon.operate("server.status")["watchers"] == 0, "it watches no more")


class Follower(threading.Thread):
    """Watches, and watches again from where it was when the connection is lost, until it has seen the last."""

    def __init__(self, connect, after=0, **params):
        super().__init__(daemon=True)
        self.connect, self.params = connect, params
        self.seqs, self.after, self.lost = [], after, 0
        self.last = None  # where it ends; not known before all is done
        self.failure = None
        self.start()

    def watch(self):
        client = self.connect()
        try:
            client.call("event.watch", self.params, after=self.after)
            while self.last is None or self.after < self.last:
                self.after = client.event(0.2 if self.last is None else DEADLINE)["seq"]
                self.seqs.append(self.after)
        finally:
            client.close()

    def run(self):
        try:
            until(self.has_all, "all events were seen", 2 * DEADLINE)
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    def has_all(self):
        try:
            self.watch()
        except (OSError, Gone):
            self.lost += 1
        except AssertionError as failure:
            if "no reply within 0.2" not in str(failure) and "restart" not in str(failure):
                raise
        return self.last is not None and self.after >= self.last

    def saw(self, expected, what):
        self.join(3 * DEADLINE)
        if self.failure is not None:
            raise self.failure
        equal(self.seqs, expected, what)


def test_across_restarts_and_crashes():
    with Daemon(contract("10000000.00")) as daemon:
        from harness import Client, connect  # a connection of its own, which the daemon's end doesn't close
        followers = [Follower(lambda: Client(connect(daemon.socket), "operator"), **params)
                     for params in ({}, {"tenant": "acme"}, {"after": 20})]
        for number in range(6):
            with daemon.tenant("acme", by_token=True) as acme:
                for part in range(5):
                    acme.pipeline([("reservation.create", dict(ONE, client_ref=f"{number}-{part}-{k}"))
                                   for k in range(20)])
            daemon.forget_clients()
            if number % 2:
                daemon.kill().start()
            else:
                daemon.restart()
        everything = [row["seq"] for row in daemon.sql("SELECT seq FROM v_event ORDER BY seq")]
        of_acme = [row["seq"] for row in daemon.sql("SELECT seq FROM v_event WHERE tenant = 'acme' ORDER BY seq")]
        for follower, expected in zip(followers, (everything, of_acme, everything[20:])):
            follower.last = expected[-1]
            follower.saw(expected, "all, each once")
            check(follower.lost > 0, "its connection was lost")


def test_it_goes_on_after_the_ledger_failed():
    """The WAL may grow no further for a while; then all that is in the ledger has been sent, each once."""
    with Daemon(contract("10000000.00"), config={"limits": {"retry_milliseconds": 10}}) as daemon:
        acme, operator = daemon.tenant("acme", by_token=True), daemon.operator()
        watchers = [daemon.operator(), daemon.operator()]
        for watcher in watchers:
            watcher.call("event.watch", after=0)
        behind = daemon.operator()
        wal = daemon.ledger.with_name("ledger.db-wal")
        most = max(wal.stat().st_size, daemon.ledger.stat().st_size, 1) + 50000
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
        for number in range(200):
            requests = [("reservation.create", dict(ONE, client_ref=f"{number}-{k}")) for k in range(20)]
            if any("error" in reply for reply in acme.pipeline(requests)):
                break
        else:
            check(False, "no commit failed")
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        until(lambda: operator.call("server.status")["ledger"]["available"], "the ledger is back")
        equal(operator.call("server.status")["watchers"], 2, "and they watch")
        acme.call("reservation.create", dict(ONE, client_ref="after"))
        behind.call("event.watch", after=0)
        seqs = [row["seq"] for row in daemon.sql("SELECT seq FROM v_event ORDER BY seq")]
        for watcher in [*watchers, behind]:
            equal([e["seq"] for e in collect(watcher, seqs[-1])], seqs)


def test_what_is_sent_is_in_the_ledger():
    with Daemon(contract("10000000.00")) as daemon:
        acme, watcher = daemon.tenant("acme", by_token=True), daemon.operator()
        watcher.call("event.watch")
        for number in range(10):
            acme.raw(b"".join(acme.request("reservation.create", ONE) for _ in range(20)))
            for _ in range(20):
                seq = watcher.event()["seq"]
                equal(daemon.sql("SELECT max(seq) >= ? AS there FROM event", seq), [{"there": 1}], f"event {seq}")
            for _ in range(20):
                acme.reply()


def test_no_event_is_forgotten_while_a_page_is_read():
    """What becomes durable while the ledger is read for a watch is sent without anything more happening."""
    with Daemon(roomy()) as daemon:
        clients = [daemon.tenant("acme", by_token=True) for _ in range(4)]
        watcher = daemon.operator()
        watcher.call("event.watch")
        for number in range(60):
            counts = [60, 1, 1, 1]  # a page that takes a while to read, and commits meanwhile
            for client, count in zip(clients, counts):
                client.raw(b"".join(client.request("reservation.create", ONE) for _ in range(count)))
            equal(len({watcher.event()["reservation"] for _ in range(sum(counts))}), sum(counts), f"round {number}")
            for client, count in zip(clients, counts):
                for _ in range(count):
                    check("result" in client.reply(), "it is booked")


def fill(daemon, batches=20):
    """Thousands of events: several times what a socket holds."""
    with daemon.tenant("acme", by_token=True) as acme:
        for _ in range(batches):
            acme.batch([("reservation.create", ONE)] * 200)


def test_a_watcher_that_does_not_keep_up():
    limits = {"watch_milliseconds": 50, "shutdown_milliseconds": 600000}
    with Daemon(roomy(), config={"limits": limits}) as daemon:
        slow = daemon.operator()
        slow.call("event.watch", after=0)
        fill(daemon)
        last = last_seq(daemon)
        until(lambda: daemon.operate("server.status")["watchers"] == 0, "it is given up")
        seqs = []
        while True:
            line = parse(slow.line())
            if "method" not in line:
                break
            seqs.append(line["params"]["seq"])
        after = line["error"]["data"]["after"]
        equal((line["id"], line["error"]["code"], line["error"]["data"]["kind"]), (None, 1016, "overloaded"))
        equal(seqs, list(range(1, after + 1)), "what was sent before the last line")
        check(after < last, "it was far behind")
        check(slow.ended(), "and the connection is closed")
        daemon.config = {}
        again = daemon.restart().operator()
        again.call("event.watch", after=after)
        equal(collect_seqs(again, last), list(range(after + 1, last + 1)))


def test_a_watcher_that_takes_nothing_at_all():
    """Not even its last line: it costs nothing for long, and nobody else."""
    limits = {"watch_milliseconds": 20, "shutdown_milliseconds": 20}
    with Daemon(roomy(), config={"limits": limits}) as daemon:
        fill(daemon)
        stuck = [daemon.operator() for _ in range(30)]
        for client in stuck:
            client.raw(client.request("event.watch", {"after": 0}))
        until(lambda: daemon.operate("server.status")["connections"] == 1, "they are gone")
        equal(daemon.operate("server.status")["watchers"], 0)


def test_many_watchers_from_everywhere():
    with Daemon(roomy()) as daemon:
        fill(daemon, 5)
        middle = last_seq(daemon)
        numbers = random.Random(7)
        watchers = [(daemon.operator(), numbers.randrange(middle)) for _ in range(150)]
        for watcher, after in watchers:
            watcher.raw(watcher.request("event.watch", {"after": after}))
        fill(daemon, 2)
        last = last_seq(daemon)
        for watcher, after in watchers:
            equal(watcher.reply()["result"]["after"], after)
            equal(collect_seqs(watcher, last), list(range(after + 1, last + 1)), f"after {after}")
        equal(daemon.operate("server.status")["watchers"], 150)


def test_large_events_and_a_small_output():
    """A page is bounded by what is in it; and a connection that may hold little still gets all."""
    with Daemon(config={"limits": {"output_bytes": 4096}}) as daemon:
        acme, watcher = daemon.tenant("acme"), daemon.tenant("acme")
        for number in range(40):
            acme.call("reservation.create", REQUEST, note="x" * 1000, start=f"2026-12-{number % 20 + 10}T00:00:00Z",
                      pool="hall/a" if number < 20 else "hall/b")
        watcher.call("event.watch", after=0)
        seqs = [row["seq"] for row in daemon.sql("SELECT seq FROM v_event WHERE tenant = 'acme' ORDER BY seq")]
        equal([e["seq"] for e in collect(watcher, seqs[-1])], seqs)
        equal(json.loads(watcher.request("server.ping", {}))["method"], "server.ping")
