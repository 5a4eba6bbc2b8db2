"""Plain sums to compare the daemon with: money as integers, hours as integers, a pool as a list of rectangles."""

import datetime
import re
from fractions import Fraction

MICRO = 1_000_000


def micro(text):
    """Micro-dollars of decimal text."""
    match = re.fullmatch(r"(-?)([0-9]+)\.([0-9]{2,6})", text)
    assert match, f"{text!r} is no amount of the wire"
    sign, whole, part = match.groups()
    return (-1 if sign else 1) * (int(whole) * MICRO + int(part.ljust(6, "0")))


def money(amount):
    """The wire's text of micro-dollars: at least two decimals, no more than there are."""
    whole, part = divmod(abs(amount), MICRO)
    digits = f"{part:06d}"
    while len(digits) > 2 and digits.endswith("0"):
        digits = digits[:-1]
    return f"{'-' if amount < 0 else ''}{whole}.{digits}"


def dollars(amount):
    """Micro-dollars of a number of dollars, given as text or integer."""
    exact = Fraction(amount) * MICRO
    assert exact.denominator == 1
    return int(exact)


def seconds(text):
    return int(datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
               .replace(tzinfo=datetime.timezone.utc).timestamp())


def hour(text):
    whole, rest = divmod(seconds(text), 3600)
    assert rest == 0, f"{text} is on no whole hour"
    return whole


def instant_text(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def hour_text(number):
    return instant_text(number * 3600)


def half_even(numerator, denominator):
    return round(Fraction(numerator, denominator))  # Python rounds a Fraction half to even


class Pool:
    """Hour by hour."""

    def __init__(self, steps):
        self.steps = [(hour(step["from"]), step["gpus"]) for step in steps]
        self.taken = []  # (start, end, gpus)

    def capacity(self, at):
        return ([gpus for start, gpus in self.steps if start <= at] or [0])[-1]

    def free(self, at):
        return self.capacity(at) - sum(gpus for start, end, gpus in self.taken if start <= at < end)

    def book(self, start, end, gpus):
        self.taken.append((start, end, gpus))

    def fits(self, start, end, gpus):
        return all(self.free(at) >= gpus for at in range(start, end))

    def refusal(self, start, end, gpus, bound):
        """free, first_short and next_start as a refusal must give them; searched up to starts before `bound`."""
        short = [at for at in range(start, end) if self.free(at) < gpus]
        fit = next((at for at in range(start, bound) if self.fits(at, at + end - start, gpus)), None)
        return {"free": min(self.free(at) for at in range(start, end)), "first_short": hour_text(short[0]),
                "next_start": None if fit is None else hour_text(fit)}
