#!/usr/bin/python3
"""Turns the SQL and the OpenRPC document into C, so that the daemon is one file.

    schema/embed.py sql FOLDER             writes FOLDER/sql.h and FOLDER/sql.c
    schema/embed.py openrpc JSON FOLDER    writes FOLDER/openrpc.h and FOLDER/openrpc.c

Migrations are schema/migrations/NNN_*.sql, numbered from 001 without a gap. The views are schema/views.sql, if it
is there. Statements are the blocks of schema/statements.sql that begin with a line "-- name: some_name"; each
becomes STATEMENT_SOME_NAME. Texts become arrays of bytes, because C promises no string literal above 4,095
characters.
"""
import json
import re
import sys
from pathlib import Path

SCHEMA = Path(__file__).resolve().parent
NOTICE = "// Made by schema/embed.py. Edit schema/, not this.\n"


class Mistake(Exception):
    """Something in schema/ is not as it must be."""


def read_migrations(folder):
    """The texts of the migrations in their order."""
    texts = []
    for number, path in enumerate(sorted(folder.glob("*.sql")), start=1):
        if not re.fullmatch(r"%03d_[a-z0-9_]+\.sql" % number, path.name):
            raise Mistake(f"{path}: expected a name that begins with {number:03d}_")
        texts.append(path.read_text(encoding="utf-8"))
    return texts


def read_statements(path):
    """Pairs of name and text, in the order of the file."""
    statements = {}
    name = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        heading = re.fullmatch(r"-- name:\s*(.*?)\s*", line)
        if heading:
            name = heading.group(1)
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise Mistake(f"{path}:{number}: '{name}' is no name of a statement")
            if name in statements:
                raise Mistake(f"{path}:{number}: a second statement is named '{name}'")
            statements[name] = []
        elif name is not None:
            statements[name].append(line)
        elif line.strip() and not line.startswith("--"):
            raise Mistake(f"{path}:{number}: SQL before the first '-- name:'")
    return [(name, statement_text(path, name, lines)) for name, lines in statements.items()]


def statement_text(path, name, lines):
    """A statement without the remarks that follow it, which belong to what comes next."""
    while lines and (not lines[-1].strip() or lines[-1].startswith("--")):
        lines.pop()
    text = "\n".join(lines).strip()
    if not text.endswith(";"):
        raise Mistake(f"{path}: the statement '{name}' is empty or does not end with ';'")
    return text


def byte_array(name, text):
    """A static array of the text's bytes and a NUL."""
    data = text.encode("utf-8")
    if 0 in data:
        raise Mistake(f"the text for {name} has a NUL in it")
    numbers = [str(byte) for byte in data] + ["0"]
    rows = [",".join(numbers[at:at + 32]) for at in range(0, len(numbers), 32)]
    return f"static const unsigned char {name}[] = {{\n" + ",\n".join(rows) + "};\n"


def pointer_table(name, size, entries):
    """A table of texts. A table with no entry would be no C; migrations and statements always have one."""
    rows = "".join(f"    {entry},\n" for entry in entries)
    return f"const char *const {name}[{size}] = {{\n{rows}}};\n"


def write_sql(folder):
    migrations = read_migrations(SCHEMA / "migrations")
    statements = read_statements(SCHEMA / "statements.sql")
    if not migrations or not statements:
        raise Mistake(f"{SCHEMA}: there must be at least one migration and one statement")
    views = SCHEMA / "views.sql"
    views_text = views.read_text(encoding="utf-8") if views.exists() else ""

    header = [NOTICE, "#ifndef COLOSSUS_GENERATED_SQL_H\n#define COLOSSUS_GENERATED_SQL_H\n\n#include <stddef.h>\n\n",
              "enum statement {\n"]
    header += [f"    STATEMENT_{name.upper()},\n" for name, _ in statements]
    header += ["    STATEMENT_COUNT\n};\n\n",
               "extern const char *const statement_sql[STATEMENT_COUNT];\n",
               "extern const char *const statement_names[STATEMENT_COUNT];\n\n",
               "// Migration n brings a ledger of version n to version n + 1.\n",
               "extern const char *const migrations[]; // migration_count of them\n",
               "extern const size_t migration_count;\n\n",
               "extern const char *const views_sql;\n\n#endif\n"]

    source = [NOTICE, '#include "generated/sql.h"\n\n']
    source += [byte_array(f"migration_{at}", text) for at, text in enumerate(migrations)]
    source += [byte_array(f"sql_of_{name}", text) for name, text in statements]
    source += [byte_array("views", views_text), "\n"]
    source += [pointer_table("migrations", len(migrations),
                             [f"(const char *)migration_{at}" for at in range(len(migrations))]),
               f"const size_t migration_count = {len(migrations)};\n",
               pointer_table("statement_sql", "STATEMENT_COUNT",
                             [f"(const char *)sql_of_{name}" for name, _ in statements]),
               pointer_table("statement_names", "STATEMENT_COUNT", [f'"{name}"' for name, _ in statements]),
               "const char *const views_sql = (const char *)views;\n"]
    write(folder / "sql.h", header)
    write(folder / "sql.c", source)


def write_openrpc(document, folder):
    # A reply is one line, so the document is written as one.
    text = json.dumps(json.loads(document.read_text(encoding="utf-8")), ensure_ascii=False, separators=(",", ":"))
    header = [NOTICE, "#ifndef COLOSSUS_GENERATED_OPENRPC_H\n#define COLOSSUS_GENERATED_OPENRPC_H\n\n",
              "#include <stddef.h>\n\n// One line of JSON.\nextern const char *const openrpc_document;\n",
              "extern const size_t openrpc_document_length;\n\n#endif\n"]
    source = [NOTICE, '#include "generated/openrpc.h"\n\n', byte_array("document", text), "\n",
              "const char *const openrpc_document = (const char *)document;\n",
              "const size_t openrpc_document_length = sizeof document - 1;\n"]
    write(folder / "openrpc.h", header)
    write(folder / "openrpc.c", source)


def write(path, parts):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(parts), encoding="utf-8")


def main(arguments):
    try:
        if len(arguments) == 2 and arguments[0] == "sql":
            write_sql(Path(arguments[1]))
        elif len(arguments) == 3 and arguments[0] == "openrpc":
            write_openrpc(Path(arguments[1]), Path(arguments[2]))
        else:
            print(__doc__, file=sys.stderr)
            return 64
    except (Mistake, OSError, ValueError) as error:
        print(f"embed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
