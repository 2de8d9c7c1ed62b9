#!/bin/bash
# time-out: 600
# A full disk, under the store or the cache: the error says so and where, and with room again the
# build goes on from what is there.
. "$(dirname "$0")/index_common.sh"
need_root
wheels noise heavy
own_store
ask heavy
expect_ok slipway lock
mount -t tmpfs -o size=100m none "$scratch/web/static" 2>/dev/null || skip "cannot mount a tmpfs"
umount "$scratch/web/static"
unmount() {
  local status=$?
  umount "$scratch/small" 2>/dev/null
  (exit $status)
  at_end
}
trap unmount EXIT
mkdir "$scratch/small"

# The cache.
mount -t tmpfs -o size=100m none "$scratch/small"
kept=$SLIPWAY_CACHE
rm -rf "$SLIPWAY_CACHE"/files/*/heavy-*
export SLIPWAY_CACHE=$scratch/small
remember_store
expect_error 1 "the disk is full" slipway build --locked
assert_contains "the culprit" "$scratch/small" "$err"
assert_contains "what to do" "make room" "$err"
same_store "a full cache"
mount -o remount,size=400m "$scratch/small"
expect_ok slipway build --locked --json
first=$out
umount "$scratch/small"

# The store: layers and blobs are written through it.
export SLIPWAY_CACHE=$kept
rm -rf "$SLIPWAY_HOME"
SLIPWAY_HOME=$TEST_CACHE/store-cli
size=$(du -sm "$SLIPWAY_HOME" | cut -f1)
mount -t tmpfs -o size=$((size + 60))m none "$scratch/small"
cp -a "$SLIPWAY_HOME/." "$scratch/small"
export SLIPWAY_HOME=$scratch/small
remember_store
expect_error 1 "No space left on device" slipway build --locked
assert_contains "the culprit" "$scratch/small" "$err"
assert_contains "what to do" "make room" "$err"
same_store "a full store"
mount -o remount,size=$((size + 600))m "$scratch/small"
expect_ok slipway build --locked --json
assert_equal "the image" "$first" "$out"
umount "$scratch/small"
