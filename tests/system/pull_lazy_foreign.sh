#!/bin/bash
# time-out: 400
# `pull --lazy` of layers that stargz-snapshotter's library made, and containers/storage's: many chunks
# a file, whiteouts, links, attributes and device nodes come out as `pull` has them.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/go_common.sh"
. "$top/tests/system/registry_common.sh"
need_root
need go
need skopeo
need docker-registry
need_fuse
go_verifier estargz_maker github.com/containerd/stargz-snapshotter/estargz@v0.18.1
stargz_maker=$verifier
go_verifier chunked_maker go.podman.io/storage@v1.64.1
chunked_maker=$verifier

python3 "$top/tests/system/foreign_layers.py" foreign >names || fail "no image"
cp names foreign/names
start_registry stargz docker-registry
start_registry_proxy

list_tree() { # with attributes; the table has whole seconds, and the library has its own before 1970
  (cd "$1" && find . -mindepth 1 ! -name before -printf '%P %y %m %U:%G %Ts %l\n' | sort &&
    find . -type f -print0 | sort -z | xargs -0 sha256sum && getfattr -hR -d -m 'user|security' . 2>/dev/null | sort)
}
served=$scratch/store
server_of() { awk -v inode=":$(stat -c %i "$served"/lazy/*/lock 2>/dev/null || echo none)\$" '$2 == "FLOCK" && $6 ~ inode { print $5 }' /proc/locks | head -1; }
end_server() {
  local server
  server=$(server_of)
  [ -z "$server" ] || { kill "$server"; while [ -e "/proc/$server" ]; do sleep 0.1; done; }
}
trap 'status=$?; end_server; (exit $status); stop_registries; at_end' EXIT

try() { # KIND MAKER
  local kind=$1 image
  image=$near/team/$kind:1
  # A layer of the last one's kind on top would hide nothing: `pax` removes from below and adds.
  python3 "$top/tests/system/as_lazy_layers.py" foreign $kind "$2" 100000 many gnu tar-gnu pax tar-v7 || fail "no $kind"
  expect_ok skopeo copy -q --preserve-digests --dest-tls-verify=false oci:$kind:1 "docker://$registry/team/$kind:1"
  served=$scratch/$kind-store
  export SLIPWAY_HOME=$served
  echo '{"rate": 2000000}' >settings
  expect_ok slipway pull --lazy "$image"
  assert_contains "$kind: the lazy pull" "5 of its 5 layers" "$err"
  list_tree "$served"/lazy/*/mnt >early
  [ -e "$served"/lazy/*/record ] || fail "$kind: the image was whole before it was looked at"
  echo '{}' >settings
  export SLIPWAY_HOME=$scratch/$kind-whole
  expect_ok slipway pull "$image"
  out slipway run --rm "$image" -- /none  # merges its layers
  list_tree "$SLIPWAY_HOME/layers/$(basename "$served"/lazy/*)" >late
  diff early late >difference || fail "$kind: the trees differ: $(head -20 difference)"
  [ "$(grep -c . early)" -gt 400 ] || fail "$kind: only $(grep -c . early) lines were compared"
  for _ in $(seq 300); do [ -e "$served"/lazy/*/mnt ] || break; sleep 0.1; done
  [ ! -e "$served"/lazy/*/mnt ] || fail "$kind: it does not become whole: $(cat "$served"/lazy/*/log)"
  assert_equal "$kind: the log" "" "$(grep -v 'device nodes' "$served"/lazy/*/log)"
  compared="$compared $(grep -c . early) lines of $kind"
}
compared=
try stargz "$stargz_maker"
try chunked "$chunked_maker"
echo "ok:$compared"
