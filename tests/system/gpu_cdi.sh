#!/bin/bash
# time-out: 900
# `slipway gpu cdi` beside NVIDIA's own `nvidia-ctk cdi generate --disable-hook=all`: the same driver,
# built here of stubs and a fake NVML, must give the same devices, mounts and environment. What is
# deliberately different stands in docs/formats/gpu.md, and is checked to be just that:
#
#   1. libraries under their SONAMEs and development names too (cdi_compare.py)
#   2. a GPU without its node is left out; nvidia-ctk then writes nothing
#   3. libraries for other processors are passed over; nvidia-ctk mounts any file of that name
#
# Podman then gives a container what the file says. Both Go programs are built once, from the module proxy that this host's Go is configured with.
if [ -z "${CDI_PRIVATE:-}" ] && [ "$(id -u)" -eq 0 ]; then
  CDI_PRIVATE=yes exec unshare -m --propagation private bash "$0"
fi
. "$(dirname "$0")/../cli/common.sh"
need_root
need go
need cc
need python3
need jq
[ ! -e /dev/nvidiactl ] || skip "this machine has GPUs: its own files would mix with the fakes"
fake=$SLIPWAY_BUILD/src/gpu/libslipway_fake_nvml.so
[ -e "$fake" ] || skip "no $fake: \`make test\` builds it"
unset XDG_DATA_DIRS

toolkit=v1.20.1 library=v1.1.1
tools=$TEST_CACHE/cdi-$toolkit-$library
# Network and compiler are the host's; what they give stands in the cache under its versions.
build_tools() {
  local work=$scratch/go
  mkdir -p "$work/bin" "$work/validator"
  GOBIN=$work/bin go install "github.com/NVIDIA/nvidia-container-toolkit/cmd/nvidia-ctk@$toolkit" &&
    cp "$top/tests/system/cdi_validator/main.go" "$work/validator/" &&
    cd "$work/validator" && go mod init validator &&
    go get "tags.cncf.io/container-device-interface@$library" && go mod tidy &&
    go build -o "$work/bin/validator" . &&
    rm -rf "$tools" && mkdir -p "$(dirname "$tools")" && cp -r "$work/bin" "$tools"
}
if [ ! -x "$tools/validator" ]; then
  (build_tools) >"$scratch/go.log" 2>&1 ||
    skip "go cannot build nvidia-ctk $toolkit here: $(tail -n 1 "$scratch/go.log")"
fi

version=999.88.77
libraries=/usr/lib/$(cc -print-multiarch)
names=$scratch/names
h100='cc=9.0;memory=80'

# stub PATH SONAME [NAME...]: a library of that driver; NAMEs are its names for the loader
stub() {
  mkdir -p "$(dirname "$root$1")"
  echo 'int nothing;' | cc -shared -fPIC -Wl,-soname,"$2" -o "$root$1" -x c - || fail "cc $1"
  local name
  for name in "${@:3}"; do
    printf '%s\t%s\n' "$(dirname "$1")/$name" "$1" >>"$names"
    ln -sf "$(basename "$1")" "$root$(dirname "$1")/$name"
  done
}
put() { mkdir -p "$(dirname "$root$1")" && echo text >"$root$1"; }
node() { # NAME MAJOR MINOR [MODE [GROUP]]
  mkdir -p "$(dirname "$root/dev/$1")"
  mknod -m "${4:-666}" "$root/dev/$1" c "$2" "$3"
  chgrp "${5:-0}" "$root/dev/$1"
}
nvml() { printf '%s\n' "driver $version" "$@" >"$root$libraries/fake_nvml.conf"; }

