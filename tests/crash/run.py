#!/usr/bin/env python3
"""Runs the crash tests: the real daemon is killed, starved, stopped and lied to, and must keep its word.

    tests/crash/run.py [NAME_PART]

BUILD_DIR says where colossusd, colossus and tests/crash/shim.so are (build/ by default). CYCLES=n does much more of
everything than a normal run, n being how often the daemon is killed under load; SEED=n draws other moments. Every
function test_* of every module test_*.py is one test. The last line says what all adds up to, and the exit status is
0 only if nothing failed.
"""

import importlib
import inspect
import pathlib
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import rig  # noqa: E402  (needs the path above)


def tests_of(module):
    functions = [f for name, f in inspect.getmembers(module, inspect.isfunction)
                 if name.startswith("test_") and f.__module__ == module.__name__]
    return sorted(functions, key=lambda f: f.__code__.co_firstlineno)


def run_one(name, function):
    """True when it passed; what a test gives back says what it has done."""
    begun = time.monotonic()
    try:
        said = function()
    except Exception as failure:  # every failure of a test is reported, whatever it is
        text = str(failure) or type(failure).__name__
        print(f"FAIL {name}: {text.splitlines()[0][:600]}")
        for line in traceback.format_exc().splitlines():
            print(f"    {line[:2000]}")
        return False
    if said:
        print(f"{name}: {said} ({time.monotonic() - begun:.1f} s)", flush=True)
    return True


def main():
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    for program in (rig.BUILD / "colossusd", rig.BUILD / "colossus", rig.SHIM):
        if not program.exists():
            print(f"FAIL there is no {program}: run make first, or set BUILD_DIR")
            print("0 passed, 1 failed")
            return 1
    modules = [importlib.import_module(path.stem) for path in sorted(HERE.glob("test_*.py"))]
    tests = [(f"{m.__name__}.{f.__name__}", f) for m in modules for f in tests_of(m)]
    tests = [(name, function) for name, function in tests if part in name]
    passed = sum(run_one(name, function) for name, function in tests)
    failed = len(tests) - passed
    if not tests:
        print(f"FAIL no test has '{part}' in its name")
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
