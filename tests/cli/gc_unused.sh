#!/bin/bash
# time-out: 600
# gc --older-than and --keep-size: images go by their last use, a use is remembered, and neither runs
# nor what is kept loses anything.
. "$(dirname "$0")/common.sh"
need_root
need busybox
need jq
for i in 1 2 3 4; do
  python3 "$top/tests/cli/make_image.py" image$i gzip x=$i >/dev/null || fail "no image"
  expect_ok slipway load -i image$i --tag small:$i
done
age() { touch -d "$2" "$SLIPWAY_HOME/refs/images/small/:$1"; }
for i in 1 2 3 4; do age $i "$((50 - 10 * i)) days ago"; done

expect_error 2 "is no age" slipway gc --older-than 30
expect_error 2 "lots" slipway gc --keep-size lots
expect_error 2 "whatever its age" slipway gc --all --older-than 1d
expect_error 2 "is for \`--older-than\`" slipway gc --keep small:1
expect_error 1 "small:9" slipway gc --older-than 1d --keep small:9

expect_ok slipway gc --older-than 25d --dry-run --json
assert_equal "what would go" "small:1 small:2" "$(jq -r '.forgotten | join(" ")' <<<"$out")"
expect_ok slipway images
assert_contains "a dry run" "small:1" "$out"
expect_ok slipway gc --older-than 25d --keep small:1 --dry-run
assert_contains "what is kept" "\`small:2\` would be forgotten" "$err"
assert_lacks "what is kept" "small:1" "$err"

# A run is a use; what a run holds stays, and keeps its name.
expect_ok slipway run --rm small:1 id
expect_ok slipway run -d --name holder small:2 sleep 300
age 2 "40 days ago"
expect_ok slipway gc --older-than 25d
assert_lacks "all that is old is held" "forgotten" "$err"
expect_ok slipway images
assert_contains "used by a run" "small:1" "$out"
assert_contains "held by a run" "small:2" "$out"
expect_ok slipway gc --keep-size 0
assert_contains "nothing fits" "the store still takes" "$err"
expect_ok slipway images
assert_lacks "all but what is held" "small:4" "$out"
assert_contains "held by a run" "small:2" "$out"
expect_ok slipway exec holder cat /data/kept
expect_ok slipway rm --force holder

# The budget: the longest unused go first, and no more than has to.
for i in 1 3 4; do expect_ok slipway load -i image$i --tag small:$i; done
for i in 1 2 3 4; do age $i "$((50 - 10 * i)) days ago"; done
expect_ok slipway gc --keep-size 100g
assert_lacks "it fits" "forgotten" "$err"
one=$(du -s --block-size=1 "$SLIPWAY_HOME"/{blobs,layers,recipes,known} | awk '{sum += $1} END {print sum - 1}')
expect_ok slipway gc --keep-size "$one"
assert_contains "the longest unused" "\`small:1\` is forgotten" "$err"
assert_lacks "no more than has to" "\`small:2\` is forgotten" "$err"

# Beside a build or a load: an image that has just come is not old.
(for _ in $(seq 5); do slipway load -i image1 --tag small:1 || exit 1; done) >/dev/null 2>"$scratch/load.err" &
loader=$!
while kill -0 $loader 2>/dev/null; do
  slipway gc --older-than 1h >/dev/null 2>"$scratch/err" || fail "gc beside a load fails"
done
wait $loader || { cp "$scratch/load.err" "$scratch/err"; fail "a load beside gc fails"; }
expect_ok slipway run --rm small:1 id
