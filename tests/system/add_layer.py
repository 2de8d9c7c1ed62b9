"""An image with one more layer: python3 add_layer.py LAYOUT NEW [TARFILE]

Copies the OCI layout LAYOUT, of one image, to NEW, with the tar file (standard input without one) on top.
"""
import hashlib, json, pathlib, shutil, sys

old, new = map(pathlib.Path, sys.argv[1:3])
data = open(sys.argv[3], "rb").read() if len(sys.argv) > 3 else sys.stdin.buffer.read()
shutil.copytree(old, new)


def blob(descriptor):
    return json.loads((new / "blobs/sha256" / descriptor["digest"].split(":")[1]).read_bytes())


def put(data, kind):
    digest = hashlib.sha256(data).hexdigest()
    (new / "blobs/sha256" / digest).write_bytes(data)
    return {"mediaType": kind, "digest": "sha256:" + digest, "size": len(data)}


index = json.loads((new / "index.json").read_bytes())
[entry] = index["manifests"]
manifest = blob(entry)
config = blob(manifest["config"])
layer = put(data, "application/vnd.oci.image.layer.v1.tar")
config["rootfs"]["diff_ids"].append(layer["digest"])
config.pop("history", None)
manifest["layers"].append(layer)
manifest["config"] = put(json.dumps(config).encode(), manifest["config"]["mediaType"])
entry.update(put(json.dumps(manifest).encode(), entry["mediaType"]))
(new / "index.json").write_text(json.dumps(index))
