#!/bin/bash
# time-out: 900
# `slipway verify` builds once more beside the store, finds what differs, and leaves nothing behind.
. "$(dirname "$0")/stop_common.sh"
need_root
wheels good helper
own_store
image=verified more='[project]
copy = ["train.py"]' ask good
echo 'print(1)' >train.py
expect_error 2 "is not there" slipway verify
expect_ok slipway lock
expect_error 1 "nothing to compare with" slipway verify
expect_ok slipway build
cp slipway.lock good.lock

# An image that somebody changed: one byte of one file in the base, and all digests made right.
python3 - "$SLIPWAY_HOME" <<'PY' || fail "cannot forge an image"
import gzip, hashlib, io, json, os, sys, tarfile
store = sys.argv[1]
path = lambda digest: f"{store}/blobs/sha256/{digest[7:9]}/{digest[9:]}"
def put(data):
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    os.makedirs(os.path.dirname(path(digest)), exist_ok=True)
    open(path(digest), "wb").write(data)
    return digest
manifest = json.load(open(path(open(f"{store}/refs/images/verified/:latest").read().strip())))
config = json.load(open(path(manifest["config"]["digest"])))
base = bytearray(gzip.decompress(open(path(manifest["layers"][0]["digest"]), "rb").read()))
member = tarfile.open(fileobj=io.BytesIO(base)).getmember("etc/debian_version")
base[member.offset_data + 1] ^= 1
packed = gzip.compress(bytes(base), 1)
manifest["layers"][0].update(digest=put(packed), size=len(packed))
config["rootfs"]["diff_ids"][0] = "sha256:" + hashlib.sha256(base).hexdigest()
text = json.dumps(config).encode()
manifest["config"].update(digest=put(text), size=len(text))
os.makedirs(f"{store}/refs/images/forged")
open(f"{store}/refs/images/forged/:latest", "w").write(put(json.dumps(manifest).encode()) + "\n")
PY

remember_store
expect_ok slipway verify
assert_contains "the same image" "the same once more" "$err"
same_store "verify"
expect_error 1 "the base: sha256:" slipway verify forged
assert_contains "the place" '`etc/debian_version` has other bytes from 1 on' "$err"
same_store "verify of a forged image"
assert_contains "the lock" "$(cat good.lock)" "$(cat slipway.lock)"

# The project's code has changed since: told by the image. Bytecode is made anew.
echo 'print(2)' >train.py
sed -i '/^holds = "packages"/,/^diff-id/ s/^diff-id = "sha256:.\{8\}/diff-id = "sha256:00000000/' slipway.lock
out slipway verify --json
assert_equal "status" 1 "$status"
differ=$(jq -r '.differences[] | .from + " " + .what' <<<"$out")
assert_lacks "what differs" "lock the project" "$differ"
for one in "image the project" "lock good"; do assert_contains "what differs" "$one" "$differ"; done
assert_lacks "what differs" "image good" "$differ"
assert_contains "the place" '`workspace/train.py` has other bytes from 6 on' "$(jq -r '.differences[0].where' <<<"$out")"
cp good.lock slipway.lock
echo 'print(1)' >train.py

# Stopped at any time, it leaves nothing; killed, the next to come takes it away.
stop_verify() {
  local tries=0
  set -m
  "$SLIPWAY" verify >"$scratch/out" 2>"$scratch/err" &
  local process=$!
  set +m
  until ls "$SLIPWAY_HOME"/tmp/*/store/tmp/*/var/lib/dpkg/info/*.list >/dev/null 2>&1; do
    kill -0 $process 2>/dev/null || fail "verify ended before it was stopped"
    tries=$((tries + 1))
    [ $tries -lt 6000 ] || fail "verify never installs"
    read -r -t 0.02 <> <(:) || true
  done
  case $1 in INT) kill -INT -- -$process ;; *) kill -KILL $process ;; esac
  wait $process 2>/dev/null
  status=$?
}
stop_verify INT
assert_equal "the status of a verify that was stopped" 130 "$status"
same_store "a verify that was stopped"
stop_verify KILL
expect_ok slipway build --locked
same_store "a verify that was killed, and a build"

# Another lock is another image.
sed -i 's/^slipway = .*/slipway = "0.0.1"/' slipway.lock
expect_error 2 "was not made from this slipway.lock" slipway verify verified
