#!/bin/bash
# time-out: 400
# A pulled image's large layers are not kept as they came, beside their trees: what needs them fetches
# them again, from where they were pulled, and says so where that cannot be. `--keep-blobs` keeps them.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/registry_common.sh"
. "$top/tests/system/lazy_common.sh"
. "$top/tests/system/user_common.sh"
need_root
need docker-registry
need jq
export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
project <<'TOML'
[image]
name = "pull-large"
tag = "1"
[python]
packages = ["numpy"]
[project]
copy = ["hello.py", "large"]
TOML
echo 'import hashlib; print(hashlib.file_digest(open("large", "rb"), "sha256").hexdigest())' >hello.py
python3 -c 'import random, sys; sys.stdout.buffer.write(random.Random(7).randbytes(101 << 20))' >large
sum=$(sha256sum <large | cut -d' ' -f1)
out slipway lock
[ "$status" -ne 4 ] || skip "no network: $(tail -1 "$scratch/err")"
[ "$status" -eq 0 ] || fail "slipway lock"
expect_ok slipway build
expect_ok slipway inspect pull-large:1 --json
manifest=$(jq -r .digest <<<"$out") layer_count=$(jq '[.layers[].digest] | unique | length' <<<"$out")
layer=$(jq -r '.layers | max_by(.size) | .digest[7:]' <<<"$out") size=$(jq '[.layers[].size] | max' <<<"$out")
tree=$(jq -r '.layers | max_by(.size) | .diff_id[7:]' <<<"$out")
[ "$size" -gt $((101 << 20)) ] || fail "the largest layer has $size bytes"

start_registry first docker-registry
direct=$registry
first_process=$registry_process
start_registry other docker-registry
other=$registry
registry=$direct
start_registry_proxy
expect_ok slipway push pull-large:1 "$direct/team/large:1"
expect_ok slipway gc --image pull-large:1
image=$near/team/large:1

fresh() { export SLIPWAY_HOME=$scratch/$1 SLIPWAY_CACHE=$scratch/$1-cache; : >asked; }
has_blob() { [ -e "$SLIPWAY_HOME/blobs/sha256/${layer:0:2}/${layer:2}" ]; }
asked() { awk -v blob="$layer" '$1 ~ blob { bytes += $3 - $2 + 1 } END { print bytes + 0 }' asked; }
has_dropped() { # WHERE
  ! has_blob || fail "$1: the large layer's blob is kept"
  [ -d "$SLIPWAY_HOME/layers/$tree" ] || fail "$1: it is not unpacked"
  assert_equal "$1: left in the cache" "" "$(ls "$SLIPWAY_CACHE/blobs" 2>/dev/null)"
  expect_ok slipway run --rm "$image" -- python hello.py
  assert_equal "$1: its file" "$sum" "$out"
}

# Pulled, it runs, and is there: nothing comes again.
fresh one
expect_ok slipway pull "$image"
has_dropped "a pull"
[ "$(find "$SLIPWAY_HOME/blobs" -type f | wc -l)" -gt 5 ] || fail "the small layers' blobs are not kept"
: >asked
expect_ok slipway pull "$image"
assert_contains "once more" "0 of " "$err"
assert_equal "what came again" 0 "$(asked)"
expect_ok slipway check "$image"

# What needs its bytes gets them, the same ones, and they are kept from then on.
expect_ok slipway push "$image" "$other/large:1"
assert_contains "to another registry" "$manifest" "$err"
assert_equal "what came for it" "$size" "$(asked)"
has_blob || fail "what was fetched again is not kept"
: >asked
expect_ok slipway save -o layout/ "$image"
assert_equal "what came for a save after it" 0 "$(asked)"
assert_equal "saved" "$manifest" "$(jq -r '.manifests[0].digest' layout/index.json)"
assert_equal "the blob" "$layer" "$(sha256sum <"layout/blobs/sha256/$layer" | cut -d' ' -f1)"
rm -rf layout
expect_ok slipway gc --image "$image"
expect_ok slipway gc
assert_equal "after gc" "" "$(find "$SLIPWAY_HOME/recipes" "$SLIPWAY_HOME/blobs" -type f)"

# Its registry has it already, also for another repository of it.
fresh same
expect_ok slipway pull "$direct/team/large:1"
expect_ok slipway push "$direct/team/large:1" "$direct/team/twin:1"
assert_contains "to the same registry" "; $layer_count mounted;" "$err"
! has_blob || fail "a layer was fetched for a registry that has it"

