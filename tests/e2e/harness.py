"""What the end-to-end tests stand on: a daemon in a folder of its own, clients, and a memory of what was exercised.

    with Daemon() as daemon:                     # starts it, on a manual clock, with the small manifest
        acme = daemon.tenant("acme")             # a connection as that tenant
        booked = acme.call("reservation.create", pool="hall/a", gpus=8, start=..., hours=24)
        data = acme.refused("not_found", "reservation.get", id=99)

Every reply is checked: its place in the order of requests, its JSON-RPC shape, a result against the method's schema,
an error against schema/errors.json. A daemon that is stopped must end with 0 and leave a ledger that `colossus
verify` finds sound; the `with` stops it. Nothing here waits for a fixed time: waiting is polling with a deadline.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time

import jsonschema

import manifests

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD_DIR") or ROOT / "build").resolve()
SCHEMA = ROOT / "schema"
DEADLINE = 60.0  # seconds; nothing takes nearly as long unless it hangs

METHODS = {path.stem: json.loads(path.read_text()) for path in sorted((SCHEMA / "methods").glob("*.json"))}
COMMON = json.loads((SCHEMA / "common.json").read_text())
ERRORS = {row["code"]: row for row in json.loads((SCHEMA / "errors.json").read_text())["errors"]}
# What any method may be answered with, beside what its own schema lists.
GENERAL_KINDS = {"parse_error", "invalid_request", "method_not_found", "internal_error", "rate_limited",
                 "ledger_unavailable", "too_large", "overloaded"}


class Failure(AssertionError):
    """A test's expectation that did not hold."""


class Gone(Failure):
    """The daemon closed the connection."""


def check(condition, *what):
    if not condition:
        raise Failure(" ".join(str(part) for part in what) or "a condition does not hold")


def equal(found, expected, what=""):
    if found != expected:
        raise Failure(f"{what}{': ' if what else ''}found {found!r}, expected {expected!r}")


def until(condition, what, seconds=DEADLINE):
    """Polls until the condition is true and gives what it gave."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failure(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(0.005)


# ---- What was exercised


class Coverage:
    def __init__(self):
        self.methods = set()  # answered with a result
        self.kinds = set()
        self.views = set()  # read
        self.views_there = set()

    def add(self, other):
        for mine, theirs in zip(vars(self).values(), vars(other).values()):
            mine |= theirs

    def take(self):
        """What there is, and nothing is left."""
        taken = Coverage()
        taken.add(self)
        self.__init__()
        return taken


COVERAGE = Coverage()


def every_method_was_exercised():
    equal(sorted(set(METHODS) - COVERAGE.methods), [], "methods that no test has called with success")


def every_error_kind_was_exercised():
    kinds = {row["kind"] for row in ERRORS.values()}
    equal(sorted(kinds - COVERAGE.kinds), [], "error kinds that no test has met")


def every_view_was_read():
    check(COVERAGE.views_there, "no test has opened a ledger")
    equal(sorted(COVERAGE.views_there - COVERAGE.views), [], "views that no test has read")


COVERAGE_TESTS = [every_method_was_exercised, every_error_kind_was_exercised, every_view_was_read]

# ---- Checking replies

_validators = {}


def validator(key, schema):
    if key not in _validators:
        resolver = jsonschema.RefResolver("", schema, store={"common.json": COMMON})
        _validators[key] = jsonschema.Draft202012Validator(schema, resolver=resolver)
    return _validators[key]


def check_schema(key, schema, value, what):
    for error in validator(key, schema).iter_errors(value):
        place = ".".join(str(part) for part in error.absolute_path)
        raise Failure(f"{what}: {place or 'the whole'}: {error.message[:400]}")


def check_error(error, method):
    """The shape of an error: code and kind belong together, and data has the members of its kind."""
    equal(set(error), {"code", "message", "data"}, "members of an error")
    row = ERRORS.get(error["code"])
    check(row is not None, "an unknown error code", error)
    data = error["data"]
    equal(data.get("kind"), row["kind"], f"kind of {error['code']}")
    check(isinstance(error["message"], str) and error["message"], "an error without a message")
    known = {member["name"]: member for member in row["data"]}
    for name, value in data.items():
        if name == "kind":
            continue
        check(name in known, "a member that is not in errors.json", error)
        check_schema((row["kind"], name), known[name]["schema"], value, f"data.{name} of {row['kind']}")
    for name, member in known.items():
        check(name in data or not member["required"], f"data.{name} is missing", error)
    if method in METHODS:
        listed = set(METHODS[method]["errors"]) | GENERAL_KINDS
        check(row["kind"] in listed or (row["kind"] == "invalid_params" and not METHODS[method]["params"]),
              f"{method} does not say that it can be refused with {row['kind']}", error)
    COVERAGE.kinds.add(row["kind"])


def check_reply(reply, identity, method):
    """One reply to a request with this id; `method` is None when the request was none that is known."""
    equal(reply.get("jsonrpc"), "2.0", "jsonrpc")
    check(set(reply) in ({"jsonrpc", "id", "result"}, {"jsonrpc", "id", "error"}), "members of a reply", reply)
    equal(reply["id"], identity, "id of a reply")
    check(type(reply["id"]) is type(identity), "an id came back with another type")
    if "error" in reply:
        check_error(reply["error"], method)
        return reply
    check(method in METHODS, "a result of an unknown method", reply)
    check_schema(method, METHODS[method]["result"], reply["result"], f"result of {method}")
    COVERAGE.methods.add(method)
    return reply


def check_event(notification):
    """A notification of an event; gives the event."""
    equal(set(notification), {"jsonrpc", "method", "params"}, "members of a notification")
    equal((notification["jsonrpc"], notification["method"]), ("2.0", "event"))
    check_schema("event", {"$ref": "common.json#/$defs/event"}, notification["params"], "an event that was sent")
    return notification["params"]


def _no_duplicates(pairs):
    members = dict(pairs)
    check(len(members) == len(pairs), "a reply names a member twice", pairs)
    return members


def parse(line):
    return json.loads(line.decode("utf-8"), object_pairs_hook=_no_duplicates)


# ---- Clients


class Refused(Failure):
    """A reply that is an error, where a result was expected."""

    def __init__(self, method, params, error):
        super().__init__(f"{method} {json.dumps(params)[:400]} was refused: {json.dumps(error)[:800]}")
        self.error = error


def named(params):
    """Python's keywords as members: from_ is "from"."""
    return {name.rstrip("_"): value for name, value in params.items()}


