"""Moves an image to a fresh registry of this machine and back, by Slipway and by its peers.

    registry.py --slipway PROGRAM [--image NAME] [--project FOLDER] [--crane PROGRAM] [--runs N]
                [--folder DIR] [--table FILE]

The image is one of the store; `--project` is the folder it was built from, for the push after a change
of one small package. The store is left as it is: what is written goes into a copy whose files are hard
links. Every side gets an empty registry (Debian's docker-registry) for each push. Docker's side needs
root and as much disk as the image unpacked; `--sides` leaves it out. Peers move blobs that lie ready on
the disk, in a layout that `slipway save` wrote beforehand; Slipway's wheels are spliced as they go.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "peers"))
import table
from local_registry import Registry

CRANE = ("github.com/google/go-containerregistry/cmd/crane", "v0.22.1")
SIDES = ["slipway", "skopeo", "crane", "docker"]


def timed(command, **options) -> tuple[float, str]:
    subprocess.run(["sync"], check=True)
    started = time.monotonic()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    seconds = time.monotonic() - started
    if done.returncode != 0:
        raise SystemExit(f"bench: {' '.join(map(str, command))} failed:\n{done.stderr[-2000:]}")
    return seconds, done.stdout + done.stderr


class Slipway:
    def __init__(self, options):
        self.program = os.path.abspath(options.slipway)
        self.image, self.project, self.folder = options.image, options.project, options.folder
        data = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
        self.store = Path(os.environ.get("SLIPWAY_HOME", data / "slipway"))
        self.changed = None

    def run(self, *words, home=None, cache=None) -> tuple[float, str]:
        environment = {**os.environ, "SLIPWAY_HOME": str(home or self.folder / "store")}
        if cache:
            environment["SLIPWAY_CACHE"] = str(cache)
        return timed([self.program, *words], env=environment)

    def prepare(self):
        copy = self.folder / "store"
        shutil.rmtree(copy, ignore_errors=True)
        subprocess.run(["cp", "-al", self.store, copy], check=True)
        shutil.rmtree(copy / "known" / "blob-places", ignore_errors=True)
        if not self.project:
            return
        after = self.folder / "changed"
        shutil.rmtree(after, ignore_errors=True)
        shutil.copytree(self.project, after)
        text = (after / "slipway.toml").read_text()
        text = text.replace("packages = [", 'packages = ["six==1.16.0", ', 1)
        (after / "slipway.toml").write_text(re.sub(r'tag( *)= "[^"]*"', r'tag\1= "changed"', text))
        self.run("-C", after, "build")
        self.changed = json.loads(self.run("-C", after, "inspect", "--json")[1])["reference"]

    def save(self) -> Path:
        layout = self.folder / "layout"
        self.run("save", self.image, "-o", f"{layout}/")
        return layout

    def measure(self, registry: Registry) -> dict:
        there = f"{registry.host}/bench:1"
        result = {"push": self.run("push", self.image, there)[0],
                  "push again": self.run("push", self.image, there)[0]}
        home, cache = self.folder / "pulled", self.folder / "pulled-cache"
        result["pull, unpacked"] = self.run("pull", there, home=home, cache=cache)[0]
        if self.changed:
            seconds, said = self.run("push", self.changed, f"{registry.host}/bench:2")
            result["push, one package changed"] = seconds
            result["sent"] = re.search(r"sent, ([^;]*)", said).group(1)
            seconds, said = self.run("pull", f"{registry.host}/bench:2", home=home, cache=cache)
            result["pull, one package changed"] = seconds
            result["fetched"] = re.search(r"fetched, ([^;]*)", said).group(1)
        shutil.rmtree(home)
        shutil.rmtree(cache, ignore_errors=True)
        return result


def measure_tool(push, again, pull, out: Path) -> dict:
    result = {"push": timed(push)[0], "push again": timed(again)[0], "pull, blobs": timed(pull)[0]}
    shutil.rmtree(out, ignore_errors=True)
    return result


def measure_skopeo(layout: Path, registry: Registry, folder: Path) -> dict:
    there = f"docker://{registry.host}/bench:1"
    tag = json.loads((layout / "index.json").read_text())["manifests"][0]["annotations"][
        "org.opencontainers.image.ref.name"]
    push = ["skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci:{layout}:{tag}", there]
    out = folder / "out"
    pull = ["skopeo", "copy", "-q", "--src-tls-verify=false", there, f"oci:{out}:1"]
    return measure_tool(push, push, pull, out)


def fetch_crane(folder: Path) -> Path:
    program = folder / f"crane-{CRANE[1]}" / "crane"
    if not program.exists():
        environment = {**os.environ, "GOBIN": str(program.parent), "GOPATH": str(folder / "crane-source"),
                       "GOFLAGS": "-modcacherw"}
        subprocess.run(["go", "install", "@".join(CRANE)], check=True, env=environment)
        shutil.rmtree(folder / "crane-source", ignore_errors=True)
    return program


def measure_crane(crane: str, layout: Path, registry: Registry, folder: Path) -> dict:
    there = f"{registry.host}/bench:1"
    out = folder / "out"
    push = [crane, "push", "--insecure", layout, there]
    return measure_tool(push, push, [crane, "pull", "--insecure", "--format=oci", there, out], out)


DOCKER_OPTIONS: list[str] = []


class Docker:
    """A dockerd of our own."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.socket = f"unix://{folder}/docker.sock"

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.log = open(self.folder / "log", "w")
        self.process = subprocess.Popen(
            ["dockerd", "-H", self.socket, "--data-root", self.folder / "data", "--exec-root",
             self.folder / "run", "--pidfile", self.folder / "pid", "--bridge", "none",
             "--iptables=false", "--ip6tables=false", *DOCKER_OPTIONS], stdout=self.log, stderr=self.log)
        while subprocess.run(["docker", "-H", self.socket, "version"], capture_output=True).returncode:
            if self.process.poll() is not None:
                raise SystemExit("bench: dockerd does not start")
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *words) -> float:
        return timed(["docker", "-H", self.socket, *words])[0]

    def measure(self, image: str, registry: Registry) -> dict:
        there = f"{registry.host}/bench:1"
        self.run("tag", image, there)
        result = {"push": self.run("push", "-q", there), "push again": self.run("push", "-q", there)}
        self.run("rmi", "-f", there, image)
        result["pull, unpacked"] = self.run("pull", "-q", there)
        self.run("tag", there, image)
        self.run("rmi", there)  # in the next round the image has to go whole
        return result


