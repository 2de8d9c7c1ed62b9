#!/bin/bash
# time-out: 600
# --gpus all: the driver's folder, found by the loader without a variable, a hook or a copy.
#
# The GPUs are fakes: gpu_common.sh tells how.
. "$(dirname "$0")/gpu_common.sh"
own_namespace "$0"
. "$(dirname "$0")/../cli/common.sh"
export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
need umoci
need_fakes
version=999.88.77
name=gpu-run-$$
folder=/usr/lib/slipway-driver

small_image run-gpu
mkdir "$scratch/fakes"
stub libcuda.so.888.1 libcuda.so.1 "int left_over;"
printf '%s\n' "driver $version" 'gpu name=Fake A;uuid=GPU-aaaa1111;minor=3;cc=9.0;memory=80' \
  'gpu name=Fake B;uuid=GPU-bbbb2222;minor=1;cc=8.0;memory=40' >"$scratch/nvml.conf"
fake_driver $version
fake_nodes nvidiactl:195:255 nvidia3:195:3 nvidia1:195:1 nvidia2:195:2 nvidia-uvm:510:0
# As the images of cloud hosts have it: in a place of its own, with a script where it is looked for.
mkdir -p "$scratch/cloud/nvidia/bin" "$scratch/wrapped"
echo 'int puts(const char*); int main(int n, char** words) { return puts(n > 1 ? words[1] : "") < 0; }' |
  cc -x c -o "$scratch/cloud/nvidia/bin/nvidia-smi" - || fail "cc"
printf '#!/bin/sh\nexec /usr/local/nvidia/bin/nvidia-smi "$@"\n' >"$scratch/wrapped/nvidia-smi"
chmod 755 "$scratch/wrapped/nvidia-smi"
mount -t overlay overlay -o "lowerdir=$scratch/cloud:/usr/local" /usr/local
mount -t overlay overlay -o "lowerdir=$scratch/wrapped:/usr/bin" /usr/bin

cat >ask.py <<'PY'
import ctypes, json, os, sys
def real(name):
    ctypes.CDLL(name)
    stem = name.split(".so")[0]
    return sorted({l.split()[-1] for l in open("/proc/self/maps") if stem in l})
try:
    print(json.dumps({
        "environment": {k: v for k, v in os.environ.items() if k.startswith(("LD_", "NVIDIA_V"))},
        "libcuda.so.1": real("libcuda.so.1"), "libcuda.so": real("libcuda.so"),
        "libnvidia-ml.so.1": real("libnvidia-ml.so.1"),
        "cuInit": ctypes.CDLL("libcuda.so.1").cuInit(0),
        "folder": sorted(os.listdir("/usr/lib/slipway-driver")),
        "nodes": sorted(n for n in os.listdir("/dev") if n.startswith("nvidia"))}))
except OSError as error:
    print(error)
PY
cuda="[\"$folder/libcuda.so.$version\"]"
# found WHAT: what the script inside said, with no variable to help it
found() {
  jq . <<<"$out" >/dev/null 2>&1 || fail "$1: $out"
  assert_equal "$1: libcuda.so.1" "$cuda" "$(jq -c '."libcuda.so.1"' <<<"$out")"
  assert_equal "$1: libcuda.so" "$cuda" "$(jq -c '."libcuda.so"' <<<"$out")"
  assert_equal "$1: NVML" "[\"$folder/libnvidia-ml.so.$version\"]" "$(jq -c '."libnvidia-ml.so.1"' <<<"$out")"
  assert_equal "$1: a library's own sibling" 0 "$(jq .cuInit <<<"$out")"
  assert_equal "$1: nodes by minor" '["nvidia-uvm","nvidia1","nvidia3","nvidiactl"]' "$(jq -c .nodes <<<"$out")"
}
ask="env -i /usr/bin/python3 /v/ask.py"

expect_ok slipway run --rm --gpus all -v "$PWD:/v" -- $ask
found "our image"
assert_equal "the folder" "libcuda.so libcuda.so.1 libcuda.so.$version libnvidia-gpucomp.so libnvidia-gpucomp.so.$version libnvidia-ml.so libnvidia-ml.so.1 libnvidia-ml.so.$version libnvidia-ptxjitcompiler.so libnvidia-ptxjitcompiler.so.1 libnvidia-ptxjitcompiler.so.$version" \
  "$(jq -r '.folder | join(" ")' <<<"$out")"
