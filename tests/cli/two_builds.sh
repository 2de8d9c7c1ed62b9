#!/bin/bash
# time-out: 600
# Two builds of one project in one store at the same time: both succeed, with the same digest.
. "$(dirname "$0")/index_common.sh"
wheels noise wordy good helper
own_store
export SLIPWAY_CACHE=$scratch/cache
mkdir -p "$SLIPWAY_CACHE"
cp -r "$TEST_CACHE/cache-cli/debian" "$SLIPWAY_CACHE"
ask noise wordy good
expect_ok slipway lock
processes=
for i in 1 2 3; do
  "$SLIPWAY" build --locked --json >"$scratch/out$i" 2>"$scratch/err$i" &
  processes="$processes $!"
done
for process in $processes; do
  wait "$process" || { cat "$scratch"/err? >"$scratch/err"; fail "one of three builds failed"; }
done
cmp -s "$scratch/out1" "$scratch/out2" && cmp -s "$scratch/out1" "$scratch/out3" ||
  fail "builds at the same time gave different images"
nothing_left "three builds"
[ -z "$(find "$SLIPWAY_CACHE" -name '*.lock' -o -name '*.part' -o -name 'making.*')" ] ||
  fail "left in the cache: $(find "$SLIPWAY_CACHE" -name '*.lock' -o -name '*.part' -o -name 'making.*')"
expect_ok slipway run -- python -c 'import good, noise, wordy'
