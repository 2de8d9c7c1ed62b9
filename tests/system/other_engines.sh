#!/bin/bash
# time-out: 600
# An image of ours where other engines run it: loaded by dockerd and by podman, then its default
# command as its default user in its default folder, an import of what was installed, its init.
. "$(dirname "$0")/../cli/common.sh"
export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
need_root
need jq
command -v dockerd >/dev/null || command -v podman >/dev/null || skip "neither dockerd nor podman is installed"

project <<'TOML'
[image]
name = "engines"
tag = "1"
[python]
packages = ["numpy"]
TOML
expect_ok slipway lock
expect_ok slipway build
expect_ok slipway inspect --json
config=$(jq -r .config_digest <<<"$out")
expect_ok slipway save --format docker -o docker.tar
expect_ok slipway save -o oci.tar

# Each says the same wherever it runs; slipway's own answer is the measure.
whoami='import numpy, os; print(os.getuid(), os.getgid(), os.getcwd(), numpy.arange(5).sum(), os.environ.get("PATH"))'
expect_ok slipway run --rm engines:1 -- python -c "$whoami"
who=$out
assert_contains "slipway's own" "1000 1000 /workspace 10 " "$who"
words='python -c "print(6 * 7)"' # for the default command, a shell
expect_ok sh -c "echo '$words' | '$SLIPWAY' run --rm -i engines:1"
assert_equal "slipway's default command" 42 "$out"

# runs ENGINE IMAGE FLAGS...
runs() {
  local engine=$1 image=$2
  shift 2
  expect_ok "$engine" run --rm --network none "$@" "$image" python -c "$whoami"
  assert_equal "$engine: user, folder, import, PATH" "$who" "$out"
  echo "$words" | "$engine" run --rm -i --network none "$@" "$image" >"$scratch/out" 2>"$scratch/err" ||
    fail "$engine: the default command"
  assert_equal "$engine: the default command" 42 "$(cat "$scratch/out")"
  expect_ok "$engine" run --rm --network none "$@" "$image" cat /proc/1/comm
  assert_equal "$engine: process 1" catatonit "$out"
  expect_ok "$engine" run --rm --network none --read-only "$@" "$image" sh -c 'touch /workspace/x 2>/dev/null; python -c "import numpy; print(numpy.ones(3).sum())"'
  assert_equal "$engine: read-only" 3.0 "$out"
  out "$engine" run --rm --network none "$@" "$image" sh -c 'exit 5'
  assert_equal "$engine: the status" 5 "$status"
  tried=$((tried + 1))
}
tried=0

if command -v dockerd >/dev/null; then
  . "$top/tests/system/dockerd.sh"
  start_dockerd
  expect_ok docker load -q -i docker.tar
  assert_equal "docker's image" "$config" "$(docker image inspect -f '{{.Id}}' engines:1)"
  runs docker engines:1
  stop_dockerd
fi

# podman's own runtime may refuse this machine's control groups (crun 1.8 does where they are hybrid).
if command -v podman >/dev/null; then
  podman_run=$(mktemp -d /tmp/podman.XXXXXX)
  podman_() {
    podman --root "$scratch/podman" --runroot "$podman_run" --storage-driver vfs \
      --cgroup-manager cgroupfs --runtime "$podman_runtime" "$@"
  }
  podman_runtime=$(PATH=$PATH:/usr/sbin command -v runc || PATH=$PATH:/usr/sbin command -v crun) || skip "no runtime for podman"
  expect_ok podman_ load -q -i oci.tar
  assert_equal "podman's image" "${config#sha256:}" "$(podman_ image inspect -f '{{.Id}}' localhost/engines:1)"
  # Its own defaults may be more than this machine allows.
  runs podman_ localhost/engines:1 --ulimit nofile=1024:1024 --ulimit nproc=1024:1024
  podman_ rmi -fa >/dev/null 2>&1
  umount "$scratch/podman/overlay" 2>/dev/null || true
  rm -rf "$podman_run"
fi
[ $tried -ge 1 ] || fail "nothing was tried"
echo "ok: $tried engines"