class Client:
    """A connection. Requests may be sent ahead; replies come in their order and are checked as they come."""

    def __init__(self, connection, actor):
        self.socket = connection
        self.actor = actor  # as events show it
        self.input = b""
        self.expected = []  # (id, method) of requests without reply
        self.events = []  # that came while a reply was awaited
        self.last_id = 0

    def raw(self, data):
        self.socket.settimeout(DEADLINE)
        self.socket.sendall(data)

    def line(self, seconds=DEADLINE):
        """The next line; Gone at the end."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self.input:
            self.socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self.socket.recv(1 << 20)
            except socket.timeout:
                raise Failure(f"no reply within {seconds} s; expected {self.expected[:1]}") from None
            except ConnectionError as error:
                raise Gone(str(error)) from None
            if not data:
                raise Gone(f"the connection ended; rest {self.input[:200]!r}")
            self.input += data
        line, self.input = self.input.split(b"\n", 1)
        return line

    def request(self, method, params=None, identity=None):
        """A request as it is sent, noted as expected."""
        if identity is None:
            self.last_id += 1
            identity = self.last_id
        self.expected.append((identity, method))
        request = {"jsonrpc": "2.0", "id": identity, "method": method}
        if params is not None:
            request["params"] = params
        return json.dumps(request).encode() + b"\n"

    def send(self, method, params=None, **named_params):
        self.raw(self.request(method, {**(params or {}), **named(named_params)}))

    def expect(self, identity, method=None):
        """Notes a reply to what raw has sent."""
        self.expected.append((identity, method))

    def event(self, seconds=DEADLINE):
        """The next event that a watch sends."""
        return self.events.pop(0) if self.events else check_event(parse(self.line(seconds)))

    def answer(self, seconds=DEADLINE):
        """The next line that is no event; the events before it are kept."""
        while True:
            answer = parse(self.line(seconds))
            if not isinstance(answer, dict) or "method" not in answer:
                return answer
            self.events.append(check_event(answer))

    def reply(self, seconds=DEADLINE):
        check(self.expected, "no reply is expected")
        reply = self.answer(seconds)
        identity, method = self.expected.pop(0)
        return check_reply(reply, identity, method)

    def ask(self, method, params=None, **named_params):
        """Sends a request and gives its reply, a result or an error."""
        check(not self.expected, "replies are still expected", self.expected[:3])
        self.send(method, params, **named_params)
        return self.reply()

    def call(self, method, params=None, **named_params):
        reply = self.ask(method, params, **named_params)
        if "error" in reply:
            raise Refused(method, {**(params or {}), **named_params}, reply["error"])
        return reply["result"]

    def refused(self, kind, method, params=None, **named_params):
        """The data of a refusal that must be of this kind."""
        reply = self.ask(method, params, **named_params)
        check("error" in reply, f"{method} should be refused with {kind}, but gave {json.dumps(reply)[:600]}")
        equal(reply["error"]["data"]["kind"], kind, f"{method} {params or named_params}: {reply['error']}")
        return reply["error"]["data"]

    def batch(self, requests):
        """Sends (method, params) as one JSON-RPC batch and gives its replies."""
        check(not self.expected, "replies are still expected")
        texts = [self.request(method, params)[:-1] for method, params in requests]
        self.raw(b"[" + b",".join(texts) + b"]\n")
        replies = self.answer()
        check(isinstance(replies, list), "a batch is answered by an array", replies)
        equal(len(replies), len(self.expected), "replies of a batch")
        expected, self.expected = self.expected, []
        return [check_reply(reply, *place) for reply, place in zip(replies, expected)]

    def pipeline(self, requests):
        """Sends (method, params) without waiting, and gives the replies."""
        self.raw(b"".join(self.request(method, params) for method, params in requests))
        return [self.reply() for _ in requests]

    def ended(self, seconds=DEADLINE):
        """True when the daemon closed it, and nothing more came."""
        try:
            rest = self.line(seconds)
        except Gone:
            return True
        raise Failure(f"one more line came: {rest[:300]!r}")

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def connect(path, uid=None):
    """A socket connected to the daemon; under another uid when one is given: PermissionError when that can't be.

    The peer's credentials are those of the process that connects, so a child connects the socket it inherited.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    if uid is None or uid == os.geteuid():
        connection.connect(str(path))
        return connection
    if os.geteuid() != 0:
        raise PermissionError("only root can be somebody else")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setresuid(uid, uid, uid)
            connection.connect(str(path))
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if status != 0:
        connection.close()
        raise PermissionError(f"uid {uid} can't connect to {path}")
    return connection


