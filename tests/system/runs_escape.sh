#!/bin/bash
# time-out: 900
# An image never makes a host path readable or writable that the user did not name: the ways out of
# containers that others have had, tried here. docs/security.md says which row is which.
. "$(dirname "$0")/runs_common.sh"
command -v cc >/dev/null || skip "needs a C compiler"
command -v python3 >/dev/null || skip "needs python3"

for program in overwrite loader; do
  how=-static
  [ $program = overwrite ] || how='-nostdlib -static -no-pie -fno-stack-protector'
  cc -O1 $how -o "$work/$program" "$here/hostile/$program.c" 2>"$work/err" || skip "cc: $(tail -n 1 "$work/err")"
done
cat >"$work/evil.c" <<'C'
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
static void mark(const char *path) { close(open(path, O_WRONLY | O_CREAT, 0666)); }
__attribute__((constructor)) static void in(void) { mark(CANARY); mark("/tmp/canary"); }
C
cc -shared -fPIC -DCANARY="\"$work/canary/hit\"" -o "$work/evil.so" "$work/evil.c" || skip "cc makes no library"
mkdir "$work/canary" && chmod 777 "$work/canary"
LD_PRELOAD=$work/evil.so /bin/true
check "the canary sings" "$work/canary/hit" "$(ls "$work/canary/hit")"
rm -f "$work/canary/hit" /tmp/canary

# Copies of the runtimes, which an attack may spoil.
mkdir "$work/attack-crun" "$work/attack-runc"
for runtime in $(runtimes); do
  cp "$(PATH=$PATH:/usr/sbin command -v $runtime)" "$work/attack-$runtime/"
  for program in newuidmap newgidmap; do ln -s "$(command -v $program)" "$work/attack-$runtime/"; done
