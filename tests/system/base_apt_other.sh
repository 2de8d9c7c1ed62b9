#!/bin/bash
# time-out: 900
# `[base] apt` on an image of a distribution that this machine knows nothing of: a Debian under another
# name, with archives of its own on this machine, whose addresses and keys are in the image alone.
# Upgrades and removed files, and each way in which such an archive can fail.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/base_common.sh"
. "$top/tests/system/apt_common.sh"
bare_tar bookworm
start_registry registry "$(find_registries | head -1)"
make_key harbour
make_key gulls
make_key stranger

on() {
  project <<TOML
[image]
name = "based"
[base]
image = "$registry/$1"
apt = [$2]
[python]
packages = ["six==1.16.0"]
${3:-}
TOML
}
because() { sed -n "/^name = \"$1\"/,/^\$/s/^because = //p" slipway.lock; }
run() { expect_ok slipway run --user 0 based -- "$@"; }

# The distribution's archive: Debian's own packages for a Python, and some that change the base.
archive=$scratch/archive
pool=$archive/pool
mkdir -p "$pool"
bake_tar debian base-bare-bookworm.tar
on debian ''
expect_ok slipway lock
expect_ok slipway build
for sum in $(sed -n '/^\[\[deb/,$s/^sha256 = "\(.*\)"/\1/p' slipway.lock); do
  cp "$SLIPWAY_CACHE"/files/"$sum"/*.deb "$pool" 2>/dev/null
done
[ "$(find "$pool" -name 'python3.11_*' | wc -l)" -eq 1 ] || fail "no Python for the archive"

mkdir -p a1/opt/anchor a2/opt/anchor/chain chain/DEBIAN mutiny unsound gull/opt
echo old >a1/opt/anchor/old && echo same >a1/opt/anchor/same
echo same >a2/opt/anchor/same && echo new >a2/opt/anchor/chain/new
cat >chain/DEBIAN/postinst <<'E2'
#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
rm -r /opt/hold /opt/gone
mkdir -m 0750 /opt/hold
echo new >/opt/hold/new
rm /opt/swap && mkdir /opt/swap && echo in >/opt/swap/in
rm -r /opt/folder && echo file >/opt/folder
chgrp games /opt/kept && chmod 2750 /opt/kept
invoke-rc.d nothing start || true
date >/var/log/chain.log
E2
chmod 755 chain/DEBIAN/postinst
kept=$pool pool=$scratch/old
make_deb a1 anchor 1
pool=$kept
make_deb a2 anchor 2
make_deb chain chain 1 "Depends: anchor (>= 2)"
make_deb mutiny mutiny 1 "Conflicts: anchor"
make_deb unsound unsound 1 "Depends: no-such-thing"
echo gull >gull/opt/gull
pool=$scratch/gulls
make_deb gull gull 3 "Depends: anchor"
release_archive "$archive" quay harbour
flat_archive "$scratch/gulls" gulls
serve "$archive"
harbour=$address requests=$served first_server=$server
serve "$scratch/gulls"
gulls=$address

# image NAME [LINE...]: the distribution, with more lines for its Dockerfile
image() {
  local name=$1 folder=$scratch/images/$1
  shift
  mkdir -p "$folder"
  cp "$TEST_CACHE/base-bare-bookworm.tar" "$scratch/harbour.gpg" "$scratch/stranger.gpg" "$scratch/old/anchor_1_all.deb" "$folder"
  gpg --batch --armor --export gulls >"$folder/gulls.asc"
  printf 'PRETTY_NAME="Harbour 7"\nID=harbour\nID_LIKE=debian\nVERSION_ID="7"\nVERSION_CODENAME=quay\n' >"$folder/os-release"
  printf 'Types: deb\nURIs: http://%s\nSuites: quay\nComponents: main none\nSigned-By: /usr/share/keyrings/harbour.gpg\n' "$harbour" >"$folder/harbour.sources"
  printf 'deb [signed-by=/etc/keys/gulls.asc] http://%s ./\n' "$gulls" >"$folder/gulls.list"
  cat >"$folder/Dockerfile" <<'E2'
FROM scratch
ADD base-bare-bookworm.tar /
COPY os-release /usr/lib/os-release
RUN rm -f /etc/apt/sources.list /etc/apt/sources.list.d/* /etc/apt/trusted.gpg.d/*
COPY harbour.gpg /usr/share/keyrings/harbour.gpg
COPY harbour.sources /etc/apt/sources.list.d/
COPY gulls.list /etc/apt/sources.list.d/
COPY gulls.asc /etc/keys/
COPY anchor_1_all.deb /
RUN dpkg -i /anchor_1_all.deb && rm /anchor_1_all.deb
RUN mkdir -p /opt/hold/deep /opt/gone /opt/folder && echo a >/opt/hold/a && echo b >/opt/hold/deep/b && \
    echo c >/opt/gone/c && echo d >/opt/swap && echo e >/opt/folder/e
RUN mkdir /opt/kept && echo mine >/opt/kept/file
E2
  printf '%s\n' "$@" >>"$folder/Dockerfile"
  bake "$name" "$folder"
}
image harbour
on harbour '"chain", "gull"'
expect_ok slipway lock
assert_equal "its name" "harbour 7" "$(value os)"
assert_equal "indexes" "gulls harbour" "$(sed -n '/^\[\[deb/,$s/^index = "\(.*\)"/\1/p' slipway.lock | sort -u | tr '\n' ' ' | sed 's/ $//')"
assert_equal "why anchor" '["chain", "gull"]' "$(because anchor)"
assert_equal "the upgrade" 2 "$(sed -n '/^name = "anchor"/{n;s/.*"\(.*\)"/\1/p}' slipway.lock)"
for host in "$harbour" "$gulls"; do assert_lacks "the lock" "$host" "$(cat slipway.lock)"; done

# apt in a chroot of the very image, with its own sources and keys.
skopeo copy -q --src-tls-verify=false "docker://$registry/harbour" oci:image:1 || fail "skopeo"
umoci unpack --image image:1 root >/dev/null 2>&1 || fail "umoci"
chroot root/rootfs apt-get update >"$scratch/apt" 2>&1 || fail "apt-get update: $(tail -3 "$scratch/apt")"
apt_would root/rootfs chain gull python3 ca-certificates >apt
locked_debs >ours
[ -s ours ] && diff apt ours >difference || fail "apt would choose otherwise: $(cat difference)"

expect_ok slipway build --json
built=$(jq -r .digest <<<"$out")
look='cd /opt && find . -path ./venv -prune -o -print | sort && cat anchor/chain/new hold/new folder && stat -c "%a %G" hold kept && ls /var/log/chain.log 2>&1 | tail -c 30; dpkg --audit; python3 --version'
run sh -c "$look"
cp "$scratch/out" shown
assert_equal "what is there" ". ./anchor ./anchor/chain ./anchor/chain/new ./anchor/same ./folder ./gull ./hold ./hold/new ./kept ./kept/file ./swap ./swap/in new new file 750 root 2750 games" \
  "$(head -18 shown | tr '\n' ' ' | sed 's/ $//')"
layer=$(sed -n '/^holds = "apt"/,/^size/s/^digest = "sha256:\(.*\)"/\1/p' slipway.lock)
tar tzf "$SLIPWAY_HOME/blobs/sha256/${layer:0:2}/${layer:2}" >names
for name in opt/anchor/same opt/kept/file var/log/; do
  ! grep -qx "$name" names || fail "$name is in the layer, and did not change"
done
assert_contains "whiteouts" "opt/.wh.gone" "$(cat names)"
expect_ok slipway verify
if command -v dockerd >/dev/null; then
  . "$top/tests/system/dockerd.sh"
  start_dockerd
  trap 'stop_dockerd; stop_registries; at_end' EXIT
  expect_ok slipway save based -o docker.tar
  docker load -q -i docker.tar >out 2>"$scratch/err" || fail "docker does not load it"
  docker run --rm -u 0 --network none based sh -c "$look" >docker.shown 2>"$scratch/err" || fail "docker's run"
  diff shown docker.shown || fail "docker shows other files"
  stop_dockerd
fi

# Another machine has neither packages nor the archive's address: the image says it.
first=$SLIPWAY_HOME
cp slipway.lock before
count=$(grep -c 'GET /pool/.*\.deb' "$requests")
SLIPWAY_HOME=$scratch/second SLIPWAY_CACHE=$scratch/cache2
mkdir -p "$scratch/bundle" "$XDG_CONFIG_HOME/slipway"
for wheel in $(sed -n '1,/^\[\[deb/s/^sha256 = "\(.*\)"/\1/p' slipway.lock); do
  cp "$TEST_CACHE/cache/files/$wheel"/* "$scratch/bundle"
done
printf '[bundle]\nfolders = ["%s"]\n' "$scratch/bundle" >"$XDG_CONFIG_HOME/slipway/config.toml"
expect_ok slipway build --locked --json
assert_equal "another machine" "$built" "$(jq -r .digest <<<"$out")"
[ "$(grep -c 'GET /pool/.*\.deb' "$requests")" -gt "$count" ] || fail "nobody asked the archive"
rm -rf "$scratch/second" "$scratch/cache2"
SLIPWAY_HOME=$first SLIPWAY_CACHE=$TEST_CACHE/cache

# A newer version comes with an upgrade alone.
mkdir -p a3/opt/anchor && echo same >a3/opt/anchor/same
pool=$archive/pool
make_deb a3 anchor 3
release_archive "$archive" quay harbour
sed -i 's/^apt = .*/apt = ["chain", "gull", "hello-not"]/' slipway.toml
make_deb mutiny hello-not 1
release_archive "$archive" quay harbour
expect_ok slipway lock
assert_contains "the new one" "+ hello-not 1" "$err"
assert_lacks "the others" " -> " "$err"
expect_ok slipway lock --upgrade anchor
assert_contains "the upgrade" "anchor 2 -> 3" "$err"

