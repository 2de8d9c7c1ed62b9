"""Our CDI specification beside NVIDIA's: compare.py OURS THEIRS NAMES

They must be equal but for one thing, and that exactly: NVIDIA leaves it to hooks to make the names by
which the loader looks for a library; ours mounts the library under these names. NAMES lists them, a
line each: `container path<TAB>container path of the file`.
"""
import json
import sys


def mounts(edits):
    answer = {}
    for mount in edits.get("mounts", []):
        path = mount["containerPath"]
        assert path not in answer, f"{path} is mounted twice"
        answer[path] = (mount["hostPath"], tuple(sorted(mount["options"])))
    return answer


def edits(found):
    """What does not depend on order, nor on whether a zero is written."""
    assert "hooks" not in found, "there are hooks"
    known = {"env", "deviceNodes", "mounts", "additionalGids"}
    assert set(found) <= known, set(found) - known
    nodes = {}
    for node in found.get("deviceNodes", []):
        node = {"hostPath": node["path"], "major": 0, "minor": 0, "gid": 0, **node}
        assert node["path"] not in nodes, f"{node['path']} comes twice"
        nodes[node["path"]] = node
    return {"env": sorted(found.get("env", [])), "nodes": nodes,
            "gids": sorted(found.get("additionalGids", [])), "mounts": mounts(found)}


def read(path):
    with open(path, encoding="utf-8") as file:
        spec = json.load(file)
    assert set(spec) == {"cdiVersion", "kind", "devices", "containerEdits"}, set(spec)
    devices = {device["name"]: edits(device["containerEdits"]) for device in spec["devices"]}
    assert len(devices) == len(spec["devices"]), "a name comes twice"
    return {"version": spec["cdiVersion"], "kind": spec["kind"], "devices": devices,
            "common": edits(spec["containerEdits"])}


def differences(one, other, place=""):
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(set(one) | set(other), key=str):
            yield from differences(one.get(key), other.get(key), f"{place}/{key}")
    elif one != other:
        yield f"{place}: ours {one}, theirs {other}"


ours, theirs = read(sys.argv[1]), read(sys.argv[2])
with open(sys.argv[3], encoding="utf-8") as lines:
    names = dict(line.rstrip("\n").split("\t") for line in lines)
ours_mounts, their_mounts = ours["common"]["mounts"], theirs["common"]["mounts"]
for name, file in names.items():
    assert name not in their_mounts, f"theirs mounts {name}: the list is out of date"
    assert ours_mounts.pop(name, None) == their_mounts[file], f"{name} is not mounted from {file}"
found = list(differences(ours, theirs))
print("\n".join(found))
sys.exit(1 if found else 0)
