# Sourced by tests/system/run_*.sh that need GPUs which this machine lacks: fakes in a mount namespace
# of the test's own. First of all, before cli/common.sh:
#
#   own_namespace "$0" [COMMAND...]
#
# fake_driver VERSION... puts together a driver of stubs; the file $scratch/nvml.conf says which of the
# versions is installed, and which GPUs there are (src/gpu/testing/fake_nvml.cc). fake_nodes NAME:MAJOR:MINOR... makes
# a /dev with these nodes, without a driver behind them.

own_namespace() {
  if [ -z "${FAKE_GPUS:-}" ] && [ "$(id -u)" -eq 0 ]; then
    FAKE_GPUS=yes exec unshare -m --propagation private bash "$@"
  fi
}

need_fakes() {
  need_root
  need cc
  need c++
  need jq
  [ ! -e /dev/nvidiactl ] || skip "this machine has GPUs: tests/gpu/run.sh tries them"
}

# stub NAME SONAME CODE: in $scratch/fakes
stub() {
  echo "$3" | cc -shared -fPIC -Wl,-soname,"$2" -o "$scratch/fakes/$1" -x c - || fail "cc $1"
}

# libcuda opens its sibling by the name with a version, as NVIDIA's does.
fake_driver() {
  local version
  mkdir -p "$scratch/fakes"
  c++ -std=c++20 -shared -fPIC -Wl,-soname,libnvidia-ml.so.1 -o "$scratch/libnvidia-ml" \
    -I"$top/src" "$top"/src/gpu/testing/fake_nvml*.cc -ldl || fail "c++"
  for version in "$@"; do
    cp "$scratch/libnvidia-ml" "$scratch/fakes/libnvidia-ml.so.$version"
    stub "libcuda.so.$version" libcuda.so.1 "#include <dlfcn.h>
int cuInit(unsigned flags) { return dlopen(\"libnvidia-gpucomp.so.$version\", RTLD_NOW) ? 0 : 999; }"
    stub "libnvidia-gpucomp.so.$version" "libnvidia-gpucomp.so.$version" "int nothing;"
    stub "libnvidia-ptxjitcompiler.so.$version" libnvidia-ptxjitcompiler.so.1 "int nothing;"
    ln -sf "libnvidia-ml.so.$version" "$scratch/fakes/libnvidia-ml.so.1"
  done
  touch "$scratch/nvml.conf" "$scratch/fakes/fake_nvml.conf"
  libraries=/usr/lib/$(cc -print-multiarch)
  mount -t overlay overlay -o "lowerdir=$scratch/fakes:$libraries" "$libraries" || skip "no overlay here"
  mount --bind "$scratch/nvml.conf" "$libraries/fake_nvml.conf"
}

fake_nodes() {
  local node file major minor
  mkdir "$scratch/dev"
  mount -t tmpfs -o mode=755 tmpfs "$scratch/dev"
  for node in null zero full random urandom tty ptmx fuse; do
    [ ! -e /dev/$node ] || { touch "$scratch/dev/$node" && mount --bind /dev/$node "$scratch/dev/$node"; }
  done
  mkdir "$scratch/dev/pts" "$scratch/dev/shm" "$scratch/dev/net"
  mount --bind /dev/pts "$scratch/dev/pts"
  ln -s /proc/self/fd "$scratch/dev/fd"
  for node in "$@"; do
    IFS=: read -r file major minor <<<"$node"
    mkdir -p "$(dirname "$scratch/dev/$file")"
    mknod -m 666 "$scratch/dev/$file" c "$major" "$minor"
  done
  mount --move "$scratch/dev" /dev
}

# small_image TAG: an image with Python and nothing else, and its layout in the folder `layout`
small_image() {
  project <<TOML
[image]
name = "$1"
[python]
packages = []
TOML
  expect_ok slipway lock
  expect_ok slipway build
  expect_ok slipway save -o layout/
}

# ordinary_user FILE IMAGE: an ordinary user has both, the file in $scratch/user and the image in a store of
# its own; user_slipway is the program as that user. Fails where there is none.
ordinary_user() {
  id slipway-test >/dev/null 2>&1 && command -v setpriv >/dev/null || return 1
  chmod 755 "$scratch"
  mkdir "$scratch/user" && cp "$1" "$scratch/user/"
  expect_ok slipway save "$2" --format docker -o "$scratch/user/image.tar"
  cp "$SLIPWAY" "$scratch/user/slipway-program"
  chown -R slipway-test: "$scratch/user"
  expect_ok user_slipway load -i image.tar
}
user_slipway() {
  (cd "$scratch/user" && HOME=$scratch/user SLIPWAY_HOME=$scratch/user/store \
    setpriv --reuid slipway-test --regid slipway-test --init-groups "$scratch/user/slipway-program" "$@")
}

# bundle RUN: the config.json of a run that goes on, as its runtime saw it
bundle() {
  local folder
  folder=$(slipway inspect --json "$1" | jq -r .folder)
  cat "/proc/$(jq .room_pid "$folder/state.json")/root$folder/live/bundle/config.json"
}

# ask.py: prints the files behind libraries, as a program with no variables finds them
write_ask() {
  cat >ask.py <<'PY'
import ctypes, json, os, sys
def real(name):
    try:
        ctypes.CDLL(name)
    except OSError as error:
        return str(error)
    stem = name.split(".so")[0]
    return " ".join(sorted({l.split()[-1] for l in open("/proc/self/maps") if stem in l}))
print(json.dumps({name: real(name) for name in sys.argv[1:]}))
PY
}
