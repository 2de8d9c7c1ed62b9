#!/bin/bash
# time-out: 400
# `pull --lazy` of an image with a large layer: what a start has unpacked of it takes its room once, the layer
# is rebuilt of it and of what is between, also after a kill; and where that does not give the layer, all of it
# comes as it is.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/registry_common.sh"
. "$top/tests/system/lazy_common.sh"
need_root
need docker-registry
need jq
need_fuse
export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
project <<'TOML'
[image]
name = "pull-lazy-large"
tag = "1"
[python]
packages = ["numpy"]
[project]
copy = ["hello.py", "data"]
TOML
echo 'import hashlib; print(*(hashlib.file_digest(open(f"data/{name}", "rb"), "sha256").hexdigest() for name in ("b", "d")))' >hello.py
mkdir data
python3 - <<'PY'
import random
large = random.Random(7).randbytes
for name, contents in {"a": b"small" * 9, "b": large(50 << 20), "c": large(40000), "d": b"".join(b"%d\n" % i for i in range(2000000)),
                       "e": large(60 << 20), "f": b"the last one"}.items():
    open(f"data/{name}", "wb").write(contents)
PY
sums=$(sha256sum <data/b | cut -d' ' -f1)\ $(sha256sum <data/d | cut -d' ' -f1)
out slipway lock
[ "$status" -ne 4 ] || skip "no network: $(tail -1 "$scratch/err")"
[ "$status" -eq 0 ] || fail "slipway lock"
expect_ok slipway build
expect_ok slipway inspect pull-lazy-large:1 --json
layer=$(jq -r '.layers | max_by(.size) | .digest[7:]' <<<"$out") tree=$(jq -r '.layers | max_by(.size) | .diff_id[7:]' <<<"$out")

start_registry lazy docker-registry
direct=$registry
start_registry_proxy
expect_ok slipway push pull-lazy-large:1 "$direct/team/large:1"
expect_ok slipway gc --image pull-lazy-large:1
image=$near/team/large:1
trap 'status=$?; end_server; (exit $status); stop_registries; at_end' EXIT

part_of_b() { # where it lies in the blob, without the pieces that it shares
  python3 - "$(lazy_folder)/toc/$layer" <<'PY'
import json, sys
entries = json.loads(open(sys.argv[1]).read().split("\n", 1)[1])["entries"]
begin = next(entry["offset"] for entry in entries if entry["name"].endswith("data/b"))
end = min(entry["offset"] for entry in entries if entry.get("offset", 0) > begin)
assert end - begin > 50 << 20
print(begin + (1 << 20), end - (1 << 20))
PY
}
is_released() { # FIRST END: that part of the blob is a hole
  python3 - "$(lazy_folder)/blobs/$layer" "$@" <<'PY'
import os, sys
first, end = map(int, sys.argv[2:])
try:
    data = os.lseek(os.open(sys.argv[1], os.O_RDONLY), first, os.SEEK_DATA)
except OSError:  # none from there on
    data = end
sys.exit(data < end)
PY
}
kept() { echo "$(lazy_folder)/files/${sums%% *}"; }
run_it() { # WHAT
  expect_ok slipway run --rm "$image" -- python hello.py
  assert_equal "$1" "$sums" "$out"
}
run_and_set() { # WHAT SETTINGS: which hold as soon as it has read its files, before much else comes
  slipway run --rm "$image" -- python -u hello.py >run.out 2>run.err &
  local run=$!
  for _ in $(seq 1000); do
    [ ! -s run.out ] && kill -0 "$run" 2>/dev/null || break
    sleep 0.05
  done
  echo "$2" >settings
  wait "$run" || fail "$1: $(cat run.err)"
  assert_equal "$1" "$sums" "$(cat run.out)"
  for _ in $(seq 100); do
    ! is_released $(part_of_b) || return 0
    sleep 0.1
  done
  fail "$1: what it has read is still there as it came"
}
ends_well() { # WHAT
  wait_until_ended
  diff <(list_tree "$SLIPWAY_HOME/layers/$tree") "$scratch/whole" >difference || fail "$1: the tree is another one: $(head -5 difference)"
  assert_no_file "$(lazy_folder)/blobs"
  run_it "$1"
  rm -rf "$SLIPWAY_HOME" "$SLIPWAY_CACHE"
}

fresh eager '{}'
expect_ok slipway pull "$image"
list_tree "$SLIPWAY_HOME/layers/$tree" >"$scratch/whole"
rm -rf "$SLIPWAY_HOME" "$SLIPWAY_CACHE"

# What was opened has its file, and what it came in is gone; that counts as come, also after a kill.
fresh one '{}'
expect_ok slipway pull --lazy "$image"
echo '{"rate": 20000000}' >settings
run_and_set "an early run" '{"rate": 300000}'
[ "$(there)" -gt $((50 << 20)) ] || fail "only $(there) bytes count as come"
kill -9 "$(server_of)"
for _ in $(seq 100); do [ -n "$(server_of)" ] || break; sleep 0.1; done
: >asked
run_it "after a kill"
read -r first end < <(part_of_b)
again=$(awk -v blob="$layer" -v first="$first" -v end="$end" '$1 ~ blob && $2 < end && $3 >= first' asked)
assert_equal "what came again of what had been unpacked" "" "$again"
inode=$(stat -c %i "$(kept)")
echo '{}' >settings
for _ in $(seq 600); do [ ! -e "$(kept)" ] && break; sleep 0.1; done
assert_equal "the file of the tree" "$inode" "$(find "$SLIPWAY_HOME/layers/$tree" -name b -printf %i)"
ends_well "a lazy pull"

# Between what was opened the registry gives other bytes.
fresh two '{}'
expect_ok slipway pull --lazy "$image"
echo '{"rate": 20000000}' >settings
run_and_set "before the registry goes wrong" '{"corrupt": 1500000}'
for _ in $(seq 600); do grep -q "layer .sha256:$layer" "$(lazy_folder)/log" && break; sleep 0.1; done
assert_contains "the log" "$layer" "$(cat "$(lazy_folder)/log")"
assert_no_file "$SLIPWAY_HOME/layers/$tree"
run_it "while the registry is wrong"
echo '{}' >settings
ends_well "after wrong bytes"

# Somebody has damaged what was kept: nothing of it gets into the image.
fresh three '{}'
expect_ok slipway pull --lazy "$image"
echo '{"rate": 20000000}' >settings
run_and_set "before the damage" '{"rate": 300000}'
printf x | dd of="$(kept)" bs=1 seek=1000000 conv=notrunc status=none
echo '{}' >settings
wait_until_ended
assert_contains "the log" "$layer" "$(cat "$(lazy_folder)/log")"
ends_well "after damage"
