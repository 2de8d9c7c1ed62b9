#!/bin/bash
# time-out: 600
# `run --verify`: a container that is not what was planned does not start.
#
# The runtime lies: a script in its place changes the bundle's config.json before the true one reads
# it, so that the container differs from the plan in one thing at a time.
. "$(dirname "$0")/runs_common.sh"
command -v jq >/dev/null || skip "needs jq"

mkdir "$work/lies"
for runtime in $(runtimes); do
  path=$(PATH=$PATH:/usr/sbin command -v $runtime)
  mkdir "$work/lies/$runtime"
  cat >"$work/lies/$runtime/$runtime" <<EOF
#!/bin/sh
PATH=/usr/bin:/bin
lie=\$(cat "$work/lie")
bundle=
before=
for word in "\$@"; do
  [ "\$before" != --bundle ] || bundle=\$word
  before=\$word
done
if [ -n "\$bundle" ]; then
  jq "\$lie" "\$bundle/config.json" >"\$bundle/config.lie" && mv "\$bundle/config.lie" "\$bundle/config.json" || exit 1
fi
exec "$path" "\$@"
EOF
  chmod 755 "$work/lies/$runtime/$runtime"
  for program in newuidmap newgidmap; do
    path=$(PATH=$PATH:/usr/sbin command -v $program) && ln -s "$path" "$work/lies/$runtime/$program"
  done
done
mkdir -m 755 "$work/shown" "$work/cdi"
echo secret >"$work/shown/file"
mkdir -p "$work/deep/below" && mount -t tmpfs tmpfs "$work/deep/below" && touch "$work/deep/below/found"
below_ends() {
  below_status=$?
  umount "$work/deep/below"
  (exit $below_status)
  cleanup
}
trap below_ends EXIT
cat >"$work/cdi/vendor.yaml" <<YAML
cdiVersion: "0.7.0"
kind: vendor.com/card
devices:
- name: "0"
  containerEdits:
    deviceNodes: [{path: /dev/vendor/card0, hostPath: /dev/zero}]
YAML
card="--cdi-spec-dir $work/cdi --device vendor.com/card=0"

path_for() { echo "$work/lies/$1"; }

truths() {
  echo . >"$work/lie"
  for flags in "" "--user 0" "--read-only" "--tmpfs /t:size=3m -v $work/shown:/v:ro --shm-size 77m" \
    "--network none" "--ulimit nofile=100:200" "--hostname x --workdir /tmp" "-v $work/shown/file:/etc/passwd:ro" "$card" "--device /dev/full $card"; do
    said=$(sw $1 $2 run --rm --verify $flags box sh -c 'echo ran; exit 3' 2>&1)
    check "$1 $2 $flags: status" 3 $?
    contains "$1 $2 $flags" "verified: users, capabilities, no_new_privs, seccomp, limits, " "$said"
    contains "$1 $2 $flags runs" ran "$said"
  done
  said=$(sw $1 $2 run --rm --verify -v "$work/deep:/a b/c" box ls "/a b/c/below" 2>&1)
  contains "$1 $2 a volume with another file system below" "verified: " "$said"
  contains "$1 $2 a volume with another file system below it" "found" "$said"
  said=$(sw $1 $2 run --rm --verify box nothing-like-that 2>&1)
  check "$1 $2 a command that is not there" 127 $?
  said=$(sw $1 $2 run -d --verify --name verified-$$ box sleep 100 2>&1)
  contains "$1 $2 detached" "verified: " "$said"
  check "$1 $2 detached runs on" "true" "$(sw $1 $2 exec verified-$$ sh -c 'echo true')"
  check "$1 $2 nobody traces it" "0" "$(sw $1 $2 exec verified-$$ awk '/TracerPid/ { print $2 }' /proc/1/status)"
  sw $1 $2 rm -f verified-$$ >/dev/null
  command -v script >/dev/null || return
  [ $1 = as_root ] || return
  said=$(SLIPWAY_HOME=$work/store script -qec "env PATH=$(path_for $2) $work/slipway run --rm -it --verify box tty" /dev/null 2>&1 </dev/null)
  contains "$1 $2 with a terminal" "verified: " "$said"
  contains "$1 $2 with a terminal, that is there" /dev/ "$said"
}

# lie WHO RUNTIME WHAT JQ WORDS [FLAGS]
lie() {
  echo "$4" >"$work/lie"
  said=$(sw $1 $2 run --rm --verify ${6:-} box sh -c 'echo ran' 2>&1)
  check "$1 $2 $3: status" 125 $?
  contains "$1 $2 $3" "$5" "$said"
  contains "$1 $2 $3: refused" "is not what was planned" "$said"
  case $said in *ran*) check "$1 $2 $3: nothing ran" "" "$said" ;; esac
  # Without the check it runs: what the test changes does not merely break the start.
  check "$1 $2 $3: unseen without" ran "$(sw $1 $2 run --rm ${6:-} box sh -c 'echo ran' 2>/dev/null)"
}

