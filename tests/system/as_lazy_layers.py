"""An image with eStargz or zstd:chunked layers: python3 as_lazy_layers.py LAYOUT OUT MAKER CHUNK NAME...

Of LAYOUT, which foreign_layers.py wrote, the layers that are named, each made anew by the program MAKER:
estargz_maker, with chunks of CHUNK bytes, or chunked_maker.
"""
import gzip, hashlib, json, os, subprocess, sys, tempfile

source, target, maker, chunk, *wanted = sys.argv[1:]
names = open(source + "/names").read().split()[::2]
os.makedirs(target + "/blobs/sha256")


def read(digest):
    return open(f"{source}/blobs/sha256/{digest[7:]}", "rb").read()


def put(data, media_type, **more):
    digest = hashlib.sha256(data).hexdigest()
    open(f"{target}/blobs/sha256/{digest}", "wb").write(data)
    return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data), **more}


index = json.load(open(source + "/index.json"))
manifest = json.loads(read(index["manifests"][0]["digest"]))
config = json.loads(read(manifest["config"]["digest"]))
layers, diff_ids = [], []
for name in wanted:
    layer = manifest["layers"][names.index(name)]
    with tempfile.TemporaryDirectory() as folder:
        open(folder + "/tar", "wb").write(gzip.decompress(read(layer["digest"])))
        said = subprocess.run([maker, folder + "/tar", folder + "/blob", chunk], stdout=subprocess.PIPE, check=True, text=True)
        diff_id, toc = said.stdout.split()
        blob = open(folder + "/blob", "rb").read()
        if toc.startswith("{"):
            layer["mediaType"], annotations = "application/vnd.oci.image.layer.v1.tar+zstd", json.loads(toc)
        else:
            annotations = {"containerd.io/snapshot/stargz/toc.digest": toc}
        layers.append(put(blob, layer["mediaType"], annotations=annotations))
        diff_ids.append(diff_id)
config["rootfs"]["diff_ids"] = diff_ids
manifest["layers"] = layers
manifest["config"] = put(json.dumps(config).encode(), manifest["config"]["mediaType"])
whole = put(json.dumps(manifest).encode(), manifest["mediaType"], annotations={"org.opencontainers.image.ref.name": "1"})
json.dump({"schemaVersion": 2, "manifests": [whole]}, open(target + "/index.json", "w"))
json.dump({"imageLayoutVersion": "1.0.0"}, open(target + "/oci-layout", "w"))
