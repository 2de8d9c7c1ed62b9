#!/bin/bash
# time-out: 900
# What was built stands in slipway.lock, and `build --locked` makes that or fails.
. "$(dirname "$0")/index_common.sh"
wheels good helper other==1.0 other==2.0
own_store
image=locked more='[project]
copy = ["train.py"]' ask good 'other==1.0'
echo 'print(1)' >train.py
lock() { sha256sum <slipway.lock; stat -c %Y.%i slipway.lock; }
named() { slipway images --json | jq -r '.images[] | select(.reference == "locked:latest") | .digest'; }
digest_in() { sed -n "s/^$1 = \"\(.*\)\"/\1/p" slipway.lock | head -n 1; }

# Without digests there is nothing to hold to, and --locked writes nothing.
expect_ok slipway lock
before=$(lock)
expect_ok slipway build --locked
assert_contains "a lock without digests" "does not have the image's digests yet" "$err"
assert_equal "the lock" "$before" "$(lock)"
solution=$(cat slipway.lock)
expect_ok slipway build
assert_contains "what is told" "wrote the image's digests" "$err"
expect_ok slipway inspect --json
assert_equal "the layers in the lock, but for the project's" "$(jq -r '.layers[:-1][] | .digest + " " + .diff_id + " " + (.size | tostring)' <<<"$out")" \
  "$(awk -F' = ' '/^\[\[layer/ { on = 1 } on && /^digest/ { gsub(/"/, ""); d = $2 } on && /^diff-id/ { gsub(/"/, ""); i = $2 } on && /^size/ { print d, i, $2 }' slipway.lock)"
# The label covers what stands above [image], and is not changed by what stands below.
assert_equal "the label" "$(jq -r '.config.labels."dev.slipway.lock"' <<<"$out")" \
  "sha256:$(sed '/^\[image\]$/,$d' slipway.lock | sed '$d' | sha256sum | cut -d' ' -f1)"
assert_equal "the solution in the lock" "$solution" "$(sed '/^\[image\]$/,$d' slipway.lock | sed '$d')"
before=$(lock)
for flags in "" --locked --no-bytecode "--locked --no-bytecode" ""; do
  expect_ok slipway build $flags
  assert_equal "the lock after \`build $flags\`" "$before" "$(lock)"
done
cp slipway.lock good.lock
good=$(named)

# refused TEXT: --locked fails with it, names nothing, writes nothing
refused() {
  local before
  before=$(lock)
  expect_error 1 "$1" slipway build --locked
  assert_equal "the image's name" "$good" "$(named)"
  assert_equal "the lock" "$before" "$(lock)"
}
# The project's own code is not in the lock: it may change, and the lock does not.
echo 'print(2)' >train.py
expect_ok slipway build --locked
[ "$(named)" != "$good" ] || fail "other code gives the same image"
expect_ok slipway build
assert_equal "the lock after a change of the code" "$before" "$(lock)"
echo 'print(1)' >train.py
expect_ok slipway build --locked
assert_equal "the image of the first code" "$good" "$(named)"
echo '[user]
name = "somebody"' >>slipway.toml
refused "because the frame: its diff_id is"
sed -i '/^\[user\]/,$d' slipway.toml
echo '[modes.train]
command = ["python", "train.py"]' >>slipway.toml
refused "because the configuration is sha256:"
expect_ok slipway build
assert_contains "what is told" "had other digests: wrote those of the configuration" "$err"
assert_equal "lines that changed" 2 "$(diff good.lock slipway.lock | grep -c '^>')"
sed -i '/^\[modes/,$d' slipway.toml
expect_ok slipway build
cmp slipway.lock good.lock || fail "the first image has another lock the second time"

# Changed by hand.
edit() { cp good.lock slipway.lock && sed -i "$@" slipway.lock; }
edit 's/^manifest = "sha256:.\{8\}/manifest = "sha256:00000000/'
refused "because the manifest is"
edit '0,/^size = .*/! { /^holds = "frame"/,/^size/ s/^size = .*/size = 1/ }'
refused "because the frame: it has"
edit 's/^layout = .*/layout = 99/'
refused "has layers of layout 99, and this slipway makes layout"
expect_ok slipway build
assert_contains "what is told" "had digests of layout 99" "$err"
cmp slipway.lock good.lock || fail "another lock than before layout 99"
edit '/^holds = "frame"/,/^$/d'
expect_error 2 "slipway.lock:" slipway build --locked
edit 's/^packages = \["good"\]/packages = ["goodd"]/'
expect_error 2 "a layer holds \`goodd\`, which is not in the lock" slipway build
cp good.lock slipway.lock

# A new solution keeps the layers that it does not touch: the diff is one package's.
sed -i 's/other==1.0/other==2.0/' slipway.toml
expect_error 2 "no longer matches" slipway build --locked
expect_ok slipway lock
assert_equal "digests of an image that is not built yet" "" "$(digest_in manifest)"
expect_ok slipway build --locked
expect_ok slipway build
changed=$(diff good.lock slipway.lock | grep '^>')
[ "$(wc -l <<<"$changed")" -le 24 ] || fail "one package changed: $changed"
assert_lacks "the base" 'holds = "base"' "$changed"
expect_ok slipway build --locked

# A project that cannot be written to: built all the same, with a word.
sed -i '/^\[image\]$/,$d' slipway.lock && sed -i '$d' slipway.lock
before=$(lock)
expect_ok unshare -m sh -c 'mount --bind . . && mount -o remount,bind,ro . && cd "$PWD" && exec "$@"' - "$SLIPWAY" build
assert_contains "the warning" "the image's digests are not in" "$err"
assert_equal "the lock" "$before" "$(lock)"
ls -A | grep -q tmp && fail "left in the project: $(ls -A)"

# Two at once, and one that is killed while it may be writing: the lock is whole, old or new.
for i in 1 2 3; do "$SLIPWAY" build >"$scratch/out$i" 2>"$scratch/err$i" & processes="${processes:-} $!"; done
for process in $processes; do wait "$process" || fail "one of three builds failed: $(cat "$scratch"/err?)"; done
expect_ok slipway build --locked
for pause in 0 0.002 0.004 0.006 0.008 0.01 0.015; do
  sed -i 's/^layout = .*/layout = 99/' slipway.lock
  "$SLIPWAY" build >/dev/null 2>&1 &
  process=$!
  read -r -t $pause <> <(:) || true
  kill -KILL $process 2>/dev/null
  wait $process 2>/dev/null
  expect_ok slipway tree
done
rm -f slipway.lock.*.tmp
expect_ok slipway build
expect_ok slipway build --locked
