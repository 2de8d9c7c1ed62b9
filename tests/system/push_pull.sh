#!/bin/bash
# time-out: 600
# `slipway push` and `pull` with real registries, Debian's and one of today: digests stay, what is
# there is not sent again, other engines take what was pushed, and slipway what they push.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/registry_common.sh"
need_root
need busybox
need skopeo
mapfile -t programs < <(find_registries)
[ ${#programs[@]} -gt 0 ] || skip "no registry is installed (package docker-registry)"
digest=$(python3 "$top/tests/cli/make_image.py" image) || fail "no image"
expect_ok slipway load -i image --tag small:1
runs() {
  expect_ok slipway run "$1" sh -c 'cat /data/kept /data/twin2; ls /old; [ ! -e /data/gone ]'
  assert_equal "$1: what it sees" "kepttwinnew" "$out"
}

number=0
for program in "${programs[@]}"; do
  number=$((number + 1))
  start_registry "registry$number" "$program"
  expect_ok slipway push small:1 "$registry/team/small:1"
  assert_contains "the first push" "2 of 2 layers sent" "$err"
  assert_contains "the first push" "$digest" "$err"
  assert_equal "skopeo sees" "$digest" "$(skopeo inspect --tls-verify=false "docker://$registry/team/small:1" | jq -r .Digest)"
  expect_ok slipway push small:1 "$registry/team/small:1"
  assert_contains "the second push" "is there already" "$err"
  expect_ok slipway push small:1 "$registry/team/small:2"
  assert_contains "another tag" "0 of 2 layers sent, 0 B" "$err"
  expect_ok slipway push small:1 "$registry/other:1" --insecure  # options may stand behind the names
  assert_contains "another repository" "2 mounted" "$err"

  SLIPWAY_HOME=$scratch/second$number
  expect_ok slipway pull "$registry/team/small:1"
  assert_contains "pull" "$digest" "$err"
  runs "$registry/team/small:1"
  runs small:1
  expect_ok slipway pull "$registry/team/small@$digest"
  expect_ok slipway inspect "$registry/team/small:sha256-${digest#sha256:}" --json
  assert_equal "by digest" "$digest" "$(jq -r .digest <<<"$out")"
  expect_error 1 "has no manifest \`nothing\`" slipway pull "$registry/team/small:nothing"
  # What was pulled can be pushed and saved again.
  expect_ok slipway push "$registry/team/small:1" "$registry/again:1"
  assert_equal "pushed again" "$digest" "$(skopeo inspect --tls-verify=false "docker://$registry/again:1" | jq -r .Digest)"
  expect_ok slipway save "$registry/team/small:1" -o saved/

  # An index of two platforms, as skopeo makes one; ours is taken.
  arm=$(python3 "$top/tests/cli/make_image.py" arm gzip arch=arm64)
  skopeo copy -q --dest-tls-verify=false oci:arm:7 "docker://$registry/many:arm" || fail "skopeo"
  skopeo copy -q --dest-tls-verify=false oci:image:7 "docker://$registry/many:amd" || fail "skopeo"
  expect_error 1 "is made for linux/arm64" slipway pull "$registry/many:arm"
  entry() { jq -nc --arg d "$1" --argjson s "$2" --arg a "$3" '{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: $s, platform: {os: "linux", architecture: $a}}'; }
  size() { stat -c %s "$1/blobs/sha256/${2#sha256:}"; }
  index() { jq -nc '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: $ARGS.positional}' --jsonargs "$@" >index.json
    curl -fsS -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary @index.json "http://$registry/v2/many/manifests/both" || fail "no index"; }
  index "$(entry "$arm" "$(size arm "$arm")" arm64)" "$(entry "$digest" "$(size image "$digest")" amd64)"
  expect_ok slipway pull "$registry/many:both"
  assert_contains "of the index" "$digest" "$err"
  index "$(entry "$arm" "$(size arm "$arm")" arm64)"
  expect_error 1 "has no image for linux/amd64" slipway pull "$registry/many:both"
  SLIPWAY_HOME=$scratch/store
done

# What other engines push, and what they pull.
id=$(skopeo inspect --raw oci:image:7 | jq -r .config.digest)
if command -v podman >/dev/null; then
  podman_run=$(mktemp -d /tmp/podman.XXXXXX)
  podman_() { podman --root "$scratch/podman" --runroot "$podman_run" --storage-driver vfs "$@"; }
  podman_ pull -q --tls-verify=false "$registry/team/small:1" >out 2>"$scratch/err" || fail "podman does not pull"
  assert_equal "podman's image" "${id#sha256:}" "$(cat out)"
  podman_ tag "$registry/team/small:1" "$registry/by/podman:1"
  podman_ push -q --tls-verify=false "$registry/by/podman:1" 2>"$scratch/err" || fail "podman does not push"
  podman_ rmi -fa >/dev/null 2>&1
  rm -rf "$podman_run"
  expect_ok slipway pull "$registry/by/podman:1"
  runs "$registry/by/podman:1"
fi
if command -v dockerd >/dev/null; then
  . "$top/tests/system/dockerd.sh"
  start_dockerd
  trap 'stop_dockerd; stop_registries; at_end' EXIT
  docker pull -q "$registry/team/small:1" >out 2>"$scratch/err" || fail "docker does not pull"
  assert_equal "docker's image" "$id" "$(docker image inspect -f '{{.Id}}' "$registry/team/small:1")"
  docker tag "$registry/team/small:1" "$registry/by/docker:1"
  docker push -q "$registry/by/docker:1" >out 2>"$scratch/err" || fail "docker does not push"
  expect_ok slipway pull "$registry/by/docker:1"
  runs "$registry/by/docker:1"
  stop_dockerd
fi
stop_registries
expect_error 4 "registry" slipway pull "$registry/team/small:1"
