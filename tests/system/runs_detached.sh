#!/bin/bash
# time-out: 600
# A run of its own: it survives who started it; ps, logs, exec, stop, kill, wait, rm.
. "$(dirname "$0")/runs_common.sh"
# all ends in either case
end_all() {
  sw $1 $2 rm -f $(sw $1 $2 ps -aq) >/dev/null 2>&1
}

detached() {
  s="sw $1 $2"
  # In a session that ends with the command that starts it.
  id=$($s run -d --name one --label a=b box sh -c 'echo line 1; echo "to err" >&2; echo line 2; trap "exit 9" TERM; while :; do sleep 0.1; done')
  check "$1 $2 an id" 32 "${#id}"
  check "$1 $2 ps" "$id" "$($s ps -q --no-trunc)"
  contains "$1 $2 ps says so" "Up " "$($s ps)"
  check "$1 $2 ps --filter" "$id" "$($s ps -q --no-trunc --filter label=a=b --filter name=on)"
  check "$1 $2 ps --filter of none" "" "$($s ps -q --filter label=a=c)"
  check "$1 $2 ps --json" "running box:latest" "$($s ps --json | python3 -c 'import json,sys; r=json.load(sys.stdin)["runs"][0]; print(r["status"], r["image"])')"
  until_true sh -c "[ \"\$(cat $(store_of $1)/runs/$id/log | wc -l)\" -ge 3 ]"
  check "$1 $2 logs, standard output" "line 1 line 2" "$($s logs one 2>/dev/null | tr '\n' ' ' | sed 's/ $//')"
  check "$1 $2 logs, standard error" "to err" "$($s logs one 2>&1 >/dev/null)"
  check "$1 $2 logs of the last line" 1 "$($s logs -n 1 one 2>&1 | wc -l)"
  contains "$1 $2 logs with times" "Z line 1" "$($s logs -t one 2>/dev/null)"
  check "$1 $2 logs --since" "" "$($s logs --since 2100-01-01 one 2>&1)"

  check "$1 $2 exec" "1000 1000 /" "$($s exec one sh -c 'echo $(id -u) $(id -g) $(pwd)')"
  check "$1 $2 exec as another" "0 x /tmp" "$($s exec -u 0 -e A=x -w /tmp one sh -c 'echo $(id -u) $A $(pwd)')"
  check "$1 $2 exec sees the run's processes" 1 "$($s exec one ps -o pid,args | grep -c '^ *1 .*catatonit')"
  check "$1 $2 exec reads" "typed" "$(echo typed | $s exec -i one cat)"
  $s exec one sh -c 'exit 7'
  check "$1 $2 exec's status" 7 $?
  $s exec one no-such 2>/dev/null
  check "$1 $2 exec of nothing" 127 $?
  $s exec one /etc/passwd 2>/dev/null
  check "$1 $2 exec of a file" 126 $?
  check "$1 $2 exec keeps the filter and loses the rights" "NoNewPrivs: 1 Seccomp: 2 CapBnd: 0000000000000000" \
    "$($s exec one sh -c 'for f in NoNewPrivs Seccomp CapBnd; do echo $(grep $f: /proc/self/status); done' | tr '\n' ' ' | sed 's/ $//')"
  $s run -d --name limited --ulimit nofile=321:400 --ulimit core=0 --ulimit fsize=7340032 box sleep 9876504 >/dev/null
  # The soft limit of open files is the hard one where runc's Go library has its way (before 1.2).
  check "$1 $2 exec has the run's limits" "400 0 14336" \
    "$($s exec limited sh -c 'echo $(ulimit -Hn; ulimit -c; ulimit -f)')"
  [ $2 = runc ] || check "$1 $2 the soft one too" 321 "$($s exec limited sh -c 'ulimit -n')"
  check "$1 $2 also where the caller has less" "100 100" \
    "$([ $1 = as_root ] && echo 100 100 || (ulimit -n 100; $s exec limited sh -c 'echo $(ulimit -n; ulimit -Hn)'))"
  $s rm -f limited >/dev/null
  $s exec --ulimit nofile=3 one true 2>"$work/err"
  check "$1 $2 exec --ulimit" 2 $?
  contains "$1 $2 is no option" "no option \`--ulimit\`" "$(cat "$work/err")"
  $s exec -d one sh -c 'sleep 0.2; touch /tmp/done'
  until_true $s exec one test -e /tmp/done
  check "$1 $2 exec -d" 0 $?
  check "$1 $2 stats" "one 2" "$($s stats --json | python3 -c 'import json,sys; r=json.load(sys.stdin)["runs"][0]; print(r["name"], min(r["processes"], 2))')"

  $s kill -s NOSUCH one 2>/dev/null
  check "$1 $2 kill with no such signal" 2 $?
  check "$1 $2 stop" one "$($s stop -t 20 one)"
  contains "$1 $2 its status" "Exited (9)" "$($s ps -a)"
  check "$1 $2 wait afterwards" 9 "$($s wait one)"
  $s exec one true 2>/dev/null
  check "$1 $2 exec afterwards" 1 $?
  check "$1 $2 by the beginning of its id" "$(echo $id | cut -c1-5)" "$($s rm "$(echo $id | cut -c1-5)")"
  check "$1 $2 gone" "" "$($s ps -aq)"

  $s run -d --name two --rm box sh -c 'trap "" TERM; sleep 9876502' >/dev/null
  check "$1 $2 stop kills in the end" two "$($s stop -t 1 two)"
  until_true test -z "$($s ps -aq)"
  check "$1 $2 --rm leaves nothing" "" "$($s ps -aq)"

  $s run -d --name three box sleep 9876502 >/dev/null
  $s run --name three box true 2>"$work/err"
  check "$1 $2 a name that is taken" 125 $?
  contains "$1 $2 and says by whom" "is taken" "$(cat "$work/err")"
  check "$1 $2 kill" three "$($s kill three)"
  check "$1 $2 wait after kill" 137 "$($s wait three)"
  $s rm thre 2>"$work/err"
  check "$1 $2 rm of nothing" 1 $?
  contains "$1 $2 suggests" "did you mean" "$(cat "$work/err")"
  $s rm three >/dev/null

  $s run -d box no-such >/dev/null 2>&1
  check "$1 $2 -d of nothing" 127 $?
  check "$1 $2 leaves nothing" "" "$($s ps -aq)"
}
each detached

