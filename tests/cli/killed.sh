#!/bin/bash
# time-out: 900
# A build that is killed leaves rubbish that the next one removes, and the same image comes out.
. "$(dirname "$0")/stop_common.sh"
need_root
wheels heavy wordy
own_store
export SLIPWAY_CACHE=$scratch/cache
mkdir -p "$SLIPWAY_CACHE"
cp -r "$TEST_CACHE/cache-cli/debian" "$SLIPWAY_CACHE"
ask heavy wordy
expect_ok slipway lock
cp -a "$SLIPWAY_HOME" "$scratch/untouched"

faults "slow /files/heavy"
stop_at KILL downloading "$downloading"
faults
stop_at KILL layering "$layering"
stop_at KILL compiling "$compiling"
# Others may share the cache: what is half-made there goes after a day.
touch -d '2 days ago' "$SLIPWAY_CACHE"/bytecode/making.*
build_digest
nothing_left "the build after it"
[ -z "$(find "$SLIPWAY_CACHE" -name '*.lock' -o -name '*.part' -o -name 'making.*')" ] ||
  fail "left in the cache: $(find "$SLIPWAY_CACHE" -name '*.lock' -o -name '*.part' -o -name 'making.*')"
killed=$digest

SLIPWAY_HOME=$scratch/untouched
rm -rf "$SLIPWAY_CACHE/bytecode"
build_digest
assert_equal "the digest after three kills" "$digest" "$killed"
