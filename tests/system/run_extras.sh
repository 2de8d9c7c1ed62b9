#!/bin/bash
# time-out: 600
# What comes in beside the GPUs: sockets of the driver's services with every GPU, and on request the
# devices of GPUDirect Storage, RDMA, GDRCopy and IMEX. All fakes (gpu_common.sh).
. "$(dirname "$0")/gpu_common.sh"
own_namespace "$0"
. "$(dirname "$0")/../cli/common.sh"
export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
need_fakes
need python3
small_image run-extras
fake_driver 999.88.77
printf '%s\n' "driver 999.88.77" "gpu name=Fake A;uuid=GPU-aaaa1111;minor=0;cc=9.0;memory=80" >"$scratch/nvml.conf"
fake_nodes nvidiactl:195:255 nvidia0:195:0 nvidia-uvm:510:0 nvidia-fs0:511:0 nvidia-fs1:511:1 gdrdrv:512:0 \
  infiniband/uverbs0:231:192 infiniband/uverbs1:231:193 infiniband/rdma_cm:10:56 infiniband/umad0:231:0 \
  infiniband/issm0:231:64 nvidia-caps-imex-channels/channel0:513:0 nvidia-caps-imex-channels/channel3:513:3
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mkdir /run/nvidia-persistenced /run/nvidia-fabricmanager /run/udev /run/udev/data /tmp/nvidia-mps
echo E:ID=x >/run/udev/data/b259:0
mkdir etc && mount -t overlay overlay -o "lowerdir=$PWD/etc:/etc" /etc
mkdir etc2 && echo '{"cufile": 1}' >etc2/cufile.json
umount /etc && mount -t overlay overlay -o "lowerdir=$PWD/etc2:/etc" /etc

cat >server.py <<'PY'
import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
print("ready", flush=True)
while True:
    client = server.accept()[0]
    client.sendall(b"the host's daemon")
    client.close()
PY
python3 server.py /run/nvidia-persistenced/socket >ready &
server=$!
stop_server() { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; }
at_end_with_server() {
  local status=$?
  stop_server
  (exit "$status")
  at_end
}
trap at_end_with_server EXIT
for ((i = 0; i < 100; ++i)); do [ -s ready ] || sleep 0.05; done
chmod 666 /run/nvidia-persistenced/socket
touch /run/nvidia-fabricmanager/socket # no socket: nobody's
cat >talk.py <<'PY'
import socket
client = socket.socket(socket.AF_UNIX)
client.connect("/run/nvidia-persistenced/socket")
print(client.recv(99).decode())
PY
inside() { expect_ok slipway run --rm -v "$PWD/talk.py:/talk.py:ro" "$@"; }
nodes='cd /dev && find . ! -type d | grep -E "nvidia|gdr|infini" | sort | tr "\n" " "'
plain="./nvidia-uvm ./nvidia0 ./nvidiactl "

# Sockets.
inside --gpus all run-extras -- /usr/bin/python3 /talk.py
assert_equal "a service answers" "the host's daemon" "$out"
inside --gpus all --read-only run-extras -- /usr/bin/python3 /talk.py
assert_equal "with a read-only root" "the host's daemon" "$out"
inside --gpus all run-extras -- sh -c 'ls /run /tmp; grep nvidia-persistenced /proc/self/mountinfo | cut -d" " -f6'
assert_contains "options" "nosuid,nodev,noexec" "$out"
assert_lacks "it is writable" "ro," "$out"
assert_lacks "no socket, no place" fabricmanager "$out"
assert_lacks "nothing of MPS" nvidia-mps "$out"
inside --gpus none run-extras -- sh -c 'ls /run'
assert_lacks "without a GPU" nvidia "$out"
expect_ok slipway run -d --name "extras-$$" --gpus all --device nvidia.com/gds=all run-extras -- sleep 60
expect_ok slipway inspect --json "extras-$$"
assert_equal "the receipt: the socket" "socket" \
  "$(jq -r '.. | objects | select(.target? == "/run/nvidia-persistenced/socket") | .access' <<<"$out")"
assert_equal "the receipt: a file" "$(sha256sum </etc/cufile.json | cut -d' ' -f1)" \
  "$(jq -r '.. | objects | select(.target? == "/etc/cufile.json") | .sha256' <<<"$out")"
assert_equal "the receipt: devices" 2 "$(jq '[.. | objects | select(.path? // "" | startswith("/dev/nvidia-fs"))] | length' <<<"$out")"
expect_ok slipway rm --force "extras-$$"

