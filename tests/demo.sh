#!/bin/bash
# The main job, shown: a day of an operator and two tenants, then their years in a few seconds.
#
# Everything happens in a temporary folder on a manual clock. Each command is printed and then run, and what stands below it
# is what it printed. A step that does not end as it should ends the demo with an error.
#
# BUILD_DIR says where the binaries are (build). KEEP=FOLDER keeps the ledger there.
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD_DIR:-$project/build}
case $build in /*) ;; *) build=$project/$build ;; esac
export PATH="$build:$PATH" NO_COLOR=1 LC_ALL=C.UTF-8
folder=$(mktemp -d)
cd "$folder"
cp "$project/docs/examples/colossus.json" .
unset COLOSSUS_TOKEN
daemon=

finish() {
    if [ -n "$daemon" ]; then
        kill -TERM "$daemon" 2>/dev/null && wait "$daemon" || true
    fi
    cd /
    if [ -n "${KEEP:-}" ]; then
        mkdir -p "$KEEP" && cp -r "$folder/." "$KEEP/"
    fi
    rm -rf "$folder"
}
trap finish EXIT

say() { printf '\n# %s\n' "$*"; }

fail() {
    echo "demo: $*" >&2
    exit 1
}

# Prints a command and runs it; the first argument is the status that it must end with.
expect() {
    local expected=$1 status=0
    echo "\$ $2"
    bash -c "$2" 2>&1 || status=$?
    [ "$status" -eq "$expected" ] || fail "this should have ended with status $expected, not $status"
}
run() { expect 0 "$1"; }

say 'Start the daemon with the manifest of Colossus, on a clock that moves only when it is told to.'
run_in_background='colossusd --manifest colossus.json --clock manual:2026-11-30T12:00:00Z'
export COLOSSUS_LEDGER=ledger.db COLOSSUS_SOCKET=colossus.sock
echo "\$ export COLOSSUS_LEDGER=$COLOSSUS_LEDGER COLOSSUS_SOCKET=$COLOSSUS_SOCKET"
echo "\$ $run_in_background &"
$run_in_background &
daemon=$!
for attempt in $(seq 400); do
    colossus ping >/dev/null 2>&1 && break
    kill -0 "$daemon" 2>/dev/null || fail 'the daemon ended'
    [ "$attempt" -lt 400 ] || fail 'the daemon does not answer'
    sleep 0.05
done

say 'What there is, as an operator sees it.'
run 'colossus pools'

say 'Two tenants get a token each. (On one machine a uid in the manifest does, without a token.)'
run "colossus token create anthropic-scheduler --tenant anthropic -o json | sed -n 's/.*\"token\": *\"\\([^\"]*\\)\".*/\\1/p' > anthropic.token"
run "colossus token create google-scheduler --tenant google -o json | sed -n 's/.*\"token\": *\"\\([^\"]*\\)\".*/\\1/p' > google.token"

say 'They book.'
run 'colossus --token-file anthropic.token reserve colossus-1/h100 1024 --start 2026-12-01 --for 14d --ref training-7'
run 'colossus --token-file google.token reserve colossus-2/gb200 72000 --start 2026-12-01 --for 2w --ref gemini-next'

say 'A reply gets lost and Anthropic asks again: the same client_ref books nothing twice.'
run 'colossus --token-file anthropic.token reserve colossus-1/h100 1024 --start 2026-12-01 --for 14d --ref training-7'

say 'A pool is full for two days. The refusal says how many GPUs are free, and when the same request fits.'
run 'colossus --token-file anthropic.token reserve colossus-1/gb200 20016 --start 2026-12-03 --for 48h --ref burn-in'
expect 5 'colossus --token-file anthropic.token reserve colossus-1/gb200 1440 --start 2026-12-03T12:00:00Z --for 24h --ref rack-2'

say 'Where else would that fit before the week is over? Any row can be booked as it is shown.'
run 'colossus --token-file anthropic.token offers 1440 --for 24h --gpu GB200 --earliest 2026-12-03T12:00:00Z --latest-end 2026-12-07 --order cheapest --limit 4'

say "More than the contract's year has left: the refusal says how much that is, and how many GPUs it would buy."
expect 6 'colossus --token-file google.token reserve colossus-2/gb200 250200 --start 2026-12-20 --for 280d --ref too-much'

