#!/bin/bash
# What cannot be locked: exit code 3, an explanation that names all sides, and no lock.
. "$(dirname "$0")/index_common.sh"
wheels good helper needs older left right

refused() {
  local text=$1
  shift
  ask "$@"
  expect_error 3 "$text" slipway lock
  assert_no_file slipway.lock
}
refused "helper" needs
assert_contains "who needs it" "needs 1.0" "$err"
refused "left" left right
assert_contains "both sides" "right" "$err"
assert_contains "what they fight for" "helper" "$err"
refused "Python" older
assert_contains "the package" "older" "$err"
refused "helper" "helper>=7"

# A name that is nowhere: the nearest that are known.
ask good
expect_ok slipway lock
refused "hepler" hepler
assert_contains "the nearest name" 'did you mean `helper`?' "$err"
refused "nmupy" nmupy
assert_contains "the nearest well-known name" 'did you mean `numpy`?' "$err"

# A lock that stood stays.
ask good
expect_ok slipway lock
before=$(cat slipway.lock)
sed -i 's/"good"/"good", "needs"/' slipway.toml
expect_error 3 "needs" slipway lock
assert_equal "the lock" "$before" "$(cat slipway.lock)"
expect_error 2 "no longer matches" slipway build --locked

# Of Debian's packages.
more='' ask good
sed -i 's/^debian = .*/&\napt = ["gti", "tmux"]/' slipway.toml
rm -f slipway.lock
out slipway lock
[ "$status" -ne 0 ] || fail "a Debian package that does not exist was locked"
assert_contains "the name" '`gti`' "$err"
assert_contains "the nearest" '`git`' "$err"
assert_no_file slipway.lock
