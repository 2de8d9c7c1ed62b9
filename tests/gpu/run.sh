#!/bin/bash
# The true thing, on a machine with an NVIDIA GPU and its driver: tests/gpu/run.sh [IMAGE]
#
# What no fake can show: that NVML's facts are nvidia-smi's, that a container sees the GPU, that
# torch in it computes the same as the CPU, that what `check` says of this GPU is what happens, and
# that the example trains. Elsewhere it says why not and ends with 0. One line for each part: `ok`,
# `FAIL` or `skip` with the reason. Times are told and not judged.
#
# Machines with a GPU often have no network, so nothing is downloaded. It needs
#   SLIPWAY       the program, built on a machine like it (default: build/slipway of this checkout)
#   SLIPWAY_HOME  a store with IMAGE (default: pytorch-cuda:2.6), which `slipway build` filled here,
#                 or on another machine: there `tar -C "$SLIPWAY_HOME" --xattrs -cf store.tar .`, as
#                 the same user (root's and a user's store have different owners), and here
#                 `tar -C "$SLIPWAY_HOME" --xattrs -xpf store.tar`
#   crun or runc, and for an ordinary user what `slipway doctor` asks for
#   python3; nvidia-smi if it is there
# Without the image the parts that need none still run.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
SLIPWAY=${SLIPWAY:-$top/build/slipway}
image=${1:-pytorch-cuda:2.6}
failures=0

skip_all() {
  echo "skip: gpu: $1"
  exit 0
}
[ -e /dev/nvidiactl ] || [ -e /dev/dxg ] ||
  skip_all "needs an NVIDIA GPU and its driver: there is no /dev/nvidiactl and no /dev/dxg"
[ -x "$SLIPWAY" ] || skip_all "no program $SLIPWAY: \`make build\`, or set SLIPWAY"
"$SLIPWAY" --version >/dev/null 2>&1 ||
  skip_all "$SLIPWAY does not start here: $("$SLIPWAY" --version 2>&1 | head -n 1)"
command -v python3 >/dev/null || skip_all "needs python3"

work=$(mktemp -d /var/tmp/slipway-gpu.XXXXXX)
at_end() { [ "$failures" -gt 0 ] && echo "left in $work" >&2 || rm -rf "$work"; }
trap at_end EXIT
cd "$work" || exit 1

ok() { echo "ok    $1"; }
skip() { echo "skip  $1: $2"; }
fail() {
  echo "FAIL  $1: $2"
  failures=$((failures + 1))
}
# same WHAT EXPECTED ACTUAL
same() { if [ "$2" = "$3" ]; then ok "$1: $2"; else fail "$1" "expected <$2>, got <$3>"; fi; }
# answer FILE EXPRESSION: of the JSON there, as `found`
answer() { python3 -c "import json, sys; found = json.load(open(sys.argv[1])); print($2)" "$1"; }
seconds() { # COMMAND...: how long it took
  local began
  began=$(date +%s%N)
  "$@" >>seconds.log 2>&1 || return 1
  awk -v ns=$(($(date +%s%N) - began)) 'BEGIN { printf "%.2f s", ns / 1e9 }'
}
has_command() { "$SLIPWAY" "$1" --help >/dev/null 2>&1; }

# 1. What NVML says is what nvidia-smi says.
"$SLIPWAY" doctor --json >doctor.json 2>doctor.err
status=$?
"$SLIPWAY" doctor 2>/dev/null | sed 's/^/      | /'
if [ "$status" -ne 0 ] && [ "$status" -ne 3 ]; then
  fail "doctor" "ended with $status: $(cat doctor.err)"
  exit 1
fi
broken=$(answer doctor.json '", ".join(f["id"] for f in found["findings"] if f["severity"] == "broken")')
broken_gpu=$(answer doctor.json '", ".join(f["id"] for f in found["findings"] if f["severity"] == "broken" and f["layer"] in ("gpu", "driver", "devices"))')
[ -z "$broken" ] && ok "doctor finds nothing broken" || skip "doctor" "this host has: $broken"
if command -v nvidia-smi >/dev/null && nvidia-smi -L >smi.txt 2>&1; then
  smi() { nvidia-smi --query-gpu="$1" --format=csv,noheader,nounits | sed 's/^ *//; s/ *$//'; }
  of_gpus() { answer doctor.json "'\n'.join(str($1) for g in found['gpus'])"; }
  same "names of the GPUs" "$(smi name)" "$(of_gpus 'g["name"]')"
  same "their UUIDs" "$(smi uuid)" "$(of_gpus 'g["uuid"]')"
  same "their compute capability" "$(smi compute_cap)" "$(of_gpus 'g["compute_capability"]')"
  same "their memory in MiB" "$(smi memory.total)" "$(of_gpus 'g["memory"] >> 20')"
  same "their place on the bus" "$(smi pci.bus_id | tr A-F a-f | sed 's/^0000\(....:\)/\1/')" \
    "$(of_gpus 'g["pci"]')"
  same "the driver" "$(smi driver_version | head -n 1)" "$(answer doctor.json 'found["driver"]["version"]')"
