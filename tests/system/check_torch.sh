#!/bin/bash
# time-out: 900
# `slipway check` on the real torch image: where torch 2.6.0 from PyPI runs and where it does not,
# from its bytes; as an image, and as a lock whose wheels are read.
. "$(dirname "$0")/../cli/common.sh"
need jq python3
export SLIPWAY_CACHE=$TEST_CACHE/cache
cp "$top"/examples/pytorch-cuda/{slipway.toml,train.py} .
expect_ok slipway lock

# check STATUS VERDICT OPTIONS...: what `check --json` answers
check() {
  local code=$1 word=$2
  shift 2
  out slipway check "$@" --json
  [ "$status" -eq "$code" ] || fail "\`check $*\` ended with $status, not $code: $err $out"
  assert_equal "\`check $*\`" "$word" "$(jq -r .verdict <<<"$out")"
}
# told LAYER SUBJECT GPU: the verdict and reason of that finding
told() {
  jq -r --arg layer "$1" --arg subject "$2" --arg gpu "$3" \
    '.findings[] | select(.layer == $layer and (.subject | startswith($subject)) and (.gpu // "") == $gpu) | .verdict + " " + .reason' \
    <<<"$out" | head -1
}
cases() {
  check 0 ok "$@" --gpu h100 --driver 550.54.15
  assert_contains "on h100" "ok native" "$(told gpu 'torch 2.6.0' h100)"
  check 0 ok "$@" --gpu l4 --driver 525
  assert_contains "on l4" "ok same major version: sm_86 runs on 8.9" "$(told gpu 'torch 2.6.0' l4)"
  check 3 broken "$@" --gpu sm_100 --driver 570
  assert_contains "on 10.0" "broken no kernel" "$(told gpu 'torch 2.6.0' sm_100)"
  check 3 broken "$@" --gpu rtx-5090 --driver 580
  assert_contains "on 12.0" "broken no kernel" "$(told gpu 'torch 2.6.0' rtx-5090)"
  check 3 broken "$@" --gpu v100 --driver 470.82.01
  assert_contains "driver 470" "broken CUDA 12.4" "$(told driver 'driver 470' '')"
}
# The lock alone: no base, no layer, the wheels' own bytes.
cases slipway.lock
check 3 broken slipway.lock --gpu h100 --glibc 2.17
assert_contains "glibc" "the host has glibc 2.17" "$out"

expect_ok slipway build --locked
cases
check 0 ok
assert_contains "the closure" "find their libraries and symbols" "$(told system '' '')"

# Warm, it reads kept facts alone: bounded memory.
/usr/bin/time -f %M "$SLIPWAY" check --gpu h100 >"$scratch/out" 2>"$scratch/memory" || fail "the check"
[ "$(tail -n 1 "$scratch/memory")" -lt 200000 ] || fail "$(cat "$scratch/memory") kB for a check"

# An extension made for another torch finds all its libraries, and not what it calls in them: the bytes
# tell, whatever its metadata says, and the loader in the image agrees.
mkdir other
for site in "$SLIPWAY_HOME"/layers/*/opt/venv/lib/python3.11/site-packages; do
  cp -al --no-clobber "$site/." other
done
[ -f other/torch/lib/libc10.so ] || fail "no unpacked torch in the store"
rm -r other/torchvision other/torchvision-*.dist-info
python3 -m pip download --quiet --no-deps --only-binary :all: --python-version 3.11 --platform manylinux1_x86_64 \
  torchvision==0.20.1 || fail "torchvision 0.20.1 cannot be fetched"
python3 -m zipfile -e torchvision-0.20.1-*.whl other
rm other/torchvision-0.20.1.dist-info/METADATA
printf 'Metadata-Version: 2.1\nName: torchvision\nVersion: 0.20.1\n' >other/torchvision-0.20.1.dist-info/METADATA
out slipway check --venv other --json
[ "$status" -eq 3 ] || fail "a torchvision of another torch: $status $out"
told=$(told system 'torchvision 0.20.1' '')
assert_contains "the symbol" "needs the symbol \`" "$told"
assert_contains "the torch" "neither torch 2.6.0 nor anything else here defines it" "$told"
out slipway run --gpus none -v "$PWD/other:/other" -- python -c \
  "import torch, ctypes; ctypes.CDLL('/other/torchvision/_C.so')"
[ "$status" -ne 0 ] || fail "the loader takes what the check refuses"
assert_contains "the loader" "undefined symbol" "$err"
rm -r other

# The build holds the image to its target.
sed -i 's/gpu    = .*/gpu    = ["b200"]/; s/driver = ">=525".*/driver = ">=570"/' slipway.toml
out slipway build
[ "$status" -eq 3 ] || fail "a build for b200 ended with $status"
