#!/bin/bash
# `slipway gpu`: list and cdi, on a host made of files with a fake NVML. tests/system/gpu_cdi.sh
# compares the CDI specification with NVIDIA's.
. "$(dirname "$0")/common.sh"
need jq
fake=$SLIPWAY_BUILD/src/gpu/libslipway_fake_nvml.so
[ -e "$fake" ] || skip "no $fake: \`make test\` builds it"
export SLIPWAY_HOST_ROOT=$scratch/host
host=$SLIPWAY_HOST_ROOT
mkdir -p "$host/usr/lib64" "$host/dev/nvidia-caps" "$host/proc/driver/nvidia-caps"

# Nothing there.
expect_error 1 "this host has no NVIDIA driver" slipway gpu list
expect_error 1 "this host has no NVIDIA driver" slipway gpu list --json
assert_equal "the object" "0 true" \
  "$(jq -r '"\(.gpus | length) \(.missing | startswith("this host has no NVIDIA driver"))"' <<<"$out")"
expect_error 1 "this host has no NVIDIA driver" slipway gpu cdi --output file.json
assert_no_file file.json
expect_error 2 "knows no \`lst\`" slipway gpu lst
expect_error 2 "\`--output\` is for" slipway gpu list --output x

# A GPU in parts, another in use.
cp "$fake" "$host/usr/lib64/libnvidia-ml.so.1"
sleep 600 &
sleeper=$!
printf '%s\n' 'driver 999.88.77' \
  'gpu name=NVIDIA A100;uuid=GPU-1;minor=1;cc=8.0;memory=40;used=1;mig=1/1/0;part=MIG-a/1/0/5/1g.5gb' \
  "gpu name=NVIDIA T4;uuid=GPU-2;minor=0;cc=7.5;memory=15;used=0.5;compute=$sleeper/100;compute=99999999/1" \
  >"$host/usr/lib64/fake_nvml.conf"
printf '%s\n' 'gpu1/gi1/access 12' 'gpu1/gi1/ci0/access 13' \
  >"$host/proc/driver/nvidia-caps/mig-minors"
for node in nvidiactl nvidia-uvm nvidia0 nvidia1 nvidia-caps/nvidia-cap12 nvidia-caps/nvidia-cap13; do
  ln -s /dev/null "$host/dev/$node"
done
mkdir -p "$host/proc/$sleeper"
echo sleep >"$host/proc/$sleeper/comm"

expect_ok slipway gpu list
assert_contains "the driver" "driver 999.88.77, CUDA up to 12.8" "$out"
assert_contains "the whole" "NVIDIA A100 8.0 1.0 of 40.0 GiB on GPU-1" "$(tr -s ' ' <<<"$out")"
assert_contains "a part" "0:0 NVIDIA A100 MIG 1g.5gb 5.0 GiB 1g.5gb MIG-a" "$(tr -s ' ' <<<"$out")"
assert_contains "who uses it" "sleep, process $sleeper, 100 MiB" "$out"
assert_contains "what has ended" "?, process 99999999, 1 MiB" "$out"
assert_contains "what is missing" "libcuda.so.999.88.77" "$err"
expect_ok slipway gpu list --json
assert_equal "a part's nodes" "12 13" \
  "$(jq -r '.gpus[0].mig_devices[0] | "\(.gpu_instance_cap) \(.compute_instance_cap)"' <<<"$out")"
assert_equal "who" "sleep null [\"compute\"] 104857600" \
  "$(jq -rc '.gpus[1].users[0] | "\(.command) \(.run) \(.kinds) \(.memory)"' <<<"$out")"

kill "$sleeper"
wait "$sleeper" 2>/dev/null

expect_ok slipway gpu cdi
assert_equal "devices" "0:0 1 GPU-2 MIG-a all" "$(jq -r '[.devices[].name] | join(" ")' <<<"$out")"
assert_equal "no hooks" 0 "$(grep -ci hook <<<"$out")"
expect_ok slipway gpu cdi --output file.json
assert_equal "the same in a file" "$out" ""
slipway gpu cdi | cmp - file.json || fail "the file is another"
rm "$host/dev/nvidia0"
expect_ok slipway gpu cdi
assert_contains "what is left out" "left out: GPU 1 (NVIDIA T4): there is no /dev/nvidia0" "$err"
expect_error 1 "" slipway gpu cdi --output /nowhere/file.json
