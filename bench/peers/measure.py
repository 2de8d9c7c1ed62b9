"""Measures Slipway, its peers and the floor, in one run on one machine, and writes the table.

    measure.py --floor PROGRAM [--slipway PROGRAM] [--runs N] [--folder DIR] [--table FILE]

Without --slipway only the peers and the floor are measured. Every round takes each side once, so that
what the machine does meanwhile hits all; medians are of the rounds. Needs root, for dockerd.
"""

import argparse
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import inputs
import table
import wheel_server
from buildah import Buildah
from docker import Docker
from slipway_side import Slipway

HERE = Path(__file__).parent
UV_FLAGS = ("--compile-bytecode", "--no-compile-bytecode")
# Of each the Dockerfile, and the flags with and without bytecode.
DOCKER_SIDES = {"uv": ("uv", UV_FLAGS), "classic": ("served", UV_FLAGS), "pip": ("pip", ("--compile", "--no-compile"))}
SIDES = [*DOCKER_SIDES, "buildah"]


def measure_floor(program: str, folder: Path, wheels: list[Path], writes: bool = True) -> dict[str, float]:
    out = folder / "floor"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    inputs.settle()
    started = time.monotonic()
    subprocess.run([program, str(len(os.sched_getaffinity(0))), out if writes else "-", *wheels], check=True,
                   stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - started
    shutil.rmtree(out)
    return {"cold": seconds}


def time_builds(build) -> dict[str, float]:
    """`build` builds one of the contexts."""
    inputs.settle()
    return {"cold": build("before"), "nothing": build("before"), "rebuild": build("after")}


def measure_docker(docker: Docker, side: str, contexts, port: int, bytecode: bool) -> dict[str, float]:
    name, flags = DOCKER_SIDES[side]
    arguments = {"COMPILE": flags[0 if bytecode else 1], **({"PORT": str(port)} if name == "served" else {})}
    tag = f"slipway-bench-{side}"

    def build(context: str) -> float:
        return docker.build(HERE / f"{name}.Dockerfile", contexts[context], arguments, tag, side == "classic")

    times = time_builds(build)
    docker.forget(tag)
    return times


def measure_buildah(folder: Path, contexts, port: int, bytecode: bool) -> dict[str, float]:
    arguments = {"COMPILE": UV_FLAGS[0 if bytecode else 1], "PORT": str(port)}
    with Buildah(folder / "buildah", inputs.make_base(folder), folder / "image" / "uv") as buildah:

        def build(context: str) -> float:
            return buildah.build(HERE / "served.Dockerfile", contexts[context], arguments)

        return time_builds(build)


def measure_uv_resolve(uv: Path, folder: Path) -> float:
    request = folder / "request.in"
    request.write_text("\n".join([*inputs.PACKAGES, inputs.CHANGE[0]]) + "\n")
    command = [uv, "pip", "compile", "-q", "--generate-hashes", "--python-version", "3.11",
               "--python-platform", "x86_64-manylinux_2_28", "--cache-dir", folder / "uv-cache",
               "-o", folder / "request.txt", request]
    started = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (folder / "request.txt").unlink()
    return time.monotonic() - started


def measure_round(options, folder, docker, slipway, contexts, wheels, port, bytecode) -> dict:
    times = {}
    if not bytecode:
        times["floor"] = measure_floor(options.floor, folder, wheels)
        times["unwritten"] = measure_floor(options.floor, folder, wheels, writes=False)
    if slipway:
        times["slipway"] = slipway.measure(bytecode)
    for side in options.sides:
        times[side] = (measure_buildah(folder, contexts, port, bytecode) if side == "buildah"
                       else measure_docker(docker, side, contexts, port, bytecode))
    return times


def import_images(docker: Docker, folder: Path):
    """The base, the same with uv in it, and the wheels."""
    base = inputs.make_base(folder)
    docker.run("import", base, "slipway-bench-base", stdout=subprocess.DEVNULL)
    context = folder / "uv-context"
    context.mkdir(exist_ok=True)
    shutil.copy(folder / "image" / "uv", context)
    (context / "Dockerfile").write_text("FROM slipway-bench-base\nCOPY uv /uv\n")
    docker.build(context / "Dockerfile", context, {}, "slipway-bench-base-uv", classic=True)
    docker.import_folder(folder / "image", "slipway-bench-wheels")


def run(options) -> dict:
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    inputs.install_prerequisites()
    uv = inputs.fetch_uv(folder)
    slipway = Slipway(options.slipway, folder / "slipway") if options.slipway else None
    if slipway:
        print("bench: locking and downloading", flush=True)
        slipway.prepare()
        inputs.fetch_wheels(folder / "image" / "wheels",
                            inputs.lock_requirements(folder / "slipway" / "before" / "slipway.lock"))
    elif not (folder / "image" / "wheels").is_dir():
        raise SystemExit(f"bench: without --slipway, put the wheels into {folder}/image/wheels")
    shutil.copy(uv, folder / "image" / "uv")
    all_wheels = sorted((folder / "image" / "wheels").glob("*.whl"))
    contexts = inputs.make_contexts(folder / "contexts", all_wheels)
    changed = inputs.CHANGE[1].replace("==", "-")
    wheels = [wheel for wheel in all_wheels if not wheel.name.startswith(changed)]

    rounds = {"without bytecode": [], "with bytecode": []}
    resolve = []
    with Docker(folder / "docker") as docker, wheel_server.serve(folder / "image" / "wheels") as port:
        import_images(docker, folder)
        for mode in options.modes:
            for number in range(options.runs):
                print(f"bench: {mode}, round {number + 1} of {options.runs}", flush=True)
                rounds[mode].append(measure_round(options, folder, docker, slipway, contexts, wheels, port,
                                                  mode == "with bytecode"))
    measure_uv_resolve(uv, folder)  # fills the cache
    for _ in range(options.runs):
        resolve.append({"uv": measure_uv_resolve(uv, folder),
                        **({"slipway": slipway.lock_again()} if slipway else {})})
    size = sum(wheel.stat().st_size for wheel in wheels)
    return {"wheels": len(wheels), "bytes": size, "rounds": rounds, "resolve": resolve}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--slipway", help="the program")
    parser.add_argument("--floor", required=True, help="the program of bench/floor.cc")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path.home() / ".cache" / "slipway-bench")
    parser.add_argument("--table", type=Path, help="Markdown file to write")
    parser.add_argument("--sides", nargs="*", default=SIDES, choices=SIDES)
    parser.add_argument("--modes", nargs="*", default=["without bytecode", "with bytecode"])
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    results = run(options)
    (options.folder / "results.json").write_text(json.dumps(results, indent=1))
    text = table.write(results)
    print(text)
    if options.table:
        options.table.write_text(text)


if __name__ == "__main__":
    main()
