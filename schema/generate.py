#!/usr/bin/python3
"""Makes the documents that follow from the schema files.

    schema/generate.py openrpc     prints the OpenRPC document
    schema/generate.py protocol    writes docs/protocol.md
    schema/generate.py check       fails when docs/protocol.md is not current, or a schema file is not sound
    schema/generate.py kinds       prints the kinds of error, one a line
    schema/generate.py methods     prints the names of the methods, one a line

What there is to know about a method is in schema/methods/NAME.json, about an error in schema/errors.json, about
what they share in schema/common.json, and the prose around it in schema/protocol.md.in. Tests import this file
for validator() and the lists. Only `check` and validator() need the package jsonschema.

A method's example is run by the tests, in a new ledger with docs/examples/colossus.json and a manual clock at
2026-12-01T00:00:00Z: the calls of "given" one after the other, then the method with "params", each by whom "as" names
("operator" or a tenant). The reply is then exactly "result", unless "illustrative" is true, or it is the refusal of
the kind "error".
"""
import json
import re
import sys
from pathlib import Path

SCHEMA = Path(__file__).resolve().parent
DOCUMENT = SCHEMA.parent / "docs" / "protocol.md"
SHARED = "common.json#/$defs/"
COMPONENTS = "#/components/schemas/"
ROLES = {"anyone": "anyone", "tenant": "tenants and operators", "operator": "operators"}
# What every method can answer, whatever it does.
COMMON_KINDS = ["parse_error", "invalid_request", "internal_error", "rate_limited", "ledger_unavailable",
                "too_large", "overloaded"]
# The order in which the methods are described.
ORDER = [
    "session.info", "session.login", "rpc.discover", "server.ping",
    "pool.list", "pool.calendar", "offer.search",
    "reservation.create", "reservation.create_group", "reservation.confirm", "reservation.change",
    "reservation.cancel", "reservation.get", "reservation.list",
    "commitment.status", "commitment.plan", "statement.list", "event.list", "event.watch",
    "manifest.apply", "manifest.export", "capacity.change", "tenant.suspend", "tenant.resume",
    "token.create", "token.revoke", "server.status", "server.metrics", "server.backup", "clock.advance",
]


class Mistake(Exception):
    """Something in schema/ is not as it must be."""


# ---- What is there

def read(name):
    with open(SCHEMA / name, encoding="utf-8") as file:
        return json.load(file)


def methods():
    """The methods in the order of ORDER."""
    found = {}
    for path in sorted((SCHEMA / "methods").glob("*.json")):
        method = read(f"methods/{path.name}")
        if method["name"] != path.stem:
            raise Mistake(f"{path.name} describes {method['name']}")
        found[method["name"]] = method
    if sorted(found) != sorted(ORDER):
        raise Mistake(f"the methods and their order differ in {sorted(set(found) ^ set(ORDER))}")
    return [found[name] for name in ORDER]


def errors():
    return read("errors.json")["errors"]


def kinds():
    return [error["kind"] for error in errors()]


def shared():
    return read("common.json")["$defs"]


def with_references(schema, prefix):
    """The schema with its references to the shared shapes turned to another place."""
    text = json.dumps(schema, ensure_ascii=False)
    return json.loads(text.replace(SHARED, prefix))


def standalone(schema):
    """The schema together with the shapes it uses, for a validator."""
    whole = with_references(schema, "#/$defs/")
    whole["$defs"] = with_references(shared(), "#/$defs/")
    return whole


def error_data_schema(error):
    """The schema of error.data of one kind."""
    properties = {"kind": {"const": error["kind"]}}
    required = ["kind"]
    for member in error["data"]:
        properties[member["name"]] = member["schema"]
        if member["required"]:
            required.append(member["name"])
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def parameters_schema(method):
    """The schema of the object of a method's parameters."""
    return {"type": "object",
            "properties": {param["name"]: param["schema"] for param in method["params"]},
            "required": [param["name"] for param in method["params"] if param["required"]],
            "additionalProperties": False}


def validator(schema):
    """A jsonschema validator of a schema as it stands in the files."""
    import jsonschema
    whole = standalone(schema)
    jsonschema.Draft202012Validator.check_schema(whole)
    return jsonschema.Draft202012Validator(whole)


# ---- OpenRPC

def version():
    path = SCHEMA.parent / "src" / "server" / "version.h"
    found = re.search(r'define COLOSSUS_VERSION\s+"([^"]+)"', path.read_text(encoding="utf-8"))
    if not found:
        raise Mistake(f"{path} names no version")
    return found.group(1)


