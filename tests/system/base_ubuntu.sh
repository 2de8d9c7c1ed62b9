#!/bin/bash
# time-out: 1500
# `[base] apt` on Ubuntu itself: its releases of four and two years ago as they were first published,
# with the archive of today, as images of CUDA have them. apt in a chroot of the same base chooses the
# same packages; the image runs here and in docker, and is content with itself.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/base_common.sh"
. "$top/tests/system/apt_common.sh"
need mmdebstrap
need curl

# The archives' addresses are those that mmdebstrap knows.
known_as() { sed -n "s/.*\\\$$1 *= '\(http[^']*\/ubuntu\)';.*/\1/p" "$(command -v mmdebstrap)" | head -n 1; }
archive=$(known_as mirror) security=$(known_as secmirror)
[ -n "$archive" ] && [ -n "$security" ] || skip "mmdebstrap knows no archive of Ubuntu"
curl -sf --max-time 30 -o /dev/null "$archive/dists/jammy/Release" || skip "Ubuntu's archive cannot be reached"

# ubuntu_tar RELEASE: what its images have in it, and where they look for packages. That its files
# are Ubuntu's own is not checked here: its keys are in the image, and Slipway has to use them.
ubuntu_tar() { once "ubuntu-tar-$1" make_ubuntu_tar "$1" || exit; }
make_ubuntu_tar() {
  local kept=$TEST_CACHE/base-ubuntu-$1.tar
  [ -e "$kept" ] && return
  mmdebstrap -q --variant=minbase --include=apt,ubuntu-keyring --customize-hook="copy-in $scratch/sources/$1/etc /" "$1" "$kept.$$.tar" \
    "deb [trusted=yes] $archive $1 main" >"$scratch/err" 2>&1 && mv "$kept.$$.tar" "$kept"
  rm -f "$kept.$$.tar"
  [ -e "$kept" ] || fail "no Ubuntu $1: $(tail -3 "$scratch/err")"
}
mkdir -p "$scratch/sources/jammy/etc/apt" "$scratch/sources/noble/etc/apt/sources.list.d"
for pocket in jammy jammy-updates; do echo "deb $archive $pocket main universe"; done >"$scratch/sources/jammy/etc/apt/sources.list"
echo "deb $security jammy-security main universe" >>"$scratch/sources/jammy/etc/apt/sources.list"
: >"$scratch/sources/noble/etc/apt/sources.list"
cat >"$scratch/sources/noble/etc/apt/sources.list.d/ubuntu.sources" <<E2
Types: deb
URIs: $archive
Suites: noble noble-updates
Components: main universe
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg

Types: deb
URIs: $security
Suites: noble-security
Components: main universe
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg
E2
start_registry registry "$(find_registries | head -1)"

# takes RELEASE VERSION PYTHON GLIBC
takes() {
  local release=$1 version=$2 python=$3 glibc=$4
  ubuntu_tar "$release"
  bake_tar "$release" "base-ubuntu-$release.tar"
  project <<TOML
[image]
name = "on-$release"
[base]
image = "$registry/$release"
apt = ["git", "libgl1"]
[python]
packages = ["numpy"]
TOML
  expect_ok slipway lock
  assert_contains "what lock says of $release" "packages, on \`$registry/$release\` with Python $python." "$err"
  assert_contains "what lock says of $release" " and glibc $glibc" "$err"
  assert_lacks "hosts in the lock" "://" "$(grep -v '^image = ' slipway.lock)"

  root_of "$release"
  cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null
  chroot "$root" apt-get update >"$scratch/apt" 2>&1 || fail "apt-get update: $(tail -3 "$scratch/apt")"
  apt_would "$root" git libgl1 python3 ca-certificates >apt
  locked_debs >ours
  [ -s ours ] && diff apt ours >difference || fail "apt would choose otherwise on $release: $(cat difference)"

  expect_ok slipway build
  inside() { expect_ok slipway run --user 0 "on-$release" -- sh -c "$1"; }
  inside '. /etc/os-release; echo "$ID $VERSION_ID"'
  assert_equal "the system in $release" "ubuntu $version" "$out"
  inside 'python -c "import numpy, sys; print(numpy.ones(3).sum(), *sys.version_info[:2], sys.base_prefix)"'
  assert_equal "Python in $release" "3.0 ${python/./ } /usr" "$out"
  inside 'python -c "import ssl
bundle = ssl.get_default_verify_paths().capath + \"/ca-certificates.crt\"
print(len(ssl.create_default_context(cafile=bundle).get_ca_certs()) > 50)"'
  assert_equal "certificates in $release" True "$out"
  inside 'git --version && ldconfig -p | grep -c "libGL.so.1 "'
  assert_contains "git in $release" "git version" "$out"
  inside 'dpkg --audit && apt-get check >/dev/null && dpkg-query -W -f "\${db:Status-Abbrev}\n" | sort -u'
  assert_equal "what dpkg and apt say in $release" "ii " "$out"
  expect_ok slipway sbom "on-$release"
  assert_contains "sbom of $release" "pkg:deb/ubuntu/git@" "$out"
  out slipway check --gpu a100 "on-$release"
  assert_contains "check of $release" "find their libraries and symbols" "$out"
  expect_ok slipway verify
  expect_ok slipway save "on-$release" -o "$release.tar"
}
takes jammy 22.04 3.10 2.35
takes noble 24.04 3.12 2.39

if command -v dockerd >/dev/null; then
  . "$top/tests/system/dockerd.sh"
  start_dockerd
  trap 'stop_dockerd; stop_registries; at_end' EXIT
  for release in jammy noble; do
    docker load -q -i "$release.tar" >out 2>"$scratch/err" || fail "docker does not load $release"
    assert_equal "docker's run of $release" "3.0" "$(docker run --rm --network none "on-$release" python -c 'import numpy; print(numpy.ones(3).sum())' 2>"$scratch/err")"
    assert_equal "docker's dpkg in $release" "" "$(docker run --rm --network none -u 0 "on-$release" dpkg --audit 2>&1)"
  done
  stop_dockerd
fi
echo ok
