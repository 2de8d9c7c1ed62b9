#!/bin/bash
# `run --init`: our images start through an init of their own; others get the machine's, or a clear word.
. "$(dirname "$0")/runs_common.sh"
command -v jq >/dev/null || skip "needs jq"
init=$(command -v catatonit)

# A PATH with what a start needs and an init of our choice.
only() { # only FOLDER PROGRAM…: links to these
  mkdir -p "$work/$1"
  for program in crun runc newuidmap newgidmap "${@:2}"; do
    path=$(PATH=$PATH:/usr/sbin command -v "$program") && ln -sf "$path" "$work/$1/"
  done
}
only none
only dynamic && cp "$(command -v ls)" "$work/dynamic/tini"
only tini && cp "$init" "$work/tini/tini"
path_for() { echo "$work/$with"; }

inits() {
  s="sw $1 $2"
  for image in bare box; do
    python3 "$here/alter_image.py" "$(store_of $1)" $image "Entrypoint=$([ $image = box ] && echo '["/usr/bin/catatonit", "--"]' || echo null)"
  done
  chown -R "$(id_of $1):$(id_of $1)" "$(store_of $1)/blobs" "$(store_of $1)/refs"
  first='tr "\0" "\n" </proc/1/cmdline | head -1; true'
  with=tini
  check "$1 $2 without --init" sh "$($s run --rm bare sh -c "$first")"
  check "$1 $2 the machine's" /.slipway-init "$($s run --rm --init bare sh -c "$first")"
  check "$1 $2 the image's own" /usr/bin/catatonit "$($s run --rm --init box sh -c "$first")"
  $s run --rm --init bare sh -c 'exit 7'
  check "$1 $2 the status" 7 $?
  $s run --rm --init bare no-such 2>/dev/null
  check "$1 $2 no such command" 127 $?
  check "$1 $2 it reaps" 0 "$($s run --rm --init bare sh -c '(sleep 0.1 & true); sleep 0.4; ps -o stat | grep -c Z')"
  check "$1 $2 nobody writes to it" no "$($s run --rm --init --user 0 bare sh -c 'echo x 2>/dev/null >/.slipway-init || echo no' 2>/dev/null)"
  check "$1 $2 a root that is read-only" /.slipway-init "$($s run --rm --init --read-only bare sh -c "$first")"
  said=$($s run --rm --verify --init bare true 2>&1)
  check "$1 $2 --verify" 0 $?
  contains "$1 $2 --verify" "verified: " "$said"

  # Kept: another life has it too, and rm has nothing to say about its place.
  $s run --name kept --init bare sh -c "$first" >/dev/null
  check "$1 $2 in the receipt" "$work/tini/tini $(sha256sum <"$init" | cut -d' ' -f1)" \
    "$($s inspect kept | jq -r '.receipt.host_files[] | select(.target == "/.slipway-init") | "\(.path // .source) \(.sha256)"')"
  check "$1 $2 once more" /.slipway-init "$($s start -a kept)"
  check "$1 $2 nothing to keep" kept "$($s rm kept)"

  with=none
  check "$1 $2 the image's own, on a machine without" /usr/bin/catatonit "$($s run --rm --init box sh -c "$first")"
  $s run --rm --init bare true 2>"$work/err"
  check "$1 $2 no init" 125 $?
  contains "$1 $2 no init" "this machine has none" "$(cat "$work/err")"
  contains "$1 $2 and what to do" "apt-get install catatonit" "$(cat "$work/err")"
  with=dynamic
  $s run --rm --init bare true 2>"$work/err"
  check "$1 $2 one with libraries" 125 $?
  contains "$1 $2 one with libraries" "$work/dynamic/tini\` cannot be an init in another image" "$(cat "$work/err")"
}
if (PATH=/usr/sbin:/sbin; command -v catatonit || command -v tini || command -v tini-static || command -v docker-init) >/dev/null; then
  skip "an init lies in /usr/sbin, where it is always found"
fi
each inits
nothing_left afterwards
finish
