"""The results as Markdown: medians, and what they are beside Slipway (or beside the floor)."""

import os
import platform
import statistics
import time

NAMES = {"floor": "the floor (bench/floor.cc)", "unwritten": "the same, nothing written",
         "slipway": "slipway build",
         "uv": "docker build, uv, two steps", "classic": "docker build without BuildKit, uv, two steps",
         "pip": "docker build, pip, one step", "buildah": "buildah bud, uv, two steps"}
COLUMNS = [("cold", "cold, base in the store"), ("empty store", "cold, base made too"),
           ("rebuild", "one small package changed"), ("nothing", "nothing changed")]


def machine() -> str:
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (f"{len(os.sched_getaffinity(0))} cores of {model}, {memory:.0f} GiB, "
            f"Linux {platform.release()}, {time.strftime('%Y-%m-%d')}")


def medians(rounds: list[dict]) -> dict[str, dict[str, float]]:
    sides = {}
    for side in rounds[0]:
        keys = rounds[0][side]
        sides[side] = {key: statistics.median(r[side][key] for r in rounds) for key in keys}
    return sides


def cell(side: str, key: str, sides) -> str:
    seconds = sides[side].get(key)
    if seconds is None:
        return "–"
    own = sides.get("slipway", {}).get(key)
    beside = f" ({seconds / own:.1f}×)" if own and side != "slipway" else ""
    return f"{seconds:.2f}{beside}"


def write_rounds(mode: str, rounds: list[dict]) -> list[str]:
    sides = medians(rounds)
    lines = [f"## Images, {mode}", "",
             f"Seconds, medians of {len(rounds)} rounds; in brackets, how many times Slipway's.", "",
             "| | " + " | ".join(title for _, title in COLUMNS) + " |",
             "|---|" + "---|" * len(COLUMNS)]
    for side in NAMES:
        if side in sides:
            cells = (cell(side, key, sides) for key, _ in COLUMNS)
            lines.append(f"| {NAMES[side]} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def write_checks(rounds: dict) -> list[str]:
    sides = [r["slipway"] for mode in rounds.values() for r in mode if "check" in r.get("slipway", {})]
    if not sides:
        return []
    first, again = (statistics.median(s[key] for s in sides) for key in ("first check", "check"))
    return ["## The proof for a GPU and a driver", "",
            "`slipway check` of the whole image; no peer does this.", "",
            "| | seconds, median |", "|---|---|",
            f"| the first time: every ELF file and fat binary is read | {first:.2f} |",
            f"| again | {again:.2f} |", ""]


def write(results: dict) -> str:
    lines = ["# Benchmarks", "",
             f"Written by `make bench` on {machine()}. How it is measured: bench/peers/README.md.", "",
             f"{results['wheels']} wheels, {results['bytes'] / 1e9:.2f} GB as downloaded.", ""]
    for mode, rounds in results["rounds"].items():
        if rounds:
            lines += write_rounds(mode, rounds)
    lines += write_checks(results["rounds"])
    lines += ["## Resolving again, caches warm", "", "| | seconds, median |", "|---|---|"]
    names = {"uv": "uv pip compile --generate-hashes", "slipway": "slipway lock (wheels and Debian)"}
    for side in ("slipway", "uv"):
        values = [r[side] for r in results["resolve"] if side in r]
        if values:
            lines.append(f"| {names[side]} | {statistics.median(values):.2f} |")
    return "\n".join(lines) + "\n"
