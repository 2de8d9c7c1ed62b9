#!/bin/bash
# time-out: 600
# An image of a few packages, as other people's programs see it: skopeo, umoci, podman, python's own
# zip and tar readers are not asked to be kind.
. "$(dirname "$0")/../cli/common.sh"
export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
need_root
need umoci
need skopeo

project <<'TOML'
[image]
name = "small"
tag = "1"
[python]
packages = ["numpy", "jupyter-core"]
[project]
copy = ["hello.py"]
[modes.hello]
command = ["python", "hello.py"]
TOML
echo 'import numpy; print("sum", int(numpy.arange(5).sum()))' >hello.py
expect_ok slipway lock
expect_ok slipway build --json
digest=$(jq -r .digest <<<"$out")
expect_ok slipway run --mode hello
assert_equal "slipway run" "sum 10" "$out"

# The layout, by skopeo and umoci: the digest stays, and the tree is the one that slipway mounts.
expect_ok slipway save -o layout/
assert_equal "the layout's digest" "$digest" "$(skopeo inspect oci:layout:1 | jq -r .Digest)"
expect_ok umoci unpack --image layout:1 bundle
expect_ok chroot bundle/rootfs /opt/venv/bin/python /workspace/hello.py
assert_equal "the program in umoci's tree" "sum 10" "$out"
expect_ok slipway run --user 0 -- sh -c 'cd / && find bin/ etc home opt root sbin/ usr var workspace -xdev -printf "%p %y %m %U:%G %s %l %T@\n" | grep -vE "^etc/(hosts|hostname|resolv.conf) " | grep -vE " d [0-9]+ [0-9:]+ [0-9]+ " | sort'
(cd bundle/rootfs && find bin/ etc home opt root sbin/ usr var workspace -xdev -printf "%p %y %m %U:%G %s %l %T@\n" | grep -vE "^etc/(hosts|hostname|resolv.conf) " | grep -vE " d [0-9]+ [0-9:]+ [0-9]+ " | sort) >umoci.tree
printf '%s\n' "$out" | diff - umoci.tree >difference || fail "umoci's tree and the mounted one differ: $(head -20 difference)"

# Archives: as many readers, the same image.
expect_ok slipway inspect --json
config=$(jq -r .config_digest <<<"$out")
expect_ok slipway save -o oci.tar
assert_equal "the OCI archive's digest" "$digest" "$(skopeo inspect oci-archive:oci.tar | jq -r .Digest)"
expect_ok slipway save --format docker -o docker.tar
skopeo inspect --config --raw docker-archive:docker.tar >config.json || fail "skopeo does not read the Docker archive"
assert_equal "the archive's configuration" "${config#sha256:}" "$(sha256sum <config.json | cut -d' ' -f1)"
if command -v podman >/dev/null; then
  # podman refuses a run root of more than 50 characters, so that its sockets' names fit.
  podman_run=$(mktemp -d /tmp/podman.XXXXXX)
  podman_() { podman --root "$scratch/podman" --runroot "$podman_run" --storage-driver vfs "$@"; }
  podman_ load -q -i docker.tar >loaded 2>"$scratch/err" || fail "podman does not load it"
  assert_equal "podman's image" "${config#sha256:}" "$(podman_ image inspect -f '{{.Id}}' localhost/small:1)"
  podman_ rmi -f localhost/small:1 >/dev/null 2>&1
  rm -rf "$podman_run"
fi

# An upgrade of one package moves that one.
sed -i 's/"numpy"/"numpy<2.3"/' slipway.toml
expect_ok slipway lock
sed -i 's/"numpy<2.3"/"numpy"/' slipway.toml
expect_ok slipway lock
assert_contains "kept where it fits" "numpy 2.2" "numpy $(grep -A1 '^name = "numpy"' slipway.lock | sed -n 's/^version = "\(.*\)"/\1/p')"
expect_ok slipway lock --upgrade numpy
assert_contains "what an upgrade changes" "numpy 2.2" "$err"
expect_error 2 "did you mean \`numpy\`?" slipway lock --upgrade nunpy
