#!/bin/bash
# time-out: 600
# `slipway start`: a run that has ended lives once more, with its command, settings and files.
. "$(dirname "$0")/runs_common.sh"
command -v jq >/dev/null || skip "needs jq"

record() { echo "$(store_of $1)/runs/$2"; }
field() { jq -r "$3" "$(record $1 $2)/state.json"; }

start() {
  s="sw $1 $2"
  place=$(folder_of $1)/volume
  rm -rf "$place" && mkdir -p "$place" && chown "$(id_of $1)" "$place" && chmod 777 "$place"

  # Detached: what it wrote is there, and what it was asked for.
  id=$($s run -d --name counter -v "$place:/v" --tmpfs /scratch --ulimit nofile=321 -h inner -w /tmp \
    -e A=first --label k=v --shm-size 4m --user 0 --group-add 4242 --network none box \
    sh -c 'echo life $A; echo x >>/root/kept; echo x >>/v/lives; pwd; hostname; ulimit -n; id -G | xargs echo;
      wc -l </root/kept; df -k /dev/shm | awk "END { print \$2 }"; ls /sys/class/net; exit 3' 2>/dev/null)
  check "$1 $2 the first life" 3 "$($s wait counter)"
  check "$1 $2 start says the name" counter "$(A=second $s start counter)"
  check "$1 $2 its status" 3 "$($s wait counter)"
  check "$1 $2 as before" "life first /tmp inner 321 0 4242 2 4096 lo" "$($s logs -n 8 counter 2>/dev/null | xargs echo)"
  check "$1 $2 both lives in the log" 2 "$($s logs counter | grep -c life)"
  check "$1 $2 the volume" 2 "$(wc -l <"$place/lives")"
  check "$1 $2 one record" "$id" "$($s ps -aq --no-trunc --filter label=k=v)"
  check "$1 $2 a third, by the id" "${id:0:9}" "$($s start ${id:0:9})"
  check "$1 $2 its status again" 3 "$($s wait counter)"
  check "$1 $2 three" 3 "$(wc -l <"$place/lives")"
  check "$1 $2 no restarts" "0 exited" "$(field $1 $id '"\(.restarts) \(.status)"')"

  # Attached: everything, from the first byte, and its status.
  check "$1 $2 -a shows all" "life first /tmp inner" "$($s start -a counter | head -3 | xargs echo)"
  $s wait counter >/dev/null
  $s start --attach counter >/dev/null
  check "$1 $2 -a has its status" 3 $?
  $s start -a counter counter 2>"$work/err"
  check "$1 $2 -a of two" 2 $?
  $s rm --discard counter >/dev/null

  # In the foreground before; input with -i alone.
  check "$1 $2 a foreground run" "in: one" "$(echo one | $s run -i --name reader box sh -c 'read x; echo "in: $x"; touch /home/dev/was')"
  check "$1 $2 start -i" "in: two" "$(echo two | $s start -i reader)"
  $s start reader >/dev/null
  check "$1 $2 in the background it waits" running "$(field $1 "$($s ps -aq --no-trunc)" .status)"
  check "$1 $2 start of a running one is fine" reader "$($s start reader)"
  check "$1 $2 and attaches" "in: three" "$(echo three | $s start -ai reader)"
  check "$1 $2 it ended" 0 "$($s wait reader)"
  check "$1 $2 its log" "in: two in: three" "$($s logs reader | xargs echo)"
  $s rm --discard reader >/dev/null

  # Stopped, and killed with its monitor.
  id=$($s run -d --name sleeper --restart always box sh -c 'echo up; sleep 9876520')
  $s stop -t 1 sleeper >/dev/null
  check "$1 $2 a stopped one" sleeper "$($s start sleeper)"
  check "$1 $2 is up, and nobody has stopped it" "running false" "$(field $1 $id '"\(.status) \(.was_stopped)"')"
  monitor=$(field $1 $id .monitor_pid)
  [ "$monitor" -gt 1 ] && kill -9 "$monitor"
  until_true sh -c "! pgrep -f '^sleep 9876520'"
  check "$1 $2 a lost one" sleeper "$($s start sleeper)"
  contains "$1 $2 is up again" "Up " "$($s ps)"
  # The restart policy holds as before.
  lives=$($s logs sleeper | grep -c up)
  $s exec -u 0 sleeper kill -9 -1 >/dev/null 2>&1
  until_true sh -c "[ \$(grep -c ' up$' $(record $1 $id)/log) -gt $lives ]"
  check "$1 $2 restarted" 1 "$(field $1 $id .restarts)"
  $s rm -f sleeper >/dev/null

  # Two at once, and many in one go.
  $s run --name aa box true && $s run --name bb box true
  check "$1 $2 two runs" "aa bb" "$($s start aa bb | xargs echo)"
  $s wait aa bb >/dev/null
  $s start aa none bb >"$work/out" 2>"$work/err"
  check "$1 $2 one is not there" 1 $?
  check "$1 $2 the others are started" "aa bb" "$(xargs echo <"$work/out")"
  $s wait aa bb >/dev/null
  $s start aa >/dev/null 2>&1 & $s start aa >/dev/null 2>&1
  wait $!
  $s wait aa >/dev/null
  check "$1 $2 rm" "aa bb" "$($s rm aa bb | xargs echo)"

  # What cannot be started keeps its record and its files.
  $s run --name broken -v "$place:/v" box sh -c 'echo x >/home/dev/kept; exit 4'
  id=$($s ps -aq --no-trunc)
  mv "$place" "$place.away"
  $s start broken 2>"$work/err"
  check "$1 $2 a volume that is gone" 1 $?
  contains "$1 $2 and which" "$place\` is not there" "$(cat "$work/err")"
  check "$1 $2 its files stay" x "$(cat "$(record $1 $id)/upper/home/dev/kept")"
  mv "$place.away" "$place"
  mv "$(record $1 $id)/upper/dev" "$work/dev" 2>/dev/null
  ln -s /tmp "$(record $1 $id)/upper/dev"
  $s start broken 2>"$work/err"
  check "$1 $2 it spoiled its own tree" 1 $?
  contains "$1 $2 its record says why" "is a link, not a folder" "$(field $1 $id .error)"
  check "$1 $2 and has ended" "exited 125" "$(field $1 $id '"\(.status) \(.exit_status)"')"
  rm "$(record $1 $id)/upper/dev"
  mv "$work/dev" "$(record $1 $id)/upper/dev" 2>/dev/null
  check "$1 $2 once more" 4 "$($s start -a broken; echo $?)"
  cp -p "$(record $1 $id)/request.json" "$work/request.json"
  rm "$(record $1 $id)/request.json"
  $s start broken 2>"$work/err"
  check "$1 $2 a record of before" 1 $?
  contains "$1 $2 says so" "cannot be started again" "$(cat "$work/err")"
  echo '{"schema": 1, "volumes": 7}' >"$(record $1 $id)/request.json"
  $s start broken 2>"$work/err"
  check "$1 $2 a record that is spoiled" 1 $?
  contains "$1 $2 cannot be read" "cannot be read" "$(cat "$work/err")"
  check "$1 $2 and is as it was" exited "$(field $1 $id .status)"
  $s rm --discard broken >/dev/null
  $s start broken 2>"$work/err"
  check "$1 $2 no such run" 1 $?
  check "$1 $2 nothing is left" "" "$($s ps -aq)"
}
each start

# A terminal: as it was, with the keys that leave it.
if command -v script >/dev/null; then
  id=$(sw as_root crun run -dit --name shell box sh -c 'stty size >/dev/null && echo a terminal; read x; echo "got $x"')
  sw as_root crun stop -t 0 shell >/dev/null
  said=$(printf 'typed\n' | timeout 20 script -qec "env SLIPWAY_HOME=$work/store NO_COLOR=1 $work/slipway start -ai shell" /dev/null)
  contains "a terminal" "a terminal" "$said"
  contains "takes what is typed" "got typed" "$said"
  sw as_root crun rm -f --discard shell >/dev/null
fi
nothing_left afterwards
finish
