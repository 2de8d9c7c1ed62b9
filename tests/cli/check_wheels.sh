#!/bin/bash
# `slipway check --venv` and a fleet, on a small environment: a torch of 2.6.0's shape, made here.
# The answers, the exit statuses, the JSON, and what bad input is told.
. "$(dirname "$0")/common.sh"
need python3

# make FOLDER [PTX_VERSION]: torch 2.6.0 and its CUDA runtime, unpacked; an extension with PTX alone
cat >make.py <<'PY'
import os, struct, sys
folder = sys.argv[1]
site = f"{folder}/lib/python3.11/site-packages"

def entry(kind, arch, major, minor, flags=0x11, payload=32 << 10):
    head = struct.pack("<HHIQIIHHIIIQQQ", kind, 0x101, 64, payload, 0, 0, minor, major, arch, 0, 0,
                       flags, 0, 0)
    return head + b"x" * payload

def fat(*entries):
    body = b"".join(entries)
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(body)) + body

def elf(soname, code=b"", needed=()):
    """A shared library: dynamic section, and .nv_fatbin where there is code."""
    strings = b"\0"
    names = []
    for name in (soname, *needed):
        names.append(len(strings))
        strings += name.encode() + b"\0"
    dynamic_at = 64 + 2 * 56
    entries = [(14, names[0])] + [(1, at) for at in names[1:]]
    size = (len(entries) + 3) * 16
    table = dynamic_at + size
    entries += [(5, table), (10, len(strings)), (0, 0)]
    dynamic = b"".join(struct.pack("<QQ", *each) for each in entries)
    end = table + len(strings)
    code_at = (end + 7) // 8 * 8
    shnames = b"\0.nv_fatbin\0.shstrtab\0"
    shnames_at = code_at + len(code)
    sections_at = (shnames_at + len(shnames) + 7) // 8 * 8
    sections = [(0, 0, 0, 0), (1, 1, code_at, len(code)), (12, 3, shnames_at, len(shnames))]
    header = b"\x7fELF\2\1\1" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, sections_at, 0, 64, 56, 2, 64, len(sections), 2)
    load = struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, end, end, 4096)
    dyn = struct.pack("<IIQQQQQQ", 2, 4, dynamic_at, dynamic_at, dynamic_at, size, size, 8)
    file = header + load + dyn + dynamic + strings
    file = file.ljust(code_at, b"\0") + code + shnames
    file = file.ljust(sections_at, b"\0")
    for name, kind, offset, length in sections:
        file += struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, offset, length, 0, 0, 8, 0)
    return file

def package(name, version, files, requires=()):
    info = f"{site}/{name.replace('-', '_')}-{version}.dist-info"
    os.makedirs(info)
    for path, data in files.items():
        os.makedirs(os.path.dirname(f"{site}/{path}"), exist_ok=True)
        open(f"{site}/{path}", "wb").write(data)
    open(f"{info}/METADATA", "w").write(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" +
        "".join(f"Requires-Dist: {text}\n" for text in requires))
    open(f"{info}/RECORD", "w").write("".join(f"{path},,\n" for path in files))

code = fat(*[entry(2, arch, 1, 7) for arch in (50, 60, 70, 75, 80, 86, 90)])
if len(sys.argv) > 2: code = eval(sys.argv[2])(bytearray(code))
os.makedirs(f"{folder}/bin")
package("torch", "2.6.0",
        {"torch/lib/libtorch_cuda.so": elf("libtorch_cuda.so", bytes(code), ["libcudart.so.12", "libc.so.6"]),
         "torch/version.py": b"__version__ = '2.6.0'\ncuda: Optional[str] = '12.4'\n"},
        ["nvidia-cuda-runtime-cu12==12.4.127; platform_system == \"Linux\""])
package("nvidia-cuda-runtime-cu12", "12.4.127",
        {"torch/lib/libcudart.so.12": elf("libcudart.so.12")})
PY
python3 make.py "$PWD/good" || fail "no environment"
ask() { out slipway check --venv good "$@"; }
verdict() { jq -r .verdict <<<"$out"; }

