#!/bin/bash
# time-out: 600
# gc: what no image needs goes, what one needs stays, and it harms neither builds nor runs.
. "$(dirname "$0")/index_common.sh"
wheels good helper noise wordy
own_store
tag=1 ask good noise
build_digest_of() { expect_ok slipway build; }
build_digest_of
tag=2 ask good
build_digest_of

expect_ok slipway images
assert_contains "images" "cli-test:1" "$out"
assert_contains "images" "cli-test:2" "$out"
expect_ok slipway images --json
python3 - "$scratch/out" <<'PY' || fail "images --json is not as described"
import json, sys
answer = json.load(open(sys.argv[1]))
assert answer["schema"] == 1
PY
expect_ok slipway gc
lock=$(slipway inspect cli-test:2 --json | jq -r '.config.labels["dev.slipway.lock"]' | cut -d: -f2)
[ -s "$SLIPWAY_HOME/blobs/sha256/${lock:0:2}/${lock:2}" ] || fail "gc took the lock of an image"
before=$(store_state)
expect_ok slipway gc --image cli-test:1 --dry-run
assert_equal "the store after --dry-run" "$before" "$(store_state)"
expect_ok slipway run --name ended-one cli-test:1 -- true
expect_ok slipway run -d --name living-one cli-test:1 -- sleep 300
expect_ok slipway gc
assert_lacks "a run holds nothing that has a name" '`cli-test:1`' "$err"
# What is kept of a run lies on top of its image.
expect_ok slipway gc --image cli-test:1 --json
assert_contains "the image of a kept run stays" '"removed": 0' "$out"
python3 - "$scratch/out" <<'PY' || fail "gc --json does not say who holds an image"
import json, sys
held = json.load(open(sys.argv[1]))["held"]
held = [one for one in held if one["image"] == "cli-test:1"]  # the store is not empty at the beginning
assert len(held) == 1, held
assert held[0]["runs"] == ["ended-one", "living-one"] and held[0]["digest"].startswith("sha256:"), held
PY
expect_ok slipway gc
assert_contains "who holds it" 'stays: the runs `ended-one`, `living-one` hold it' "$err"
assert_contains "how to let go" '`slipway rm --force ended-one living-one` lets go' "$err"
expect_ok slipway rm --force living-one
expect_ok slipway gc --dry-run
assert_contains "one run" 'stays: the run `ended-one` holds it; `slipway rm ended-one` lets go' "$err"
expect_ok slipway rm --ended
expect_ok slipway gc --json
python3 - "$scratch/out" <<'PY' || fail "gc --json is not as described"
import json, sys
answer = json.load(open(sys.argv[1]))
assert answer["schema"] == 1 and answer["removed"] > 0 and answer["bytes"] > 4 << 20, answer
PY
expect_ok slipway run --rm cli-test:2 -- python -c 'import good'
out slipway run cli-test:1 -- true
assert_equal "an image that is gone" 125 "$status"
assert_contains "what is said of it" 'there is no image `cli-test:1`' "$err"
out slipway gc --image cli-test:7
[ "$status" -ne 0 ] || fail "gc of an image that is not there is content"
assert_contains "its name" 'cli-test:7' "$err"

# Beside a run: what it uses stays until it ends.
mkfifo "$scratch/talk"
"$SLIPWAY" run --rm -i cli-test:2 -- sh -c 'echo up; read line; python -c "import good; print(1)"' \
  <"$scratch/talk" >"$scratch/said" 2>"$scratch/err" &
runner=$!
exec 7>"$scratch/talk"
until grep -q up "$scratch/said"; do kill -0 $runner || fail "the run ended"; read -rt 0.05 <> <(:); done
expect_ok slipway gc --image cli-test:2
expect_ok slipway gc --all
echo go >&7
exec 7>&-
wait $runner || fail "gc took away what a run used: $(cat "$scratch/said")"
assert_contains "what the run said" 1 "$(cat "$scratch/said")"
expect_ok slipway gc
expect_ok slipway images --json

# Beside a build.
tag=3 ask good noise wordy
expect_ok slipway lock
"$SLIPWAY" build --locked >"$scratch/out" 2>"$scratch/build.err" &
builder=$!
while kill -0 $builder 2>/dev/null; do
  slipway gc >/dev/null 2>"$scratch/err" || fail "gc beside a build fails"
done
wait $builder || { cp "$scratch/build.err" "$scratch/err"; fail "a build beside gc fails"; }
expect_ok slipway run --rm -- python -c 'import good, noise, wordy'