# What cannot be, in one error that names it.
on harbour '"mutiny"'
expect_error 3 "cannot be installed onto what is installed" slipway lock
assert_contains "with what" "mutiny-1.all conflicts with anchor" "$err"
assert_contains "what to do" "nothing of \`$registry/harbour\` is removed" "$err"
on harbour '"unsound"'
expect_error 3 "no-such-thing" slipway lock
on harbour '"chian"'
expect_error 2 'no Debian package is called `chian`' slipway lock
assert_contains "what is meant" '`chain`' "$err"
on harbour '"chain"' 'version = "3.9"'
expect_error 2 'no Debian package is called `python3.9`' slipway lock

image keyless 'RUN rm /usr/share/keyrings/harbour.gpg'
on keyless '"chain"'
expect_error 1 "has no key for its archive \`harbour\`" slipway lock
assert_contains "which" "/usr/share/keyrings/harbour.gpg" "$err"
image strange 'COPY stranger.gpg /usr/share/keyrings/harbour.gpg'
on strange '"chain"'
expect_error 1 "no signature by a key that is trusted" slipway lock
assert_contains "whose keys" "in the base \`$registry/strange\`" "$err"
image silent 'RUN rm /etc/apt/sources.list.d/*'
on silent '"chain"'
expect_error 1 "names no archive for its apt" slipway lock

