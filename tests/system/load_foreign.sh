#!/bin/bash
# What real engines save, `slipway load` takes, by file and by pipe, and `run` runs; what slipway
# saves of it, they take back. Image ids and manifest digests stay where a format carries them.
. "$(dirname "$0")/../cli/common.sh"
need_root
need busybox
need skopeo
digest=$(python3 "$top/tests/cli/make_image.py" image) || fail "no image"
id=$(skopeo inspect --raw oci:image:7 | jq -r .config.digest)

tried=0
loads() { # WHAT IMAGE [ID]: it runs, and has the configuration's digest
  expect_ok slipway run "$2" sh -c 'cat /data/kept /data/twin2; ls /old; [ ! -e /data/gone ]'
  assert_equal "$1: what it sees" "kepttwinnew" "$out"
  expect_ok slipway inspect "$2" --json
  assert_equal "$1: the image's id" "${3:-$id}" "$(jq -r .config_digest <<<"$out")"
  tried=$((tried + 1))
}

skopeo copy -q oci:image:7 oci-archive:skopeo.tar:some/name:1 || fail "skopeo"
expect_ok slipway load -i skopeo.tar
loads "skopeo's OCI archive" some/name:1
expect_ok slipway inspect some/name:1 --json
assert_equal "skopeo's OCI archive: the manifest" "$digest" "$(jq -r .digest <<<"$out")"
skopeo copy -q oci:image:7 docker-archive:skopeo-docker.tar:other/name:1 || fail "skopeo"
expect_ok sh -c "cat skopeo-docker.tar | '$SLIPWAY' load"
loads "skopeo's Docker archive" other/name:1
for packer in 'xz -1' 'python3 -c "import bz2, sys; sys.stdout.buffer.write(bz2.compress(sys.stdin.buffer.read()))"'; do
  expect_ok slipway gc --image other/name:1
  expect_ok sh -c "$packer <skopeo-docker.tar | '$SLIPWAY' load"
  loads "a Docker archive by ${packer%% *}" other/name:1
done
expect_ok slipway save -o again/ other/name:1
assert_equal "skopeo reads it again" "$id" "$(skopeo inspect --raw oci:again:1 | jq -r .config.digest)"

if command -v podman >/dev/null; then
  podman_run=$(mktemp -d /tmp/podman.XXXXXX)
  podman_() { podman --root "$scratch/podman" --runroot "$podman_run" --storage-driver vfs "$@"; }
  podman_ load -q -i skopeo-docker.tar >/dev/null 2>"$scratch/err" || fail "podman does not load"
  podman_ tag other/name:1 by-podman:1
  for format in oci-archive docker-archive; do
    podman_ save -q --format $format by-podman:1 2>"$scratch/err" | slipway load 2>>"$scratch/err" || fail "podman's $format"
    # Podman writes an OCI configuration of its own for an image that came as Docker's.
    case $format in oci*) own=$(slipway inspect by-podman:1 --json | jq -r .config_digest) ;; *) own=$id ;; esac
    loads "podman's $format" by-podman:1 "$own"
  done
  slipway save by-podman:1 | podman_ load -q >loaded 2>"$scratch/err" || fail "podman does not take it back"
  podman_ rmi -fa >/dev/null 2>&1
  rm -rf "$podman_run"
fi
if command -v dockerd >/dev/null; then
  . "$top/tests/system/dockerd.sh"
  start_dockerd
  slipway save --format docker other/name:1 | docker load -q >loaded 2>"$scratch/err" || fail "docker does not load"
  docker tag other/name:1 by-docker:2
  docker save by-docker:2 | slipway load 2>"$scratch/err" || fail "docker's archive"
  loads "docker's archive" by-docker:2
  stop_dockerd
fi
[ $tried -ge 2 ] || fail "nothing was tried"
echo "ok: $tried archives"
