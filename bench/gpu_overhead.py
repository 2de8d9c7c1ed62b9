"""What a container costs a training: the same steps bare and in `slipway run`, in turn.

    gpu_overhead.py --image gpu-test:captured --python /usr/bin/python3 [--slipway build/slipway]
                    [--rounds 10] [--device cuda] [--seconds 3] [--against-itself]

The image is a capture of this machine's environment (`slipway capture`), so that both sides run the
same bytes. In each round both run once, the first of the two changing from round to round; each
prints, for every kind of step, the median time of a step (start and import are not in it):

    matmul      one product of large matrices after another: the GPU is the limit
    launches    kernels that take no time: the calls of the driver are the limit
    loader      batches from worker processes by way of shared memory: the host is the limit

One line for each: the mean of the rounds' ratios (inside by bare) as a difference in percent, with
its 95 % interval (Student's t over the logarithms). `--against-itself` runs the container on both
sides: the interval must then hold 0, and shows what this machine can tell apart. Ends with 1 where
an interval does not lie within `--within` percent.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys

WORKLOAD = r'''
import json, statistics, sys, time
import torch
device, seconds = sys.argv[1], float(sys.argv[2])
def wait():
    if device == "cuda":
        torch.cuda.synchronize()
def timed(step):
    for _ in range(3):
        step()
    wait()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        began = time.perf_counter()
        step()
        wait()
        times.append(time.perf_counter() - began)
    return statistics.median(times)
if device == "cuda":
    size, kind = 4096, torch.bfloat16
else:
    torch.set_num_threads(1)
    size, kind = 512, torch.float32
a = torch.randn(size, size, device=device, dtype=kind)
small = torch.zeros(256, device=device)
def matmul():
    for _ in range(10):
        torch.mm(a, a)
def launches():
    for _ in range(500):
        small.add_(1)
class Rows(torch.utils.data.Dataset):
    def __len__(self):
        return 64
    def __getitem__(self, index):
        return torch.full((3, 128, 128), float(index))
rows = torch.utils.data.DataLoader(Rows(), batch_size=16, num_workers=2, persistent_workers=True)
def loader():
    for batch in rows:
        batch.to(device).sum()
print(json.dumps({"matmul": timed(matmul), "launches": timed(launches), "loader": timed(loader)}))
'''
# Student's t, two-sided 95 %, by degrees of freedom.
T95 = {3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 11: 2.201, 14: 2.145,
       19: 2.093, 29: 2.045}


def t95(freedom):
    return T95[max(known for known in T95 if known <= freedom)]  # the wider one in between


parser = argparse.ArgumentParser()
parser.add_argument("--slipway", default="build/slipway")
parser.add_argument("--image", required=True)
parser.add_argument("--python", required=True)
parser.add_argument("--rounds", type=int, default=10)
parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
parser.add_argument("--seconds", type=float, default=3)
parser.add_argument("--within", type=float, default=0.5)
parser.add_argument("--against-itself", action="store_true")
args = parser.parse_args()
if args.rounds < 4:
    sys.exit("gpu_overhead: fewer than 4 rounds give no interval")
words = [args.python, "-c", WORKLOAD, args.device, str(args.seconds)]
inside = [args.slipway, "run", "--rm", "--gpus", "all" if args.device == "cuda" else "none",
          "--entrypoint", "", args.image, "--", *words]
bare = inside if args.against_itself else words


def measure(command):
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"gpu_overhead: {command[0]} ended with {done.returncode}: {done.stderr[-800:]}")
    return json.loads(done.stdout.splitlines()[-1])


ratios, times = {}, {}
for turn in range(args.rounds):
    order = [("bare", bare), ("inside", inside)]
    found = {name: measure(command) for name, command in (order if turn % 2 == 0 else order[::-1])}
    for kind, seconds in found["bare"].items():
        times.setdefault(kind, []).append(seconds)
        ratios.setdefault(kind, []).append(math.log(found["inside"][kind] / seconds))
outside = False
for kind, logs in ratios.items():
    middle = statistics.mean(logs)
    half = t95(len(logs) - 1) * statistics.stdev(logs) / math.sqrt(len(logs))
    low, mean, high = (100 * (math.exp(x) - 1) for x in (middle - half, middle, middle + half))
    outside |= low < -args.within or high > args.within
    print(f"{kind:9} {1e3 * statistics.median(times[kind]):9.3f} ms a step, inside {mean:+.2f} % "
          f"({low:+.2f} to {high:+.2f}, 95 %)")
sys.exit(1 if outside else 0)
