# Sourced: images as the Dockerfile world has them, to be bases. Needs registry_common.sh and a
# registry that runs.
#
#   base_tar RELEASE             $TEST_CACHE/base-RELEASE.tar: that Debian with its python3
#   bare_tar RELEASE             $TEST_CACHE/base-bare-RELEASE.tar: without one
#   bake NAME FOLDER [OPTION...] builds FOLDER's Dockerfile, pushes it to $registry/NAME
need buildah
. "$(dirname "${BASH_SOURCE[0]}")/once_common.sh"

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

# digest_of NAME: what the registry has under that tag
digest_of() { skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/$1"; }
