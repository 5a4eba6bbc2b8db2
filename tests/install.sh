#!/bin/bash
# Installs into a temporary folder and uses what is there as another program would: compiles one against libcolossus
# through pkg-config, both ways, and starts the programs. Then uninstalls, and nothing may be left.
#
# BUILD_DIR says where the binaries are, CC which compiler to use, SANITIZE whether they are built with sanitizers.
set -euo pipefail
cd "$(dirname "$0")/.."

build=${BUILD_DIR:-$PWD/build}
compiler=${CC:-gcc}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
prefix=/opt/colossus
root=$folder/root
# What make was told on its command line holds here too, but not its jobs.
case ${MAKEFLAGS:-} in
*' -- '*) export MAKEFLAGS="-- ${MAKEFLAGS#* -- }" ;;
*) unset MAKEFLAGS ;;
esac
# BUILD as make knows it: another name of the same folder would be another command line, and compile all again.
run_make() { make --silent SETUP=no BUILD="${BUILD:-$build}" CC="$compiler" DESTDIR="$root" PREFIX="$prefix" "$@"; }

run_make install >/dev/null

"$root$prefix/bin/colossusd" --version >/dev/null
"$root$prefix/bin/colossus" --version >/dev/null

# With systemd, units that start what was installed.
if nm -D "$root$prefix/bin/colossusd" | grep -q ' U sd_notify'; then
    grep -q "^ExecStart=$prefix/bin/colossusd " "$root$prefix/lib/systemd/system/colossusd.service"
    for file in systemd/system/colossusd.socket sysusers.d/colossus.conf tmpfiles.d/colossus.conf; do
        test -s "$root$prefix/lib/$file"
    done
fi

cat >"$folder/program.c" <<'PROGRAM'
#include <colossus.h>
int main(void)
{
    return 0;
}
PROGRAM
export PKG_CONFIG_PATH=$root$prefix/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
sanitize=()
[ -z "${SANITIZE:-}" ] || sanitize=("-fsanitize=address,undefined")
read -ra dynamic < <(pkg-config --cflags --libs libcolossus)
"$compiler" "${sanitize[@]}" -o "$folder/dynamic" "$folder/program.c" "${dynamic[@]}" -Wl,--no-as-needed -lcolossus
LD_LIBRARY_PATH=$root$prefix/lib "$folder/dynamic"
"$compiler" "${sanitize[@]}" -o "$folder/static" "$folder/program.c" "-I$root$prefix/include" \
    -Wl,--whole-archive "$root$prefix/lib/libcolossus.a" -Wl,--no-whole-archive -ljansson
"$folder/static"

# The shared library shows its public functions and nothing else.
others=$(nm -D --defined-only "$root$prefix/lib/libcolossus.so.0" | awk '$2 != "A" && $3 !~ /^colossus_/ {print $3}' |
    { grep -v -e '^__' -e '^LIBCOLOSSUS' || true; })
if [ -n "$others" ]; then
    echo "libcolossus.so shows what is not public: $others"
    exit 1
fi

run_make uninstall >/dev/null
left=$(find "$root" ! -type d)
if [ -n "$left" ]; then
    echo "left after make uninstall: $left"
    exit 1
fi
