#!/usr/bin/python3
"""The floors: which folder of src/ may include what, and what the core's objects may need from outside.

The first check reads the includes of src/ and fails on one that climbs. The second looks at the symbols that the
core's objects leave open (nm -u) and fails on anything but the core's own, the base's, and functions on memory and
strings: no I/O, no clock, no random number. Each check is tried first on planted violations, so that one that has
gone blind is noticed.

    BUILD_DIR=build CC=gcc tests/floors.py

Prints a line for each check, and last how many passed and failed.
"""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("BUILD_DIR", ROOT / "build"))
COMPILER = os.environ.get("CC", "gcc").split()

# A floor: the floors below it whose headers it may include, and the outside libraries.
FLOORS = {
    "base": (set(), {"libsodium"}),
    "core": ({"base"}, set()),
    "ledger": ({"base", "core", "sql"}, {"sqlite3"}),
    "wire": ({"base", "core"}, {"jansson"}),
    "hook": ({"base"}, {"libcurl", "libuv"}),
    "server": ({"base", "core", "ledger", "wire", "hook", "openrpc"}, {"libuv", "jansson", "libsystemd"}),
    "client": ({"public"}, {"jansson"}),
    "cli": ({"public"}, {"jansson"}),
    # src/colossusd.c
    "daemon": ({"base", "core", "ledger", "wire", "hook", "server"}, {"libuv"}),
    # src/cli/verify*.c, which works without the daemon
    "verify": ({"public", "cli", "base", "core", "ledger"}, {"jansson"}),
    # src/cli/schema.c, which prints the two texts that are embedded, and works without the daemon
    "schema": ({"public", "cli", "sql", "openrpc"}, {"jansson"}),
}
# Headers that have no folder of their own in their name.
PLACES = {"colossus.h": "public", "generated/sql.h": "sql", "generated/openrpc.h": "openrpc"}
LIBRARIES = [("sodium", "libsodium"), ("sqlite3", "sqlite3"), ("jansson", "jansson"), ("uv", "libuv"),
             ("curl/", "libcurl"), ("systemd/", "libsystemd")]
# Standard C, and what is the system's. The wire may not include the latter; the core may include only what neither
# reads, writes nor asks for the time.
STANDARD = {"assert.h", "ctype.h", "errno.h", "inttypes.h", "limits.h", "math.h", "setjmp.h", "signal.h",
            "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h",
            "stdnoreturn.h", "string.h", "time.h"}
SYSTEM = {"dirent.h", "endian.h", "fcntl.h", "getopt.h", "grp.h", "libgen.h", "locale.h", "poll.h", "pthread.h",
          "pwd.h", "strings.h", "sysexits.h", "syslog.h", "termios.h", "unistd.h", "wchar.h"}
SYSTEM_FOLDERS = ("sys/", "linux/", "netinet/", "arpa/")
CORE_STANDARD = {"assert.h", "inttypes.h", "limits.h", "stdalign.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h",
                 "stdlib.h", "string.h"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)

# What the core's objects may need besides its own and the base's: memory, strings, assertions, and what the compiler
# itself puts in (128-bit arithmetic, the stack's guard, checked forms of the memory functions, sanitizers).
OUTSIDE = re.compile(r"""(
    mem(cpy|move|set|cmp|chr|rchr) | bcmp |
    str(len|cmp|ncmp|chr|rchr|str|spn|cspn|pbrk|nlen) |
    malloc | calloc | realloc | free | __assert_fail |
    __u?(div|mod|divmod|mul)ti[34] | __stack_chk_fail | __(mem|str)[a-z]+_chk | _GLOBAL_OFFSET_TABLE_ |
    __(asan|ubsan|sanitizer|lsan)_\w+
)""", re.VERBOSE)
# The base offers these, and a decision must not depend on them.
FORBIDDEN = {"random_bytes", "random_text", "log_line", "log_set_level"}


def floor_of(path):
    """The floor of a source, by its place under src/."""
    parts = path.parts
    if parts == ("colossusd.c",):
        return "daemon"
    if parts[0] == "cli" and path.name.startswith("verify"):
        return "verify"
    if parts == ("cli", "schema.c"):
        return "schema"
    return parts[0] if parts[0] not in ("daemon", "verify", "schema") else "none"


