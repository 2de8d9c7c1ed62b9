#!/bin/bash
# time-out: 600
# --gpus on WSL2: one node, the folder of Linux libraries, and the Windows driver's folder at its own
# path, where the libcuda of the former opens the true one. All fakes (gpu_common.sh).
. "$(dirname "$0")/gpu_common.sh"
own_namespace "$0"
. "$(dirname "$0")/../cli/common.sh"
export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
need_fakes
small_image run-wsl
store=/usr/lib/wsl/drivers/nv_dispi.inf_amd64_0123456789abcdef
mkdir "$scratch/fakes" "$scratch/lib" "$scratch/lib/wsl"
stub libcuda.so.1.1 libcuda.so.1 "int cuInit(unsigned flags) { return 42; }"
stub libdxcore.so libdxcore.so "int nothing;"
# As Microsoft's: it asks dxcore, and opens the driver by its whole path.
stub loader libcuda.so.1 "#include <dlfcn.h>
int cuInit(unsigned flags) {
  if (!dlopen(\"libdxcore.so\", RTLD_NOW)) return 1;
  void* driver = dlopen(\"$store/libcuda.so.1.1\", RTLD_NOW);
  return driver ? ((int (*)(unsigned))dlsym(driver, \"cuInit\"))(flags) : 2;
}"
c++ -std=c++20 -shared -fPIC -Wl,-soname,libnvidia-ml.so.1 -o "$scratch/fakes/libnvidia-ml.so.1" \
  -I"$top/src" "$top"/src/gpu/testing/fake_nvml*.cc -ldl || fail "c++"
mount -t overlay overlay -o "lowerdir=$scratch/lib:/usr/lib" /usr/lib || skip "no overlay here"
mount -t tmpfs tmpfs /usr/lib/wsl
mkdir -p /usr/lib/wsl/lib $store /usr/lib/wsl/drivers/iigd_dch.inf_amd64_1
cd "$scratch/fakes" && cp libdxcore.so libnvidia-ml.so.1 /usr/lib/wsl/lib && cp libcuda.so.1.1 $store
for name in libcuda.so libcuda.so.1 libcuda.so.1.1; do cp loader /usr/lib/wsl/lib/$name; done # no links there
cd "$scratch/project" || exit 1
echo code >$store/nvcubins.bin
echo 'int puts(const char*); int main(void) { return puts("smi") < 0; }' | cc -x c -o /usr/lib/wsl/lib/nvidia-smi - || fail "cc"
printf '%s\n' "driver 999.88.77" "gpu name=Fake A;uuid=GPU-aaaa1111;minor=0;cc=8.9;memory=24" >/usr/lib/wsl/lib/fake_nvml.conf
fake_nodes dxg:10:125

check="env -i /usr/bin/python3 -c 'import ctypes; print(ctypes.CDLL(\"libcuda.so.1\").cuInit(0), ctypes.CDLL(\"libcuda.so\").cuInit(0))'"
expect_ok slipway run --rm --gpus all -- sh -c "$check; ls $store; ls /usr/lib/wsl/drivers; nvidia-smi; ls /dev; touch $store/x 2>&1; true"
assert_contains "the true libcuda, by its own path" "42 42" "$out"
assert_contains "its other files" nvcubins.bin "$out"
assert_lacks "not other makers' drivers" iigd "$out"
assert_contains "nvidia-smi" smi "$out"
assert_equal "one node" dxg "$(grep -x 'dxg\|nvidia.*' <<<"$out" | grep -v nvcubins)"
assert_contains "read-only" "Read-only file system" "$out"
expect_ok slipway run --rm --device nvidia.com/gpu=all -- sh -c "$check"
assert_equal "by CDI's name" "42 42" "$out"
for which in 1 device=0 GPU-aaaa1111; do
  expect_error 125 "on WSL2 all GPUs are one device" slipway run --gpus $which -- true
done
rm $store/libcuda.so.1.1
expect_error 125 "libcuda.so.1.1 in /usr/lib/wsl/drivers is missing" slipway run --gpus all -- true
expect_ok slipway run --rm -- true
expect_ok slipway gc --image run-wsl:latest
