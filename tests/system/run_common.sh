# Sourced by run_*.sh: a small root tree, an ordinary user, and run_driver as root and as that user.
#
#   SLIPWAY_RUN_DRIVER   the program (default: build/src/run/run_driver of this checkout)
#
# Everything lies in $work, which is removed after success and named after failure. Needs root: it
# makes a user, `slipway-test`, and leaves it for the next time.
set -u

name=$(basename "$0" .sh)
here=$(cd "$(dirname "$0")" && pwd)
driver=${SLIPWAY_RUN_DRIVER:-${SLIPWAY_BUILD:-$here/../../build}/src/run/run_driver}
work=
failures=0

skip() {
  echo "skip: $name: $1"
  exit 77
}

cleanup() {
  status=$?
  if [ "$status" -eq 0 ] || [ "$status" -eq 77 ]; then
    [ -z "$work" ] || rm -rf "$work"
  else
    echo "left in $work" >&2
  fi
}
trap cleanup EXIT

[ "$(id -u)" -eq 0 ] || skip "needs root, to be root and to make an ordinary user"
[ -x "$driver" ] || skip "no program $driver: build run_driver, or set SLIPWAY_RUN_DRIVER"
command -v busybox >/dev/null || skip "needs busybox (package busybox-static)"
! ldd "$(command -v busybox)" >/dev/null 2>&1 || skip "needs a static busybox (busybox-static)"
command -v catatonit >/dev/null || skip "needs catatonit"

# check WHAT EXPECTED ACTUAL
check() {
  if [ "$2" = "$3" ]; then return; fi
  echo "FAIL: $1: expected <$2>, got <$3>" >&2
  failures=$((failures + 1))
}

# contains WHAT PART TEXT
contains() {
  case $3 in
  *"$2"*) return ;;
  esac
  echo "FAIL: $1: no <$2> in <$3>" >&2
  failures=$((failures + 1))
}

finish() {
  [ "$failures" -eq 0 ] || exit 1
  echo "ok: $name"
  exit 0
}

# until COMMAND…: waits for it to succeed, at most half a minute.
until_true() {
  tries=0
  while ! "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || return 1
    sleep 0.05
  done
}

runtimes() {
  for one in crun runc; do
    if command -v $one >/dev/null || [ -x /usr/sbin/$one ]; then echo $one; fi
  done
}
[ -n "$(runtimes)" ] || skip "neither crun nor runc is installed"

ids_of_user() { awk -F: -v u=slipway-test '$1 == u { print $2; exit }' /etc/subuid; }

make_user() {
  id slipway-test >/dev/null 2>&1 || useradd --create-home slipway-test || return 1
  if [ -z "$(ids_of_user)" ]; then
    usermod --add-subuids 3000000-3065535 --add-subgids 3000000-3065535 slipway-test || return 1
  fi
}

# make_tree FOLDER: busybox, catatonit, a user `dev`
make_tree() {
  for folder in bin etc proc sys dev tmp usr root home/dev; do mkdir -p "$1/$folder"; done
  cp "$(command -v busybox)" "$1/bin/busybox"
  for applet in $(busybox --list); do
    [ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"
  done
  cp "$(command -v catatonit)" "$1/bin/catatonit"
  printf 'root:x:0:0::/root:/bin/sh\ndev:x:1000:1000::/home/dev:/bin/sh\n' >"$1/etc/passwd"
  chmod 1777 "$1/tmp"
  chown 1000:1000 "$1/home/dev"
}

# In a place that an ordinary user reaches; not /tmp, which may be a tmpfs.
work=$(mktemp -d /var/tmp/slipway-$name.XXXXXX)
chmod 755 "$work"
cp "$driver" "$work/driver"
make_tree "$work/tree"
mkdir "$work/scratch" "$work/volume"

has_user=no
if make_user && command -v newuidmap >/dev/null && command -v setpriv >/dev/null; then
  has_user=yes
  user_id=$(id -u slipway-test)
  start=$(ids_of_user)
  mkdir "$work/user"
  cp -a "$work/tree" "$work/user/tree"
  chown -hR "$start:$start" "$work/user/tree"
  chown "$user_id:$user_id" "$work/user/tree/home/dev" "$work/user"
  chmod 700 "$work/user"
  mkdir "$work/user/scratch" "$work/user/volume"
  chown "$user_id:$user_id" "$work/user/scratch" "$work/user/volume"
  setpriv --reuid slipway-test --regid slipway-test --init-groups \
    unshare --user true 2>/dev/null || has_user=no
fi

# as_root ARGUMENTS…, as_user ARGUMENTS…: the driver with the tree
as_root() {
  "$work/driver" --layer "$work/tree" --scratch "$work/scratch" -e PATH=/bin "$@"
}
as_user() {
  setpriv --reuid slipway-test --regid slipway-test --init-groups --reset-env \
    "$work/driver" --layer "$work/user/tree" --scratch "$work/user/scratch" -e PATH=/bin "$@"
}

# each FUNCTION: calls `FUNCTION WHO RUNTIME`, where WHO is as_root and as_user
each() {
  for runtime in $(runtimes); do
    "$1" as_root "$runtime"
    [ $has_user = no ] || "$1" as_user "$runtime"
  done
  [ $has_user = yes ] || echo "note: $name: not tried as an ordinary user: no newuidmap, setpriv or user namespaces"
}

# Who of the two: their volume, their id, their scratch folder.
folder_of() { if [ "$1" = as_root ]; then echo "$work"; else echo "$work/user"; fi; }
id_of() { if [ "$1" = as_root ]; then echo 0; else echo "$user_id"; fi; }

# The control groups of runs, empty ones. Their dates say nothing: the kernel makes them up anew.
empty_groups() {
  find /sys/fs/cgroup -maxdepth 3 -name "slipway-????????????????????????????????" \
    -exec sh -c '[ -z "$(cat "$0/cgroup.procs")" ] && echo "$0"' {} \; 2>/dev/null | sort
}
new_groups() { empty_groups | grep -vxF "$groups_before"; }
no_new_group() { [ -z "$(new_groups)" ]; }
groups_before=$(empty_groups)

# nothing_left WHAT: no mount, no process, no control group, no scratch of ours
nothing_left() {
  check "$1: mounts" "" "$(grep -F "$work" /proc/self/mountinfo)"
  check "$1: processes" "" "$(pgrep -f "$work/" | grep -vx $$ | tr '\n' ' ')"
  check "$1: records" "" "$(find "$work/scratch" "$work/user/scratch" -maxdepth 1 -name '????????????????????????????????' 2>/dev/null)"
  # Others' tests may run beside us: only a group that stays empty was left.
  until_true no_new_group || check "$1: control groups" "" "$(new_groups)"
}
