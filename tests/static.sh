#!/bin/bash
# What can be said of the source without running it: tests/static.sh analyze|cppcheck|tidy FLAGS...
#
# FLAGS are those that the source is compiled with. Says nothing when all is well; ends with 1 after a finding. An
# exception is explained where it stands in the source.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 70

kind=$1
shift
said=$(mktemp) || exit 70
trap 'rm -f "$said"' EXIT
jobs=$(nproc 2>/dev/null || echo 2)
mapfile -t sources < <(ls src/*.c src/*/*.c)

# each COMMAND...: runs it for every source file, on all processors.
each() {
    printf '%s\0' "${sources[@]}" | xargs -0 -P "$jobs" -I{} "$@" 2>&1
}

case $kind in
analyze) each gcc "$@" -fanalyzer -Werror -O1 -g0 -c -o /dev/null {} ;;
tidy) each clang-tidy --quiet {} -- "$@" | grep -v ' warnings\? generated\.$' ;;
cppcheck)
    cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --suppress=missingIncludeSystem -j "$jobs" -Isrc -Iinclude "${sources[@]}" 2>&1
    ;;
esac >"$said"
status=$?
cat "$said"
# clang-tidy counts what it does not show, and so grep finds nothing to say when all is well.
if [ "$kind" = tidy ]; then
    [ ! -s "$said" ]
else
    exit "$status"
fi