CAN_BE_OTHERS = os.geteuid() == 0

# ---- The daemon


class Daemon:
    """A daemon with its folder. `manifest` is an object, `config` members of the config file."""

    def __init__(self, manifest=None, clock="2026-11-30T12:00:00Z", config=None, folder=None, start=True):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="colossus-e2e-"))
        self.owns_folder = folder is None
        self.folder.chmod(0o755)  # tenants under other uids connect to the socket in it
        (self.folder / "book").mkdir(exist_ok=True)
        self.ledger = self.folder / "book" / "ledger.db"
        self.socket = self.folder / "colossus.sock"
        self.log = self.folder / "log"
        self.manifest = manifests.small() if manifest is None else manifest
        self.clock = clock
        self.config = dict(config or {})
        self.process = None
        self.clients = []
        self.tokens = {}
        self.spare_operator = None
        if start:
            self.start()

    # -- Starting and stopping

    def arguments(self, *more):
        (self.folder / "config.json").write_text(json.dumps(self.config))
        arguments = [str(BUILD / "colossusd"), "--config", str(self.folder / "config.json"),
                     "--ledger", str(self.ledger), "--socket", str(self.socket)]
        if self.clock:
            arguments += ["--clock", f"manual:{self.clock}" if self.clock != "system" else "system"]
        if self.manifest:
            (self.folder / "manifest.json").write_text(json.dumps(self.manifest))
            arguments += ["--manifest", str(self.folder / "manifest.json")]
        return arguments + list(more)

    def environment(self):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith("COLOSSUS_") and name != "NOTIFY_SOCKET"}
        return {**kept, "LC_ALL": "C.UTF-8", "TZ": "Asia/Kolkata"}  # nothing may depend on the local time

    def start(self):
        check(self.process is None, "the daemon runs already")
        with open(self.log, "ab") as log:
            # SIGXFSZ stays ignored, as Python has it, so that a limit on file sizes is an error of writing.
            self.process = subprocess.Popen(self.arguments(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            restore_signals=False, env=self.environment())
        until(self.is_ready, "the daemon's socket")
        return self

    def is_ready(self):
        check(self.process.poll() is None, f"the daemon ended with {self.process.returncode}:\n{self.log_tail()}")
        try:
            connect(self.socket).close()
            return True
        except OSError:
            return False

    def start_fails(self, *more):
        """Runs the daemon where it must not start; gives its exit status and what it said."""
        done = subprocess.run(self.arguments(*more), stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=DEADLINE, env=self.environment(), check=False)
        return done.returncode, (done.stdout + done.stderr).decode()

    def log_tail(self):
        return self.log.read_text(errors="replace")[-3000:]

    def forget_clients(self):
        for client in self.clients:
            client.close()
        self.clients = []
        self.spare_operator = None

    def stop(self):
        """SIGTERM; the daemon must end with 0 and its ledger must be sound."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def ended(self):
        process, self.process = self.process, None
        try:
            status = process.wait(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failure(f"the daemon did not end after SIGTERM:\n{self.log_tail()}") from None
        self.forget_clients()
        equal(status, 0, f"exit status of the daemon, which said:\n{self.log_tail()}\n")
        self.verify()
        return self

    def kill(self):
        """SIGKILL, as a crash of the machine's process would be."""
        self.process.kill()
        self.process.wait()
        self.process = None
        self.forget_clients()
        return self

    def restart(self):
        return self.stop().start()

    def verify(self, path=None):
        done = subprocess.run([str(BUILD / "colossus"), "verify", str(path or self.ledger)], capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=DEADLINE, check=False)
        equal(done.returncode, 0, f"exit status of verify, which said {done.stdout + done.stderr!r}")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if self.process is not None and kind is None:
                self.stop()
        finally:
            if self.process is not None:
                self.kill()
            self.forget_clients()
            if self.owns_folder:
                shutil.rmtree(self.folder, ignore_errors=True)

    # -- Clients

    def client(self, uid=None, actor=None):
        uid = os.geteuid() if uid is None else uid
        client = Client(connect(self.socket, uid), actor or f"uid:{uid}")
        self.clients.append(client)
        return client

    def operator(self):
        return self.client()

    def operate(self, method, params=None, **named_params):
        """Calls a method as an operator, on a connection kept for that."""
        if self.spare_operator is None:
            self.spare_operator = self.operator()
        return self.spare_operator.call(method, params, **named_params)

    def token(self, tenant):
        """A token for a tenant, made when there is none yet."""
        if tenant not in self.tokens:
            self.tokens[tenant] = self.operate("token.create", label=f"test-{tenant}", tenant=tenant)["token"]
        return self.tokens[tenant]

    def tenant(self, tenant, by_token=False):
        """A connection as a tenant: by its uid when this process can be somebody else, else by a token."""
        uids = [row["uids"][0] for row in self.manifest["tenants"] if row["tenant"] == tenant and row.get("uids")]
        if uids and not by_token:
            with contextlib.suppress(PermissionError):
                return self.client(uids[0])
        client = self.client(actor=f"token:test-{tenant}")
        client.call("session.login", token=self.token(tenant))
        return client

    def advance(self, to):
        return self.operate("clock.advance", to=to)

    # -- The ledger

    def sql(self, query, *values, path=None):
        """Rows of the ledger as dicts, read while the daemon runs."""
        database = sqlite3.connect(f"file:{path or self.ledger}?mode=ro", uri=True)
        database.row_factory = sqlite3.Row
        try:
            there = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'view'")}
            rows = [dict(row) for row in database.execute(query, values)]
        finally:
            database.close()
        COVERAGE.views_there |= there
        COVERAGE.views |= there & set(re.findall(r"\bv_\w+", query))
        return rows

    def dump(self, path=None, without=()):
        """All rows of all tables, for comparing."""
        names = [row["name"] for row in self.sql("SELECT name FROM sqlite_master WHERE type = 'table' "
                                                 "AND name NOT LIKE 'sqlite_%' ORDER BY name", path=path)]
        check("reservation" in names and "transfer" in names, "tables of the ledger", names)
        return {name: sorted(map(repr, (row.items() for row in self.sql(f'SELECT * FROM "{name}"', path=path))))
                for name in names if name not in without}

    @contextlib.contextmanager
    def unchanged(self, what="the ledger"):
        """What happens inside must leave every table as it is."""
        before = self.dump()
        yield
        after = self.dump()
        for name, rows in before.items():
            if rows != after[name]:
                different = [row for row in after[name] if row not in rows][:3]
                raise Failure(f"{what} changed: table {name} has now {different}")