def openrpc_method(method, by_kind):
    example = method["example"]
    described = {
        "name": method["name"],
        "summary": method["summary"],
        "description": method["description"],
        "paramStructure": "by-name",
        "x-role": method["role"],
        "x-changes": method["changes"],
        "params": [{"name": param["name"], "required": param["required"], "description": param["description"],
                    "schema": with_references(param["schema"], COMPONENTS)} for param in method["params"]],
        "result": {"name": "result", "schema": with_references(method["result"], COMPONENTS)},
        "errors": [{"code": by_kind[kind]["code"], "message": kind,
                    "data": with_references(error_data_schema(by_kind[kind]), COMPONENTS)}
                   for kind in method["errors"]],
    }
    if "result" in example:
        described["examples"] = [{
            "name": method["summary"],
            "params": [{"name": name, "value": value} for name, value in example["params"].items()],
            "result": {"name": "result", "value": example["result"]},
        }]
    return described


def openrpc():
    by_kind = {error["kind"]: error for error in errors()}
    return {
        "openrpc": "1.2.6",
        "info": {"title": "colossusd", "version": version(),
                 "description": "Reserves GPU capacity and keeps the books of annual spend commitments."},
        "methods": [openrpc_method(method, by_kind) for method in methods()],
        "components": {"schemas": with_references(shared(), COMPONENTS)},
    }


# ---- docs/protocol.md

def shown_range(schema):
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f" {least:,} to {most:,}"
    if least is not None:
        return f" from {least:,}"
    return ""


