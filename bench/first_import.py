"""From nothing to the first answer: pull an image and import torch in it, over a network of a given rate.

    first_import.py --slipway PROGRAM --folder DIR [--image NAME] [--rates 1gbit 10gbit] [--runs N]
                    [--command TEXT] [--sides ...] [--table FILE]

The registry (Debian's) stands in a network namespace of its own, behind a link that `tc` holds to the
rate. Every side starts with an empty store. Slipway's lazy pull is measured to the first answer, to the
whole image, and with and without a list of what a start reads. Needs root, iproute2, docker and dockerd.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path

import registry as registry_bench
import table
from footprint import io_counts
from linked_registry import LinkedRegistry
from registry import Docker, timed

SIDES = ["lazy", "lazy, no list", "eager", "docker"]
COLUMNS = ["pull returns", "first answer", "fetched by then", "whole", "most memory", "written"]
SIZES = ["fetched by then", "most memory", "written"]


class Slipway:
    def __init__(self, options):
        self.program = os.path.abspath(options.slipway)
        self.folder = options.folder
        self.python = ["python", "-c", options.command]
        self.environment = {**os.environ, "SLIPWAY_HOME": str(self.folder / "home"),
                            "SLIPWAY_CACHE": str(self.folder / "cache")}

    def measure(self, image: str, flags: list[str]) -> dict:
        self.clean()
        subprocess.run(["sync"], check=True)
        started = time.monotonic()
        self.run("pull", "--insecure", *flags, image)
        result = {"pull returns": time.monotonic() - started}
        self.run("run", "--rm", image, "--", *self.python)
        result["first answer"] = time.monotonic() - started
        if "--lazy" in flags:
            self.follow(started, result)
        self.clean()
        return result

    def follow(self, started: float, result: dict):
        """To the end of the process that brings the rest."""
        [folder] = (self.folder / "home" / "lazy").iterdir()
        lock = folder / "lock"
        server = None
        for line in open("/proc/locks"):
            words = line.split()
            if lock.exists() and words[1] == "FLOCK" and words[5].endswith(f":{lock.stat().st_ino}"):
                server = Path("/proc") / words[4]
        if (folder / "progress").exists():
            result["fetched by then"] = int((folder / "progress").read_text().split()[0])
        while server and server.exists():
            try:
                status = (server / "status").read_text()
                result["most memory"] = int(status.split("VmHWM:")[1].split()[0]) * 1024
                counts = io_counts(server)
                result["written"] = counts["write_bytes"] - counts["cancelled_write_bytes"]
            except (OSError, IndexError):
                break
            time.sleep(0.1)
        result["whole"] = time.monotonic() - started
        if said := (folder / "log").read_text():
            raise SystemExit(f"bench: the lazy pull complains: {said}")

    def run(self, *words):
        return timed([self.program, *words], env=self.environment)

    def clean(self):
        for name in ("home", "cache"):
            shutil.rmtree(self.folder / name, ignore_errors=True)


def push_both(slipway: Slipway, options, image: str, bare: str):
    """The list that a watched run leaves goes with one of them. Out of a copy: the store stays as it is."""
    data = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
    store = Path(os.environ.get("SLIPWAY_HOME", data / "slipway"))
    copy = options.folder / "store"
    shutil.rmtree(copy, ignore_errors=True)
    subprocess.run(["cp", "-al", store, copy], check=True)
    shutil.rmtree(copy / "referrers", ignore_errors=True)
    environment = {**os.environ, "SLIPWAY_HOME": str(copy)}
    timed([slipway.program, "push", "--insecure", options.image, bare], env=environment)
    timed([slipway.program, "run", "--rm", "--record-reads", options.image, "--", *slipway.python],
          env=environment)
    timed([slipway.program, "push", "--insecure", options.image, image], env=environment)
    shutil.rmtree(copy)


def measure_docker(folder: Path, image: str, python: list[str]) -> dict:
    with Docker(folder / "docker") as docker:
        subprocess.run(["sync"], check=True)
        started = time.monotonic()
        docker.run("pull", "-q", image)
        result = {"pull returns": time.monotonic() - started}
        docker.run("run", "--rm", "--network", "none", image, *python)
        result["first answer"] = time.monotonic() - started
    return result


def cell(key: str, values: list[float], own: float | None) -> str:
    if not values:
        return "–"
    value = statistics.median(values)
    if key in SIZES:
        return f"{value / 1e9:.2f} GB" if value > 1e9 else f"{value / 1e6:.0f} MB"
    return f"{value:.1f}" + (f" ({value / own:.1f}×)" if own else "")


def write_table(rates: dict, size: str, runs: int, text: str) -> str:
    lines = ["# Pull, and the first answer", "",
             f"Written by `make bench` (bench/first_import.py) on {table.machine()}. Nothing is there; the registry (Debian's "
             f"docker-registry) is behind a link of the given rate; then `{text}` is run. {size}.", "",
             f"Seconds, medians of {runs} rounds; in brackets, how many times the lazy one with a list of what "
             "a start reads. Memory is the resident peak of the process that serves and brings the image; written is what "
             "that process wrote, without what it removed before the kernel had written it."]
    for rate, sides in rates.items():
        lines += ["", f"## {rate}", "", "| | " + " | ".join(COLUMNS) + " |", "|---|" + "---|" * len(COLUMNS)]
        own = {key: statistics.median([r[key] for r in sides.get("lazy", []) if key in r] or [0]) for key in COLUMNS}
        for side, rounds in sides.items():
            cells = [cell(key, [r[key] for r in rounds if key in r],
                          own[key] if side != "lazy" and key == "first answer" else None) for key in COLUMNS]
            lines.append(f"| {side} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--slipway", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--image", default="pytorch-cuda:2.6")
    parser.add_argument("--command", default="import torch; print(torch.__version__)")
    parser.add_argument("--rates", nargs="*", default=["1gbit", "10gbit"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--sides", nargs="*", default=SIDES, choices=SIDES)
    parser.add_argument("--table", type=Path)
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    slipway = Slipway(options)
    registry_bench.DOCKER_OPTIONS = ["--insecure-registry", LinkedRegistry.host]
    rates = {}
    with LinkedRegistry(options.folder / "registry") as link:
        image, bare = f"{link.host}/bench:1", f"{link.host}/bare:1"
        push_both(slipway, options, image, bare)
        for rate in options.rates:
            link.limit(rate)
            rates[rate] = {side: [] for side in options.sides}
            for number in range(options.runs):
                for side in options.sides:
                    print(f"bench: {rate}, {side}, round {number + 1} of {options.runs}", flush=True)
                    if side == "docker":
                        result = measure_docker(options.folder, image, slipway.python)
                    else:
                        flags = ["--lazy"] if side.startswith("lazy") else []
                        result = slipway.measure(bare if side == "lazy, no list" else image, flags)
                    rates[rate][side].append(result)
                    print(json.dumps(result), flush=True)
    inspected = json.loads(timed([slipway.program, "inspect", options.image, "--json"])[1])
    total = sum(layer["size"] for layer in inspected["layers"])
    text = write_table(rates, f"{len(inspected['layers'])} layers, {total / 1e9:.2f} GB compressed", options.runs,
                       options.command)
    print(text)
    if options.table:
        options.table.write_text(text)


if __name__ == "__main__":
    main()
