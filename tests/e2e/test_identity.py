"""Who is asking: uids, tokens, what tenants see of each other, and operators who act for them."""

import json

from agreement import agree, pages
from harness import CAN_BE_OTHERS, Daemon, Gone, METHODS, check, equal
from manifests import small

DAY = dict(pool="hall/a", start="2026-12-05T00:00:00Z", hours=24)
NOBODY = 61999


def test_roles():
    with Daemon() as daemon:
        session = daemon.operate("session.info")
        equal((session["role"], session["tenant"]), ("operator", None))
        equal(session["server"]["name"], "colossusd")
        session = daemon.tenant("acme").call("session.info")
        equal((session["role"], session["tenant"]), ("tenant", "acme"))


def test_anonymous_may_ask_four_things():
    with Daemon() as daemon:
        if not CAN_BE_OTHERS:
            return  # the daemon's own uid is an operator, and this process can be nobody else
        nobody = daemon.client(NOBODY)
        equal(nobody.call("session.info")["role"], "anonymous")
        nobody.call("server.ping")
        nobody.call("rpc.discover")
        with daemon.unchanged("a refused request"):
            for method, schema in METHODS.items():
                if schema["role"] != "anyone":
                    reply = nobody.ask(method, schema["example"]["params"])
                    equal(reply["error"]["data"]["kind"], "unauthenticated", method)
        nobody.call("session.login", token=daemon.token("beta"))
        equal(nobody.call("session.info")["tenant"], "beta")
        # A uid taken from a tenant loses its open connections' rights at once.
        acme = daemon.client(61001)
        equal(acme.call("session.info")["role"], "tenant")
        daemon.operate("manifest.apply", manifest={"version": 1, "tenants": [
            {"tenant": "acme", "uids": []}, {"tenant": "beta", "uids": [61002]}]})
        try:
            acme.refused("unauthenticated", "pool.list")
        except Gone:
            pass
        equal(daemon.client(61001).call("session.info")["role"], "anonymous")


def test_tenants_may_not_operate():
    with Daemon() as daemon:
        acme = daemon.tenant("acme", by_token=True)
        with daemon.unchanged("a refused request"):
            for method, schema in METHODS.items():
                if schema["role"] == "operator":
                    reply = acme.ask(method, schema["example"]["params"])
                    equal(reply["error"]["data"]["kind"], "forbidden", method)


def test_the_life_of_a_token():
    with Daemon() as daemon:
        operator = daemon.operator()
        made = operator.call("token.create", label="gateway", tenant="acme")
        token = made["token"]
        equal(made, {"label": "gateway", "tenant": "acme", "token": token})
        check(len(token) >= 32, "a token is long", token)
        check(token not in json.dumps(daemon.dump()), "the ledger has the token itself")
        check(token not in daemon.log_tail(), "the log has the token")
        data = operator.refused("conflict", "token.create", label="gateway", tenant="beta")
        equal(data.get("member"), "label")
        first, second = daemon.client(actor="token:gateway"), daemon.client()
        for client in (first, second):
            equal(client.call("session.login", token=token)["tenant"], "acme")
        equal(first.call("session.info"), second.call("session.info"))
        first.call("reservation.create", DAY, gpus=8)
        equal(daemon.sql("SELECT actor FROM v_event WHERE type = 'reservation.booked'"), [{"actor": "token:gateway"}])
        daemon.restart()
        operator, first = daemon.operator(), daemon.client()
        first.call("session.login", token=token)
        equal(operator.call("token.revoke", label="gateway"), {"label": "gateway", "tenant": "acme"})
        # The open connection is lost; the token is good for nothing; the label is not given again.
        try:
            first.refused("unauthenticated", "pool.list")
        except (Gone, OSError):
            pass
        daemon.client().refused("unauthenticated", "session.login", token=token)
        operator.refused("conflict", "token.create", label="gateway", tenant="acme")
        operator.refused("not_found", "token.revoke", label="never")
        agree(daemon)