def shown_type(schema):
    """A schema as a short piece of text."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(SHARED)
        return f"[{name}](#{name})"
    if "allOf" in schema:
        return shown_type(schema["allOf"][0])
    if "anyOf" in schema:
        return " or ".join(shown_type(part) for part in schema["anyOf"])
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    kind = schema.get("type", "any")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        return f"array of {shown_type(schema.get('items', {}))}"
    return kind + shown_range(schema)


def own_description(schema):
    return schema.get("description", "")


def member_rows(schema):
    """Rows of a table for the members of an object, those of objects within it too."""
    rows = []
    pending = [("", schema)]
    while pending:
        prefix, current = pending.pop(0)
        required = current.get("required", [])
        for name, member in current.get("properties", {}).items():
            optional = "" if name in required else "?"
            rows.append(f"| `{prefix}{name}{optional}` | {shown_type(member)} | {own_description(member)} |")
            inner = member.get("items", member) if member.get("type") == "array" else member
            if inner.get("type") == "object" and inner.get("properties"):
                dots = "[]." if member.get("type") == "array" else "."
                pending.append((f"{prefix}{name}{dots}", inner))
    return rows


def table(heads, rows):
    return [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *rows, ""]


def json_block(value):
    return ["```json", json.dumps(value, ensure_ascii=False), "```", ""]


def shown_call(call, number):
    request = {"jsonrpc": "2.0", "id": number, "method": call["method"]}
    if call.get("params"):
        request["params"] = call["params"]
    return request


def example_lines(method):
    example = method["example"]
    who = example["as"]
    lines = [f"Example, {'as an operator' if who == 'operator' else f'as the tenant {who}'}"
             + (", after" if example.get("given") else "") + ":", ""]
    number = 1
    for call in example.get("given", []):
        lines += json_block(shown_call(call, number))
        number += 1
    if example.get("given"):
        lines += ["this:", ""]
    lines += json_block(shown_call({"method": method["name"], "params": example["params"]}, number))
    if "result" in example:
        lines += json_block({"jsonrpc": "2.0", "id": number, "result": example["result"]})
    elif "error" in example:
        lines += [f"is refused with `{example['error']}`.", ""]
    return lines


def method_lines(method):
    summary = method["summary"] if method["summary"].endswith("?") else method["summary"] + "."
    lines = [f"### {method['name']}", "", f"*{summary}* For {ROLES[method['role']]}.", "", method["description"], ""]
    if method["params"]:
        rows = [f"| `{param['name']}{'' if param['required'] else '?'}` | {shown_type(param['schema'])} "
                f"| {param['description']} |" for param in method["params"]]
        lines += table(["parameter", "type", "meaning"], rows)
        for param in method["params"]:
            items = param["schema"].get("items", {})
            if items.get("properties"):
                lines += [f"Each element of `{param['name']}`:", ""]
                lines += table(["member", "type", "meaning"], member_rows(items))
    else:
        lines += ["It takes no parameters.", ""]
    result = method["result"]
    if result.get("properties"):
        lines += ["Result:", ""] + table(["member", "type", "meaning"], member_rows(result))
    else:
        extra = own_description(result)
        lines += [f"Result: {shown_type(result)}." + (f" {extra}" if extra else ""), ""]
    if method["errors"]:
        lines += ["Refusals: " + ", ".join(f"[`{kind}`](#errors)" for kind in method["errors"]) + ".", ""]
    return lines + example_lines(method)


def method_index():
    rows = [f"| [`{method['name']}`](#{method['name'].replace('.', '')}) | {ROLES[method['role']]} "
            f"| {'yes' if method['changes'] else ''} | {method['summary']} |" for method in methods()]
    return "\n".join(table(["method", "for", "changes", "what it does"], rows)).rstrip()


def method_text():
    return "\n".join(line for method in methods() for line in method_lines(method)).rstrip()


def error_text():
    rows = []
    for error in errors():
        members = "<br>".join(f"`{member['name']}{'' if member['required'] else '?'}`: {member['description']}"
                              for member in error["data"])
        rows.append(f"| {error['code']} | `{error['kind']}` | {error['description']} | {members} |")
    return "\n".join(table(["code", "kind", "when", "in `data`"], rows)).rstrip()


def type_text():
    lines = []
    for name, schema in shared().items():
        lines += [f"### {name}", ""]
        if schema.get("description"):
            lines += [schema["description"], ""]
        if schema.get("properties"):
            lines += table(["member", "type", "meaning"], member_rows(schema))
        elif "description" not in schema or "enum" in schema or "anyOf" in schema:
            lines += [f"{shown_type(schema)}.", ""]
    return "\n".join(lines).rstrip()


def common_kind_text():
    return ", ".join(f"`{kind}`" for kind in COMMON_KINDS)


def protocol():
    text = (SCHEMA / "protocol.md.in").read_text(encoding="utf-8")
    parts = {"method-index": method_index, "methods": method_text, "errors": error_text, "types": type_text,
             "common-kinds": common_kind_text}
    for name, part in parts.items():
        marker = f"@{name}@"
        if text.count(marker) != 1:
            raise Mistake(f"protocol.md.in must have {marker} once")
        text = text.replace(marker, part())
    return text


# ---- Checking

def check_method(method, known):
    for kind in method["errors"]:
        if kind not in known:
            raise Mistake(f"{method['name']}: there is no error {kind}")
    names = [param["name"] for param in method["params"]]
    if len(set(names)) != len(names):
        raise Mistake(f"{method['name']}: a parameter is there twice")
    if method["changes"] != ({"client_ref", "dry_run"} <= set(names)):
        raise Mistake(f"{method['name']}: what changes takes client_ref and dry_run, and only that")
    example = method["example"]
    validator(parameters_schema(method)).validate(example["params"])
    if "result" in example:
        validator(method["result"]).validate(example["result"])
    if example.get("error", "not_found") not in known:
        raise Mistake(f"{method['name']}: there is no error {example['error']}")


def check_manifests():
    import jsonschema
    schema = read("manifest.schema.json")
    jsonschema.Draft202012Validator.check_schema(schema)
    for path in sorted((SCHEMA.parent / "docs" / "examples").glob("*.json")):
        jsonschema.Draft202012Validator(schema).validate(json.loads(path.read_text(encoding="utf-8")))


def check():
    known = kinds()
    for error in errors():
        validator(error_data_schema(error))
    by_name = {method["name"]: method for method in methods()}
    for method in by_name.values():
        check_method(method, known)
        for call in method["example"].get("given", []):
            validator(parameters_schema(by_name[call["method"]])).validate(call["params"])
    check_manifests()
    if not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != protocol():
        raise Mistake("docs/protocol.md is not current: run schema/generate.py protocol")


def main(arguments):
    commands = {
        "openrpc": lambda: print(json.dumps(openrpc(), ensure_ascii=False)),
        "protocol": lambda: DOCUMENT.write_text(protocol(), encoding="utf-8"),
        "check": check,
        "kinds": lambda: print("\n".join(kinds())),
        "methods": lambda: print("\n".join(ORDER)),
    }
    if len(arguments) != 1 or arguments[0] not in commands:
        print(__doc__, file=sys.stderr)
        return 64
    try:
        commands[arguments[0]]()
    except Exception as error:  # a schema that can't be read is a mistake as well
        print(f"schema/generate.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
