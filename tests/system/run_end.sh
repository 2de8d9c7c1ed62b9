#!/bin/sh
# Signals reach the command, and nothing is left: not after a signal, not after kill -9.
. "$(dirname "$0")/run_common.sh"

# start WHO RUNTIME SCRIPT…: in the background; waits for its file `ready` in the volume. Sets pid.
start() {
  who=$1
  runtime=$2
  shift 2
  place=$(folder_of $who)/volume
  rm -f "$place/ready"
  $who --runtime "$runtime" --init /bin/catatonit -v "$place:/v" -- sh -c "$@" >"$work/out" 2>&1 &
  pid=$!
  until_true test -e "$place/ready" || { echo "FAIL: $who $runtime did not start: $(cat "$work/out")" >&2; exit 1; }
  # The shell function runs in a subshell: the program is its child.
  driver_pid=$(pgrep -P $pid -f "$work/driver" || echo $pid)
}

ends() {
  for signal in TERM INT HUP; do
    start $1 $2 "trap 'exit 42' $signal; touch /v/ready; while :; do sleep 0.05; done"
    kill -$signal $driver_pid
    wait $pid
    check "$1 $2 passes SIG$signal on" 42 $?
    nothing_left "$1 $2 after SIG$signal"
  done

  start $1 $2 "touch /v/ready; sleep 9876500"
  kill -TERM $driver_pid
  wait $pid
  check "$1 $2 SIGTERM ends it" 143 $?

  start $1 $2 "trap '' TERM INT; touch /v/ready; while :; do sleep 0.05; done"
  for i in 1 2 3; do
    kill -INT $driver_pid 2>/dev/null
    sleep 0.1
  done
  wait $pid
  check "$1 $2 the third interrupt kills" 137 $?
  nothing_left "$1 $2 after the third interrupt"

  start $1 $2 "(sleep 9876501 &) ; touch /v/ready; sleep 9876500"
  kill -9 $driver_pid
  wait $pid 2>/dev/null
  check "$1 $2 killed" 137 $?
  until_true sh -c "! pgrep -f '^sleep 987650[01]'"
  check "$1 $2 no process after kill -9" "" "$(pgrep -f '^sleep 987650[01]')"
  check "$1 $2 no mount after kill -9" "" "$(grep -F "$work" /proc/self/mountinfo)"
  $1 --runtime $2 -- true
  nothing_left "$1 $2 after the next run"
}
each ends

# A sweep leaves the living alone.
start as_root "$(runtimes | head -1)" "touch /v/ready; while [ ! -e /v/stop ]; do sleep 0.05; done; exit 9"
as_root -- true
touch "$work/volume/stop"
wait $pid
check "a living run survives another's sweep" 9 $?
nothing_left afterwards
finish