say "A cancel, dry first and then for real. Less than a week's notice costs Google a quarter of what is released."
run 'colossus --token-file google.token cancel 2 --dry-run'
run 'colossus --token-file google.token cancel 2 --yes --ref cancel-gemini'

say 'All or nothing: 14,400 GB200 would fit, 149,504 H100 would not, so neither is booked.'
expect 5 'colossus --token-file anthropic.token reserve-group --leg colossus-2/gb200:14400:2026-12-05:7d --leg colossus-1/h100:149504:2026-12-05:7d --ref both'

say 'A hold keeps 512 GPUs for an hour. Nobody confirms it, and it gives them back.'
run 'colossus --token-file anthropic.token reserve colossus-1/h200 512 --start 2026-12-10 --for 7d --hold 3600 --ref maybe'
run 'colossus advance +2h --ref later'
run 'colossus --token-file anthropic.token list --state expired'

say 'Google asks for what Anthropic has booked, and waits for it. Anthropic cancels, and what waited is booked in the same moment.'
run 'colossus --token-file google.token reserve colossus-1/gb200 7200 --start 2026-12-03 --for 36h --wait-until 2026-12-02 --ref when-free'
run 'colossus --token-file anthropic.token cancel 3 --yes --ref no-burn-in'
run 'colossus --token-file google.token show 5'

say 'What nobody has booked is sold at less, to whoever gives way. A firm booking takes its place in the hours it needs.'
run 'colossus --token-file anthropic.token reserve colossus-1/h200 50000 --start 2026-12-10 --for 7d --tier preemptible --ref spare'
run 'colossus --token-file google.token reserve colossus-1/h200 2048 --start 2026-12-12 --for 24h --ref firm'
run 'colossus --token-file anthropic.token show 6'

say "A hall's cooling is mended for a day. A dry run names everybody it would cut, and by how much; then it is done, and the commitment is relieved of what can't be delivered."
run 'colossus capacity colossus-1/h100 maintenance 149504 --start 2026-12-08 --end 2026-12-09 --dry-run'
run 'colossus capacity colossus-1/h100 maintenance 149504 --start 2026-12-08 --end 2026-12-09 --ref cooling'
run 'sqlite3 -readonly -box ledger.db "SELECT reservation, pool, start, [end], gpus, kind, relief FROM v_interruption"'

say "Google has committed to more than it has booked. What would use the rest up, and until when can it be?"
run 'colossus --token-file google.token plan google-colossus'

say "Seven months on, the year that Anthropic committed \$15 billion for ends. Its instalments have paid for what it did not use."
run 'colossus advance 2027-07-01 --ref july'
run 'colossus --token-file anthropic.token commitment anthropic-colossus --at 2027-06-30'

say "Google's ends in October. 15 % of its commit moves on to a later year, and what was paid for that is refunded."
run 'colossus advance 2027-10-01 --ref october'
run 'colossus --token-file google.token commitment google-colossus --at 2027-09-30'

say 'The same facts in the ledger, read with plain sqlite3 while the daemon runs.'
run 'sqlite3 -readonly -box ledger.db "SELECT id, tenant, pool, state, gpus, gpu_hours, cost, fees FROM v_reservation"'
run 'sqlite3 -readonly -box ledger.db "SELECT contract, period_start, [commit], used, shortfall FROM v_commitment WHERE used_micro > 0"'
run 'sqlite3 -readonly -box ledger.db "SELECT contract, period_start, due, billed, deferred_out, fees FROM v_due WHERE closed"'
run "sqlite3 -readonly -box ledger.db \"SELECT at, kind, amount FROM v_statement WHERE tenant = 'google' AND at >= '2027-10-01'\""
run 'sqlite3 -readonly -box ledger.db "SELECT type, count(*) AS events FROM v_event WHERE tenant IS NOT NULL GROUP BY type"'
run 'sqlite3 -readonly -box ledger.db "SELECT sum(balance_micro) AS trial_balance, (SELECT count(*) FROM v_overbooked) AS overbooked_hours FROM v_trial_balance"'

say 'Stop the daemon, and check the ledger from its file alone: the chain, the balances, every invariant.'
echo '$ kill -TERM %1; wait %1; echo $?'
kill -TERM "$daemon"
status=0
wait "$daemon" || status=$?
daemon=
echo "$status"
[ "$status" -eq 0 ] || fail "the daemon ended with status $status"
run 'colossus verify ledger.db'
