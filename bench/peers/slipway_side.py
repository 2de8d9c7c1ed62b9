"""Slipway's side: the same packages as a project, in stores of the benchmark's own."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from inputs import CHANGE, PACKAGES, settle

PROJECT = """[image]
name = "bench"
[base]
debian = "bookworm"
[python]
version = "3.11"
packages = [{packages}]
"""


class Slipway:
    def __init__(self, program: str, folder: Path):
        self.program = os.path.abspath(program)
        self.folder = folder
        self.cache = folder / "cache"

    def run(self, project: str, home: Path, *arguments: str) -> float:
        environment = {**os.environ, "SLIPWAY_HOME": str(home), "SLIPWAY_CACHE": str(self.cache)}
        started = time.monotonic()
        done = subprocess.run([self.program, "-C", self.folder / project, *arguments],
                              env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"bench: slipway {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
        return time.monotonic() - started

    def write_project(self, name: str, packages: list[str]):
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        text = PROJECT.format(packages=", ".join(f'"{p}"' for p in packages))
        (folder / "slipway.toml").write_text(text)

    def prepare(self):
        """Locks, downloads all once, and keeps a store that has only the Debian base."""
        self.write_project("bare", [])
        for name, six in zip(("before", "after"), CHANGE):
            self.write_project(name, [*PACKAGES, six])
            self.run(name, self.folder / "warm", "lock")
            self.run(name, self.folder / "warm", "build", "--no-bytecode")
        shutil.rmtree(self.folder / "warm", ignore_errors=True)
        self.run("bare", self.folder / "base", "lock")
        self.run("bare", self.folder / "base", "build", "--no-bytecode")

    def measure(self, bytecode: bool) -> dict[str, float]:
        flags = ["build", "--locked"] + ([] if bytecode else ["--no-bytecode"])
        home = self.folder / "home"
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run(["cp", "-a", self.folder / "base", home], check=True)
        settle()
        times = {"cold": self.run("before", home, *flags)}  # with its base, as the peers have theirs
        times["nothing"] = self.run("before", home, *flags)
        times["rebuild"] = self.run("after", home, *flags)
        for when in ("first check", "check"):
            times[when] = self.run("after", home, "check", "--gpu", "h100", "--driver", "550")
        shutil.rmtree(home, ignore_errors=True)
        settle()
        times["empty store"] = self.run("before", home, *flags)
        shutil.rmtree(home, ignore_errors=True)
        return times

    def lock_again(self) -> float:
        """A whole new resolution over warm caches."""
        (self.folder / "before" / "slipway.lock").unlink()
        return self.run("before", self.folder / "base", "lock")