def test_a_revoked_token_closes_what_waits():
    with Daemon() as daemon:
        client = daemon.tenant("acme", by_token=True)
        last = client.call("event.list", limit=1000)["events"][-1]["seq"]
        client.send("event.list", after=last, wait_seconds=60)
        with daemon.operator() as operator:
            operator.call("token.revoke", label="test-acme")
        try:
            reply = client.reply(30)
            equal(reply["error"]["data"]["kind"], "unauthenticated", "nothing of the tenant is shown")
            check(client.ended(30), "the connection is closed")
        except Gone:
            pass


def test_an_operators_token():
    with Daemon() as daemon:
        made = daemon.operate("token.create", label="root", operator=True)
        equal(made["tenant"], None)
        client = daemon.tenant("acme", by_token=True)
        client.refused("forbidden", "server.status")
        client.call("session.login", token=made["token"])
        equal(client.call("session.info")["role"], "operator")
        client.call("server.status")
        with daemon.unchanged("a refused request"):
            client.refused("invalid_params", "token.create", label="x")
            client.refused("invalid_params", "token.create", label="x", tenant="acme", operator=True)
            client.refused("invalid_params", "token.create", label="x", operator=False)
            client.refused("not_found", "token.create", label="x", tenant="nobody")
            client.refused("invalid_params", "token.create", label="", tenant="acme")
            client.refused("invalid_params", "token.create", label="x" * 65, tenant="acme")


def test_five_wrong_tokens_close_the_connection():
    with Daemon() as daemon:
        client, other = daemon.client(), daemon.client()
        for wrong in ("", "clss_wrong", "x" * 1024, daemon.token("acme")[:-1] + "!"):
            client.refused("unauthenticated", "session.login", token=wrong)
        client.refused("unauthenticated", "session.login", token="fifth")
        check(client.ended(), "closed after five")
        other.call("session.login", token=daemon.token("acme"))
        # Four, and it is open.
        again = daemon.client()
        for _ in range(4):
            again.refused("unauthenticated", "session.login", token="no")
        again.call("server.ping")
        # All at once: none after the fifth is tried.
        last = daemon.client()
        last.raw(b"".join(last.request("session.login", {"token": token})
                          for token in ["no"] * 5 + [daemon.token("acme")]))
        replies = []
        try:
            for _ in range(6):
                replies.append(last.reply())
        except Gone:
            pass
        check(len(replies) >= 5 and all("error" in reply for reply in replies), "the sixth was let in", replies)


def strange(reply):
    """A reply without what differs by itself."""
    return {**reply, "id": None}


def test_another_tenants_things_are_as_if_they_were_not():
    with Daemon() as daemon:
        beta, acme = daemon.tenant("beta"), daemon.tenant("acme")
        beta.call("reservation.create", DAY, gpus=8, client_ref="secret", project="p")
        beta.call("reservation.create", DAY, gpus=8, hold_seconds=3600)
        group = beta.call("reservation.create_group", legs=[dict(DAY, gpus=8)] * 2)["group"]
        beta.call("reservation.create", DAY, gpus=8)
        beta.call("reservation.cancel", id=5)
        # Whatever a tenant can name: of beta's, and what nobody has.
        names = {"id": (range(1, 6), 999), "group": ([group], 999), "contract": (["beta-main"], "none-main")}
        with daemon.unchanged("a refused request"):
            for method, schema in METHODS.items():
                parameters = {p["name"] for p in schema["params"]} if schema["role"] == "tenant" else set()
                example = {name: value for name, value in schema["example"].get("params", {}).items()
                           if name not in (*names, "client_ref")}
                for name in sorted(parameters & set(names)):
                    theirs, nobodys = names[name]
                    for more in [{}, {"dry_run": True}] if "dry_run" in parameters else [{}]:
                        expected = strange(acme.ask(method, {**example, name: nobodys, **more}))
                        equal(expected["error"]["data"]["kind"], "not_found", f"{method} {name}")
                        for value in theirs:
                            equal(strange(acme.ask(method, {**example, name: value, **more})), expected,
                                  f"{method} {name}={value} {more}")
            equal(strange(acme.ask("reservation.get", client_ref="secret")),
                  strange(acme.ask("reservation.get", client_ref="none")))
            # Naming another tenant, or none that is.
            for method, schema in METHODS.items():
                if schema["role"] == "tenant" and any(p["name"] == "tenant" for p in schema["params"]):
                    params = {**schema["example"]["params"], "tenant": "beta"}
                    if "pool" in params:
                        params["pool"] = "hall/a"
                    params.pop("contract", None)
                    of_others = acme.ask(method, params)
                    equal(strange(of_others), strange(acme.ask(method, {**params, "tenant": "none"})), method)
                    equal(of_others["error"]["data"]["kind"], "not_found", method)
        # Naming itself is no fault.
        equal(acme.call("reservation.list", tenant="acme"), {"reservations": [], "next": None})


