"""Another name for the image `box` of a store, with settings of its own: the same layers.

    alter_image.py STORE NAME KEY=JSON...     as in the `config` of the image's configuration
"""
import hashlib
import json
import os
import sys

store, name = sys.argv[1], sys.argv[2]


def blob_path(digest):
    text = digest.removeprefix("sha256:")
    return f"{store}/blobs/sha256/{text[:2]}/{text[2:]}"


def read(digest):
    with open(blob_path(digest)) as file:
        return json.load(file)


def put(value):
    data = json.dumps(value).encode()
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    os.makedirs(os.path.dirname(blob_path(digest)), exist_ok=True)
    with open(blob_path(digest), "wb") as file:
        file.write(data)
    return {"digest": digest, "size": len(data)}


with open(f"{store}/refs/images/box/:latest") as file:
    manifest = read(file.read().strip())
config = read(manifest["config"]["digest"])
for setting in sys.argv[3:]:
    key, value = setting.split("=", 1)
    config["config"][key] = json.loads(value)
manifest["config"].update(put(config))
os.makedirs(f"{store}/refs/images/{name}", exist_ok=True)
with open(f"{store}/refs/images/{name}/:latest", "w") as file:
    file.write(put(manifest)["digest"] + "\n")
