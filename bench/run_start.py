"""How long a start takes, and what an idle run costs: Slipway beside bare crun, podman, docker and
the host itself. The last part of `make bench`.

    run_start.py --slipway build/slipway --image pytorch-cuda:2.6 [--folder DIR] [--table FILE]

Each round has all contenders, in an order of its own, so that what else the machine does falls on
all of them. Before each start there is a pause: whoever moves a process into a control group waits
for a grace period of the kernel, but not right behind another who did (rcu_sync), so that without
it the one who always comes second looks faster than it is. The same without a pause is told too.

Bare crun gets the config.json that Slipway wrote for it, over the same files in an overlay that is
mounted beforehand; podman runs over the same tree (`--rootfs`, with an overlay of its own); docker,
in a daemon of its own, has loaded what `slipway save` writes; the host's line is the image's Python
in a chroot of the same tree: no container at all. Needs root; who is not installed is left out.
"""
import argparse
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "peers"))
from docker import Docker, find
from table import machine

QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
TRUE = ["/bin/true"]
TORCH = ["/opt/venv/bin/python", "-c", "import torch"]


def out(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def enter_private_mounts():
    """Ours alone; crun 1.8 refuses hybrid control groups unless it cannot see version 2's."""
    if not os.environ.get("RUN_START_INSIDE"):
        os.environ["RUN_START_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "-m", sys.executable, *sys.argv])
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["umount", "/sys/fs/cgroup/unified"], **QUIET)


class Tree:
    """The image's files, mounted once; `config` is what Slipway's runtime got."""

    def __init__(self, slipway, image, place):
        run = out(slipway, "run", "-d", image, "sleep", "1000").strip()
        folder = json.loads(out(slipway, "inspect", run))["folder"]
        room = json.load(open(f"{folder}/state.json"))["room_pid"]
        live = f"/proc/{room}/root{folder}/live"
        self.config = json.load(open(f"{live}/bundle/config.json"))
        line = next(line for line in open(f"/proc/{room}/mountinfo") if f"{folder}/live/root " in line)
        options = line.split(" - ")[1].split()[2].split(",")
        lowers = ":".join(o.split("=", 1)[1] for o in options if o.startswith("lowerdir")).split(":")
        hosts = open(f"{live}/bundle/hosts").read()
        subprocess.run([slipway, "rm", "-f", run], check=True, **QUIET)
        self.place, self.root = place, f"{place}/root"
        for name in ("upper", "work", "root"):
            os.makedirs(f"{place}/{name}")
        open(f"{place}/hosts", "w").write(hosts)
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", "lowerdir=" +
                        ":".join(filter(None, lowers)) + f",upperdir={place}/upper,workdir={place}/work",
                        self.root], check=True)
        self.host = f"{place}/host"  # the same for a chroot, with what the host has
        os.makedirs(self.host)
        subprocess.run(["mount", "--bind", self.root, self.host], check=True)
        for name in ("dev", "proc"):
            subprocess.run(["mount", "--rbind", f"/{name}", f"{self.host}/{name}"], check=True)

    def bundle(self, command):
        self.config["root"]["path"] = self.root
        arguments = self.config["process"]["args"]
        arguments[arguments.index("--") + 1:] = command
        self.config["linux"]["cgroupsPath"] = "/slipway/bench-bare"
        for mount in self.config["mounts"]:
            if mount["source"].endswith("/hosts"):
                mount["source"] = f"{self.place}/hosts"
        folder = f"{self.place}/bundle-{len(command)}"
        os.makedirs(folder)
        json.dump(self.config, open(f"{folder}/config.json", "w"))
        return folder

    def close(self):
        for path in (self.host, self.root):
            subprocess.run(["umount", "-R", "-l", path], check=False)


