"""Whether two OCI configurations give a container the same: cdi_compare_runs.py OURS THEIRS

THEIRS is Slipway's configuration of the same run without the device, edited by CDI's library. What is
deliberately different:

  - a mount within another one is attached by Slipway itself, before the runtime comes: where ours has
    a target of theirs not, OURS.mountinfo, of the container's process, says what is there
  - mounts: Slipway binds from where it opened the source, always with `nosuid` and `nodev`, never
    with the propagation or the times that a file asks for; ours are compared by target and access
  - a node that gives way to another of its path leaves no rule behind
  - a node with the permissions `none` has no rule at all in place of one that allows nothing
  - the mode of a node has permission bits alone
"""
import json
import sys

ours, theirs = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])


def nodes(config):
    return {one["path"]: (one["type"], one.get("major", 0), one.get("minor", 0), one.get("fileMode", 0o666) & 0o777,
                          one.get("uid") or 0, one.get("gid") or 0) for one in config["linux"].get("devices") or []}


def rules(config):
    there = {node[:3] for node in nodes(config).values()}
    found = {(rule.get("type"), rule.get("major"), rule.get("minor"), rule["access"])
             for rule in config["linux"]["resources"]["devices"] if rule["allow"] and rule.get("access")}
    return sorted(rule for rule in found if rule[:3] in there)


def mounts(config):
    """Target -> access, for what is bound, and all targets in their order."""
    found = {}
    for mount in config["mounts"]:
        options = mount.get("options") or []
        kind = "tmpfs" if mount.get("type") == "tmpfs" else "bind"
        found[mount["destination"]] = (kind, "ro" if "ro" in options else "rw", "noexec" in options)
    return found


def attached(paths):
    """What the container has at these places, as `mounts` would say it."""
    found = {}
    for line in open(sys.argv[1] + ".mountinfo", encoding="utf-8"):
        target, options = line.split()[4], line.split()[5].split(",")
        if target in paths:
            found[target] = ("bind", "ro" if "ro" in options else "rw", "noexec" in options)
    return found


def order(config):
    places = {mount["destination"]: index for index, mount in enumerate(config["mounts"])}
    return [(a, b) for a in places for b in places
            if b.startswith(a.rstrip("/") + "/") and places[a] > places[b]]


differences = []
expected = mounts(theirs)
given = mounts(ours) | attached(expected.keys() - mounts(ours).keys())
if given != expected:
    differences.append(f"mounts:\n  ours   {given}\n  theirs {expected}")
for name, read in {"environment": lambda c: c["process"]["env"], "nodes": nodes, "rules": rules,
                   "mounts that hide others": order,
                   "groups": lambda c: c["process"]["user"].get("additionalGids") or []}.items():
    if read(ours) != read(theirs):
        differences.append(f"{name}:\n  ours   {read(ours)}\n  theirs {read(theirs)}")
if ours.get("hooks"):
    differences.append("there are hooks in ours")
print("\n".join(differences))
sys.exit(1 if differences else 0)
