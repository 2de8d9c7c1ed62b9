#!/bin/bash
# time-out: 600
# `pull --lazy`: an image runs before its layers are there, shows the very files that it has later,
# fetches nothing twice, starts with what a start reads, and comes to the same end as `pull`.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/registry_common.sh"
. "$top/tests/system/lazy_common.sh"
need_root
need docker-registry
need jq
need_fuse
export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
make_lazy_image

# What a start reads is noted once, with the image, and goes with it.
expect_ok slipway run --record-reads pull-lazy:1 -- python hello.py
assert_equal "the watched run" "sum 10" "$out"
[[ $err =~ noted\ ([0-9]+)\ files ]] || fail "what was noted is not told: $err"
noted=${BASH_REMATCH[1]}
{ [ "$noted" -gt 50 ] && [ "$noted" -lt 2000 ]; } || fail "$noted files were noted"
expect_error 2 "exclude each other" slipway run -d --record-reads pull-lazy:1 -- true
# Others who use the store meanwhile, and would empty its tmp/, do not disturb it.
mkdir gate
slipway run --record-reads -v "$PWD/gate:/gate:ro" pull-lazy:1 -- \
  sh -c 'echo begun; until [ -e /gate/open ]; do sleep 0.1; done; python hello.py' >watched 2>watched.err &
watched=$!
for _ in $(seq 100); do grep -q begun watched && break; sleep 0.1; done
expect_ok slipway run --rm pull-lazy:1 -- true
touch gate/open
wait $watched || fail "a watched run beside another one: $(cat watched.err)"
assert_lacks "mounts of the watched run" "$SLIPWAY_HOME/tmp" "$(cat /proc/mounts)"

