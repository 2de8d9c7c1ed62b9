"""An image with GPU code, as `slipway load` takes it: python3 make_slim_image.py FOLDER [odd]

torch and torchvision may be changed, nvidia-cudnn-cu12 may not, and a library is of no package; odd's
lies about its sizes. Real ELF files, and fat binaries of the layout that
src/gpu/fat_binary.h describes. Each package is a layer; the payloads tell what they are.
"""
import base64, gzip, hashlib, io, json, os, random, struct, sys, tarfile

folder = sys.argv[1]
SITE = "opt/venv/lib/python3.11/site-packages"
PAYLOAD = 200_000


def entry(kind, arch, exact=False, payload=PAYLOAD):
    flags = 0x11 | (0x100000 if exact else 0)
    head = struct.pack("<HHIQIIHHIIIQQQ", kind, 0x101, 64, payload, 0, 0, 4, 8, arch, 0, 0, flags, 0, 0)
    noise = random.Random(f"{kind} {arch} {exact}").randbytes(payload - 16)
    return head + f"{kind:2} {arch:3} {exact!s:8}".encode().ljust(16) + noise


def sass(*names):
    return b"".join(entry(2, int(name.rstrip("a")), name.endswith("a")) for name in names)


def fat(body):
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(body)) + body


def elf(soname, code):
    strings = b"\0" + soname.encode() + b"\0"
    dynamic_at, size = 64 + 2 * 56, 4 * 16
    table = dynamic_at + size
    dynamic = b"".join(struct.pack("<QQ", *each) for each in [(14, 1), (5, table), (10, len(strings)), (0, 0)])
    end = table + len(strings)
    code_at = (end + 7) // 8 * 8
    names = b"\0.nv_fatbin\0.shstrtab\0"
    names_at = code_at + len(code)
    sections_at = (names_at + len(names) + 7) // 8 * 8
    sections = [(0, 0, 0, 0), (1, 1, code_at, len(code)), (12, 3, names_at, len(names))]
    file = b"\x7fELF\2\1\1" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, sections_at, 0, 64, 56, 2, 64, len(sections), 2)
    file += struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, end, end, 4096)
    file += struct.pack("<IIQQQQQQ", 2, 4, dynamic_at, dynamic_at, dynamic_at, size, size, 8)
    file = (file + dynamic + strings).ljust(code_at, b"\0") + code + names
    file = file.ljust(sections_at, b"\0")
    for name, kind, offset, length in sections:
        file += struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, offset, length, 0, 0, 8, 0)
    return file


def package(name, version, licence, files):
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    files = dict(files)
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{licence}\n".encode()
    rows = []
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(data)}\n")
    files[f"{info}/RECORD"] = "".join(sorted(rows) + [f"{info}/RECORD,,\n"]).encode()
    return {f"{SITE}/{path}": data for path, data in files.items()}


def layer(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode, info.mtime = len(data), 0o644, 1600000000
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


ALL = ("50", "70", "80", "86", "90", "90a")
lie = bytearray(fat(sass("80", "90")))
lie[8:16] = b"\xff" * 8
layers = [
    {"etc/passwd": b"root:x:0:0::/:/bin/sh\n", "etc/group": b"root:x:0:\n"},
    package("torch", "2.6.0", "License: BSD-3-Clause", {
        "torch/version.py": b"cuda: str = '12.4'\n",
        "torch/lib/libtorch_cuda.so": elf("libtorch_cuda.so", fat(sass(*ALL)) + bytes(8) + fat(sass("80", "90"))),
        "torch/include/ATen/ATen.h": b"// ATen\n" * 1000,
        "torch/test/test_nn.py": b"assert True\n", "torch/test/data.bin": b"d" * 5000,
        "torch/__init__.py": b""}),
    package("torchvision", "0.21.0", "License: BSD", {
        "torchvision/_C.so": elf("_C.so", fat(sass("80", "90") + entry(1, 90)))}),
    package("nvidia-cudnn-cu12", "9.1.0.70", "License: NVIDIA Proprietary Software", {
        "nvidia/cudnn/lib/libcudnn_ops.so.9": elf("libcudnn_ops.so.9", fat(sass(*ALL)) + fat(sass("75")))}),
    {f"{SITE}/mystery.so": elf("mystery.so", fat(sass("80", "90")))},
]
if sys.argv[2:] == ["odd"]:
    layers.append(package("odd", "1.0", "License-Expression: MIT", {"odd/odd.so": elf("odd.so", bytes(lie))}))
os.makedirs(f"{folder}/blobs/sha256")


def blob(data):
    digest = hashlib.sha256(data).hexdigest()
    open(f"{folder}/blobs/sha256/{digest}", "wb").write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}


tars = [layer(files) for files in layers]
parts = [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **blob(gzip.compress(data, 6, mtime=0))}
         for data in tars]
config = blob(json.dumps({
    "architecture": "amd64", "os": "linux", "config": {"Cmd": ["sh"]},
    "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(data).hexdigest() for data in tars]}}).encode())
manifest = blob(json.dumps({
    "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config}, "layers": parts}).encode())
open(f"{folder}/oci-layout", "w").write('{"imageLayoutVersion": "1.0.0"}')
open(f"{folder}/index.json", "w").write(json.dumps({"schemaVersion": 2, "manifests": [
    {"mediaType": "application/vnd.oci.image.manifest.v1+json", **manifest}]}))
