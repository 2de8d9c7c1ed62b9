#!/bin/bash
# time-out: 900
# after: system/fat_binary
# The real torch for one GPU: the code that stays is, byte for byte, what NVIDIA's cuobjdump takes out
# of the full library; torch trains on the CPU in the slim image; pip and RECORD agree. (No GPU here:
# that its kernels still start is for tests/gpu/run.sh's machine.)
. "$(dirname "$0")/../cli/common.sh"
export SLIPWAY_CACHE=$TEST_CACHE/cache
need_root
need jq
ls "$TEST_CACHE"/cache/files/*/torch-2.6.0-*.whl >/dev/null 2>&1 || skip "no torch 2.6.0 in the test cache: build_example brings it"
cuobjdump=$(find "$TEST_CACHE/cuobjdump" -name cuobjdump -type f 2>/dev/null | head -1)
[ -x "$cuobjdump" ] || skip "no cuobjdump in the test cache: fat_binary brings it"

project <<'TOML'
[image]
name = "slim-torch"
tag = "1"
[python]
packages = ["torch==2.6.0", "torchvision==0.21.0"]
TOML
expect_ok slipway lock
expect_ok slipway build --no-bytecode
expect_ok slipway slim slim-torch:1 --gpu h100 --json
cp "$scratch/out" slim.json
assert_equal "torch's blob is less than half" true \
  "$(jq '.packages[] | select(.name == "torch 2.6.0") | .compressed_after * 2 < .compressed_before' slim.json)"
assert_equal "NVIDIA's packages are left" 0 \
  "$(jq '[.packages[] | select(.changed and (.name | startswith("nvidia-")))] | length' slim.json)"

expect_ok slipway check slim-torch:1-h100 --gpu h100
out slipway check slim-torch:1-h100 --gpu v100
assert_equal "on a V100" 3 "$status"
assert_contains "why" "torch 2.6.0 on v100: no kernel for compute capability 7.0: it has sm_90, sm_90a" "$out"

# folder_of IMAGE PACKAGE: the tree of the layer that has it
folder_of() {
  local diff_id
  diff_id=$(slipway inspect "$1" --json | jq -r --arg p "$2 " '.layers[] | select(.packages | any(startswith($p))).diff_id')
  echo "$SLIPWAY_HOME/layers/${diff_id#sha256:}/opt/venv/lib/python3.11/site-packages"
}

# cubins FOLDER LIBRARY PART...: the sums of those whose names hold one of the parts
cubins() {
  local library=$2
  rm -rf "$1" && mkdir "$1" && (cd "$1" && shift 2 &&
    for one in "$@"; do "$cuobjdump" -xelf "$one" "$library" >/dev/null || exit 1; done &&
    find . -type f -exec sha256sum {} + | cut -d' ' -f1 | sort) || fail "cuobjdump cannot read $library"
}

compared=0
for package in torch torchvision; do
  full=$(folder_of slim-torch:1 $package) slim=$(folder_of slim-torch:1-h100 $package)
  [ "$full" != "$slim" ] || fail "the layer of $package is the same"
  while read -r library; do
    cmp -s "$full/$library" "$slim/$library" && continue
    assert_equal "the size of $library" "$(stat -c %s "$full/$library")" "$(stat -c %s "$slim/$library")"
    cubins full "$full/$library" .sm_90. .sm_90a. >full.sums
    cubins slim "$slim/$library" all >slim.sums
    [ "$(wc -l <full.sums)" -gt 0 ] || fail "no cubin of $library"
    cmp -s full.sums slim.sums || fail "the cubins of $library differ: $(wc -l <full.sums) and $(wc -l <slim.sums)"
    "$cuobjdump" -lelf -lptx "$slim/$library" >list 2>&1 || true
    assert_lacks "what cuobjdump says of $library" "fatal" "$(cat list)"
    compared=$((compared + 1))
  done < <(cd "$full" && find $package -name '*.so*' -type f)
done
[ "$compared" -ge 3 ] || fail "only $compared libraries changed"

cat >step.py <<'PY'
import base64, hashlib, importlib.metadata, torch, torchvision
model = torchvision.models.resnet18(num_classes=2)
optimizer = torch.optim.SGD(model.parameters(), 0.01)
loss = torch.nn.functional.cross_entropy(model(torch.randn(4, 3, 64, 64)), torch.tensor([0, 1, 0, 1]))
loss.backward()
optimizer.step()
for name in ("torch", "torchvision"):
    for path in importlib.metadata.files(name):
        if path.hash is None: continue
        digest = hashlib.sha256(path.locate().read_bytes()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == path.hash.value, path
print("trained and told the truth")
PY
expect_ok slipway run -v "$PWD:/mnt:ro" slim-torch:1-h100 python /mnt/step.py
assert_equal "a step of training" "trained and told the truth" "$out"
# The tables of contents say where all of that is now: the libraries with holes, and the new RECORDs.
if command -v go >/dev/null; then
  . "$top/tests/system/estargz_common.sh"
  expect_ok slipway save slim-torch:1-h100 -o saved/
  check_tables saved $(jq ".layers[].index" slim.json)
  rm -rf saved
fi
jq -r '"compressed: image \(.compressed_before) -> \(.compressed_after) bytes; " +
  (.packages[] | select(.name == "torch 2.6.0") | "torch \(.compressed_before) -> \(.compressed_after)")' slim.json
echo "$compared libraries hold the same cubins"
