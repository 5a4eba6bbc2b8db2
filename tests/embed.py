#!/usr/bin/python3
"""schema/embed.py: that what it embeds is what was written, and that it refuses what is not as it must be.

Prints a line for each check, and last how many passed and failed.
"""
import importlib.util
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
specification = importlib.util.spec_from_file_location("embed", ROOT / "schema" / "embed.py")
embed = importlib.util.module_from_spec(specification)
specification.loader.exec_module(embed)

GOOD = {"migrations/001_initial.sql": "CREATE TABLE a (b);\n",
        "statements.sql": "-- Remarks.\n\n-- name: read_a\nSELECT b -- the é\nFROM a;\n\n-- ---- Writing\n\n"
                          "-- name: write_a\nINSERT INTO a VALUES (?1);\n",
        "views.sql": "CREATE VIEW v AS SELECT 1;\n"}
# What is changed in the good files, and a word of what must be said of it.
BAD = [({"migrations/003_later.sql": "SELECT 1;"}, "002_"),
       ({"migrations/001_initial.sql": None}, "at least one"),
       ({"migrations/002-more.sql": "SELECT 1;"}, "002_"),
       ({"statements.sql": "-- name: a\nSELECT 1;\n-- name: a\nSELECT 2;\n"}, "second"),
       ({"statements.sql": "-- name: a\n-- name: b\nSELECT 2;\n"}, "'a' is empty"),
       ({"statements.sql": "-- name: a\nSELECT 1\n"}, "';'"),
       ({"statements.sql": "-- name: Read-A\nSELECT 1;\n"}, "no name"),
       ({"statements.sql": "SELECT 1;\n-- name: a\nSELECT 1;\n"}, "before"),
       ({"statements.sql": ""}, "at least one"),
       ({"views.sql": "SELECT '\0';"}, "NUL")]


def embedded(folder, changes):
    """Writes the files, with the changes, and gives the header and the source made from them."""
    for name, text in {**GOOD, **changes}.items():
        path = folder / "schema" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_text(text, encoding="utf-8")
    embed.SCHEMA = folder / "schema"
    embed.write_sql(folder / "made")
    return (folder / "made" / "sql.h").read_text(), (folder / "made" / "sql.c").read_text()


def text_of(source, name):
    """The text that an array of bytes holds."""
    numbers = re.search(rf"unsigned char {name}\[\] = {{(.*?)}};", source, re.DOTALL).group(1)
    data = bytes(int(number) for number in numbers.split(","))
    assert data.endswith(b"\0"), f"{name} does not end with a NUL"
    return data[:-1].decode("utf-8")


def what_is_good_is_embedded():
    with tempfile.TemporaryDirectory() as name:
        header, source = embedded(Path(name), {})
    assert re.search(r"STATEMENT_READ_A,\s+STATEMENT_WRITE_A,\s+STATEMENT_COUNT", header), header
    assert text_of(source, "migration_0") == GOOD["migrations/001_initial.sql"]
    assert text_of(source, "sql_of_read_a") == "SELECT b -- the é\nFROM a;"
    assert text_of(source, "sql_of_write_a") == "INSERT INTO a VALUES (?1);"
    assert text_of(source, "views") == GOOD["views.sql"]


def without_views_their_text_is_empty():
    with tempfile.TemporaryDirectory() as name:
        assert text_of(embedded(Path(name), {"views.sql": None})[1], "views") == ""


def what_is_bad_is_refused():
    for changes, word in BAD:
        with tempfile.TemporaryDirectory() as name:
            try:
                embedded(Path(name), changes)
            except embed.Mistake as mistake:
                assert word in str(mistake), f"{changes} gave: {mistake}"
            else:
                raise AssertionError(f"{changes} was let pass")


def the_document_becomes_one_line():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "openrpc.json").write_text('{"a":\n  ["é", 1]}\n', encoding="utf-8")
        embed.write_openrpc(folder / "openrpc.json", folder)
        assert text_of((folder / "openrpc.c").read_text(), "document") == '{"a":["é",1]}'


def main():
    passed = failed = 0
    for check in (what_is_good_is_embedded, without_views_their_text_is_empty, what_is_bad_is_refused,
                  the_document_becomes_one_line):
        try:
            check()
        except (AssertionError, embed.Mistake, OSError, AttributeError) as error:
            failed += 1
            print(f"not ok  {check.__name__.replace('_', ' ')}\n        {error}")
        else:
            passed += 1
            print(f"ok  {check.__name__.replace('_', ' ')}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
