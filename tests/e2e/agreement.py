"""What must always agree: the socket's replies, the views of the ledger, and plain sums over its tables."""

import json

from harness import check, equal
from model import MICRO, hour, hour_text, micro, money

AMOUNTS = ["commit", "deferred_in", "relief", "floor", "credit", "overage_limit", "authority", "encumbered", "consumed",
           "used", "available", "shortfall", "overage", "fees"]
OWED = ["due", "billed", "fees", "surcharge", "relief", "credit", "credit_used", "deferred_out", "waived"]


def pages(client, method, key, number, limit=1000, **params):
    """All elements of a list, page by page: each page full but the last, no gap, nothing twice."""
    found, after = [], None
    while True:
        more = {} if after is None else {"after": after}
        reply = client.call(method, {**params, **more}, limit=limit)
        page = reply[key]
        found += page
        if reply["next"] is None:
            check(len(page) <= limit, "a page is longer than its limit")
            numbers = [element[number] for element in found]
            equal(numbers, sorted(set(numbers)), f"numbers of {method}")
            return found
        equal(len(page), limit, f"elements of a page of {method} that is not the last")
        equal(reply["next"], page[-1][number], f"next of {method}")
        after = reply["next"]


def view_money(row, name, place):
    """A view's integer as the wire shows it, after checking the text beside it."""
    amount = row[f"{name}_micro"]
    if amount is None:
        equal(row[name], None, f"{name} of {place}")
        return None
    sign, whole, part = "-" if amount < 0 else "", *divmod(abs(amount), MICRO)
    equal(row[name], f"{sign}{whole}.{part:06d}", f"text of {name} of {place}")
    return money(amount)


def commitments_agree(daemon, operator):
    periods = {(p["contract"], p["period_start"]): p for p in operator.call("commitment.status")["periods"]}
    standing = daemon.sql("SELECT * FROM v_commitment")
    owed = {(row["contract"], row["period_start"]): row for row in daemon.sql("SELECT * FROM v_due")}
    equal(sorted(periods), sorted((row["contract"], row["period_start"]) for row in standing), "periods")
    equal(sorted(periods), sorted(owed), "periods of v_due")
    for row in standing:
        place = (row["contract"], row["period_start"])
        period, due = periods[place], owed[place]
        for name in AMOUNTS:
            equal(view_money(row, name, place), period[name], f"{name} of {place}, v_commitment against the socket")
        for name in OWED:
            equal(view_money(due, name, place), period[name], f"{name} of {place}, v_due against the socket")
        equal(row["percent_bp"], None if period["percent"] is None else round(period["percent"] * 100), "percent")
        equal(due["rest_micro"], due["due_micro"] - due["billed_micro"], f"rest of {place}")
        equal((row["status"] == "closed", bool(due["closed"])), (period["closed"],) * 2, f"closed of {place}")
        equal((row["period_end"], row["tenant"]), (period["period_end"], period["tenant"]), f"end, tenant of {place}")
        amounts_hang_together(period, place)


