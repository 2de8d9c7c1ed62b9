#!/bin/bash
# A lock that this version cannot read is left alone, and the message names who wrote it.
. "$(dirname "$0")/common.sh"

project <<'TOML'
[image]
name = "x"
TOML
printf 'schema = 99\nslipway = "7.1.0"\n' >slipway.lock
before=$(cat slipway.lock)
expect_error 1 "schema 99" slipway build --locked
assert_contains "who wrote it" "slipway 7.1.0" "$err"
assert_equal "the lock" "$before" "$(cat slipway.lock)"

printf 'schema = 1\nslipway = "0.1.0"\nsurprise = 1\n' >slipway.lock
expect_error 2 "mistakes" slipway build --locked
assert_contains "the key" "\`surprise\` is not a known key" "$err"
assert_contains "what to do" "remove it" "$err"
