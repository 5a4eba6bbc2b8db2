"""What is JSON and what is not, through the socket: every text of json_cases.py, alone and inside a request.

A text that must be refused gets -32700 with a null id, and the next request on the same connection is answered. One
that must be taken is no parse error: it is found where it stands, and as an id it comes back byte for byte.
"""

import json_cases
from harness import Daemon, check, equal, parse

PARSE_ERROR = -32700
PING = b'{"jsonrpc":"2.0","id":"after","method":"server.ping"}\n'


def inside(text):
    return b'{"jsonrpc":"2.0","id":1,"method":"server.ping","params":{"x":' + text + b"}}"


def the_connection_lives(client, name):
    client.raw(PING)
    client.expect("after", "server.ping")
    check("result" in client.reply(), f"the request after {name}")


def refused(texts, least):
    check(len(texts) >= least, "texts in the table:", len(texts))
    with Daemon() as daemon:
        client = daemon.tenant("acme")
        with daemon.unchanged("what is no JSON"):
            for name, text in texts.items():
                check(b"\n" not in text, "a text is one line", name)
                for line in (text, inside(text)):
                    client.raw(line + b"\n")
                    client.expect(None)
                    reply = client.reply()
                    check("error" in reply, f"{name} was taken: {text[:100]!r}")
                    equal(reply["error"]["code"], PARSE_ERROR, name)
                    the_connection_lives(client, name)


def taken(texts, least):
    check(len(texts) >= least, "texts in the table:", len(texts))
    with Daemon() as daemon:
        client = daemon.tenant("acme")
        for name, text in texts.items():
            # Alone it is no request, or a batch of things that are none.
            client.raw(text + b"\n")
            reply = parse(client.line())
            for one in reply if isinstance(reply, list) else [reply]:
                equal(one["error"]["code"], -32600, f"{name} alone: {reply}")
            # As a parameter that is not known it is read as far as its name.
            client.raw(inside(text) + b"\n")
            client.expect(1, "server.ping")
            equal(client.reply()["error"]["data"], {"kind": "invalid_params", "member": "x"}, name)
            the_connection_lives(client, name)


def test_what_no_reader_may_take():
    refused(json_cases.NO, 200)


def test_what_this_protocol_refuses():
    refused(json_cases.HERE, 50)


def test_what_every_reader_must_take():
    taken(json_cases.YES, 90)


def test_what_this_protocol_takes():
    taken(json_cases.TAKEN, 5)


def test_scalars_come_back_as_ids_byte_for_byte():
    with Daemon() as daemon:
        client = daemon.tenant("acme")
        count = 0
        for name, text in json_cases.YES.items():
            scalar = text.strip(b" \r[]") if text.count(b"[") < 2 and name != "string_braces_inside" else b""
            if not scalar or scalar[:1] not in b'"-0123456789' or b'"asd "' == scalar or b"," in scalar:
                continue
            client.raw(b'{"jsonrpc":"2.0","id":' + scalar + b',"method":"server.ping"}\n')
            check(b'"id":' + scalar + b',"result"' in client.line(), name, "as an id")
            count += 1
        check(count >= 60, "scalars that were tried:", count)
