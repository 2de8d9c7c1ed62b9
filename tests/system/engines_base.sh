#!/bin/bash
# time-out: 900
# An image of ours as the base of other people's builds: `FROM` in a Dockerfile, by dockerd and by
# buildah. What they built comes back, runs under slipway, and shares our layers.
. "$(dirname "$0")/../cli/common.sh"
export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
need_root
need jq
project <<'TOML'
[image]
name = "base"
tag = "1"
[python]
packages = ["numpy"]
TOML
expect_ok slipway lock
expect_ok slipway build
expect_ok slipway save -o oci.tar
expect_ok slipway inspect --json
config=$(jq -r .config_digest <<<"$out")
layers=$(slipway inspect --json | jq -r '.layers[].diff_id')

mkdir context
echo 'import numpy; print("sum", int(numpy.arange(9).sum()))' >context/sum.py
cat >context/Dockerfile <<'END'
FROM localhost/base:1
USER 0
RUN python -c 'import numpy, sys; open("/built", "w").write(numpy.__version__ + sys.prefix)' && rm -rf /etc/profile.d
USER 1000
COPY sum.py /workspace/sum.py
CMD ["python", "/workspace/sum.py"]
END

# comes_back NAME: what was built runs here, and everything of ours below it is ours
comes_back() {
  expect_ok slipway run --rm "$1"
  assert_equal "$1: its command" "sum 36" "$out"
  expect_ok slipway run --rm "$1" sh -c 'cat /built; ls -d /etc/profile.d 2>/dev/null; id -u'
  assert_contains "$1: what its build wrote" /opt/venv "$out"
  assert_lacks "$1: what its build removed" profile.d "$out"
  assert_equal "$1: our layers" "$layers" "$(slipway inspect "$1" --json | jq -r '.layers[].diff_id' | head -n "$(wc -l <<<"$layers")")"
}
tried=0
finish() {
  [ $tried -ge 1 ] || skip "neither dockerd nor buildah is installed"
  echo "ok: $tried engines"
}
export SLIPWAY_HOME=$scratch/store
expect_ok slipway load -i oci.tar --tag localhost/base:1

if command -v dockerd >/dev/null; then
  . "$top/tests/system/dockerd.sh"
  start_dockerd
  expect_ok docker load -q -i oci.tar
  expect_ok docker tag base:1 localhost/base:1
  assert_equal "docker's image" "$config" "$(docker image inspect -f '{{.Id}}' localhost/base:1)"
  expect_ok env DOCKER_BUILDKIT=0 docker -H "unix://$scratch/docker.sock" build -q --network none -t built:docker context
  docker save built:docker -o built.tar || fail "docker does not save"
  expect_ok slipway load -i built.tar
  comes_back built:docker
  stop_dockerd
  tried=$((tried + 1))
fi

if command -v buildah >/dev/null; then
  buildah_() {
    buildah --root "$scratch/buildah" --runroot "$scratch/buildah-run" --storage-driver vfs "$@"
  }
  expect_ok buildah_ pull -q oci-archive:oci.tar
  image=$out
  assert_equal "buildah's image" "${config#sha256:}" "$image"
  expect_ok buildah_ tag "$image" localhost/base:1
  # chroot isolation: this machine's control groups may be mixed.
  expect_ok buildah_ bud -q --isolation chroot --network host --pull-never -t built:buildah context
  expect_ok buildah_ push -q localhost/built:buildah oci:built:buildah
  expect_ok slipway load -i built --tag built:buildah
  comes_back built:buildah
  buildah_ rmi -fa >/dev/null 2>&1
  umount "$scratch/buildah" 2>/dev/null || true
  tried=$((tried + 1))
fi
finish
