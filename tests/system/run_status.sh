#!/bin/sh
# The exit status is the command's; 126 and 127 where it cannot be run or found; with init or not.
. "$(dirname "$0")/run_common.sh"

status() {
  expected=$1
  what=$2
  shift 2
  "$@" >"$work/out" 2>&1
  check "$what" "$expected" "$?"
}

statuses() {
  for init in "" "--init /bin/catatonit"; do
    for pair in "0 true" "1 false"; do
      status "${pair% *}" "$1 $2 $init $pair" $1 --runtime $2 $init -- "${pair#* }"
    done
    status 3 "$1 $2 $init exit 3" $1 --runtime $2 $init -- sh -c 'exit 3'
    status 137 "$1 $2 $init killed" $1 --runtime $2 $init -- sh -c 'sh -c "kill -9 \$\$"; exit $?'
    status 127 "$1 $2 $init not there" $1 --runtime $2 $init -- no-such-command
    contains "$1 $2 names the command" no-such-command "$(cat "$work/out")"
    status 127 "$1 $2 $init no such path" $1 --runtime $2 $init -- /no/such/command
    status 126 "$1 $2 $init not executable" $1 --runtime $2 $init -- /etc/passwd
    status 126 "$1 $2 $init a folder" $1 --runtime $2 $init -- /etc
  done
  status 125 "$1 $2 bad working folder" $1 --runtime $2 -w /proc/self/fd/3 -- true
  status 125 "$1 $2 bad volume target" $1 --runtime $2 -v /tmp:/dev/x -- true
  status 125 "$1 $2 no volume source" $1 --runtime $2 -v /no/such/folder:/x -- true
  contains "$1 $2 names the volume" /no/such/folder "$(cat "$work/out")"
}
each statuses
nothing_left afterwards
finish
