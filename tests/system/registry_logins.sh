#!/bin/bash
# Who we are at a registry: Docker's and Podman's files, helpers; which registry a name without a
# host means; certificates that nobody signed. Then pushes and pulls that are killed, and an
# ordinary user's.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/registry_common.sh"
need_root
need busybox
need docker-registry
export HOME=$scratch/home DOCKER_CONFIG=$scratch/docker-config CONTAINERS_REGISTRIES_CONF=$scratch/registries.conf
export XDG_RUNTIME_DIR=$scratch/runtime
unset REGISTRY_AUTH_FILE
mkdir -p "$HOME" "$DOCKER_CONFIG" "$XDG_CONFIG_HOME/slipway" "$XDG_RUNTIME_DIR/containers" "$scratch/bin"
export PATH=$scratch/bin:$PATH
: >"$CONTAINERS_REGISTRIES_CONF"
digest=$(python3 "$top/tests/cli/make_image.py" image) || fail "no image"
expect_ok slipway load -i image --tag small:1

start_registry private docker-registry login
expect_error 1 "refuses access" slipway push small:1 "$registry/x:1"
assert_contains "the way in" "docker login $registry" "$err"
config() { echo "$1" >"$DOCKER_CONFIG/config.json"; }
config "{\"auths\": {\"$registry\": {\"auth\": \"$(printf me:wrong | base64)\"}}}"
expect_error 1 "refuses access" slipway push small:1 "$registry/x:1"
assert_lacks "the password" wrong "$err"
config "{\"auths\": {\"$registry\": {\"auth\": \"$(printf me:secret | base64)\"}}}"
expect_ok slipway push small:1 "$registry/x:1"
expect_ok slipway pull "$registry/x:1"
config '{'
expect_error 2 "config.json\` is not a JSON object" slipway pull "$registry/x:1"
rm "$DOCKER_CONFIG/config.json"
echo "{\"auths\": {\"$registry\": {\"auth\": \"$(printf me:secret | base64)\"}}}" >"$XDG_RUNTIME_DIR/containers/auth.json"
expect_ok slipway pull "$registry/x:1"
rm "$XDG_RUNTIME_DIR/containers/auth.json"

# Helpers, by their protocol: one for this host, one for all; who knows nothing; who is not there.
cat >"$scratch/bin/docker-credential-test" <<SH
#!/bin/sh
[ "\$1" = get ] || exit 2
read -r host || [ -n "\$host" ] || exit 2
echo "\$host" >>$scratch/asked
[ "\$host" = $registry ] || { echo "credentials not found in native keychain"; exit 1; }
echo '{"ServerURL": "x", "Username": "me", "Secret": "secret"}'
SH
chmod +x "$scratch/bin/docker-credential-test"
config "{\"credHelpers\": {\"$registry\": \"test\"}}"
expect_ok slipway pull "$registry/x:1"
config '{"credsStore": "test"}'
expect_ok slipway push small:1 "$registry/y:1"
assert_equal "what the helper was asked" "$registry
$registry" "$(cat "$scratch/asked")"
config '{"credsStore": "absent"}'
expect_error 1 "docker-credential-absent" slipway pull "$registry/x:1"
config '{"credsStore": "test"}'
private=$registry

# Names without a host.
expect_error 2 "does not say at which registry it is" slipway pull x:1
echo "unqualified-search-registries = [\"$private\"]" >"$CONTAINERS_REGISTRIES_CONF"
expect_ok slipway pull x:1
assert_contains "searched" "pulled \`$private/x:1\`" "$err"
printf '[aliases]\n"short" = "%s/x"\n' "$private" >"$CONTAINERS_REGISTRIES_CONF"
expect_ok slipway pull short:1
printf '[registry]\ndefault = "%s"\n' "$private" >"$XDG_CONFIG_HOME/slipway/config.toml"
expect_ok slipway push small:1
assert_contains "the default" "\`$private/small:1\`" "$err"
expect_error 2 "is not an image name" slipway pull UPPER
printf '[[registry]]\nprefix = "named.example/team"\nlocation = "%s"\n' "$private" >"$CONTAINERS_REGISTRIES_CONF"
config "{\"auths\": {\"named.example\": {\"auth\": \"$(printf me:secret | base64)\"}}}"
expect_ok slipway pull named.example/team/x:1
printf '[[registry]]\nlocation = "named.example"\nblocked = true\n' >"$CONTAINERS_REGISTRIES_CONF"
expect_error 1 "is blocked" slipway pull named.example/team/x:1
: >"$CONTAINERS_REGISTRIES_CONF"
rm "$XDG_CONFIG_HOME/slipway/config.toml" "$DOCKER_CONFIG/config.json"

# A certificate that nobody signed: refused, unless the user said so, or has it.
start_registry tls docker-registry tls
expect_error 4 "certificate" slipway push small:1 "$registry/x:1"
expect_ok slipway push --insecure small:1 "$registry/x:1"
printf '[registry]\ninsecure = ["%s"]\n' "$registry" >"$XDG_CONFIG_HOME/slipway/config.toml"
expect_ok slipway pull "$registry/x:1"
rm "$XDG_CONFIG_HOME/slipway/config.toml"
SSL_CERT_FILE=$scratch/tls/certificate.pem expect_ok slipway pull "$registry/x:1"
assert_contains "by its certificate" "$digest" "$err"

