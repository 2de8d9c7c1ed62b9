#!/bin/bash
# `make bench`: Slipway beside its peers and the floor; the table goes to docs/benchmarks.md.
#
#   SLIPWAY       the program (build/slipway)
#   FLOOR         the floor's program (built here when not given)
#   BENCH_WHEELS  a folder of wheels to take instead of downloading
#   BENCH_FOLDER  where the inputs stay (~/.cache/slipway-bench, about 9 GB while it runs)
#   RUNS          rounds (3)
set -eu
cd "$(dirname "$0")/.."
if [ "$(id -u)" -ne 0 ]; then
  echo "bench: needs root, for a dockerd of its own" >&2
  exit 1
fi
slipway=${SLIPWAY:-build/slipway}
floor=${FLOOR:-}
if [ -z "$floor" ]; then
  cmake --preset release >/dev/null
  ninja -C build bench_floor >/dev/null
  floor=$(find build -name bench_floor -type f | head -1)
fi
folder=${BENCH_FOLDER:-$HOME/.cache/slipway-bench}
python3 bench/peers/measure.py --slipway "$slipway" --floor "$floor" --runs "${RUNS:-3}" \
  --folder "$folder" --table docs/benchmarks.md
python3 bench/buildkit.py --slipway "$slipway" --floor "$floor" --runs "${RUNS:-3}" --folder "$folder" \
  --table docs/benchmarks-images.md
python3 bench/footprint.py --slipway "$slipway" --folder "$folder" --table docs/benchmarks-footprint.md
# With the image of `make demo`, where that was made: how it starts, and to a registry and back.
if "$slipway" inspect pytorch-cuda:2.6 >/dev/null 2>&1; then
  python3 bench/run_start.py --slipway "$slipway" --image pytorch-cuda:2.6 --folder "$folder" \
    --table docs/benchmarks-start.md
  if gpus=$(bash bench/gpu_start.sh pytorch-cuda:2.6 2>/dev/null); then
    printf '\n%s\n' "$gpus" | tee -a docs/benchmarks-start.md
  fi
  python3 bench/registry.py --slipway "$slipway" --project examples/pytorch-cuda --runs "${RUNS:-3}" \
    --folder "$folder/registry" --table docs/benchmarks-registry.md
  python3 bench/first_import.py --slipway "$slipway" --runs "${RUNS:-3}" --folder "$folder/first-import" \
    --table docs/benchmarks-first-import.md
fi