# Devices on request, and no others.
inside --gpus all run-extras -- sh -c "$nodes"
assert_equal "what was not asked for" "$plain" "$out"
inside --gpus all --device nvidia.com/gds=all run-extras -- sh -c "$nodes; cat /etc/cufile.json /run/udev/data/*; touch /run/udev/x /etc/cufile.json 2>&1; true"
assert_contains "gds" "./nvidia-fs0 ./nvidia-fs1 $plain" "$out"
assert_contains "its files" '{"cufile": 1}' "$out"
assert_contains "its folder" "E:ID=x" "$out"
assert_equal "nothing was written" "" "$(find /run/udev -name x)"
inside --gpus all --device nvidia.com/mofed=all run-extras -- sh -c "$nodes"
assert_equal "mofed, without what manages the fabric" "./infiniband/rdma_cm ./infiniband/uverbs0 ./infiniband/uverbs1 $plain" "$out"
inside --device nvidia.com/gdrcopy=all --device nvidia.com/gdrcopy=all --device nvidia.com/gpu=0 run-extras -- sh -c "$nodes"
assert_equal "gdrcopy, twice" "./gdrdrv $plain" "$out"
inside --device nvidia.com/imex-channel=3 run-extras -- sh -c "$nodes"
assert_equal "one channel" "./nvidia-caps-imex-channels/channel3 $plain" "$out"
inside --gpus none --device nvidia.com/imex-channel=all run-extras -- sh -c "$nodes"
assert_equal "all channels, no GPU" "./nvidia-caps-imex-channels/channel0 ./nvidia-caps-imex-channels/channel3 " "$out"

# `--verify` knows them: without a GPU nothing else is tried, with one it is only CUDA that these fakes lack.
verified() { # SLIPWAY...
  expect_ok "$@" --gpus none --device nvidia.com/gds=all --device nvidia.com/mofed=all --device nvidia.com/gdrcopy=all \
    --device nvidia.com/imex-channel=all run-extras:latest -- true
  assert_contains "verified" "verified: " "$err"
  assert_contains "verified devices" ", 8 devices of the host" "$err"
  expect_error 125 "CUDA: " "$@" --gpus all --device nvidia.com/gds=all run-extras:latest -- true
  assert_equal "what differs with a GPU" 1 "$(grep -c '^  because' "$scratch/err")"
}
verified slipway run --rm --verify

# What cannot be had.
expect_error 125 "there is no /dev/nvidia-caps-imex-channels/channel7" slipway run --device nvidia.com/imex-channel=7 run-extras -- true
expect_error 2 "a channel is a number up to 1048575" slipway run --device nvidia.com/imex-channel=1048576 run-extras -- true
expect_error 2 '--device nvidia.com/gds=all' slipway run --device nvidia.com/gds run-extras -- true
rm /dev/gdrdrv && touch /dev/gdrdrv
expect_error 125 "there is no /dev/gdrdrv*" slipway run --device nvidia.com/gdrcopy=all run-extras -- true

# An image whose links lead elsewhere, and a volume of the user's in the way.
rm -rf bad && mkdir bad && ln -s /etc bad/run
tar -C bad --owner=0 --group=0 -cf layer.tar . && python3 "$top/tests/system/add_layer.py" layout bad-layout layer.tar || fail "no layout"
expect_ok slipway load -i bad-layout --tag extras-bad:1
inside --gpus all extras-bad:1 -- sh -c 'ls /etc'
assert_contains "said" '`/run/nvidia-persistenced/socket` is left out: a link of the image' "$err"
assert_lacks "nothing was made where it leads" nvidia "$out"
mkdir volume
inside --gpus all -v "$PWD/volume:/run" run-extras -- true
assert_equal "a volume stays as it was" "" "$(ls -A volume)"

# An ordinary user.
if ordinary_user talk.py run-extras:latest; then
  expect_ok user_slipway run --rm --gpus all --device nvidia.com/mofed=all -v "$scratch/user/talk.py:/talk.py:ro" \
    run-extras:latest -- sh -c "/usr/bin/python3 /talk.py; $nodes"
  assert_equal "an ordinary user" "the host's daemon
./infiniband/rdma_cm ./infiniband/uverbs0 ./infiniband/uverbs1 $plain" "$out"
  rm /dev/gdrdrv && mknod -m 666 /dev/gdrdrv c 512 0
  verified user_slipway run --rm --verify
fi
expect_ok slipway gc --image run-extras:latest --image extras-bad:1
