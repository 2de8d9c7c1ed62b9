#!/bin/bash
# time-out: 400
# A push that ends in the middle of a large layer, by kill -9, Ctrl-C or a network that is gone, and
# the one after it, to real registries: it goes on where the registry is, and the image is whole.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/registry_common.sh"
need_root
mapfile -t programs < <(find_registries)
[ ${#programs[@]} -gt 0 ] || skip "no registry is installed (package docker-registry)"
megabytes=200
whole=$((megabytes * 1000000))
records=$SLIPWAY_CACHE/uploads

python3 - $megabytes <<'PY' || fail "no image"
import hashlib, io, json, os, sys, tarfile
os.makedirs("large/blobs/sha256")
def blob(data):
    digest = hashlib.sha256(data).hexdigest()
    open(f"large/blobs/sha256/{digest}", "wb").write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}
buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode="w") as tar:
    info = tarfile.TarInfo("noise")
    info.size = int(sys.argv[1]) * 1000000
    tar.addfile(info, io.BytesIO(os.urandom(info.size)))
layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar", **blob(buffer.getvalue())}
config = blob(json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}).encode())
manifest = blob(json.dumps({"schemaVersion": 2, "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config}, "layers": [layer]}).encode())
open("large/index.json", "w").write(json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", **manifest}]}))
open("large/oci-layout", "w").write('{"imageLayoutVersion": "1.0.0"}')
PY
expect_ok slipway load -i large/ --tag large:1
digest=$(jq -r '.manifests[0].digest' large/index.json)
rm -r large

# start_proxy: to $registry; sets $proxy, where pushes go
start_proxy() {
  proxy_port=${proxy_port:-$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')}
  rm -f count
  python3 "$top/tests/system/slow_proxy.py" "${registry##*:}" "$proxy_port" 60 "$PWD/count" 2>proxy.log &
  proxy_process=$!
  registry_processes+=($!)
  for _ in $(seq 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$proxy_port") 2>/dev/null && break
    sleep 0.1
  done
  proxy=127.0.0.1:$proxy_port
}
stop_proxy() {
  kill "$proxy_process" && wait "$proxy_process" 2>/dev/null
}
count() { cat count; }

# push_part NAME: begins a push, which is $victim, and comes back once 120 MB of it went out
push_part() {
  local end=$(($(count) + 120000000))
  rm -rf "$SLIPWAY_HOME/known/blob-places" # or it would be mounted from the repository before
  "$SLIPWAY" push large:1 "$proxy/$1" >/dev/null 2>"$scratch/err" &
  victim=$!
  while [ "$(count)" -lt $end ]; do
    kill -0 $victim 2>/dev/null || fail "the push has ended too early"
    sleep 0.02
  done
}

# push_rest NAME: the push after it; sets $sent, the bytes that went out, and $told, what it says
push_rest() {
  local before
  before=$(count)
  expect_ok slipway push large:1 "$proxy/$1"
  told=$err
  assert_contains "$1: the push after it" "1 of 1 layers sent" "$told"
  assert_lacks "$1: the push after it" "warning" "$told"
  sent=$(($(count) - before))
  assert_equal "$1: what is left of it" "" "$(ls -A "$records")"
  SLIPWAY_HOME=$scratch/pulled SLIPWAY_CACHE=$scratch/pulled-cache expect_ok slipway pull "$registry/$1"
  assert_contains "$1: pulled" "$digest" "$err"
  rm -rf "$scratch/pulled" "$scratch/pulled-cache"
}

number=0
for program in "${programs[@]}"; do
  number=$((number + 1))
  case $("$program" --version) in
  *" v3"*) goes_on_anywhere=yes ;;
  *) goes_on_anywhere=no ;; # Distribution 2: only where a chunk has ended
  esac
  start_registry "registry$number" "$program"
  proxy_port=
  start_proxy

  push_part killed:1
  kill -KILL $victim
  wait $victim 2>/dev/null
  assert_equal "what a killed push leaves" "600" "$(stat -c %a "$records"/*.json)"
  assert_equal "the record's repository" "killed" "$(jq -r .repository "$records"/*.json)"
  push_rest killed:1
  echo "$program: after kill -9, $sent bytes"
  if [ $goes_on_anywhere = yes ]; then
    [ "$sent" -lt $((whole / 2)) ] || fail "after kill -9 $sent bytes were sent of $whole"
    assert_lacks "what it says of them" "200 MB" "$told"
  else
    [ "$sent" -lt $((whole + whole / 20)) ] || fail "after kill -9 $sent bytes were sent of $whole"
  fi

  before=$(count)
  push_part stopped:1
  began=$(date +%s%N)
  kill -INT $victim
  wait $victim && fail "Ctrl-C did not stop the push"
  took=$((($(date +%s%N) - began) / 1000000))
  [ $took -lt 5000 ] || fail "Ctrl-C took $took ms"
  push_rest stopped:1
  both=$(($(count) - before))
  echo "$program: Ctrl-C took $took ms; after it $sent bytes, both $both"
  [ "$sent" -lt $((whole / 2)) ] || fail "after Ctrl-C $sent bytes were sent of $whole"
  [ $both -lt $((whole + whole / 20)) ] || fail "with a Ctrl-C $both bytes were sent of $whole"

  if [ $goes_on_anywhere = yes ]; then
    push_part gone:1
    stop_proxy
    wait $victim
    assert_equal "without a network" 4 $?
    start_proxy
    push_rest gone:1
    echo "$program: after the network was gone, $sent bytes"
    [ "$sent" -lt $((whole / 2)) ] || fail "after the network was gone $sent bytes were sent of $whole"
  fi

  # A record is of one push: the other has an upload of its own.
  push_part twice:1
  kill -KILL $victim
  wait $victim 2>/dev/null
  "$SLIPWAY" push large:1 "$proxy/twice:1" >/dev/null 2>"$scratch/other" &
  victim=$!
  expect_ok slipway push large:1 "$proxy/twice:2"
  wait $victim || fail "the other of two pushes at once: $(cat "$scratch/other")"
  assert_equal "what two pushes leave" "" "$(ls -A "$records")"
  stop_proxy
done

# What nobody went on with for a week is swept by any push.
push_stale() { slipway push large:1 "$registry/killed:2"; }
for age in 6 8; do
  for ending in json lock; do touch -d "$age days ago" "$records/$age.$ending"; done
done
expect_ok push_stale
assert_equal "what is young enough" "6.json 6.lock" "$(ls "$records" | tr '\n' ' ' | sed 's/ $//')"
