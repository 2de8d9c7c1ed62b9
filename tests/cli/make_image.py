"""A small image of busybox, as other tools might have made it: python3 make_image.py FOLDER [gzip|zstd|none]

Writes FOLDER (an OCI layout), FOLDER.tar (the same), FOLDER-docker.tar (what `docker save` of old
writes) and prints the manifest's digest. The layers bring what foreign layers bring: whiteouts, an
opaque folder, hard links, set-id bits, owners, a device node, long names.
"""
import gzip, hashlib, io, json, os, shutil, subprocess, sys, tarfile

folder, packing = sys.argv[1], (sys.argv[2:] or ["gzip"])[0]
extra = dict(word.split("=", 1) for word in sys.argv[3:])


def layer(fill):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        fill(tar)
    return buffer.getvalue()


def add(tar, name, data=b"", mode=0o644, kind=tarfile.REGTYPE, link="", uid=0, gid=0):
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.type, info.linkname = len(data), mode, kind, link
    info.uid, info.gid, info.mtime = uid, gid, 1600000000.25
    tar.addfile(info, io.BytesIO(data))


def base(tar):
    busybox = open(shutil.which("busybox"), "rb").read()
    for name in ("bin", "etc", "tmp", "data", "old", "dev"):
        add(tar, name + "/", mode=0o1777 if name == "tmp" else 0o755, kind=tarfile.DIRTYPE)
    add(tar, "bin/busybox", busybox, 0o755)
    for name in ("sh", "cat", "ls", "stat", "id", "find", "test", "echo", "wc", "touch", "sleep", "env"):
        add(tar, "bin/" + name, kind=tarfile.SYMTYPE, link="busybox")
    add(tar, "etc/passwd", b"root:x:0:0::/:/bin/sh\nuser:x:1000:1001::/data:/bin/sh\n")
    add(tar, "etc/group", b"root:x:0:\nuser:x:1001:\nmore:x:7:\n")
    add(tar, "dev/null", kind=tarfile.CHRTYPE)
    add(tar, "data/disk", kind=tarfile.BLKTYPE)
    add(tar, "data/gone", b"gone")
    add(tar, "data/kept", b"kept", uid=1000, gid=1001)
    add(tar, "old/a", b"a")
    add(tar, "old/deep/b", b"b")


def top(tar):
    add(tar, "data/.wh.gone")
    add(tar, "old/.wh..wh..opq")
    add(tar, "old/new", b"new")
    add(tar, "data/twin", b"twin")
    add(tar, "data/twin2", kind=tarfile.LNKTYPE, link="data/twin")
    add(tar, "data/setuid", b"x", 0o4755)
    add(tar, "data/" + "long-" * 40 + "name", b"long")
    add(tar, "data/ümläut", "ü".encode())
    add(tar, "data/extra", json.dumps(extra).encode())


layers = [layer(base), layer(top)]
if "bad-diff" in extra:
    extra_diff = hashlib.sha256(b"another").hexdigest()
pack = {
    "gzip": lambda data: gzip.compress(data, 6, mtime=0),
    "zstd": lambda data: subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout,
    "none": lambda data: data,
}[packing]
suffix = {"gzip": "+gzip", "zstd": "+zstd", "none": ""}[packing]
shutil.rmtree(folder, ignore_errors=True)
os.makedirs(f"{folder}/blobs/sha256")


def blob(data):
    digest = hashlib.sha256(data).hexdigest()
    open(f"{folder}/blobs/sha256/{digest}", "wb").write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}


parts = [{"mediaType": "application/vnd.oci.image.layer.v1.tar" + suffix, **blob(pack(data))} for data in layers]
diff_ids = ["sha256:" + hashlib.sha256(data).hexdigest() for data in layers]
if "bad-diff" in extra:
    diff_ids[-1] = "sha256:" + extra_diff
config_text = json.dumps({
    "architecture": extra.get("arch", "amd64"), "os": "linux",
    "config": {"Cmd": ["sh", "-c", "cat /data/kept"], "User": extra.get("user", "")},
    "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode()
config = blob(config_text)
manifest_text = json.dumps({
    "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config}, "layers": parts}).encode()
manifest = blob(manifest_text)
open(f"{folder}/oci-layout", "w").write('{"imageLayoutVersion": "1.0.0"}')
open(f"{folder}/index.json", "w").write(json.dumps({"schemaVersion": 2, "manifests": [
    {"mediaType": "application/vnd.oci.image.manifest.v1+json", **manifest,
     "annotations": {"org.opencontainers.image.ref.name": "7"}}]}))
with tarfile.open(f"{folder}.tar", "w") as tar:
    tar.add(folder, ".")
with tarfile.open(f"{folder}-docker.tar", "w") as tar:
    add(tar, "config.json", config_text)
    for number, data in enumerate(layers):
        add(tar, f"{number}/layer.tar", data)
    add(tar, "2/layer.tar", kind=tarfile.SYMTYPE, link="../1/layer.tar")
    add(tar, "manifest.json", json.dumps([{
        "Config": "config.json", "RepoTags": ["docker-made:1"], "Layers": ["0/layer.tar", "2/layer.tar"]}]).encode())
print(manifest["digest"])
