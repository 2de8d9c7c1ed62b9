#!/bin/bash
# What an image, a volume or a broken machine tries, and what is said.
. "$(dirname "$0")/runs_common.sh"

image_layer() { ls -d "$(store_of $1)"/layers/*; }

hostile() {
  s="sw $1 $2"
  layer=$(image_layer $1)
  place=$(folder_of $1)

  # A layer with entries under /dev, /proc and /sys: what is there is never seen.
  echo evil >"$layer/dev/null"
  mkdir -p "$layer/proc/1" && echo evil >"$layer/proc/1/status"
  ln -s /etc/passwd "$layer/dev/console"
  check "$1 $2 /dev is a fresh one" "character special file" "$($s run --rm box stat -c %F /dev/null)"
  check "$1 $2 /proc is the kernel's" "" "$($s run --rm box grep evil /proc/1/status)"
  $s run --rm box sh -c '[ -L /dev/console ]'
  check "$1 $2 no link of the image in /dev" 1 $?
  rm -rf "$layer/dev/null" "$layer/dev/console" "$layer/proc/1"

  # setuid programs stay what they are without it.
  mkdir "$layer/setuid" && cp "$layer/bin/busybox" "$layer/setuid/id" && chmod 4755 "$layer/setuid/id"
  check "$1 $2 setuid gives nothing" 1000 "$($s run --rm box /setuid/id -u)"
  rm -r "$layer/setuid"

  # Users and folders.
  $s run --rm --user ghost box true 2>"$work/err"
  check "$1 $2 a user that is not there" 2 $?
  contains "$1 $2 and who" ghost "$(cat "$work/err")"
  for folder in /proc/self/fd/3 /proc/1 /sys /dev/fd; do
    $s run --rm -w $folder box true 2>"$work/err"
    check "$1 $2 working folder $folder" 2 $?
  done
  # The image's own working folder as a link into /proc.
  ln -s /proc/self/fd "$layer/sneaky"
  $s run --rm -w /sneaky/3 box ls -a . >"$work/out" 2>&1
  check "$1 $2 a link to there gives nothing of the host" "" "$(grep -e store -e root "$work/out")"
  rm "$layer/sneaky"

  # What was open before is not open inside, detached or not.
  (
    exec 4</etc 5</etc/passwd 6<"$work" 7<&0 8>/dev/null 9</
    check "$1 $2 descriptors" "0 1 2" "$($s run --rm box sh -c 'sleep 9 & until grep -q sleep /proc/$!/comm; do :; done; echo $(ls /proc/$!/fd); kill $!')"
    id=$($s run -d --name open box sleep 9876505)
    monitor=$(sed -n 's/.*"monitor_pid": \([0-9]*\).*/\1/p' "$(store_of $1)/runs/$id/state.json")
    check "$1 $2 descriptors of the monitor" "" "$(ls -l /proc/$monitor/fd | grep -e ' /etc' -e "$work\$" -e ' /$')"
    check "$1 $2 descriptors of exec" "0 1 2" "$($s exec open sh -c 'sleep 9 & until grep -q sleep /proc/$!/comm; do :; done; echo $(ls /proc/$!/fd); kill $!')"
    $s rm -f open >/dev/null
    exit $failures
  ) || failures=$((failures + 1))

  # A volume whose source is swapped for a link while containers start: it is what it was when it was
  # opened, or an error; never what the link names inside another's folder.
  mkdir -p "$place/swap" "$place/real" && echo mine >"$place/real/file"
  chown -R "$(id_of $1)" "$place/swap" "$place/real"
  (while [ ! -e "$place/stop" ]; do
    rm -rf "$place/swap/v"; ln -s /root "$place/swap/v"
    rm -rf "$place/swap/v"; mkdir "$place/swap/v"
  done) &
  swapper=$!
  for i in 1 2 3 4 5; do
    $s run --rm -v "$place/swap/v:/v/proc" box true >/dev/null 2>"$work/err" ||
      contains "$1 $2 a swapped volume is told" "error:" "$(cat "$work/err")"
  done
  touch "$place/stop"
  wait $swapper
  rm -rf "$place/stop" "$place/swap" "$place/real"

  # The machine.
  mkdir -p "$work/none-bin"
  for program in newuidmap newgidmap; do ln -sf "$(command -v $program)" "$work/none-bin/$program"; done
  # A PATH without a runtime is not enough where one lies in /usr/sbin: hide that.
  (
    hidden='mount -t tmpfs none /usr/sbin && mount -t tmpfs none /sbin 2>/dev/null; exec "$@"'
    if [ $1 = as_root ]; then
      unshare -m sh -c "$hidden" sh env PATH="$work/none-bin" SLIPWAY_HOME="$work/store" "$work/slipway" run --rm box true 2>"$work/err"
      [ $? -eq 125 ] || exit 1
      grep -q "neither \`crun\` nor \`runc\`" "$work/err" || exit 1
    fi
  ) || { echo "FAIL: $1 $2: a missing runtime is not told: $(cat "$work/err")" >&2; failures=$((failures + 1)); }

  # A store on a disk that is read-only.
  if [ $1 = as_root ]; then
    unshare -m sh -c 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"' sh \
      "$work/store" env SLIPWAY_HOME="$work/store" "$work/slipway" run --rm box true 2>"$work/err"
    check "$1 $2 a read-only store" 125 $?
    contains "$1 $2 is named" "Read-only" "$(cat "$work/err")"
    # Control groups that nobody can write to: limits are refused, runs are not.
    unshare -m sh -c 'mount -o remount,bind,ro /sys/fs/cgroup/memory && exec "$@"' sh \
      env PATH="$(path_for $2)" SLIPWAY_HOME="$work/store" "$work/slipway" run --rm --memory 64m box true 2>"$work/err"
    check "$1 $2 a memory limit that cannot be" 125 $?
    contains "$1 $2 is refused" "cannot limit memory" "$(cat "$work/err")"
    # A full disk: nothing of the run stays.
    mkdir -p "$work/full"
    unshare -m sh -c 'mount -t tmpfs -o size=16k,nr_inodes=9 none "$1/store/runs" && shift && exec "$@"' sh \
      "$work" env PATH="$(path_for $2)" SLIPWAY_HOME="$work/store" "$work/slipway" run --rm box true 2>"$work/err"
    check "$1 $2 a full disk" 125 $?
    contains "$1 $2 says so" "No space left" "$(cat "$work/err")"
  fi

  # A memory limit below what the command needs.
  if $s run --rm --memory 32m box true 2>/dev/null; then
    $s run --name hungry --memory 32m box sh -c 'dd if=/dev/zero of=/dev/null bs=200M count=1' 2>/dev/null
    check "$1 $2 out of memory" 137 $?
    check "$1 $2 and known to be" True "$($s inspect hungry | python3 -c 'import json,sys; print(json.load(sys.stdin)["out_of_memory"])')"
    $s rm hungry >/dev/null
  fi
}
mkdir -p "$work/store/runs"
each hostile

