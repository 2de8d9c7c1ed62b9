#!/bin/bash
# attach: what is written is seen, what is typed arrives, the detach keys leave the run alone.
. "$(dirname "$0")/runs_common.sh"
command -v python3 >/dev/null || skip "needs python3, to hold the other end of a terminal"

cat >"$work/typist.py" <<'EOT'
"""typist.py SCRIPT PROGRAM...: runs PROGRAM on a terminal. SCRIPT is `TEXT=KEYS|TEXT=KEYS|...`: the
keys are typed once their text has been shown since the last ones. Prints what was shown, ends as the
program does, or with 99 if it does not end."""
import os, pty, select, sys, time
steps = [step.encode().decode("unicode_escape").encode().split(b"=", 1)
         for step in sys.argv[1].split("|")]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
shown, seen, end = b"", 0, time.monotonic() + 30
while time.monotonic() < end:
    if select.select([fd], [], [], 0.1)[0]:
        try:
            part = os.read(fd, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    if steps and steps[0][0] in shown[seen:]:
        seen = len(shown)
        os.write(fd, steps.pop(0)[1])
sys.stdout.write(shown.decode(errors="replace").replace("\r\n", "\n"))
done, status = os.waitpid(pid, os.WNOHANG)
if not done and time.monotonic() >= end:
    os.kill(pid, 9)
    sys.exit(99)
if not done:
    _, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status) & 255)
EOT

typed() { # typed SCRIPT WHO RUNTIME ARGUMENTS…
  script=$1 typed_who=$2
  shift 3
  if [ $typed_who = as_root ]; then
    env PATH="$PATH" SLIPWAY_HOME="$work/store" python3 "$work/typist.py" "$script" "$work/slipway" "$@"
  else
    (cd "$work/user" && setpriv --reuid slipway-test --regid slipway-test --init-groups --reset-env \
      env PATH="$PATH" SLIPWAY_HOME="$work/user/store" python3 "$work/typist.py" "$script" "$work/slipway" "$@")
  fi
}

attached() {
  s="sw $1 $2"
  # Without a terminal: both streams, and the status when it ends.
  $s run -d -i --name pipe box sh -c 'while read line; do echo "got $line"; echo "and $line" >&2; [ "$line" != end ] || exit 5; done' >/dev/null
  printf 'one\nend\n' | $s attach pipe >"$work/out" 2>"$work/err"
  check "$1 $2 the status" 5 $?
  check "$1 $2 standard output" "got one got end" "$(tr '\n' ' ' <"$work/out" | sed 's/ $//')"
  check "$1 $2 standard error" "and one and end" "$(tr '\n' ' ' <"$work/err" | sed 's/ $//')"
  $s attach pipe 2>"$work/err"
  check "$1 $2 attach afterwards" 1 $?
  contains "$1 $2 says what to do" "slipway logs pipe" "$(cat "$work/err")"
  $s rm pipe >/dev/null

  # Two who look, one who types.
  $s run -d -i --name both box cat >/dev/null
  $s attach --no-stdin both >"$work/look1" 2>/dev/null &
  one=$!
  $s attach --no-stdin both >"$work/look2" 2>/dev/null &
  two=$!
  (until_true grep -q hello "$work/look1" && until_true grep -q hello "$work/look2"; $s stop -t 0 both >/dev/null) &
  (while ! grep -q hello "$work/look1" || ! grep -q hello "$work/look2"; do echo hello; sleep 0.2; done) | $s attach both >/dev/null 2>&1
  wait $one $two
  contains "$1 $2 the first sees it" hello "$(cat "$work/look1")"
  contains "$1 $2 the second sees it" hello "$(cat "$work/look2")"
  $s rm -f both >/dev/null

  # With a terminal: the keys leave it, and it goes on.
  $s run -d -it --name tty box sh >/dev/null
  typed '=\n|/ $ =echo $((40+2)); tty\n|/dev/pts/0=\x10\x11' $1 $2 attach tty >"$work/out"
  check "$1 $2 detached" 0 $?
  contains "$1 $2 a terminal inside" "/dev/pts/0" "$(cat "$work/out")"
  contains "$1 $2 what was typed ran" 42 "$(cat "$work/out")"
  check "$1 $2 it goes on" tty "$($s ps --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["runs"][0]["name"])')"
  typed '=\n|/ $ =exit 6\n' $1 $2 attach tty >"$work/out"
  check "$1 $2 its status" 6 $?
  $s rm -f tty >/dev/null

  # exec with a terminal of its own.
  $s run -d --name host box sleep 9876504 >/dev/null
  typed '/ $ =tty; exit 8\n' $1 $2 exec -it host sh >"$work/out"
  check "$1 $2 exec -it" 8 $?
  contains "$1 $2 on a terminal" /dev/pts/ "$(cat "$work/out")"
  $s rm -f host >/dev/null

  # A run in the foreground is seen, and can be ended from elsewhere.
  $s run --name fore box sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done' &
  fore=$!
  until_true sh -c "grep -q running $(store_of $1)/runs/*/state.json"
  check "$1 $2 ps sees the foreground" fore "$($s ps --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["runs"][0]["name"])')"
  $s attach fore 2>"$work/err"
  check "$1 $2 nobody attaches to the foreground" 1 $?
  check "$1 $2 exec in the foreground's" hi "$($s exec fore echo hi)"
  check "$1 $2 stop of the foreground" fore "$($s stop fore)"
  wait $fore
  check "$1 $2 the foreground's status" 3 $?
  $s rm fore >/dev/null
}
each attached
nothing_left afterwards
finish