# driver ROOT: everything that a driver may bring, without GPUs
driver() {
  root=$1
  : >"$names"
  stub $libraries/libcuda.so.$version libcuda.so.1 libcuda.so.1 libcuda.so
  stub $libraries/libnvidia-gpucomp.so.$version libnvidia-gpucomp.so.$version libnvidia-gpucomp.so
  stub $libraries/libGLX_nvidia.so.$version libGLX_nvidia.so.0 libGLX_nvidia.so.0
  stub $libraries/vdpau/libvdpau_nvidia.so.$version libvdpau_nvidia.so.1 libvdpau_nvidia.so.1
  stub $libraries/libnvidia-egl-gbm.so.1.1.2 libnvidia-egl-gbm.so.1 libnvidia-egl-gbm.so.1
  stub $libraries/libcuda.so.888.1 libcuda.so.1
  stub $libraries/libunrelated.so.3 libunrelated.so.3
  rm -f "$root$libraries/libcuda.so.1" && ln -s libcuda.so.$version "$root$libraries/libcuda.so.1"
  cp "$fake" "$root$libraries/libnvidia-ml.so.$version"
  ln -s libnvidia-ml.so.$version "$root$libraries/libnvidia-ml.so.1"
  # The fake has no SONAME.
  printf '%s\t%s\n' $libraries/libnvidia-ml.so $libraries/libnvidia-ml.so.$version >>"$names"
  for program in smi debugdump persistenced cuda-mps-control cuda-mps-server imex; do
    put /usr/bin/nvidia-$program
    chmod 755 "$root/usr/bin/nvidia-$program"
  done
  put /usr/bin/nvidia-imex-ctl # nobody may run it
  put /lib/firmware/nvidia/$version/gsp_ga10x.bin
  put /lib/firmware/nvidia/1.2/gsp_ga10x.bin
  put /usr/share/nvidia/nvoptix.bin
  put /usr/share/glvnd/egl_vendor.d/10_nvidia.json
  put /etc/vulkan/icd.d/nvidia_icd.json
  put /usr/share/vulkan/icd.d/nvidia_icd.json
  put /etc/OpenCL/vendors/nvidia.icd
  put $libraries/nvidia/xorg/nvidia_drv.so
  sockets "$root"
  for name in nvidiactl:255 nvidia-modeset:254; do node ${name%:*} 195 ${name#*:}; done
  node nvidia-uvm 510 0
  node nvidia-uvm-tools 510 1
}
sockets() {
  local name
  for name in persistenced fabricmanager; do
    mkdir -p "$1/run/nvidia-$name"
    (cd "$1/run/nvidia-$name" && python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")')
  done
}
# theirs WORDS...
theirs() {
  "$tools/nvidia-ctk" cdi generate --disable-hook=all --format=json "$@" \
    >"$scratch/theirs.json" 2>"$scratch/theirs.log"
}
# same CASE [--driver-root=DIR]: both agree, and CDI's own library takes ours
same() {
  expect_ok slipway gpu cdi "${@:2}" --output "$scratch/ours.json"
  theirs "${@:2}" || fail "$1: nvidia-ctk: $(tail -n 1 "$scratch/theirs.log")"
  python3 "$top/tests/system/cdi_compare.py" "$scratch/ours.json" "$scratch/theirs.json" "$names" \
    >"$scratch/compared" 2>&1 || fail "$1: $(cat "$scratch/compared")"
  expect_ok "$tools/validator" "$scratch/ours.json"
  assert_contains "$1: what CDI's library reads" "nvidia.com/gpu [" "$out"
  echo "$1: $out"
}

# A driver root elsewhere.
driver "$scratch/driver"
for i in 0 1 2 3 4 5 6 7; do node nvidia$i 195 $i; done
nvml "gpu name=A;uuid=GPU-a;minor=0;bus=0000:41:00.0;$h100"
same "one GPU" --driver-root="$root"

for i in 7 6 5 4 3 2 1 0; do echo "gpu name=A;uuid=GPU-$i;minor=$i;bus=0000:4$i:00.0;$h100"; done >"$scratch/eight"
mapfile -t eight <"$scratch/eight"
nvml "${eight[@]}"
same "eight GPUs" --driver-root="$root"

# Nodes for a group alone.
rm "$root"/dev/nvidia[23]
node nvidia2 195 2 660 44
node nvidia3 195 3 664 45
same "nodes of a group" --driver-root="$root"

# Missing nodes: those of all GPUs, then that of one.
rm "$root"/dev/nvidia-uvm-tools "$root"/dev/nvidia-modeset "$root"/dev/nvidia-uvm
same "missing nodes" --driver-root="$root"
rm "$root/dev/nvidia5"
theirs --driver-root="$root" && fail "nvidia-ctk writes something for a GPU without a node"
expect_ok slipway gpu cdi --driver-root="$root"
assert_contains "the GPU without a node" "left out: GPU 2 (A): there is no /dev/nvidia5" "$err"
assert_equal "the others" "0 1 3 4 5 6 7" \
  "$(jq -r '[.devices[].name | select(test("^[0-9]+$"))] | join(" ")' <<<"$out")"
node nvidia5 195 5

# A library for another processor.
cp "$root$libraries/libcuda.so.$version" "$root$libraries/libnvidia-foreign.so.$version"
printf '\x16\x00' | dd of="$root$libraries/libnvidia-foreign.so.$version" bs=1 seek=18 conv=notrunc status=none
theirs --driver-root="$root"
expect_ok slipway gpu cdi --driver-root="$root"
assert_contains "theirs" libnvidia-foreign "$(cat "$scratch/theirs.json")"
assert_lacks "ours" libnvidia-foreign "$out"
rm "$root$libraries/libnvidia-foreign.so.$version"

# MIG and graphics nodes: what the kernel says of them stands in /proc and /sys, so those are fakes.
[ -d /proc/driver ] && [ -d /sys/bus/pci ] && mount -t tmpfs none /proc/driver 2>/dev/null &&
  mount -t tmpfs none /sys/bus/pci 2>/dev/null || skip "nothing can be mounted on /proc and /sys here"
mkdir -p /proc/driver/nvidia-caps /sys/bus/pci/devices/0000:4{1,2}:00.0/drm/{card0,renderD128}
mv /sys/bus/pci/devices/0000:42:00.0/drm/{card0,card1}
mv /sys/bus/pci/devices/0000:42:00.0/drm/{renderD128,renderD129}
printf '%s\n' 'config 1' 'monitor 2' 'gpu1/gi1/access 12' 'gpu1/gi1/ci0/access 13' 'gpu1/gi5/access 48' \
  'gpu1/gi5/ci0/access 49' 'gpu1/gi5/ci1/access 50' >/proc/driver/nvidia-caps/mig-minors
for i in 1 2 12 13 48 49 50; do node nvidia-caps/nvidia-cap$i 240 $i 444; done
for i in 0 1; do node dri/card$i 226 $i; done
for i in 128 129; do node dri/renderD$i 226 $i; done
# divided PROFILE: a GPU of three parts, two of them in one GPU instance
divided() {
  echo "gpu name=A;uuid=GPU-a;minor=1;bus=0000:41:00.0;$h100;mig=1/1/0;part=MIG-a/1/0/10/$1;\
part=MIG-b/5/0/10/1c.2g.20gb;part=MIG-c/5/1/10/1c.2g.20gb"
}
nvml "$(divided 1g.10gb)" "gpu name=B;uuid=GPU-b;minor=0;bus=0000:42:00.0;$h100"
same "MIG" --driver-root="$root"
nvml "$(divided 1g.10gb+gfx)" "gpu name=B;uuid=GPU-b;minor=0;bus=0000:42:00.0;mig=0/0/0;$h100"
same "MIG with graphics" --driver-root="$root"

# A driver at the root of the host.
nvml "${eight[@]}"
devices=$scratch/dev
mount -t tmpfs -o mode=755 none "$scratch/driver/run" && sockets "$scratch/driver"
mkdir "$devices" "$scratch/etc" "$scratch/etc.work"
mount -t tmpfs -o mode=755 none "$devices"
mkdir "$devices/pts" "$devices/shm"
cp -a /dev/{null,zero,full,random,urandom,tty} "$root"/dev/* "$devices/"
mount -t overlay none -o "lowerdir=$root/usr:/usr" /usr 2>/dev/null &&
  mount -t overlay none -o \
    "lowerdir=$root/etc:/etc,upperdir=$scratch/etc,workdir=$scratch/etc.work" /etc 2>/dev/null || skip "no overlay here"
mount -n --move "$root/run" /run
mount -n --move "$devices" /dev
# The firmware of this driver is not there then: /lib of the root is a folder, of the host a link.
same "a driver at the root"

# Podman takes it: what it hands to its runtime, here a script that keeps it, has what the file says.
command -v podman >/dev/null || exit 0
mkdir -p /etc/cdi "$scratch/tree"
chmod 666 /dev/nvidia[23] # podman 4 knows no additionalGids
expect_ok slipway gpu cdi --output /etc/cdi/nvidia.json
assert_equal "the version for old engines" 0.5.0 "$(jq -r .cdiVersion /etc/cdi/nvidia.json)"
cat >"$scratch/runtime" <<RUNTIME
#!/bin/bash
while [ \$# -gt 0 ]; do
  case \$1 in --bundle | -b) cp "\$2/config.json" "$scratch/config.json" ;; esac
  shift
done
exit 1
RUNTIME
chmod +x "$scratch/runtime"
podman --root "$scratch/podman" --runroot /run/p --runtime "$scratch/runtime" \
  run --rm --network none --device nvidia.com/gpu=GPU-6 --rootfs "$scratch/tree" /bin/true >"$scratch/podman.log" 2>&1
assert_file "$scratch/config.json"
assert_equal "podman's nodes" "/dev/nvidia6 /dev/nvidiactl" \
  "$(jq -r '[.linux.devices[].path | select(startswith("/dev/nvidia"))] | sort | join(" ")' "$scratch/config.json")"
assert_equal "podman's variable" true \
  "$(jq '.process.env | any(. == "NVIDIA_VISIBLE_DEVICES=void")' "$scratch/config.json")"
jq -r '.containerEdits.mounts[].containerPath' /etc/cdi/nvidia.json | sort >wanted
jq -r '.mounts[].destination' "$scratch/config.json" | sort >given
[ "$(wc -l <wanted)" -gt 10 ] || fail "the specification has few mounts: $(cat wanted)"
assert_equal "mounts that podman leaves out" "" "$(comm -23 wanted given)"
umount "$scratch/podman/overlay" 2>/dev/null || true
