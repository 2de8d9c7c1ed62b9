"""Debian's buildah with a storage of the benchmark's own, in one folder."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from builders import argument_words, unmount_below


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
        unmount_below(self.folder)
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
        started = time.monotonic()
        self.run("bud", "-q", "--layers", "--isolation", "chroot", "--network", "host",
                 *argument_words(arguments), "-f", dockerfile, "-t", "slipway-bench", context)
        return time.monotonic() - started
