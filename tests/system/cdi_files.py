"""CDI specification files, good and bad: cdi_files.py FOLDER COUNT

Writes COUNT files that vary one or two places of a good one, and one for each line of ODD. The same
COUNT gives the same files. `expected.json` beside the folder names those that Slipway refuses on
purpose and CDI's library takes, with the reason.
"""
import copy
import json
import os
import random
import sys

folder, count = sys.argv[1], int(sys.argv[2])
os.makedirs(folder)
chance = random.Random(7)

GOOD = {
    "cdiVersion": "1.1.0",
    "kind": "vendor.com/class",
    "annotations": {"key": "value"},
    "containerEdits": {"env": ["ALL=1"], "deviceNodes": [{"path": "/dev/all"}]},
    "devices": [
        {"name": "one", "containerEdits": {
            "env": ["ONE=1"],
            "deviceNodes": [{"path": "/dev/one", "hostPath": "/dev/zero", "type": "c", "major": 1,
                             "minor": 5, "fileMode": 438, "permissions": "rw", "uid": 1, "gid": 2}],
            "mounts": [{"hostPath": "/etc", "containerPath": "/etc2", "options": ["ro"], "type": "bind"}],
            "hooks": [{"hookName": "createContainer", "path": "/bin/true", "args": ["true"],
                       "env": ["A=b"], "timeout": 1}],
            "additionalGids": [1],
            "netDevices": [{"hostInterfaceName": "a", "name": "b"}],
            "intelRdt": {"closID": "x", "l3CacheSchema": "y", "memBwSchema": "z", "schemata": ["s"],
                         "enableMonitoring": True}}},
        {"name": "2", "annotations": {"a": "b"}, "containerEdits": {"env": ["TWO=2"]}}],
}
VERSIONS = ["0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0", "0.6.0", "0.7.0", "0.8.0", "1.0.0", "1.1.0",
            "v1.1.0", "1.2.0", "0.9.0", "1.1", ""]
VALUES = ["", "x", "a/b", "none", "rwm", "A=b", "=b", "c", "b", "u", "p", "/", "..", "gpu.0", "-a", "a-",
          "a:b", "prestart", 0, 1, -1, 4294967295, 4294967296, 9223372036854775807, True, [], {}, ["x"],
          {"x": "y"}, None]


def places(tree, path=()):
    """Each place of the tree, from the top."""
    found = [path] if path else []
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        found += places(value, path + (key,))
    return found


def vary(spec):
    *above, last = chance.choice(places(spec))
    holder = spec
    for key in above:
        holder = holder[key]
    deed = chance.randrange(4)
    if deed == 0:
        del holder[last]
    elif deed == 1 and isinstance(holder, dict):
        holder[chance.choice(["unknown", last + "s", last.upper()])] = holder.pop(last)
    elif deed == 2 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[last]))
    else:
        value = copy.deepcopy(chance.choice(VALUES))
        # A list's `null` is among the differences below.
        holder[last] = "null" if value is None and isinstance(holder, list) else value


def yaml(value, indent=0):
    """Block style, plain where it may be: another way through the parser than JSON's."""
    space = "  " * indent
    if isinstance(value, dict) and value:
        return "".join(f"\n{space}{key}:{yaml(one, indent + 1)}" for key, one in value.items())
    if isinstance(value, list) and value:
        return "".join(f"\n{space}- {yaml(one, indent + 1).lstrip()}" for one in value)
    if isinstance(value, str) and value.replace("/", "a").isalnum() and not value.isdigit():
        return f" {value}"
    return f" {json.dumps(value)}"


for number in range(count):
    spec = copy.deepcopy(GOOD)
    if chance.randrange(3) == 0:
        spec["devices"][0]["containerEdits"] = {"env": ["A=b"]}
    for _ in range(chance.randrange(3)):
        if places(spec):
            vary(spec)
    if chance.randrange(3) == 0 and "cdiVersion" in spec:
        spec["cdiVersion"] = chance.choice(VERSIONS)
    is_yaml = chance.randrange(2) == 0
    with open(f"{folder}/{number:05}.{'yaml' if is_yaml else 'json'}", "w", encoding="utf-8") as file:
        file.write(yaml(spec).lstrip() + "\n" if is_yaml else json.dumps(spec, indent=chance.choice([None, 1])))

