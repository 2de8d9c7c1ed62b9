#!/bin/bash
# What `doctor` says: of this host, and of hosts made of files and a fake NVML.
. "$(dirname "$0")/common.sh"
need python3
fake=$SLIPWAY_BUILD/src/gpu/libslipway_fake_nvml.so

# doctor CODE WORDS...: the status, then what it said is in $out
doctor() {
  local code=$1
  shift
  out slipway doctor "$@"
  [ "$status" -eq "$code" ] || fail "\`doctor $*\` ended with $status, not $code: $out"
}
# finding ID FIELD: of the JSON in $out; empty where there is no such finding
finding() {
  python3 -c '
import json, sys
for finding in json.load(open(sys.argv[1]))["findings"]:
    if finding["id"] == sys.argv[2]:
        print(finding[sys.argv[3]] or "")' "$scratch/out" "$1" "$2"
}
# The table and the object agree: same number of findings that are broken, and the status says so.
agree() {
  out slipway doctor --json
  local status_json=$status broken
  broken=$(python3 -c '
import json, sys
found = json.load(open(sys.argv[1]))
assert found["schema"] == 1, found
broken = sum(f["severity"] == "broken" for f in found["findings"])
assert found["verdict"] == ("broken" if broken else "ok"), found
assert all(f["message"] and f["layer"] and f["id"] for f in found["findings"]), found
print(broken)' "$scratch/out") || fail "the object is not as it should be"
  out slipway doctor
  assert_equal "the two statuses" "$status_json" "$status"
  assert_equal "the status" "$([ "$broken" -gt 0 ] && echo 3 || echo 0)" "$status"
  assert_equal "lines with \`broken\`" "$broken" "$(grep -c '^.\{11\}broken ' "$scratch/out")"
}

# This host, whatever it is.
agree
[ -e /dev/nvidiactl ] || [ -e /dev/dxg ] ||
  assert_contains "no GPU, in one line" "no NVIDIA GPU on this machine: images run on the CPU" "$out"
assert_lacks "colours without a terminal" "$(printf '\033')" "$out"
assert_contains "the last line" "$(grep -q '^.\{11\}broken ' "$scratch/out" && echo broken || echo ready)" \
  "$(tail -n 1 "$scratch/out")"

# Bad words.
expect_error 2 "no option \`--repot\`" slipway doctor --repot x
expect_error 1 "no image \`nowhere\`" slipway doctor nowhere
expect_error 2 "does not know what to do with" slipway doctor one two

# A report tells nothing of who and where.
mkdir -p "$scratch/ada"
HOME=$scratch/ada SLIPWAY_HOME=$scratch/ada/store SLIPWAY_CACHE=$scratch/ada/cache \
  SECRET_TOKEN=abcdef out slipway doctor --report report.md
assert_file report.md
report=$(cat report.md)
assert_contains "the report" "slipway doctor" "$report"
assert_contains "the folder in it" "store ~/store" "$report"
for word in "$scratch" abcdef "$(id -un | grep -vx root || echo no-name-at-all)"; do
  assert_lacks "the report" "$word" "$report"
done
! grep -qw -- "$(hostname)" report.md || [ "$(hostname)" = localhost ] ||
  fail "the report names this machine"
out slipway doctor --report /nowhere/report.md
assert_equal "a report that cannot be written" 1 "$status"

# From here on hosts of files, with a driver whose NVML is ours.
[ -e "$fake" ] || skip "no $fake: \`make test\` builds it"
export SLIPWAY_HOST_ROOT=$scratch/host
host=$SLIPWAY_HOST_ROOT

# put PATH [LINE...]: a file of that host
put() {
  mkdir -p "$(dirname "$host$1")"
  rm -f "$host$1"
  printf '%s\n' "${@:2}" >"$host$1"
}
nvml() { put /usr/lib64/fake_nvml.conf "$@"; }
node() {
  mkdir -p "$host/dev"
  ln -sfn /dev/null "$host/dev/$1"
}
# healthy: one H100 and all that containers need, for root and for others
healthy() {
  rm -rf "$host"
  put /etc/os-release 'ID=debian' 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"'
  put /proc/sys/kernel/osrelease 6.1.0-30-amd64
  put /proc/sys/user/max_user_namespaces 10000
  put /proc/self/mountinfo '32 20 0:2 / /sys/fs/cgroup rw - cgroup2 cgroup rw'
  put /proc/self/cgroup '0::/user.slice/term.scope'
  put /proc/filesystems 'nodev	overlay'
  put /proc/meminfo 'MemTotal: 65864084 kB' 'MemAvailable: 62864084 kB'
  put /sys/fs/cgroup/user.slice/cgroup.procs
  : >"$host/sys/fs/cgroup/user.slice/cgroup.procs"
  put /sys/fs/cgroup/user.slice/cgroup.controllers 'cpu memory pids'
  put /etc/subuid "$(id -un):100000:65536"
  put /etc/subgid "$(id -un):100000:65536"
  put /usr/bin/newuidmap
  put /usr/bin/newgidmap
  chmod 4755 "$host"/usr/bin/new?idmap
  put /usr/bin/crun '#!/bin/sh' 'echo crun version 1.28'
  chmod 755 "$host/usr/bin/crun"
  put /sys/bus/pci/devices/0000:41:00.0/vendor 0x10de
  put /sys/bus/pci/devices/0000:41:00.0/class 0x030200
  put /sys/bus/pci/devices/0000:41:00.0/device 0x2330
  put /sys/module/nvidia/version 999.86.15
  put /sys/module/nvidia_uvm/refcnt 0
  put /proc/driver/nvidia/version \
    'NVRM version: NVIDIA UNIX x86_64 Kernel Module  999.86.15  Thu Jan 16 20:28:30 UTC 2025'
  for name in nvidiactl nvidia-uvm nvidia0; do node $name; done
  mkdir -p "$host/usr/lib64"
  cp "$fake" "$host/usr/lib64/libnvidia-ml.so.999.86.15"
  ln -s libnvidia-ml.so.999.86.15 "$host/usr/lib64/libnvidia-ml.so.1"
  cp "$fake" "$host/usr/lib64/libcuda.so.999.86.15"
  nvml 'driver 999.86.15' "gpu $h100"
}
h100='name=NVIDIA H100 80GB HBM3;uuid=GPU-1;minor=0;cc=9.0;memory=79.6;bus=0000:41:00.0'

healthy
agree
assert_contains "the GPU" "0: NVIDIA H100 80GB HBM3, 80 GiB, compute capability 9.0 (Hopper)" "$out"
assert_contains "the driver" "NVIDIA driver 999.86.15, CUDA up to 12.8" "$out"
assert_equal "the verdict" "ready: images run here, on the GPU" "$(tail -n 1 <<<"$out")"
if command -v script >/dev/null; then
  coloured=$(env -u NO_COLOR TERM=xterm script -qec "$SLIPWAY doctor" /dev/null </dev/null)
  assert_contains "colours on a terminal" "$(printf '\033[32mok')" "$coloured"
fi

# broken ID REMEDY: that finding, and a command that mends it
broken() {
  doctor 3 --json
  assert_equal "severity of $1" broken "$(finding "$1" severity)"
  # Root's commands have no sudo.
  assert_contains "the remedy of $1" "$2" "$(finding "$1" remedy)"
  doctor 3
}
healthy
cp "$host/usr/lib64/libnvidia-ml.so.999.86.15" "$host/usr/lib64/libnvidia-ml.so.999.124.06"
ln -sfn libnvidia-ml.so.999.124.06 "$host/usr/lib64/libnvidia-ml.so.1"
nvml 'init 18'
broken driver-mismatch "reboot"
assert_contains "both versions" "999.124.06, the loaded kernel module is" "$(tr -s ' \n' ' ' <<<"$out")"

healthy
nvml 'init 15'
broken driver-lost reboot

healthy
nvml 'driver 999.86.15' 'cuinit 802' "gpu $h100"
broken driver-cuda-fails "systemctl enable --now nvidia-fabricmanager"

healthy
nvml 'driver 999.86.15' "gpu $h100;mig=1/1/0"
broken gpu-mig-empty "nvidia-smi -i 0 -mig 0"
nvml 'driver 999.86.15' "gpu $h100;mig=1/1/7"
doctor 0
assert_contains "MIG" "divided into 7 MIG devices" "$out"

healthy
nvml 'driver 999.86.15' $(for i in 0 1 2 3 4 5 6 7; do echo "gpu_name=A100;minor=$i;cc=8.0;memory=40"; done)
sed -i 's/^gpu_/gpu /' "$host/usr/lib64/fake_nvml.conf"
for i in 1 2 3 4 5 6 7; do node nvidia$i; done
doctor 0
assert_contains "eight" "0-7: 8 x A100, 40 GiB, compute capability 8.0 (Ampere)" "$out"

healthy
rm "$host/dev/nvidia-uvm"
broken node-uvm-missing "nvidia-modprobe -u -c=0"

healthy
rm -r "$host/sys/module/nvidia" "$host/proc/driver"
mkdir -p "$host/sys/module/nouveau"
nvml 'init 9'
broken driver-nouveau "blacklist nouveau"

rm -r "$host/sys/module/nouveau" "$host/usr/lib64"
broken driver-missing "apt-get install nvidia-driver"

rm -r "$host/sys/bus"
rm "$host"/dev/nvidia*
doctor 0
assert_contains "no GPU" "no NVIDIA GPU on this machine" "$out"
assert_equal "the verdict without a GPU" "ready: images run here, on the CPU" "$(tail -n 1 <<<"$out")"

healthy
put /etc/cdi/nvidia.yaml 'kind: nvidia.com/gpu' '- hostPath: /usr/lib64/libcuda.so.550.54.14'
doctor 0
assert_contains "a CDI file" "/etc/cdi/nvidia.yaml names /usr/lib64/libcuda.so.550.54.14, which is gone" "$(tr -s ' \n' ' ' <<<"$out")"

healthy
rm "$host/usr/bin/crun"
broken runtime-missing "apt-get install crun"

# What only an ordinary user meets.
[ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null || exit 0
cp "$SLIPWAY" "$scratch/slipway"
as_user() {
  setpriv --reuid 4711 --regid 4711 --clear-groups env HOME=/nonexistent \
    SLIPWAY_HOME="$scratch/user" SLIPWAY_CACHE="$scratch/user" "$scratch/slipway" doctor --json \
    >"$scratch/out" 2>"$scratch/err"
  status=$?
}
chmod 755 "$scratch"
install -d -o 4711 "$scratch/user"
SLIPWAY_HOST_ROOT= as_user
assert_contains "an ordinary user on this very host" '"schema": 1' "$(cat "$scratch/out")"
assert_equal "what its probe of mounts leaves" "" "$(ls -A "$scratch/user")"
healthy
put /etc/subuid 4711:300000:65536
put /etc/subgid 4711:300000:65536
as_user
assert_equal "status for an ordinary user" 0 "$status"
rm "$host/dev/nvidia0"
mknod -m 660 "$host/dev/nvidia0" c 1 3 2>/dev/null || exit 0
as_user
assert_equal "a node that is closed" 3 "$status"
assert_contains "the way to open it" "NVreg_DeviceFileMode=0666" "$(finding node-denied remedy)"
put /etc/subuid 4710:300000:65536
put /proc/sys/kernel/apparmor_restrict_unprivileged_userns 1
chmod 755 "$host"/usr/bin/new?idmap
as_user
assert_contains "new ids, behind all others" "sudo usermod --add-subuids 365536-431071" \
  "$(finding subids-missing remedy)"
assert_contains "AppArmor" "kernel.apparmor_restrict_unprivileged_userns=0" \
  "$(finding userns-apparmor remedy)"
assert_contains "the bits" "sudo chmod u+s" "$(finding uidmap-bits remedy)"
