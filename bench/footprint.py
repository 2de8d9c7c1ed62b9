"""How much memory Slipway's commands take, and how much they write: on PyTorch's image, one after another.

    footprint.py --slipway PROGRAM [--folder DIR] [--table FILE]

Memory is the peak of what is not a file's (RssAnon of proc(5), all processes of a command together,
looked at every 20 ms). What is written is what the kernel counts as block output of a command and of
the children that it waited for (ru_oublock of getrusage(2)): files in the page cache count when they
are made dirty, direct writes when they are made. What it had made dirty and removed before it was
written does not count (cancelled_write_bytes of /proc/PID/io). The registry of pushes and pulls is
another process, and what it writes is not in it. Both are properties of the program, not of the machine's mood: no
rounds, no times.
"""

import argparse
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "peers"))
import inputs
import table
from local_registry import Registry
from slipway_side import Slipway

SAMPLE_SECONDS = 0.02


def children_of(pid: int) -> list[int]:
    """All below it. Processes come and go meanwhile."""
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    except OSError:
        pass
    return [*found, *(further for child in found for further in children_of(child))]


def anonymous_bytes(pid: int) -> int:
    total = 0
    for process in [pid, *children_of(pid)]:
        try:
            with open(f"/proc/{process}/status") as status:
                total += sum(int(line.split()[1]) << 10 for line in status if line.startswith("RssAnon"))
        except OSError:
            pass
    return total


def io_counts(process: Path) -> dict[str, int]:
    """proc(5): of a process, also of one that has ended and was not waited for."""
    pairs = (line.split(": ") for line in (process / "io").read_text().splitlines())
    return {name: int(count) for name, count in pairs}


def measure(command: list, environment: dict) -> tuple[int, int]:
    """(peak of anonymous memory, bytes written) of a command that must succeed."""
    with open(os.devnull, "w") as null, subprocess.Popen(
            [str(word) for word in command], env=environment, stdout=null, stderr=subprocess.PIPE) as process:
        said, peak = [], 0
        reader = threading.Thread(target=lambda: said.append(process.stderr.read()))
        reader.start()
        while not os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            peak = max(peak, anonymous_bytes(process.pid))
            time.sleep(SAMPLE_SECONDS)
        unwritten = io_counts(Path(f"/proc/{process.pid}"))["cancelled_write_bytes"]
        _, status, usage = os.wait4(process.pid, 0)
        reader.join()
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"bench: {' '.join(map(str, command))} failed:\n{said[0].decode()[-3000:]}")
    return peak, usage.ru_oublock * 512 - unwritten


def tree_bytes(home: Path) -> int:
    """Of all files of the layers' trees: a file of two names counts once."""
    sizes = {}
    for folder, _, names in os.walk(home / "layers"):
        for name in names:
            status = os.lstat(os.path.join(folder, name))
            sizes[status.st_dev, status.st_ino] = status.st_size
    return sum(sizes.values())


class Rows:
    def __init__(self, slipway: Slipway):
        self.slipway, self.rows = slipway, []

    def add(self, title: str, home: Path, *words, project: str = "before", fresh: bool = False):
        """`fresh`: an image is made in that store, whose size unpacked stands beside what was written."""
        before = tree_bytes(home) if fresh and home.exists() else 0
        environment = {**os.environ, "SLIPWAY_HOME": str(home), "SLIPWAY_CACHE": str(self.slipway.cache)}
        command = [self.slipway.program, "-C", self.slipway.folder / project, *words]
        peak, written = measure(command, environment)
        unpacked = tree_bytes(home) - before if fresh else None
        self.rows.append((title, peak, written, unpacked))
        print(f"bench: {title}: {peak / 1e6:.0f} MB, {written / 1e9:.3f} GB written", flush=True)

    def text(self) -> str:
        lines = ["# What the commands take: memory and writing", "",
                 f"Written by bench/footprint.py on {table.machine()}: PyTorch's image as in [benchmarks.md](benchmarks.md), downloads",
                 "cached. Memory: the peak of what is not a file's, of all processes of the command. Written: what the kernel counts,",
                 "without what was removed before it was written. `load` keeps the layers as they came beside their trees.", "",
                 "| | memory, MB | written, GB | of the image unpacked |", "|---|---|---|---|"]
        for title, peak, written, unpacked in self.rows:
            ratio = f"{written / unpacked:.2f}×" if unpacked else "–"
            lines.append(f"| {title} | {peak / 1e6:.0f} | {written / 1e9:.3f} | {ratio} |")
        return "\n".join(lines) + "\n"


def measure_all(slipway: Slipway, folder: Path) -> Rows:
    rows = Rows(slipway)
    home, other, out = folder / "footprint", folder / "footprint-other", folder / "footprint.tar"

    def begin(*homes):
        for old in homes:
            shutil.rmtree(old, ignore_errors=True)
        subprocess.run(["cp", "-a", slipway.folder / "base", home], check=True)

    begin(home, other)
    rows.add("build, no bytecode", home, "build", "--locked", "--no-bytecode", fresh=True)
    begin(home)
    shutil.rmtree(slipway.cache / "bytecode", ignore_errors=True)
    rows.add("build", home, "build", "--locked", fresh=True)
    rows.add("build, nothing changed", home, "build", "--locked")
    rows.add("build, one small package changed", home, "build", "--locked", project="after")
    rows.add("check", home, "check", "--gpu", "h100", "--driver", "550")
    rows.add("save, an archive", home, "save", "bench", "-o", out)
    rows.add("load of it", other, "load", "-i", out, fresh=True)
    out.unlink()
    shutil.rmtree(other)
    with Registry(folder / "registry") as registry:
        there = f"{registry.host}/bench:1"
        rows.add("push to an empty registry", home, "push", "bench", there)
        rows.add("pull", other, "pull", there, fresh=True)
    rows.add("slim --gpu h100", home, "slim", "bench", "--gpu", "h100", "-t", "bench:slim")
    rows.add("verify, built anew in a store of its own", home, "verify", project="after")
    with Registry(folder / "registry") as registry:
        begin(home, other)
        rows.add("build and push", home, "build", "--locked", "--push", f"{registry.host}/bench:1", fresh=True)
    for old in (home, other):
        shutil.rmtree(old, ignore_errors=True)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--slipway", required=True)
    parser.add_argument("--folder", type=Path, default=Path.home() / ".cache" / "slipway-bench")
    parser.add_argument("--table", type=Path)
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    slipway = Slipway(options.slipway, folder / "slipway")
    if not (slipway.folder / "base").exists():
        slipway.prepare()
    text = measure_all(slipway, folder).text()
    print(text)
    if options.table:
        options.table.write_text(text)


if __name__ == "__main__":
    main()
