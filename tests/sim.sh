#!/bin/bash
# Runs the simulator, on all processors, and prints what it adds up to as the last line: N passed, N failed.
#
#     tests/sim.sh SIMULATOR          a thousand lives, always the same, and a hundred that nobody has seen yet
#     SEEDS=n                         n lives, always the same, and no others
#     SEED=x                          that one
#     CUTS=n [SEED=x]                 n cuts of the power, at every change that is made to the disk, from a seed on
#     CALLS=all|n                     a life by script in which every call (or one of n) fails
#
# A life that fails says how it is repeated.
set -uo pipefail

simulator=$1
output=$(mktemp) || exit 70
trap 'rm -f "$output"' EXIT
jobs=$(nproc 2>/dev/null || echo 2)

# Each job is a process; what they end with adds up.
processes=()
in_background() {
    "$@" &
    processes+=($!)
}
wait_for_all() {
    local process status=0
    for process in "${processes[@]}"; do
        wait "$process" || status=1
    done
    processes=()
    return "$status"
}

# lives FIRST COUNT: each process takes a run of seeds.
lives() {
    local first=$1 left=$2 share=$((($2 + jobs - 1) / jobs))
    while [ "$left" -gt 0 ]; do
        in_background "$simulator" seeds "$first" $((left < share ? left : share))
        first=$((first + share)) left=$((left - share))
    done
    wait_for_all
}

# cuts SEED COUNT: each process has worlds of its own.
cuts() {
    local job
    for ((job = 0; job < jobs; job++)); do
        in_background "$simulator" cuts $(($1 + job * 1000000)) $((($2 + jobs - 1) / jobs))
    done
    wait_for_all
}

simulate() {
    case ${CUTS:+cuts}${CALLS:+calls}${SEED:+seed}${SEEDS:+seeds} in
    '') lives 1 1000 && lives $((0x$(od -An -N6 -tx1 /dev/urandom | tr -d ' '))) 100 ;;
    seeds) lives 1 "$SEEDS" ;;
    seed) "$simulator" seeds "$SEED" 1 ;;
    cuts | cutsseed) cuts "${SEED:-1}" "$CUTS" ;;
    calls | callsseed) "$simulator" sweep "${SEED:-1}" "${CALLS/all/1}" ;;
    *)
        sed -n '4,10s/^# \{0,1\}//p' "$0" >&2
        return 64
        ;;
    esac
}

status=0
simulate | tee "$output" || status=$?
read -r passed failed < <(awk '/^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3 }
    END { print p + 0, f + 0 }' "$output")
# A process that died told no total.
[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
