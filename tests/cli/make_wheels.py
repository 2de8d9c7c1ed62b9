"""Wheels for the tests, good and bad, into FOLDER: make_wheels.py FOLDER NAME…

A NAME of the form PACKAGE==VERSION[:REQUIREMENT] is an ordinary wheel of that version.
"""
import base64, hashlib, struct, sys, warnings, zipfile

folder, wanted = sys.argv[1], sys.argv[2:]
warnings.simplefilter("ignore")  # zipfile warns of duplicate names


def record(files):
    rows = []
    for name, data in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(data)}")
    return "\n".join(rows).encode()


def wheel(name, extra=(), version="1.0", requires=(), python=None, init=b"x = 1\n", extras=(),
          head=None):
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" if head is None else head
    metadata += "".join(f"Provides-Extra: {each}\n" for each in extras)
    metadata += "".join(f"Requires-Dist: {text}\n" for text in requires)
    if python:
        metadata += f"Requires-Python: {python}\n"
    files = [(f"{name}/__init__.py", init), *extra,
             (f"{info}/METADATA", metadata.encode()),
             (f"{info}/WHEEL", b"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\n"
                               b"Tag: py3-none-any\n")]
    path = f"{folder}/{name.replace('-', '_')}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in files:
            # Its date must not be today's: the same bytes each time.
            archive.writestr(zipfile.ZipInfo(member), data, zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo(f"{info}/RECORD"),
                         record(files) + f"\n{info}/RECORD,,\n".encode())
    return path


def change(path, member, directory_field, local_field, new_value):
    """Overwrites a 32-bit field of `member` in the directory and its local header."""
    data = bytearray(open(path, "rb").read())
    at = data.find(b"PK\x01\x02")
    while member.encode() != data[at + 46:at + 46 + len(member)]:
        at = data.find(b"PK\x01\x02", at + 1)
    local = struct.unpack_from("<I", data, at + 42)[0]
    for place in (at + directory_field, local + local_field):
        if place >= 0:
            struct.pack_into("<I", data, place, new_value(struct.unpack_from("<I", data, place)[0]))
    open(path, "wb").write(data)


TEXT = b"The bytes of which something lies. " * 99


def crc(name):
    path = wheel(name, [(f"{name}/data.bin", TEXT)])
    change(path, f"{name}/data.bin", 16, 14, lambda crc: crc ^ 1)


def size(name):
    path = wheel(name, [(f"{name}/data.bin", TEXT)])
    change(path, f"{name}/data.bin", 24, 22, lambda size: size - 7)


def packed(name):
    path = wheel(name, [(f"{name}/data.bin", TEXT)])
    change(path, f"{name}/data.bin", 20, 18, lambda size: size + 100000)


def disagree(name):
    path = wheel(name, [(f"{name}/data.bin", TEXT)])
    change(path, f"{name}/data.bin", 24, -1 << 40, lambda size: size + 1)


def liar(name):
    """Says 100 bytes and brings 64 MB."""
    path = wheel(name, [(f"{name}/zeros.bin", bytes(64 << 20))])
    change(path, f"{name}/zeros.bin", 24, 22, lambda size: 100)


def bomb(name):
    """Honest about its 1.1 GB, which come in 5 MB."""
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(f"{folder}/{name}-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED,
                         compresslevel=1) as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
        with archive.open(f"{name}/zeros.bin", "w", force_zip64=True) as member:
            for _ in range(70):
                member.write(bytes(16 << 20))


def no_zip(name):
    open(f"{folder}/{name}-1.0-py3-none-any.whl", "wb").write(b"This is no zip file. " * 50)


