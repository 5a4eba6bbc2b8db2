"""A strict reader of OpenMetrics text: what it takes is right in every detail that the format has.

    families = openmetrics.parse(text)                  # {"colossus_requests": Family}
    families["colossus_requests"].value(method="pool.list", verdict="done")

With `older` it reads the text that came before OpenMetrics, in which the family of a counter has the "_total" of its
samples. Timestamps and exemplars are not expected of us, and are refused.
"""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^\\"\n]|\\[\\"n])*)"')
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|Inf)|NaN")
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


class Malformed(Exception):
    """The text is not as the format says."""


def demand(condition, *what):
    if not condition:
        raise Malformed(" ".join(str(part) for part in what))


class Family:
    def __init__(self, name):
        self.name, self.kind, self.unit, self.help = name, None, None, None
        self.samples = {}  # (suffix, labels as a sorted tuple) to the value, in order

    def value(self, suffix=None, **labels):
        """The value of one sample; None when there is none."""
        suffix = SUFFIXES[self.kind][0] if suffix is None else suffix
        return self.samples.get((suffix, tuple(sorted(labels.items()))))


def parse_labels(text):
    labels, at = {}, 0
    while at < len(text):
        found = LABEL.match(text, at)
        demand(found, "a label is not well formed:", text[at:])
        demand(found[1] not in labels, "a label twice:", found[1])
        labels[found[1]] = re.sub(r"\\(.)", lambda escape: "\n" if escape[1] == "n" else escape[1], found[2])
        at = found.end()
        demand(at == len(text) or (text[at] == "," and at + 1 < len(text)), "what follows a label:", text[at:])
        at += 1
    return labels


def parse_number(text):
    demand(NUMBER.fullmatch(text), "not a number:", text)
    return float(text)


def read_metadata(line, families, family, older):
    found = re.fullmatch(rf"# (TYPE|UNIT|HELP) ({NAME}) (.*)", line)
    demand(found, "not a line of metadata:", line)
    what, name, text = found.groups()
    if family is None or family.name != name:
        demand(name not in families, "a family in two places:", name)
        family = families[name] = Family(name)
    demand(not family.samples, "metadata after samples:", line)
    if what == "TYPE":
        demand(family.kind is None and text in SUFFIXES, "a type:", line)
        family.kind = text
    elif what == "UNIT":
        demand(family.unit is None and text and name.endswith("_" + text), "a unit:", line)
        demand(not older or family.kind is not None, "the type comes first:", line)
        family.unit = text
    else:
        demand(family.help is None and text, "help:", line)
        demand(not re.search(r'(?<!\\)(\\\\)*(\\[^\\n"]|")', text), "an escape in help:", line)
        family.help = text
    return family


def read_sample(line, family, older):
    found = re.fullmatch(rf"({NAME})(?:\{{(.*)\}})? ([^ ]+)", line)
    demand(found, "not a sample:", line)
    demand(family is not None and family.kind is not None and family.help, "a sample without type or help:", line)
    suffixes = ("",) if older and family.kind == "counter" else SUFFIXES[family.kind]
    suffix = found[1][len(family.name):]
    demand(found[1].startswith(family.name) and suffix in suffixes, "a sample of another family:", line)
    demand(found[2] != "", "empty braces:", line)
    labels, value = parse_labels(found[2] or ""), parse_number(found[3])
    key = (suffix, tuple(sorted(labels.items())))
    demand(key not in family.samples, "a sample twice:", line)
    demand(family.kind == "gauge" or value >= 0, "below zero:", line)
    family.samples[key] = value


def check_histogram(family):
    series = {}
    for (suffix, labels), value in family.samples.items():
        without = tuple(label for label in labels if label[0] != "le")
        demand((without != labels) == (suffix == "_bucket"), "le is of buckets:", family.name, labels)
        series.setdefault(without, {"_bucket": []})
        if suffix == "_bucket":
            series[without]["_bucket"].append((dict(labels)["le"], value))
        else:
            series[without][suffix] = value
    for parts in series.values():
        demand({"_bucket", "_sum", "_count"} == set(parts), "parts of a histogram:", family.name)
        ends = [parse_number(end) for end, _ in parts["_bucket"]]
        counts = [count for _, count in parts["_bucket"]]
        demand(ends == sorted(set(ends)) and parts["_bucket"][-1][0] == "+Inf", "ends of buckets:", ends)
        demand(all("." in end or end == "+Inf" for end, _ in parts["_bucket"]), "ends are floats:", family.name)
        demand(counts == sorted(counts) and counts[-1] == parts["_count"], "counts of buckets:", family.name, counts)
        demand(all(count == int(count) for count in counts), "counts are whole:", family.name)


def parse(text, older=False):
    demand(text.endswith("# EOF\n"), "the end:", text[-40:])
    families, family = {}, None
    for line in text.removesuffix("# EOF\n").split("\n")[:-1]:
        demand(line and line != "# EOF" and "\r" not in line, "a line:", repr(line))
        if line.startswith("#"):
            family = read_metadata(line, families, family, older)
        else:
            read_sample(line, family, older)
    names = [name + suffix for name, f in families.items() for suffix in {"", *SUFFIXES[f.kind]}]
    demand(older or len(names) == len(set(names)), "names of families and samples clash")
    for family in families.values():
        demand(family.kind is not None and family.help, "type and help:", family.name)
        if family.kind == "histogram":
            check_histogram(family)
    return families
