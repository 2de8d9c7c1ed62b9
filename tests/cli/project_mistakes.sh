#!/bin/bash
# A slipway.toml that is wrong ends every command that reads it with exit code 2, the place and the
# remedy, and writes nothing.
. "$(dirname "$0")/common.sh"

project <<'TOML'
[image]
name = "x"
[base]
debain = "bookworm"
TOML
for command in lock build; do
  expect_error 2 "slipway.toml:4:1: \`base.debain\` is not a known key" slipway $command
  assert_contains "the hint of $command" 'did you mean `debian`?' "$err"
done
assert_no_file slipway.lock

project <<'TOML'
[image]
name = "X"
[python]
version = 3.11
TOML
expect_error 2 "has 2 mistakes" slipway lock
assert_contains "the first" ":2:8: \`image.name\`" "$err"
assert_contains "the second" ":4:11: \`python.version\`" "$err"

printf '[image]\nname = \n' >slipway.toml
expect_error 2 "slipway.toml:2:" slipway lock

printf '[image]\nname = "x"\n[conda]\nchannels = []\n' >slipway.toml
expect_error 1 "not supported yet" slipway lock

rm slipway.toml
out slipway lock
[ "$status" -ne 0 ] || fail "there is no slipway.toml, and \`slipway lock\` is content"
assert_contains "what it said" "slipway.toml" "$err"
