"""What every side of the benchmark gets: the same wheels, the same base system, the same change."""

import os
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

UV = "uv==0.13.9"
HEAVY_BYTES = 10_000_000
PACKAGES = ["torch==2.6.0", "torchvision==0.21.0", "jupyterlab", "matplotlib", "pandas", "seaborn"]
CHANGE = ("six==1.17.0", "six==1.16.0")
PLATFORMS = ["manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_24_x86_64",
             "manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux_2_12_x86_64",
             "manylinux2010_x86_64", "manylinux_2_5_x86_64", "manylinux1_x86_64", "linux_x86_64"]


def settle():
    """What the side before has left to the disk is written first, so that nobody pays for another.

    And a minute passes: so long ext4 gives no inode out again that was freed, and looks past each of
    the tens of thousands that the side before has removed."""
    os.sync()
    time.sleep(61)


def install_prerequisites():
    """Debian's dockerd, buildah and mmdebstrap, by name, where they are missing."""
    wanted = {"docker.io": "/usr/sbin/dockerd", "buildah": "/usr/bin/buildah", "mmdebstrap": "/usr/bin/mmdebstrap"}
    missing = [name for name, program in wanted.items() if not os.path.exists(program)]
    if missing:
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
                       check=True, stdout=subprocess.DEVNULL)


def fetch_uv(folder: Path) -> Path:
    program = folder / "tools" / "bin" / "uv"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target",
                        folder / "tools", UV], check=True)
    return program


def fetch_wheels(folder: Path, requirements: list[str]):
    """Into `folder`, exactly those; `BENCH_WHEELS` names a folder to look into first."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:",
               "--python-version", "3.11", "--implementation", "cp", "--abi", "cp311", "--abi", "abi3",
               "--abi", "none", "-d", folder]
    for platform in PLATFORMS:
        command += ["--platform", platform]
    if os.environ.get("BENCH_WHEELS"):
        command += ["--find-links", os.environ["BENCH_WHEELS"]]
    # The change brings a second version of one package, which pip takes in a call of its own.
    for batch in (requirements, [CHANGE[1]]):
        subprocess.run([*map(str, command), *batch], check=True)


def wheel_requirement(wheel: Path) -> str:
    name, version = wheel.name.split("-")[:2]
    return f"{name.lower().replace('_', '-')}=={version}"


def lock_requirements(lock: Path) -> list[str]:
    with open(lock, "rb") as file:
        return [f"{wheel['name']}=={wheel['version']}" for wheel in tomllib.load(file)["wheel"]]


def make_contexts(folder: Path, wheels: list[Path]) -> dict[str, Path]:
    """Two build contexts, `before` and `after` the change, that differ in one line."""
    contexts = {}
    for name, six in zip(("before", "after"), CHANGE):
        context = folder / name
        shutil.rmtree(context, ignore_errors=True)
        context.mkdir(parents=True)
        others = [w for w in wheels if not w.name.startswith("six-")]
        heavy = [wheel_requirement(w) for w in others if w.stat().st_size >= HEAVY_BYTES]
        light = [wheel_requirement(w) for w in others if w.stat().st_size < HEAVY_BYTES] + [six]
        for file, lines in (("heavy", heavy), ("light", light), ("all", heavy + light)):
            (context / f"{file}.txt").write_text("\n".join(sorted(lines)) + "\n")
        contexts[name] = context
    return contexts


def make_base(folder: Path) -> Path:
    """A small Debian with Python, as a tar that dockerd imports: what `FROM` has on other machines."""
    tar = folder / "base.tar"
    if not tar.exists():
        part = folder / "base.part.tar"
        subprocess.run(["mmdebstrap", "-q", "--variant=minbase",
                        "--include=python3,python3-venv,ca-certificates", "bookworm", part], check=True)
        part.rename(tar)
    return tar
