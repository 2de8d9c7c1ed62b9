#!/bin/bash
# time-out: 600
# `doctor IMAGE` multiplies in a container of the image, as far as the image and the host go.
. "$(dirname "$0")/index_common.sh"
wheels good helper torch
own_store
ask good
expect_ok slipway build

# said ID IMAGE [VARIABLE=VALUE...]: that finding about the image is in $message
said() {
  out env "${@:3}" "$SLIPWAY" doctor "$2" --json
  message=$(python3 -c '
import json, sys
print("\n".join(f["severity"] + " " + f["message"]
                for f in json.load(open(sys.argv[1]))["findings"] if f["id"] == sys.argv[2]))' \
    "$scratch/out" "$1")
  [ -n "$message" ] || fail "nothing of $1 in $out"
}
said image-no-torch cli-test
assert_equal "an image without torch" \
  'note `cli-test:latest` starts; it has no torch, so nothing was multiplied' "$message"

image=with-torch ask torch
expect_ok slipway build
if [ ! -e /dev/nvidiactl ]; then
  said image-gpu-skipped with-torch
  assert_contains "a product on the CPU" "starts and torch 9.9.0 multiplies on the CPU" "$message"
  assert_contains "and why on no GPU" "this machine has none" "$message"

  # A driver that is there, and a run that cannot have it: the run's own reason is told.
  fake=$SLIPWAY_BUILD/src/gpu/libslipway_fake_nvml.so
  [ -e "$fake" ] || skip "no $fake: \`make test\` builds it"
  host=$scratch/host
  mkdir -p "$host/usr/lib64" "$host/dev"
  cp "$fake" "$host/usr/lib64/libnvidia-ml.so.1"
  cp "$fake" "$host/usr/lib64/libcuda.so.1.2.3"
  printf '%s\n' 'driver 1.2.3' 'gpu name=Fake;minor=0;cc=9.0;memory=80' >"$host/usr/lib64/fake_nvml.conf"
  for name in nvidiactl nvidia-uvm nvidia0; do ln -s /dev/null "$host/dev/$name"; done
  said image-fails with-torch SLIPWAY_HOST_ROOT="$host"
  assert_equal "status" 3 "$status"
  assert_contains "the run's reason" '`--gpus all` cannot be had here' "$message"
fi
