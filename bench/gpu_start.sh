#!/bin/bash
# What a GPU adds to a start: the same image with `--gpus none` and `--gpus all`, in turn. The GPUs
# and the driver are fakes (tests/system/gpu_common.sh): of a driver's libraries, which are what is
# mounted and what the loader's cache names, as many as a data centre's driver has.
#
#   gpu_start.sh IMAGE [ROUNDS]
. "$(dirname "$0")/../tests/system/gpu_common.sh"
own_namespace "$0" "$@"
image=${1:?an image} rounds=${2:-30}
home=${SLIPWAY_HOME:-}
. "$(dirname "$0")/../tests/cli/common.sh"
if [ -n "$home" ]; then export SLIPWAY_HOME=$home; else unset SLIPWAY_HOME; fi
need_fakes
version=999.88.77
mkdir -p "$scratch/fakes"
for name in libcudadebugger libnvidia-allocator libnvidia-api libnvidia-cfg libnvidia-eglcore libnvidia-encode \
  libnvidia-fbc libnvidia-glcore libnvidia-glsi libnvidia-glvkspirv libnvidia-gtk3 libnvidia-ngx libnvidia-nscq \
  libnvidia-nvvm libnvidia-opencl libnvidia-opticalflow libnvidia-pkcs11 libnvidia-pkcs11-openssl3 libnvidia-present \
  libnvidia-rtcore libnvidia-sandboxutils libnvidia-tileiras libnvidia-tls libnvidia-vksc-core libnvcuvid \
  libnvoptix; do
  stub "$name.so.$version" "$name.so.1" "int nothing;"
done
{
  echo "driver $version"
  for i in 0 1 2 3 4 5 6 7; do echo "gpu name=Fake;uuid=GPU-aaaa000$i;minor=$i;cc=9.0;memory=80"; done
} >"$scratch/nvml.conf"
fake_driver $version
fake_nodes nvidiactl:195:255 nvidia-uvm:510:0 $(for i in 0 1 2 3 4 5 6 7; do echo nvidia$i:195:$i; done)
"$SLIPWAY" run --rm --gpus all "$image" ls /usr/lib/slipway-driver >"$scratch/out" || fail "no start with GPUs"
libraries=$(grep -c "so\.$version" "$scratch/out")
python3 - "$SLIPWAY" "$image" "$rounds" "$top/bench" "$libraries" <<'PY'
import sys
slipway, image, rounds, bench, libraries = sys.argv[1:]
sys.path.insert(0, bench)
from run_start import measure, rows
lines = {gpus: [slipway, "run", "--rm", "--gpus", gpus, image, "/bin/true"] for gpus in ("none", "all")}
times = measure({f"--gpus {name}": line for name, line in lines.items()}, int(rounds), 0.1)
print("\n".join(rows(f"What 8 GPUs and {libraries} libraries of a driver add to a start (fakes)", times, "--gpus none")))
PY
