"""Load from several clients, and an account of what each of them was told.

    load = Load(rig, random)
    load.connect()
    load.run(until=lambda: ...)     # sends and reads; ends when the daemon is gone or `until` says so
    load.settle()                   # after the restart: compares, asks again for what is open, compares

A client books, holds, groups, changes, confirms and cancels, up to WINDOW requests ahead, each with a client_ref of
its own, and only ever touches its own reservations. So after every request has been asked until it was decided, the
last thing that was said about a reservation is what it must be; everything else is counted against the ledger: a
client_ref that was acknowledged is there, one that was refused is not, what is there was asked for, no reservation is
there that belongs to no request, and the money encumbered is what the reservations cost.
"""

import json
import select
import socket
import sqlite3

from rig import Gone, check, equal, hour, hour_text, instant_text, micro, parse, seconds

WINDOW = 12
TENANTS = ("acme", "acme", "beta", "beta")
REFUSALS = {"capacity_exceeded", "commitment_exceeded", "invalid_state", "expired"}
CHANGING = {"added", "released", "fee", "replayed"}  # members of a reply that the thing itself has not
FIRST_HOUR = hour("2026-12-20T00:00:00Z")


def manifest():
    """Two pools, one of them soon full, and two tenants with money enough."""
    def pool(name, gpus, price):
        return {"pool": name, "gpu": "H100", "unit": 1, "capacity": [{"from": "2026-01-01T00:00:00Z", "gpus": gpus}],
                "rates": [{"from": "2026-01-01T00:00:00Z", "firm": price}]}

    def contract(tenant):
        return {"contract": f"{tenant}-main", "tenant": tenant, "start": "2026-10-01T00:00:00Z",
                "end": "2028-10-01T00:00:00Z", "periods": {"annual": "900000000.00"},
                "cancel": {"notice_hours": 720, "late_fee_pct": 50}}

    return {"version": 1, "sites": [{"site": "hall"}], "pools": [pool("hall/a", 1000000, "2.00"),
                                                                pool("hall/b", 40, "1.35")],
            "tenants": [{"tenant": "acme"}, {"tenant": "beta"}],
            "contracts": [contract("acme"), contract("beta")]}


class Request:
    """What was asked under a client_ref, and what became of it: None, "done" or "refused"."""

    def __init__(self, ref, method, params):
        self.ref, self.method, self.params = ref, method, {**params, "client_ref": ref}
        self.told = None
        self.made = None  # the id of the reservation or the group, once told

    def text(self, identity):
        return json.dumps({"jsonrpc": "2.0", "id": identity, "method": self.method, "params": self.params}) + "\n"


def things(result):
    """The reservations that a result shows."""
    return result["reservations"] if "reservations" in result else [result]