on harbour '"chain"'
release_archive "$archive" quay harbour "Valid-Until: Sat, 01 Jan 2000 00:00:00 UTC"
expect_error 1 'the Release of `quay` expired' slipway lock
release_archive "$archive" quay stranger
expect_error 1 "no signature by a key that is trusted" slipway lock
release_archive "$archive" quay harbour
sed -i 's/^Package: chain$/Package: chaim/' "$archive/dists/quay/main/binary-amd64/Packages"
xz -kf "$archive/dists/quay/main/binary-amd64/Packages"
# (a cache that has the signed ones would not ask for others)
SLIPWAY_CACHE=$scratch/cache3
expect_error 1 "Packages.xz" slipway lock
SLIPWAY_CACHE=$TEST_CACHE/cache
release_archive "$archive" quay harbour

# An archive that is gone, and one that config.toml names in its place.
kill "$first_server"
wait "$first_server" 2>/dev/null
expect_error 4 'the release `quay` of the index `harbour`' slipway lock
assert_contains "what to do" '`[index.harbour]` with a url in config.toml' "$err"
serve "$archive"
printf '[index.harbour]\nurl = "http://%s"\n' "$address" >>"$XDG_CONFIG_HOME/slipway/config.toml"
expect_ok slipway lock
assert_lacks "the lock" "$address" "$(cat slipway.lock)"
expect_ok slipway build
run cat /opt/anchor/same
gpgconf --kill gpg-agent
echo ok