HEAD = 'cdiVersion: "1.1.0"\nkind: v.com/c\ndevices:\n- name: a\n  containerEdits:\n'
NODE = HEAD + "    deviceNodes:\n    - path: /dev/a\n"
# name -> text: both say the same of these
ODD = {
    "empty": "", "comment": "# none\n", "null": "~\n", "list": "- 1\n", "text": "nonsense\n",
    "two-documents": HEAD + "    env: [A=b]\n---\nnonsense: [\n", "marker": "---\n" + HEAD + "    env: [A=b]\n",
    "tab": HEAD + "\tenv: [A=b]\n", "json-tabs": '{\n\t"cdiVersion": "1.1.0",\n\t"kind": "v.com/c"}\n',
    "anchors": HEAD + "    env: &e [A=b]\n- name: b\n  containerEdits: {env: *e}\n",
    "merge": HEAD + "    &e\n    env: [A=b]\n- name: b\n  containerEdits: {<<: *e, additionalGids: [1]}\n",
    "merge-unknown": HEAD + "    env: [A=b]\n- &u {name: b, what: 1, containerEdits: {env: [A=b]}}\n- {<<: *u, name: c}\n",
    "self": HEAD + "    env: &e [*e]\n", "no-anchor": HEAD + "    env: *e\n",
    "twice": HEAD + "    env: [A=b]\n    env: [A=b]\n", "flow": "{cdiVersion: 1.1.0, kind: v.com/c, devices: [{name: a, containerEdits: {env: [A=b]}}]}\n",
    "numbers-as-text": HEAD.replace("a\n", "5\n") + "    env: [A=5]\n", "bool-as-text": HEAD.replace("name: a", "name: yes") + "    env: [A=b]\n",
    "null-name": HEAD.replace("name: a", "name: ~") + "    env: [A=b]\n",
    "block-text": HEAD + "    env:\n    - |-\n      A=b\n      c\n", "bad-utf8": HEAD.encode() + b"    env: [A=\xff]\n",
    "bom": "\ufeff" + HEAD + "    env: [A=b]\n", "percent": "%YAML 1.1\n---\n" + HEAD + "    env: [A=b]\n",
    "str-tag": HEAD.replace("name: a", "name: !!str 5") + "    env: [A=b]\n",
    "monitoring-yes": HEAD + "    intelRdt: {enableMonitoring: yes}\n", "monitoring-text": HEAD + '    intelRdt: {enableMonitoring: "yes"}\n',
    "key-tag": HEAD + "    !!str env: [A=b]\n", "number-key": HEAD + "    5: [A=b]\n",
    **{f"mode-{number}": NODE + f"      fileMode: {text}\n" for number, text in enumerate(
        ["0666", "0o666", "0x1b6", "0b110", "+5", "-5", "1_0", "_1", "1__0", "0x", "0o", "0o8", "0b2", "--1", "+-1", "0_7",
         "'438'", '"438"', "438 ", "4294967295", "4294967296", "18446744073709551615", "yes", "~", "", "[]", "!!int 5", "0O17", "0X1F", "0B1"])},
    **{f"major-{number}": NODE + f"      major: {text}\n" for number, text in enumerate(
        ["-1", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "0x7fffffffffffffff"])},
}
# CDI's library takes these, and Slipway does not: name -> text, why
DIFFERENT = {
    "float": (NODE + "      major: 1.0\n", "a number with a point is no number of a device"),
    "exponent": (NODE + "      major: 1e1\n", "the same"),
    "octal-8": (NODE + "      major: 08\n", "neither octal nor decimal: Go takes it for a float"),
    "null-variable": (HEAD + "    env: [A=b, ~]\n", "a list holds nothing"),
    "null-gid": (HEAD + "    additionalGids: [1, ~]\n", "the same"),
    "null-device": (HEAD + "    env: [A=b]\n- ~\n", "the same"),
    "binary": (HEAD + "    env: [!!binary QT1i]\n", "bytes in place of text"),
    "own-tag": (HEAD + "    env: [!mine A=b]\n", "a tag that means nothing"),
    "zero": (HEAD + '    env: ["A=\\0"]\n', "no variable can hold a zero byte"),
}
for name, text in {**ODD, **{name: text for name, (text, _) in DIFFERENT.items()}}.items():
    with open(f"{folder}/{name}.yaml", "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
with open(folder + ".expected.json", "w", encoding="utf-8") as file:
    json.dump({name + ".yaml": why for name, (_, why) in DIFFERENT.items()}, file)
