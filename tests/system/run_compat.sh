#!/bin/bash
# time-out: 900
# cuda-compat of an image: when its libcuda stands in for the host's, what the loader then finds, and
# that no image can lead the run anywhere else with it. The driver is a fake (gpu_common.sh).
. "$(dirname "$0")/gpu_common.sh"
own_namespace "$0"
. "$(dirname "$0")/../cli/common.sh"
export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
need_fakes
small_image run-compat
compat=570.86.15
fake_driver 525.60.13 535.54.03 580.65.06
fake_nodes nvidiactl:195:255 nvidia0:195:0 nvidia-uvm:510:0
write_ask
folder=/usr/lib/slipway-driver
inside=/usr/local/cuda-12.8/compat

# host DRIVER CUDA GPU: what NVML says from here on
host() { printf '%s\n' "driver $1" "cuda $2" "gpu uuid=GPU-aaaa1111;minor=0;$3" >"$scratch/nvml.conf"; }
h100="name=NVIDIA H100 80GB HBM3;cc=9.0;memory=80;brand=2"
geforce="name=NVIDIA GeForce RTX 4090;cc=8.9;memory=24;brand=5"

# The package: libcuda with NVIDIA's note, and two libraries that belong to it.
note='{\"Format\": 1, \"CUDA Version\": \"12.8\", \"Driver\": [470, 535, 550], \"Device\": [1, 2, 7, 8]}'
# compat_library FILE SONAME [NOTE]
compat_library() {
  local code="int from_the_image; int cuInit(unsigned flags) { return 0; }"
  [ -z "${3:-}" ] || code="$code
asm(\".pushsection .note.cuda.fwd_compatibility,\\\"a\\\",@note\\n.balign 4\\n.long 2f-1f, 4f-3f, 1\\n\"
    \"1: .asciz \\\"NVIDIA Corporation\\\"\\n2: .balign 4\\n3: .ascii \\\"${3//\\\"/\\\\\\\"}\\\"\\n4: .balign 4\\n.popsection\");"
  echo "$code" | cc -shared -fPIC -Wl,-soname,"$2" -o "$1" -x c - || fail "cc $1"
}
# toolkit FOLDER: as NVIDIA's packages lay it out, by way of Debian's alternatives
toolkit() {
  mkdir -p "$1$inside" "$1/etc/alternatives"
  ln -s /etc/alternatives/cuda "$1/usr/local/cuda"
  ln -s /usr/local/cuda-12.8 "$1/etc/alternatives/cuda"
  compat_library "$1$inside/libcuda.so.$compat" libcuda.so.1 "${2-$note}"
  compat_library "$1$inside/libnvidia-ptxjitcompiler.so.$compat" libnvidia-ptxjitcompiler.so.1
  ln -s libcuda.so.$compat "$1$inside/libcuda.so.1"
  ln -s libcuda.so.1 "$1$inside/libcuda.so"
  ln -s libnvidia-ptxjitcompiler.so.$compat "$1$inside/libnvidia-ptxjitcompiler.so.1"
}
# image TAG FOLDER: with what is in the folder as its topmost layer
image() {
  tar -C "$2" --owner=0 --group=0 --numeric-owner -cf layer.tar . || fail "tar"
  python3 "$top/tests/system/add_layer.py" layout "layout-$1" layer.tar || fail "no layout"
  expect_ok slipway load -i "layout-$1" --tag "compat-$1:1"
  rm -rf "layout-$1" layer.tar
}
# found NAME: which file a library of that name is, in the last run
found() { jq -r --arg name "$1" '.[$name]' <<<"$out"; }
# ask TAG [FLAGS...]
ask() {
  local tag=$1
  shift
  expect_ok slipway run --rm --gpus all -v "$PWD/ask.py:/ask.py:ro" "$@" "compat-$tag:1" -- \
    env -i /usr/bin/python3 /ask.py libcuda.so.1 libcuda.so libnvidia-ptxjitcompiler.so.1 libnvidia-ml.so.1
}
# uses_image WHAT, uses_host WHAT DRIVER
uses_image() {
  assert_equal "$1: libcuda.so.1" "$inside/libcuda.so.$compat" "$(found libcuda.so.1)"
  assert_equal "$1: libcuda.so" "$inside/libcuda.so.$compat" "$(found libcuda.so)"
  assert_equal "$1: PTX" "$inside/libnvidia-ptxjitcompiler.so.$compat" "$(found libnvidia-ptxjitcompiler.so.1)"
  assert_equal "$1: NVML is the host's" "$folder/libnvidia-ml.so.$2" "$(found libnvidia-ml.so.1)"
}
uses_host() {
  for name in libcuda.so.1 libcuda.so libnvidia-ptxjitcompiler.so.1 libnvidia-ml.so.1; do
    assert_equal "$1: $name" "$folder/${name%.so*}.so.$2" "$(found $name)"
  done
}

toolkit good
image good good
host 535.54.03 12020 "$h100"
ask good
uses_image "an older driver" 535.54.03
assert_contains "it is said" "cuda-compat: the image's libcuda $compat stands in for the driver 535.54.03" "$err"
ask good --read-only
uses_image "read-only" 535.54.03
ask good --cuda-compat never
uses_host "switched off" 535.54.03
assert_lacks "nothing is said of it" cuda-compat "$err"
expect_error 2 '`--cuda-compat always` cannot be read' slipway run --cuda-compat always compat-good:1
expect_ok slipway run --rm --user 0 --gpus all -v "$PWD/ask.py:/ask.py:ro" compat-good:1 -- \
  sh -c "ldconfig && env -i /usr/bin/python3 /ask.py libcuda.so.1 libcuda.so libnvidia-ptxjitcompiler.so.1 libnvidia-ml.so.1"
uses_image "after ldconfig" 535.54.03

# The receipt names it.
expect_ok slipway run -d --name "compat-$$" --gpus all compat-good:1 -- sleep 60
expect_ok slipway inspect --json "compat-$$"
assert_equal "the receipt" "$compat $inside/libcuda.so.$compat $(sha256sum <good$inside/libcuda.so.$compat | cut -d' ' -f1)" \
  "$(jq -r '.. | objects | select(.cuda_compat?) | .cuda_compat | "\(.version) \(.path) \(.sha256)"' <<<"$out")"
assert_equal "none of the image is mounted" "" "$(bundle "compat-$$" | jq -r '.mounts[].source' | grep /compat)"
assert_contains "the bundle was looked at" /proc "$(bundle "compat-$$")"
expect_ok slipway rm --force "compat-$$"

# Not on this host: the driver's own, as without it.
host 580.65.06 13000 "$h100"
ask good
uses_host "a newer driver" 580.65.06
assert_lacks "which is no news" cuda-compat "$err"
host 525.60.13 12000 "$h100"
ask good
uses_host "a branch that the note lacks" 525.60.13
assert_contains "why" "is not used: it stands in for drivers of the branches 470, 535 or 550 alone" "$err"
host 525.60.13 11080 "$h100"
ask good
assert_contains "and what follows" "the driver itself is too old for CUDA 12.8" "$err"
host 535.54.03 12020 "$geforce"
ask good
uses_host "a GeForce" 535.54.03
assert_contains "why" "does not work on this kind of GPU, NVIDIA GeForce RTX 4090 (CUDA's error 804)" "$err"
host 535.54.03 12020 "$h100"
mkdir -p own
ask good -v "$PWD/own:/usr/local/cuda-12.8"
uses_host "a volume in its place" 535.54.03

# Without the note, the tables; with one that cannot be read, no.
toolkit silent ""
image silent silent
ask silent
uses_image "no note" 535.54.03
toolkit broken '{\"Driver\": '
image broken broken
ask broken
uses_host "a broken note" 535.54.03
assert_contains "why" "the note in its libcuda cannot be read" "$err"

# Images that want more. The host has what they point to; the run goes on with the host's driver.
canary=$scratch/canary
mkdir -p "$canary/compat"
cp good$inside/libcuda.so.$compat "$canary/compat/"
hostile() { # WHAT: the folder `bad` as an image
  image bad bad
  ask bad
  uses_host "$1" 535.54.03
  assert_lacks "$1: nothing is said" cuda-compat "$err"
  assert_lacks "$1: nothing of the host's is inside" "$canary" "$out"
  rm -rf bad
}
for target in / /etc ../../.. ../../../../../../../.. /proc/self/root /proc/1/root "$canary/compat" \
  /usr/local/cuda/compat compat; do
  mkdir -p bad/usr/local/cuda
  ln -s "$target" bad/usr/local/cuda/compat
  hostile "compat -> $target"
done
for kind in p "c 1 3" "b 7 0"; do
  mkdir -p bad/usr/local/cuda/compat
  mknod bad/usr/local/cuda/compat/libcuda.so.$compat $kind
  hostile "libcuda of the kind $kind"
done
mkdir -p bad/usr/local/cuda/compat
ln -s "$canary/compat/libcuda.so.$compat" bad/usr/local/cuda/compat/libcuda.so.$compat
hostile "libcuda that is a link to the host's"
mkdir -p bad/usr/local/cuda/compat
echo "no library" >bad/usr/local/cuda/compat/libcuda.so.$compat
hostile "libcuda that is none"
mkdir -p bad/usr/local/cuda/compat
head -c 3000 good$inside/libcuda.so.$compat >bad/usr/local/cuda/compat/libcuda.so.$compat
hostile "libcuda that is cut off"
toolkit bad
cp bad$inside/libcuda.so.$compat bad$inside/libcuda.so.570.99
hostile "two of them"
mkdir -p bad/dev bad/usr/local/cuda
cp -r good$inside bad/dev/compat
ln -s /dev/compat bad/usr/local/cuda/compat
hostile "a folder where /dev will be"
# A higher layer takes it away again.
toolkit bad
image lower bad
rm -rf bad
mkdir -p bad/usr/local/cuda-12.8
: >bad/usr/local/cuda-12.8/.wh.compat
expect_ok slipway save compat-lower:1 -o lower/
mv layout layout-of-base && mv lower layout
hostile "what was removed"
rm -rf layout && mv layout-of-base layout

# An ordinary user.
if ordinary_user ask.py compat-good:1; then
  expect_ok user_slipway run --rm --gpus all -v "$scratch/user/ask.py:/ask.py:ro" compat-good:1 -- \
    env -i /usr/bin/python3 /ask.py libcuda.so.1 libcuda.so libnvidia-ptxjitcompiler.so.1 libnvidia-ml.so.1
  uses_image "an ordinary user" 535.54.03
fi
expect_ok slipway gc --image run-compat:latest --image compat-good:1 --image compat-silent:1 --image compat-broken:1 --image compat-bad:1 --image compat-lower:1