else
  skip "facts beside nvidia-smi" "nvidia-smi is not there, or does not work"
fi
if [ -n "$broken_gpu" ]; then
  fail "the GPU" "cannot be used: $broken_gpu"
  exit 1
fi
capability=$(answer doctor.json 'found["gpus"][0]["compute_capability"].replace(".", "")')
driver=$(answer doctor.json 'found["driver"]["version"]')

# 2. What `check` says of this machine's own torch is what happens.
cat >multiply.py <<'PY'
import sys, torch
a = torch.randint(0, 8, (1024, 1024)).float()
b = torch.randint(0, 8, (1024, 1024)).float()
assert torch.equal(a @ b, (a.cuda() @ b.cuda()).cpu()), "the products differ"
picture = torch.randn(8, 3, 64, 64)
layer = torch.nn.Conv2d(3, 16, 3)
difference = (layer(picture) - layer.cuda()(picture.cuda()).cpu()).abs().max().item()
assert difference < 1e-2, f"cuDNN differs by {difference}"
half = (a.cuda().half() @ torch.eye(1024, device="cuda").half()).float().cpu()
assert torch.equal(half, a), "half precision differs"
print(torch.__version__, torch.cuda.get_device_name(), "multiplies")
PY
cat >nccl.py <<'PY'
import os, torch, torch.distributed as dist
os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29511", RANK="0", WORLD_SIZE="1")
dist.init_process_group("nccl")
one = torch.arange(8, device="cuda", dtype=torch.float32)
dist.all_reduce(one)
assert one.tolist() == list(range(8)), one
print("NCCL", ".".join(map(str, torch.cuda.nccl.version())), "reduces on one GPU")
dist.destroy_process_group()
PY
# agrees WHAT CHECK-STATUS RUN-STATUS: 0 beside 0, 3 beside failure; `unknown` says nothing
agrees() {
  case $2,$3 in
  0,0 | 3,[1-9]*) ok "$1: check says $2, and so it is" ;;
  1,*) skip "$1" "check does not know" ;;
  *) fail "$1" "check ended with $2, the product with $3: $(tail -n 2 run.log)" ;;
  esac
}
if ! has_command check; then
  skip "check" "this slipway has no \`check\` yet"
elif ! packages=$(python3 -c 'import os, torch; print(os.path.dirname(os.path.dirname(torch.__file__)))' 2>/dev/null); then
  skip "check of this machine's torch" "python3 here has no torch"
else
  "$SLIPWAY" check --venv "$packages" --gpu "sm_$capability" --driver "$driver" >check.log 2>&1
  checked=$?
  python3 multiply.py >run.log 2>&1
  agrees "this machine's torch" $checked $?
fi

# 3. This machine's own environment, as an image: no network is needed for that.
# in_own COMMAND...: with a store of its own, which goes with the folder
in_own() { SLIPWAY_HOME=$work/store "$SLIPWAY" "$@"; }
captured=
own=$(python3 -c 'import sys; print(sys.executable)')
if ! has_command capture; then
  skip "capture" "this slipway has no \`capture\` yet"
elif [ -z "${packages:-}" ]; then
  skip "capture of this machine's torch" "python3 here has no torch"
elif [ -n "$broken" ]; then
  skip "capture of this machine's torch" "this host has: $broken"
else
  prefix=$(python3 -c 'import sys; print(sys.prefix if sys.prefix != sys.base_prefix else "")')
  if [ -n "$prefix" ]; then what=(--venv "$prefix"); else what=(--python "$own"); fi
  if in_own capture "${what[@]}" --offline --name gpu-test:captured >capture.log 2>&1; then
    captured=gpu-test:captured
    python3 multiply.py >run.log 2>&1 && bare=$(tail -n 1 run.log) || bare="fails"
    # multiplies IMAGE: what torch in it says, or that it fails
    multiplies() {
      in_own run --rm --gpus all -v "$work/multiply.py:/tmp/multiply.py:ro" "$1" \
        "$own" /tmp/multiply.py >run.log 2>&1 && tail -n 1 run.log || echo "fails"
    }
    same "this machine's torch, captured" "$bare" "$(multiplies $captured)"
    in_own run --rm --gpus all --verify --entrypoint "" $captured -- "$own" -c pass >run.log 2>&1 &&
      ok "$(sed -n 's/^note: \(verified: .*\)/\1/p' run.log)" || fail "--verify" "$(tail -n 3 run.log)"
    in_own run --rm --gpus all --entrypoint "" -v "$work/nccl.py:/tmp/nccl.py:ro" $captured -- "$own" /tmp/nccl.py >run.log 2>&1 &&
      ok "$(tail -n 1 run.log)" || fail "NCCL on one GPU" "$(tail -n 3 run.log)"
  else
    fail "capture of this machine's torch" "$(grep '^error' capture.log)"
  fi
fi

