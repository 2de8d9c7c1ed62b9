#!/bin/bash
# `slipway save --compression`: the same image in gzip, zstd, zstd:chunked and none, as layout, archive and pipe; the
# configuration stays, each layer's tar too, and what is saved is what is loaded.
. "$(dirname "$0")/common.sh"
need_root
need busybox
need zstd
python3 "$top/tests/cli/make_image.py" image >digest || fail "no image"
expect_ok slipway load -i image --tag x:1
expect_ok slipway inspect x:1 --json
config=$(jq -r .config_digest <<<"$out")

for compression in gzip zstd zstd:chunked none; do
  case $compression in
  gzip) magic=1f8b suffix=+gzip ;;
  zstd*) magic=28b5 suffix=+zstd ;;
  none) magic=2e2f suffix= ;; # `./@PaxHeader`, the first name in the tar
  esac
  rm -rf layout
  expect_ok slipway save x:1 --compression $compression -o layout/
  manifest=layout/blobs/sha256/$(jq -r '.manifests[0].digest' layout/index.json | cut -d: -f2)
  assert_equal "$compression: the configuration" "$config" "$(jq -r .config.digest "$manifest")"
  assert_equal "$compression: the layers' type" "application/vnd.oci.image.layer.v1.tar$suffix" "$(jq -r '.layers[0].mediaType' "$manifest")"
  blob=layout/blobs/sha256/$(jq -r '.layers[0].digest' "$manifest" | cut -d: -f2)
  assert_equal "$compression: the first bytes" $magic "$(head -c 2 "$blob" | od -An -tx1 | tr -d ' \n')"
  expect_ok slipway save x:1 --compression $compression -o again/
  diff -r layout again || fail "$compression: not the same twice"
  rm -rf again
  for format in oci docker; do
    expect_ok sh -c "'$SLIPWAY' save x:1 --format $format --compression $compression | SLIPWAY_HOME=$scratch/other '$SLIPWAY' load"
    expect_ok env SLIPWAY_HOME="$scratch/other" "$SLIPWAY" inspect x:1 --json
    assert_equal "$compression by a pipe, $format" "$config" "$(jq -r .config_digest <<<"$out")"
    expect_ok env SLIPWAY_HOME="$scratch/other" "$SLIPWAY" run x:1
    assert_equal "$compression by a pipe, $format: it runs" kept "$out"
    rm -rf "$scratch/other"
  done
done
assert_equal "what is left" "" "$(ls -A "$SLIPWAY_HOME/tmp")"
# As it is in the store: the very manifest.
expect_ok slipway save x:1 -o same/
assert_equal "the manifest" "$(cat digest)" "$(jq -r '.manifests[0].digest' same/index.json)"
expect_error 2 "\`--compression xz\` is not known" slipway save x:1 --compression xz -o no.tar
assert_no_file no.tar
