#!/bin/bash
# time-out: 900
# Ctrl-C ends a build in any phase at once with status 130, leaves nothing half-made, and the next
# build goes on from what is there to the same digest.
. "$(dirname "$0")/stop_common.sh"
need_root
wheels heavy wordy
export SLIPWAY_CACHE=$scratch/cache
mkdir -p "$SLIPWAY_CACHE"
cp -r "$TEST_CACHE/cache-cli/debian" "$TEST_CACHE/cache-cli/files" "$SLIPWAY_CACHE" 2>/dev/null
rm -rf "$SLIPWAY_CACHE"/files/*/*heavy* "$SLIPWAY_CACHE"/files/*/*wordy*
shared=$SLIPWAY_HOME
ask heavy wordy
expect_ok slipway lock

interrupt() {
  stop_at INT "$1" "$2"
  assert_equal "status of a build interrupted while $1" 130 "$status"
  [ "$(grep -c '^error: ' "$scratch/err")" -eq 1 ] || fail "$1: not exactly one \`error:\`"
  nothing_left "being stopped while $1"
  [ -z "$(find "$SLIPWAY_CACHE" -name '*.lock' -o -name 'making.*')" ] ||
    fail "$1: left in the cache: $(find "$SLIPWAY_CACHE" -name '*.lock' -o -name 'making.*')"
}
export SLIPWAY_HOME=$scratch/store-new
faults "slow /files/heavy"
interrupt downloading "$downloading"
assert_file "$SLIPWAY_CACHE"/files/*/heavy-1.0-py3-none-any.whl.part
faults
interrupt installing "$installing"
build_digest
first=$digest

SLIPWAY_HOME=$shared
cp slipway.lock kept.lock
own_store
ask heavy wordy
cp kept.lock slipway.lock
rm -rf "$SLIPWAY_CACHE/bytecode"
interrupt layering "$layering"
interrupt compiling "$compiling"
build_digest
assert_equal "the digest after two interruptions" "$first" "$digest"
nothing_left "the build"
