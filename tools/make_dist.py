#!/usr/bin/env python3
"""Makes a folder that runs where neither Slipway nor its libraries are installed: make_dist.py BUILD OUTPUT

    OUTPUT/slipway-VERSION-linux-ARCH/           and beside it the same as .tar.gz
      bin/        catatonit, and for slipway, crun and pasta small static programs that start
      loader/     the dynamic loader, with the libraries in
      lib/        (the C library too, so that the machine's own does not matter), and the program in
      libexec/
      share/      licences of all that is carried; packages.txt says which versions they are

Asked of the files themselves: which libraries each needs, those too that Slipway loads when they are needed.
The same files give the same archive. Needs Debian: dpkg knows whose file is whose.
"""
import gzip
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

MOST_BYTES = 64 * 10**6
TIME = 315532800  # 1980-01-01, as in images

# Beside Slipway itself: the name that it looks for, and whether Slipway works without.
PROGRAMS = ["crun", "pasta"]
# Copied as it is: it runs inside images, without any library.
INIT = "catatonit"
# Of the C library: what drivers' libraries ask for by these names, and what it loads by name itself.
C_LIBRARY = ["libpthread.so.0", "libdl.so.2", "librt.so.1", "libm.so.6", "libutil.so.1", "libanl.so.1",
             "libresolv.so.2", "libnss_files.so.2", "libnss_dns.so.2", "libgcc_s.so.1"]
# libarchive wants it for xar archives alone, which Slipway never reads; with its ICU it is half of everything.
STAND_INS = ["libxml2.so.2"]
# Compiled into the program: packages by a file of theirs.
COMPILED_IN = [f"/usr/include/{name}" for name in
               ("CLI/CLI.hpp", "nlohmann/json.hpp", "fmt/format.h", "toml++/toml.h", "bzlib.h", "libdeflate.h", "lzma.h", "seccomp.h",
                "zstd.h", "openssl/evp.h")]
COMPILED_IN_ARCHIVES = ["libstdc++.a", "libc.a"]


def output_of(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"make_dist: `{' '.join(map(str, command))}`: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def needed_by(path):
    return re.findall(r"\(NEEDED\).*\[(.*)\]", output_of("readelf", "-d", path))


def find_all(path):
    """Where this machine's loader finds the libraries of a file, by name."""
    return dict(re.findall(r"^\s*(\S+) => (/\S+)", output_of("ldd", path), re.M))


class Libraries:
    """The closure of files, without that of the stand-ins."""

    def __init__(self, folders):
        self.folders = folders  # where to look for names that no file needs
        self.paths = {}         # name -> file
        self.stood_in = {}      # name -> the real file

    def add(self, path):
        places = find_all(path)
        todo = needed_by(path)
        while todo:
            name = todo.pop()
            if name in self.paths or name in self.stood_in or name.startswith("ld-linux"):
                continue
            if name not in places:
                sys.exit(f"make_dist: {path} needs {name}, which is not on this machine")
            if name in STAND_INS:
                self.stood_in[name] = places[name]
                continue
            self.paths[name] = places[name]
            todo += needed_by(places[name])

    def add_name(self, name):
        for folder in self.folders:
            path = folder / name
            if path.exists():
                if name not in self.paths:
                    self.paths[name] = str(path)
                    self.add(str(path))
                return
        sys.exit(f"make_dist: there is no {name} in {', '.join(map(str, self.folders))}")


def make_stand_in(name, users, target, scratch):
    """A library of that name with the functions that the users ask for, which do nothing."""
    versions = {}
    for user in users:
        if name not in needed_by(user):
            continue
        asked = re.search(rf"File: {re.escape(name)} .*?(?=\n\s*0x\w+: Version|\n\n|\Z)", output_of("readelf", "-V", user), re.S)
        known = set(re.findall(r"Name: (\S+)", asked.group(0))) if asked else set()
        for symbol, version in re.findall(r" [Uw] (\w+)@(\S+)", output_of("nm", "-D", "--undefined-only", user)):
            if version in known:
                versions.setdefault(version, set()).add(symbol)
    if not versions:
        sys.exit(f"make_dist: no library asks for functions of {name}: it need not be there")
    source, script = scratch / "stand_in.c", scratch / "stand_in.map"
    functions = sorted(set().union(*versions.values()))
    source.write_text("".join(f"void *{function}(void) {{ return 0; }}\n" for function in functions))
    script.write_text("".join(f"{version} {{ global: {' '.join(f'{s};' for s in sorted(symbols))} }};\n"
                              for version, symbols in sorted(versions.items())) + "PRIVATE { local: *; };\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-nostdlib", "-fno-builtin", "-Wl,--build-id=none", f"-Wl,-soname,{name}",
                    f"-Wl,--version-script={script}", "-o", target, source], check=True)