COLUMNS = ["push", "push again", "push, one package changed", "pull, unpacked", "pull, blobs",
           "pull, one package changed"]


def write_table(rounds: dict[str, list[dict]], size: str) -> str:
    lines = ["# To a registry and back", "",
             f"Written by `make bench` (bench/registry.py) on {table.machine()}. Every push is to an empty registry (Debian's "
             "docker-registry) on the same machine, which shares the cores. Slipway splices the wheels' "
             "layers as it sends; skopeo and crane send a layout that lies ready on the disk, and docker "
             "compresses what it has unpacked.", "",
             f"Seconds, medians of {len(rounds['slipway'])} rounds; in brackets, how many times Slipway's. "
             f"{size}. Slipway and docker pull unpack too; skopeo and crane only fetch the blobs.", "",
             "| | " + " | ".join(COLUMNS) + " |", "|---|" + "---|" * len(COLUMNS)]
    own = {key: statistics.median(r[key] for r in rounds["slipway"])
           for key in rounds["slipway"][0] if key not in ("sent", "fetched")}
    own["pull, blobs"] = own["pull, unpacked"]
    for side, all_rounds in rounds.items():
        cells = []
        for key in COLUMNS:
            values = [r[key] for r in all_rounds if key in r]
            if not values:
                cells.append("–")
                continue
            value = statistics.median(values)
            beside = f" ({value / own[key]:.1f}×)" if side != "slipway" and own.get(key) else ""
            cells.append(f"{value:.2f}{beside}")
        lines.append(f"| {side} | " + " | ".join(cells) + " |")
    last = rounds["slipway"][-1]
    if "sent" in last:
        lines += ["", f"After a change of one small package, {last['sent']} are sent and "
                      f"{last['fetched']} fetched."]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--slipway", required=True)
    parser.add_argument("--image", default="pytorch-cuda:2.6")
    parser.add_argument("--project", type=Path)
    parser.add_argument("--crane", help="a program (else it is built by go)")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, required=True, help="on the store's own file system")
    parser.add_argument("--table", type=Path, help="Markdown file to write")
    parser.add_argument("--sides", nargs="*", default=SIDES, choices=SIDES)
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    sides = options.sides
    if "crane" in sides and not options.crane:
        options.crane = fetch_crane(options.folder.parent)
    slipway = Slipway(options)
    slipway.prepare()
    layout = slipway.save() if {"skopeo", "crane"} & set(sides) else None
    rounds = {side: [] for side in ["slipway", *(s for s in sides if s != "slipway")]}
    docker = Docker(options.folder / "docker") if "docker" in sides else None
    if docker:
        docker.__enter__()
        environment = {**os.environ, "SLIPWAY_HOME": str(options.folder / "store")}
        with subprocess.Popen([slipway.program, "save", "--format", "docker", options.image],
                              stdout=subprocess.PIPE, env=environment) as save:
            subprocess.run(["docker", "-H", docker.socket, "load", "-q"], stdin=save.stdout, check=True,
                           capture_output=True)
    try:
        for number in range(options.runs):
            for side in rounds:
                print(f"bench: {side}, round {number + 1} of {options.runs}", flush=True)
                with Registry(options.folder / "registry") as registry:
                    if side == "slipway":
                        rounds[side].append(slipway.measure(registry))
                    elif side == "skopeo":
                        rounds[side].append(measure_skopeo(layout, registry, options.folder))
                    elif side == "crane":
                        rounds[side].append(measure_crane(options.crane, layout, registry, options.folder))
                    else:
                        rounds[side].append(docker.measure(options.image, registry))
                print(json.dumps(rounds[side][-1]), flush=True)
    finally:
        if docker:
            docker.__exit__()
        for name in ("layout", "store", "changed", "out", "pulled"):
            shutil.rmtree(options.folder / name, ignore_errors=True)
    size = slipway_size(slipway, options.image)
    text = write_table(rounds, size)
    print(text)
    if options.table:
        options.table.write_text(text)


def slipway_size(slipway: Slipway, image: str) -> str:
    images = json.loads(timed([slipway.program, "inspect", image, "--json"])[1])
    total = sum(layer["size"] for layer in images["layers"])
    return f"{len(images['layers'])} layers, {total / 1e9:.2f} GB compressed"


if __name__ == "__main__":
    main()
