#!/bin/bash
# Runs fuzz targets one after the other, and says how many inputs each ran and what it found.
#
#     tests/fuzz/run.sh FOLDER LEARNT SECONDS TARGET...
#
# FOLDER has the targets' programs. What they learn is kept in LEARNT/TARGET and used the next time; a finding is left
# in FOLDER/findings/TARGET-*: put it into tests/fuzz/regressions/TARGET/ when it is mended. FUZZ_OPTIONS are passed on
# to libFuzzer. Ends with 0 only if nothing was found.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 70

if [ $# -lt 4 ]; then
    echo "usage: tests/fuzz/run.sh FOLDER LEARNT SECONDS TARGET..." >&2
    exit 64
fi
folder=$1 learnt_in=$2 seconds=$3
shift 3
mkdir -p "$folder/findings" || exit 73
declare -A longest=([request]=4096 [manifest]=8192 [book]=512)
executions=0 found=0
# An input that runs for two minutes hangs; less may be a busy machine.
patience=120
export UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1}

for target in "$@"; do
    learnt=$learnt_in/$target log=$folder/$target.log status=0
    mkdir -p "$learnt"
    # shellcheck disable=SC2086 # several options
    "$folder/$target" "$learnt" tests/fuzz/corpus/"$target" tests/fuzz/regressions/"$target" \
        -max_total_time="$seconds" -max_len="${longest[$target]}" -dict=tests/fuzz/json.dict \
        -artifact_prefix="$folder/findings/$target-" -timeout=$patience -rss_limit_mb=2048 -print_final_stats=1 \
        ${FUZZ_OPTIONS:-} >"$log" 2>&1 || status=$?
    count=$(sed -nE 's/^stat::number_of_executed_units: *([0-9]+)$/\1/p' "$log" | tail -n 1)
    rate=$(sed -nE 's/^stat::average_exec_per_sec: *([0-9]+)$/\1/p' "$log" | tail -n 1)
    printf '%-10s %12d executions, %7d a second, %d crashes\n' "$target" "${count:-0}" "${rate:-0}" "$((status != 0))"
    executions=$((executions + ${count:-0}))
    if [ "$status" -ne 0 ]; then
        found=$((found + 1))
        grep -aE -A 30 'ERROR|does not hold|tests/fuzz/[a-z]+\.c:|Assertion|artifact_prefix' "$log" | head -60
    fi
done
echo "$executions executions, $found crashes"
[ "$found" -eq 0 ]