def owner_of(path):
    """The package of a file; dpkg may know it with or without /usr."""
    real = os.path.realpath(path)
    for one in (str(path), real, real.removeprefix("/usr"), "/usr" + real):
        done = subprocess.run(["dpkg-query", "-S", one], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.split(": ")[0].split(",")[0].split(":")[0]
    sys.exit(f"make_dist: no package owns {path}")


def write_licences(paths, share):
    packages = sorted({owner_of(path) for path in paths})
    for package in packages:
        text = pathlib.Path("/usr/share/doc") / package / "copyright"
        if not text.exists():
            sys.exit(f"make_dist: {package} has no {text}")
        put(text, share / "licenses" / package / "copyright", 0o644)
    listed = output_of("dpkg-query", "-W", "-f", "${Package} ${Version} ${source:Package} ${source:Version}\n", *packages)
    lines = sorted(set(listed.splitlines()))
    (share / "packages.txt").write_text("# package, its version, its source, that one's version\n" + "\n".join(lines) + "\n")


def put(source, target, mode, strip=False):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(os.path.realpath(source), target)
    target.chmod(mode)
    if strip:
        subprocess.run(["strip", "--strip-unneeded", target], check=True)


def size_of(folder):
    found = [path.lstat() for path in folder.rglob("*")]
    return sum({one.st_ino: one.st_size for one in found}.values())


def write_archive(folder, target):
    def plain(member):
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        member.mtime = TIME
        member.mode = 0o755 if member.isdir() or member.mode & 0o111 else 0o644
        return member

    with open(target, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for path in [folder, *sorted(folder.rglob("*"))]:
                archive.add(path, str(path.relative_to(folder.parent)), recursive=False, filter=plain)


def fill(folder, build, scratch):
    own = build / "slipway"
    lazy = sorted((build / "generated").glob("lazy_*.cc"))
    sonames = [re.search(r'dlopen\("([^"]+)"', one.read_text()).group(1) for one in lazy]
    programs = {"slipway": str(own)}
    for name in PROGRAMS:
        programs[name] = shutil.which(name) or sys.exit(f"make_dist: `{name}` is not installed: tools/setup.sh run")

    loader = re.search(r"interpreter: (\S+)\]", output_of("readelf", "-l", own)).group(1)
    c_library = find_all(own)["libc.so.6"]
    libraries = Libraries([pathlib.Path(c_library).parent, pathlib.Path(os.path.realpath(c_library)).parent])
    for path in programs.values():
        libraries.add(path)
    for name in [*sonames, *C_LIBRARY]:
        libraries.add_name(name)

    for name, path in sorted(libraries.paths.items()):
        put(path, folder / "lib" / name, 0o644)
    for name in sorted(libraries.stood_in):
        make_stand_in(name, libraries.paths.values(), folder / "lib" / name, scratch)
        (folder / "lib" / name).chmod(0o644)
    first = None
    for name, path in programs.items():
        put(path, folder / "libexec" / name, 0o755, strip=True)
        if first is None:
            put(build / "slipway_launcher", folder / "bin" / name, 0o755, strip=True)
            put(loader, folder / "loader" / name, 0o755)
            first = name
        else:
            for place in ("bin", "loader"):
                os.link(folder / place / first, folder / place / name)
    init = shutil.which(INIT) or sys.exit(f"make_dist: `{INIT}` is not installed: tools/setup.sh run")
    if "interpreter" in output_of("readelf", "-l", init):
        sys.exit(f"make_dist: {init} needs libraries: it cannot run inside images")
    put(init, folder / "bin" / INIT, 0o755)
    carried = [path for name, path in programs.items() if name != "slipway"]
    archives = [output_of("c++", f"-print-file-name={name}").strip() for name in COMPILED_IN_ARCHIVES]
    write_licences([loader, init, *carried, *libraries.paths.values(), *COMPILED_IN, *archives], folder / "share")


def main(build, output):
    build, output = pathlib.Path(build).resolve(), pathlib.Path(output).resolve()
    for name in ("slipway", "slipway_launcher"):
        if not (build / name).exists():
            sys.exit(f"make_dist: there is no {build / name}: `make dist` builds it")
    version = output_of(build / "slipway", "--version").split()[-1]
    name = f"slipway-{version}-linux-{os.uname().machine}"
    output.mkdir(parents=True, exist_ok=True)
    os.umask(0o022)
    with tempfile.TemporaryDirectory(dir=output, prefix=".new-") as scratch:
        folder = pathlib.Path(scratch) / name
        folder.mkdir()
        fill(folder, build, pathlib.Path(scratch))
        size = size_of(folder)
        if size >= MOST_BYTES:
            sys.exit(f"make_dist: {size / 1e6:.1f} MB; it is to stay below {MOST_BYTES / 1e6:.0f}")
        write_archive(folder, pathlib.Path(scratch) / "archive")
        shutil.rmtree(output / name, ignore_errors=True)
        folder.rename(output / name)
        archive = output / f"{name}.tar.gz"
        os.replace(pathlib.Path(scratch) / "archive", archive)
    archive.chmod(0o644)
    print(f"{output / name}: {size / 1e6:.1f} MB; {archive.name}: {archive.stat().st_size / 1e6:.1f} MB")


if len(sys.argv) != 3:
    sys.exit(__doc__.strip())
main(sys.argv[1], sys.argv[2])
