"""Slipway's images beside BuildKit's, built in the strongest way that Docker's world has.

    buildkit.py --slipway PROGRAM --floor PROGRAM [--runs N] [--folder DIR] [--table FILE]

buildkitd of today, with an overlay snapshotter and a root of its own; large and small wheels in two
steps with uv, from a server on this machine. Both sides have their base already, and the same
order of work: each kind of output begins with a store that has nothing else. The floor (floor.cc) is run
in each round. Needs root, go, runc and docker-registry.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "peers"))
import inputs
import table
import wheel_server
from builders import unmount_below
from linked_registry import LinkedRegistry
from local_registry import Registry
from measure import measure_floor
from slipway_side import Slipway

VERSION = "v0.34.2"
DOCKERFILE = """FROM scratch AS base
ADD base.tar /
FROM scratch AS uv
COPY uv /uv
FROM base
COPY heavy.txt /heavy.txt
RUN --mount=type=bind,from=uv,target=/mnt/uv /mnt/uv/uv venv -q --no-cache /opt/venv && {install} /heavy.txt
COPY light.txt /light.txt
RUN --mount=type=bind,from=uv,target=/mnt/uv {install} /light.txt
ENV PATH=/opt/venv/bin:/usr/bin:/bin
"""
INSTALL = ("/mnt/uv/uv pip install -q --no-cache --python /opt/venv/bin/python --no-index "
           "--find-links http://127.0.0.1:{port}/ --no-deps -r")
ROWS = [("build", "build, an image to run"), ("layout", "build, and an OCI layout to push"),
        ("reproducible", "the same, reproducible"),
        ("push", "build, and push to an empty registry"),
        ("linked push", "the same, over 1 Gbit/s"), ("change", "one small package changed"),
        ("change layout", "the same, and the layout again"),
        ("change push", "the same, and pushed"), ("nothing", "nothing changed")]


def fetch_buildkit(folder: Path) -> Path:
    """Built from its module, for `go install` refuses one with exclude directives."""
    programs = folder / f"buildkit-{VERSION}"
    if not (programs / "buildctl").exists():
        work = folder / "buildkit-source"
        environment = {**os.environ, "GOPATH": str(work / "go"), "GOFLAGS": "-modcacherw"}
        work.mkdir(parents=True, exist_ok=True)
        subprocess.run(["go", "mod", "download", f"github.com/moby/buildkit@{VERSION}"], check=True,
                       env=environment, cwd=work)
        source = work / "source"
        shutil.copytree(work / "go/pkg/mod/github.com/moby" / f"buildkit@{VERSION}", source)
        subprocess.run(["go", "build", "-o", f"{programs}.part/", "./cmd/buildkitd", "./cmd/buildctl"],
                       check=True, env=environment, cwd=source)
        Path(f"{programs}.part").rename(programs)
        shutil.rmtree(work, ignore_errors=True)
    return programs


class BuildKit:
    """A buildkitd whose data lies in `folder`, and goes with it."""

    def __init__(self, programs: Path, folder: Path):
        self.programs, self.folder = programs, folder
        self.address = f"unix://{folder}/socket"

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.log = open(self.folder / "log", "w")
        self.daemon = subprocess.Popen(
            [self.programs / "buildkitd", "--root", self.folder / "root", "--addr", self.address,
             "--oci-worker-snapshotter", "overlayfs", "--oci-worker-net", "host",
             "--allow-insecure-entitlement", "network.host"], stdout=self.log, stderr=self.log)
        for _ in range(200):
            if subprocess.run([self.programs / "buildctl", "--addr", self.address, "debug", "workers"],
                              capture_output=True).returncode == 0:
                return self
            time.sleep(0.1)
        self.__exit__()
        raise SystemExit(f"bench: buildkitd does not start: see {self.folder}/log")

    def __exit__(self, *_):
        self.daemon.terminate()
        self.daemon.wait(timeout=120)
        self.log.close()
        unmount_below(self.folder)
        shutil.rmtree(self.folder / "root", ignore_errors=True)

    def build(self, context: Path, *options: str) -> float:
        command = [self.programs / "buildctl", "--addr", self.address, "build", "--progress=plain",
                   "--frontend", "dockerfile.v0", "--local", f"context={context}", "--local",
                   f"dockerfile={context}", "--allow", "network.host", "--opt",
                   "force-network-mode=host", *options]
        started = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"bench: BuildKit failed:\n{done.stderr[-3000:]}")
        return time.monotonic() - started


RATE = "1gbit"
PACKING = "compression=zstd,compression-level=1,force-compression=true"


def layout_of(folder: Path, more: str = "") -> list[str]:
    return ["--output", f"type=oci,tar=false,dest={folder},{PACKING}{more}"]


def push_to(registry) -> list[str]:
    return ["--output", f"type=image,name={registry.host}/bench:1,push=true,registry.insecure=true,{PACKING}"]


def measure_buildkit(programs: Path, folder: Path, contexts) -> dict[str, float]:
    times = {}
    out = folder / "layout"
    epoch = ["--opt", "build-arg:SOURCE_DATE_EPOCH=0"]

    def begin(buildkit, *options):
        buildkit.build(contexts["before"], *options, "--opt", "target=base")
        inputs.settle()

    with BuildKit(programs, folder / "daemon") as buildkit:
        begin(buildkit)
        times["build"] = buildkit.build(contexts["before"])
        times["nothing"] = buildkit.build(contexts["before"])
        times["change"] = buildkit.build(contexts["after"])
    with BuildKit(programs, folder / "daemon") as buildkit:
        begin(buildkit)
        times["layout"] = buildkit.build(contexts["before"], *layout_of(out))
        times["change layout"] = buildkit.build(contexts["after"], *layout_of(out))
        size = sum(file.stat().st_size for file in (out / "blobs/sha256").iterdir())
        print(f"bench: BuildKit's layout, both images: {size / 1e9:.2f} GB", flush=True)
    shutil.rmtree(out, ignore_errors=True)
    with BuildKit(programs, folder / "daemon") as buildkit:
        begin(buildkit, *epoch)
        times["reproducible"] = buildkit.build(contexts["before"], *epoch,
                                               *layout_of(out, ",rewrite-timestamp=true"))
    shutil.rmtree(out, ignore_errors=True)
    with BuildKit(programs, folder / "daemon") as buildkit, Registry(folder / "registry") as registry:
        begin(buildkit)
        times["push"] = buildkit.build(contexts["before"], *push_to(registry))
        times["change push"] = buildkit.build(contexts["after"], *push_to(registry))
    with BuildKit(programs, folder / "daemon") as buildkit, LinkedRegistry(folder / "registry") as registry:
        registry.limit(RATE)
        begin(buildkit)
        times["linked push"] = buildkit.build(contexts["before"], *push_to(registry))
    return times


def measure_slipway(slipway: Slipway, folder: Path) -> dict[str, float]:
    flags = ["build", "--locked", "--no-bytecode"]
    home, out = slipway.folder / "home", folder / "slipway-layout"
    times = {}

    def begin():
        for old in (home, out):
            shutil.rmtree(old, ignore_errors=True)
        subprocess.run(["cp", "-a", slipway.folder / "base", home], check=True)
        inputs.settle()

    begin()
    times["build"] = slipway.run("before", home, *flags)
    times["nothing"] = slipway.run("before", home, *flags)
    times["change"] = slipway.run("after", home, *flags)
    begin()
    save = ["save", "-o", f"{out}/"]
    times["layout"] = slipway.run("before", home, *flags) + slipway.run("before", home, *save)
    times["change layout"] = slipway.run("after", home, *flags) + slipway.run("after", home, *save)
    times["reproducible"] = times["layout"]  # there is no other way to build
    size = sum(file.stat().st_size for file in (out / "blobs/sha256").iterdir())
    print(f"bench: Slipway's layout: {size / 1e9:.2f} GB", flush=True)
    with Registry(folder / "registry") as registry:
        begin()
        push = ["--push", f"{registry.host}/bench:1"]
        times["push"] = slipway.run("before", home, *flags, *push)
        times["change push"] = slipway.run("after", home, *flags, *push)
    with LinkedRegistry(folder / "registry") as registry:
        registry.limit(RATE)
        begin()
        times["linked push"] = slipway.run("before", home, *flags, "--push", f"{registry.host}/bench:1", "--insecure")
    for old in (home, out):
        shutil.rmtree(old, ignore_errors=True)
    return times


def make_contexts(folder: Path, uv: Path, wheels: Path, port: int) -> dict[str, Path]:
    contexts = inputs.make_contexts(folder / "buildkit-contexts", sorted(wheels.glob("*.whl")))
    base = inputs.make_base(folder)
    for context in contexts.values():
        os.link(base, context / "base.tar")
        shutil.copy(uv, context / "uv")
        (context / "Dockerfile").write_text(DOCKERFILE.format(install=INSTALL.format(port=port)))
    return contexts


def write(rounds: list[dict]) -> str:
    lines = ["# Images, beside BuildKit", "",
             f"Written by `make bench` (bench/buildkit.py) on {table.machine()}. BuildKit {VERSION}, large and small wheels in two",
             "steps with uv; its layouts are zstd, level 1. Slipway's are its own layers, spliced. No bytecode on either side; both",
             "have their base already. The registry, Debian's docker-registry, shares the cores and the disk. The floor inflates,",
             "hashes and writes the same wheels, and nothing else.", "",
             f"Seconds, medians of {len(rounds)} rounds; in brackets, how many times Slipway's.", "",
             "| | slipway | BuildKit |", "|---|---|---|"]
    for key, title in ROWS:
        own, other = (statistics.median(r[side][key] for r in rounds) for side in ("slipway", "buildkit"))
        lines.append(f"| {title} | {own:.2f} | {other:.2f} ({other / own:.1f}×) |")
    floors = [r["floor"] for r in rounds]
    ratio = statistics.median(r["slipway"]["build"] / r["floor"] for r in rounds)
    unwritten = statistics.median(r["unwritten"] for r in rounds)
    lines += ["", f"The floor: {statistics.median(floors):.2f} s; the build takes {ratio:.2f} times that (median of the rounds'",
              f"ratios; {', '.join(f'{r:.1f}' for r in floors)} s). Writing nothing, the floor is {unwritten:.2f} s."]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--slipway", required=True)
    parser.add_argument("--floor", required=True, help="the program of bench/floor.cc")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path.home() / ".cache" / "slipway-bench")
    parser.add_argument("--table", type=Path)
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    inputs.install_prerequisites()
    uv, programs = inputs.fetch_uv(folder), fetch_buildkit(folder)
    slipway = Slipway(options.slipway, folder / "slipway")
    slipway.prepare()
    wheels = folder / "image" / "wheels"
    inputs.fetch_wheels(wheels, inputs.lock_requirements(folder / "slipway" / "before" / "slipway.lock"))
    in_lock = [wheel for wheel in sorted(wheels.glob("*.whl")) if not wheel.name.startswith("six-1.16")]
    with wheel_server.serve(wheels) as port:
        contexts = make_contexts(folder, uv, wheels, port)
        rounds = []
        for number in range(options.runs):
            print(f"bench: BuildKit, round {number + 1} of {options.runs}", flush=True)
            floor, unwritten = (measure_floor(options.floor, folder, in_lock, writes)["cold"] for writes in (True, False))
            rounds.append({"floor": floor, "unwritten": unwritten,
                           "slipway": measure_slipway(slipway, folder),
                           "buildkit": measure_buildkit(programs, folder, contexts)})
    text = write(rounds)
    print(text)
    if options.table:
        options.table.write_text(text)


if __name__ == "__main__":
    main()
