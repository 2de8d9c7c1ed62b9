#!/bin/bash
# time-out: 600
# Every JSON of an image that Slipway writes, held against the schemas of OCI's image-spec by its own
# validator: built, compressed anew, taken over from another tool.
. "$(dirname "$0")/../cli/common.sh"
export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
need_root
need go
need jq
. "$top/tests/system/go_common.sh"
go_verifier image_validator github.com/opencontainers/image-spec@v1.1.1

# check_layout FOLDER: the layout, its index, and whatever that leads to
checked=0
check_layout() {
  local folder=$1 type digest
  expect_ok "$verifier" layout "$folder/oci-layout"
  expect_ok "$verifier" application/vnd.oci.image.index.v1+json "$folder/index.json"
  while read -r type digest; do check_blob "$folder" "$type" "$digest"; done \
    < <(jq -r '.manifests[] | .mediaType + " " + .digest' "$folder/index.json")
}
check_blob() {
  local folder=$1 type=$2 file=$1/blobs/sha256/${3#sha256:} config
  expect_ok "$verifier" "$type" "$file"
  checked=$((checked + 1))
  [ "$type" = application/vnd.oci.image.manifest.v1+json ] || return 0
  config=$(jq -r '.config.mediaType + " " + .config.digest' "$file")
  # The validator knows no schema of other configurations.
  case $config in application/vnd.oci.image.config.v1+json*) check_blob "$folder" $config ;; esac
}

project <<'TOML'
[image]
name = "schemas"
tag = "1"
[python]
packages = ["numpy"]
[project]
copy = ["hello.py"]
[modes.hello]
command = ["python", "hello.py", "a \"b\" \\ ü"]
TOML
echo 'print("hello")' >hello.py
expect_ok slipway lock
expect_ok slipway build
expect_ok slipway save -o built/
check_layout built
for packing in zstd none; do
  expect_ok slipway save --compression $packing -o $packing/
  check_layout $packing
done

# It can fail: the same file with a fault.
manifest=built/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' built/index.json)
jq '.layers[0].size = "many"' "$manifest" >broken
"$verifier" application/vnd.oci.image.manifest.v1+json broken 2>/dev/null && fail "a broken manifest passes"

if command -v busybox >/dev/null; then
  python3 "$top/tests/cli/make_image.py" image >/dev/null || fail "no image"
  export SLIPWAY_HOME=$scratch/store
  expect_ok slipway load -i image --tag foreign:1
  expect_ok slipway save foreign:1 -o foreign/
  check_layout foreign
fi
[ $checked -ge 6 ] || fail "only $checked files were checked"
echo "ok: $checked files"
