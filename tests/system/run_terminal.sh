#!/bin/sh
# -t: a terminal inside, its size, Ctrl-C, and the modes as they were afterwards.
. "$(dirname "$0")/run_common.sh"
command -v python3 >/dev/null || skip "needs python3, to hold the other end of a terminal"

cat >"$work/terminal.py" <<'EOF'
"""Runs a program on a terminal of 33x99: prints what it shows; `keys` are typed once `>` shows."""
import fcntl, os, pty, struct, sys, termios
keys, program = sys.argv[1].encode().decode("unicode_escape").encode(), sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))
    os.execvp(program[0], program)
before, shown = None, b""
while True:
    try:
        part = os.read(fd, 4096)
    except OSError:
        break
    if not part:
        break
    shown += part
    if keys and b">" in shown:
        os.write(fd, keys)
        keys = b""
_, status = os.waitpid(pid, 0)
print(shown.decode(errors="replace").replace("\r\n", "\n"), end="")
sys.exit(os.waitstatus_to_exitcode(status) & 255)
EOF

on_terminal() {
  keys=$1
  shift
  who=$1
  shift
  if [ $who = as_root ]; then
    python3 "$work/terminal.py" "$keys" "$work/driver" --layer "$work/tree" \
      --scratch "$work/scratch" -e PATH=/bin "$@"
  else
    setpriv --reuid slipway-test --regid slipway-test --init-groups --reset-env \
      python3 "$work/terminal.py" "$keys" "$work/driver" --layer "$work/user/tree" \
      --scratch "$work/user/scratch" -e PATH=/bin "$@"
  fi
}

terminal() {
  init="--init /bin/catatonit"
  check "$1 $2 is a terminal" "33 99" "$(on_terminal "" $1 --runtime $2 -t -i $init -- stty size)"
  check "$1 $2 /dev/tty" "ok" "$(on_terminal "" $1 --runtime $2 -t -i $init -- sh -c 'echo ok > /dev/tty')"
  contains "$1 $2 typing" "got abc" "$(on_terminal 'abc\n' $1 --runtime $2 -t -i $init -- sh -c 'echo ">"; read x; echo got $x')"
  on_terminal '\x03' $1 --runtime $2 -t -i $init -- sh -c 'trap "exit 42" INT; echo ">"; while :; do sleep 0.05; done' >/dev/null
  check "$1 $2 Ctrl-C with -t" 42 $?
  on_terminal '\x03' $1 --runtime $2 $init -- sh -c 'trap "exit 42" INT; echo ">"; while :; do sleep 0.05; done' >/dev/null
  check "$1 $2 Ctrl-C without -t" 42 $?
  check "$1 $2 no terminal without -t" "not a tty" \
    "$(on_terminal "" $1 --runtime $2 $init -- sh -c 'test -t 0 || echo not a tty')"
  $1 --runtime $2 -t $init -- true </dev/null 2>"$work/err"
  check "$1 $2 -t without a terminal" 125 $?
}
each terminal

# Modes afterwards, when the container is killed in raw mode.
cat >"$work/modes.sh" <<'EOF'
before=$(stty -g)
"$@" 
[ "$before" = "$(stty -g)" ] && echo same || echo different
EOF
contains "modes afterwards" "same" "$(python3 "$work/terminal.py" "" sh "$work/modes.sh" "$work/driver" --layer "$work/tree" --scratch "$work/scratch" -e PATH=/bin -t -i -- true)"
nothing_left afterwards
finish