# Killed on the way, it goes on from there; two at once get along; so does one whose file was spoilt.
fresh two
echo '{"rate": 20000000}' >settings
"$SLIPWAY" pull "$image" >/dev/null 2>&1 &
pull=$!
for _ in $(seq 200); do
  [ "$(stat -c %s "$SLIPWAY_CACHE/blobs/$layer.part" 2>/dev/null || echo 0)" -lt 10000000 ] || break
  sleep 0.05
done
kill -9 $pull
wait $pull 2>/dev/null
[ -e "$SLIPWAY_CACHE/blobs/$layer.part" ] || fail "nothing was left of the killed pull"
echo '{}' >settings
: >asked
expect_ok slipway pull "$image"
has_dropped "after a kill"
[ "$(asked)" -lt "$((size - 9000000))" ] || fail "$(asked) of $size bytes came after a kill"
rm -rf "$SLIPWAY_HOME" "$SLIPWAY_CACHE"
mkdir -p "$SLIPWAY_CACHE/blobs"
truncate -s "$size" "$SLIPWAY_CACHE/blobs/$layer"
slipway pull "$image" >/dev/null 2>first.err &
pull=$!
slipway pull "$image" >/dev/null 2>second.err || fail "the second of two: $(cat second.err)"
wait $pull || fail "the first of two: $(cat first.err)"
has_dropped "two at once, after a spoilt file"

# An archive in another compression is made of what comes again; the image stays what it was.
expect_ok slipway save --compression none -o plain.tar "$image"
rm plain.tar

# Lazily.
if [ -c /dev/fuse ] && : 2>/dev/null <>/dev/fuse; then
  fresh lazy
  expect_ok slipway pull --lazy "$image"
  wait_until_ended
  has_dropped "once a lazy pull is whole"
  expect_ok slipway save -o lazy.tar "$image"
  rm lazy.tar
  # What is unpacked does not come again for another image.
  fresh shared
  expect_ok slipway pull "$image"
  expect_ok slipway push "$image" "$direct/team/large:2"
  : >asked
  expect_ok slipway pull --lazy "$near/team/large:2"
  assert_equal "what came of a layer that is unpacked" 0 "$(asked)"
  expect_error 2 "exclude each other" slipway pull --lazy --keep-blobs "$image"
fi

# As an ordinary user, who unpacks in a namespace once all of it is there.
if has_user; then
  chmod 755 "$scratch"
  install -d -o slipway-test -g slipway-test "$scratch/user"
  install -m 755 "$SLIPWAY" "$scratch/program"
  cd "$scratch/user" || exit 1
  expect_ok as_user "$scratch/program" pull "$image"
  SLIPWAY_HOME=$scratch/user/store
  ! has_blob || fail "a user's pull keeps the large layer's blob"
  assert_equal "what is left in a user's cache" "" "$(ls "$scratch/user/cache/blobs")"
  expect_ok as_user "$scratch/program" run --rm "$image" -- python hello.py
  assert_equal "a user's run" "$sum" "$out"
  expect_ok as_user "$scratch/program" save -o image.tar "$image"
  rm image.tar
  assert_equal "whose it is" "" "$(find store cache \( -path store/layers -o -path store/runs \) -prune -o ! -user slipway-test -print)"
  cd "$scratch" || exit 1
fi

# Kept, and not kept, when the registry is gone.
fresh kept
expect_ok slipway pull "$image"
expect_ok slipway pull --keep-blobs "$image"
assert_contains "the second pull" "1 of $layer_count layers fetched" "$err"
has_blob || fail "--keep-blobs kept none"
fresh gone
expect_ok slipway pull "$image"
kill "$first_process"
wait "$first_process" 2>/dev/null
expect_error 4 "which \`pull\` did not keep" slipway save -o none.tar "$image"
assert_contains "the layer" "layer sha256:$layer of \`$image\`" "$err"
assert_contains "the hint" "slipway pull --keep-blobs $image" "$err"
assert_no_file none.tar
has_dropped "without its registry"
SLIPWAY_HOME=$scratch/kept
expect_ok slipway save -o kept.tar "$image"
assert_equal "of what was kept" "$manifest" "$(tar -xOf kept.tar index.json | jq -r '.manifests[0].digest')"
echo "ok: a layer of $size bytes"
