#!/bin/bash
# `make test-engines`: the example's PyTorch image through every engine that is here, one after the
# other, so that the disk holds. Each takes it with its digests, computes with it, and gives it back
# unchanged. A quarter of an hour and 25 GB; the suite does the same with a small image. ENGINES names
# some of them: `ENGINES="docker umoci" make test-engines`.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/dockerd.sh"
. "$top/tests/system/registry_common.sh"
need_root
need jq
unset SLIPWAY_HOME SLIPWAY_CACHE XDG_CONFIG_HOME # the image of `make demo`, where that was made
cp -r "$top/examples/pytorch-cuda" . && cd pytorch-cuda || exit 1
[ -e slipway.lock ] || expect_ok slipway lock
expect_ok slipway build
image=$(slipway inspect --json | jq -r .reference)
config=$(slipway inspect --json | jq -r .config_digest)
manifest=$(slipway inspect --json | jq -r .digest)
compute='import torch, torchvision; x = torch.arange(6.0).reshape(2, 3); print(torch.__version__, torchvision.__version__, (x @ x.T).sum().item())'
expect_ok slipway run --rm "$image" -- python -c "$compute"
answer=$out
assert_contains "slipway's own answer" "2.6.0" "$answer"
layout=$scratch/layout
slipway save -o "$layout/" "$image" || fail "no layout"
# A path with capitals is no reference for podman.
ln -s "$layout" /tmp/slipway-engines-$$ && short_layout=/tmp/slipway-engines-$$
tag=$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' "$layout/index.json")
tried=()
wants() { [[ " ${ENGINES:-$1} " == *" $1 "* ]] && command -v "${2:-$1}" >/dev/null; }
trap 'status=$?; rm -f "$short_layout"; umount "$scratch/podman/overlay" 2>/dev/null; (exit $status); at_end' EXIT

step() { # WHAT COMMAND...: how long it took
  local what=$1 begin=$SECONDS
  shift
  "$@" >"$scratch/out" 2>"$scratch/err" || fail "$what"
  echo "$what: $((SECONDS - begin)) s"
}
answers() { assert_equal "$1" "$answer" "$(tail -n 1 "$scratch/out")"; }
comes_back() { # ENGINE FILE: what it wrote is the image, to the last layer
  SLIPWAY_HOME=$scratch/back step "$1: back into slipway" "$SLIPWAY" load -i "$2" --tag back:1
  assert_equal "$1: the configuration that came back" "$config" "$(SLIPWAY_HOME=$scratch/back slipway inspect back:1 --json | jq -r .config_digest)"
  rm -rf "$2" "$scratch/back"
  tried+=("$1")
}

if wants docker dockerd; then
  start_dockerd
  step "docker: load" docker load -q -i <(slipway save --format docker "$image")
  assert_equal "docker's image" "$config" "$(docker image inspect -f '{{.Id}}' "$image")"
  step "docker: run" docker run --rm --network none "$image" python -c "$compute"
  answers docker
  step "docker: save" docker save -o "$scratch/docker.tar" "$image"
  comes_back docker "$scratch/docker.tar"
  stop_dockerd
  rm -rf "$scratch/docker"
fi

if wants podman; then
  short=$(mktemp -d /tmp/podman.XXXXXX)
  storage=(--root "$scratch/podman" --runroot "$short" --storage-driver overlay)
  podman_() { podman "${storage[@]}" --cgroup-manager cgroupfs --runtime "$(PATH=$PATH:/usr/sbin command -v runc)" "$@"; }
  step "podman: pull" podman_ pull -q "oci:$short_layout:$tag"
  id=$(podman_ images -q --no-trunc | head -1)
  assert_equal "podman's image" "$config" "$id"
  step "podman: run" podman_ run --rm --network none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 "$id" python -c "$compute"
  answers podman
  if command -v buildah >/dev/null; then # shares podman's storage
    printf 'FROM %s\nRUN python -c "%s" > /tmp/answer\n' "${id#sha256:}" "$compute" >Dockerfile
    step "buildah: build on it" buildah "${storage[@]}" bud -q --isolation chroot --network host -t built .
    step "buildah: run" podman_ run --rm --network none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 built cat /tmp/answer
    answers buildah
    tried+=(buildah)
    podman_ rmi -f built >/dev/null 2>&1
  fi
  step "podman: save" podman_ save -q --format oci-archive -o "$scratch/podman.tar" "$id"
  comes_back podman "$scratch/podman.tar"
  podman_ rmi -fa >/dev/null 2>&1
  umount "$scratch/podman/overlay" 2>/dev/null
  rm -rf "$scratch/podman" "$short"
fi

if wants containerd; then
  mkdir "$scratch/c"
  printf 'version = 2\nroot = "%s/root"\nstate = "%s/state"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "%s/s"\n' "$scratch/c" "$scratch/c" "$scratch/c" >"$scratch/c/config.toml"
  containerd --config "$scratch/c/config.toml" >"$scratch/c/log" 2>&1 &
  daemon=$!
  trap 'status=$?; kill $daemon 2>/dev/null; stop_registries; (exit $status); at_end' EXIT
  ctr_() { ctr -a "$scratch/c/s" -n slipway "$@"; }
  for _ in $(seq 100); do ctr_ version >/dev/null 2>&1 && break; sleep 0.1; done
  step "containerd: import" ctr_ images import --snapshotter overlayfs <(tar -C "$layout" -c .)
  name=$(ctr_ images ls -q | head -1)
  assert_equal "containerd's image" "$manifest" "$(ctr_ images ls "name==$name" | awk 'NR == 2 { print $3 }')"
  step "containerd: run" ctr_ run --rm --runc-binary "$(PATH=$PATH:/usr/sbin command -v runc)" --snapshotter overlayfs "$name" torch python -c "$compute"
  answers containerd
  step "containerd: export" ctr_ images export "$scratch/ctr.tar" "$name"
  comes_back containerd "$scratch/ctr.tar"
  kill $daemon && wait $daemon 2>/dev/null
  grep " $scratch/c/" /proc/mounts | cut -d' ' -f2 | sort -r | xargs -r umount 2>/dev/null
  rm -rf "$scratch/c"
fi

if wants umoci; then
  step "umoci: unpack" umoci unpack --image "$layout:$tag" "$scratch/bundle"
  jq --arg compute "$compute" '.process.terminal = false | .process.args = ["python", "-c", $compute]' "$scratch/bundle/config.json" >"$scratch/config.json" &&
    mv "$scratch/config.json" "$scratch/bundle/config.json"
  step "umoci: runc on its bundle" "$(PATH=$PATH:/usr/sbin command -v runc)" run -b "$scratch/bundle" "engines-$$"
  answers umoci
  rm -rf "$scratch/bundle"
  tried+=(umoci)
fi

if wants skopeo && command -v docker-registry >/dev/null; then
  start_registry engines docker-registry
  step "skopeo: to a registry" skopeo copy -q --preserve-digests --dest-tls-verify=false "oci:$layout:$tag" "docker://$registry/t/torch:1"
  assert_equal "what the registry has" "$manifest" "$(skopeo inspect --tls-verify=false "docker://$registry/t/torch:1" | jq -r .Digest)"
  rm -rf "$layout"
  step "skopeo: from it" skopeo copy -q --preserve-digests --src-tls-verify=false "docker://$registry/t/torch:1" "oci:$scratch/skopeo:1"
  comes_back skopeo "$scratch/skopeo"
fi
[ ${#tried[@]} -ge 1 ] || skip "no other engine is installed"
echo "ok: ${tried[*]}: $answer"
