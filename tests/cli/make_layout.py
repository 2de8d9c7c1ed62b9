"""An OCI layout out of folders: python3 make_layout.py LAYOUT CONFIG FOLDER...

Each folder becomes a layer, lowest first, as it stands: hard links stay, and names like `.wh.x` are
whiteouts. A file is the tar of a layer itself. CONFIG is JSON for the configuration's `config`. Prints the
manifest's digest.
"""
import gzip, hashlib, io, json, os, sys, tarfile

layout, config, folders = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:]
os.makedirs(f"{layout}/blobs/sha256")


def blob(data, kind):
    digest = hashlib.sha256(data).hexdigest()
    with open(f"{layout}/blobs/sha256/{digest}", "wb") as file:
        file.write(data)
    return {"mediaType": "application/vnd.oci.image." + kind, "digest": "sha256:" + digest, "size": len(data)}


def layer(folder):
    if os.path.isfile(folder):
        return open(folder, "rb").read()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for parent, folders, files in os.walk(folder):
            folders.sort()
            for name in sorted(folders + files):
                path = os.path.join(parent, name)
                info = tar.gettarinfo(path, os.path.relpath(path, folder))
                info.mtime, info.uid, info.gid, info.uname, info.gname = 0, 0, 0, "", ""
                tar.addfile(info, open(path, "rb") if info.isreg() else None)
    return buffer.getvalue()


tars = [layer(folder) for folder in folders]
layers = [blob(gzip.compress(data, 1, mtime=0), "layer.v1.tar+gzip") for data in tars]
image = {"architecture": "amd64", "os": "linux", "created": "2024-05-06T07:08:09.123456789Z", "config": config,
         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(data).hexdigest() for data in tars]}}
manifest = blob(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                            "config": blob(json.dumps(image).encode(), "config.v1+json"), "layers": layers}).encode(),
                "manifest.v1+json")
manifest["annotations"] = {"org.opencontainers.image.ref.name": "1"}
for name, value in (("oci-layout", {"imageLayoutVersion": "1.0.0"}), ("index.json", {"schemaVersion": 2, "manifests": [manifest]})):
    with open(f"{layout}/{name}", "w") as file:
        json.dump(value, file)
print(manifest["digest"])
