#!/usr/bin/env python3
"""Runs the end-to-end tests: each through a real socket, with the real daemon and a real ledger.

    tests/e2e/run.py [NAME_PART]

BUILD_DIR says where colossusd and colossus are (build/ by default). Every function test_* of every module test_*.py
is one test, in the order of the modules' names and of the functions in them. NAME_PART picks those whose
"module.function" has it in its name.

A failed test is one line and what it said. In a full run three more tests ask whether all tests together exercised
every method with success, every error kind that this version can produce, and every view of the ledger. The last
line says what all adds up to, and the exit status is 0 only if nothing failed.
"""

import importlib
import inspect
import os
import pathlib
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import harness  # noqa: E402  (needs the path above)


def functions_of(module):
    """The tests of a module in the order of their lines."""
    tests = [f for name, f in inspect.getmembers(module, inspect.isfunction)
             if name.startswith("test_") and f.__module__ == module.__name__]
    return sorted(tests, key=lambda f: f.__code__.co_firstlineno)


def run_one(name, function):
    """True when it passed; else its failure has been printed."""
    begun = time.monotonic()
    try:
        function()
        return True
    except Exception as failure:  # every failure of a test is reported, whatever it is
        text = str(failure) or type(failure).__name__
        print(f"FAIL {name}: {text.splitlines()[0][:600]}")
        for line in traceback.format_exc().splitlines():
            print(f"    {line[:2000]}")
        return False
    finally:
        if os.environ.get("E2E_TIMES"):
            print(f"{time.monotonic() - begun:7.2f} s  {name}", flush=True)
        sys.stdout.flush()


def main():
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    for program in ("colossusd", "colossus"):
        if not (harness.BUILD / program).exists():
            print(f"FAIL there is no {harness.BUILD / program}: run make first, or set BUILD_DIR")
            print("0 passed, 1 failed")
            return 1
    tests = []
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        tests += [(f"{path.stem}.{f.__name__}", f) for f in functions_of(module)]
    if part:
        tests = [(name, f) for name, f in tests if part in name]
    else:
        tests += [(f"coverage.{f.__name__}", f) for f in harness.COVERAGE_TESTS]
    passed = sum(run_one(name, function) for name, function in tests)
    failed = len(tests) - passed
    if not tests:
        print(f"FAIL no test has '{part}' in its name")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
