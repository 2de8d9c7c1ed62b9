#!/bin/bash
# time-out: 600
# Wheels that lie: one clear error that names the culprit, a status, and a store as before.
. "$(dirname "$0")/index_common.sh"
wheels good helper climbs absolute twice crc size packed disagree liar bomb nozip half steals undoes \
  below one two

ask good
expect_ok slipway build
expect_ok slipway run -- python -c 'import good, helper; print("fine")'
assert_equal "a good wheel" fine "$out"
remember_store

# bad CODE WHEEL TEXT
bad() {
  local code=$1 name=$2
  ask "$name"
  expect_error "$code" "$3" slipway build
  assert_contains "the culprit" "$name" "$err"
  same_store "$name"
}
bad 1 climbs "../../etc/evil"
bad 1 absolute "/etc/evil"
bad 1 twice "twice/a.py"
bad 1 crc "crc/data.bin"
bad 1 size "size/data.bin"
bad 1 packed "packed/data.bin"
bad 1 disagree "disagree/data.bin"
bad 1 liar "liar/zeros.bin"
bad 1 bomb "this looks like a bomb"
assert_no_file /etc/evil
# Without a directory there is no METADATA to lock.
for name in nozip half; do
  ask $name
  expect_error 3 "$name 1.0 has metadata that cannot be read" slipway lock
  assert_contains "the reason" "broken zip" "$err"
  assert_no_file slipway.lock
done

# What the image itself is made of is not for packages.
bad 2 steals "/opt/venv/bin/python"
bad 2 undoes "/opt/venv/pyvenv.cfg"
bad 2 below "/opt/venv/lib64/x.py"

# Two that bring the same path with different bytes.
ask one two
expect_error 2 "shared/same.py" slipway build
assert_contains "both are named" "one 1.0" "$err"
assert_contains "both are named" "two 1.0" "$err"
same_store collision

# The rest of the build does not go on without it: the base would take half a minute.
kept=$SLIPWAY_HOME
export SLIPWAY_HOME=$scratch/empty
ask crc
expect_error 1 "crc/data.bin" slipway build
assert_lacks "what was done" "built the base" "$err"
nothing_left "a failure beside the base"
export SLIPWAY_HOME=$kept

# A file of the cache that changed on the disk is found out, and the same build works after.
wheels noise
own_store
remember_store
ask noise
expect_ok slipway lock
mkdir -p "$scratch/cache"
cp -r "$SLIPWAY_CACHE/debian" "$scratch/cache"
export SLIPWAY_CACHE=$scratch/cache
hash=$(sha256sum <"$web/wheels/noise-1.0-py3-none-any.whl" | cut -c-64)
file=$SLIPWAY_CACHE/files/$hash/noise-1.0-py3-none-any.whl
mkdir -p "$(dirname "$file")"
cp "$web/wheels/noise-1.0-py3-none-any.whl" "$file"
printf X | dd of="$file" bs=1 seek=3000000 conv=notrunc status=none
expect_error 1 "noise" slipway build
same_store "a file that changed on the disk"
assert_contains "what to do" "hint: " "$err"