def amounts_hang_together(period, place):
    """Section 5 of the rules, by its names."""
    amount = {name: None if period[name] is None else micro(period[name]) for name in AMOUNTS + OWED}
    committed = amount["commit"] + amount["deferred_in"]
    equal(amount["floor"], max(0, committed - amount["relief"]), f"floor of {place}")
    equal(amount["used"], amount["encumbered"] + amount["consumed"], f"used of {place}")
    equal(amount["shortfall"], max(0, amount["floor"] - amount["used"]), f"shortfall of {place}")
    equal(amount["overage"], max(0, amount["used"] - committed - amount["credit"]), f"overage of {place}")
    if amount["overage_limit"] is None:
        equal((amount["authority"], amount["available"]), (None, None), f"unlimited of {place}")
    else:
        equal(amount["authority"], committed + amount["credit"] + amount["overage_limit"], f"authority of {place}")
        equal(amount["available"], max(0, amount["authority"] - amount["used"]), f"available of {place}")
        check(amount["used"] <= amount["authority"], "more is used than the authority of", place)
    if period["percent"] is None:
        equal(amount["floor"], 0, f"floor of {place} without a percentage")
    else:
        equal(round(period["percent"] * 100), amount["used"] * 10000 // amount["floor"], f"percent of {place}")


RESERVATION = ["id", "tenant", "client_ref", "state", "pool", "gpus", "start", "end", "tier", "gpu_hours",
               "hold_expires", "wait_until", "project", "note", "group", "created"]


def reservations_agree(daemon, operator):
    shown = pages(operator, "reservation.list", "reservations", "id")
    viewed = daemon.sql("SELECT * FROM v_reservation ORDER BY id")
    equal([r["id"] for r in shown], [row["id"] for row in viewed], "ids of reservations")
    for reservation, row in zip(shown, viewed):
        place = f"reservation {row['id']}"
        for name in RESERVATION:
            equal(row[name], reservation[name], f"{name} of {place}, v_reservation against the socket")
        for name in ("cost", "fees"):
            equal(view_money(row, name, place), reservation[name], f"{name} of {place}")
        slices_add_up(reservation, place)
        got = operator.call("reservation.get", id=row["id"])
        equal(got, reservation, f"reservation.get and reservation.list of {place}")
    for state in sorted({r["state"] for r in shown}):
        listed = pages(operator, "reservation.list", "reservations", "id", state=[state])
        equal([r["id"] for r in listed], [r["id"] for r in shown if r["state"] == state], f"those that are {state}")


def slices_add_up(reservation, place):
    cost = hours = 0
    for part in reservation["slices"]:
        length = hour(part["end"]) - hour(part["start"])
        check(length > 0, "an empty slice of", place)
        price = part["gpus"] * length * micro(part["price_per_gpu_hour"])
        equal(micro(part["cost"]), price, f"cost of a slice of {place}")
        cost, hours = cost + price, hours + part["gpus"] * length
    equal((micro(reservation["cost"]), reservation["gpu_hours"]), (cost, hours), f"cost and GPU-hours of {place}")


def movements_agree(daemon, operator):
    shown = pages(operator, "statement.list", "transfers", "id")
    viewed = {row["id"]: row for row in daemon.sql("SELECT * FROM v_statement")}
    equal([t["id"] for t in shown], sorted(viewed), "ids of transfers")
    balances = {}
    for transfer in shown:
        row, place = viewed[transfer["id"]], f"transfer {transfer['id']}"
        check(micro(transfer["amount"]) > 0, place, "moves nothing")
        for name in ("at", "kind", "debit_account", "credit_account", "contract", "period_start", "reservation"):
            equal(row[name], transfer[name], f"{name} of {place}, v_statement against the socket")
        equal(view_money(row, "amount", place), transfer["amount"], f"amount of {place}")
        for side, sign in (("debit", -1), ("credit", 1)):
            account = transfer[f"{side}_account"]
            balances[account] = balances.get(account, 0) + sign * micro(transfer["amount"])
            equal(row[f"{side}_balance_micro"], balances[account], f"{side}_balance of {place}")
    accounts = daemon.sql("SELECT account, balance_micro FROM v_trial_balance")
    equal(sum(row["balance_micro"] for row in accounts), 0, "sum of all accounts")
    for row in accounts:
        equal(row["balance_micro"], balances.get(row["account"], 0), f"balance of {row['account']}")


def events_agree(daemon, operator):
    shown = pages(operator, "event.list", "events", "seq")
    viewed = daemon.sql("SELECT * FROM v_event ORDER BY seq")
    equal([e["seq"] for e in shown], [row["seq"] for row in viewed], "numbers of events")
    for event, row in zip(shown, viewed):
        for name in ("at", "type", "actor", "tenant", "reservation"):
            equal(row[name], event[name], f"{name} of event {row['seq']}, v_event against the socket")
        equal(json.loads(row["data"]), event["data"], f"data of event {row['seq']}")
    # Starts and ends change no verdict: they may be written after their hour, and carry it.
    times = [event["at"] for event in shown if event["type"] not in ("reservation.started", "reservation.completed")]
    equal(times, sorted(times), "events in the order of time")


def merged(steps):
    """Steps with equal neighbours made one."""
    result = []
    for start, end, *rest in steps:
        if result and result[-1][1] == start and result[-1][2:] == rest:
            result[-1][1] = end
        elif start < end:
            result.append([start, end, *rest])
    return result


def calendars_agree(daemon, operator, hours=2400):
    now = daemon.sql("SELECT * FROM v_now")[0]
    equal(operator.call("server.ping")["now"], now["now"], "the book's time in v_now")
    start = now["now_seconds"] // 3600
    end = start + hours
    for pool in operator.call("pool.list")["pools"]:
        name = pool["pool"]
        shown = operator.call("pool.calendar", pool=name, start=hour_text(start), end=hour_text(end))["steps"]
        viewed = []
        for row in daemon.sql("SELECT * FROM v_capacity WHERE pool = ? ORDER BY start", name):
            last = end if row["end"] is None else min(end, hour(row["end"]))
            viewed.append([max(start, hour(row["start"])), last, row["free"], row["capacity"], row["reserved"],
                           row["free_by_power"]])
        steps = [[hour(s["start"]), hour(s["end"]), s["free"], s["capacity"], s["reserved"], s.get("free_by_power")]
                 for s in shown]
        first = viewed[0][0] if viewed else end
        viewed.insert(0, [start, min(first, end), 0, 0, 0, steps[0][5]])  # before its first capacity a pool has no row
        if not any("free_by_power" in s for s in shown):  # else they may end where only the power changes
            equal(merged(steps), steps, f"steps of {name}'s calendar")
        equal(merged(viewed), merged(steps), f"calendar of {name}, v_capacity against the socket")
        equal((pool["free"], pool["capacity"]), tuple(steps[0][2:4]), f"{name} in pool.list, in its calendar")
        taken = daemon.sql("SELECT sum(s.gpus * (s.end - s.start) / 3600) AS hours FROM slice AS s JOIN reservation AS r "
                           "ON r.id = s.reservation JOIN pool AS p ON p.id = r.pool WHERE p.pool = ? "
                           "AND NOT (r.state = 'held' AND r.hold_expires <= ?)", name, now["now_seconds"])[0]["hours"]
        daily = daemon.sql("SELECT sum(gpu_hours_booked) AS hours FROM v_utilisation_daily WHERE pool = ?", name)
        equal(daily[0]["hours"] or 0, taken or 0, f"GPU-hours of {name} in v_utilisation_daily")
    equal(daemon.sql("SELECT * FROM v_overbooked"), [], "v_overbooked")
    equal(daemon.sql("SELECT * FROM v_power WHERE used_watts > watts"), [], "hours with more power used than there is")
    relief = "SELECT coalesce(sum(relief_micro), 0) AS micro FROM "
    equal(daemon.sql(relief + "v_interruption"), daemon.sql(relief + "v_commitment"), "relief by interruption and period")


def agree(daemon):
    """Everything above, as an operator sees it now."""
    with daemon.operator() as operator:
        commitments_agree(daemon, operator)
        reservations_agree(daemon, operator)
        movements_agree(daemon, operator)
        events_agree(daemon, operator)
        calendars_agree(daemon, operator)