killed() {
  s="sw $1 $2"
  id=$($s run -d --name gone box sleep 9876503)
  monitor=$(sed -n 's/.*"monitor_pid": \([0-9]*\).*/\1/p' "$(store_of $1)/runs/$id/state.json")
  kill -9 "$monitor"
  until_true sh -c "! pgrep -f '^sleep 9876503'"
  check "$1 $2 the container dies with its monitor" "" "$(pgrep -f '^sleep 9876503')"
  contains "$1 $2 and is lost" "Lost" "$($s ps -a)"
  check "$1 $2 wait for the lost" 137 "$($s wait gone)"
  $s run --rm box true
  check "$1 $2 its group is swept" "" "$(find /sys/fs/cgroup -maxdepth 3 -name "slipway-$id" 2>/dev/null)"
  check "$1 $2 rm of the lost" gone "$($s rm gone)"
}
each killed

kept() {
  s="sw $1 $2"
  $s run --name files -v "$(folder_of $1)/volume:/v" box sh -c 'echo abc >/home/dev/result; echo x >/tmp/passing; echo y >/v/file'
  $s rm files 2>"$work/err"
  check "$1 $2 rm keeps files" 1 $?
  contains "$1 $2 and names them" "/home/dev/result" "$(cat "$work/err")"
  contains "$1 $2 and counts them" "1 file " "$(cat "$work/err")"
  check "$1 $2 --discard" files "$($s rm --discard files)"
  $s run --name none box sh -c 'echo x >/tmp/passing'
  check "$1 $2 nothing to keep" none "$($s rm none)"

  # Two at once: one removes, neither hangs, nothing is left.
  $s run --name both box true
  $s rm both >"$work/one" 2>&1 &
  $s rm both >"$work/two" 2>&1
  wait $!
  check "$1 $2 two at once" "" "$($s ps -aq)$(ls "$(store_of $1)/runs/names")"
}
each kept