start_registry lazy docker-registry
direct=$registry
start_registry_proxy
expect_ok slipway push pull-lazy:1 "$direct/team/lazy:1"
assert_contains "the push" "with what a start reads first" "$err"
image=$near/team/lazy:1
manifest=$(slipway inspect pull-lazy:1 --json | jq -r .digest)
whole=$(curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$direct/v2/team/lazy/manifests/1" | jq '[.layers[].size] | add')

trap 'status=$?; end_server; (exit $status); stop_registries; at_end' EXIT

# 1. It runs while most of it is missing.
fresh one '{"rate": 3000000}'
expect_ok slipway pull --lazy "$image"
assert_contains "the lazy pull" "can be run now" "$err"
assert_contains "the lazy pull" "$manifest" "$err"
expect_ok slipway run --rm "$image" -- python hello.py
assert_equal "the early run" "sum 10" "$out"
[ "$(there)" -lt $((whole * 9 / 10)) ] || fail "of $whole bytes $(there) had come: the run was not early"
[ -n "$(server_of)" ] || fail "nobody serves the image"
find "$(lazy_folder)/files" -size +1024k -printf '%i\n' | sort >opened
[ -s opened ] || fail "the run has opened no large file"
expect_ok slipway run -d --name goes-on "$image" -- sleep 600
# A second pull finds it served; one of another kind waits; what needs all of it says so.
expect_ok slipway pull --lazy "$image"
expect_error 1 "comes lazily" slipway diff "$image" "$image"
assert_contains "the hint" "slipway pull $image" "$err"
echo '{"rate": 10000000}' >settings
slipway pull "$image" >/dev/null 2>waiting.err &
waiting=$!
list_tree "$(lazy_folder)/mnt" >early
echo '{}' >settings
wait $waiting || fail "the pull that waits: $(cat waiting.err)"
assert_contains "the pull that waits" "waiting for the lazy pull" "$(cat waiting.err)"
assert_contains "the pull that waits" "0 of $layer_count layers fetched" "$(cat waiting.err)"
tree=$(readlink -f "$(lazy_folder)/tree")
assert_equal "the link" "$SLIPWAY_HOME/layers/$(basename "$(lazy_folder)")" "$tree"
list_tree "$tree" >late
diff early late >difference || fail "the tree was another while it came: $(head -5 difference)"
find "$SLIPWAY_HOME/layers" -type f -printf '%i\n' | sort >of_trees
assert_equal "large files that a run had opened, and that were written again" "" "$(comm -23 opened of_trees)"
# The run of before goes on with what it was given, and with it the server; then that ends too.
expect_ok slipway exec goes-on python hello.py
assert_equal "in the run of before" "sum 10" "$out"
expect_ok slipway stop -t 1 goes-on
expect_ok slipway rm goes-on
wait_until_ended
assert_equal "what stays of it" "log tree" "$(ls "$(lazy_folder)" | xargs)"
assert_equal "the log" "" "$(cat "$(lazy_folder)/log")"
assert_lacks "mounts" "$SLIPWAY_HOME/lazy" "$(cat /proc/mounts)"
# Nothing came twice but the ends of layers, in which the tables were looked for.
came=$(awk '{ n += $3 - $2 + 1 } END { print n }' asked)
layers=$(cut -d' ' -f1 asked | sort -u | wc -l)
[ "$came" -le $((whole + layers * 600000)) ] || fail "$came bytes came of an image of $whole"
expect_ok slipway run --rm "$image" -- python hello.py
expect_ok slipway gc
[ -d "$(lazy_folder)" ] || fail "gc took the link of an image that is there"
expect_ok slipway gc --image "$image"
expect_ok slipway gc
assert_no_file "$(lazy_folder)/tree"

# 2. Nobody runs it: what a start reads comes first all the same.
fresh two '{"rate": 4000000}'
expect_ok slipway pull --lazy "$image"
for _ in $(seq 200); do
  [ "$(ls "$(lazy_folder)/files" | wc -l)" -ge $((noted * 8 / 10)) ] && break
  sleep 0.1
done
ready=$(ls "$(lazy_folder)/files" | wc -l)
[ "$ready" -ge $((noted * 8 / 10)) ] || fail "of $noted files $ready were ready after 20 s"
[ "$(there)" -lt $((whole * 9 / 10)) ] || fail "$(there) of $whole bytes had come by then"
# The server is killed: the next run starts another one, which takes up what has come.
kill -9 "$(server_of)"
wait_until_ended
before=$(awk '{ n += $3 - $2 + 1 } END { print n }' asked)
expect_ok slipway run --rm "$image" -- python hello.py
assert_equal "after a kill" "sum 10" "$out"
[ -n "$(server_of)" ] || fail "no other server was started"
# gc does not touch what comes.
expect_ok slipway gc
expect_ok slipway run --rm "$image" -- python hello.py
echo '{}' >settings
wait_until_ended
came=$(awk '{ n += $3 - $2 + 1 } END { print n }' asked)
[ "$came" -le $((whole + layers * 600000 + 40 * 1048576)) ] || fail "$came bytes came of an image of $whole, $before before the kill"
expect_ok slipway run --rm "$image" -- python hello.py
rm -rf "$SLIPWAY_HOME"

# 3. A registry that gives other bytes: no file of them is ever shown, and later all is well.
fresh three '{"corrupt": 0}'
expect_error 1 "table of contents" slipway pull --lazy "$image"
assert_contains "which layer" "while reading layer \`sha256:" "$err"
expect_error 125 "there is no image" slipway run --rm "$image" -- python hello.py
echo '{"corrupt": 1500000, "rate": 8000000}' >settings
expect_ok slipway pull --lazy "$image"
out timeout 60 "$SLIPWAY" run --rm "$image" -- python hello.py
[ "$status" -ne 0 ] || fail "changed bytes were run"
assert_contains "the log" "is not the file that the layer's table names" "$(cat "$(lazy_folder)/log")"
echo '{}' >settings
for _ in $(seq 60); do
  out "$SLIPWAY" run --rm "$image" -- python hello.py
  [ "$status" -ne 0 ] || break
  sleep 0.5
done
assert_equal "once the bytes are right" "sum 10" "$out"
wait_until_ended
expect_ok slipway run --rm "$image" -- python hello.py
rm -rf "$SLIPWAY_HOME"

# 4. The network goes away in the middle, and comes back.
fresh four '{"rate": 20000000}'
expect_ok slipway pull --lazy "$image"
echo '{"fail": true}' >settings
sleep 1
echo '{}' >settings
expect_ok slipway run --rm "$image" -- python hello.py
wait_until_ended
rm -rf "$SLIPWAY_HOME"

# 5. Who is killed does not wait for files that have not come.
fresh five '{"rate": 3000000}'
expect_ok slipway pull --lazy "$image"
echo '{"rate": 20000}' >settings
expect_ok slipway run -d --name waits "$image" -- python hello.py
expect_ok timeout -k 5 60 "$SLIPWAY" stop -t 1 waits
expect_ok slipway rm waits
"$SLIPWAY" run --rm "$image" -- python hello.py >interrupted 2>&1 &
waits=$!
for _ in $(seq 100); do [ -n "$(slipway ps -q)" ] && break; sleep 0.1; done
for _ in 1 2 3; do kill -INT $waits; sleep 0.5; done
wait $waits
assert_equal "what three Ctrl-C give" 137 $?
[ "$(there)" -lt $((whole * 9 / 10)) ] || fail "$(there) of $whole bytes had come: nobody had to wait"
echo '{}' >settings
expect_ok slipway run --rm "$image" -- python hello.py
wait_until_ended
rm -rf "$SLIPWAY_HOME"

# 6. Two at once; and a registry that ignores ranges: then all of it comes first.
fresh six '{"rate": 20000000}'
slipway pull --lazy "$image" >/dev/null 2>first.err &
first=$!
slipway pull --lazy "$image" >/dev/null 2>second.err || fail "the second of two: $(cat second.err)"
wait $first || fail "the first of two: $(cat first.err)"
expect_ok slipway run --rm "$image" -- python hello.py
wait_until_ended
rm -rf "$SLIPWAY_HOME"
fresh seven '{"ranges": false}'
expect_ok slipway pull --lazy "$image"
assert_contains "without ranges" "layers fetched" "$err"
assert_no_file "$(lazy_folder)"
expect_ok slipway run --rm "$image" -- python hello.py
rm -rf "$SLIPWAY_HOME"
expect_error 1 "" slipway pull --lazy "$near/team/nothing:1"
echo "ok: $noted files first, $came bytes of $whole"