# Killed at any point, then repeated: nothing is lost, and the image is whole.
start_registry killed
head -c 30000000 /dev/urandom >noise
python3 - <<'PY'
import gzip, hashlib, json, os, io, tarfile
os.makedirs("large/blobs/sha256")
def blob(data):
    digest = hashlib.sha256(data).hexdigest()
    open(f"large/blobs/sha256/{digest}", "wb").write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}
layers, diffs = [], []
noise = open("noise", "rb").read()
for number in range(6):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo(f"file{number}")
        info.size = len(noise) // 6
        tar.addfile(info, io.BytesIO(noise[number * info.size:]))
    diffs.append("sha256:" + hashlib.sha256(buffer.getvalue()).hexdigest())
    layers.append({"mediaType": "application/vnd.oci.image.layer.v1.tar", **blob(buffer.getvalue())})
config = blob(json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diffs}}).encode())
manifest = blob(json.dumps({"schemaVersion": 2, "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config}, "layers": layers}).encode())
open("large/index.json", "w").write(json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", **manifest}]}))
open("large/oci-layout", "w").write('{"imageLayoutVersion": "1.0.0"}')
PY
expect_ok slipway load -i large/
for part in 1 2 3 5 8 13 21; do
  "$SLIPWAY" push large:latest "$registry/large:1" >/dev/null 2>&1 &
  victim=$!
  # At a point of the push's own, not of the clock: so many requests that the registry has answered.
  for _ in $(seq 2000); do
    [ "$(grep -c 'response completed' "$scratch/killed/log")" -lt $((part * 2)) ] && kill -0 $victim 2>/dev/null || break
  done
  kill -KILL $victim 2>/dev/null
  wait $victim 2>/dev/null
done
expect_ok slipway push large:latest "$registry/large:1"
expect_ok env SLIPWAY_HOME="$scratch/other" "$SLIPWAY" pull "$registry/large:1"
for _ in 1 2 3 4; do
  SLIPWAY_HOME=$scratch/third SLIPWAY_CACHE=$scratch/third-cache "$SLIPWAY" pull "$registry/large:1" >/dev/null 2>&1 &
  victim=$!
  for _ in $(seq 200); do [ ! -d "$scratch/third-cache/blobs" ] || break; done
  kill -KILL $victim 2>/dev/null
  wait $victim 2>/dev/null
done
export SLIPWAY_HOME=$scratch/third SLIPWAY_CACHE=$scratch/third-cache
for _ in $(seq 30); do
  rm -rf "$SLIPWAY_HOME" "$SLIPWAY_CACHE"
  pulls=()
  for one in 1 2; do
    "$SLIPWAY" pull "$registry/large:1" >/dev/null 2>"$scratch/pull$one" &
    pulls+=($!)
  done
  expect_ok slipway pull "$registry/large:1"
  for pull in "${pulls[@]}"; do
    wait "$pull" || fail "another of three pulls at once: $(cat "$scratch"/pull[12])"
  done
done
assert_equal "what is left over" "" "$(ls -A "$SLIPWAY_HOME/tmp" "$SLIPWAY_CACHE/blobs" | grep -v :)"
assert_equal "the file" "$(head -c 5000000 noise | sha256sum)" "$(cat "$SLIPWAY_HOME"/layers/*/file0 | sha256sum)"

# An ordinary user.
user=slipway-test
command -v setpriv >/dev/null && getent passwd $user >/dev/null && grep -q "^$user:" /etc/subuid &&
  command -v newuidmap >/dev/null || {
  echo "note: not tried as an ordinary user"
  exit 0
}
export SLIPWAY_HOME=$scratch/store SLIPWAY_CACHE=$scratch/cache
expect_ok slipway push small:1 "$registry/small:1"
chmod 755 "$scratch" "$scratch/project"
cp "$SLIPWAY" "$scratch/slipway"
mkdir "$scratch/theirs" && chown $user: "$scratch/theirs"
as() {
  setpriv --reuid $user --regid $user --init-groups env -i PATH="$PATH" HOME="$scratch/theirs" \
    SLIPWAY_HOME="$scratch/theirs/store" SLIPWAY_CACHE="$scratch/theirs/cache" "$scratch/slipway" "$@"
}
expect_ok as pull "$registry/small:1"
expect_ok as run small:1 sh -c 'cat /data/kept; stat -c %u:%g /data/kept; id -u'
assert_equal "what a user sees" "kept1000:1001
0" "$out"
expect_ok as push small:1 "$registry/theirs:1"
assert_contains "a user's push" "$digest" "$err"
foreign=$(find "$scratch/theirs/store/blobs" "$scratch/theirs/store/refs" "$scratch/theirs/cache" ! -user $user | head -n 3)
assert_equal "not the user's own" "" "$foreign"
