#!/bin/bash
# The real Debian base: the solve agrees with apt's, and the layer is the same for root and for an
# ordinary user, in two folders, with other time zone, umask and language. Then bytecode, twice, by
# the interpreter of the base.
#
#   debian_base.sh [BUILD-FOLDER]      TEST_CACHE keeps the downloads for the next time
set -u
name=$(basename "$0" .sh)
here=$(cd "$(dirname "$0")" && pwd)
build=$(realpath "${1:-${SLIPWAY_BUILD:-$here/../../build}}")
solve=$build/src/index/slipway_solve_debian_sample
make=$build/src/layer/slipway_build_debian_sample
skip() { echo "skip: $name: $1"; exit 77; }
fail() { echo "FAIL: $1" >&2; failures=$((failures + 1)); }
failures=0
[ "$(id -u)" -eq 0 ] || skip "needs root, to be root and to make an ordinary user"
[ -x "$solve" ] && [ -x "$make" ] || skip "no sample programs in $build"
work=$(mktemp -d /tmp/slipway-debian.XXXXXX)
chmod 755 "$work"
cleanup() {
  if [ "$failures" -eq 0 ]; then rm -rf "$work"; else echo "left in $work" >&2; fi
}
trap cleanup EXIT
cache=${TEST_CACHE:-$work}/debian-base
wishes="python3 catatonit ca-certificates libgcc-s1 libgomp1 libstdc++6 usr-is-merged zlib1g
        git openssh-server tmux"

# shellcheck disable=SC2086
"$solve" bookworm "$cache" $wishes >"$work/list" 2>"$work/errors"
status=$?
[ $status -ne 4 ] || skip "no network: $(head -1 "$work/errors")"
[ $status -eq 0 ] || { cat "$work/errors" >&2; failures=1; exit 1; }

# apt, told that nothing is installed, and that it must install the same set.
if command -v apt-get >/dev/null && grep -q 'VERSION_CODENAME=bookworm' /etc/os-release; then
  : >"$work/status"
  always=$(apt-cache dumpavail | awk -v RS= '/\nEssential: yes|\nPriority: required/ {
    split($2, a, "\n"); print a[1] }' | sort -u)
  # shellcheck disable=SC2086
  apt-get -s -o Dir::State::status="$work/status" -o APT::Install-Recommends=0 \
    install $wishes $always 2>/dev/null | awk '/^Inst/ { sub(/\(/, "", $3); print $2, $3 }' |
    sort >"$work/apt"
  if [ -s "$work/apt" ]; then
    awk '{ print $1, $2 }' "$work/list" | sort | diff "$work/apt" - >"$work/difference" ||
      fail "apt would choose otherwise: $(cat "$work/difference")"
  fi
fi

mkdir -p "$work/source/opt/x/a" # an interpreter's own tests: many, and some that do not compile
printf 'x = {1, 2, "a"} == {"b"}\n\ndef f(x: int = 3) -> "q":\n    return frozenset({"s", "t", "u"})\n' \
  >"$work/source/opt/x/a/good.py"
printf 'print "two"\n' >"$work/source/opt/x/a/bad.py"
printf '# -*- coding: latin-1 -*-\nname = "\xe9"\n' >"$work/source/opt/x/latin.py"
printf 'x = 1\0\n' >"$work/source/opt/x/null.py"

"$make" "$work/list" "$work/root" "$work/source" >"$work/root.out" || fail "building as root"
first=$(head -1 "$work/root.out")
echo "$first"
[ "$(stat -c %a "$work/root/tree/usr/bin/su")" = 4755 ] || fail "set-id bits are lost"
[ "$(stat -c %G "$work/root/tree/usr/bin/ssh-agent")" != root ] || fail "owners are lost"
[ -z "$(ls "$work/root/tree/etc/ssh" | grep host_)" ] || fail "host keys are in the layer"
[ -z "$(find "$work/root/tree" -newermt 1980-01-02 -print -quit)" ] || fail "a time is not ours"
[ "$(sha256sum <"$work/root/blob" | cut -d' ' -f1)" = "$(echo "$first" | cut -c8-71)" ] ||
  fail "the blob is not what its digest says"

id slipway-test >/dev/null 2>&1 || useradd --create-home slipway-test
if grep -q '^slipway-test:' /etc/subuid && command -v newuidmap >/dev/null; then
  mkdir "$work/user" && chown slipway-test "$work/user"
  cp -r "$cache/debs" "$work/debs" && chmod -R a+rX "$work/debs"
  sed "s| [^ ]*/debs/| $work/debs/|" "$work/list" >"$work/user.list"
  mkdir "$work/bin" && cp "$make" "$work/bin/make"
  # The tree's owner inside is root, outside a subordinate id: it must be able to reach its folder.
  chmod 777 "$work/user"
  (umask 077 && cd / && setpriv --reuid slipway-test --regid slipway-test --init-groups \
    env -i PATH="$PATH" HOME=/home/slipway-test TZ=Asia/Tokyo LC_ALL=tr_TR.UTF-8 \
    "$work/bin/make" "$work/user.list" "$work/user/base" "$work/source" >"$work/user.out") ||
    fail "building as an ordinary user"
  [ "$first" = "$(head -1 "$work/user.out")" ] || fail "the user's layer differs: $(cat "$work/user.out")"
  same=$(diff -r "$work"/root/bytecode/* "$work"/user/base/bytecode/* 2>&1) ||
    fail "bytecode differs: $same"
else
  echo "note: no subordinate ids or no newuidmap: the build without root is not tested"
fi
[ "$(sed -n 's/^bytecode .* //p' "$work/root.out")" = 2 ] || fail "two of four sources compile"

[ "$failures" -eq 0 ] || exit 1
echo "ok: $name"