class Speaker:
    """A client's connection, and its own reservations."""

    def __init__(self, load, number, tenant):
        self.load, self.number, self.tenant = load, number, tenant
        self.socket = None
        self.input = b""
        self.output = b""
        self.open = []  # requests without a reply, in the order in which they were sent
        self.identity = 0
        self.mine = []  # ids of reservations
        self.spent = set()  # of those that are cancelled or expired

    def connect(self):
        self.input = self.output = b""
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(self.load.rig.socket))
        if self.tenant and self.load.by_token:
            login = {"jsonrpc": "2.0", "id": 0, "method": "session.login",
                     "params": {"token": self.load.rig.token(self.tenant)}}
            self.socket.sendall(json.dumps(login).encode() + b"\n")
            self.socket.settimeout(60)
            while b"\n" not in self.input:
                data = self.socket.recv(65536)
                if not data:
                    raise Gone("the daemon closed the connection at the login")
                self.input += data
            line, self.input = self.input.split(b"\n", 1)
            check("result" in parse(line), "the login was refused", line)
        self.socket.setblocking(False)

    # -- What is asked

    def next_request(self):
        load, random = self.load, self.load.random
        ref = f"{self.number}-{load.next_ref()}"
        live = [i for i in self.mine[-40:] if i not in self.spent]
        kind = random.random()
        if kind < 0.03:  # refused: more than there is
            return Request(ref, "reservation.create", {**self.leg(), "pool": "hall/b", "gpus": 4000})
        if kind < 0.45 or not live:
            return Request(ref, "reservation.create", self.leg())
        if kind < 0.57:
            return Request(ref, "reservation.create", {**self.leg(), "hold_seconds": random.choice((700, 5000, 80000))})
        if kind < 0.64:
            return Request(ref, "reservation.create_group", {"legs": [self.leg() for _ in range(random.randint(2, 4))]})
        one = random.choice(live)
        if kind < 0.76:
            return Request(ref, "reservation.cancel", {"id": one})
        if kind < 0.85:
            return Request(ref, "reservation.confirm", {"id": one})
        if kind < 0.93:
            return Request(ref, "reservation.change", {"id": one, "gpus": random.randint(1, 9)})
        last = self.load.shown[one]["end"]
        return Request(ref, "reservation.change", {"id": one, "end": hour_text(hour(last) + random.randint(1, 5))})

    def leg(self):
        random = self.load.random
        return {"pool": "hall/b" if random.random() < 0.15 else "hall/a", "gpus": random.randint(1, 8),
                "start": hour_text(FIRST_HOUR + random.randint(0, 500)), "hours": random.randint(1, 72)}

    def ask(self, request):
        if self.tenant and not self.load.by_token:
            request.params["tenant"] = self.tenant
        self.identity += 1
        self.open.append((self.identity, request))
        self.load.requests[(self.tenant, request.ref)] = request
        self.output += request.text(self.identity).encode()

    # -- What is told

    def take(self, line, retried=False):
        reply = parse(line)
        check(self.open, "a reply that nobody asked for", reply)
        identity, request = self.open.pop(0)
        equal(reply["id"], identity, "id of a reply")
        if "error" in reply:
            kind = reply["error"]["data"]["kind"]
            if kind == "ledger_unavailable":
                self.load.unavailable(request, reply["error"]["data"]["outcome"])
                return request, reply
            if kind == "overloaded" and self.load.lacks_memory:
                self.load.unavailable(request, "none")
                return request, reply
            check(kind in REFUSALS, f"{request.method} {request.params} was refused:", reply["error"])
            request.told = "refused"
            self.load.totals["refused"] += 1
            return request, reply
        request.told = "done"
        self.load.totals["done"] += 1
        if request.method.startswith("reservation."):
            self.note(request, reply["result"])
        return request, reply

    def note(self, request, result):
        for thing in things(result):
            shown = {name: value for name, value in thing.items() if name not in CHANGING}
            if thing["id"] not in self.load.shown:
                self.mine.append(thing["id"])
            if thing["state"] in ("cancelled", "expired"):
                self.spent.add(thing["id"])
            self.load.shown[thing["id"]] = shown
            self.load.touched.add(thing["id"])
        request.made = result.get("group") if "reservations" in result else result["id"]

    # -- The socket

    def fill(self):
        while len(self.open) < WINDOW:
            self.ask(self.next_request())

    def write(self):
        if self.output:
            try:
                self.output = self.output[self.socket.send(self.output):]
            except BlockingIOError:
                pass

    def read(self):
        """Takes what has come. False when the daemon is gone."""
        try:
            data = self.socket.recv(1 << 18)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        if not data:
            return False
        *lines, self.input = (self.input + data).split(b"\n")
        for line in lines:
            self.take(line)
        return True

    def drain(self):
        """What was sent before the daemon was gone was told, too."""
        while self.read():
            pass
        self.socket.close()
        self.socket = None


class Operator(Speaker):
    """Moves the clock, so that holds expire; one step after the other."""

    def __init__(self, load, number):
        super().__init__(load, number, None)
        self.last = None

    def next_request(self):
        self.load.clock += 60 * self.load.random.randint(1, 6)
        self.last = Request(f"clock-{self.load.next_ref()}", "clock.advance", {"to": instant_text(self.load.clock)})
        return self.last

    def fill(self):
        if (self.last is None or self.last.told == "done") and self.load.random.random() < 0.02:
            self.ask(self.next_request())