lies() {
  lie $1 $2 "no_new_privs" '.process.noNewPrivileges = false' "no_new_privs: planned 1, found 0"
  lie $1 $2 "no filter" 'del(.linux.seccomp)' "seccomp: planned 2, found 0"
  lie $1 $2 "another user" '.process.user.uid = 7' "user: planned 1000 1000 1000 1000, found 7 7 7 7"
  lie $1 $2 "a group more" '.process.user.additionalGids = [5]' "additional groups: planned , found"
  lie $1 $2 "a capability more" '.process.capabilities.bounding += ["CAP_SYS_ADMIN"]' \
    "bounding capabilities: planned without CAP_SYS_ADMIN, found CAP_SYS_ADMIN" "--user 0"
  lie $1 $2 "a limit" '(.process.rlimits[] | select(.type == "RLIMIT_NOFILE")) |= . + {soft: 64, hard: 64}' \
    "RLIMIT_NOFILE: planned"
  lie $1 $2 "shared memory" '(.mounts[] | select(.destination == "/dev/shm").options) |= map(if startswith("size=") then "size=1m" else . end)' \
    "mount /dev/shm: planned size="
  lie $1 $2 "a mount that is missing" 'del(.mounts[] | select(.destination == "/v"))' "mount /v: planned one, found none" \
    "-v $work/shown:/v:ro"
  lie $1 $2 "a volume that can be written" '(.mounts[] | select(.destination == "/v").options) |= map(if . == "ro" then "rw" else . end)' \
    "mount /v: planned ro" "-v $work/shown:/v:ro"
  lie $1 $2 "a root that can be written" '.root.readonly = false' "mount /: planned ro, found rw" "--read-only"
  lie $1 $2 "what was hidden" '.linux.maskedPaths = []' "planned hidden, found open"
  lie $1 $2 "what was read-only" '.linux.readonlyPaths = []' "/proc/sys: planned read-only, found writable"
  lie $1 $2 "a volume from elsewhere" '(.mounts[] | select(.destination == "/v").source) = "/usr"' "mount /v: planned" \
    "-v $work/shown:/v:ro"
  for place in /more /dev/more; do
    lie $1 $2 "a folder more, $place" \
      ".mounts += [{destination: \"$place\", type: \"bind\", source: \"/usr\", options: [\"rbind\", \"rw\"]}]" \
      "mount $place: planned none, found one"
  done
  for place in /dev/more /dev/deep/er/more; do
    lie $1 $2 "a node more, bound at $place" \
      ".mounts += [{destination: \"$place\", type: \"bind\", source: \"/dev/full\", options: [\"bind\", \"rw\"]}]" \
      "device $place: planned none, found 1:7"
  done
  # As root the runtime makes what a CDI file names; in a user namespace no device can be made, and it is bound.
  if [ $1 = as_root ]; then
    lie $1 $2 "another node under a usual name" \
      '.mounts += [{destination: "/dev/null", type: "bind", source: "/dev/full", options: ["bind", "rw"]}]' \
      "device /dev/null: planned 1:3, found 1:7"
    lie $1 $2 "a device more" '.linux.devices += [{"path": "/dev/more", "type": "c", "major": 1, "minor": 3, "fileMode": 438}]' \
      "device /dev/more: planned none, found 1:3"
    lie $1 $2 "a pipe more" '.linux.devices += [{"path": "/dev/deep/pipe", "type": "p", "fileMode": 438}]' \
      "device /dev/deep/pipe: planned none, found a pipe"
    lie $1 $2 "another device" '(.linux.devices[] | select(.path == "/dev/vendor/card0").minor) = 7' \
      "device /dev/vendor/card0: planned 1:5, found 1:7" "$card"
    lie $1 $2 "a device that is missing" '.linux.devices = []' "device /dev/vendor/card0: planned 1:5, found none" "$card"
  else
    lie $1 $2 "another device" '(.mounts[] | select(.destination == "/dev/vendor/card0").source) = "/dev/full"' \
      "device /dev/vendor/card0: planned 1:5, found 1:7" "$card"
    lie $1 $2 "a device that is missing" 'del(.mounts[] | select(.destination == "/dev/vendor/card0"))' \
      "device /dev/vendor/card0: planned 1:5, found none" "$card"
  fi
}

each truths
each lies
check "no record is left" "" "$(sw as_root $(runtimes | head -n 1) ps -aq)"
finish