restarts() {
  s="sw $1 $2"
  $s run -d --name again --restart on-failure:2 box sh -c 'echo life; exit 4' >/dev/null
  until_true sh -c "grep -q exited $(store_of $1)/runs/*/state.json"
  check "$1 $2 three lives" 3 "$($s logs again | grep -c life)"
  contains "$1 $2 the last status" "Exited (4)" "$($s ps -a)"
  $s rm again >/dev/null
  $s run -d --name ever --restart always box sh -c 'echo life' >/dev/null
  until_true sh -c "[ \$(cat $(store_of $1)/runs/*/log | wc -l) -ge 3 ]"
  check "$1 $2 stop ends it for good" ever "$($s stop ever)"
  contains "$1 $2 and it stays ended" "Exited" "$($s ps -a)"
  $s rm ever >/dev/null
  $s run -d --rm --restart always box true 2>/dev/null
  check "$1 $2 --rm and --restart" 2 $?
}
each restarts

receipts() {
  s="sw $1 $2"
  $s run --name first -e TOKEN=secret box true
  $s run --name second -e TOKEN=other -w /tmp box true
  check "$1 $2 the receipt's command and runtime" "['true'] $2" \
    "$($s inspect first | python3 -c 'import json,os,sys; r=json.load(sys.stdin)["receipt"]; print(r["command"], os.path.basename(r["runtime"]["path"]))')"
  check "$1 $2 no secrets in it" "" "$($s inspect first | grep secret)"
  check "$1 $2 where two differ" "working_folder" "$($s inspect first second | head -1)"
  $s inspect first first >/dev/null
  check "$1 $2 where nothing differs" 0 $?
  $s rm first second >/dev/null
}
each receipts

# Fifty at once: each starts, ends and leaves nothing.
at_once() {
  s="sw $1 $2"
  for i in $(seq 50); do
    ($s run --rm box true </dev/null >/dev/null 2>"$work/err.$i" || cat "$work/err.$i" >>"$work/failed") &
  done
  wait
  check "$1 $2 fifty at once" "" "$(cat "$work/failed" 2>/dev/null)"
  check "$1 $2 and nothing is left of them" "" "$($s ps -aq)$(ls "$(store_of $1)/runs/living")"
  rm -f "$work/failed" "$work"/err.*
}
at_once as_root "$(runtimes | head -1)"

# The log: its size has an end, its lines stay whole.
logs() {
  s="sw $1 $2"
  id=$($s run -d --name much --log-opt max-size=64k --log-opt max-file=3 box sh -c 'i=0; while [ $i -lt 6000 ]; do echo "line $i of many, many lines"; i=$((i+1)); done')
  $s wait much >/dev/null
  check "$1 $2 three files" 3 "$(ls "$(store_of $1)/runs/$id/" | grep -c '^log')"
  check "$1 $2 the last line" "line 5999 of many, many lines" "$($s logs -n 1 much)"
  check "$1 $2 no line is broken" "" "$($s logs much | grep -v '^line [0-9]* of many, many lines$')"
  $s rm much >/dev/null
  $s run -d --name slow box sh -c 'for i in 1 2 3; do echo $i; sleep 0.2; done' >/dev/null
  check "$1 $2 logs -f follows to the end" "1 2 3 " "$($s logs -f slow | tr '\n' ' ')"
  $s rm slow >/dev/null
}
each logs
for who in as_root as_user; do [ $who = as_user ] && [ $has_user = no ] || end_all $who crun; done
nothing_left afterwards
finish
