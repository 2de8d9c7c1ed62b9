#!/bin/bash
# time-out: 400
# A second machine after a change of one small package: it takes that package and little more from a
# real registry, though the package shares its layer with others; and all of the layer where that does
# not work out.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/registry_common.sh"
need_root
need jq
export SLIPWAY_CACHE=$TEST_CACHE/cache
program=$(find_registries | head -1)
[ -n "$program" ] || skip "no registry is installed (package docker-registry)"
start_registry registry "$program"
direct=$registry
start_registry_proxy
registry=$near

# Of some ninety packages, so that small ones have to share: webcolors, of 15 kB, with others of its size.
project <<'TOML'
[image]
name = "pieces"
[base]
debian = "bookworm"
[python]
version = "3.11"
packages = ["jupyterlab==4.4.3", "webcolors==24.11.1"]
TOML
out slipway lock
[ "$status" -ne 4 ] || skip "no network: $(tail -1 "$scratch/err")"
[ "$status" -eq 0 ] || fail "slipway lock"
expect_ok slipway build --push "$direct/pieces:1"
group() { slipway inspect pieces --json | jq -c '[.layers[] | select(.packages | any(startswith("webcolors")))][0]'; }
first=$(group)
jq -e '.packages | length > 3' <<<"$first" >/dev/null || fail "webcolors has a layer to itself: $first"
sed -i 's/webcolors==24.11.1/webcolors==25.10.0/' slipway.toml
expect_ok slipway build --push "$direct/pieces:2" --json
changed=$(jq -r .digest <<<"$out")
second=$(group)
layer=$(jq -r .digest <<<"$second") size=$(jq .size <<<"$second")
[ "$layer" != "$(jq -r .digest <<<"$first")" ] && [ "$size" -gt 100000 ] || fail "the layer: $second"
package=$(sed -n '/^name = "webcolors"/,/^size/s/^size = //p' slipway.lock)

# asked LAYER: how many bytes of it were asked for
asked() { awk -v blob="$1" '$1 ~ blob { bytes += $3 - $2 + 1 } END { print bytes + 0 }' asked; }
# pull NAME: into the store of a machine that has the first image
machine() {
  SLIPWAY_HOME=$scratch/$1
  cp -a "$scratch/had" "$SLIPWAY_HOME"
  : >asked
}
SLIPWAY_HOME=$scratch/had
expect_ok slipway pull "$registry/pieces:1"
[ "$SLIPWAY_CACHE" = "$TEST_CACHE/cache" ] && export SLIPWAY_CACHE=$scratch/cache
sees() {
  expect_ok slipway run "$registry/pieces:2" -- python -c 'import jupyterlab; from importlib.metadata import version; print(version("webcolors"), jupyterlab.__version__)'
  assert_equal "$1" "25.10.0 4.4.3" "$out"
  expect_ok slipway inspect "$registry/pieces:2" --json
  assert_equal "$1: the image" "$changed" "$(jq -r .digest <<<"$out")"
}

machine quick
expect_ok slipway pull "$registry/pieces:2"
assert_contains "what was fetched" "1 of " "$err"
sees "put together"
bytes=$(awk '$3 >= $2 { bytes += $3 - $2 + 1 } END { print bytes + 0 }' asked)
[ "$(asked "$layer")" -gt 0 ] || fail "nothing was asked of the layer: $(cat asked)"
[ "$bytes" -lt $((package + 100000)) ] || fail "$bytes bytes were fetched for a package of $package: $(cat asked)"

# A registry that ignores ranges: the layer as a whole.
machine plain
echo '{"ranges": false}' >settings
expect_ok slipway pull "$registry/pieces:2"
sees "without ranges"
echo '{}' >settings

# What the store has is damaged where the new layer would take it: the bytes are looked at.
machine damaged
hex=$(jq -r '.digest[7:]' <<<"$first")
blob=$SLIPWAY_HOME/blobs/sha256/${hex:0:2}/${hex:2}
[ -e "$blob" ] || fail "the first image's blob is not in the store"
chmod u+w "$blob"
for eighth in 1 2 3 4 5 6 7; do # some of it in what both layers have
  head -c 1000 /dev/zero | dd of="$blob" bs=1 seek=$((size * eighth / 8)) conv=notrunc 2>/dev/null
done
expect_ok slipway pull "$registry/pieces:2"
sees "with damage here"
[ "$(asked "$layer")" -ge "$size" ] || fail "a damaged layer was used"

# And damage on the way.
machine garbled
echo '{"corrupt": 20000}' >settings
expect_ok slipway pull "$registry/pieces:2"
sees "with damage on the way"
[ "$(asked "$layer")" -gt "$size" ] || fail "damage on the way was not seen: $(cat asked)"
echo '{}' >settings
assert_equal "left in the cache" "" "$(find "$SLIPWAY_CACHE" -name '*.pieces')"

# Stopped in the middle, and again.
machine stopped
echo '{"rate": 5000}' >settings
timeout -s INT 2 "$SLIPWAY" pull "$registry/pieces:2" >out 2>err
assert_equal "the status when stopped" 124 $?
echo '{}' >settings
expect_ok slipway pull "$registry/pieces:2"
sees "after it was stopped"
assert_equal "left in the cache" "" "$(find "$SLIPWAY_CACHE" -name '*.pieces')"
echo "note: $bytes bytes for a package of $package, in a layer of $size"
echo ok
