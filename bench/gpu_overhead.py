"""What a container costs a training: the same steps bare and in `slipway run`, in turn.

    gpu_overhead.py --image gpu-test:captured --python /usr/bin/python3 [--slipway build/slipway]
                    [--rounds 10] [--turns 10] [--device cuda] [--seconds 3] [--against-itself]

The image is a capture of this machine's environment (`slipway capture`), so that both sides run the
same bytes. A round starts both sides, and lets them step in turn, one at a time, while the other
waits: in `--turns` turns of each, `--seconds` in all for every kind of step and side. What drifts on
a machine drifts for both; what is a matter of luck with a process (where its threads and its memory
lie) differs from round to round, and so a round is one sample: the ratio of the medians of all steps
of its two sides (start and import are not in them). The kinds:

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
import statistics
import subprocess
import sys
import tempfile

# Each line it reads is a kind and a number of seconds; it answers with the times of the steps it made.
WORKLOAD = r'''
import json, sys, time
import torch
device = sys.argv[1]
def wait():
    if device == "cuda":
        torch.cuda.synchronize()
def timed(step, seconds):
    step()
    wait()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        began = time.perf_counter()
        step()
        wait()
        times.append(time.perf_counter() - began)
    return times
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
steps = {"matmul": matmul, "launches": launches, "loader": loader}
for step in steps.values():
    timed(step, 0)
print("ready", flush=True)
for line in sys.stdin:
    name, seconds = line.split()
    print(json.dumps(timed(steps[name], float(seconds))), flush=True)
'''
KINDS = ["matmul", "launches", "loader"]
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
parser.add_argument("--turns", type=int, default=10)
parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
parser.add_argument("--seconds", type=float, default=3)
parser.add_argument("--within", type=float, default=0.5)
parser.add_argument("--against-itself", action="store_true")
args = parser.parse_args()
if args.rounds < 4:
    sys.exit("gpu_overhead: fewer than 4 rounds give no interval")
words = [args.python, "-c", WORKLOAD, args.device]
inside = [args.slipway, "run", "--rm", "-i", "--gpus", "all" if args.device == "cuda" else "none",
          "--entrypoint", "", args.image, "--", *words]
bare = inside if args.against_itself else words


class Side:
    """One process that steps when it is told to."""

    def __init__(self, command):
        self.name = command[0]
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, text=True)

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            self.errors.seek(0)
            sys.exit(f"gpu_overhead: {self.name} ended with {status}: {self.errors.read()[-800:]}")
        return line

    def step(self, kind, seconds):
        self.process.stdin.write(f"{kind} {seconds}\n")
        self.process.stdin.flush()
        return json.loads(self.read())

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def one_round(first, second):
    """The times of all steps of both, by kind: (first's, second's)."""
    sides = [Side(first), Side(second)]
    for side in sides:
        side.read()
    times = {kind: ([], []) for kind in KINDS}
    for kind in KINDS:
        for _ in range(args.turns):
            for side, found in zip(sides, times[kind]):
                found += side.step(kind, args.seconds / args.turns)
    for side in sides:
        side.end()
    return times


ratios, steps = {kind: [] for kind in KINDS}, {kind: [] for kind in KINDS}
for turn in range(args.rounds):
    swapped = turn % 2 == 1
    found = one_round(*((inside, bare) if swapped else (bare, inside)))
    for kind in KINDS:
        of_bare, of_inside = map(statistics.median, found[kind][::-1] if swapped else found[kind])
        steps[kind].append(of_bare)
        ratios[kind].append(math.log(of_inside / of_bare))
outside = False
for kind, logs in ratios.items():
    middle = statistics.mean(logs)
    half = t95(len(logs) - 1) * statistics.stdev(logs) / math.sqrt(len(logs))
    low, mean, high = (100 * (math.exp(x) - 1) for x in (middle - half, middle, middle + half))
    outside |= low < -args.within or high > args.within
    print(f"{kind:9} {1e3 * statistics.median(steps[kind]):9.3f} ms a step, inside {mean:+.2f} % "
          f"({low:+.2f} to {high:+.2f}, 95 %)")
sys.exit(1 if outside else 0)