class Load:
    """`by_token`: the clients log in; else they are operators who act for the tenants."""

    def __init__(self, rig, random, by_token=True):
        self.rig, self.random, self.by_token = rig, random, by_token
        self.requests = {}  # (tenant, client_ref): Request
        self.shown = {}  # id: the last that was said of it
        self.touched = set()
        self.totals = {"done": 0, "refused": 0, "unavailable": 0, "open": 0, "replayed": 0}
        self.refs = 0
        self.clock = seconds("2026-11-30T12:00:00Z")
        self.database = None
        self.lacks_memory = False  # then "overloaded" may be told, and nothing was done
        self.speakers = [Speaker(self, number, tenant) for number, tenant in enumerate(TENANTS)]
        self.speakers.append(Operator(self, len(TENANTS)))

    def continued(self, rig, random):
        """The same account, to go on with another daemon on a copy of the ledger; nothing may be open."""
        other = Load(rig, random, self.by_token)
        other.requests, other.shown, other.totals = dict(self.requests), dict(self.shown), dict(other.totals)
        other.refs, other.clock = self.refs, self.clock
        for old, new in zip(self.speakers, other.speakers):
            new.mine, new.spent = list(old.mine), set(old.spent)
        return other

    def next_ref(self):
        self.refs += 1
        return self.refs

    def unavailable(self, request, outcome):
        """Neither done nor refused; with the outcome "none" it must not be there."""
        request.told = "none" if outcome == "none" else None
        self.totals["unavailable"] += 1

    def connect(self):
        """OSError or Gone when the daemon is not there; then no client is connected."""
        try:
            for speaker in self.speakers:
                speaker.connect()
        except (OSError, Gone):
            self.close()
            raise

    def close(self):
        for speaker in self.speakers:
            if speaker.socket is not None:
                speaker.socket.close()
                speaker.socket = None

    def turn(self, fill=True, seconds=0.05):
        """One round of writing and reading. False when the daemon is gone."""
        for speaker in self.speakers:
            if fill:
                speaker.fill()
            try:
                speaker.write()
            except ConnectionError:
                return False
        readable, _, _ = select.select([s.socket for s in self.speakers], [], [], seconds)
        return all([speaker.read() for speaker in self.speakers if speaker.socket in readable])

    def run(self, until):
        while not until():
            if not self.turn():
                break

    def gone(self):
        """The daemon has ended: what it had sent is still read."""
        for speaker in self.speakers:
            if speaker.socket is not None:
                speaker.drain()

    def gone_away(self):
        """The clients leave, with nothing open."""
        for speaker in self.speakers:
            equal(speaker.open, [], "requests without a reply")
        self.close()

    def all_told(self):
        """After the daemon has ended in order: what is in its ledger is what was acknowledged, no more, no less."""
        self.database = sqlite3.connect(f"file:{self.rig.ledger}?mode=ro", uri=True)
        try:
            there = self.refs_there()
        finally:
            self.database.close()
        told = {place for place, request in self.requests.items() if request.told == "done"}
        equal(sorted(there - told, key=str), [], "in the ledger and not told")
        equal(sorted(told - there, key=str), [], "told and not in the ledger")

    def finish(self):
        """Reads the replies to all that was asked."""
        while any(speaker.open for speaker in self.speakers):
            check(self.turn(fill=False, seconds=60), "the daemon is gone before it has answered:", self.rig.log_tail())

    # -- Comparing

    def rows(self, query, *values):
        return self.database.execute(query, values).fetchall()

    def settle(self, everything=False):
        """After a restart: the ledger against what was told; then everything that is open is asked again."""
        self.database = sqlite3.connect(f"file:{self.rig.ledger}?mode=ro", uri=True)
        try:
            before = self.refs_there()
            self.compare(before)
            self.ask_again(before)
            self.all_is_as_told(everything)
        finally:
            self.database.close()
            self.database = None

    def compare(self, before):
        unsettled = [request for request in self.requests.values() if request.told in (None, "none")]
        self.totals["open"] += len(unsettled)
        for (tenant, ref), request in self.requests.items():
            if request.told == "done":
                check((tenant, ref) in before, f"lost: {request.method} {request.params} was acknowledged")
            elif request.told in ("refused", "none"):
                check((tenant, ref) not in before, f"{request.method} {request.params} was refused and is there")
        check(before <= set(self.requests), "nobody asked for", sorted(before - set(self.requests)))
        self.in_order(before)

    def refs_there(self):
        rows = self.rows("SELECT t.tenant, c.client_ref FROM client_ref AS c LEFT JOIN tenant AS t ON t.id = c.tenant")
        refs = set(map(tuple, rows))
        equal(len(refs), len(rows), "client_refs that are there once")
        return refs

    def in_order(self, before):
        """Of what a client had sent ahead, what became durable is the beginning."""
        for speaker in self.speakers:
            missing = None
            for _, request in speaker.open:
                if (speaker.tenant, request.ref) not in before:
                    missing = missing or (request if request.params.get("pool") == "hall/a" and "id" not in
                                          request.params else None)
                else:
                    check(missing is None, f"{request.params} is there and {missing and missing.params}, which was "
                          "asked before it, is not")

    def ask_again(self, before):
        """What got no reply is asked again, in its order, and some of what did."""
        sampled = {}
        for speaker in self.speakers:
            own = self.requests_of(speaker)
            done = [request for request in own if request.told == "done"]
            speaker.open.clear()
            again = [request for request in own if request.told in (None, "none")]
            again += self.random.sample(done, min(3, len(done)))
            for request in again:
                sampled[request.ref] = (request.told, request.made)
                speaker.ask(request)
        answered = self.answers()
        for speaker, request, reply in answered:
            told, made = sampled[request.ref]
            is_there = (speaker.tenant, request.ref) in before
            if "error" in reply:
                check(not is_there and told != "done", f"{request.params} is there, and asking again gave", reply)
                continue
            equal(reply["result"].get("replayed", False), is_there, f"replayed of {request.method} {request.params}")
            self.totals["replayed"] += is_there
            if told == "done":
                equal(request.made, made, f"what {request.params} had made")

    def requests_of(self, speaker):
        own = "clock-" if speaker.tenant is None else f"{speaker.number}-"
        return [request for request in self.requests.values() if request.ref.startswith(own)]

    def answers(self):
        """Writes and reads until nothing is open; gives (speaker, request, reply)."""
        answered = []
        for speaker in self.speakers:
            speaker.socket.setblocking(True)
            speaker.socket.settimeout(60)
            speaker.socket.sendall(speaker.output)
            speaker.output = b""
            while speaker.open:
                while b"\n" not in speaker.input:
                    data = speaker.socket.recv(1 << 18)
                    check(data, "the daemon closed a connection", self.rig.log_tail())
                    speaker.input += data
                line, speaker.input = speaker.input.split(b"\n", 1)
                answered.append((speaker, *speaker.take(line)))
            speaker.socket.setblocking(False)
        return answered

    def all_is_as_told(self, everything):
        """Each reservation that was touched is what was last said of it, and nothing is there beside them."""
        equal(self.rows("SELECT count(*) FROM reservation")[0][0], len(self.shown), "reservations in the ledger")
        # clock.advance is answered when its time is the book's, so what expires by then has expired.
        now = self.rows("SELECT now_seconds FROM v_now")[0][0]
        operator = self.speakers[-1].socket
        wanted = sorted(self.shown if everything else self.touched)
        text = "".join(json.dumps({"jsonrpc": "2.0", "id": i, "method": "reservation.get", "params": {"id": i}}) + "\n"
                       for i in wanted)
        operator.setblocking(True)
        operator.settimeout(60)
        file = operator.makefile("rwb")
        for start in range(0, len(wanted), 100):
            part = text.splitlines(True)[start:start + 100]
            operator.sendall("".join(part).encode())
            for identity in wanted[start:start + 100]:
                found = parse(file.readline())
                equal(found["id"], identity)
                check("result" in found, "a reservation that was told can't be read", found)
                self.same(self.shown[identity], found["result"], now)
        operator.setblocking(False)
        self.touched.clear()
        cost = sum(micro(thing["cost"]) for thing in self.shown.values()
                   if not self.has_expired(thing, now))
        used = self.rows("SELECT sum(used_micro) FROM v_commitment")[0][0]
        equal(used, cost, "what is used of all contracts, against the sum of all bookings")
        equal(self.rows("SELECT count(*) FROM v_overbooked")[0][0], 0, "hours that are overbooked")

    @staticmethod
    def has_expired(thing, now):
        return thing["state"] == "held" and seconds(thing["hold_expires"]) <= now

    def same(self, told, found, now):
        if self.has_expired(told, now):
            equal(found["state"], "expired", f"reservation {told['id']}, whose hold ended {told['hold_expires']}")
            equal(found["cost"], "0.00", f"cost of {told['id']}, which has expired")
        else:
            equal(found, told, f"reservation {told['id']}, found and told")


def old_ledger(rig, random):
    """A ledger whose daemon was killed when its WAL had grown nearly so far that it is moved into the file."""
    load = Load(rig, random, by_token=False)
    wal = rig.ledger.with_name("ledger.db-wal")
    rig.start()
    load.connect()
    load.run(until=lambda: wal.stat().st_size > 1900 * 4120)
    load.finish()
    rig.process.kill()
    load.gone()
    rig.crashed()
    return load
