#!/usr/bin/env python3
"""Mutants of the core: does a test fail when the core is wrong in one place?

    tests/faults/mutants.py [--count 140] [--seed 1] [--jobs 1] [NAME_PART]

One change at a time is made in a copy of src/core: a comparison, a sign, a condition, a constant, a statement left
out, a check left out, another truth value. The changed file alone is compiled, and the tests are run with it, the
quick ones first, until one fails: the unit tests of the core, the transcript, the unit tests of the wire and of the ledger, then the
model in tests/sim. A mutant is caught when a test fails, an assertion of the core stops it, memory leaks, or it runs for more than
a minute.
One that can't be compiled, or whose machine code is that of the original, is none.

Which changes are made depends on the seed and on the text of the line alone, so that most mutants stay the same when
the core is edited elsewhere. NAME_PART picks files. Mutants that behave as the original does are listed with the
reason in equivalents.txt; one that isn't there and survives is a failure, and shown. The last line says
how many were caught and how many were not.
"""

import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORE = ROOT / "src" / "core"
EQUIVALENTS = pathlib.Path(__file__).with_name("equivalents.txt")
COMPILER = (os.environ.get("CC") or "gcc").split()
BUILD = pathlib.Path(os.environ.get("BUILD_DIR") or ROOT / "build").resolve()
SECONDS = 60  # of processor time that a test may take
SEEDS = ("1", "24")  # of the model
LEFT_OUT = {"ledger_memory_test", "wire_json_memory_test"}  # long, and not about the core

# ---- What is changed

SWAPS = [(re.compile(pattern), text) for pattern, text in (
    (r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "), (r" >= ", " > "), (r" == ", " != "), (r" != ", " == "),
    (r" \+ ", " - "), (r" - ", " + "), (r" \+= ", " -= "), (r" -= ", " += "), (r"\+\+", "--"), (r" && ", " || "),
    (r" \|\| ", " && "), (r"!(?=[a-z(])", ""), (r"\btrue\b", "false"), (r"\bfalse\b", "true"),
    (r"(?<![\w.\[])0(?![\w.])", "1"), (r"(?<![\w.])1(?![\w.])", "2"), (r"\* 2\b", "* 3"), (r"/ 2\b", "/ 3"),
)]
# A check left out; a statement left out: a call, an assignment, a step, a leaving.
CHECK = re.compile(r"^(\s*)(?:\} else )?if \((.*)\) \{?$")
STATEMENT = re.compile(r"^(\s+)(?:[a-z_]\w*\(.*\)|[*a-z_][\w.>*\[\]-]*(?:\+\+|--| [-+*/&|]?= [^{]*)|break|continue);$")
DECLARATION = re.compile(r"^\s*(?:const |static |struct |enum |unsigned |u?int\d*_t |size_t |bool |char |double )")


def code_of(text):
    """The text with comments, strings and preprocessor lines blanked, so that only code is changed."""
    blank = lambda found: re.sub(r"[^\n]", "~", found.group(0))  # noqa: E731
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\])\'|^[ \t]*#(?:[^\n\\]|\\.|\\\n)*', blank, text,
                  flags=re.DOTALL | re.MULTILINE)


def changes_of_line(line, code):
    for pattern, text in SWAPS:
        for found in pattern.finditer(code):
            yield line[:found.start()] + text + line[found.end():]
    check = CHECK.match(code)
    if check:
        yield line[:check.start(2)] + "false && (" + line[check.start(2):check.end(2)] + ")" + line[check.end(2):]
    if STATEMENT.match(code) and not DECLARATION.match(code):
        yield STATEMENT.match(code).group(1) + ";"


class Mutant:
    def __init__(self, path, number, line, changed, key):
        self.path, self.number, self.line, self.changed, self.key = path, number, line, changed, key

    def text(self):
        lines = self.path.read_text().split("\n")
        lines[self.number] = self.changed
        return "\n".join(lines)

    def show(self):
        return f"{self.path.name}:{self.number + 1}\n    -{self.line}\n    +{self.changed}"

    def name(self):
        return " | ".join((self.path.name, self.line.strip(), self.changed.strip()))


