#!/bin/bash
# time-out: 600
# `slipway build --push`: layers go to a real registry while others are made; the manifest, without which
# nothing is there, only behind a build that succeeded.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/registry_common.sh"
. "$top/tests/system/user_common.sh"
need_root
need skopeo
need jq
export SLIPWAY_CACHE=$TEST_CACHE/cache
program=$(find_registries | head -1)
[ -n "$program" ] || skip "no registry is installed (package docker-registry)"
start_registry registry "$program"
project <<'TOML'
[image]
name = "ahead"
[base]
debian = "bookworm"
[python]
version = "3.11"
packages = ["numpy", "six==1.16.0"]
TOML
out slipway lock
[ "$status" -ne 4 ] || skip "no network: $(tail -1 "$scratch/err")"
[ "$status" -eq 0 ] || fail "slipway lock"
digest_of() { skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$registry/$1" 2>/dev/null; }
has_blob() { curl -fsS -o /dev/null -I "http://$registry/v2/$1/blobs/$2" 2>/dev/null; }

# A store with the Debian base alone, for builds that begin with it.
mkdir bare
sed 's/^packages.*/packages = []/' slipway.toml >bare/slipway.toml
expect_ok env SLIPWAY_HOME="$scratch/bare-store" "$SLIPWAY" -C bare build
new_store() { SLIPWAY_HOME=$scratch/$1 && cp -a "$scratch/bare-store" "$SLIPWAY_HOME"; }

# What cannot be a target is told before anything is made.
expect_error 2 '`--insecure` is about the registry of `--push`' slipway build --insecure
expect_error 2 "" slipway build --push 'No Name'
expect_error 4 "127.0.0.1:1" slipway build --push 127.0.0.1:1/team/ahead:1
assert_equal "images after that" 0 "$(slipway images --json | jq '.images | length')"

# The same image as by `build` and `push`; what was sent is told as `push` tells it.
expect_ok slipway build --push "$registry/team/ahead:1" --json
built=$(jq -r .digest <<<"$out")
count=$(jq '.layers | length' <<<"$out")
assert_contains "what was sent" "pushed \`$registry/team/ahead:1\`: $count of $count layers sent" "$err"
assert_equal "in the registry" "$built" "$(digest_of team/ahead:1)"
expect_ok slipway push ahead "$registry/again:1"
assert_equal "pushed by itself" "$built" "$(digest_of again:1)"
skopeo copy -q --src-tls-verify=false "docker://$registry/team/ahead:1" oci:copied:1 || fail "skopeo does not take it"

# Nothing to build, and something to send; nothing of both.
expect_ok slipway build --push "$registry/other:1"
assert_contains "nothing to build" "nothing to do for \`ahead:latest\`" "$err"
assert_equal "and sent" "$built" "$(digest_of other:1)"
expect_ok slipway build --push "$registry/other:1"
assert_contains "nothing of both" "is there already" "$err"

# A small change: its layer alone.
sed -i 's/six==1.16.0/six==1.17.0/' slipway.toml
expect_ok slipway build --push "$registry/team/ahead:2"
assert_contains "a change" "pushed \`$registry/team/ahead:2\`: 1 of $count layers sent" "$err"

# A build that fails: layers may be there, an image is not. (The lock's own digest is made wrong.)
numpy=$(jq -r '.layers[] | select(.packages[] | startswith("numpy")) | .digest' <<<"$(slipway inspect ahead --json)")
[ -n "$numpy" ] || fail "no layer of numpy"
sed '/^\[image/,$ s/^\(manifest = "sha256:\)..../\10000/' slipway.lock >wrong
cmp -s wrong slipway.lock && fail "the lock has no manifest's digest"
cp slipway.lock right
cp wrong slipway.lock
new_store second
expect_error 1 "slipway.lock" slipway build --locked --push "$registry/failed/ahead:1"
assert_equal "an image of a failed build" "" "$(digest_of failed/ahead:1)"
has_blob failed/ahead "$numpy" || fail "its layers were not sent while it was built"
cp right slipway.lock

# Stopped: both processes end, no image is there, and the next build goes on.
new_store third
for signal in INT KILL; do
  "$SLIPWAY" build --locked --push "$registry/stopped/ahead:1" >out 2>err &
  pid=$!
  for _ in $(seq 200); do
    child=$(pgrep -P "$pid" -x slipway) && break
    sleep 0.05
  done
  [ -n "$child" ] || fail "no process that builds: $(tail -1 err)"
  kill -$signal "$pid"
  wait "$pid" 2>/dev/null
  ended=$?
  for _ in $(seq 600); do
    kill -0 "$child" 2>/dev/null || break
    sleep 0.1
  done
  ! kill -0 "$child" 2>/dev/null || fail "$signal: the building process goes on"
  if [ $signal = INT ]; then
    assert_equal "the status after Ctrl-C" 130 "$ended"
    assert_equal "what it said" 1 "$(grep -c '^error: ' err)"
  fi
done
expect_ok slipway build --locked --push "$registry/stopped/ahead:1"
assert_equal "after it was stopped" "$(digest_of team/ahead:2)" "$(digest_of stopped/ahead:1)"

# A registry that wants a login: told; the image is built, and `push` is all that is left to do.
open=$registry
start_registry private "$program" login
export DOCKER_CONFIG=$scratch/docker
expect_error 1 "docker login $registry" slipway build --push "$registry/team/ahead:1"
mkdir "$DOCKER_CONFIG"
printf '{"auths": {"%s": {"auth": "%s"}}}' "$registry" "$(printf me:secret | base64)" >"$DOCKER_CONFIG/config.json"
expect_ok slipway build --locked --push "$registry/team/ahead:1"
private=$registry registry=$open

# An ordinary user, whose logins are read outside the namespace in which his image is built.
if has_user; then
  give_project
  mkdir "$scratch/user/docker"
  cp "$DOCKER_CONFIG/config.json" "$scratch/user/docker" && chmod 600 "$scratch/user/docker/config.json"
  chown -R slipway-test "$scratch/user/docker"
  chmod 755 "$scratch"
  cd "$scratch/user/project" || fail "no folder"
  expect_ok as_user DOCKER_CONFIG="$scratch/user/docker" "$scratch/user/program" build --locked --push "$private/user/ahead:1"
  assert_equal "an ordinary user's" "$(digest_of team/ahead:2)" \
    "$(skopeo inspect --tls-verify=false --creds me:secret --format '{{.Digest}}' "docker://$private/user/ahead:1")"
  assert_equal "files of others in his cache" "" "$(find "$scratch/user/cache" ! -user slipway-test | head -3)"
else
  echo "note: no subordinate ids: not tried as an ordinary user"
fi
echo ok
