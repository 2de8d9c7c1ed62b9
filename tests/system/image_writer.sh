#!/bin/bash
# What `slipway save` writes is taken by other people's programs, unchanged: skopeo, umoci, podman
# and dockerd, each where it is installed. One argument: the program slipway_save_sample, else that
# of the build folder.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
sample=$(realpath "${1:-${SLIPWAY_BUILD:-$here/../../build}/src/layer/slipway_save_sample}")
work=$(mktemp -d /tmp/slipway-system.XXXXXX)
dockerd_pid=
cleanup() {
  status=$?
  if [ -n "$dockerd_pid" ]; then
    kill "$dockerd_pid" 2>/dev/null || true
    wait "$dockerd_pid" 2>/dev/null || true
  fi
  if [ $status -eq 0 ]; then rm -rf "$work"; else echo "evidence: $work" >&2; fi
}
trap cleanup EXIT
has() { command -v "$1" >/dev/null; }
skip() { echo "skip: $1"; }
same() { # WHAT EXPECTED GOT
  if [ "$2" = "$3" ]; then echo "ok: $1"; else
    printf 'FAILED: %s\n  expected %s\n  got      %s\n' "$1" "$2" "$3" >&2
    exit 1
  fi
}
cd "$work"

# Two layers; the second is a gzip file of several members, as spliced layers are, and one file of
# the first is taken away again.
mkdir -p one/bin one/work two/work
cp /bin/busybox one/bin/ 2>/dev/null || cp /bin/true one/bin/
echo first >one/work/a
echo second >two/work/b
: >two/work/.wh.a
for layer in one two; do
  tar --sort=name --mtime=@315532800 --owner=0 --group=0 --numeric-owner -C "$layer" \
    -cf "$layer.tar" .
done
gzip -n <one.tar >one.tar.gz
{ head -c 1000 two.tar | gzip -n; tail -c +1001 two.tar | gzip -n; } >two.tar.gz
save() { "$sample" team/sample:1.0 "$1" "$2" one.tar one.tar.gz two.tar two.tar.gz; }

save oci layout >facts
manifest=$(sed -n 's/^manifest //p' facts)
config=$(sed -n 's/^config //p' facts)
diff_ids=$(sed -n 's/^diff_id //p' facts | tr '\n' ' ')
save oci-tar oci.tar >/dev/null
save docker docker.tar >/dev/null
save oci-tar - >stream.tar
same "a stream has the bytes of the file" "$(sha256sum <oci.tar)" "$(sha256sum <stream.tar)"

if has skopeo; then
  inspect() { skopeo inspect --format "$1" "$2"; }
  same "skopeo: digest of the layout" "$manifest" "$(inspect '{{.Digest}}' oci:layout:1.0)"
  same "skopeo: digest of the OCI archive" "$manifest" "$(inspect '{{.Digest}}' oci-archive:oci.tar:1.0)"
  same "skopeo: config of the layout" "$config" \
    "sha256:$(skopeo inspect --config --raw oci:layout:1.0 | sha256sum | cut -d' ' -f1)"
  skopeo copy -q oci-archive:oci.tar:1.0 oci:copy:1.0
  same "skopeo: digest after a copy" "$manifest" "$(inspect '{{.Digest}}' oci:copy:1.0)"
  for archive in docker.tar oci.tar; do
    same "skopeo: config of $archive as a Docker archive" "$config" \
      "sha256:$(skopeo inspect --config --raw "docker-archive:$archive:team/sample:1.0" | sha256sum | cut -d' ' -f1)"
    rm -rf unpacked && mkdir unpacked
    skopeo copy -q "docker-archive:$archive:team/sample:1.0" dir:unpacked
    same "skopeo: layers of $archive unpack to the diff_ids" "$diff_ids" \
      "$(jq -r '.layers[].digest' unpacked/manifest.json | while read -r d; do
        f=unpacked/${d#sha256:}
        if gzip -t "$f" 2>/dev/null; then zcat "$f"; else cat "$f"; fi | sha256sum | sed 's/\(.*\)  -/sha256:\1/'
      done | tr '\n' ' ')"
  done
else skip "skopeo is not installed"; fi

if has umoci; then
  [ "$(id -u)" = 0 ] && rootless= || rootless=--rootless
  umoci --log=error unpack $rootless --image layout:1.0 bundle
  same "umoci: files of both layers, whiteouts obeyed" "b second" \
    "$(ls bundle/rootfs/work) $(cat bundle/rootfs/work/b)"
else skip "umoci is not installed"; fi

if has podman && [ "$(id -u)" = 0 ]; then
  podman="podman --root $work/podman --runroot $work/podman-run --storage-driver vfs"
  for archive in docker.tar oci.tar; do
    $podman load -q -i $archive >/dev/null
    same "podman load $archive: image ID" "${config#sha256:}" \
      "$($podman images -q --no-trunc | sort -u | sed 's/^sha256://')"
    $podman rmi -af >/dev/null
  done
else skip "podman is not installed, or we are not root"; fi

if has dockerd && [ "$(id -u)" = 0 ]; then
  docker="docker -H unix://$work/docker.sock"
  dockerd -H "unix://$work/docker.sock" --data-root "$work/docker" --exec-root "$work/docker-run" \
    --pidfile "$work/docker.pid" --storage-driver vfs --bridge none --iptables=false \
    --ip6tables=false >dockerd.log 2>&1 &
  dockerd_pid=$!
  for _ in $(seq 100); do
    $docker version >/dev/null 2>&1 && break
    kill -0 "$dockerd_pid" 2>/dev/null || break
    sleep 0.2
  done
  if $docker version >/dev/null 2>&1; then
    for archive in docker.tar oci.tar; do
      $docker load -q -i $archive >/dev/null
      same "docker load $archive: image ID" "$config" \
        "$($docker image inspect --format '{{.Id}}' team/sample:1.0)"
      same "docker load $archive: diff_ids" "$diff_ids" \
        "$($docker image inspect --format '{{range .RootFS.Layers}}{{.}} {{end}}' team/sample:1.0)"
      if [ -e one/bin/busybox ]; then
        same "docker run: the second layer is on top" "second uid=1000" \
          "$($docker run --rm --network none team/sample:1.0 /bin/busybox sh -c \
            'echo $(/bin/busybox cat /work/b) $(/bin/busybox id | /bin/busybox cut -d" " -f1)')"
      fi
      $docker rmi -f team/sample:1.0 >/dev/null
    done
  else skip "dockerd does not start here: $(grep -v level=info dockerd.log | tail -n1)"; fi
else skip "dockerd is not installed, or we are not root"; fi
echo "all good"
