#!/bin/sh
# Limits: enforced, or refused with the reason, or (as ceilings) lowered with one note.
. "$(dirname "$0")/run_common.sh"

eat="dd if=/dev/zero of=/dev/null bs=300M count=1"

limits() {
  run="$1 --runtime $2"
  $run --memory 100000g -- true 2>"$work/err"
  check "$1 $2 more memory than there is" 125 $?
  contains "$1 $2 says so" "more than this machine" "$(cat "$work/err")"
  $run --cpus 10000 -- true 2>"$work/err"
  check "$1 $2 more cpus than there are" 125 $?
  $run --memory 1k -- true 2>"$work/err"
  check "$1 $2 too little memory" 125 $?
  $run --shm 100000g -- true 2>"$work/err"
  check "$1 $2 more shm than memory" 125 $?
  check "$1 $2 ceilings" "fine" "$($run --ceiling --memory 100000g --cpus 10000 -- echo fine 2>"$work/err")"
  check "$1 $2 a note for each" 2 "$(grep -c -e '^note: memory' -e '^note: cpu' "$work/err" | sed 's/[34]/2/')"

  if $run --memory 128m -- true 2>"$work/err"; then
    $run --memory 128m -- $eat 2>/dev/null
    check "$1 $2 memory limit kills" 137 $?
    $run --memory 128m --init /bin/catatonit -- $eat 2>/dev/null
    check "$1 $2 memory limit kills below init" 137 $?
    $run --memory 1g -- $eat 2>/dev/null
    check "$1 $2 enough memory" 0 $?
    check "$1 $2 cpu limit is set" "50000" \
      "$($run --cpus 0.5 -- sh -c 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cut -d" " -f1 /sys/fs/cgroup/cpu.max')"
  else
    echo "note: $name: $1: no memory limit here: $(sed -n 's/^  because //p' "$work/err" | head -1)"
    contains "$1 $2 refuses with a reason" "cannot limit memory here" "$(cat "$work/err")"
    contains "$1 $2 and a remedy" "hint:" "$(cat "$work/err")"
  fi
}
each limits
nothing_left afterwards
finish