def place_of_header(quote, name):
    """What an include leads to: ("floor", f), ("library", l), ("standard", name), ("system", name) or None."""
    if quote == '"':
        if name in PLACES:
            return ("floor", PLACES[name])
        folder = name.split("/")[0]
        return ("floor", folder) if "/" in name and folder in FLOORS else None
    if name in PLACES:
        return ("floor", PLACES[name])
    for beginning, library in LIBRARIES:
        if name.startswith(beginning):
            return ("library", library)
    if name in STANDARD:
        return ("standard", name)
    if name in SYSTEM or name.startswith(SYSTEM_FOLDERS):
        return ("system", name)
    return None


def is_allowed(floor, kind, what):
    floors, libraries = FLOORS[floor]
    if kind == "floor":
        return what in floors or what == floor
    if kind == "library":
        return what in libraries
    if floor == "core":
        return kind == "standard" and what in CORE_STANDARD
    if floor == "wire":
        return kind == "standard"
    return True


def climbing_includes(source):
    """A sentence for each include under the folder that its floor may not have."""
    found = []
    for path in sorted(source.rglob("*.[ch]")):
        inside = path.relative_to(source)
        floor = floor_of(inside)
        if floor not in FLOORS:
            found.append(f"{inside}: there is no floor for it")
            continue
        text = COMMENT.sub("", path.read_text(encoding="utf-8"))
        for quote, name in INCLUDE.findall(text):
            place = place_of_header(quote, name)
            if place is None:
                found.append(f"{inside}: {name} belongs to no floor and no library that is known here")
            elif not is_allowed(floor, *place):
                found.append(f"{inside}: {floor} may not include {name}")
    return found


