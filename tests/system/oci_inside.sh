#!/bin/bash
# time-out: 600
# OCI's `runtimetest` inside real runs: what the bundles that Slipway writes say of user, groups,
# capabilities, limits, mounts, devices, masked and read-only paths, folder, variables, host name and
# arguments, it finds to be so. It passes over bind mounts and what seccomp refuses: those are compared here.
. "$(dirname "$0")/tun_common.sh"
. "$(dirname "$0")/runs_common.sh"
. "$here/oci_common.sh"
command -v jq >/dev/null || skip "jq is not installed"

for who in as_root as_user; do
  [ -d "$(store_of $who)" ] || continue
  cp "$oci_tools/runtimetest" "$(ls -d "$(store_of $who)"/layers/*)/bin/"
  mkdir -p "$(folder_of $who)/about" "$(folder_of $who)/data"
  mkfifo "$(folder_of $who)/about/config.json"
  chown -R "$(id_of $who):$(id_of $who)" "$(folder_of $who)/about" "$(folder_of $who)/data"
done
ln -s "$(command -v pasta)" "$work/runc-bin/pasta" 2>/dev/null

# Into the pipe that the program reads first: the config.json of the run that has just appeared,
# without the paths that this kernel has not, at which runtimetest gives up.
hand_over() { # WHO
  for _ in $(seq 400); do
    for state in "$(store_of $1)"/runs/*/state.json; do
      config=$(bundle_of $1 "$(basename "$(dirname "$state")")")
      [ -s "$config" ] || continue
      cp "$config" "$work/config.json"
      jq -r '.linux.readonlyPaths[]' "$config" | while read -r path; do [ -e "$path" ] || echo "$path"; done |
        jq -R . | jq -s . >"$work/missing"
      # Process 1 is the image's init: the program sees its own words alone.
      jq --slurpfile missing "$work/missing" '.linux.readonlyPaths -= $missing[0] |
        .process.args |= .[index("/bin/runtimetest"):]' "$config" >"$work/asked.json"
      timeout 20 sh -c 'cat "$1" >"$2"' sh "$work/asked.json" "$(folder_of $1)/about/config.json"
      return
    done
    sleep 0.05
  done
}

# Each bind mount of config.json against the container's own list of mounts.
binds() {
  jq -r '.mounts[] | select(.type == "bind") |
    [.destination, (if (.options | index("ro")) then "ro" else "rw" end)] | @tsv' "$work/config.json" |
    while IFS=$'\t' read -r target access; do
      options=$(awk -v t="$target" '$5 == t { print "," $6 "," }' "$work/mounts" | tail -1)
      for wanted in "$access" nosuid nodev; do
        case $options in *,$wanted,*) ;; *) echo "$target is not $wanted but <$options>" ;; esac
      done
    done
}

asked() { # WHO RUNTIME WORDS...
  what="$*"
  who=$1 runtime=$2
  shift 2
  hand_over $who &
  sw $who $runtime run --rm -v "$(folder_of $who)/about:/about:ro" -v "$(folder_of $who)/data:/data" "$@" \
    --entrypoint /bin/runtimetest box --path=/about >"$work/out" 2>"$work/err"
  check "$what: runtimetest ends" 0 $?
  wait $!
  # It marks what it does not look at. The type of /sys/fs/cgroup is not `cgroup` where
  # the runtime mounts all hierarchies of version 1 below a tmpfs, nor with version 2.
  check "$what: what is not so" "" "$(grep '^not ok' "$work/out" | grep -v -e '# TO''DO' -e '(/sys/fs/cgroup) found$')"
  looked=$(grep '^ok' "$work/out" | grep -vc SKIP)
  [ "$looked" -gt 60 ] || check "$what: how much was looked at" "more than 60" "$looked"
  sw $who $runtime run --rm -v "$(folder_of $who)/about:/about:ro" -v "$(folder_of $who)/data:/data" "$@" \
    --entrypoint cat box /proc/self/mountinfo >"$work/mounts" 2>/dev/null
  check "$what: bind mounts" "" "$(binds)"
}

inside() {
  asked $1 $2
  asked $1 $2 --user 0
  asked $1 $2 --read-only --hostname other -w /data -e A=b
  asked $1 $2 --user 1234:55 --group-add 4 --group-add 20 --ulimit nofile=200:200 --ulimit stack=1000000:2000000 --ulimit core=0
  asked $1 $2 --tmpfs /scratch:size=1m -v "$(folder_of $1)/data:/data/deep:ro" --shm-size 64m
  asked $1 $2 --network none --device /dev/fuse
  if [ -e "$work/runc-bin/pasta" ]; then asked $1 $2 --network private -p 127.0.0.1::8000; fi
  if sw $1 $2 run --rm --memory 256m --cpus 0.5 box true 2>/dev/null; then
    asked $1 $2 --memory 256m --cpus 0.5 --user 0
  fi
}
each inside
nothing_left afterwards
finish
