#!/bin/bash
# time-out: 600
# What was made once is made no more: by another project, under another name, on the way back.
. "$(dirname "$0")/index_common.sh"
# Packages of this test alone: the tests' common store knows others.
wheels alpha-known==1.0 beta-known==1.0 gamma-known==1.0 delta-known==1.0
own_store
# made: what the last build did, "building torch,compiling torch"
made() { grep -oE '^(building|installing|compiling) [^ ]+' "$scratch/err" | sort -u | paste -sd ,; }

image=first ask alpha-known beta-known
expect_ok slipway build
assert_contains "the first project" "building alpha-known" "$(made)"
assert_lacks "the base is known" "installing" "$(made)"
cp slipway.toml first.toml; cp slipway.lock first.lock
image=second ask alpha-known gamma-known
expect_ok slipway build
cp slipway.toml second.toml; cp slipway.lock second.lock
for name in first second first; do
  cp $name.toml slipway.toml; cp $name.lock slipway.lock
  expect_ok slipway build --locked
  assert_equal "made on the way back to $name" "" "$(made)"
  assert_contains "the way back to $name" "nothing to do" "$err"
done
# The same wheels under another name, in another folder, with another user: not one is unpacked.
mkdir ../other
cd ../other || exit 1
sed 's/first/third/' ../project/first.toml >slipway.toml
printf '[user]\nname = "other"\n' >>slipway.toml
expect_ok slipway build
assert_equal "made for the third project" "" "$(made)"
expect_ok slipway inspect third --json
jq -r '.layers[] | select(.packages != ["frame"]) | .digest' <<<"$out" >third
expect_ok slipway inspect first --json
jq -r '.layers[] | select(.packages != ["frame"]) | .digest' <<<"$out" | cmp -s - third ||
  fail "the third project has other layers than the first"
# A changed wheel alone is made.
cd ../project || exit 1
image=first ask alpha-known beta-known delta-known
expect_ok slipway build
assert_lacks "made for one more package" "installing" "$(made)"
assert_contains "made for one more package" "building delta-known" "$(made)"
