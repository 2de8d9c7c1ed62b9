#!/bin/bash
# What an index may serve beside good packages: told in one sentence, at once, and no lock.
. "$(dirname "$0")/index_common.sh"
wheels helper deep longest nameless circle unread binary oldform nopython

refused() {
  ask "$1"
  expect_error 3 "$2" timeout 20 "$SLIPWAY" lock
  assert_no_file slipway.lock
  [ "${#err}" -lt 2000 ] || fail "the message has ${#err} characters"
}
refused deep "has a requirement that cannot be read"
assert_contains "why" "nested too deep" "$err"
refused unread "has a requirement that cannot be read"
refused longest "has no wheel whose name can be read"
refused nameless "has metadata that cannot be read"
refused binary "has metadata that cannot be read"

# Extras that ask for each other are no trouble.
ask "circle[a]"
expect_ok timeout 20 "$SLIPWAY" lock
assert_contains "the extras" 'extras = ["a", "b", "c"]' "$(cat slipway.lock)"

# What older packages say of their Python is read as meant; what nobody can read costs that version.
ask oldform
expect_ok timeout 20 "$SLIPWAY" lock
assert_contains "the lock" 'requires-python = ">=3.6.*"' "$(cat slipway.lock)"
refused nopython 'needs `python=>soon`'
