#!/bin/bash
# The main job, shown: a day of an operator and two tenants, then three years of a contract in a few seconds.
#
# Everything happens in a temporary folder on a manual clock. Each command is printed and then run; what is printed below it is what it
# printed. A step that does not end as it should ends the demo with an error.
#
# BUILD_DIR says where the binaries are (build). KEEP=DIR keeps the ledger there.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD_DIR:-$here/build}
manifest=$here/docs/examples/colossus.json
folder=$(mktemp -d)
export PATH="$build:$PATH" NO_COLOR=1
export COLOSSUS_LEDGER="$folder/ledger.db" COLOSSUS_SOCKET="$folder/colossus.sock"
unset COLOSSUS_TOKEN
daemon=

finish() {
    [ -n "$daemon" ] && kill -TERM "$daemon" 2>/dev/null && wait "$daemon" || true
    if [ -n "${KEEP:-}" ]; then mkdir -p "$KEEP" && cp -r "$folder/." "$KEEP/"; fi
    rm -rf "$folder"
}
trap finish EXIT

say() { printf '\n# %s\n' "$*"; }

# Prints a command and runs it; the first argument is the exit status it must have.
expect() {
    local expected=$1 status=0
    shift
    printf '$'
    printf ' %q' "$@" | sed "s|\\\\\\[|[|g; s|\\\\\\]|]|g"
    printf '\n'
    "$@" 2>&1 || status=$?
    if [ "$status" -ne "$expected" ]; then
        echo "demo: this should have ended with status $expected, not $status" >&2
        exit 1
    fi
}
run() { expect 0 "$@"; }

# Prints an SQL question and asks the ledger, as an operator would, while the daemon runs.
sql() {
    printf '$ sqlite3 -readonly ledger.db "%s"\n' "$1"
    sqlite3 -readonly -header -column "$COLOSSUS_LEDGER" "$1"
}

wait_for_daemon() {
    for _ in $(seq 200); do
        colossus ping >/dev/null 2>&1 && return
        kill -0 "$daemon" 2>/dev/null || { echo "demo: the daemon ended" >&2; exit 1; }
        sleep 0.05
    done
    echo "demo: the daemon does not answer" >&2
    exit 1
}

# The id of the reservation that a client_ref made.
id_of() { colossus -o json show --tenant "$2" --ref "$1" | sed -n 's/^ *"id": \([0-9]*\),*$/\1/p' | head -1; }

say "Start the daemon with the manifest of Colossus, on a clock that moves only when told to."
echo "$ colossusd --manifest docs/examples/colossus.json --clock manual:2026-11-30T12:00:00Z &"
colossusd --manifest "$manifest" --clock manual:2026-11-30T12:00:00Z &
daemon=$!
wait_for_daemon

say "What there is. An operator sees capacity, a tenant its own prices."
run colossus pools

say "Two tenants book. (An operator acts for them here; a tenant's own uid or token needs no --tenant.)"
run colossus reserve colossus-1/h100 1024 --start 2026-12-01 --for 14d --ref training-7 --tenant anthropic
run colossus reserve colossus-2/gb200 72000 --start 2026-12-01 --for 2w --ref gemini-next --tenant google

say "The reply got lost and the tenant asks again: the same client_ref books nothing twice."
run colossus reserve colossus-1/h100 1024 --start 2026-12-01 --for 14d --ref training-7 --tenant anthropic

say "Too many GPUs for the window: the refusal says how many are free, and when as many will be."
run colossus reserve colossus-1/gb200 20016 --start 2026-12-03 --for 48h --ref rack-burn-in --tenant anthropic
expect 5 colossus reserve colossus-1/gb200 1440 --start 2026-12-03T12:00:00Z --for 24h --ref rack-2 --tenant anthropic

say "More than the contract's year allows: refused, with what is left and how many GPUs it would buy."
expect 6 colossus reserve colossus-2/gb200 250200 --start 2026-12-20 --for 280d --ref too-much --tenant google

say "A cancel, first dry, then for real. Less than a week's notice costs Google a quarter of what is released."
id=$(id_of gemini-next google)
run colossus cancel "$id" --dry-run --tenant google
run colossus cancel "$id" --yes --tenant google --ref cancel-gemini

say "All or nothing: 14,400 GB200 and too many H100. Neither is booked."
expect 5 colossus reserve-group --ref both --tenant anthropic \
    --leg colossus-2/gb200:14400:2026-12-05:7d --leg colossus-1/h100:149504:2026-12-05:7d

say "A hold keeps 512 GPUs for an hour. Nobody confirms it, and they come back."
run colossus reserve colossus-1/h200 512 --start 2026-12-10 --for 7d --hold 3600 --ref maybe --tenant anthropic
run colossus advance +2h
run colossus list --tenant anthropic --state expired

say "Seven months on, Anthropic's year ends. It spent a fraction of its \$15 billion; what it paid in instalments is what it owes."
run colossus advance 2027-07-01T00:00:00Z
run colossus commitment anthropic-colossus --at 2027-06-30T23:00:00Z --tenant anthropic

say "Google's ends in October. Up to 15 % of what is unmet may move on to a later year; what was paid beyond that is due back."
run colossus advance 2027-10-01T00:00:00Z
run colossus commitment google-colossus --at 2027-09-30T23:00:00Z --tenant google

say "The same facts from the ledger, with plain sqlite3."
sql "SELECT id, tenant, pool, state, gpus, gpu_hours, cost FROM v_reservation"
sql "SELECT contract, period_start, \"commit\", used, shortfall FROM v_commitment WHERE used_micro > 0"
sql "SELECT contract, period_start, due, billed, fees FROM v_due WHERE closed"
sql "SELECT at, kind, amount, reservation FROM v_statement WHERE tenant = 'google' ORDER BY id DESC LIMIT 6"
sql "SELECT sum(balance_micro) AS trial_balance FROM v_trial_balance"

say "Stop the daemon, and check the ledger from the file alone: the chain, the balances, every invariant."
echo "$ kill -TERM \$(pidof colossusd)"
kill -TERM "$daemon"
status=0
wait "$daemon" || status=$?
daemon=
[ "$status" -eq 0 ] || { echo "demo: the daemon ended with status $status" >&2; exit 1; }
run colossus verify "$COLOSSUS_LEDGER"
