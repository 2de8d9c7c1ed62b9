#!/bin/bash
# `slipway slim` on an image made here: what stays, what is left alone and why, what is refused; the
# digests, the RECORDs, and that a second store comes to the same image.
. "$(dirname "$0")/common.sh"
need python3
need jq

python3 "$top/tests/cli/make_slim_image.py" layout || fail "cannot make the image"
expect_ok slipway load -i layout/ --tag full:1
expect_ok slipway inspect full:1 --json
jq -r '.layers[].digest' <<<"$out" >full.layers

# A dry run tells, and writes nothing.
expect_ok slipway slim full:1 --gpu h100 --dry-run --json
assert_equal "a dry run's image" null "$(jq .digest <<<"$out")"
assert_equal "torch's code that is not needed" true "$(jq '.packages[] | select(.name == "torch 2.6.0") | .unused_gpu_code_bytes > 900000' <<<"$out")"
assert_equal "images" 1 "$(slipway images --json | jq '.images | length')"

expect_ok slipway slim full:1 --gpu h100 --json
assert_equal "its name" full:1-h100 "$(jq -r .image <<<"$out")"
assert_equal "smaller by more than a megabyte" true "$(jq '.compressed_before - .compressed_after > 1000000' <<<"$out")"
assert_equal "cuDNN is left" "its licence, \`NVIDIA Proprietary Software\`, is not known to allow changes" \
  "$(jq -r '.packages[] | select(.name == "nvidia-cudnn-cu12 9.1.0.70") | .kept_because' <<<"$out")"
assert_equal "what nobody owns is left" "no package owns it, so no licence is known" \
  "$(jq -r '.packages[] | select(.name == null) | .kept_because' <<<"$out")"
digest=$(jq -r .digest <<<"$out")
expect_ok slipway inspect full:1-h100 --json
jq -r '.layers[].digest' <<<"$out" >slim.layers
assert_equal "layers that changed" "2 3 " "$(paste full.layers slim.layers | awk '$1 != $2 { printf "%d ", NR }')"
assert_equal "the label" '{"from":"'"$(slipway inspect full:1 --json | jq -r .digest)"'","gpus":["sm_90"],"dropped":[],"also_proprietary":false}' \
  "$(jq -r '.config.labels["dev.slipway.slim"]' <<<"$out")"

# The verdicts. The full image is as it was.
expect_ok slipway check full:1-h100 --gpu h100
out slipway check full:1-h100 --gpu v100
assert_equal "on a V100" 3 "$status"
assert_contains "why" "slimmed for sm_90: code for other GPUs was taken out" "$out"
assert_contains "the library" "torch 2.6.0 on v100: no kernel for compute capability 7.0: it has sm_90, sm_90a" "$out"
expect_ok slipway check full:1 --gpu a100

# What is in it: containers at their places, of the wanted code alone; RECORD tells the truth.
expect_ok slipway save full:1-h100 -o slim/
cat >look.py <<'PY'
import base64, csv, glob, hashlib, json, struct, sys, tarfile

def files(layout):
    index = json.load(open(f"{layout}/index.json"))
    read = lambda one: open(f"{layout}/blobs/sha256/" + one["digest"][7:], "rb")
    found = {}
    for layer in json.load(read(index["manifests"][0]))["layers"]:
        with tarfile.open(fileobj=read(layer)) as tar:
            for member in tar:
                found[member.name] = (tar.extractfile(member).read(), member.mode, member.mtime)
    return found

def containers(data):
    at = data.index(b"\x50\xed\x55\xba")
    while data[at:at + 4] == b"\x50\xed\x55\xba":
        size = struct.unpack_from("<Q", data, at + 8)[0]
        entries, where = [], at + 16
        while where < at + 16 + size:
            header, payload = struct.unpack_from("<IQ", data, where + 4)
            entries.append(data[where:where + header + payload])
            where += header + payload
        yield at, entries
        at = where
        while data[at:at + 8] == bytes(8): at += 8

full, slim = files("layout"), files("slim")
dropped = set(sys.argv[1:])
assert set(full) - set(slim) == dropped, set(full) - set(slim)
site = "opt/venv/lib/python3.11/site-packages/"
for name in slim:
    assert len(slim[name][0]) == len(full[name][0]) or name.endswith("RECORD"), name
    assert slim[name][1:] == full[name][1:], name
    if not name.endswith("RECORD"): continue
    for path, digest, size in csv.reader(slim[name][0].decode().splitlines()):
        if not digest: continue
        data = slim[site + path][0]
        assert digest == "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode(), path
        assert int(size) == len(data)
