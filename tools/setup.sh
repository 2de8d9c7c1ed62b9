#!/bin/sh
# Installs the Debian packages that are missing: tools/setup.sh [GROUP...], all groups by default.
#
#   build   to compile Slipway and run its unit tests
#   run     what the program itself calls
#   test    the real programs that the system tests try images on
#   check   the formatter of `make check`
#   fuzz    the compiler of `make fuzz`, and its sanitizers
#
# With nothing missing it is one look into dpkg's database. Needs root or sudo otherwise, and says
# what to type where there is neither. `package=program`: the program, wherever it comes from, will
# do (a machine that has another dockerd keeps it).
set -eu

build="g++ cmake ninja-build ccache git pkg-config python3 python3-pip-whl
  libfmt-dev libssl-dev libcurl4-openssl-dev nlohmann-json3-dev libtomlplusplus-dev libcli11-dev
  doctest-dev libdeflate-dev libisal-dev liblzma-dev libbz2-dev libzstd-dev libarchive-dev libsolv-dev
  libseccomp-dev libsodium-dev libyaml-dev libfuse3-dev"
run="crun runc catatonit uidmap passt gpgv debian-archive-keyring ca-certificates"
test="apt-utils busybox-static curl gpg iproute2 jq mmdebstrap openssl patchelf podman=podman buildah=buildah containerd=containerd procps skopeo umoci unzip docker-registry
  xz-utils zstd docker.io=dockerd"
check="clang-format-14"
fuzz="clang libclang-rt-14-dev"

wanted=
for group in ${*:-build run test check}; do
  case $group in
  build | run | test | check | fuzz) eval "wanted=\"\$wanted \$$group\"" ;;
  *)
    echo "setup: there is no group \`$group\`: build, run, test, check, fuzz" >&2
    exit 2
    ;;
  esac
done

if ! command -v dpkg-query >/dev/null; then
  echo "setup: this is no Debian; install what corresponds to:" $wanted >&2
  exit 1
fi

packages=
for entry in $wanted; do
  case $entry in
  *=*) command -v "${entry#*=}" >/dev/null || [ -x "/usr/sbin/${entry#*=}" ] || packages="$packages ${entry%=*}" ;;
  *) packages="$packages $entry" ;;
  esac
done
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package} \n' $packages 2>/dev/null |
  sed -n 's/^installed / /p') || true
missing=
for package in $packages; do
  case $installed in
  *" $package "*) ;;
  *) missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
  as_root="env"
elif command -v sudo >/dev/null; then
  as_root="sudo env"
else
  echo "setup: these packages are missing, and there is no sudo. As root, type:" >&2
  echo "  apt-get install --no-install-recommends$missing" >&2
  exit 1
fi
echo "setup: installing$missing" >&2
log=$(mktemp)
install() {
  $as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing \
    >"$log" 2>&1
}
# The lists may be older than the mirror: then the first try fails, and a fresh look helps.
if ! install && ! { $as_root apt-get update -q >"$log" 2>&1 && install; }; then
  tail -n 20 "$log" >&2
  echo "setup: apt-get failed; the whole of what it said is in $log" >&2
  exit 1
fi
rm -f "$log"
