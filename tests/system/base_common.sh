# Sourced: images as the Dockerfile world has them, to be bases, and locks on them. The cache is the
# tests' own. Needs a registry that runs (registry_common.sh, which comes with it).
#
#   base_tar RELEASE             $TEST_CACHE/base-RELEASE.tar: that Debian with its python3
#   bare_tar RELEASE             $TEST_CACHE/base-bare-RELEASE.tar: without one
#   bake NAME FOLDER [OPTION...] builds FOLDER's Dockerfile, pushes it to $registry/NAME
#   bake_tar NAME TAR [LINE...]  the same of a tar of $TEST_CACHE, with more lines for its Dockerfile
#   root_of NAME                 its files as a folder, $root, for a chroot
#   value KEY [FILE]             of a lock
. "$top/tests/system/registry_common.sh"
need_root
for program in buildah skopeo umoci jq crun; do need "$program"; done
export SLIPWAY_CACHE=$TEST_CACHE/cache

base_tar() { debian_tar "$1" "$TEST_CACHE/base-$1.tar" --include=python3; }
bare_tar() { debian_tar "$1" "$TEST_CACHE/base-bare-$1.tar"; }

# debian_tar RELEASE FILE [OPTION...]
debian_tar() { once debian-tar make_debian_tar "$@" || exit; }
make_debian_tar() {
  local release=$1 kept=$2 mirror
  shift 2
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | head -n 1)
  if [ ! -e "$kept" ]; then
    command -v mmdebstrap >/dev/null && [ -n "$mirror" ] || skip "no mmdebstrap, or no mirror for it"
    mmdebstrap -q --variant=minbase "$@" "$release" "$kept.$$.tar" "$mirror" >"$scratch/err" 2>&1 &&
      mv "$kept.$$.tar" "$kept"
    rm -f "$kept.$$.tar"
  fi
  [ -e "$kept" ] || skip "no Debian $release from the mirror"
}

# Docker's formats, as `docker build` and `docker push` give them.
buildah_() { buildah --root "$scratch/buildah" --runroot "$scratch/buildah-run" --storage-driver overlay "$@"; }
bake() {
  local name=$1 folder=$2
  shift 2
  buildah_ bud -q --isolation chroot --format docker --layers "$@" -t "baked/$name" "$folder" >"$scratch/bake" 2>"$scratch/err" &&
    buildah_ push -q --tls-verify=false "baked/$name" "docker://$registry/$name" 2>"$scratch/err" || fail "buildah: $name"
}

bake_tar() {
  local name=$1 tar=$2
  shift 2
  mkdir -p "$scratch/images/$name"
  cp "$TEST_CACHE/$tar" "$scratch/images/$name/base.tar"
  printf '%s\n' 'FROM scratch' 'ADD base.tar /' "$@" >"$scratch/images/$name/Dockerfile"
  bake "$name" "$scratch/images/$name"
}
root_of() {
  mkdir -p "$scratch/roots"
  skopeo copy -q --src-tls-verify=false "docker://$registry/$1" "oci:$scratch/roots/oci:$1" || fail "skopeo"
  umoci unpack --image "$scratch/roots/oci:$1" "$scratch/roots/$1" >/dev/null 2>&1 || fail "umoci"
  root=$scratch/roots/$1/rootfs
}
value() { sed -n "s/^$1 = \"\(.*\)\"/\1/p" "${2:-slipway.lock}" | head -1; }

# digest_of NAME: what the registry has under that tag
digest_of() { skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/$1"; }
