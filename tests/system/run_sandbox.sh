#!/bin/sh
# base/sandbox.h as root and in an ordinary user's namespace: what maintainer scripts run in.
. "$(dirname "$0")/run_common.sh"

sandbox() {
  run="$1 --sandbox"
  check "$1 is root inside" "0:0" "$($run -- /bin/sh -c 'echo $(id -u):$(id -g)')"
  check "$1 may change owners" "33:4" \
    "$($run -- /bin/sh -c 'touch /owned; chown 33:4 /owned; stat -c %u:%g /owned')"
  check "$1 the owner outside" "$(($3 + 33)):$(($3 + 4))" \
    "$(stat -c %u:%g "$(folder_of $1)/scratch/upper/owned")"
  check "$1 devices" "null works" "$($run -- /bin/sh -c 'echo x >/dev/null && echo null works')"
  check "$1 processes" "1" "$($run -- /bin/sh -c 'ls -d /proc/1 | wc -l')"
  check "$1 network" "lo" "$($run -- /bin/sed -n 's/^ *\([a-z0-9]*\):.*/\1/p' /proc/net/dev)"
  check "$1 whiteouts" "gone" \
    "$($run -- /bin/sh -c 'rm -r /home && mkdir /home && ls /home/dev 2>/dev/null || echo gone')"
  $run -- /bin/sh -c 'exit 7'
  check "$1 status" 7 $?
  $run -- /bin/no-such 2>/dev/null
  check "$1 not there" 127 $?
  rm -rf "$(folder_of $1)/scratch"/*
}
sandbox as_root - 0
[ $has_user = no ] || sandbox as_user - "$start"
nothing_left afterwards

# Without ranges the remedy is said.
if [ $has_user = yes ]; then
  setpriv --reuid 54321 --regid 54321 --clear-groups --reset-env \
    "$work/driver" --layer "$work/tree" --scratch "$work/scratch" -- true 2>"$work/err"
  check "no ranges" 125 $?
  contains "no ranges: the remedy" "usermod --add-subuids" "$(cat "$work/err")"
fi
finish
