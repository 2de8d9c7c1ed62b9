#!/bin/bash
# time-out: 600
# An index that does not answer as one: the error names it, a lock that was there stays, and with
# the index well again everything goes on.
. "$(dirname "$0")/index_common.sh"
wheels good helper noise
export SLIPWAY_CACHE=$scratch/cache
mkdir -p "$SLIPWAY_CACHE"
# The Debian half is not what is tested: from the cache where it can be.
[ ! -d "$TEST_CACHE/cache-cli/debian" ] || cp -r "$TEST_CACHE/cache-cli/debian" "$SLIPWAY_CACHE"

# refused CODE TEXT
refused() {
  rm -rf "$SLIPWAY_CACHE/index"
  expect_error "$1" "$2" slipway lock
  assert_no_file slipway.lock
}
ask good
faults "404 /simple/good/"
refused 3 '`good`'
faults "500 /simple/good/"
refused 4 "127.0.0.1:$port/simple/good/"
assert_contains "the status" "500" "$err"
faults "html /simple/good/"
refused 1 "127.0.0.1:$port/simple/good/"
faults "403 /simple/"
refused 1 "127.0.0.1:$port/simple/"
assert_contains "the status" "403" "$err"
faults

# A lock that is there outlives an index that is not.
expect_ok slipway lock
before=$(cat slipway.lock)
sed -i 's/"good"/"good", "noise"/' slipway.toml
pypi=http://127.0.0.1:1/simple configure
rm -rf "$SLIPWAY_CACHE/index"
expect_error 4 "127.0.0.1:1" slipway lock
assert_equal "the lock" "$before" "$(cat slipway.lock)"
configure
expect_ok slipway lock

# Files that are not what the lock says, or not there.
own_store
remember_store
ask noise
expect_ok slipway lock
rm -rf "$SLIPWAY_CACHE/files"
# fetch CODE TEXT
fetch() {
  rm -rf "$SLIPWAY_CACHE/index"
  expect_error "$1" "$2" slipway build --locked
  same_store "$2"
}
faults "wrong /files/noise"
fetch 1 "noise-1.0-py3-none-any.whl"
assert_contains "the hash" "sha256" "$err"
faults "500 /files/noise"
fetch 4 "noise-1.0-py3-none-any.whl"
faults "empty /files/noise"
fetch 4 "noise-1.0-py3-none-any.whl"
faults "html /files/noise"
fetch 1 "noise-1.0-py3-none-any.whl"
faults "404 /files/noise"
fetch 1 "noise-1.0-py3-none-any.whl"
assert_contains "what to do" 'slipway lock --upgrade noise' "$err"
faults "404 /simple/noise/"
fetch 1 "noise-1.0-py3-none-any.whl"
assert_contains "the bundle" '[bundle] folders' "$err"
# Half of the rest each time: it gets nearer, so that it ends well.
faults "cut /files/noise"
expect_ok slipway build --locked
assert_equal "files beside the download" "noise-1.0-py3-none-any.whl" \
  "$(ls "$SLIPWAY_CACHE"/files/*/ | grep noise)"
[ -z "$(find "$SLIPWAY_CACHE" -name '*.lock' -o -name '*.part')" ] || fail "left beside a download"
