#!/usr/bin/env python3
"""What the tests reach: a table of lines and branches for each floor, from what gcov counted.

    tests/faults/coverage.py FOLDER [--show FLOOR]

FOLDER is a build made with --coverage, whose programs have been run: `make coverage` does both. Lines and branches are
those that gcc knows of in src/<floor>/*.c; a branch is one way out of a condition. Branches that only a call's
exceptions could take don't count, nor do assertions: the build has NDEBUG, since the way on which an assertion fails
must never be taken. --show lists what was not reached on a floor. Ends with 1 when the core or the ledger
has fewer than is asked of them below.
"""

import argparse
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile
from collections import defaultdict

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLOORS = ("base", "core", "ledger", "wire", "server", "client", "cli")
ASKED = {"core": (95.0, 90.0), "ledger": (95.0, 0.0)}  # lines, branches, in percent


def counts(folder):
    """{source: ({line: times}, {(line, branch): times})} over all objects of src/."""
    lines = defaultdict(lambda: defaultdict(int))
    branches = defaultdict(lambda: defaultdict(int))
    notes = sorted((folder / "obj" / "src").rglob("*.gcno"))
    with tempfile.TemporaryDirectory() as scratch:
        for note in notes:
            subprocess.run(["gcov", "--branch-probabilities", "--json-format", str(note)], cwd=scratch, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for result in pathlib.Path(scratch).glob("*.gcov.json.gz"):
                for file in json.loads(gzip.decompress(result.read_bytes()))["files"]:
                    for line in file["lines"]:
                        number = line["line_number"]
                        lines[file["file"]][number] += line["count"]
                        for place, branch in enumerate(line["branches"]):
                            if not branch["throw"]:
                                branches[file["file"]][number, place] += branch["count"]
                result.unlink()
    return lines, branches


def percent(part):
    reached, whole = part
    return 100.0 * reached / whole if whole else 100.0


def reached(counted):
    return sum(1 for count in counted.values() if count), len(counted)


def show(floor, lines, branches):
    for file in sorted(lines):
        if not file.startswith(f"src/{floor}/"):
            continue
        text = (ROOT / file).read_text().split("\n")
        missed = {number for number, count in lines[file].items() if not count}
        half = {number for (number, _), count in branches[file].items() if not count} - missed
        for number in sorted(missed | half):
            print(f"{file}:{number}: {'line' if number in missed else 'branch'}: {text[number - 1].strip()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--show")
    arguments = parser.parse_args()
    lines, branches = counts(arguments.folder)
    short = []
    print(f"{'floor':8} {'lines':>16} {'branches':>22}")
    for floor in FLOORS:
        of_floor = [file for file in lines if file.startswith(f"src/{floor}/") and file.endswith(".c")]
        both = [tuple(map(sum, zip(*(reached(counted[file]) for file in of_floor)))) or (0, 0)
                for counted in (lines, branches)]
        print(f"{floor:8} " + " ".join(f"{part[0]:>6} of {part[1]:<6}{percent(part):5.1f} %" for part in both))
        for part, asked, what in zip(both, ASKED.get(floor, ()), ("lines", "branches")):
            if percent(part) < asked:
                short.append(f"{floor}: {percent(part):.1f} % of the {what}, and {asked:.0f} % are asked for")
    if arguments.show:
        show(arguments.show, lines, branches)
    for sentence in short:
        print(sentence)
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