done
# at WHO RUNTIME ARGUMENTS…: as `sw`, with the copy
at() {
  at_path=$work/attack-$2
  if [ $1 = as_root ]; then
    shift 2
    env PATH="$at_path" SLIPWAY_HOME="$work/store" NO_COLOR=1 "$work/slipway" "$@"
  else
    shift 2
    (cd "$work/user" && setpriv --reuid slipway-test --regid slipway-test --init-groups --reset-env \
      env PATH="$at_path" SLIPWAY_HOME="$work/user/store" NO_COLOR=1 "$work/slipway" "$@")
  fi
}
layer_of() { ls -d "$(store_of $1)"/layers/*; }
altered() { # WHO NAME SETTINGS…
  python3 "$here/alter_image.py" "$(store_of $1)" "${@:2}"
  chown -R "$(id_of $1):$(id_of $1)" "$(store_of $1)/blobs" "$(store_of $1)/refs"
}

# The host's folders, which everybody may write to, so that only the container's wall is in the way.
outside=$work/outside
mkdir "$outside" && chmod 777 "$outside"
untouched() { # WHAT
  check "$1: what appears outside" "" "$(find "$outside" -mindepth 1 | head -3)"
  rm -rf --one-file-system "${outside:?}"/*
}

# Folders of the image that are links to the host's, absolute and climbing (CVE-2026-41579,
# CVE-2026-47766, CVE-2025-31133, CVE-2025-52565).
links() {
  s="sw $1 $2"
  layer=$(layer_of $1)
  for target in "$outside" "../../../../../../../../../..$outside" /tmp .; do
    for spot in dev proc sys; do
      mv "$layer/$spot" "$layer/$spot.away" && ln -s "$target" "$layer/$spot"
      $s run --rm box true 2>"$work/err"
      check "$1 $2 /$spot -> $target" 125 $?
      contains "$1 $2 /$spot -> $target" "the image's \`/$spot\` is a link" "$(cat "$work/err")"
      rm "$layer/$spot" && mv "$layer/$spot.away" "$layer/$spot"
      untouched "$1 $2 /$spot -> $target"
    done
    # These lead about inside the image, and nowhere else.
    mv "$layer/etc" "$layer/etc.away"
    for spot in etc data tmp2; do ln -s "$target" "$layer/$spot"; done
    $s run --rm --user 0 -v "$(folder_of $1)/volume:/data/deep/er" --tmpfs /tmp2/x -w /data/made \
      box sh -c 'echo x >/etc/made; touch /data/deep/new' >/dev/null 2>"$work/err"
    untouched "$1 $2 /etc and volumes -> $target"
    rm "$layer/etc" "$layer/data" "$layer/tmp2" && mv "$layer/etc.away" "$layer/etc"
  done
}

# What is mounted goes where the image's links lead: never over the system's folders, whose device
# nodes root would then make in the user's folder, and never through another mount's links.
places() {
  s="sw $1 $2"
  layer=$(layer_of $1)
  given=$(folder_of $1)/given
  rm -rf "$given" && mkdir "$given" && chown "$(id_of $1)" "$given"
  ln -s / "$layer/up"
  for spot in /dev /proc /sys /dev/shm ../../dev/new up/dev /gone/../proc/sys; do
    ln -sfn "$spot" "$layer/workspace"
    for flag in "-v $given:/workspace" "-v $given:/workspace/deep" "--tmpfs /workspace"; do
      $s run --rm $flag box true 2>"$work/err"
      check "$1 $2 $flag where it leads to $spot" 125 $?
      contains "$1 $2 $flag where it leads to $spot" "the image's links lead \`/workspace" "$(cat "$work/err")"
    done
  done
  mkdir -p "$layer/srv/a" && ln -sfn srv "$layer/workspace"
  check "$1 $2 a link within the image" 1 \
    "$($s run --rm -v "$given:/workspace/a" box grep -c ' /srv/a ' /proc/self/mountinfo)"
  mkdir "$given/sub" && ln -s /dev "$given/sub/out"
  $s run --rm -v "$given:/srv" -v "$given:/workspace/sub/out" box true 2>"$work/err"
  check "$1 $2 through a link of the image into a volume" 125 $?
  contains "$1 $2 through a link of the image into a volume" "into what is mounted at \`/srv\`" "$(cat "$work/err")"
  rm -r "$layer/workspace" "$layer/up" "$layer/srv"
  check "$1 $2 nothing is made in a volume" "sub" "$(ls "$given" | xargs echo)"
}

# Users are looked up in the image's own bytes (podman CVE-2024-9341 and its kind).
users() {
  s="sw $1 $2"
  layer=$(layer_of $1)
  mv "$layer/etc/passwd" "$layer/etc/passwd.away"
  for target in "$work/passwd" "../../../../../../../../../..$work/passwd" /proc/self/root/etc/passwd; do
    echo 'outsider:x:0:0::/:/bin/sh' >"$work/passwd"
    ln -sf "$target" "$layer/etc/passwd"
    $s run --rm --user outsider box true 2>"$work/err"
    check "$1 $2 passwd -> $target" 2 $?
    contains "$1 $2 passwd -> $target" "no user \`outsider\`" "$(cat "$work/err")"
  done
  rm "$layer/etc/passwd"
  mkfifo "$layer/etc/passwd"
  $s run --rm --user outsider box true 2>"$work/err" </dev/null
  check "$1 $2 passwd is a pipe" 2 $?
  rm "$layer/etc/passwd"
  truncate -s 64G "$layer/etc/passwd"
  (ulimit -v 4000000 && $s run --rm --user outsider box true 2>"$work/err")
  check "$1 $2 passwd is huge" 2 $?
  rm "$layer/etc/passwd" && mv "$layer/etc/passwd.away" "$layer/etc/passwd"
}

# Variables of the image reach nothing but its own programs (CVE-2025-23266).
variables() {
  layer=$(layer_of $1)
  cp "$work/evil.so" "$layer/evil.so" && cp "$work/evil.so" "$layer/bin/evil.so"
  for preload in /evil.so ./evil.so "$work/evil.so" ../../../../../../../../../evil.so; do
    altered $1 preloaded "Env=[\"PATH=/bin\", \"LD_PRELOAD=$preload\", \"LD_LIBRARY_PATH=/:.\", \"LD_AUDIT=$preload\"]"
    check "$1 $2 LD_PRELOAD=$preload runs" "$preload" "$(sw $1 $2 run --rm preloaded sh -c 'echo $LD_PRELOAD' 2>/dev/null)"
    id=$(sw $1 $2 run -d --user 0 preloaded sleep 9876511)
    check "$1 $2 exec with LD_PRELOAD" "in" "$(sw $1 $2 exec "$id" echo in 2>/dev/null)"
    check "$1 $2 no hooks" False "$(python3 -c 'import json, sys; print("hooks" in json.load(open(sys.argv[1])))' \
      "$(bundle_of $1 "$id")")"
    sw $1 $2 rm -f "$id" >/dev/null
  done
  check "$1 $2 the canary outside" "" "$(find "$work/canary" -mindepth 1; ls /tmp/canary 2>/dev/null)"
  rm -f "$layer/evil.so" "$layer/bin/evil.so" "$work/canary/hit"
}

# The image's own working folder (CVE-2024-21626).
folders() {
  for folder in /proc/self/fd/3 /proc/self/fd/7 /proc/1/root /sys/fs /dev/fd/8 /x/../proc/self/cwd; do
    altered $1 wandering "WorkingDir=\"$folder\""
    sw $1 $2 run --rm wandering true 2>"$work/err" 7</etc
    check "$1 $2 WORKDIR $folder" 2 $?
    contains "$1 $2 WORKDIR $folder" "which is the system's" "$(cat "$work/err")"
  done
}

# The runtime's own program (CVE-2019-5736): by a script that is the runtime, through the image's
# loader, and by watching for the runtime that `exec` starts.
program() {
  layer=$(layer_of $1)
  copy=$work/attack-$2/$2
  before=$(sha256sum <"$copy")
  cp "$work/overwrite" "$layer/overwrite"
  mkdir -p "$layer/lib64" && cp "$work/loader" "$layer/lib64/ld-linux-x86-64.so.2"
  printf '#!/proc/self/exe\n' >"$layer/bin/script" && chmod 755 "$layer/bin/script"
  altered $1 scripted 'Entrypoint=["/bin/script"]'
  at $1 $2 run --rm --user 0 scripted >"$work/out" 2>"$work/err"
  contains "$1 $2 the script reaches the runtime's program" "found " "$(cat "$work/out")"
  check "$1 $2 the runtime's program by a script" "$before" "$(sha256sum <"$copy")"

  id=$(at $1 $2 run -d --user 0 box /overwrite 4)
  until_true at $1 $2 logs "$id"
  for i in $(seq 20); do at $1 $2 exec --user 0 "$id" true >/dev/null 2>&1; done
  check "$1 $2 it watched" 0 "$(at $1 $2 wait "$id")"
  at $1 $2 logs "$id" >"$work/out" 2>&1
  contains "$1 $2 it watched to the end" looked "$(cat "$work/out")"
  check "$1 $2 the runtime's program by exec" "$before" "$(sha256sum <"$copy")"
  at $1 $2 rm -f "$id" >/dev/null
  rm -rf "$layer/overwrite" "$layer/lib64" "$layer/bin/script"
}

# The user of `exec` (CVE-2026-30892), and what no process gets (CVE-2022-27650).
processes() {
  s="sw $1 $2"
  id=$($s run -d box sleep 9876512)
  for user in 0 1 7 1000 65534 4294967; do
    [ $user -lt 65536 ] || [ $1 = as_root ] || continue
    check "$1 $2 exec --user $user" "$user" "$($s exec --user $user "$id" id -u 2>/dev/null)"
  done
  check "$1 $2 exec --user 12:34" "12:34" "$($s exec --user 12:34 "$id" sh -c 'echo $(id -u):$(id -g)')"
  for user in ghost -1 1x 0x0 4294967296 ' 0' '0 '; do
    $s exec --user "$user" "$id" true 2>/dev/null
    check "$1 $2 exec --user <$user> is refused" 2 $?
  done
  for user in 0 1000; do
    for caps in Inh Amb; do
      check "$1 $2 Cap$caps of user $user" 0000000000000000 \
        "$($s exec --user $user "$id" sed -n "s/^Cap$caps:\t//p" /proc/self/status)"
    done
  done
  $s rm -f "$id" >/dev/null
  check "$1 $2 mounts are nobody else's" 0 "$($s run --rm box grep -c -e shared: -e master: /proc/self/mountinfo)"
}

# A volume whose source becomes a link to everything (between what is checked and what is mounted),
# and one whose target is swapped by a container that shares it (CVE-2021-30465, CVE-2024-45310).
races() {
  s="sw $1 $2"
  place=$(folder_of $1)/race
  mkdir -p "$place/shared/t"
  chown -R "$(id_of $1):$(id_of $1)" "$place"
  for target in / /proc /sys "$(store_of $1)"; do
    ln -sfn "$target" "$place/link"
    $s run --rm -v "$place/link:/v" box true 2>"$work/err"
    check "$1 $2 a volume that leads to $target" 2 $?
    contains "$1 $2 a volume that leads to $target" "leads to" "$(cat "$work/err")"
  done
  rm "$place/link"
  mkdir "$place/folder" && ln -s / "$place/link"
  python3 -c 'import ctypes, os, sys
swap = ctypes.CDLL(None).renameat2
one, other = (os.fsencode(path) for path in sys.argv[1:3])
while not os.path.exists(sys.argv[3]):
    for _ in range(100): swap(-100, one, -100, other, 2)  # RENAME_EXCHANGE' \
    "$place/link" "$place/folder" "$place/stop" &
  swapper=$!
  started=0
  for i in $(seq 60); do
    out=$($s run --rm -v "$place/link:/v" box ls /v 2>"$work/err") && started=$((started + 1))
    check "$1 $2 a volume that was swapped" "" "$out"
  done
  touch "$place/stop" && wait $swapper
  rm -rf "$place/stop" "$place/link" "$place/folder"
  [ $started -gt 0 ] || check "$1 $2 runs whose volume was swapped" "some started" none

  id=$($s run -d --user 0 -v "$place/shared:/s" box sh -c "cd /s; while :; do mv t u; ln -s ../../../../../../../../../..$outside t; rm t; mv u t; done")
  for i in $(seq 60); do
    $s run --rm --user 0 -v "$place/shared:/s" -v "$(folder_of $1)/volume:/s/t/made" box touch /s/t/made/new >/dev/null 2>&1
  done
  $s rm -f "$id" >/dev/null
  untouched "$1 $2 a volume's target that was swapped"
  rm -rf "$place"
}

escape() {
  chown -R "$(id_of $1):$(id_of $1)" "$(folder_of $1)/volume"
  for way in links places users variables folders program processes races; do $way $1 $2; done
}
each escape
nothing_left afterwards
finish