def symbols(options, objects):
    """Names of symbols with the object that each stands in, as nm tells them."""
    command = ["nm", "--format=posix", "--print-file-name", *options, *map(str, objects)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    for line in lines:
        place, rest = line.split(": ", 1)
        yield Path(place).name, rest.split()[0]


def foreign_symbols(core, base):
    """A sentence for each symbol that the core's objects need and may not have."""
    known = {name for _, name in symbols(["--defined-only"], [*core, *base])} - FORBIDDEN
    return [f"{place}: the core may not need {name}" for place, name in symbols(["--undefined-only"], core)
            if name not in known and not OUTSIDE.fullmatch(name)]


# ---- The checks tried on planted violations

# A file, its text, and whether the first check must object.
PLANTED_INCLUDES = [
    ("base/a.c", "#include <sodium.h>\n#include <unistd.h>\n", False),
    ("base/a.c", '#include "core/book.h"\n', True),
    ("base/a.c", "#include <jansson.h>\n", True),
    ("core/a.c", '#include "base/hour.h"\n#include "core/book.h"\n#include <string.h>\n', False),
    ("core/a.h", '#include "ledger/ledger.h"\n', True),
    ("core/deep/a.c", '  #  include "wire/wire.h"\n', True),
    ("core/a.c", "#include <stdio.h>\n", True),
    ("core/a.c", "#include <time.h>\n", True),
    ("core/a.c", "#include <unistd.h>\n", True),
    ("core/a.c", "#include <sodium.h>\n", True),
    ("core/a.c", '#include "generated/sql.h"\n', True),
    ("core/a.c", '/* once:\n#include "ledger/ledger.h"\n*/\n// #include "wire/wire.h"\n', False),
    ("ledger/a.c", '#include "core/row.h"\n#include "generated/sql.h"\n#include <sqlite3.h>\n', False),
    ("ledger/a.c", '#include "wire/wire.h"\n', True),
    ("ledger/a.c", '#include "server/server.h"\n', True),
    ("ledger/a.c", "#include <uv.h>\n", True),
    ("wire/a.c", '#include "core/request.h"\n#include <jansson.h>\n', False),
    ("wire/a.c", '#include "ledger/ledger.h"\n', True),
    ("wire/a.c", "#include <sqlite3.h>\n", True),
    ("wire/a.c", "#include <sys/socket.h>\n", True),
    ("hook/a.c", "#include <curl/curl.h>\n#include <uv.h>\n", False),
    ("hook/a.c", '#include "core/book.h"\n', True),
    ("server/a.c", '#include "wire/wire.h"\n#include "ledger/ledger.h"\n#include <uv.h>\n', False),
    ("server/a.c", "#include <sqlite3.h>\n", True),
    ("server/a.c", '#include "cli/table.h"\n', True),
    ("client/a.c", '#include "client/socket.h"\n#include "colossus.h"\n#include <jansson.h>\n', False),
    ("client/a.c", '#include "base/buffer.h"\n', True),
    ("cli/table.c", '#include <colossus.h>\n#include "cli/table.h"\n', False),
    ("cli/table.c", '#include "client/socket.h"\n', True),
    ("cli/table.c", '#include "core/book.h"\n', True),
    ("cli/verify.c", '#include "ledger/ledger.h"\n#include "core/book.h"\n', False),
    ("cli/verify.c", '#include "server/server.h"\n', True),
    ("cli/schema.c", '#include "generated/sql.h"\n#include "generated/openrpc.h"\n', False),
    ("cli/schema.c", '#include "ledger/ledger.h"\n', True),
    ("cli/table.c", '#include "generated/sql.h"\n', True),
    ("server/a.c", '#include "generated/sql.h"\n', True),
    ("colossusd.c", '#include "server/server.h"\n#include <uv.h>\n', False),
    ("colossusd.c", '#include "client/socket.h"\n', True),
    ("extra/a.c", "", True),
    ("server/a.c", '#include "connection.h"\n', True),
    ("server/a.c", "#include <openssl/ssl.h>\n", True),
]

# Lines of C for a core object, and what the second check must object to.
PLANTED_SYMBOLS = [
    ("#include <string.h>\nvoid *f(void *a, const void *b, size_t n) { return memmove(a, b, n); }", None),
    ("int base_function(void); int f(void) { return base_function(); }", None),
    ("#include <stdio.h>\nvoid f(int n) { printf(\"%d\", n); }", "printf"),
    ("#include <stdio.h>\nint f(char *t, int n) { return snprintf(t, 9, \"%d\", n); }", "snprintf"),
    ("#include <time.h>\ntime_t f(void) { return time(0); }", "time"),
    ("#include <unistd.h>\nint f(int n) { return close(n); }", "close"),
    ("#include <stdlib.h>\nchar *f(void) { return getenv(\"A\"); }", "getenv"),
    ("void random_bytes(void *, unsigned long); void f(void *p) { random_bytes(p, 8); }", "random_bytes"),
    ("int ledger_open(void); int f(void) { return ledger_open(); }", "ledger_open"),
]


def includes_are_judged_right(folder):
    wrong = []
    for number, (name, text, is_violation) in enumerate(PLANTED_INCLUDES):
        source = folder / str(number)
        path = source / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        if bool(climbing_includes(source)) != is_violation:
            wrong.append(f"{name} with {text!r} was {'let pass' if is_violation else 'refused'}")
    return wrong


def compile_planted(folder, name, text):
    source, result = folder / f"{name}.c", folder / f"{name}.o"
    source.write_text(text + "\n", encoding="utf-8")
    subprocess.run([*COMPILER, "-O1", "-c", "-o", str(result), str(source)], check=True)
    return result


def symbols_are_judged_right(folder):
    base = compile_planted(folder, "base", "int base_function(void) { return 1; } void random_bytes(void *p, "
                                           "unsigned long n) { (void)p; (void)n; }")
    wrong = []
    for number, (text, name) in enumerate(PLANTED_SYMBOLS):
        found = foreign_symbols([compile_planted(folder, f"core{number}", text)], [base])
        # A fortified build calls the checked form of the same function.
        hit = any(re.search(rf"\b_*{name}(_chk)?$", sentence) for sentence in found) if name else not found
        if not hit:
            wrong.append(f"{text!r} should give {name}, and gave {found}")
    return wrong


def core_symbols():
    core, base = BUILD / "obj" / "core.a", BUILD / "obj" / "base.a"
    missing = [f"{path} is not there; run make first" for path in (core, base) if not path.exists()]
    return missing or foreign_symbols([core], [base])


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checks = [
            ("planted includes are found out", lambda: includes_are_judged_right(folder / "includes")),
            ("no include climbs", lambda: climbing_includes(ROOT / "src")),
            ("planted symbols are found out", lambda: symbols_are_judged_right(folder)),
            ("the core needs nothing from outside", core_symbols),
        ]
        for what, check in checks:
            try:
                wrong = check()
            except (OSError, subprocess.CalledProcessError) as error:
                wrong = [str(error)]
            print(f"{'not ok' if wrong else 'ok'}  {what}")
            for sentence in wrong:
                print(f"        {sentence}")
            passed, failed = passed + (not wrong), failed + bool(wrong)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
