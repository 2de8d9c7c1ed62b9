#!/bin/bash
# time-out: 600
# `pull --lazy` of an ordinary user: his runs join the namespace of the process that shows the image.
[ "$(id -u)" -ne 0 ] || [ -n "${OWN_MOUNTS:-}" ] || OWN_MOUNTS=yes exec unshare --mount --propagation private bash "$0" "$@"
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/registry_common.sh"
. "$top/tests/system/lazy_common.sh"
need_root
need docker-registry
need jq
need newuidmap
need setpriv
[ -c /dev/fuse ] || skip "there is no /dev/fuse"
name=slipway-test
id $name >/dev/null 2>&1 && grep -q "^$name:" /etc/subuid || skip "there is no user $name with subordinate ids"

# A device that everybody may open, as on most machines; in this script's mounts alone.
mkdir "$scratch/dev"
mount -t tmpfs -o mode=755 none "$scratch/dev"
mknod -m 666 "$scratch/dev/fuse" c 10 229 && mount --bind "$scratch/dev/fuse" /dev/fuse
: 2>/dev/null <>/dev/fuse || skip "no device node for FUSE can be made"

chmod 755 "$scratch"
mkdir "$scratch/user"
chown $name: "$scratch/user"
cp "$SLIPWAY" "$scratch/slipway"
lazy_home=$scratch/user/store
as_user() {
  (cd "$scratch/user" && setpriv --reuid $name --regid $name --init-groups --reset-env env PATH="$PATH" \
    SLIPWAY_HOME="$lazy_home" SLIPWAY_CACHE="$scratch/user/cache" NO_COLOR=1 TERM=dumb "$@")
}
sw() { as_user timeout 120 "$scratch/slipway" "$@"; }
wait_until_whole() {
  for _ in $(seq 600); do
    [ ! -d "$lazy_home/layers/$(basename "$(lazy_folder)")" ] || return 0
    sleep 0.1
  done
  fail "the image does not become whole: $(cat "$(lazy_folder)/log")"
}
end_all() {
  local status=$?
  for lazy_home in "$scratch"/*/*store; do end_server; done
  stop_registries
  umount -l /dev/fuse "$scratch/dev"
  userdel "${one:-nobody-of-that-name}" 2>/dev/null
  (exit $status)
}
list_tree() { # SERVER FOLDER: everything that a program in its namespaces can see
  nsenter -t "$1" -U -m bash -c 'cd "$1" && find . -mindepth 1 -printf "%P %y %m %U:%G %T@ %n %l\n" | sort &&
    find . -type f -print0 | sort -z | xargs -0 sha256sum' - "$2"
}
owned_by_others() { # of what is not inside of a layer
  find "$lazy_home" -path "$lazy_home/layers/*" -prune -o -path "$lazy_home/runs" -prune -o ! -user $name -print
}

( # root makes the image
  export SLIPWAY_HOME=$TEST_CACHE/store SLIPWAY_CACHE=$TEST_CACHE/cache
  make_lazy_image
) || exit 1
start_registry lazy docker-registry
direct=$registry
start_registry_proxy
SLIPWAY_HOME=$TEST_CACHE/store expect_ok slipway push pull-lazy:1 "$direct/team/lazy:1"
image=$near/team/lazy:1
accept='Accept: application/vnd.oci.image.manifest.v1+json'
manifest=$(curl -s -H "$accept" "http://$direct/v2/team/lazy/manifests/1")
whole=$(jq '[.layers[].size] | add' <<<"$manifest")
trap 'end_all; at_end' EXIT

# 1. It runs while most of it is missing.
echo '{"rate": 3000000}' >settings
expect_ok sw pull --lazy "$image"
assert_contains "the lazy pull" "can be run now" "$err"
assert_lacks "the lazy pull" "warning" "$err"
expect_ok sw run --rm "$image" -- python hello.py
assert_equal "the early run" "sum 10" "$out"
[ "$(there)" -lt $((whole * 9 / 10)) ] || fail "of $whole bytes $(there) had come: the run was not early"
server=$(server_of)
[ -n "$server" ] || fail "nobody serves the image"
assert_equal "who serves it" "$(id -u $name)" "$(stat -c %u "$(lazy_folder)/server")"
[ -z "$(ls "$(lazy_folder)/mnt")" ] || fail "the mount is seen outside of its namespace"
# Who it is inside, and whose is what it writes outside.
mkdir "$scratch/user/out" && chown $name: "$scratch/user/out"
for who in "" 0:0 4321:4321; do
  expect_ok sw run --rm ${who:+--user $who} -v "$scratch/user/out:/out" "$image" -- \
    sh -c 'echo $(id -u):$(id -g); echo x >/usr/local/new && echo wrote; touch /out/mine 2>/dev/null; python /workspace/hello.py'
  assert_contains "who it is" "$(printf '%s\n' "${who:-1000:1000}")" "$out"
  assert_contains "as ${who:-its own user}" "sum 10" "$out"
done
assert_equal "whose the file is" "$(id -u $name)" "$(stat -c %u "$scratch/user/out/mine")"
# A run that outlives the coming of the image, and what is done with it meanwhile.
expect_ok sw run -d --name goes-on "$image" -- sleep 600
assert_contains "ps" goes-on "$(sw ps)"
expect_ok sw exec goes-on python hello.py
assert_equal "exec" "sum 10" "$out"
expect_ok sw exec -u games:adm goes-on sh -c 'echo $(id -un):$(id -gn)'
assert_equal "exec as somebody whose name stands in a file that comes lazily" games:adm "$out"
expect_ok sw run --name twice "$image" -- sh -c 'echo life >>/tmp/lives; wc -l </tmp/lives'
expect_ok sw start -a twice
assert_equal "its second life" 2 "$out"
expect_ok sw rm twice
# One that sees other mounts than the server keeps them.
expect_ok unshare --mount --propagation private bash -c '
  mount -t tmpfs none "$1/user/out" && echo "only here" >"$1/user/out/seen" && cd "$1/user" && shift &&
  exec "$@"' - "$scratch" setpriv --reuid $name --regid $name --init-groups --reset-env env PATH="$PATH" \
  SLIPWAY_HOME="$lazy_home" "$scratch/slipway" run --rm -v ./out:/out "$image" -- cat /out/seen
assert_equal "a mount that the server has not" "only here" "$out"
expect_ok sw gc
expect_ok sw pull --lazy "$image"
expect_ok sw export -o "$scratch/user/early.tar" "$image"
# What is seen is what a whole pull has.
echo '{"rate": 10000000}' >settings
list_tree "$server" "$(lazy_folder)/mnt" >early || fail "the tree cannot be listed"
echo '{}' >settings
lazy_home=$scratch/user/eager-store expect_ok sw pull "$direct/team/lazy:1"
lazy_home=$scratch/user/eager-store expect_ok sw run --rm "$direct/team/lazy:1" -- python hello.py
list_tree "$server" "$scratch/user/eager-store/layers/$(basename "$(lazy_folder)")" >late || fail "the whole tree cannot be listed"
[ "$(wc -l <late)" -gt 5000 ] || fail "only $(wc -l <late) lines were compared"
# Folders count their subfolders, and files of a merged tree have one name more than in it.
diff <(sed -E 's/( [dfl] [0-7]+ [0-9:]+ [0-9.]+) [0-9]+/\1/' early) <(sed -E 's/( [dfl] [0-7]+ [0-9:]+ [0-9.]+) [0-9]+/\1/' late) >difference ||
  fail "the tree is another while it comes: $(head -5 difference)"
wait_until_whole
# The run of before goes on with what it was given, and with it the server; new ones take the tree.
expect_ok sw run --rm "$image" -- python hello.py
assert_equal "once it is whole" "sum 10" "$out"
[ "$(server_of)" = "$server" ] || fail "the server has ended before the last run that uses it"
expect_ok sw exec goes-on python hello.py
assert_equal "in the run of before" "sum 10" "$out"
expect_ok sw export -o "$scratch/user/late.tar" "$image"
cmp "$scratch/user/early.tar" "$scratch/user/late.tar" || fail "the exports differ"
expect_ok sw stop -t 1 goes-on
expect_ok sw rm goes-on
wait_until_ended
assert_equal "what stays of it" "log tree" "$(ls "$(lazy_folder)" | xargs)"
assert_equal "the log" "" "$(cat "$(lazy_folder)/log")"
assert_equal "others than the user own something in the store" "" "$(owned_by_others)"
# Nothing came twice but the ends of layers, in which the tables were looked for, by two pulls.
came=$(awk '{ n += $3 - $2 + 1 } END { print n }' asked)
layers=$(cut -d' ' -f1 asked | sort -u | wc -l)
[ "$came" -le $((whole + 2 * layers * 600000)) ] || fail "$came bytes came of an image of $whole"
expect_ok sw run --rm "$image" -- python hello.py
expect_ok sw gc --all
assert_equal "left" "" "$(ls "$lazy_home/layers")"

# 2. The server is killed: the next run starts another one, which takes up what has come.
echo '{"rate": 3000000}' >settings
expect_ok sw pull --lazy "$image"
expect_ok sw run -d --name bereft "$image" -- sleep 600
server=$(server_of)
kill -9 "$server"
wait_until_ended
[ -e "$(lazy_folder)/record" ] || fail "the image was whole before its server was killed"
before=$(there)
echo '{"rate": 8000000}' >settings
sw run --rm "$image" -- python hello.py >beside 2>beside.err &
beside=$!
expect_ok sw run --rm "$image" -- python hello.py
assert_equal "after a kill" "sum 10" "$out"
wait $beside || fail "the second one after a kill: $(cat beside.err)"
assert_equal "the second one after a kill" "sum 10" "$(cat beside)"
[ "$(server_of)" != "$server" ] && [ -n "$(server_of)" ] || fail "no other server was started"
[ "$(there)" -ge "$before" ] || fail "of $before bytes $(there) are left"
expect_ok sw stop -t 1 bereft
expect_ok sw rm bereft
# A name in passwd, which comes lazily too; and an ordinary pull that waits.
config=$(curl -s "http://$direct/v2/team/lazy/blobs/$(jq -r .config.digest <<<"$manifest")" | jq -c '.config.User = "dev"')
upload=$(curl -s -D - -o /dev/null -X POST "http://$direct/v2/team/lazy/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
digest=sha256:$(printf %s "$config" | sha256sum | cut -d' ' -f1)
printf %s "$config" | curl -sf -X PUT -H 'Content-Type: application/octet-stream' --data-binary @- "$upload&digest=$digest" || fail "no upload"
jq -c --arg digest "$digest" --argjson size "${#config}" '.config.digest = $digest | .config.size = $size' <<<"$manifest" |
  curl -sf -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary @- "http://$direct/v2/team/lazy/manifests/named" || fail "no manifest"
end_server
lazy_home=$scratch/user/named-store
echo '{"rate": 3000000}' >settings
expect_ok sw pull --lazy "$near/team/lazy:named"
expect_ok sw run --rm "$near/team/lazy:named" -- id -un
assert_equal "by its name" dev "$out"
[ -e "$(lazy_folder)/record" ] || fail "the image was whole before it was run"
echo '{}' >settings
expect_ok sw pull "$near/team/lazy:named"
assert_contains "the pull that waits" "waiting for the lazy pull" "$err"
expect_ok sw run --rm "$near/team/lazy:named" -- python /workspace/hello.py
wait_until_ended

# 3. A user without subordinate ids, who has a store of his own; where /proc hides processes.
one=slipway-lazy-one
id $one >/dev/null 2>&1 || useradd --no-create-home $one || fail "no user can be made"
sed -i "/^$one:/d" /etc/subuid /etc/subgid
mkdir "$scratch/one" && chown $one: "$scratch/one"
mount -t proc -o hidepid=2 proc /proc || fail "no /proc"
one() {
  (cd "$scratch/one" && setpriv --reuid $one --regid $one --init-groups --reset-env env PATH="$PATH" \
    SLIPWAY_HOME="$scratch/one/store" SLIPWAY_CACHE="$scratch/one/cache" NO_COLOR=1 TERM=dumb timeout 120 "$scratch/slipway" "$@")
}
echo '{"rate": 4000000}' >settings
lazy_home=$scratch/user/both-store
expect_ok sw pull --lazy "$image"
lazy_home=$scratch/one/store
expect_ok one pull --lazy "$image"
assert_contains "the lazy pull" "can be run now" "$err"
lazy_home=$scratch/user/both-store expect_ok sw run --rm "$image" -- id -u
assert_equal "the other user's run at that time" 1000 "$out"
lazy_home=$scratch/user/both-store end_server
expect_ok one run -d --name mine "$image" -- sleep 600
for who in 1000:1000 0:0; do
  expect_ok one run --rm --user $who "$image" -- \
    sh -c 'echo $(id -u):$(id -g) $(stat -c %u:%g /etc/passwd /workspace | sort -u); python /workspace/hello.py'
  assert_equal "all is the one user's" "$(printf '%s\nsum 10' "$who $who")" "$out"
done
[ -e "$(lazy_folder)/record" ] || fail "the image was whole before it was run"
expect_ok one exec mine id -u
assert_equal "exec with one id" 1000 "$out"
echo '{}' >settings
wait_until_whole
expect_ok one run --rm "$image" -- python hello.py
expect_ok one stop -t 1 mine
expect_ok one rm mine
wait_until_ended
assert_equal "the log" "" "$(cat "$(lazy_folder)/log")"
assert_equal "others than the user own something in the store" "" "$(find "$lazy_home" ! -user $one)"
lazy_home=$scratch/user/named-store

# 4. What a start reads can be noted by everybody.
expect_ok sw run --record-reads "$near/team/lazy:named" -- python /workspace/hello.py
[[ $err =~ noted\ ([0-9]+)\ files ]] || fail "what was noted is not told: $err"
[ "${BASH_REMATCH[1]}" -gt 50 ] || fail "${BASH_REMATCH[1]} files were noted"

# 5. Where FUSE cannot be had, all of it comes first, and that is said.
chmod 600 "$scratch/dev/fuse"
lazy_home=$scratch/user/refused-store
expect_ok sw pull --lazy "$image"
assert_contains "the warning" "all of the image is pulled before it can run: /dev/fuse cannot be opened" "$err"
assert_contains "the pull" " layers fetched" "$err"
expect_ok sw run --rm "$image" -- python hello.py
assert_equal "the run" "sum 10" "$out"
assert_no_file "$lazy_home/lazy"
echo "ok: $(wc -l <early) lines compared, $came bytes of $whole"
