#!/bin/bash
# `slipway load`: layouts and archives of other tools, as folders, files and pipes, in every
# compression; what is wrong with them is said, and nothing of it stays.
. "$(dirname "$0")/common.sh"
need_root
need busybox
need zstd
! ldd "$(command -v busybox)" >/dev/null 2>&1 || skip "needs a static busybox (busybox-static)"
make() { digest=$(python3 "$top/tests/cli/make_image.py" "$@") || fail "no image"; }

# inside IMAGE: what a container of it sees
cat >look.sh <<'SH'
cd / && cat data/kept && [ ! -e data/gone ] && ls old && cat data/twin2 &&
stat -c '%a %u:%g %Y' data/kept data/setuid data/twin && test data/twin -ef data/twin2 && cat data/long-*name data/ümläut && ls -d dev/null
SH
expected='keptnew
twin644 1000:1001 1600000000
4755 0:0 1600000000
644 0:0 1600000000
longüdev/null'
inside() {
  expect_ok slipway run --rm "$1" sh -c "$(cat look.sh)"
  assert_equal "what $1 sees" "$expected" "$out"
}

for packing in gzip zstd none; do
  make "$packing" "$packing"
  expect_ok slipway load -i "$packing"
  assert_contains "what it says" "loaded \`$packing:7\`: 2 layers, $digest" "$err"
  assert_contains "what it says of devices" "1 device nodes of \`$packing:7\` are left out" "$err"
  inside "$packing:7"
  expect_ok slipway load -i "$packing.tar" --tag mine:$packing
  expect_ok slipway inspect mine:$packing --json
  assert_equal "the manifest's digest" "$digest" "$(jq -r .digest <<<"$out")"
  rm -rf "$SLIPWAY_HOME"
done

# By a pipe, packed once more; then from what is saved again.
expect_ok sh -c "gzip -c gzip.tar | '$SLIPWAY' load"
inside loaded:7
expect_ok slipway run --rm loaded:7
assert_equal "its own command" "kept" "$out"
expect_ok slipway load -i gzip-docker.tar
inside docker-made:1
expect_ok slipway save docker-made:1 -o again.tar
rm -rf "$SLIPWAY_HOME"
expect_ok slipway load -i again.tar
inside docker-made:1
expect_ok slipway check docker-made:1
# The store keeps what the image needs, and frees the rest.
expect_ok slipway gc
inside docker-made:1
expect_ok slipway gc --all
assert_equal "what is left" "" "$(find "$SLIPWAY_HOME/blobs" "$SLIPWAY_HOME/layers" -mindepth 3)"

# A user by name, and the group that goes with it.
make named gzip user=user:more
expect_ok slipway load -i named
expect_ok slipway run --rm named:7 sh -c 'id -u; id -g'
assert_equal "the image's user" "1000
7" "$out"

# What is wrong.
make good
refused() { # CODE TEXT PATH
  export SLIPWAY_HOME=$scratch/refusing
  expect_error "$1" "$2" slipway load -i "$3"
  assert_equal "images after $3" "IMAGE  DIGEST        LAYERS      SIZE" "$(slipway images)"
  assert_equal "what is left after $3" "" "$(ls -A "$SLIPWAY_HOME/tmp")"
  rm -rf "$SLIPWAY_HOME"
}
make arm gzip arch=arm64
refused 1 "is made for linux/arm64, and this machine is linux/amd64" arm
make lie gzip bad-diff=yes
refused 1 "and the image names" lie
cp -r good spoilt
printf x >>"$(ls -S spoilt/blobs/sha256/* | head -1)"
refused 1 "is not what its name says" spoilt
cp -r good lacking
rm "$(ls -S lacking/blobs/sha256/* | head -1)"
refused 1 "lacks \`blobs/sha256/" lacking
size=$(stat -c %s good.tar)
for part in 1000 $((size / 3)) $((size / 2)) $((size - 20000)); do
  head -c $part good.tar >cut.tar
  refused 1 "cut.tar" cut.tar
done
echo nothing at all >text.tar
refused 1 "text.tar\` is cut short" text.tar
refused 1 "cannot open \`nowhere\`" nowhere
mkdir empty && echo '{"schemaVersion": 2, "manifests": []}' >empty/index.json
refused 1 "holds no image for linux/amd64" empty
python3 -c "print('{\"schemaVersion\": 2, \"manifests\": [' + ' ' * 12_000_000 + ']}')" >empty/index.json
refused 1 "is larger than any real one" empty
echo '[{"Config": "../../etc/passwd", "Layers": []}]' >empty/manifest.json
rm empty/index.json
refused 1 "names \`../../etc/passwd\`, which is outside" empty
rm empty/manifest.json
ln -s /etc/passwd empty/index.json
refused 1 "cannot open" empty

# An ordinary user's trees run the same.
unset SLIPWAY_HOME
user=slipway-test
command -v setpriv >/dev/null && getent passwd $user >/dev/null && grep -q "^$user:" /etc/subuid &&
  command -v newuidmap >/dev/null || {
  echo "note: not tried as an ordinary user"
  exit 0
}
chmod 755 "$scratch" "$scratch/project"
cp "$SLIPWAY" "$scratch/slipway"
home=$scratch/home
mkdir "$home" && chown $user: "$home"
slipway() {
  setpriv --reuid $user --regid $user --init-groups env -i PATH="$PATH" HOME="$home" \
    SLIPWAY_HOME="$home/store" SLIPWAY_CACHE="$home/cache" "$scratch/slipway" "$@"
}
expect_ok slipway load -i good
inside good:7
expect_ok slipway load -i named
assert_contains "a layer made for another user" "shares a layer with an image of another user" "$err"
expect_ok slipway gc --all
expect_ok slipway load -i named
expect_ok slipway run --rm named:7 sh -c 'id -u; id -g; touch /tmp/mine; stat -c %u:%g data/kept /tmp/mine'
assert_equal "the image's user" "1000
7
1000:1001
1000:7" "$out"
expect_ok slipway check named:7
for folder in blobs refs known tmp; do
  foreign=$(find "$home/store/$folder" ! -user $user | head -n 3)
  [ -z "$foreign" ] || fail "not the user's own: $foreign"
done
expect_ok slipway gc --all