expect_ok slipway run --rm --read-only --gpus all -v "$PWD:/v" -- $ask
found "read-only"
expect_ok slipway run --rm --gpus all -- nvidia-smi -L
assert_equal "nvidia-smi as the command" "-L" "$out"
out slipway run --rm --gpus none -- nvidia-smi -L
assert_equal "nvidia-smi without GPUs" 127 "$status"
expect_ok slipway gpu list --json
assert_equal "NVML goes on where it was started twice" "[0,0]" "$(jq -c '[.gpus[].memory_used]' <<<"$out")"
for which in "--gpus device=0" "--gpus GPU-aaaa" "--device nvidia.com/gpu=0" "--device nvidia.com/gpu=GPU-aaaa1111"; do
  expect_ok slipway run --rm $which -v "$PWD:/v" -- ls /dev
  assert_equal "$which alone" "nvidia-uvm nvidia3 nvidiactl" "$(grep ^nvidia <<<"$out" | tr '\n' ' ' | sed 's/ $//')"
done
out slipway run --rm --gpus 3 -- true
assert_contains "more than there are" 'there are not 3 GPUs here' "$err"
assert_contains "what there is" '`0` (Fake A' "$err"
expect_ok slipway run --rm --gpus none -v "$PWD:/v" -- $ask
assert_contains "no GPU asked for, none there" "libcuda.so.1: cannot open shared object file" "$out"
expect_ok slipway run --rm --gpus all --user 0 -- sh -c "touch $folder/new 2>&1; echo x >$folder/libcuda.so.1; ldconfig && env -i /usr/bin/python3 -c 'import ctypes; print(ctypes.CDLL(\"libcuda.so.1\").cuInit(0))'"
assert_equal "after ldconfig" 0 "${out##*$'\n'}"
assert_contains "the folder is read-only" "Read-only file system" "$out$err"
assert_equal "the host's library is as it was" "" "$(find "$scratch/fakes" -name libcuda.so.$version -size -3)"

# No hook, no leftovers, and a receipt with each file.
expect_ok slipway run -d --name "$name" --gpus all -- sleep 60
assert_equal "no hooks" false "$(bundle "$name" | jq 'has("hooks")')"
expect_ok slipway inspect --json "$name"
assert_equal "the receipt" "$(sha256sum <"$scratch/fakes/libcuda.so.$version" | cut -d' ' -f1)" \
  "$(jq -r --arg target "$folder/libcuda.so.$version" '.. | objects | select(.target? == $target and .sha256?) | .sha256' <<<"$out")"
assert_equal "the receipt's GPUs" "999.88.77 GPU-aaaa1111 GPU-bbbb2222" \
  "$(jq -r '.. | objects | select(.host_files?) | [.driver, .gpus[].uuid] | join(" ")' <<<"$out")"
expect_ok slipway exec "$name" env -i /usr/bin/python3 -c 'import ctypes; print(ctypes.CDLL("libcuda.so.1").cuInit(0))'
assert_equal "exec finds it" 0 "$out"
expect_ok slipway stop -t 1 "$name"
expect_ok slipway rm "$name"

# Somebody else's image: a libcuda baked in, a preload, and a choice of GPUs.
umoci unpack --image layout:latest bundle >"$scratch/umoci" 2>&1 &&
  cp "$scratch/fakes/libcuda.so.888.1" "bundle/rootfs$libraries/libcuda.so.1" &&
  chroot bundle/rootfs ldconfig &&
  umoci repack --image layout:latest bundle >>"$scratch/umoci" 2>&1 &&
  umoci config --image layout:latest --config.env NVIDIA_VISIBLE_DEVICES=0 >>"$scratch/umoci" 2>&1 ||
  fail "umoci: $(cat "$scratch/umoci")"
expect_ok slipway load -i layout --tag foreign:1
expect_ok slipway run --rm --gpus all -v "$PWD:/v" foreign:1 -- /usr/bin/python3 /v/ask.py
found "a foreign image"
assert_equal "the image's choice of GPUs" void "$(jq -r .environment.NVIDIA_VISIBLE_DEVICES <<<"$out")"

# An ordinary user.
if ordinary_user ask.py run-gpu:latest; then
  expect_ok user_slipway run --rm --gpus all -v "$scratch/user:/v" run-gpu:latest -- $ask
  found "an ordinary user"
fi
expect_ok slipway gc --image run-gpu:latest --image foreign:1
