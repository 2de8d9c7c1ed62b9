#!/bin/bash
# time-out: 600
# containerd, with nothing of Docker or Kubernetes around it: it imports what `save` wrote, pulls what
# `push` sent, keeps every digest, and runs the image; what it exports comes back unchanged.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/registry_common.sh"
export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
need_root
need containerd
need ctr
need jq
runc=$(PATH=$PATH:/usr/sbin command -v runc) || skip "runc is not installed"

project <<'TOML'
[image]
name = "containerd"
tag = "1"
[python]
packages = ["numpy"]
TOML
expect_ok slipway lock
expect_ok slipway build --json
digest=$(jq -r .digest <<<"$out")
expect_ok slipway save -o oci.tar

mkdir "$scratch/c"
cat >"$scratch/c/config.toml" <<TOML
version = 2
root = "$scratch/c/root"
state = "$scratch/c/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "$scratch/c/s"
TOML
containerd --config "$scratch/c/config.toml" >"$scratch/c/log" 2>&1 &
daemon=$!
stop() {
  local status=$?
  [ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } 2>/dev/null
  daemon=
  grep " $scratch/c/" /proc/mounts | cut -d' ' -f2 | sort -r | xargs -r umount 2>/dev/null
  (exit $status)
}
trap 'stop; stop_registries; at_end' EXIT
ctr() { command ctr -a "$scratch/c/s" -n slipway "$@"; }
for _ in $(seq 200); do
  ctr version >/dev/null 2>&1 && break
  kill -0 "$daemon" 2>/dev/null || fail "containerd does not start: $(tail -3 "$scratch/c/log")"
  sleep 0.1
done

# runs NAME: as its user, with its packages
runs() {
  expect_ok ctr run --rm --runc-binary "$runc" --snapshotter native "$1" test python -c 'import numpy, os; print(os.getuid(), os.getcwd(), numpy.arange(5).sum())'
  assert_equal "$1 in containerd" "1000 /workspace 10" "$out"
}
target() { ctr images ls -q >/dev/null && ctr images ls "name==$1" | awk 'NR == 2 { print $3 }'; }

expect_ok ctr images import --snapshotter native oci.tar
name=$(ctr images ls -q | grep 'containerd:1' | head -1)
assert_equal "the imported image's digest" "$digest" "$(target "$name")"
runs "$name"
expect_ok ctr images export back.tar "$name"
SLIPWAY_HOME=$scratch/other expect_ok slipway load -i back.tar --tag back:1
assert_contains "what containerd exports" "$digest" "$err"

if command -v docker-registry >/dev/null; then
  export CONTAINERS_REGISTRIES_CONF=/dev/null DOCKER_CONFIG=$scratch/no-docker
  start_registry registry
  trap 'stop; stop_registries; at_end' EXIT
  expect_ok slipway push containerd:1 "$registry/containerd:2"
  expect_ok ctr images pull --plain-http --snapshotter native "$registry/containerd:2"
  assert_equal "the pulled image's digest" "$digest" "$(target "$registry/containerd:2")"
  runs "$registry/containerd:2"
  expect_ok ctr images tag "$registry/containerd:2" "$registry/again:1"
  expect_ok ctr images push --plain-http "$registry/again:1"
  SLIPWAY_HOME=$scratch/third expect_ok slipway pull "$registry/again:1"
  assert_contains "what containerd pushes" "$digest" "$err"
fi