def contenders(args, tree, docker, command, wanted):
    """Name -> command line, of those wanted that work here."""
    crun_root = f"{tree.place}/state"
    lines = {
        "slipway run": [args.slipway, "run", "--rm", args.image, *command],
        "crun run, bare": ["crun", "--root", crun_root, "--cgroup-manager=cgroupfs", "run", "--bundle",
                           tree.bundle(command), "bare"],
        "podman run": ["podman", "--cgroup-manager=cgroupfs", "run", "--rm", "--network=host",
                       "--log-driver=none", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024",
                       "--rootfs", f"{tree.root}:O", *command],
        "docker run": [find("docker"), "-H", docker.socket if docker else "", "run", "--rm",
                       "--network=host", args.image, *command],
        "the host, no container": ["chroot", "--userspec=1000:1000", tree.host, *command],
    }
    usable = {}
    for name in wanted:
        if name == "docker run" and docker is None:
            continue
        end = subprocess.run(lines[name], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if end.returncode == 0:
            usable[name] = lines[name]
        else:
            print(f"{name}: left out: {end.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
    return usable


def processor_time():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (usage.ru_utime + usage.ru_stime) * 1000


def measure(usable, rounds, pause, before=lambda: None):
    """Name -> [(milliseconds, of them processor time of the one waited for)]."""
    times = {name: [] for name in usable}
    for _ in range(rounds):
        for name in random.sample(list(usable), len(usable)):
            before()
            time.sleep(pause)
            used, began = processor_time(), time.perf_counter()
            subprocess.run(usable[name], check=True, **QUIET)
            times[name].append(((time.perf_counter() - began) * 1000, processor_time() - used))
    return times


def drop_caches():
    os.sync()
    open("/proc/sys/vm/drop_caches", "w").write("3")


def rows(title, times, beside):
    """A table: medians and quartiles, and the median of the ratios within each round."""
    lines = [f"## {title}", "", f"{len(next(iter(times.values())))} rounds.", "",
             f"| | ms, median [quartiles] | processor, ms | times {beside} |", "|---|---|---|---|"]
    for name, values in times.items():
        walls = [wall for wall, _ in values]
        low, middle, high = statistics.quantiles(walls, n=4)
        ratio = ""
        if beside in times and name != beside:
            pairs = zip(walls, (wall for wall, _ in times[beside]))
            ratio = f"{statistics.median(ours / theirs for ours, theirs in pairs):.2f}"
        lines.append(f"| {name} | {middle:.1f} [{low:.1f}, {high:.1f}] | "
                     f"{statistics.median(used for _, used in values):.1f} | {ratio} |")
    return [*lines, ""]


def at_once(command, count):
    began = time.perf_counter()
    running = [subprocess.Popen(command, **QUIET) for _ in range(count)]
    failed = sum(one.wait() != 0 for one in running)
    took = (time.perf_counter() - began) * 1000
    return f"- {count} starts at once: {took:.0f} ms in all, {took / count:.1f} ms each; {failed} failed."


def pss_kib(pid):
    for line in open(f"/proc/{pid}/smaps_rollup"):
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def idle(slipway, image, count):
    runs = [out(slipway, "run", "-d", "--rm", image, "sleep", "10000").strip() for _ in range(count)]
    store = json.loads(out(slipway, "inspect", runs[0]))["folder"].rsplit("/", 1)[0]
    total = 0
    for run in runs:
        state = json.load(open(f"{store}/{run}/state.json"))
        total += pss_kib(state["monitor_pid"]) + pss_kib(state["room_pid"])
    subprocess.run([slipway, "rm", "-f", *runs], check=True, **QUIET)
    return (f"- {count} idle runs: {total / count / 1024:.2f} MiB each outside the payload (PSS of the "
            "monitor and the room's first process).")


def load_into_docker(args, folder):
    """The same image, layer by layer, in a dockerd of our own; None where there is none."""
    if shutil.which("dockerd", path=os.environ["PATH"] + ":/usr/sbin") is None:
        return None
    docker = Docker(Path(folder)).__enter__()
    save = subprocess.Popen([args.slipway, "save", "--format", "docker", args.image],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    docker.run("load", "-q", stdin=save.stdout, stdout=subprocess.DEVNULL)
    if save.wait() != 0:
        raise SystemExit("bench: slipway save failed")
    return docker


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--slipway", default="build/slipway")
    parser.add_argument("--image", required=True)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--torch-rounds", type=int, default=7, help="0: no `import torch`")
    parser.add_argument("--pause", type=float, default=0.1, help="seconds before each start")
    parser.add_argument("--parallel", type=int, default=50)
    parser.add_argument("--idle", type=int, default=200)
    parser.add_argument("--folder", help="for docker's data, some 10 GB; without it docker is left out")
    parser.add_argument("--table", help="a Markdown file for the results")
    args = parser.parse_args()
    args.slipway = os.path.abspath(args.slipway)
    enter_private_mounts()
    lines = ["# Starts", "", f"Written by `make bench` on {machine()}. How: bench/run_start.py.", ""]
    work = tempfile.mkdtemp(prefix="slipway-bench.", dir="/var/tmp")
    docker = None
    try:
        docker = load_into_docker(args, f"{args.folder}/docker-start") if args.folder else None
        tree = Tree(args.slipway, args.image, f"{work}/bare")
        everybody = ["slipway run", "crun run, bare", "podman run", "docker run"]
        usable = contenders(args, tree, docker, TRUE, everybody)
        lines += rows(f"`/bin/true` in `{args.image}`", measure(usable, args.rounds, args.pause),
                      "crun run, bare")
        lines += rows("The same, one right behind another", measure(usable, args.rounds, 0),
                      "crun run, bare")
        lines += [at_once(usable["slipway run"], args.parallel)] if args.parallel else []
        lines += [idle(args.slipway, args.image, args.idle)] if args.idle else []
        if args.torch_rounds:
            wanted = ["slipway run", "docker run", "podman run", "the host, no container"]
            usable = contenders(args, tree, docker, TORCH, wanted)
            host = "the host, no container"
            warm = measure(usable, args.torch_rounds, args.pause)
            lines += ["", *rows("`python -c 'import torch'`, files in memory", warm, host)]
            cold = measure(usable, args.torch_rounds, args.pause, drop_caches)
            lines += rows("`python -c 'import torch'`, nothing in memory", cold, host)
        tree.close()
    finally:
        if docker:
            docker.__exit__()
        shutil.rmtree(work, ignore_errors=True)
    text = "\n".join(lines).rstrip() + "\n"
    print(text)
    if args.table:
        Path(args.table).write_text(text)


if __name__ == "__main__":
    main()
