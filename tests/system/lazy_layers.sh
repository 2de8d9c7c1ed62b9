#!/bin/bash
# time-out: 600
# The table of contents in each layer, read by stargz-snapshotter's own library: every file of the
# image lies where it says, with the digest that it says, and the archive's own files are in no image.
. "$(dirname "$0")/../cli/common.sh"
export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
need_root
need go
need jq

. "$top/tests/system/lazy_common.sh"
. "$top/tests/system/estargz_common.sh"

make_lazy_image lazy
expect_ok slipway save -o layout/
check_tables layout
[ $files -gt 5000 ] || fail "only $files files were looked at"
looked_at=$files

# A byte in the middle of the largest layer changed: the file's digest notices, so this test can fail.
i=$(jq '.layers | map(.size) | index(max)' "$manifest")
python3 - "$(blob_of "$i")" broken <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = int(data[-51 + 16:-51 + 32], 16)
data[at // 2] ^= 0x40
open(sys.argv[2], "wb").write(data)
PY
"$verifier" broken "$(annotation "$i" containerd.io/snapshot/stargz/toc.digest)" >/dev/null 2>&1 &&
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

# Where files were taken out or changed, the table is told anew.
expect_ok slipway slim lazy:1 --gpu h100 --drop headers --drop tests --tag lazy:slim --json
[ "$(jq '.layers | length' <<<"$out")" -gt 0 ] || fail "no layer changed"
expect_ok slipway save lazy:slim -o slim/
check_tables slim
[ $files -lt $looked_at ] || fail "no file is gone"
expect_ok slipway run --rm lazy:slim -- python hello.py
assert_equal "the slim image" "sum 10" "$out"
echo "ok: $layers layers, $looked_at files, $files of them in the slim image"
