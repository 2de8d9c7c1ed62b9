#!/bin/bash
# time-out: 1500
# `[base] apt` on images that others built, and a Python for those that have none. apt itself, in a
# chroot of the same base, would add the same packages; the layer holds what they change and nothing
# else; dpkg, apt and other engines are content with it; another machine and another user make the
# same. A distribution of our own, with its archive and keys, stands in for those that are not Debian.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/user_common.sh"
. "$top/tests/system/base_common.sh"
. "$top/tests/system/apt_common.sh"
bare_tar bookworm
bare_tar trixie
base_tar bookworm
start_registry registry "$(find_registries | head -1)"

# on IMAGE APT [LINE...]: a project on that base, with more lines for [python]
on() {
  local image=$1 apt=$2
  shift 2
  project <<TOML
[image]
name = "based"
[base]
image = "$registry/$image"
apt = [$apt]
[python]
packages = [${packages:-\"numpy\"}]
$(printf '%s\n' "$@")
TOML
}
because() { sed -n "/^name = \"$1\"/,/^\$/s/^because = //p" slipway.lock; }
run() { expect_ok slipway run --user 0 based -- "$@"; }
debian_root() { # a root whose apt asks what Slipway asks
  root_of "$1"
  rm -rf "$root"/etc/apt/sources.list.d/*
  debian_sources "$2" >"$root/etc/apt/sources.list"
  [ -s "$root/etc/apt/sources.list" ] || skip "this machine's apt names no archive of Debian"
  cp /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null
  chroot "$root" apt-get update >"$scratch/apt" 2>&1 || fail "apt-get update: $(tail -3 "$scratch/apt")"
}

# --- Debian without Python: git, and a Python by itself.
bake_tar bare base-bare-bookworm.tar 'ENV FOO=bar' 'RUN mkdir -p /opt/own && echo mine >/opt/own/file'
on bare '"git"'
expect_ok slipway lock
assert_contains "what lock says" "Debian packages, on \`$registry/bare\` with Python 3.11.2 and glibc 2.36" "$err"
assert_equal "the interpreter" "/usr/bin/python3.11 3.11.2" "$(value interpreter) $(sed -n '/^\[base\]/,/^$/s/^python = "\(.*\)"/\1/p' slipway.lock)"
assert_equal "why git" '["slipway.toml"]' "$(because git)"
assert_equal "why python3" '["the base has no Python"]' "$(because python3)"
assert_equal "why certificates" '["wheels expect it of a system"]' "$(because ca-certificates)"
assert_lacks "what the base has" 'name = "zlib1g"' "$(cat slipway.lock)"
assert_lacks "hosts in the lock" "://" "$(grep -v '^image = ' slipway.lock)"
debian_root bare bookworm
apt_would "$root" git python3 ca-certificates >apt
locked_debs >ours
[ -s ours ] && diff apt ours >difference || fail "apt would choose otherwise: $(cat difference)"
expect_ok slipway why python3
assert_contains "why python3" "the base has no Python" "$out"
expect_ok slipway why python
assert_contains "why python" "python3.11-minimal 3.11.2" "$out"
expect_ok slipway tree
assert_contains "tree" "$(wc -l <ours) Debian packages on the base" "$out"
expect_ok slipway build --json
built=$(jq -r .digest <<<"$out")
assert_contains "lock digests" 'holds = "apt"' "$(cat slipway.lock)"

run sh -c 'python -c "import numpy, sys; print(numpy.ones(3).sum(), sys.version.split()[0], sys.base_prefix)"; git --version; cat /opt/own/file; echo $FOO; dpkg --audit && apt-get check >/dev/null && echo content'
assert_contains "in it" "3.0 3.11.2 /usr
git version" "$out"
assert_contains "in it" "mine
bar
content" "$out"
run python -c 'import ssl; print(len(ssl.create_default_context().get_ca_certs()) > 50)'
assert_equal "certificates" True "$out"
run sh -c 'dpkg-query -W -f "\${db:Status-Abbrev}\n" | sort -u; ls /usr/sbin/policy-rc.d /var/log/dpkg.log 2>/dev/null; true'
assert_equal "each package installed, and nothing left behind" "ii " "$out"

# The layer: nothing of the base that is as it was; times; bytecode by hash.
layer=$(sed -n '/^holds = "apt"/,/^size/s/^digest = "sha256:\(.*\)"/\1/p' slipway.lock)
skopeo copy -q --src-tls-verify=false "docker://$registry/bare" oci:bare:1 || fail "skopeo"
cat >look.py <<'E2'
import json, sys, tarfile, glob
base, layer = {}, tarfile.open(sys.argv[1])
index = json.load(open('bare/index.json'))
blob = lambda digest: 'bare/blobs/sha256/' + digest.split(':')[1]
def look(tar, item):
    what = (item.type, item.mode & 0o7777, item.uid, item.gid, item.linkname)
    return what + ((tar.extractfile(item).read(),) if item.isreg() else ())
for each in json.load(open(blob(index['manifests'][0]['digest'])))['layers']:
    tar = tarfile.open(blob(each['digest']))
    for item in tar:
        base[item.name.removeprefix('./').rstrip('/')] = look(tar, item)
folders = set()
seen = 0
for item in layer:
    if item.mtime != 315532800: sys.exit('a time: ' + item.name)
    if item.isdir():
        if item.name in base and base[item.name][:4] != look(layer, item)[:4]: sys.exit('another folder: ' + item.name)
        folders.add(item.name)
        continue
    seen += 1
    if base.get(item.name) == look(layer, item): sys.exit('as in the base: ' + item.name)
    if item.name.endswith('.pyc') and layer.extractfile(item).read(8)[4:] != b'\1\0\0\0': sys.exit('bytecode with times: ' + item.name)
    if item.name.startswith(('tmp/', 'var/cache/', 'var/log/', 'run/', 'usr/share/man/')): sys.exit('left over: ' + item.name)
names = layer.getnames()
if not any(n.endswith('argparse.cpython-311.pyc') for n in names): sys.exit('no bytecode of the library')
print(seen > 500)
E2
assert_equal "the layer" True "$(python3 look.py "$SLIPWAY_HOME/blobs/sha256/${layer:0:2}/${layer:2}" 2>&1)"

# Everything that reads images and locks.
expect_ok slipway verify
expect_ok slipway build --locked --json
assert_equal "built again" "$built true" "$(jq -r '.digest + " " + (.complete | tostring)' <<<"$out")"
expect_ok slipway inspect based
assert_contains "inspect" "git 1:2.39" "$out"
out slipway check --gpu a100 based
assert_contains "check" "find their libraries and symbols" "$out"
out slipway check --gpu a100
assert_contains "check of the lock" "find their libraries and symbols" "$out"
expect_ok slipway sbom based
assert_equal "sbom: the base's and ours" '["base-files","git","numpy","python3.11-minimal"]' \
  "$(jq -c '[.packages[].name] | map(select(IN("base-files", "git", "numpy", "python3.11-minimal"))) | unique' <<<"$out")"
expect_ok slipway push based "$registry/team/based:1"
assert_contains "push" "2 mounted" "$err"
assert_equal "pushed" "$built" "$(digest_of team/based:1)"
expect_ok slipway gc
expect_ok slipway build --locked --json
assert_equal "after gc" "$built true" "$(jq -r '.digest + " " + (.complete | tostring)' <<<"$out")"

if command -v dockerd >/dev/null; then
  . "$top/tests/system/dockerd.sh"
  start_dockerd
  trap 'stop_dockerd; stop_registries; at_end' EXIT
  expect_ok slipway save based -o docker.tar
  docker load -q -i docker.tar >out 2>"$scratch/err" || fail "docker does not load it"
  assert_equal "docker's run" "3.0 dev" "$(docker run --rm --network none based python -c 'import numpy, getpass; print(numpy.ones(3).sum(), getpass.getuser())' 2>"$scratch/err")"
  assert_contains "docker's git" "git version" "$(docker run --rm --network none based git --version)"
  assert_equal "docker's dpkg" "" "$(docker run --rm --network none -u 0 based dpkg --audit 2>&1)"
  stop_dockerd
fi

# Another machine, as an ordinary user: the same.
if has_user; then
  give_project
  cd "$scratch/user/project" || fail "no folder"
  umask 027
  expect_ok as_user TZ=Asia/Tokyo "$scratch/user/program" build --locked --json
  umask 022
  assert_equal "an ordinary user" "$built" "$(jq -r .digest <<<"$out")"
  expect_ok as_user TZ=Asia/Tokyo "$scratch/user/program" run based -- sh -c 'git --version && python -c "import numpy; print(\"user\")"'
  assert_contains "an ordinary user's run" user "$out"
  cd "$scratch/project" || exit 1
else
  echo "note: no subordinate ids: the build without root is not tested"
fi

# What an old lock holds is kept; a package more changes no other.
cp slipway.lock before
on bare '"git", "tmux"'
expect_ok slipway lock
assert_lacks "the change" " -> " "$err"
assert_contains "the change" "+ tmux" "$err"
expect_ok slipway lock --upgrade git
assert_contains "upgrade" "nothing to change" "$err"
expect_ok slipway build
run tmux -V
expect_ok slipway pull "$registry/team/based:1"
expect_ok slipway diff "$registry/team/based:1" based
assert_contains "diff" "tmux" "$out"

# --- A base with a Python keeps it.
bake_tar python base-bookworm.tar
on python '"git", "tmux"'
expect_ok slipway lock
assert_lacks "its Python" 'name = "python3' "$(cat slipway.lock)"
debian_root python bookworm
apt_would "$root" git tmux >apt
locked_debs >ours
[ -s ours ] && diff apt ours >difference || fail "apt would choose otherwise: $(cat difference)"
expect_ok slipway build
run sh -c 'python -c "import numpy; print(numpy.ones(3).sum())"; dpkg --audit; git --version'
assert_contains "in it" "3.0
git version" "$out"

# --- Another release: its packages, from its archive.
bake_tar bare13 base-bare-trixie.tar
on bare13 '"tmux"' 'version = "3.13"'
expect_ok slipway lock
assert_equal "why python3.13" '["the base has no Python"]' "$(because python3.13)"
debian_root bare13 trixie
apt_would "$root" tmux python3.13 ca-certificates >apt
locked_debs >ours
[ -s ours ] && diff apt ours >difference || fail "apt would choose otherwise: $(cat difference)"
expect_ok slipway build
run sh -c 'python -c "import numpy, sys; print(numpy.ones(3).sum(), sys.version_info[:2])"; dpkg --audit; tmux -V'
assert_contains "in it" "3.0 (3, 13)
tmux" "$out"
expect_ok slipway verify
on bare13 '' 'version = "3.9"'
expect_error 2 'no Debian package is called `python3.9`' slipway lock
assert_contains "why it is asked for" "has no Python, and slipway.toml says 3.9" "$err"
on bare13 '"gitt"'
expect_error 2 'no Debian package is called `gitt`' slipway lock
assert_contains "what is meant" '`git`' "$err"
bake_tar undpkged base-bookworm.tar 'RUN rm /usr/bin/dpkg'
on undpkged '"git"'
expect_error 1 'has no dpkg' slipway lock
assert_contains "what it is" "it is debian 12" "$err"
echo ok
