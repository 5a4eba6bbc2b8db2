#!/usr/bin/env python3
"""Faults planted by hand, one at a time, and which check finds each.

    tests/faults/planted.py [NUMBER...]

Each is a mistake that could have been made: a line of the sources is changed in a copy of the tree, the copy is
built, and the tests are run, the quick ones first, until one fails. What that test says is shown. A fault that no
test finds is a failure, and so is one whose line is no longer there.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What is wrong, in which file, the right text and the wrong one.
FAULTS = [
    ("the calendar doesn't cut a window at its end", "src/core/calendar.c",
     "    if (to > calendar->size)\n        to = calendar->size;\n", ""),
    ("a reply leaves before its batch is durable", "src/server/slot.c",
     "queue->first->filled && queue->first->batch <= durable", "queue->first->filled"),
    ("a cancel forgets to release what was encumbered", "src/core/alter.c",
     "builder_transfer(builder, TRANSFER_RELEASE, encumbered, authority, sums->released, sums->period,",
     "builder_transfer(builder, TRANSFER_RELEASE, encumbered, authority, AMOUNT_ZERO, sums->period,"),
    ("a period is closed twice", "src/core/decide_due.c", "    row->closed = true;\n", ""),
    ("a client_ref is forgotten when the ledger is loaded", "src/ledger/load.c",
     "if (!load_reservations(ledger, book, error) ||\n"
     "        !load_table(ledger, book, ROW_CLIENT_REF, STATEMENT_LOAD_CLIENT_REFS, \"client_ref\", error))",
     "if (!load_reservations(ledger, book, error))"),
    ("the floor is charged without what was carried over", "src/core/commitment.c",
     "if (!amount_subtract(floor, deferred_out, &owed) ||", "(void)deferred_out;\n    owed = floor;\n    if ("),
    ("transfers are not hashed into the chain", "src/ledger/chain.c",
     "        add_transfer(gathering, &row->transfer);\n", ""),
    ("the WAL is not synced at each commit", "src/ledger/open.c",
     'connection_set(connection, "synchronous", SYNCHRONOUS_FULL, error)',
     'connection_set(connection, "synchronous", 1, error)'),
    ("a tenant reads another's reservation by its id", "src/server/handle_read.c",
     "if (owner == 0 || (exchange->tenant != 0 && owner != exchange->tenant) ||", "if (owner == 0 ||"),
    ("the rate limit is forgotten", "src/server/dispatch.c", "    if (!is_within_rate(exchange)) {",
     "    if (false && !is_within_rate(exchange)) {"),
    ("an expired hold keeps its capacity", "src/core/apply.c",
     "    calendar_add(book->pools[pool].calendar, slice->start, slice->end, -sign * slice->gpus);",
     "    if (sign > 0)\n        calendar_add(book->pools[pool].calendar, slice->start, slice->end, -sign * slice->gpus);"),
    ("a revoked token still logs in", "src/server/session.c", "found = same && !row->revoked ? row : found;",
     "found = same ? row : found;"),
]


def tests_of(build):
    """(name, command): the unit tests, the model, the end-to-end tests."""
    for floor in ("core", "ledger", "wire", "server", "base"):
        for program in sorted((build / "tests" / "unit" / floor).glob("*_test")):
            if program.name != "memory_test":
                yield f"unit/{floor}/{program.name}", [program]
    for program in sorted((build / "tests" / "sim").glob("*_test")):
        yield f"sim/{program.name}", [program]
    yield "e2e", [sys.executable, "tests/e2e/run.py"]


def what_it_says(output):
    """The names of the tests that failed, or the assertion."""
    text = output.decode(errors="replace")
    names = re.findall(r"^not ok \d+ - (\S+)|^FAIL (\S+?):|(Assertion `.*' failed)", text, re.MULTILINE)
    return ", ".join(dict.fromkeys(next(filter(None, name)) for name in names)) or text.strip()[-200:]


def find(tree, build):
    environment = {**os.environ, "BUILD_DIR": str(build), "CMOCKA_MESSAGE_OUTPUT": "TAP",
                   "PYTHONDONTWRITEBYTECODE": "1"}
    for name, command in tests_of(build):
        try:
            done = subprocess.run(command, cwd=tree, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=600, check=False)
        except subprocess.TimeoutExpired:
            return name, "did not end"
        if done.returncode:
            return name, what_it_says(done.stdout + done.stderr)
    return None


def make(tree, build):
    done = subprocess.run(["make", f"BUILD={build}", "SETUP=no", "-j2", "all", "unit-programs"], cwd=tree,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        sys.exit(done.stderr.decode()[-2000:])


def main():
    wanted = [int(number) for number in sys.argv[1:]] or range(1, len(FAULTS) + 1)
    found = missed = 0
    folder = pathlib.Path(tempfile.mkdtemp(prefix="colossus-planted-"))
    tree, build = folder / "tree", folder / "build"
    try:
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns("build", ".git"))
        make(tree, build)
        check = find(tree, build)
        if check:
            sys.exit(f"without any fault, {check[0]} fails: {check[1]}")
        for number in wanted:
            what, name, right, wrong = FAULTS[number - 1]
            path = tree / name
            text = path.read_text()
            if text.count(right) != 1:
                print(f"{number}. {what}: {name} has its line {text.count(right)} times", flush=True)
                missed += 1
                continue
            path.write_text(text.replace(right, wrong))
            make(tree, build)
            check = find(tree, build)
            path.write_text(text)
            print(f"{number}. {what} ({name}): " + (f"{check[0]}: {check[1]}" if check else "NOT FOUND"), flush=True)
            found, missed = found + bool(check), missed + (not check)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{found} passed, {missed} failed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
