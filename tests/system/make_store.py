"""A store that holds one image, box:latest, over a tree that is there already.

    make_store.py STORE TREE [NAME=VALUE of the configuration's `config`, as JSON]

The layer is the tree itself, under a digest that names nothing else: nobody unpacks it again.
"""
import hashlib
import json
import os
import sys

store, tree = sys.argv[1], sys.argv[2]
settings = {"User": "1000", "WorkingDir": "/", "Entrypoint": ["/usr/bin/catatonit", "--"],
            "Cmd": ["sh"], "Env": ["PATH=/bin"]}
for extra in sys.argv[3:]:
    name, value = extra.split("=", 1)
    settings[name] = json.loads(value)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def put(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def blob(data):
    name = digest(data)
    put(f"{store}/blobs/sha256/{name[:2]}/{name[2:]}", data)
    return {"digest": f"sha256:{name}", "size": len(data)}


layer = digest(tree.encode())
os.makedirs(f"{store}/layers", exist_ok=True)
os.rename(tree, f"{store}/layers/{layer}")
for folder in ("locks", "tmp", "known", "recipes"):
    os.makedirs(f"{store}/{folder}", exist_ok=True)
for lock in ("store", "layers", "images"):
    put(f"{store}/locks/{lock}", b"")
put(f"{store}/format", b"slipway store 1\n")
put(f"{store}/layer-states/{layer}", b"settled\n")
config = {"architecture": "amd64", "os": "linux", "config": settings,
          "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}"]}}
manifest = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json",
               **blob(json.dumps(config).encode())},
    "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                "digest": f"sha256:{digest(b'packed')}", "size": 1}],
}
put(f"{store}/refs/images/box/:latest", (blob(json.dumps(manifest).encode())["digest"] + "\n").encode())
