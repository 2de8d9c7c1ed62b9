#!/bin/bash
# The first start of an image merges its layers into one tree (docs/formats/store.md): it shows what
# the layers show, it is made once however many start, it takes next to no room, and it goes with
# the image. Where it cannot be made, the layers are mounted.
. "$(dirname "$0")/common.sh"
need busybox
python3 "$top/tests/cli/make_image.py" image >/dev/null || fail "no image"
expect_ok slipway load -i image.tar
name=$(slipway images --json | jq -r '.images[0].reference // .images[0].name')
chain=$(slipway inspect "$name" --json | jq -r '[.layers[].diff_id] | join(" ")')
# The ChainID, as image-spec has it, by another hand.
chain=$(python3 - $chain <<'PY'
import hashlib, sys
chain = sys.argv[1]
for diff_id in sys.argv[2:]:
    chain = "sha256:" + hashlib.sha256(f"{chain} {diff_id}".encode()).hexdigest()
print(chain.split(":")[1])
PY
)
tree=$SLIPWAY_HOME/layers/$chain
[ ! -e "$tree" ] || fail "merged before anything was started"
kept_before=$(find "$SLIPWAY_HOME/layers" -name kept)
inode_before=$(stat -c %i "$kept_before")

see='cat /data/kept /data/twin2; ls /old; [ ! -e /data/gone ] && [ -u /data/setuid ] && stat -c %i /data/kept'
pids=
for i in 1 2 3 4 5 6; do
  "$SLIPWAY" run --rm "$name" sh -c "$see" >"$scratch/said$i" 2>"$scratch/err$i" &
  pids="$pids $!"
done
for pid in $pids; do wait "$pid" || fail "one of six first starts: $(cat "$scratch"/err?)"; done
for i in 1 2 3 4 5 6; do
  assert_equal "start $i of six" "kepttwinnew" "$(head -n 1 "$scratch/said$i")"
done
[ -d "$tree" ] || fail "no merged tree at layers/$chain"
assert_equal "left in tmp/" "" "$(ls "$SLIPWAY_HOME/tmp")"
assert_equal "a file is the layer's own" "$inode_before" "$(stat -c %i "$tree/data/kept")"
assert_equal "whiteouts in it" "" "$(find "$tree" -type c)"

expect_ok slipway run -d "$name" sleep 100
id=$out
room=$(jq -r .room_pid "$SLIPWAY_HOME/runs/$id/state.json")
lowers=$(grep -o 'lowerdir[+=][^, ]*' "/proc/$room/mountinfo" | grep -c .)
assert_equal "lower folders that are mounted" 1 "$lowers"
expect_ok slipway rm -f "$id"

# Killed in the middle: nothing counts that is not whole.
rm -rf "${tree:?}" "$SLIPWAY_HOME/layer-states/$chain"
mkdir -p "$SLIPWAY_HOME/layers/$chain/data" # as after a power cut: a tree without its state
expect_ok slipway run --rm "$name" sh -c "$see"
assert_contains "what it sees" "kepttwinnew" "$out"
[ -e "$SLIPWAY_HOME/layer-states/$chain" ] || fail "the half tree still counts"

# A tree that cannot be made costs the start its speed, and nothing else.
rm -rf "${tree:?}" "$SLIPWAY_HOME/layer-states/$chain"
if [ "$(id -u)" -eq 0 ]; then
  mkdir "$scratch/small" && mount -t tmpfs -o nr_inodes=4 tmpfs "$scratch/small" || fail "no tmpfs"
  mkdir "$scratch/room"
  unshare -m sh -c "mount --bind '$scratch/small' '$SLIPWAY_HOME/tmp' && exec '$SLIPWAY' run --rm '$name' sh -c '$see'" \
    >"$scratch/said" 2>"$scratch/err"
  status=$?
  umount "$scratch/small"
  assert_equal "a start without room for the tree" 0 "$status"
  assert_equal "what it sees" "kepttwinnew" "$(head -n 1 "$scratch/said")"
  assert_contains "it says why" "cannot be merged" "$(cat "$scratch/err")"
  [ ! -e "$tree" ] || fail "a tree nevertheless"
fi

expect_ok slipway run --rm "$name" sh -c :
[ -d "$tree" ] || fail "no merged tree again"
expect_ok slipway gc
[ -d "$tree" ] || fail "gc took the tree of an image that is there"
expect_ok slipway gc --image "$name"
[ ! -e "$tree" ] || fail "the tree outlives its image"
assert_equal "layers that are left" "" "$(ls "$SLIPWAY_HOME/layers")"
echo "ok"
