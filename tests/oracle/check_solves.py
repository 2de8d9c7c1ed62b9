"""Compares solutions with uv's: check_solves.py PROGRAM UV CACHE [SETS_REGEX].

PROGRAM is solve_sets.cc; each set of sets.toml is solved by it and by `uv pip compile`, for the same
Python, platform and cut-off date. A difference passes only if explained.toml has exactly it, with
its reason, and uv takes Slipway's solution too when it is given as constraints: both are right then,
and the order of trying decided. An explanation of what is no longer different fails as well.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib

HERE = pathlib.Path(__file__).parent
SEPARATOR = "\x1f"
# A release of each Python; markers and Requires-Python see all three numbers.
FULL = {"3.9": "3.9.20", "3.10": "3.10.15", "3.11": "3.11.2", "3.12": "3.12.7", "3.13": "3.13.1"}
NO_SOLUTION = "no solution"


def read_sets(pattern):
    document = tomllib.loads((HERE / "sets.toml").read_text())
    sets = {name: (FULL[items[0]], items[1:])
            for group in document["sets"].values() for name, items in group.items()}
    return document["before"], {name: one for name, one in sets.items() if re.search(pattern, name)}


def slipway_answers(program, before, sets):
    """Name -> {package: version}, or NO_SOLUTION, or the text of an error."""
    lines = "".join(SEPARATOR.join([name, python, before, *packages]) + "\n"
                    for name, (python, packages) in sets.items())
    process = subprocess.run([program], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    answers = {}
    for line in process.stdout.decode().splitlines():
        name, kind, *rest = line.split(SEPARATOR)
        if kind == "solved":
            answers[name] = dict(one.split("==", 1) for one in rest)
        else:
            answers[name] = NO_SOLUTION if kind == "conflict" else "error: " + "; ".join(rest)
    return answers


class Uv:
    def __init__(self, program, cache, before):
        self.environment = {key: value for key, value in os.environ.items()
                            if not key.startswith("UV_") and key != "VIRTUAL_ENV"}
        self.command = [
            program, "pip", "compile", "--quiet", "--no-config", "--no-header", "--no-annotate",
            "--no-python-downloads", "--only-binary", ":all:", "--python-platform",
            "x86_64-manylinux_2_36", "--exclude-newer", before, "--cache-dir", f"{cache}/uv",
            "--python", sys.executable]

    def solve(self, python, packages, constraints=None):
        with tempfile.TemporaryDirectory() as folder:
            asked = pathlib.Path(folder, "asked.in")
            asked.write_text("\n".join(packages) + "\n")
            command = [*self.command, "--python-version", python, str(asked)]
            if constraints:
                given = pathlib.Path(folder, "given.txt")
                given.write_text("".join(f"{name}=={version}\n" for name, version in constraints.items()))
                command += ["--constraints", str(given)]
            process = subprocess.run(command, capture_output=True, text=True, env=self.environment)
        if process.returncode == 0:
            return dict(line.split("==", 1) for line in process.stdout.split() if "==" in line)
        if "No solution found" in process.stderr:
            return NO_SOLUTION
        return "error: " + process.stderr.strip()


def differences(ours, theirs):
    if isinstance(ours, str) or isinstance(theirs, str):
        say = lambda answer: answer if isinstance(answer, str) else "solved"
        return [] if ours == theirs else [f"uv: {say(theirs)}, Slipway: {say(ours)}"]
    return [f"{name}: uv {theirs.get(name, 'none')}, Slipway {ours.get(name, 'none')}"
            for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]


def main():
    program, uv_program, cache = sys.argv[1:4]
    before, sets = read_sets(sys.argv[4] if len(sys.argv) > 4 else "")
    explained = {one["set"]: one for one in tomllib.loads(
        (HERE / "explained.toml").read_text()).get("difference", [])}
    uv = Uv(uv_program, cache, before)
    ours = slipway_answers(program, before, sets)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        theirs = dict(zip(sets, pool.map(lambda one: uv.solve(*one), sets.values())))
    failures = 0
    counts = {"same": 0, "explained": 0, "without a solution": 0}
    for name, (python, packages) in sets.items():
        mine = ours.get(name, "error: no answer")
        found = differences(mine, theirs[name])
        reason = explained.get(name)
        if not found and not reason:
            counts["same"] += 1
            counts["without a solution"] += mine == NO_SOLUTION
            if isinstance(mine, str) and mine != NO_SOLUTION:
                failures += 1
                print(f"FAIL {name}: neither could answer: {mine}")
        elif found and reason and found == reason["differences"] and len(reason["reason"]) > 20:
            counts["explained"] += 1
            if isinstance(mine, dict) and uv.solve(python, packages, mine) != mine:
                failures += 1
                print(f"FAIL {name}: uv does not take Slipway's solution")
        else:
            failures += 1
            valid = isinstance(mine, dict) and uv.solve(python, packages, mine) == mine
            print(f"FAIL {name} (Python {python}; {', '.join(packages)}): " + (
                "it is explained, and no longer different" if not found else
                "different" + (", and uv takes Slipway's solution too" if valid else "")))
            for line in found:
                print(f"    {line}")
    print(f"{len(sets)} sets: {counts['same']} the same ({counts['without a solution']} of them without a "
          f"solution), {counts['explained']} explained, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
