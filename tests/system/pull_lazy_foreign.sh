#!/bin/bash
# time-out: 300
# `pull --lazy` of layers that stargz-snapshotter's library made: many chunks a file, whiteouts, links,
# attributes and device nodes come out as `pull` has them.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/go_common.sh"
. "$top/tests/system/registry_common.sh"
need_root
need go
need skopeo
need docker-registry
[ -c /dev/fuse ] && : 2>/dev/null <>/dev/fuse || skip "/dev/fuse cannot be opened"
go_verifier estargz_maker github.com/containerd/stargz-snapshotter/estargz@v0.18.1

python3 "$top/tests/system/foreign_layers.py" foreign >names || fail "no image"
cp names foreign/names
# A layer of the last one's kind on top would hide nothing: `pax` removes from below and adds.
python3 "$top/tests/system/as_stargz.py" foreign stargz "$verifier" 100000 many gnu tar-gnu pax tar-v7 || fail "no eStargz"
start_registry stargz docker-registry
expect_ok skopeo copy -q --preserve-digests --dest-tls-verify=false oci:stargz:1 "docker://$registry/team/stargz:1"
echo '{"rate": 2000000}' >settings
python3 "$top/tests/system/registry_proxy.py" "$registry" settings asked >port 2>proxy.log &
registry_processes+=($!)
for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
image=127.0.0.1:$(cat port)/team/stargz:1

list_tree() { # with attributes; the table has whole seconds, and the library has its own before 1970
  (cd "$1" && find . -mindepth 1 ! -name before -printf '%P %y %m %U:%G %Ts %l\n' | sort &&
    find . -type f -print0 | sort -z | xargs -0 sha256sum && getfattr -hR -d -m 'user|security' . 2>/dev/null | sort)
}
server_of() { awk -v inode=":$(stat -c %i "$scratch"/store/lazy/*/lock 2>/dev/null || echo none)\$" '$2 == "FLOCK" && $6 ~ inode { print $5 }' /proc/locks | head -1; }
end_server() {
  local server
  server=$(server_of)
  [ -z "$server" ] || { kill "$server"; while [ -e "/proc/$server" ]; do sleep 0.1; done; }
}
trap 'status=$?; end_server; (exit $status); stop_registries; at_end' EXIT
expect_ok slipway pull --lazy "$image"
assert_contains "the lazy pull" "5 of its 5 layers" "$err"
list_tree "$SLIPWAY_HOME"/lazy/*/mnt >early
[ -e "$SLIPWAY_HOME"/lazy/*/record ] || fail "the image was whole before it was looked at"
echo '{}' >settings
export SLIPWAY_HOME=$scratch/whole
expect_ok slipway pull "$image"
out slipway run --rm "$image" -- /none  # merges its layers
list_tree "$SLIPWAY_HOME/layers/$(basename "$scratch"/store/lazy/*)" >late
diff early late >difference || fail "the trees differ: $(head -20 difference)"
[ "$(grep -c . early)" -gt 400 ] || fail "only $(grep -c . early) lines were compared"
for _ in $(seq 300); do [ -e "$scratch"/store/lazy/*/mnt ] || break; sleep 0.1; done
assert_equal "the log" "" "$(grep -v 'device nodes' "$scratch"/store/lazy/*/log)"
echo "ok: $(grep -c . early) lines"
