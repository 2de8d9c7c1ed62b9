"""How long a start takes, and what an idle run costs: Slipway beside bare crun, podman and docker.

    run_start.py --slipway build/slipway --image pytorch-cuda:2.6 [--rounds 30] [--idle 200]

Each round has all contenders, in an order of its own, so that what else the machine does falls on
all of them. Before each start there is a pause: whoever moves a process into a control group waits
for a grace period of the kernel, but not right behind another who did (rcu_sync), so that without
it the one who always comes second looks faster than it is.
Each line: median in milliseconds, the quartiles, processor time (of what the contender waits for: a
daemon's is not seen), and the median of the paired ratios to bare crun.

Bare crun gets the config.json that Slipway wrote for it, over the same layers in an overlay that is
mounted beforehand; podman runs over the same tree (`--rootfs`, with an overlay of its own). Docker
runs an image of one busybox, which costs it less. Needs root; who is not installed is left out.
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

parser = argparse.ArgumentParser()
parser.add_argument("--slipway", default="build/slipway")
parser.add_argument("--image", required=True)
parser.add_argument("--rounds", type=int, default=30)
parser.add_argument("--pause", type=float, default=0.1, help="seconds before each start")
parser.add_argument("--parallel", type=int, default=50)
parser.add_argument("--idle", type=int, default=200)
parser.add_argument("--command", default="/bin/true")
args = parser.parse_args()
slipway = os.path.abspath(args.slipway)
quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def out(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def private_mounts():
    """Ours alone; crun 1.8 refuses hybrid control groups unless it cannot see version 2's."""
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["umount", "/sys/fs/cgroup/unified"], **quiet)


if not os.environ.get("RUN_START_INSIDE"):
    os.environ["RUN_START_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "-m", sys.executable, *sys.argv])
work = tempfile.mkdtemp(prefix="slipway-bench.", dir="/var/tmp")


def bundle():
    """Slipway's own, from a run that goes on, with the overlay mounted here."""
    run = out(slipway, "run", "-d", args.image, "sleep", "1000").strip()
    page = json.loads(out(slipway, "inspect", run))
    folder = page["folder"]
    room = json.load(open(f"{folder}/state.json"))["room_pid"]
    live = f"/proc/{room}/root{folder}/live"
    config = json.load(open(f"{live}/bundle/config.json"))
    lowers = next(line for line in open(f"/proc/{room}/mountinfo") if f"{folder}/live/root " in line)
    options = lowers.split(" - ")[1].split()[2].split(",")
    layers = [o.split("=", 1)[1] for o in options if o.startswith("lowerdir")]
    layers = [l for l in ":".join(layers).split(":") if l]
    hosts = open(f"{live}/bundle/hosts").read()
    subprocess.run([slipway, "rm", "-f", run], check=True, **quiet)
    place = f"{work}/bare"
    for name in ("upper", "work", "root"):
        os.makedirs(f"{place}/{name}")
    open(f"{place}/hosts", "w").write(hosts)
    # Short names, so that many layers fit into one page of options.
    os.makedirs(f"{place}/l")
    for index, layer in enumerate(layers):
        os.symlink(layer, f"{place}/l/{index}")
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", "lowerdir=" +
                    ":".join(map(str, range(len(layers)))) +
                    f",upperdir={place}/upper,workdir={place}/work", f"{place}/root"],
                   check=True, cwd=f"{place}/l")
    config["root"]["path"] = f"{place}/root"
    config["process"]["args"][-2:] = [args.command]
    config["linux"]["cgroupsPath"] = "/slipway/bench-bare"
    for mount in config["mounts"]:
        if mount["source"].endswith("/hosts"):
            mount["source"] = f"{place}/hosts"
    json.dump(config, open(f"{place}/config.json", "w"))
    return place, len(layers)


private_mounts()
place, layers = bundle()
contenders = {
    "slipway run": [slipway, "run", "--rm", args.image, args.command],
    "crun run, bare": ["crun", "--root", f"{work}/state", "--cgroup-manager=cgroupfs", "run",
                       "--bundle", place, "bare"],
}
if shutil.which("podman"):
    contenders["podman run"] = ["podman", "--cgroup-manager=cgroupfs", "run", "--rm", "--network=host",
                                "--log-driver=none", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024", "--rootfs", f"{place}/root:O", args.command]
if shutil.which("docker") and subprocess.run(["docker", "info"], **quiet).returncode == 0:
    busybox = shutil.which("busybox")
    tar = subprocess.run(["tar", "-c", "-C", os.path.dirname(busybox), "busybox"],
                         capture_output=True, check=True).stdout
    subprocess.run(["docker", "import", "-", "slipway-bench"], input=tar, check=True,
                   stdout=subprocess.DEVNULL)
    contenders["docker run"] = ["docker", "run", "--rm", "--network=host", "slipway-bench",
                                "/busybox", "true"]

usable = {}
for name, command in contenders.items():
    end = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if end.returncode == 0:
        usable[name] = command
    else:
        print(f"{name}: left out: {end.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
times = {name: [] for name in usable}
spent = {name: [] for name in usable}


def processor_time():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (usage.ru_utime + usage.ru_stime) * 1000


for _ in range(args.rounds):
    for name, command in random.sample(list(usable.items()), len(usable)):
        time.sleep(args.pause)
        before = processor_time()
        began = time.perf_counter()
        subprocess.run(command, check=True, **quiet)
        times[name].append((time.perf_counter() - began) * 1000)
        spent[name].append(processor_time() - before)

print(f"{args.command} in {args.image} ({layers} layers), {args.rounds} rounds, {args.pause * 1000:.0f} ms apart")
bare = times.get("crun run, bare")
for name, values in times.items():
    quarters = statistics.quantiles(values, n=4)
    ratio = ""
    if bare and name != "crun run, bare":
        ratio = f"  {statistics.median(v / b for v, b in zip(values, bare)):.2f}x bare crun"
    print(f"  {name:<16} {statistics.median(values):7.1f} ms  [{quarters[0]:.1f}, {quarters[2]:.1f}]"
          f"  processor {statistics.median(spent[name]):.1f} ms{ratio}")

if args.parallel:
    began = time.perf_counter()
    running = [subprocess.Popen(usable["slipway run"], **quiet) for _ in range(args.parallel)]
    failed = sum(one.wait() != 0 for one in running)
    took = (time.perf_counter() - began) * 1000
    print(f"  {args.parallel} at once: {took:.0f} ms in all, {took / args.parallel:.1f} ms each, "
          f"{failed} failed")


def pss_kib(pid):
    for line in open(f"/proc/{pid}/smaps_rollup"):
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


if args.idle:
    runs = []
    for _ in range(args.idle):
        runs.append(out(slipway, "run", "-d", "--rm", args.image, "sleep", "10000").strip())
    store = json.loads(out(slipway, "inspect", runs[0]))["folder"].rsplit("/", 1)[0]
    total = 0
    for run in runs:
        state = json.load(open(f"{store}/{run}/state.json"))
        total += pss_kib(state["monitor_pid"]) + pss_kib(state["room_pid"])
    print(f"  {args.idle} idle runs: {total / args.idle / 1024:.2f} MiB each outside the payload "
          "(PSS of monitor and first process)")
    subprocess.run([slipway, "rm", "-f", *runs], check=True, **quiet)
subprocess.run(["umount", f"{place}/root"], check=True)
shutil.rmtree(work)
