#!/bin/bash
# time-out: 1200
# `[base] image`: images that others built, as bases. The lock pins the digest and what the image
# has; the layers below ours are theirs, byte for byte; another machine and another user make the
# same image; engines run it; what cannot be a base is told in one error.
. "$(dirname "$0")/../cli/common.sh"
. "$top/tests/system/user_common.sh"
. "$top/tests/system/base_common.sh"
base_tar bookworm
base_tar trixie
start_registry registry "$(find_registries | head -1)"

# As the official images have it: an interpreter under /usr/local, none of the distribution's.
mkdir debian local
cp "$TEST_CACHE/base-bookworm.tar" debian
cp "$TEST_CACHE/base-trixie.tar" local
cat >debian/Dockerfile <<'E'
FROM scratch
ADD base-bookworm.tar /
ENV FOO=bar LANG=C.UTF-8
LABEL maintainer=them
EXPOSE 8080
VOLUME /data
STOPSIGNAL SIGINT
ENTRYPOINT ["/entry.sh"]
CMD ["python3"]
E
cat >local/Dockerfile <<'E'
FROM scratch
ADD base-trixie.tar /
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
RUN rm -r /usr/local/lib/python3.13 && mv /usr/bin/python3.13 /usr/local/bin/ && \
    mv /usr/lib/python3.13 /usr/local/lib/ && ln -s python3.13 /usr/local/bin/python3 && rm /usr/bin/python3
RUN useradd --uid 1000 ubuntu
E
bake debian-python:3.11 debian
bake python:3.13 local
# Docker's images have the same layer several times: that of a RUN which changes nothing.
skopeo copy -q --src-tls-verify=false "docker://$registry/python:3.13" oci:twice:1 || fail "skopeo"
blob() { echo "twice/blobs/sha256/${1#sha256:}"; }
keep() { local sum; sum=$(sha256sum <"$1" | cut -d' ' -f1); mv "$1" "$(blob "$sum")"; echo "$sum"; }
old=$(jq -r '.manifests[0].digest' twice/index.json)
jq -c '.rootfs.diff_ids += [.rootfs.diff_ids[-1]] | del(.history)' "$(blob "$(jq -r .config.digest "$(blob "$old")")")" >config.json
size=$(stat -c %s config.json) sum=$(keep config.json)
jq -c --arg d "sha256:$sum" --argjson s "$size" '.config.digest = $d | .config.size = $s | .layers += [.layers[-1]]' "$(blob "$old")" >manifest.json
size=$(stat -c %s manifest.json) sum=$(keep manifest.json)
jq -c --arg d "sha256:$sum" --argjson s "$size" '.manifests[0].digest = $d | .manifests[0].size = $s' twice/index.json >index.json
mv index.json twice/index.json
skopeo copy -q --dest-tls-verify=false oci:twice:1 "docker://$registry/python:3.13" || fail "skopeo"
base=$(digest_of debian-python:3.11)

# project IMAGE [LINE...]: a project on that base, with more lines for [python] behind it
on() {
  local image=$1
  shift
  project <<TOML
[image]
name = "based"
[base]
image = "$image"
[python]
packages = ["numpy", "six==1.16.0"]
$(printf '%s\n' "$@")
TOML
}
run() { expect_ok slipway run based -- "$@"; }

# What the lock says, and that a base without change needs no registry again.
on "$registry/debian-python:3.11"
out slipway lock
[ "$status" -ne 4 ] || skip "no network: $(tail -1 "$scratch/err")"
expect_ok slipway lock --json
assert_equal "the base" "$registry/debian-python:3.11 $base debian 12 2.36 3.11.2 /usr/bin/python3.11" \
  "$(jq -r '.base | [.image, .digest, .os, .glibc, .python, .interpreter] | join(" ")' <<<"$out")"
assert_equal "what lock changed the second time" false "$(jq .changed <<<"$out")"
assert_lacks "the lock" 'debian = ' "$(cat slipway.lock)"
assert_equal "images after lock" 0 "$(slipway images --json | jq '.images | length')"
cp slipway.lock locked

