"""Debian's buildah with a storage of the benchmark's own, in one folder."""

import os
import shutil
import subprocess
import time
from pathlib import Path


class Buildah:
    """Each has its base already, with uv in it, and nothing else."""

    def __init__(self, folder: Path, base: Path, uv: Path):
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        container = self.run("from", "scratch").strip()
        self.run("add", "-q", container, base, "/")
        self.run("copy", "-q", container, uv, "/uv")
        self.run("commit", "-q", "--rm", container, "slipway-bench-base-uv")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        mounts = [line.split()[1] for line in open("/proc/mounts")]
        for path in sorted((p for p in mounts if p.startswith(f"{self.folder}/")), reverse=True):
            subprocess.run(["umount", "-l", path], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *arguments) -> str:
        command = ["buildah", "--root", self.folder / "root", "--runroot", self.folder / "run", "--storage-driver",
                   "overlay", *map(str, arguments)]
        environment = {**os.environ, "TMPDIR": str(self.folder)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"bench: buildah {arguments[0]} failed:\n{done.stderr[-3000:]}")
        return done.stdout

    def build(self, dockerfile: Path, context: Path, arguments: dict[str, str]) -> float:
        words = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
        started = time.monotonic()
        self.run("bud", "-q", "--layers", "--isolation", "chroot", "--network", "host", *words, "-f", dockerfile, "-t",
                 "slipway-bench", context)
        return time.monotonic() - started