def test_lists_show_a_tenant_its_own():
    with Daemon() as daemon:
        acme, beta = daemon.tenant("acme"), daemon.tenant("beta")
        acme.call("reservation.create", DAY, gpus=8)
        beta.call("reservation.create", DAY, gpus=8)
        acme.call("reservation.create", DAY, gpus=8, hold_seconds=60)
        beta.call("reservation.cancel", id=2)
        daemon.operate("tenant.suspend", tenant="beta")
        daemon.operate("tenant.resume", tenant="beta")
        daemon.operate("capacity.change", pool="hall/a", kind="growth", gpus=8, start="2027-01-01T00:00:00Z")
        daemon.advance("2027-01-01T00:00:00Z")
        for client, name, other in ((acme, "acme", "beta"), (beta, "beta", "acme")):
            shown = {"reservations": pages(client, "reservation.list", "reservations", "id"),
                     "events": pages(client, "event.list", "events", "seq"),
                     "transfers": pages(client, "statement.list", "transfers", "id"),
                     "periods": client.call("commitment.status")["periods"]}
            check(all(shown.values()), "something is shown")
            equal({r["tenant"] for key in ("reservations", "events", "periods") for r in shown[key]}, {name})
            check(f"{other}-main" not in json.dumps(shown) and f'"{other}"' not in json.dumps(shown),
                  f"{name} sees something of {other}'s")
            as_operator = {
                "reservations": pages(daemon.operator(), "reservation.list", "reservations", "id", tenant=name),
                "events": pages(daemon.operator(), "event.list", "events", "seq", tenant=name),
                "transfers": pages(daemon.operator(), "statement.list", "transfers", "id", tenant=name),
                "periods": daemon.operate("commitment.status", tenant=name)["periods"]}
            equal(as_operator, shown, "what an operator sees of one tenant")
        equal(len(daemon.operate("reservation.list")["reservations"]), 3)
        equal(acme.call("pool.calendar", pool="hall/a", start="2027-01-01T00:00:00Z", end="2027-01-02T00:00:00Z"),
              beta.call("pool.calendar", pool="hall/a", start="2027-01-01T00:00:00Z", end="2027-01-02T00:00:00Z"))


