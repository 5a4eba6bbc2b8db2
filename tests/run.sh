#!/bin/bash
# Runs the tests that make has built, and prints what they add up to as the last line: N passed, N failed.
#
#     tests/run.sh unit PROGRAM...    the unit tests
#     tests/run.sh e2e                the end-to-end tests
#     tests/run.sh reached PROGRAM... and the end-to-end tests
#     tests/run.sh all PROGRAM...     and the floors, the generated docs, and the end-to-end tests
#
# BUILD_DIR says where the binaries are, PYTHON which Python to use, JOBS how many tests run side by side (as many as
# there are processors). A unit test that passes is one line; of one that fails, all it said is shown. Ends with 0 only if
# nothing failed; and, of all the tests, something passed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 70

build=${BUILD_DIR:-$PWD/build}
python=${PYTHON:-python3}
export BUILD_DIR=$build PYTHON=$python PYTHONDONTWRITEBYTECODE=1
scratch=$(mktemp -d) || exit 70
trap 'rm -rf "$scratch"' EXIT
output=$scratch/output
jobs=${JOBS:-$(nproc 2>/dev/null || echo 2)}
passed=0 failed=0

# count NAME PASSED FAILED STATUS: adds up. A program that ends badly without having named a failed test, or that ran
# none, is a failure by itself.
count() {
    local name=$1 good=$2 bad=$3 status=$4 ending=
    if [ "$bad" -eq 0 ] && [ "$status" -ne 0 ]; then
        bad=1 ending=" (it ended with status $status)"
    elif [ "$((good + bad))" -eq 0 ]; then
        bad=1 ending=" (it ran no test)"
    fi
    passed=$((passed + good)) failed=$((failed + bad))
    printf '%-44s %4d passed, %d failed%s\n' "$name" "$good" "$bad" "$ending"
    [ "$bad" -eq 0 ]
}

# unit_tests PROGRAM...: as many at once as there are processors. The simulators, named last, take the longest and start
# first. cmocka reports in TAP: a line "ok" or "not ok" for each test.
unit_tests() {
    local programs=("$@") running=0 i said
    for ((i = $# - 1; i >= 0; i--)); do
        [ "$running" -lt "$jobs" ] || { wait -n; running=$((running - 1)); }
        {
            # shellcheck disable=SC2086 # a command with its options
            CMOCKA_MESSAGE_OUTPUT=TAP ${UNDER:-} "${programs[i]}" >"$scratch/$i" 2>&1 </dev/null
            echo $? >"$scratch/$i.status"
        } &
        running=$((running + 1))
    done
    wait
    for ((i = 0; i < $#; i++)); do
        said=$scratch/$i
        count "${programs[i]#*/tests/}" "$(grep -ac '^ok ' "$said")" "$(grep -ac '^not ok ' "$said")" \
            "$(cat "$said.status")" || sed 's/^/    /' "$said"
    done
}

# Whatever else there is prints its own lines and, last, its own totals.
other_tests() {
    local name=$1 status=0 totals
    shift
    echo "-- $name"
    "$@" </dev/null 2>&1 | tee "$output" || status=$?
    totals=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed.*/\1 \2/p' "$output" | tail -n 1)
    # shellcheck disable=SC2086 # two numbers
    count "$name" ${totals:-0 0} "$status"
}

# A command that says nothing when all is well is one test.
single_test() {
    local name=$1 status=0
    shift
    "$@" >"$output" 2>&1 </dev/null || status=$?
    count "$name" "$((status == 0))" "$((status != 0))" "$status" || sed 's/^/    /' "$output"
}

kind=${1:-}
case $kind in
unit | e2e | reached | all) shift ;;
*)
    echo "usage: tests/run.sh unit|e2e|reached|all PROGRAM..." >&2
    exit 64
    ;;
esac

unit_tests "$@"
if [ "$kind" = all ]; then
    other_tests floors "$python" tests/floors.py
    other_tests embedding "$python" tests/embed.py
    [ ! -e schema/generate.py ] || single_test 'docs/protocol.md is current' "$python" schema/generate.py check
    [ ! -e "$build/colossus" ] || single_test 'make install, and what it installs' bash tests/install.sh
    for target in request manifest book; do
        other_tests "fuzz: what is kept for $target" "$build/tests/fuzz/replay_$target" tests/fuzz/{corpus,regressions}/$target
    done
fi
if [ "$kind" != unit ] && [ -e tests/e2e/run.py ]; then
    other_tests e2e "$python" tests/e2e/run.py
    [ "$kind" != all ] || [ ! -e tests/crash/run.py ] || other_tests crash "$python" tests/crash/run.py
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && { [ "$passed" -gt 0 ] || [ "$kind" = unit ]; }