# 4. Made small for this GPU it computes the same; made small for others it fails, as `check` says.
# sizes FILE: of `slim --json`
sizes() { answer "$1" '"{:.2f} GB for {:.2f}, compressed {:.2f} for {:.2f}".format(*(found[k] / 1e9 for k in ("unpacked_after", "unpacked_before", "compressed_after", "compressed_before")))'; }
# slim_agrees GPU: an image for it does here what `check` says of it
slim_agrees() {
  in_own check "gpu-test:for-$1" --gpu "sm_$capability" --driver "$driver" >check.log 2>&1
  local checked=$? found
  found=$(multiplies "gpu-test:for-$1")
  if [ "$found" = fails ]; then agrees "slim for $1" $checked 1; else agrees "slim for $1" $checked 0; fi
}
if [ -z "$captured" ]; then
  skip "slim" "there is no captured image"
else
  for gpu in "sm_$capability" a100 b200; do
    if in_own slim $captured --gpu "$gpu" -t "gpu-test:for-$gpu" --json >slim.json 2>slim.err; then
      echo "      slim for $gpu: $(sizes slim.json)"
      slim_agrees "$gpu"
    else # this torch has no code for it
      skip "slim for $gpu" "$(grep '^error' slim.err | head -n 1)"
    fi
  done
  same "torch slim for this GPU" "$bare" "$(multiplies "gpu-test:for-sm_$capability")"
fi

# 5. Containers of the image, or where it is not there, of the captured one.
python=python3
if ! "$SLIPWAY" inspect "$image" >/dev/null 2>inspect.err; then
  echo "      $(sed -n 's/^error: //p' inspect.err); see the head of tests/gpu/run.sh for how to bring it"
  if [ -n "$captured" ]; then
    export SLIPWAY_HOME=$work/store
    image=$captured python=$own
  else
    image=
  fi
fi
if [ -z "$image" ]; then
  skip "everything in a container" "there is no image"
elif [ -n "$broken" ]; then
  skip "everything in a container" "this host has: $broken"
else
  if "$SLIPWAY" run --gpus all "$image" -- nvidia-smi -L >inside.txt 2>run.log; then
    [ -s smi.txt ] && same "nvidia-smi in a container" "$(cat smi.txt)" "$(cat inside.txt)"
  else
    fail "nvidia-smi in a container" "$(tail -n 2 run.log)"
  fi
  "$SLIPWAY" run --gpus all -v "$work/multiply.py:/tmp/multiply.py:ro" "$image" -- $python /tmp/multiply.py >run.log 2>&1
  ran=$?
  [ $ran -eq 0 ] && ok "$(tail -n 1 run.log)" || fail "torch in a container" "$(tail -n 3 run.log)"
  "$SLIPWAY" check "$image" --gpu "sm_$capability" --driver "$driver" >check.log 2>&1
  agrees "the image" $? $ran
  "$SLIPWAY" doctor "$image" --json >probe.json 2>probe.err
  same "doctor with the image" "image-multiplies" \
    "$(answer probe.json '", ".join(sorted({f["id"] for f in found["findings"] if f["layer"] == "image"}))')"
  same "no GPU where none was asked for" False \
    "$("$SLIPWAY" run --gpus none "$image" -- $python -c 'import torch; print(torch.cuda.is_available())' 2>&1 | tail -n 1)"

  mkdir out
  if "$SLIPWAY" run --gpus all -v "$work/out:/workspace/out" -v "$top/examples/pytorch-cuda/train.py:/tmp/train.py:ro" \
    "$image" -- $python /tmp/train.py --out /workspace/out >train.log 2>&1; then
    same "the training ran on" "device cuda" "$(sed -n 's/^\(device [a-z]*\).*/\1/p' train.log)"
    [ -s out/loss.png ] && [ -s out/model.pt ] && ok "$(grep '^held-out' train.log)" ||
      fail "the training" "left no loss.png or model.pt"
    same "whose the checkpoint is" "$(id -u)" "$(stat -c %u out/model.pt)"
  elif grep -q "No module named" train.log; then
    skip "the training" "$(tail -n 1 train.log)"
  else
    fail "the training" "$(tail -n 3 train.log)"
  fi
  echo "      start of a container without GPUs $(seconds "$SLIPWAY" run --gpus none "$image" -- $python -c pass), with all $(seconds "$SLIPWAY" run --gpus all "$image" -- $python -c pass)"
fi

# 6. What a container costs.
if [ -z "$captured" ]; then
  skip "what a container costs" "there is no captured image"
else
  echo "      what a container costs, beside this machine bare:"
  SLIPWAY_HOME=$work/store python3 "$top/bench/gpu_overhead.py" --slipway "$SLIPWAY" --image $captured \
    --python "$own" --rounds "${ROUNDS:-8}" --seconds 2 >overhead.log 2>&1
  case $? in
  0) ok "every interval lies within 0.5 %" ;;
  *) skip "every interval within 0.5 %" "not on this machine, today" ;;
  esac
  sed 's/^/      | /' overhead.log
fi
[ "$failures" -eq 0 ] || exit 1
