#!/usr/bin/env python3
"""Runs the end-to-end tests: each through a real socket, with the real daemon and a real ledger.

    tests/e2e/run.py [NAME_PART]

BUILD_DIR says where colossusd and colossus are (build/ by default). Every function test_* of every module test_*.py
is one test, in the order of the modules' names and of the functions in them. NAME_PART picks those whose
"module.function" has it in its name. As many run side by side as there are processors, each with a daemon and a folder
of its own; JOBS=n says how many instead.

A failed test is one line and what it said. In a full run three more tests ask whether all tests together exercised
every method with success, every error kind that this version can produce, and every view of the ledger. The last
line says what all adds up to, and the exit status is 0 only if nothing failed.
"""

import concurrent.futures
import contextlib
import importlib
import inspect
import io
import multiprocessing
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


def attempt(name, function):
    """True when it passed, and what is to be printed of it."""
    begun = time.monotonic()
    passed, said = True, io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            function()
        except Exception as failure:  # every failure of a test is reported, whatever it is
            passed = False
            text = str(failure) or type(failure).__name__
            print(f"FAIL {name}: {text.splitlines()[0][:600]}")
            for line in traceback.format_exc().splitlines():
                print(f"    {line[:2000]}")
        if os.environ.get("E2E_TIMES"):
            print(f"{time.monotonic() - begun:7.2f} s  {name}")
    return passed, said.getvalue()


def attempt_beside_others(name, function):
    """In a process that goes on with other tests: what this one exercised is handed back."""
    return *attempt(name, function), harness.COVERAGE.take()


def results_of(tests):
    """Of each test in turn, whether it passed and what it said."""
    jobs = int(os.environ.get("JOBS") or os.cpu_count() or 1)
    with concurrent.futures.ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as processes:
        for passed, said, coverage in processes.map(attempt_beside_others, *zip(*tests)):
            harness.COVERAGE.add(coverage)
            yield passed, said


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
    tests = [(name, f) for name, f in tests if part in name]
    passed = failed = 0
    for good, said in results_of(tests) if tests else []:
        passed, failed = passed + good, failed + (not good)
        print(said, end="", flush=True)
    for function in [] if part else harness.COVERAGE_TESTS:
        good, said = attempt(f"coverage.{function.__name__}", function)
        passed, failed = passed + good, failed + (not good)
        print(said, end="", flush=True)
    if not tests:
        print(f"FAIL no test has '{part}' in its name")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
