#!/bin/bash
# time-out: 900
# Everything works for a user without root, and gives root's image; the files are the user's.
. "$(dirname "$0")/index_common.sh"
need_root
need setpriv
name=slipway-test
getent passwd $name >/dev/null || useradd --create-home $name || skip "cannot add a user"
grep -q "^$name:" /etc/subuid || usermod --add-subuids 165536-231071 --add-subgids 165536-231071 $name
wheels good helper
image=user-test ask good
expect_ok slipway build
build_digest
roots=$digest

# The program may lie where the user cannot reach it.
cp "$SLIPWAY" "$scratch/slipway"
chmod 755 "$scratch"
home=$scratch/home
mkdir -p "$home/project" "$home/cache" "$home/config/slipway"
cp -r "$SLIPWAY_CACHE/files" "$SLIPWAY_CACHE/debian" "$home/cache"
cp slipway.toml "$home/project"
cp "$XDG_CONFIG_HOME/slipway/config.toml" "$home/config/slipway"
chown -R $name: "$home"
uid=$(id -u $name)
as() {
  setpriv --reuid $name --regid $name --init-groups env -i PATH="$PATH" HOME="$home" \
    SLIPWAY_HOME="$home/store" SLIPWAY_CACHE="$home/cache" XDG_CONFIG_HOME="$home/config" \
    "$scratch/slipway" -C "$home/project" "$@"
}
cd "$home/project"
expect_ok as lock
# Root's has the digests of the image behind the solution.
cmp -n "$(stat -c %s slipway.lock)" slipway.lock "$scratch/project/slipway.lock" || fail "the lock is not root's"
# Wheels that nobody has read yet are unpacked for it, without ids to give files to.
expect_ok as check slipway.lock --driver 550
expect_ok as build --json
digest=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["digest"])' "$scratch/out")
assert_equal "the digest" "$roots" "$digest"
# Written from within the user's namespace, and the user's own all the same.
assert_equal "the digest in the lock" "$digest" "$(sed -n 's/^manifest = "\(.*\)"/\1/p' slipway.lock)"
cmp slipway.lock "$scratch/project/slipway.lock" || fail "the lock with its digests is not root's"
for folder in cache project store/blobs store/refs store/known store/tmp; do
  foreign=$(find "$home/$folder" ! -user $name | head -n 3)
  [ -z "$foreign" ] || fail "not the user's own: $foreign"
done
assert_equal "what is left in tmp/" "" "$(ls -A "$home/store/tmp")"

# What a build that was killed left belongs to ids of the user's namespace: nobody stumbles over it,
# and who can remove it does.
install -d -m 700 "$home/store/tmp/layer.1.left/etc"
install -d -m 700 "$home/store/tmp/layer.2.left"
touch "$home/store/tmp/layer.1.left/etc/file"
first() { sed -n "s/^$name:\([0-9]*\):.*/\1/p" "/etc/sub$1" | head -n 1; }
chown -R "$(first uid):$(first gid)" "$home/store/tmp"/*
chown $name: "$home/store/tmp/layer.1.left"
expect_ok as build --locked
expect_ok as gc
assert_equal "what is left in tmp/ after gc" "" "$(ls -A "$home/store/tmp")"

# What is root's in the image (/etc/shadow) is compared and listed as well.
expect_ok as save -o "$home/project/copy.tar"
expect_ok as diff user-test ./copy.tar --exit-code
assert_contains "an image and its copy" "the same image" "$out"
expect_ok as sbom -o bom.json
assert_equal "whose the bill is" "$uid" "$(stat -c %u bom.json)"
assert_contains "what it lists" '"name": "good"' "$(cat bom.json)"
rm copy.tar bom.json

expect_ok as run -- sh -c 'id -u; python -c "import good"'
assert_equal "the user inside" 1000 "$out"
# A narrow umask is for the user's own files.
umask 077
expect_ok as run -- sh -c 'stat -c %a / /etc/hosts && ls / >/dev/null && cat /etc/hosts'
assert_equal "modes inside under a narrow umask" "755 644" "$(sed -n '1,2p' <<<"$out" | paste -sd " ")"
umask 022
install -d -o $name "$home/data"
expect_ok as run -v "$home/data:/data" -- sh -c 'mkdir /data/folder && touch /data/folder/file'
assert_equal "the owner of a new file" "$uid" "$(stat -c %u "$home/data/folder/file")"
expect_ok as run --user 0 -- sh -c 'touch /etc/made && id -u'
out as run -- sh -c 'exit 7'
assert_equal "the command's status" 7 "$status"
expect_ok as save user-test -o "$home/image.tar"
assert_equal "the owner of what was saved" "$uid" "$(stat -c %u "$home/image.tar")"
expect_ok as images
expect_ok as check user-test --driver 550
out as doctor user-test --json
assert_contains "the doctor, in a container of the user's" "starts; it has no torch" "$out"
assert_lacks "the doctor of a user who can run images" '"severity": "broken"' "$out"
expect_ok as inspect
expect_ok as gc
expect_ok as run -- true
# What has ended keeps its image until it is removed.
expect_ok as rm --ended
expect_ok as gc --image user-test
assert_equal "layers after gc" "" "$(ls -A "$home/store/layers")"

# Without subordinate ids: said before anything is made, with what to do. Nothing else needs them.
other=slipway-plain
getent passwd $other >/dev/null || useradd --no-create-home $other
trap 'userdel $other 2>/dev/null; at_end' EXIT
sed -i "/^$other:/d" /etc/subuid /etc/subgid
name=$other
chown -R $name: "$home"
expect_ok as lock
out as build
assert_equal "status without subordinate ids" 1 "$status"
assert_contains "what is missing" "/etc/subuid" "$err"
assert_contains "what to do" "usermod --add-subuids" "$err"
