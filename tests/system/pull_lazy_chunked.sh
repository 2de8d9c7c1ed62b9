#!/bin/bash
# time-out: 400
# `pull --lazy` of zstd:chunked layers: an image of them runs before they are there, and shows the
# files that `pull` has. Layers of others: pull_lazy_foreign.sh.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/registry_common.sh"
. "$top/tests/system/lazy_common.sh"
need_root
need docker-registry
need jq
need_fuse

( # the image of pull_lazy.sh
  export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
  make_lazy_image
) || exit 1
start_registry chunked docker-registry
start_registry_proxy
SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache expect_ok slipway push --compression zstd:chunked pull-lazy:1 "$registry/team/chunked:1"
manifest_of() { curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$registry/v2/team/$1/manifests/1"; }
whole=$(manifest_of chunked | jq '[.layers[].size] | add')
layers=$(manifest_of chunked | jq '.layers | length')
manifest_of chunked | jq -e '[.layers[] | .mediaType | endswith("+zstd")] | all' >/dev/null || fail "the layers are no zstd"

end_all() {
  local status=$?
  end_server
  stop_registries
  (exit $status)
}
trap 'end_all; at_end' EXIT
list_tree() { # everything that a program can see
  (cd "$1" && find . -mindepth 1 -printf '%P %y %m %U:%G %T@ %l\n' | sort &&
    find . -type f -print0 | sort -z | xargs -0 sha256sum && getfattr -hR -d -m 'user|security' . 2>/dev/null | sort)
}
# 1. It runs while most of it is missing.
echo '{"rate": 2000000}' >settings
expect_ok slipway pull --lazy "$near/team/chunked:1"
assert_contains "the lazy pull" "can be run now; $layers of its $layers layers" "$err"
expect_ok slipway run --rm "$near/team/chunked:1" -- python hello.py
assert_equal "the early run" "sum 10" "$out"
there=$(cut -d' ' -f1 "$(lazy_folder)/progress")
[ "$there" -lt $((whole * 9 / 10)) ] || fail "of $whole bytes $there had come: the run was not early"
echo '{"rate": 20000000}' >settings
list_tree "$(lazy_folder)/mnt" >early
[ -e "$(lazy_folder)/record" ] || fail "the image was whole before it was looked at"
echo '{}' >settings
SLIPWAY_HOME=$scratch/eager expect_ok slipway pull "$registry/team/chunked:1"
SLIPWAY_HOME=$scratch/eager expect_ok slipway run --rm "$registry/team/chunked:1" -- python hello.py
list_tree "$scratch/eager/layers/$(basename "$(lazy_folder)")" >late
diff early late >difference || fail "the trees differ: $(head -5 difference)"
[ "$(grep -c . early)" -gt 5000 ] || fail "only $(grep -c . early) lines were compared"
wait_until_ended
assert_equal "the log" "" "$(cat "$(lazy_folder)/log")"
assert_equal "what stays of it" "log tree" "$(ls "$(lazy_folder)" | xargs)"
expect_ok slipway run --rm "$near/team/chunked:1" -- python hello.py
# Nothing came twice but the tables.
came=$(awk '{ n += $3 - $2 + 1 } END { print n }' asked)
[ "$came" -le $((whole + layers * 1048576)) ] || fail "$came bytes came of an image of $whole"
rm -rf "$SLIPWAY_HOME"

# 2. A table with another digest is none; changed contents are never shown.
echo '{"corrupt": 0}' >settings
expect_error 1 "table of contents is not the one that the manifest names" slipway pull --lazy "$near/team/chunked:1"
rm -rf "$SLIPWAY_HOME"
echo "ok: $came bytes of $whole"
