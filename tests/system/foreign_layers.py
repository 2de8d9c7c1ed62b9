"""An image with layers as many tars make them: python3 foreign_layers.py FOLDER [CHANGED]

Writes FOLDER, an OCI layout with the tag 1, and prints `NAME LAYER` for each layer. With CHANGED, one
small file is another one, in the first layer.
"""
import gzip, hashlib, io, json, os, random, shutil, subprocess, sys, tarfile, tempfile

folder, changed = sys.argv[1], len(sys.argv) > 2
mebi = 1 << 20


def add(tar, name, data=b"", kind=tarfile.REGTYPE, **more):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.mtime = len(data), kind, 1600000000
    for key, value in more.items():
        setattr(info, key, value)
    tar.addfile(info, io.BytesIO(data))


def by_python(format, fill):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as tar:
        fill(tar)
    return buffer.getvalue()


def many(tar):
    large = random.Random(1).randbytes(3 * mebi) * 4  # three chunks, the last one full
    add(tar, "./", kind=tarfile.DIRTYPE, mode=0o755)
    add(tar, "./large", large, mode=0o100755)  # GNU tar of old tells the type, too
    # Without this entry, the workers of Podman's library race to make the folder, and a loser fails.
    add(tar, "./small/", kind=tarfile.DIRTYPE, mode=0o755)
    for i in range(200):
        add(tar, f"./small/{i}", random.Random(i + (changed and i == 77)).randbytes(2000))
    add(tar, "./empty")


def odd(tar):
    add(tar, "dir/", kind=tarfile.DIRTYPE, mode=0o2775, uid=1000, gid=7)
    add(tar, "dir/twin", b"twin", uid=3000000, mtime=12)
    add(tar, "dir/twin2", kind=tarfile.LNKTYPE, linkname="dir/twin", mode=0o644)
    add(tar, "dir/link", kind=tarfile.SYMTYPE, linkname="/../nowhere")
    add(tar, "dir/" + "long-" * 40 + "name", b"long", mode=0o4755)
    add(tar, "dir/" + "far-" * 40 + "link", kind=tarfile.SYMTYPE, linkname="to/" * 50)
    add(tar, "dir/ümläut \"quoted\" \\ \t", "ü".encode())
    add(tar, "dir/.wh.gone")
    add(tar, "opaque/.wh..wh..opq")
    add(tar, "pipe", kind=tarfile.FIFOTYPE)
    add(tar, "disk", kind=tarfile.BLKTYPE, devmajor=8, devminor=17)
    add(tar, "tty", kind=tarfile.CHRTYPE, devmajor=5, devminor=1)


def pax(tar):
    odd(tar)
    add(tar, "timed", b"t", mtime=1600000000.25)
    add(tar, "before", b"b", mtime=-1.5)
    add(tar, "kept", b"k", pax_headers={"SCHILY.xattr.user.told": "ä=1", "atime": "1500000000.5", "ctime": "7"})


def by_tar(*options):
    with tempfile.TemporaryDirectory() as tree:
        os.makedirs(tree + "/a/b")
        for name in ("a/one", "a/b/two"):
            open(f"{tree}/{name}", "w").write(name * 3000)
        os.link(tree + "/a/one", tree + "/a/again")
        os.symlink("one", tree + "/a/link")
        return subprocess.run(["tar", "-C", tree, "-c", *options, "."], stdout=subprocess.PIPE, check=True).stdout


def plain(tar):
    add(tar, "a", b"x")


layers = {
    "many": by_python(tarfile.GNU_FORMAT, many),
    "gnu": by_python(tarfile.GNU_FORMAT, odd),
    "pax": by_python(tarfile.PAX_FORMAT, pax),
    "tar-posix": by_tar("--format=posix"),
    "tar-gnu": by_tar("--format=gnu"),
    "tar-ustar": by_tar("--format=ustar"),
    "tar-v7": by_tar("--format=v7"),
    "no-end": by_python(tarfile.USTAR_FORMAT, plain)[:1024],
    "long-end": by_python(tarfile.USTAR_FORMAT, plain) + bytes(3 * mebi),
    # No table for these: Podman would refuse the image.
    "twice": by_python(tarfile.USTAR_FORMAT, lambda tar: (add(tar, "a", b"1"), add(tar, "./a", b"2"))),
    "global": by_python(tarfile.PAX_FORMAT, lambda tar: tar.fileobj.write(
        tarfile.TarInfo.create_pax_global_header({"comment": "x"})) and None or plain(tar)),
    "behind": by_python(tarfile.USTAR_FORMAT, plain) + b"x" * 512,
}
shutil.rmtree(folder, ignore_errors=True)
os.makedirs(f"{folder}/blobs/sha256")


def blob(data, media_type):
    digest = hashlib.sha256(data).hexdigest()
    open(f"{folder}/blobs/sha256/{digest}", "wb").write(data)
    return {"mediaType": "application/vnd.oci.image." + media_type, "digest": "sha256:" + digest, "size": len(data)}


parts = [blob(gzip.compress(tar, 1, mtime=0), "layer.v1.tar+gzip") for tar in layers.values()]
diff_ids = ["sha256:" + hashlib.sha256(tar).hexdigest() for tar in layers.values()]
config = blob(json.dumps({
    "architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids},
}).encode(), "config.v1+json")
manifest = blob(json.dumps({
    "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": parts,
}).encode(), "manifest.v1+json")
manifest["annotations"] = {"org.opencontainers.image.ref.name": "1"}
json.dump({"schemaVersion": 2, "manifests": [manifest]}, open(folder + "/index.json", "w"))
json.dump({"imageLayoutVersion": "1.0.0"}, open(folder + "/oci-layout", "w"))
for number, name in enumerate(layers):
    print(name, number)