def half(name):
    path = wheel(name, [(f"{name}/data.bin", bytes(range(256)) * 99)])
    data = open(path, "rb").read()
    open(path, "wb").write(data[:len(data) // 2])


def noise(name, megabytes):
    """Incompressible, and the same each time."""
    data, block = bytearray(), hashlib.sha256(name.encode()).digest()
    while len(data) < megabytes << 20:
        block = hashlib.sha512(block).digest()
        data += block
    wheel(name, [(f"{name}/noise.bin", bytes(data))])


def sources(name, count):
    """Many lines of Python, to be compiled."""
    lines = "".join(f"def function_{i}(a, b={i}):\n    return [a + b * {i} for b in range(a)]\n"
                    for i in range(2000)).encode()
    wheel(name, [(f"{name}/part_{i}.py", lines) for i in range(count)])


# As much of torch as a product on the CPU needs.
TORCH = b"""
__version__ = "9.9.0"
class version:
    cuda = "12.4"
class Tensor:
    def __init__(self, rows): self.rows = rows
    def float(self): return self
    def to(self, place): return self
    def cpu(self): return self
    def __matmul__(self, other):
        columns = list(zip(*other.rows))
        return Tensor([[sum(a * b for a, b in zip(row, c)) for c in columns[:3]] for row in self.rows[:3]])
def manual_seed(seed): pass
def randint(low, high, shape):
    return Tensor([[low + (i * j) % (high - low) for j in range(shape[1])] for i in range(shape[0])])
def equal(a, b): return a.rows == b.rows
"""

CASES = {
    "good": lambda n: wheel(n, requires=["helper>=1"]),
    "helper": lambda n: (wheel(n), wheel(n, version="2.0")),
    "climbs": lambda n: wheel(n, [("../../etc/evil", b"evil")]),
    "absolute": lambda n: wheel(n, [("/etc/evil", b"evil")]),
    "twice": lambda n: wheel(n, [("twice/a.py", b"1"), ("twice/a.py", b"2")]),
    "crc": crc, "size": size, "packed": packed, "disagree": disagree, "liar": liar, "bomb": bomb,
    "nozip": no_zip, "half": half,
    "steals": lambda n: wheel(n, [(f"{n}-1.0.data/scripts/python", b"#!/bin/sh\n")]),
    "undoes": lambda n: wheel(n, [(f"{n}-1.0.data/data/pyvenv.cfg", b"home = /tmp\n")]),
    "below": lambda n: wheel(n, [(f"{n}-1.0.data/data/lib64/x.py", b"1")]),
    "needs": lambda n: wheel(n, requires=["helper>=3"]),
    "older": lambda n: wheel(n, python="<3.9"),
    "left": lambda n: wheel(n, requires=["helper==1.0"]),
    "right": lambda n: wheel(n, requires=["helper==2.0"]),
    "one": lambda n: wheel(n, [("shared/same.py", b"one")]),
    "two": lambda n: wheel(n, [("shared/same.py", b"two")]),
    "torch": lambda n: wheel(n, version="9.9.0", init=TORCH),
    "deep": lambda n: wheel(
        n, requires=["helper; " + "(" * 10000 + "os_name == 'posix'" + ")" * 10000]),
    "unread": lambda n: wheel(n, requires=["helper >= = 1 " + "x" * 5000]),
    "longest": lambda n: wheel(n, version="9" * 150),
    "nameless": lambda n: wheel(n, head="Metadata-Version: 2.1\n"),
    "binary": lambda n: wheel(n, head="".join(map(chr, range(256))) * 100),
    "oldform": lambda n: wheel(n, python=">=3.6.*", requires=["helper>=1.*"]),
    "nopython": lambda n: wheel(n, python="=>soon"),
    "circle": lambda n: wheel(n, extras="abc", requires=[
        f"{n}[b]; extra == 'a'", f"{n}[c,a]; extra == 'b'", f"{n}[a]; extra == 'c'"]),
    "rare": lambda n: wheel(n),
    "noise": lambda n: noise(n, 4),
    "heavy": lambda n: noise(n, 200),
    "wordy": lambda n: sources(n, 40),
}
for case in wanted:
    name, _, rest = case.partition("==")
    version, _, requirement = rest.partition(":")
    if rest:
        wheel(name, version=version, requires=[requirement] if requirement else [])
    else:
        CASES[case](case)
