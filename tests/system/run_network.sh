#!/bin/bash
# time-out: 900
# A private network: what was published leads in, and nothing else does, either way.
. "$(dirname "$0")/tun_common.sh"
. "$(dirname "$0")/run_common.sh"
command -v pasta >/dev/null || skip "needs pasta (package passt)"
command -v python3 >/dev/null || skip "needs python3"
ip route show default 2>/dev/null | grep -q . || skip "this host is in no network"

address=$(ip route get 192.0.2.254 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p' | head -n 1)
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
# fetch ADDRESS PORT: what a server of the container says, or nothing
fetch() {
  python3 -c 'import sys, urllib.request as r
print(r.urlopen(f"http://{sys.argv[1]}:{sys.argv[2]}/said", timeout=2).read().decode().strip())' "$@" 2>/dev/null
}

# serve WHO RUNTIME FLAG…: a web server in a container, until `stop`
serve() {
  who=$1 runtime=$2
  shift 2
  $who --runtime "$runtime" --init /bin/catatonit --network private "$@" -- \
    sh -c 'mkdir -p /tmp/www && echo hello >/tmp/www/said && exec httpd -f -p 8000 -h /tmp/www' >"$work/out" 2>&1 &
  pid=$!
}
stop() {
  driver_pid=$(pgrep -P $pid -f "$work/driver" || echo $pid)
  kill -${1:-TERM} $driver_pid
  wait $pid 2>/dev/null
}

# busybox has no server for UDP.
cc -static -o "$work/pong" -x c - <<'C' || skip "needs a C compiler"
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
int main(int count, char **words) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(words[count - 1]))}, from;
  socklen_t size = sizeof from;
  char text[64];
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (bind(fd, (struct sockaddr *)&at, sizeof at)) return 1;
  while (recvfrom(fd, text, sizeof text, 0, (struct sockaddr *)&from, &size) > 0)
    sendto(fd, "pong", 4, 0, (struct sockaddr *)&from, size);
}
C
cp "$work/pong" "$work/tree/bin/pong"
[ $has_user = no ] || cp "$work/pong" "$work/user/tree/bin/pong"
cat >"$work/ask.py" <<'PY'
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(0.3)
for attempt in range(300):
    try:
        s.sendto(b"ping", ("127.0.0.1", int(sys.argv[1])))
        print(s.recv(100).decode().strip())
        break
    except OSError:  # nobody is there yet: told at once, or not at all
        time.sleep(0.1)
PY

no_pasta() { ! pgrep -f "$work/.*pasta-ready"; }

network() {
  run="$1 --runtime $2 --network private"
  check "$1 $2 loopback is up" "127.0.0.1" "$($run -- sh -c 'ip -4 addr show lo' 2>&1 | sed -n 's/.*inet \([0-9.]*\).*/\1/p')"
  check "$1 $2 a way out" "1" "$($run -- ip route 2>&1 | grep -c '^default')"

  # With a volume: to open it as its owner would once took the child's /proc from an ordinary user.
  place=$(folder_of $1)/volume
  chown -R "$(id_of $1):$(id_of $1)" "$place"
  port=$(free_port)
  serve $1 $2 -p "$port:8000" -v "$place:/work/space"
  until_true fetch 127.0.0.1 $port
  check "$1 $2 a published port" "hello" "$(fetch 127.0.0.1 $port)"
  [ -z "$address" ] || check "$1 $2 it is open to this machine alone" "" "$(fetch "$address" $port)"
  contains "$1 $2 it is told" "127.0.0.1:$port->8000/tcp (this machine only)" "$(cat "$work/out")"
  taken=$($1 --runtime $2 --network private -p "$port:8000" -- true 2>&1)
  check "$1 $2 a taken port" 125 $?
  contains "$1 $2 a taken port" "port $port is taken" "$taken"
  stop
  nothing_left "$1 $2 afterwards"

  port=$(free_port)
  serve $1 $2 -p "0.0.0.0:$port:8000"
  until_true fetch 127.0.0.1 $port
  [ -z "$address" ] || check "$1 $2 open to the network" "hello" "$(fetch "$address" $port)"
  stop KILL
  until_true no_pasta
  check "$1 $2 nothing serves after kill -9" "" "$(fetch 127.0.0.1 $port)$(pgrep -f "$work/.*pasta-ready")"
  $1 --runtime $2 -- true

  # A server on the host's loopback is nobody's business inside, by no address.
  port=$(free_port)
  mkdir -p "$work/www" && echo secret >"$work/www/said"
  busybox httpd -f -p "127.0.0.1:$port" -h "$work/www" &
  server=$!
  until_true fetch 127.0.0.1 $port
  contains "$1 $2 the host's network has it" secret "$($1 --runtime $2 -- sh -c "printf 'GET /said HTTP/1.0\r\n\r\n' | nc -w 2 127.0.0.1 $port" 2>/dev/null)"
  check "$1 $2 the host's loopback" "" "$($run -- sh -c \
    "for a in 127.0.0.1 \$(ip route | sed -n 's/^default via \([0-9.]*\).*/\1/p'); do
       printf 'GET /said HTTP/1.0\r\n\r\n' | nc -w 2 \$a $port; done" 2>/dev/null)"
  kill $server

  port=$(free_port)
  $1 --runtime $2 --init /bin/catatonit --network private -p "$port:$port/udp" -- /bin/pong $port >"$work/out" 2>&1 &
  pid=$!
  check "$1 $2 udp" "pong" "$(python3 "$work/ask.py" $port)"
  stop
  nothing_left "$1 $2 at the end"
}
each network

# Names are asked of the host's own server, on its loopback too (systemd-resolved is there).
cat >"$work/server.py" <<'PY'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
s.settimeout(20)
open(sys.argv[1], "w").close()
question, sender = s.recvfrom(600)
s.sendto(question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question[12:question.index(b"\0", 12) + 5]
         + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\1\2\3", sender)
PY
answer=$(unshare -m bash -c "
  mount --make-rprivate /
  echo 'nameserver 127.0.0.1' >'$work/resolv.conf'
  mount --bind '$work/resolv.conf' /etc/resolv.conf
  python3 '$work/server.py' '$work/asked' &
  while [ ! -e '$work/asked' ] && kill -0 \$! 2>/dev/null; do sleep 0.05; done
  '$work/driver' --layer '$work/tree' --scratch '$work/scratch' -e PATH=/bin --network private -- \
    nslookup -type=a name.example 2>&1
  kill \$! 2>/dev/null; wait" 2>&1)
contains "the host's name server on its loopback" "127.1.2.3" "$answer"
nothing_left "at the end"
finish