ask --gpu h100 --driver 550.54.15 --json
python3 - "$scratch/out" <<'PY' || fail "not the object that docs/formats/check.md describes"
import json, sys
answer = json.load(open(sys.argv[1]))
assert answer["schema"] == 1 and answer["verdict"] in ("ok", "broken", "unknown")
for finding in answer["findings"]:
    assert list(finding) == ["layer", "subject", "file", "gpu", "verdict", "reason", "remedy"], finding
    assert finding["layer"] in ("gpu", "driver", "cuda", "framework", "system"), finding
    assert finding["verdict"] in ("ok", "slow", "unknown", "broken"), finding
PY
# expect STATUS VERDICT OPTIONS...
expect() {
  local code=$1 word=$2
  shift 2
  ask "$@" --json
  [ "$status" -eq "$code" ] || fail "\`check $*\` ended with $status, not $code: $err"
  python3 -c 'import json, sys; sys.exit(json.load(open(sys.argv[1]))["verdict"] != sys.argv[2])' \
    "$scratch/out" "$word" || fail "\`check $*\`: not $word: $out"
}
expect 0 ok --gpu v100 --driver 525.60.13
expect 0 ok --gpu "RTX 4090" --driver 525
expect 0 ok --gpu sm_89
expect 3 broken --gpu b200 --driver 570
expect 3 broken --gpu sm_120
expect 3 broken --gpu v100,h100 --gpu rtx-5090 --driver 580
expect 3 broken --gpu h100 --driver 470.82.01
assert_contains "the remedy" '"raise the driver to >=525.60.13"' "$out"
expect 3 broken --gpu v100 --driver 590.44.01
expect 0 ok --driver ">=525"

# For people: each layer once, and the verdict at the end.
ask --gpu b200 --driver 570
assert_equal "its status" 3 "$status"
assert_contains "the table" "torch 2.6.0 on b200: no kernel for compute capability 10.0" "$out"
assert_contains "the table" "-> use torch>=2.7 built for CUDA 12.8 (cu128)" "$out"
assert_contains "the last line" "broken (1 broken" "$(tail -n 1 <<<"$out")"

# A fleet: every host is told, the worst decides.
cat >fleet.toml <<'TOML'
[[host]]
name = "old"
gpu = "v100"
driver = "535.104.05"
[[host]]
name = "new"
gpu = ["b200", "b200"]
driver = "580.65.06"
TOML
out slipway check --venv good --fleet fleet.toml
assert_equal "the fleet's status" 3 "$status"
assert_contains "the fleet" "old: " "$out"
assert_contains "the fleet" "new: " "$out"
sed -i '/new/,$d' fleet.toml && sed -i '$d' fleet.toml
expect_ok slipway check --venv good --fleet fleet.toml --json
assert_contains "the fleet" '"host": "old"' "$out"

# Fat binaries that lie are unknown, and say where.
python3 make.py "$PWD/lies" 'lambda code: code[:8] + b"\xff" * 8 + code[16:]' || fail "no lies"
out slipway check --venv lies --gpu h100
assert_equal "the status of lies" 1 "$status"
assert_contains "the lie" "it claims 18446744073709551615 bytes" "$out"

# cuda-compat on the host stands in for an old driver, on data-centre GPUs.
expect 3 broken --gpu a100 --driver 470
expect 0 ok --gpu a100 --driver 470 --cuda-compat 12.8

# A C library older than what the wheels need is told; 2.27 is fine for what needs nothing.
expect 0 ok --glibc 2.27

# Bad input.
expect_error 2 'did you mean `h100`' slipway check --venv good --gpu h1000
expect_error 2 'did you mean `rtx-4090`' slipway check --venv good --gpu 4090
expect_error 2 'did you mean `sm_90`' slipway check --venv good --gpu sm_9
expect_error 2 'known are 11.8' slipway check --venv good --gpu h100 --driver 470 --cuda-compat 9.9
expect_error 2 "not a driver version" slipway check --venv good --driver new
expect_error 2 "not a glibc version" slipway check --venv good --glibc old
expect_error 2 "two things to check" slipway check image --venv good
expect_error 1 "there is no Python package" slipway check --venv "$scratch/project/good/bin"
printf '[[host]]\nname = "a"\ngpus = "h100"\n' >bad.toml
expect_error 2 'did you mean `gpu`' slipway check --venv good --fleet bad.toml
expect_error 1 "nothing-here" slipway check nothing-here --gpu h100
