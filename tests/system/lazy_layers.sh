#!/bin/bash
# time-out: 600
# The table of contents in each layer, read by stargz-snapshotter's own library: every file of the
# image lies where it says, with the digest that it says, and the archive's own files are in no image.
. "$(dirname "$0")/../cli/common.sh"
export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
need_root
need go
need jq

. "$top/tests/system/go_common.sh"
. "$top/tests/system/lazy_common.sh"
go_verifier estargz_verifier github.com/containerd/stargz-snapshotter/estargz@v0.18.1

make_lazy_image lazy
expect_ok slipway save -o layout/
manifest=layout/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' layout/index.json)
config=layout/blobs/sha256/$(jq -r '.config.digest[7:]' "$manifest")

layers=$(jq '.layers | length' "$manifest")
files=0
for i in $(seq 0 $((layers - 1))); do
  blob=layout/blobs/sha256/$(jq -r ".layers[$i].digest[7:]" "$manifest")
  annotation() { jq -r ".layers[$i].annotations[\"$1\"]" "$manifest"; }
  expect_ok "$verifier" "$blob" "$(annotation containerd.io/snapshot/stargz/toc.digest)"
  grep -v '  \.no\.prefetch\.landmark$' <<<"$out" >told
  assert_equal "the landmark of layer $i" 1 "$(grep -c '  \.no\.prefetch\.landmark$' <<<"$out")"
  tree=$SLIPWAY_HOME/layers/$(jq -r ".rootfs.diff_ids[$i][7:]" "$config")
  # Of files with several names the table has the contents once.
  (cd "$tree" && find . -type f -size +0 -links 1 -printf '%P\0' | sort -z | xargs -0r sha256sum --) >single
  sort told >told.sorted && sort single | comm -13 told.sorted - >missing
  [ ! -s missing ] || fail "layer $i: not in the table: $(head -3 missing)"
  while read -r _ name; do
    [ -f "$tree/$name" ] || fail "layer $i: \`$name\` is not in the tree"
  done <told
  files=$((files + $(wc -l <told)))
  assert_equal "the size of layer $i" "$(gzip -dc "$blob" | wc -c)" "$(annotation io.containers.estargz.uncompressed-size)"
done
[ $files -gt 5000 ] || fail "only $files files were looked at"

# A byte in the middle of the largest layer changed: the file's digest notices, so this test can fail.
i=$(jq '.layers | map(.size) | index(max)' "$manifest")
blob=layout/blobs/sha256/$(jq -r ".layers[$i].digest[7:]" "$manifest")
python3 - "$blob" broken <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = int(data[-51 + 16:-51 + 32], 16)
data[at // 2] ^= 0x40
open(sys.argv[2], "wb").write(data)
PY
"$verifier" broken "$(annotation containerd.io/snapshot/stargz/toc.digest)" >/dev/null 2>&1 &&
  fail "a changed byte went unnoticed"

# The archive's own files are in no tree, built or pulled.
expect_ok slipway run --rm lazy:1 -- ls -A /
assert_lacks "the image's root" landmark "$out"
assert_lacks "the image's root" stargz "$out"
list_trees() {
  (cd "$1/layers" && for diff_id in $(jq -r '.rootfs.diff_ids[][7:]' "$scratch/project/$config"); do
    find "$diff_id" -printf '%p %y %m %U:%G %s %l %T@ %n\n'
  done | sed -E 's/^([^ ]+ d [^ ]+ [^ ]+) [0-9]+/\1/' | sort)
}
SLIPWAY_HOME=$scratch/other expect_ok slipway load -i layout/
list_trees "$SLIPWAY_HOME" >built
list_trees "$scratch/other" >loaded
# The first start has given the built ones one link more.
sed -E 's/ [0-9]+$//' built >built.same && sed -E 's/ [0-9]+$//' loaded >loaded.same
diff built.same loaded.same >difference || fail "loaded layers differ from built ones: $(head -5 difference)"

# Compressed anew, nothing lies where the table said, so no annotation tells of it.
expect_ok slipway save --compression zstd -o zstd/
manifest=zstd/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' zstd/index.json)
assert_equal "annotations of zstd layers" 0 "$(jq '[.layers[].annotations | keys[] | select(test("stargz"))] | length' "$manifest")"
echo "ok: $layers layers, $files files"