# A kernel that gives an ordinary user no user namespaces, and says it is AppArmor, as Ubuntu 24.04
# does. The limit is that of a user namespace of this test's own, the saying a file over /proc.
if [ $has_user = yes ]; then
  mkdir -p "$work/kernel" && echo 1 >"$work/kernel/apparmor_restrict_unprivileged_userns"
  cat >"$work/deny.py" <<'PY'
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
ready, mapped = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    if libc.unshare(0x10020000) != 0: os._exit(99)  # CLONE_NEWUSER | CLONE_NEWNS
    os.write(ready[1], b"x")
    os.read(mapped[0], 1)
    with open("/proc/sys/user/max_user_namespaces", "w") as limit: limit.write("0")
    os.execvp("sh", ["sh", "-c", 'mount --bind "$1" /proc/sys/kernel && shift && exec "$@"', "sh"] + sys.argv[1:])
os.read(ready[0], 1)
for name in ("uid_map", "gid_map"):
    with open(f"/proc/{child}/{name}", "w") as map: map.write("0 0 4294967295")
os.write(mapped[1], b"x")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
PY
  (cd "$work/user" && python3 "$work/deny.py" "$work/kernel" setpriv --reuid slipway-test --regid slipway-test \
    --init-groups --reset-env env SLIPWAY_HOME="$work/user/store" NO_COLOR=1 "$work/slipway" run --rm box true) 2>"$work/err"
  check "no user namespaces" 125 $?
  contains "who denies them" "AppArmor restricts user namespaces here" "$(cat "$work/err")"
  contains "what to do" "sysctl kernel.apparmor_restrict_unprivileged_userns=0" "$(cat "$work/err")"
fi
nothing_left afterwards
finish