def all_mutants(seed, part):
    mutants = []
    for path in sorted(CORE.glob("*.c")):
        if part not in path.name:
            continue
        text = path.read_text()
        seen = {}
        for number, (line, code) in enumerate(zip(text.split("\n"), code_of(text).split("\n"))):
            if "assert(" in code or not line.startswith((" ", "\t")):
                continue
            seen[line] = seen.get(line, 0) + 1
            for changed in changes_of_line(line, code):
                name = f"{seed}|{path.name}|{line}|{seen[line]}|{changed}"
                mutants.append(Mutant(path, number, line, changed, hashlib.sha256(name.encode()).hexdigest()))
    return sorted(mutants, key=lambda mutant: mutant.key)


def equivalents():
    """The mutants that change nothing: lines "file | line | changed line", each below the reason."""
    lines = EQUIVALENTS.read_text().split("\n") if EQUIVALENTS.exists() else []
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


# ---- Compiling and running


def run(command, **options):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, **options)


def must(command):
    done = run(command)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr.decode()}")


class Bench:
    """The core as a shared library, which every test is linked with, so that a mutant costs one object and one link."""

    def __init__(self, folder):
        self.folder = folder
        packages = ("libuv", "jansson", "sqlite3", "libsodium")
        self.libraries = run(["pkg-config", "--libs", *packages]).stdout.decode().split() + ["-lcmocka", "-pthread"]
        self.compile = [*COMPILER, "-std=c17", "-D_GNU_SOURCE", "-O1", "-fPIC", "-I" + str(ROOT / "src"),
                        "-I" + str(ROOT / "include"), "-I" + str(BUILD), "-w", "-c"]
        self.link = [*COMPILER, "-shared", "-Wl,-Bsymbolic-functions", "-Wl,-soname,libcore.so"]
        self.objects = {}
        for floor in ("base", "core", "wire", "ledger"):
            for path in sorted((ROOT / "src" / floor).glob("*.c")):
                self.objects[path] = self.object_of(path)
        generated = BUILD / "generated" / "sql.c"
        self.objects[generated] = self.object_of(generated)
        # The base whole, as the core wants all of it; the others as an archive, so that a test may have functions of
        # its own in the place of some of these.
        archive = folder / "floors.a"
        others = [item for path, item in self.objects.items() if path.parent.name not in ("core", "base")]
        must(["ar", "rcs", archive, *others])
        self.floors = [*(item for path, item in self.objects.items() if path.parent.name == "base"), archive]
        self.library(folder / "libcore.so", {})
        self.programs = [*self.test_programs("core"), *self.test_programs("server", only="transcript_test"),
                         *self.test_programs("wire"), *self.test_programs("ledger"),
                         *self.test_programs("sim", folder=ROOT / "tests" / "sim", only="book_model_test",
                                             more=[self.simulated_sql(generated)])]
        self.originals = {path: self.code(item) for path, item in self.objects.items() if path.parent == CORE}

    def simulated_sql(self, generated):
        """As the Makefile compiles it for the simulator, which has migrations of its own."""
        item = self.folder / "sim_sql.o"
        must([*self.compile, "-Dmigrations=shipped_migrations", "-Dmigration_count=shipped_migration_count",
              "-o", item, generated])
        return item

    def object_of(self, path):
        item = self.folder / (path.parent.name + "_" + path.stem + ".o")
        must([*self.compile, "-o", item, path])
        return item

    def library(self, target, changed):
        items = [changed.get(path, item) for path, item in self.objects.items() if path.parent == CORE]
        must([*self.link, "-o", target, *items])

    @staticmethod
    def code(item):
        return run(["objdump", "-d", "-r", "-s", "--no-show-raw-insn", item]).stdout.split(b"\n", 3)[3]

    def test_programs(self, name, folder=None, only="*_test", more=()):
        folder = folder or ROOT / "tests" / "unit" / name
        shared = [self.object_of(path) for path in sorted(folder.glob("*.c"))
                  if not path.stem.endswith("_test") and path.stem != "simulate"]
        programs = []
        for path in sorted(folder.glob(only + ".c")):
            program = self.folder / f"{name}_{path.stem}"
            if program.name in LEFT_OUT:
                continue
            must([*COMPILER, "-fsanitize=leak", "-o", program, self.object_of(path), *shared, *more, *self.floors,
                  self.folder / "libcore.so", *self.libraries])
            programs.append(program)
        return programs

    def catches(self, program, library_folder):
        """How a test fails with this library; None when it does not."""
        command = [program, *(SEEDS if program.name.startswith("sim_") else ())]
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            limit = lambda: (resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS)),  # noqa: E731
                             resource.setrlimit(resource.RLIMIT_DATA, (8 << 30, 8 << 30)))
            environment = {**os.environ, "LD_LIBRARY_PATH": str(library_folder), "TMPDIR": scratch}
            try:
                done = run(command, cwd=ROOT, env=environment, timeout=20 * SECONDS, preexec_fn=limit)
            except subprocess.TimeoutExpired:
                return "hangs"
        return None if done.returncode == 0 else "fails" if done.returncode > 0 else f"signal {-done.returncode}"

    def judge(self, mutant):
        """("caught", by), ("survived", None), or ("none", why)."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            folder = pathlib.Path(name)
            source, item = folder / mutant.path.name, folder / "mutant.o"
            source.write_text(mutant.text())
            # As the original is called in its assertions.
            done = run([*self.compile, f"-ffile-prefix-map={source}={mutant.path}", "-o", item, source])
            if done.returncode:
                return "none", "not C"
            if self.code(item) == self.originals[mutant.path]:
                return "none", "the same machine code"
            self.library(folder / "libcore.so", {mutant.path: item})
            for program in self.programs:
                how = self.catches(program, folder)
                if how:
                    return "caught", f"{program.name} {how}"
        return "survived", None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=140)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--again", metavar="FILE", help="only those that survived, by what an earlier run printed")
    parser.add_argument("part", nargs="?", default="")
    arguments = parser.parse_args()
    mutants = all_mutants(arguments.seed, arguments.part)
    known = equivalents()
    if arguments.again:
        told = pathlib.Path(arguments.again).read_text()
        mutants = [mutant for mutant in mutants if mutant.show() + "\n" in told]
    tally, by, lock = {"caught": 0, "survived": 0, "none": 0, "equivalent": 0}, {}, threading.Lock()
    print(f"{len(mutants)} changes are possible", flush=True)

    def one(mutant):
        with lock:
            if tally["caught"] + tally["survived"] >= arguments.count:
                return
        if mutant.name() in known:
            with lock:
                tally["equivalent"] += 1
            return
        verdict, how = bench.judge(mutant)
        with lock:
            tally[verdict] += 1
            if verdict == "caught":
                test = how.split()[0]
                by[test] = by.get(test, 0) + 1
            if verdict == "survived":
                print(f"survived: {mutant.show()}", flush=True)

    folder = pathlib.Path(tempfile.mkdtemp(prefix="colossus-mutants-"))
    try:
        bench = Bench(folder)
        for program in bench.programs:
            if bench.catches(program, folder):
                sys.exit(f"{program.name} fails with the original")
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            for _ in pool.map(one, mutants):
                pass
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for test, count in sorted(by.items(), key=lambda item: -item[1]):
        print(f"{count:5} caught by {test}")
    print(f"{tally['none']} were no mutants, {tally['equivalent']} are listed as equivalent")
    print(f"{tally['caught']} passed, {tally['survived']} failed")
    return 1 if tally["survived"] or not tally["caught"] else 0


if __name__ == "__main__":
    sys.exit(main())
