"""What the documents promise is tried: every method's example, every SQL question, every JSON a page shows."""

import json
import re

from agreement import agree
from harness import METHODS, ROOT, SCHEMA, Daemon, check, check_schema, equal
from manifests import colossus


def shape(value):
    """A value without what it says: the types, and the members of objects."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def run_example(schema):
    """An example begins with the example manifest at 2026-12-01T00:00:00Z, and its "given" calls come before it."""
    example = schema["example"]
    with Daemon(colossus(), clock="2026-12-01T00:00:00Z") as daemon:
        clients = {}

        def client(who):
            if who not in clients:
                clients[who] = daemon.operator() if who == "operator" else daemon.tenant(who)
            return clients[who]

        for call in example.get("given", []):
            client(call["as"]).call(call["method"], call["params"])
        name, params = schema["name"], example["params"]
        if "error" in example:
            client(example["as"]).refused(example["error"], name, params)
            return
        result = client(example["as"]).call(name, params)
        if "result" not in example:
            return
        if example.get("illustrative"):
            if name != "event.list":  # how many events there are depends on who asks
                equal(shape(result), shape(example["result"]), f"shape of the example of {name}")
        else:
            equal(result, example["result"], f"example of {name}")


def test_the_example_of_every_method():
    for schema in METHODS.values():
        run_example(schema)


def test_the_examples_are_what_the_schemas_say():
    for name, schema in METHODS.items():
        if "result" in schema["example"]:
            check_schema(name, schema["result"], schema["example"]["result"], f"example of {name}")
    manifest = json.loads((SCHEMA / "manifest.schema.json").read_text())
    check_schema("manifest", manifest, colossus(), "docs/examples/colossus.json")


def questions():
    text = (ROOT / "docs" / "ledger.md").read_text()
    return re.findall(r"^```sql\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_questions_operators_ask():
    with Daemon(colossus(), clock="2026-11-30T12:00:00Z") as daemon:
        anthropic, google = daemon.tenant("anthropic"), daemon.tenant("google")
        booked = dict(pool="colossus-1/h100", start="2026-12-05T00:00:00Z", hours=240)
        anthropic.call("reservation.create", booked, gpus=149000, client_ref="job-1", project="pretraining")
        anthropic.call("reservation.create", booked, gpus=800, hold_seconds=86400)
        google.call("reservation.create", dict(booked, pool="colossus-2/gb200"), gpus=7200)
        google.call("reservation.create", booked, gpus=800, wait_until="2026-12-01T00:00:00Z")
        for pool, gpus in (("colossus-1/h200", 50000), ("colossus-1/gb200", 20016)):
            anthropic.call("reservation.create", dict(booked, pool=pool), gpus=gpus)
        daemon.operate("capacity.change", pool="colossus-1/h200", kind="maintenance", gpus=8,
                       start="2026-12-10T00:00:00Z", end="2026-12-11T00:00:00Z")
        daemon.operate("tenant.suspend", tenant="xai")
        daemon.operate("capacity.change", pool="colossus-1/h100", kind="growth", gpus=800, start="2027-01-01T00:00:00Z")
        found = {}
        for step, now in enumerate(("2026-11-30T13:00:00Z", "2026-12-06T00:00:00Z", "2027-11-01T00:00:00Z")):
            daemon.advance(now)
            for number, question in enumerate(questions(), 1):
                rows = daemon.sql(question)
                found[number] = found.get(number, 0) + len(rows)
            if step == 1:
                google.call("reservation.cancel", id=3)
        equal(len(found), 25, "questions in docs/ledger.md")
        # Each is answered by something at some time, but for those that are to be empty.
        empty = {number for number, count in found.items() if count == 0}
        quiet = {number for number, question in enumerate(questions(), 1)
                 if "v_overbooked" in question or "overage_micro > 0" in question or "'opened'" in question}
        uid = {number for number, question in enumerate(questions(), 1) if "uid:0" in question}
        check(empty <= quiet | uid, "questions without an answer", sorted(empty - quiet - uid))
        agree(daemon)


def test_the_manifest_of_the_rules():
    """The snippets of JSON in the documents can be read, and the protocol's requests name real methods."""
    for path in sorted((ROOT / "docs").glob("*.md")):
        for snippet in re.findall(r"^```json\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL):
            lines = snippet.strip().splitlines()
            if not snippet.startswith(("{", "[")):
                continue  # a member, not a text of JSON
            for text in lines if len(lines) > 1 and all(line.startswith("{") and line.endswith("}") for line in lines) \
                    else [snippet]:
                text = re.sub(r"^(-->|<--) ?", "", text)
                value = json.loads(text.replace("…", ""))
                if isinstance(value, dict) and "method" in value and "jsonrpc" in value:
                    check(value["method"] in METHODS or (value["method"] == "event" and "id" not in value), f"{path.name} names", value["method"])
