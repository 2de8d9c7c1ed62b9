#!/bin/bash
# time-out: 600
# `run --verify` with GPUs: CUDA has to start and to compute inside; and a run whose GPUs are taken
# away while it goes on says so. The driver is a fake (gpu_common.sh) whose kernel is one addition.
. "$(dirname "$0")/gpu_common.sh"
own_namespace "$0"
. "$(dirname "$0")/../cli/common.sh"
export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
need_fakes
version=570.86.15
name=cuda-run-$$
small_image run-cuda
mkdir "$scratch/fakes"
printf '%s\n' "driver $version" 'gpu name=Fake A;uuid=GPU-aaaa1111;minor=0;cc=9.0;memory=80' >"$scratch/nvml.conf"
fake_driver $version
fake_nodes nvidiactl:195:255 nvidia0:195:0 nvidia-uvm:510:0

# What the file /cuda.conf says: STATUS-OF-CUINIT DEVICES ADDEND
libraries=/usr/lib/$(cc -print-multiarch)
cat >cuda.c <<'C'
#include <stdio.h>
#include <string.h>
static int answers[3];
static unsigned memory;
int cuInit(unsigned flags) {
  FILE* file = fopen("/cuda.conf", "r");
  if (!file || fscanf(file, "%d %d %d", answers, answers + 1, answers + 2) != 3) return 999;
  return answers[0];
}
int cuGetErrorString(int status, const char** words) { *words = "the fake says no"; return 0; }
int cuDeviceGetCount(int* count) { *count = answers[1]; return 0; }
int cuDeviceGet(int* device, int index) { *device = index; return 0; }
int cuCtxCreate_v2(void** context, unsigned flags, int device) { *context = answers; return 0; }
int cuModuleLoadData(void** module, const char* text) {
  *module = answers;
  return strstr(text, "next_number") && strstr(text, "sm_75") ? 0 : 222;  /* old code is not taken */
}
int cuModuleGetFunction(void** function, void* module, const char* name) { return strcmp(name, "next_number"); }
int cuMemAlloc_v2(unsigned long long* place, size_t size) { *place = (unsigned long long)&memory; return 0; }
int cuLaunchKernel(void* f, unsigned a, unsigned b, unsigned c, unsigned d, unsigned e, unsigned g, unsigned h,
                   void* stream, void** given, void** extra) {
  **(unsigned**)given[0] = *(unsigned*)given[1] + answers[2];
  return 0;
}
int cuCtxSynchronize(void) { return 0; }
int cuMemcpyDtoH_v2(void* to, unsigned long long from, size_t size) { memcpy(to, (void*)from, size); return 0; }
int cuCtxDestroy_v2(void* context) { return 0; }
C
# Over the stub that the driver has: the same file, so that the mounts stay.
cc -shared -fPIC -Wl,-soname,libcuda.so.1 -o libcuda cuda.c || fail "cc"
mount --bind "$PWD/libcuda" "$libraries/libcuda.so.$version"

cuda() { echo "$1" >cuda.conf; }
verify() { out slipway run --rm --verify --gpus all -v "$PWD/cuda.conf:/cuda.conf:ro" "$@" run-cuda:latest -- sh -c 'echo ran; exit 4'; }

cuda "0 1 1"
verify
assert_equal "status" 4 "$status"
assert_contains "verified" "3 devices of the host, CUDA on 1 GPU" "$err"
assert_contains "it ran" ran "$out"
refused() { # WHAT WORDS [FLAGS]
  local what=$1 words=$2
  shift 2
  verify "$@"
  assert_equal "$what: status" 125 "$status"
  assert_contains "$what" "$words" "$err"
  assert_equal "$what: nothing ran" "" "$out"
}
cuda "100 0 0"
refused "CUDA does not start" "CUDA: cuInit: the fake says no (100)"
cuda "0 0 1"
refused "no GPU" "CUDA starts, and sees no GPU"
cuda "0 1 2"
refused "wrong results" "CUDA: GPU 0 computed 43 instead of 42"
cuda "nonsense"
refused "no answer" "cuInit: the fake says no (999)"
# Without GPUs nobody asks CUDA.
out slipway run --rm --verify --gpus none run-cuda:latest -- true
assert_equal "no GPU asked for" 0 "$status"

# Several: how they reach each other.
several() { # NVLINK-OF-B APART-OF-B WORDS [FLAGS]
  local words=$3
  printf '%s\n' "driver $version" 'gpu name=Fake A;uuid=GPU-aaaa1111;minor=0;cc=9.0;memory=80;nvlink=1' \
    "gpu name=Fake B;uuid=GPU-bbbb2222;minor=0;cc=9.0;memory=80;nvlink=$1;apart=$2" >"$scratch/nvml.conf"
  shift 3
  expect_ok slipway run --rm --gpus all "$@" run-cuda:latest -- true
  assert_contains "two GPUs" "2 GPUs: NCCL goes by $words" "$err"
}
several 1 0 "NVLink; /dev/shm "
several 2 0 "PCIe, from GPU to GPU; "
several 1 1 "shared memory (they do not reach each other); "
several 1 0 "NVLink; /dev/shm 64m, locked" --shm-size 64m
assert_contains "too little" "is little for 2 GPUs: \`--shm-size 2g\` or more" "$err"
printf '%s\n' "driver $version" 'gpu name=Fake A;uuid=GPU-aaaa1111;minor=0;cc=9.0;memory=80' >"$scratch/nvml.conf"

# Taken away by the control group, as systemd does it (version 1; version 2 has no file to write to).
cuda "0 1 1"
expect_ok slipway run -d --name "$name" --gpus all run-cuda:latest -- sleep 300
state=$(slipway inspect --json "$name" | jq -r .folder)/state.json
group=/sys/fs/cgroup/devices$(jq -r .group "$state")
expect_ok slipway ps
assert_contains "all is well" " Up " "$out"
until_lost() {
  for _ in $(seq 150); do
    slipway ps --filter "name=$name" | grep -q "lost its GPUs" && return
    sleep 0.1
  done
  fail "$1: $(slipway ps)"
}
if [ -e "$group/devices.deny" ]; then
  # All rules anew, without those that somebody else had added.
  echo a >"$group/devices.deny" && echo 'c 1:3 rwm' >"$group/devices.allow"
  until_lost "denied"
  expect_ok slipway inspect --json "$name"
  assert_contains "why" "daemon-reload" "$(jq -r '.. | .loss? // empty' <<<"$out")"
  for rule in 'c 195:255 rw' 'c 510:0 rw'; do echo "$rule" >"$group/devices.allow"; done
  for _ in $(seq 150); do
    [ "$(jq -r .loss "$state")" != "" ] || break
    sleep 0.1
  done
  assert_equal "given back" "" "$(jq -r .loss "$state")"
else
  echo "note: no control group of devices here: only the nodes are tried"
fi
expect_ok slipway rm --force "$name"