# The image: their layers, then ours; their configuration, then ours.
expect_ok slipway build --json
built=$(jq -r .digest <<<"$out")
run python -c 'import numpy, six, sys; print(numpy.ones(3).sum(), sys.prefix, sys.base_prefix, sys.version.split()[0])'
assert_equal "numpy in it" "3.0 /opt/venv /usr 3.11.2" "$out"
run python -c 'import six; print(six.__cached__)'
assert_contains "bytecode" "cpython-311.pyc" "$out"
run sh -c 'id -un; pwd; echo $FOO; command -v python; pip --version >/dev/null && echo pip'
assert_equal "who and where" "dev
/workspace
bar
/opt/venv/bin/python
pip" "$out"
expect_ok slipway save based -o saved/
manifest=saved/blobs/sha256/${built#sha256:}
config=saved/blobs/sha256/$(jq -r '.config.digest[7:]' "$manifest")
theirs=$(skopeo inspect --raw --tls-verify=false "docker://$registry/debian-python@$base" | jq -c '[.layers[] | [.digest, .size]]')
count=$(jq length <<<"$theirs")
assert_equal "their layers" "$theirs" "$(jq -c "[.layers[:$count][] | [.digest, .size]]" "$manifest")"
assert_equal "media types" '["application/vnd.oci.image.layer.v1.tar+gzip"]' "$(jq -c '[.layers[].mediaType] | unique' "$manifest")"
assert_equal "their configuration" 'them ["8080/tcp"] ["/data"] SIGINT' \
  "$(jq -r '.config | [.Labels.maintainer, (.ExposedPorts | keys | tostring), (.Volumes | keys | tostring), .StopSignal] | join(" ")' "$config")"
assert_equal "our command" 'null ["bash"]' "$(jq -r '.config | [(.Entrypoint | tostring), (.Cmd | tostring)] | join(" ")' "$config")"
assert_equal "a line of history for each layer" "$(jq '.layers | length' "$manifest")" "$(jq '[.history[] | select(.empty_layer | not)] | length' "$config")"
assert_equal "the base's name and digest" "$registry/debian-python:3.11 $base" \
  "$(jq -r '.annotations | .["org.opencontainers.image.base.name"] + " " + .["org.opencontainers.image.base.digest"]' "$manifest")"
assert_contains "lock digests" 'holds = "base"' "$(cat slipway.lock)"
expect_ok slipway build --locked --json
assert_equal "built again" "$built true" "$(jq -r '.digest + " " + (.complete | tostring)' <<<"$out")"

# Everything that reads images.
expect_ok slipway verify
expect_ok slipway inspect based
assert_contains "inspect" "base layer 1 of $count" "$out"
out slipway check --gpu a100 based
assert_contains "check" "find their libraries and symbols" "$out"
out slipway check --gpu a100
assert_contains "check of the lock" "find their libraries and symbols" "$out"
expect_ok slipway why glibc
assert_contains "why glibc" "the base \`$registry/debian-python:3.11\` (debian 12) brings it" "$out"
expect_ok slipway tree
assert_contains "tree" "glibc 2.36, Python 3.11 on x86_64, the base" "$out"
expect_ok slipway sbom based
assert_contains "sbom" '"libpython3.11-minimal"' "$out"

# A run has the machine's init; a machine without one runs it too.
if command -v catatonit >/dev/null; then
  run sh -c 'tr "\0" " " </proc/1/cmdline'
  assert_contains "process 1" ".slipway-init" "$out"
fi
expect_ok slipway run -d --name live based -- sleep 100
expect_ok slipway exec live -- python -c 'print(6 * 7)'
assert_equal "exec" 42 "$out"
expect_ok slipway rm -f live

# The registry has the base: none of its layers is sent again.
expect_ok slipway push based "$registry/team/based:1"
assert_contains "push" "$count mounted" "$err"
assert_equal "pushed" "$built" "$(digest_of team/based:1)"

if command -v dockerd >/dev/null; then
  . "$top/tests/system/dockerd.sh"
  start_dockerd
  trap 'stop_dockerd; stop_registries; at_end' EXIT
  expect_ok slipway save based -o docker.tar
  docker load -q -i docker.tar >out 2>"$scratch/err" || fail "docker does not load it"
  assert_equal "docker's run" "3.0 dev" "$(docker run --rm --network none based python -c 'import numpy, getpass; print(numpy.ones(3).sum(), getpass.getuser())' 2>"$scratch/err")"
  docker history -q based >out 2>"$scratch/err" || fail "docker history"
  stop_dockerd
fi

# Another machine: everything from the lock, the base by its digest though the tag has moved.
mkdir newer
printf 'FROM baked/debian-python:3.11\nLABEL new=yes\nRUN touch /new\n' >newer/Dockerfile
bake debian-python:3.11 newer
newer=$(digest_of debian-python:3.11)
[ "$newer" != "$base" ] || fail "the tag has not moved"
first=$SLIPWAY_HOME
SLIPWAY_HOME=$scratch/second
expect_ok slipway build --locked --json
assert_equal "another machine" "$built" "$(jq -r .digest <<<"$out")"
run ls / && assert_lacks "the old base" new "$out"
rm -rf "$scratch/second"

# An ordinary user: the same.
if has_user; then
  give_project
  cd "$scratch/user/project" || fail "no folder"
  expect_ok as_user "$scratch/user/program" build --locked --json
  assert_equal "an ordinary user" "$built" "$(jq -r .digest <<<"$out")"
  expect_ok as_user "$scratch/user/program" run based -- python -c 'import numpy; print("user")'
  assert_equal "an ordinary user's run" user "$out"
  cd "$scratch/project" || exit 1
else
  echo "note: no subordinate ids: the build without root is not tested"
fi

# The pin holds until it is to move.
SLIPWAY_HOME=$first
sed -i 's/six==1.16.0/six/' slipway.toml
expect_ok slipway lock
assert_equal "the base after another package" "$base" "$(value digest)"
assert_contains "its layers" 'holds = "base"' "$(cat slipway.lock)"
expect_ok slipway lock --upgrade six
assert_equal "the base after an upgrade of six" "$base" "$(value digest)"
assert_equal "six" 1.17.0 "$(grep -A1 '^name = "six"' slipway.lock | value version /dev/stdin)"
cp slipway.lock before
expect_ok slipway lock --upgrade "$registry/debian-python:3.11"
assert_contains "the change" "the base: " "$err"
assert_equal "the newer base" "$newer" "$(value digest)"
cp before slipway.lock
expect_ok slipway lock --upgrade
assert_equal "everything newer" "$newer" "$(value digest)"
expect_ok slipway build
run ls /
assert_contains "the newer base" new "$out"

# Conflicts name the base. What cannot be a base, or is none any more, is told in one error.
mkdir other && cd other || fail "no folder"
on "$registry/debian-python:3.11"
sed -i 's/"numpy"/"dataclasses==0.8"/' slipway.toml
expect_error 3 "the base \`$registry/debian-python:3.11\` brings Python 3.11.2" slipway lock
sed -i 's/"dataclasses==0.8"/"numpy==1.21.0"/' slipway.toml
expect_error 3 "no wheel for Python 3.11 on x86_64 with glibc 2.36, which the base" slipway lock
on "$registry/python:3.13" '[user]' 'name = "dev"'
sed -i 's/^packages/version = "3.12"\n&/' slipway.toml
expect_error 2 "the base \`$registry/python:3.13\` brings Python 3.13, and slipway.toml says 3.12" slipway lock
assert_contains "what to do" 'write `version = "3.13"`' "$err"
on "$registry/nothing:1"
expect_error 1 "nothing" slipway lock
on "$registry/debian-python:none"
expect_error 1 'has no manifest `none`' slipway lock
mkdir bare musl empty
printf 'FROM baked/debian-python:3.11\nRUN rm /usr/bin/python3*\n' >bare/Dockerfile
printf 'ID=alpine\nVERSION_ID=3.20.1\n' >musl/os-release && echo x >musl/loader
printf 'FROM scratch\nCOPY os-release /etc/os-release\nCOPY loader /lib/ld-musl-x86_64.so.1\n' >musl/Dockerfile
printf 'FROM scratch\nCOPY Dockerfile /\n' >empty/Dockerfile
for each in bare musl empty; do bake "$each" "$each"; done
on "$registry/bare"
expect_error 1 "the base \`$registry/bare\` has no Python 3 on its PATH" slipway lock
assert_contains "what it has" "it is debian 12, with glibc 2.36" "$err"
on "$registry/musl"
expect_error 1 "has musl for its C library" slipway lock
assert_contains "what it is" "it is alpine 3.20.1" "$err"
on "$registry/empty"
expect_error 1 "has no C library in which wheels could run" slipway lock
on "$registry/team/based:1"
expect_error 1 "is an environment that Slipway made" slipway lock

# Another Python, under /usr/local, and a base that has a user 1000 already.
on "$registry/python:3.13"
expect_error 2 "the base has the user \`ubuntu\` with id 1000" slipway build
on "$registry/python:3.13" '[user]' 'name = "ubuntu"'
expect_ok slipway build
run sh -c 'id -un; python -c "import numpy, sys; print(numpy.ones(3).sum(), sys.version.split()[0], sys.base_prefix)"'
assert_equal "in it" "ubuntu
3.0 3.13.5 /usr/local" "$out"
expect_ok slipway verify
assert_equal "its Python" "3.13.5 /usr/local/bin/python3.13" "$(sed -n 's/^python = "\(.*\)"/\1/p' slipway.lock | tail -1) $(value interpreter)"
cd "$scratch/project" || exit 1

# What an image stands on stays, and a rebuild needs no registry.
cp before slipway.lock
expect_ok slipway build
expect_ok slipway gc
curl -fsS -X DELETE "http://$registry/v2/debian-python/manifests/$base" || fail "the registry deletes nothing"
SLIPWAY_HOME=$scratch/third
expect_error 1 "slipway.lock has the base \`$registry/debian-python:3.11\` as $base" slipway build --locked
assert_contains "what to do" '`slipway lock --upgrade` takes the image that the tag names now' "$err"
SLIPWAY_HOME=$first
stop_registries
expect_ok slipway verify
expect_ok slipway build --locked
SLIPWAY_HOME=$scratch/third
expect_error 4 "slipway.lock has the base \`$registry/debian-python:3.11\` as $base" slipway build --locked
SLIPWAY_HOME=$first
echo ok
