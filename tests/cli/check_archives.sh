#!/bin/bash
# `slipway check` on images that other tools made: an OCI layout as a folder and as a tar, and what
# `docker save` writes. Whiteouts and links count; a blob that is not what its name says is refused.
. "$(dirname "$0")/common.sh"
need python3
sed -n "/^cat >make.py <<'PY'/,/^PY/p" "$top/tests/cli/check_wheels.sh" | sed '1d;$d' >make.py
python3 make.py "$PWD/opt/venv" || fail "no environment"
cat >layout.py <<'PY'
import gzip, hashlib, io, json, os, sys, tarfile
sys.argv[1:1] = [os.getcwd() + "/unused"]
exec(open("make.py").read().split("code = fat(")[0])
folder = sys.argv[2]
os.makedirs(f"{folder}/blobs/sha256")

def blob(data):
    digest = hashlib.sha256(data).hexdigest()
    open(f"{folder}/blobs/sha256/{digest}", "wb").write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}

def layer(fill):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar: fill(tar)
    return buffer.getvalue()

def add(tar, name, data=b"", link=None, hard=None):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    if link: info.type, info.linkname = tarfile.SYMTYPE, link
    if hard: info.type, info.linkname = tarfile.LNKTYPE, hard
    tar.addfile(info, io.BytesIO(data))

def base(tar):
    add(tar, "./usr/lib/x86_64-linux-gnu/libc.so.6", elf("libc.so.6"))
    add(tar, "./lib", link="usr/lib")
    add(tar, "./usr/lib/gone.so", elf("gone.so", needed=["libmissing.so.1"]))
    add(tar, "./usr/lib/old/a.so", elf("a.so", needed=["libmissing.so.1"]))

layers = [layer(base), layer(lambda tar: tar.add("opt", "opt"))]
top = layer(lambda tar: (add(tar, "usr/lib/.wh.gone.so"), add(tar, "usr/lib/old/.wh..wh..opq")))
if "no-whiteout" not in sys.argv: layers.append(top)
parts = []
for number, data in enumerate(layers):
    packed = gzip.compress(data, mtime=0)
    parts.append({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **blob(packed)})
config = blob(json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {
    "type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(each).hexdigest() for each in layers]}}).encode())
manifest = blob(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config}, "layers": parts}).encode())
open(f"{folder}/oci-layout", "w").write('{"imageLayoutVersion": "1.0.0"}')
open(f"{folder}/index.json", "w").write(json.dumps({"schemaVersion": 2, "manifests": [
    {"mediaType": "application/vnd.oci.image.manifest.v1+json", **manifest}]}))
with tarfile.open(f"{folder}.tar", "w") as tar: tar.add(folder, ".")
with tarfile.open(f"{folder}-docker.tar", "w") as tar:
    for number, data in enumerate(layers): add(tar, f"{number}/layer.tar", data)
    add(tar, "manifest.json", json.dumps([{"Config": "c.json", "RepoTags": ["x:y"],
        "Layers": [f"{number}/layer.tar" for number in range(len(layers))]}]).encode())
PY
python3 layout.py "$PWD/image" || fail "no layout"
for archive in ./image image.tar image-docker.tar; do
  expect_ok slipway check $archive --gpu h100 --driver 550.54.15
  assert_contains "$archive" "torch 2.6.0 on h100: native: it has sm_90" "$out"
  out slipway check $archive --gpu b200
  assert_equal "$archive on b200" 3 "$status"
done
# What a higher layer removes is gone; without it, the closure would not close.
python3 layout.py "$PWD/whole" no-whiteout || fail "no layout"
out slipway check ./whole
assert_equal "without the whiteouts" 3 "$status"
assert_contains "without the whiteouts" "gone.so: needs libmissing.so.1" "$out"
assert_contains "without the opaque folder" "a.so: needs libmissing.so.1" "$out"

# Bytes that are not what their name says, archives that are cut, and no image at all.
cp -r image spoilt
blob=$(ls -S spoilt/blobs/sha256/* | head -1)
printf x >>"$blob"
export SLIPWAY_HOME=$scratch/other
expect_error 1 "is not what its name says" slipway check ./spoilt
head -c 20000 image.tar >cut.tar
expect_error 1 "cut.tar" slipway check cut.tar
echo nothing >no.tar
expect_error 1 "is not a sound tar file" slipway check no.tar
mkdir empty && echo '{"schemaVersion": 2, "manifests": []}' >empty/index.json
expect_error 1 "0 images for linux/amd64" slipway check ./empty
