#!/bin/bash
# time-out: 600
# Without a network: what is locked and cached is built; what is not says so, and loses nothing.
. "$(dirname "$0")/index_common.sh"
need_root
need unshare
wheels good helper noise
own_store
ask good noise
expect_ok slipway lock
export SLIPWAY_CACHE=$scratch/cache
expect_ok slipway build --locked --json
first=$out
rm -rf "$SLIPWAY_HOME"
cp -a "$TEST_CACHE/store-cli" "$SLIPWAY_HOME"
expect_ok unshare -n "$SLIPWAY" build --locked --json
assert_equal "the image" "$first" "$out"
# A lock that fits needs no network either.
expect_ok unshare -n "$SLIPWAY" lock
expect_ok unshare -n "$SLIPWAY" build

before=$(cat slipway.lock)
rm -rf "$SLIPWAY_CACHE/index" "$SLIPWAY_CACHE/debian"
expect_error 4 "cannot fetch" unshare -n "$SLIPWAY" lock --upgrade good
assert_equal "the lock" "$before" "$(cat slipway.lock)"