def test_an_operator_acts_for_a_tenant_and_is_recorded():
    with Daemon() as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme")
        with daemon.unchanged("a refused request"):
            for method, params in (("reservation.create", dict(DAY, gpus=8)), ("reservation.cancel", {"id": 1}),
                                   ("reservation.create_group", {"legs": [dict(DAY, gpus=8)] * 2}),
                                   ("reservation.confirm", {"id": 1}), ("reservation.change", {"id": 1, "gpus": 8})):
                equal(operator.refused("invalid_params", method, params).get("member"), "tenant", method)
            operator.refused("not_found", "reservation.create", DAY, gpus=8, tenant="nobody")
        booked = operator.call("reservation.create", DAY, gpus=8, tenant="acme", client_ref="x")
        equal(booked["tenant"], "acme")
        # It is the tenant's name that was used.
        equal(acme.call("reservation.create", DAY, gpus=8, client_ref="x"), {**booked, "replayed": True})
        acme.call("reservation.change", id=1, gpus=16)
        operator.refused("not_found", "reservation.cancel", id=1, tenant="beta")
        operator.call("reservation.cancel", id=1, tenant="acme")
        events = [e for e in acme.call("event.list", limit=1000)["events"] if e["reservation"] == 1]
        equal([(e["type"], e["actor"]) for e in events],
              [("reservation.booked", operator.actor), ("reservation.changed", acme.actor),
               ("reservation.cancelled", operator.actor)])
        equal(operator.call("reservation.get", id=1), operator.call("reservation.get", id=1, tenant="acme"))
        operator.refused("not_found", "reservation.get", id=1, tenant="beta")
        agree(daemon)


def test_a_suspended_tenant():
    with Daemon() as daemon:
        operator, acme = daemon.operator(), daemon.tenant("acme", by_token=True)
        acme.call("reservation.create", DAY, gpus=16)
        acme.call("reservation.create", DAY, gpus=8, hold_seconds=7200)
        equal(operator.call("tenant.suspend", tenant="acme", reason="invoice overdue"),
              {"tenant": "acme", "suspended": True})

        def suspended(client):
            with daemon.unchanged("a refused request"):
                for method, params in (("reservation.create", dict(DAY, gpus=8)),
                                       ("reservation.create", dict(DAY, gpus=8, dry_run=True)),
                                       ("reservation.create_group", {"legs": [dict(DAY, gpus=8)] * 2}),
                                       ("reservation.confirm", {"id": 2}),
                                       ("reservation.change", {"id": 1, "gpus": 24}),
                                       ("reservation.change", {"id": 1, "end": "2026-12-07T00:00:00Z"})):
                    client.refused("tenant_suspended", method, params)

        suspended(acme)
        operator.refused("tenant_suspended", "reservation.create", DAY, gpus=8, tenant="acme")
        daemon.restart()
        acme = daemon.tenant("acme", by_token=True)
        suspended(acme)
        # Reads, shrinks, cancels, running bookings and billing go on.
        acme.call("reservation.change", id=1, gpus=8)
        acme.call("reservation.change", id=1, end="2026-12-05T12:00:00Z")
        acme.call("reservation.cancel", id=2)
        acme.call("commitment.status")
        daemon.advance("2027-01-01T00:00:00Z")
        equal(acme.call("reservation.get", id=1)["state"], "completed")
        equal([t["amount"] for t in acme.call("statement.list", from_="2027-01-01T00:00:00Z")["transfers"]
               if t["kind"] == "consume"], ["192.00"])
        daemon.tenant("beta", by_token=True).call("reservation.create", DAY, gpus=8, start="2027-01-05T00:00:00Z")
        equal(daemon.operate("tenant.resume", tenant="acme"), {"tenant": "acme", "suspended": False})
        acme.call("reservation.create", DAY, gpus=8, start="2027-01-05T00:00:00Z")
        daemon.operator().refused("not_found", "tenant.suspend", tenant="nobody")
        daemon.operator().refused("not_found", "tenant.resume", tenant="nobody")
        agree(daemon)


def test_a_uid_may_be_given_once():
    manifest = small()
    with Daemon(manifest) as daemon:
        operator = daemon.operator()
        with daemon.unchanged("a refused manifest"):
            for tenants, path in (([{"tenant": "acme", "uids": [7, 7]}], "tenants[0].uids"),
                                  ([{"tenant": "acme", "uids": [7]}, {"tenant": "beta", "uids": [7]}], "tenants[1]"),
                                  ([{"tenant": "acme", "uids": [65534]}], "tenants[0].uids[0]")):
                data = operator.refused("invalid_manifest", "manifest.apply",
                                        manifest={"version": 1, "tenants": tenants})
                check(data["path"].startswith(path), "the path", data)
