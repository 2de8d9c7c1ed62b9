#!/bin/bash
# `lock --before`: solved as on that day, kept in the lock, and dropped by `--upgrade` alone.
. "$(dirname "$0")/index_common.sh"
wheels good helper needs
printf '%s\n' '2020-01-01T00:00:00Z pip-' '2020-01-01T00:00:00Z setuptools-' \
  '2020-01-01T00:00:00Z needs-' \
  '2021-03-01T00:00:00.000000Z helper-1.0' '2022-03-01T12:00:00.500000Z helper-2.0' >"$web/uploaded"
helper() { grep -A1 '^name = "helper"' slipway.lock | sed -n 's/^version = //p'; }

ask helper
expect_ok slipway lock
assert_equal "the newest" '"2.0"' "$(helper)"
assert_lacks "a lock without a date" before "$(cat slipway.lock)"

# Exact to the moment: what came at the time itself is out.
expect_ok slipway lock --before 2022-03-01T12:00:00.5Z
assert_equal "at its time" '"1.0"' "$(helper)"
assert_contains "the lock" 'before = "2022-03-01T12:00:00.500Z"' "$(cat slipway.lock)"
expect_ok slipway lock --before 2022-03-01T13:00:00.501+01:00
assert_equal "just after" '"2.0"' "$(helper)"
expect_ok slipway lock --before 2022-03-01
assert_equal "the day itself" '"1.0"' "$(helper)"

# The date holds on: for another look, for another request, for one package.
before=$(cat slipway.lock)
expect_ok slipway lock
assert_equal "the lock" "$before" "$(cat slipway.lock)"
sed -i 's/"helper"/"helper>0"/' slipway.toml
expect_ok slipway lock
assert_equal "within the date" '"1.0"' "$(helper)"
assert_contains "the date" 'before = "2022-03-01T00:00:00Z"' "$(cat slipway.lock)"
expect_ok slipway lock --upgrade helper
assert_equal "one package within the date" '"1.0"' "$(helper)"
expect_ok slipway lock --upgrade
assert_equal "everything" '"2.0"' "$(helper)"
assert_lacks "the date is gone" before "$(cat slipway.lock)"
assert_contains "and told" "wheels of any date" "$err"

# What came later is named with its reason; what has no time is told apart.
ask "helper>=2"
expect_error 3 "helper 2.0 was not uploaded before 2022-01-01T00:00:00Z" \
  slipway lock --before 2022-01-01
assert_no_file slipway.lock
ask good
expect_error 3 'has no upload time at its index, which `--before` needs' \
  slipway lock --before 2022-01-01
assert_no_file slipway.lock

for date in yesterday 2022-02-30 "" 2022-01-01T00:00:00; do
  expect_error 2 "is not a date" slipway lock --before "$date"
done
