"""Manifests of the tests' own: small enough that every figure can be worked out by hand."""

import json
import pathlib

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "examples" / "colossus.json"
ACME, BETA, GAMMA = 61001, 61002, 61003


def colossus():
    """The example manifest, with public figures."""
    return json.loads(EXAMPLE.read_text())


def small():
    """Three tenants; acme pays late fees, beta has a tight budget in one pool, gamma has no contract.

    hall/a has 64 GPUs in units of 8 at $2.00, and 96 from 2027-02-01 on; hall/b has 100 single GPUs at $1.50, and no
    price before 2026-12-10.
    """
    return {
        "version": 1,
        "note": "for tests",
        "operators": {"uids": [0]},
        "sites": [{"site": "hall"}],
        "pools": [
            {"pool": "hall/a", "gpu": "H100", "unit": 8,
             "capacity": [{"from": "2026-01-01T00:00:00Z", "gpus": 64}, {"from": "2027-02-01T00:00:00Z", "gpus": 96}],
             "rates": [{"from": "2026-01-01T00:00:00Z", "firm": "2.00"}]},
            {"pool": "hall/b", "gpu": "B200", "unit": 1,
             "capacity": [{"from": "2026-01-01T00:00:00Z", "gpus": 100}],
             "rates": [{"from": "2026-12-10T00:00:00Z", "firm": "1.50"}]},
        ],
        "tenants": [{"tenant": "acme", "name": "Acme", "uids": [ACME]},
                    {"tenant": "beta", "uids": [BETA]},
                    {"tenant": "gamma", "uids": [GAMMA]}],
        "contracts": [
            {"contract": "acme-main", "tenant": "acme",
             "start": "2026-10-01T00:00:00Z", "end": "2028-10-01T00:00:00Z",
             "periods": {"annual": "1000000.00"},
             "overage": {"limit_pct": 10, "surcharge_pct": 20},
             "billing": "arrears",
             "cancel": {"notice_hours": 72, "late_fee_pct": 50}},
            {"contract": "beta-main", "tenant": "beta", "pools": ["hall/a"],
             "start": "2026-10-01T00:00:00Z", "end": "2027-10-01T00:00:00Z",
             "periods": {"annual": "10000.00"}},
        ],
    }


def contract(commit="12000.00", start="2026-10-01T00:00:00Z", end="2028-10-01T00:00:00Z", **terms):
    """One pool of 1,000 GPUs at $1.00, one tenant, one contract with these terms."""
    return {
        "version": 1,
        "sites": [{"site": "hall"}],
        "pools": [{"pool": "hall/a", "gpu": "H100", "unit": 1,
                   "capacity": [{"from": "2026-01-01T00:00:00Z", "gpus": 1000}],
                   "rates": [{"from": "2026-01-01T00:00:00Z", "firm": "1.00"}]}],
        "tenants": [{"tenant": "acme", "uids": [ACME]}],
        "contracts": [{"contract": "acme-main", "tenant": "acme", "start": start, "end": end,
                       "periods": {"annual": commit} if isinstance(commit, str) else commit, **terms}],
    }