for name in ("torch/lib/libtorch_cuda.so", "torchvision/_C.so"):
    before, after = list(containers(full[site + name][0])), list(containers(slim[site + name][0]))
    assert [at for at, _ in before] == [at for at, _ in after], name
    for (_, old), (_, new) in zip(before, after):
        # SASS of sm_90 in it: its PTX is not needed.
        assert new == [e for e in old if e[0] == 2 and e[28] == 90], name
assert full[site + "mystery.so"] == slim[site + "mystery.so"]
print("sound")
PY
expect_ok python3 look.py
assert_equal "the slim image's files" sound "$out"
[ "$(du -k --apparent-size "$SLIPWAY_HOME"/layers/*/opt/venv/lib/python3.11/site-packages/torch/lib/libtorch_cuda.so | sort -n | uniq | wc -l)" -ge 1 ] || fail "no tree"
blocks=$(stat -c %b "$SLIPWAY_HOME"/layers/*/opt/venv/lib/python3.11/site-packages/torch/lib/libtorch_cuda.so | sort -n)
[ "$(head -1 <<<"$blocks")" -lt "$(($(tail -1 <<<"$blocks") / 2))" ] || fail "the slim library is not sparse: $blocks"

# The same image and GPUs give the same digest, in whatever order and wherever.
expect_ok slipway slim full:1 --gpu a100,h100 --tag both:1
both=$(slipway inspect both:1 --json | jq -r .digest)
export SLIPWAY_HOME=$scratch/other
expect_ok slipway load -i layout/ --tag another:2
expect_ok slipway slim another:2 --gpu sm_90 --gpu 8.0 --tag b:1
assert_equal "another store, another order" "$both" "$(slipway inspect b:1 --json | jq -r .digest)"
expect_ok slipway slim another:2 --gpu h100
assert_equal "the digest" "$digest" "$(slipway inspect another:2-h100 --json | jq -r .digest)"
export SLIPWAY_HOME=$scratch/store
expect_ok slipway check both:1 --gpu a100 --gpu h100 --gpu rtx-3090
expect_ok slipway slim both:1 --gpu h100 --tag again:1
out slipway slim both:1 --gpu v100
assert_equal "slim once more for a GPU whose code is gone" 3 "$status"
assert_contains "and why" "slimmed for sm_80, sm_90" "$err"

# A library that lies is left alone, and told.
python3 "$top/tests/cli/make_slim_image.py" odd odd || fail "cannot make the image"
expect_ok slipway load -i odd/ --tag odd:1
expect_ok slipway slim odd:1 --gpu h100 --json
assert_contains "the library that lies" "odd/odd.so: fat binary at offset 0: it claims" "$(jq -r '.notes[]' <<<"$out")"
assert_contains "the warning" "cannot tell whether the image runs there" "$err"

# Rules, and what they cost.
expect_ok slipway slim --list-rules
assert_contains "the rules" "torch.compile" "$out"
expect_ok slipway slim full:1 --gpu h100 --drop headers,tests --tag dropped:1 --json
assert_equal "what tests save" 5012 "$(jq '.rules[] | select(.name == "tests").bytes' <<<"$out")"
rm -rf slim && expect_ok slipway save dropped:1 -o slim/
site=opt/venv/lib/python3.11/site-packages
expect_ok python3 look.py $site/torch/include/ATen/ATen.h $site/torch/test/test_nn.py $site/torch/test/data.bin
expect_ok slipway slim full:1 --gpu h100 --also-proprietary --tag all:1 --json
assert_equal "cuDNN changes where the user says so" true "$(jq '.packages[] | select(.name == "nvidia-cudnn-cu12 9.1.0.70").changed' <<<"$out")"

# Refusals write nothing.
before=$(find "$SLIPWAY_HOME"/{refs,layers,blobs} -maxdepth 3 | sort | sha256sum)
expect_error 3 "no kernel for compute capability 10.0" slipway slim full:1 --gpu b200
expect_error 2 "which GPUs" slipway slim full:1
expect_error 2 "did you mean \`headers\`" slipway slim full:1 --gpu h100 --drop header
expect_error 2 "the name of the full image" slipway slim full:1 --gpu h100 --tag full:1
expect_error 2 "which image" slipway slim --gpu h100
expect_error 1 "nothing to take out" slipway slim full:1-h100 --gpu h100
assert_equal "the store after refusals" "$before" "$(find "$SLIPWAY_HOME"/{refs,layers,blobs} -maxdepth 3 | sort | sha256sum)"
