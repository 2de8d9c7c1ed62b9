#!/bin/sh
# What the command sees: user, capabilities, files, devices, network, limits of the process.
. "$(dirname "$0")/run_common.sh"

world() {
  run="$1 --runtime $2"
  # Descriptors that leak into a container have been a way out of it (CVE-2024-21626).
  exec 7</ 8</etc
  check "$1 $2 descriptors" "0 1 2 3" "$($run -- ls /proc/self/fd | tr '\n' ' ' | sed 's/ $//')"
  exec 7<&- 8<&-
  check "$1 $2 user" "1000:1000" "$($run -- sh -c 'echo $(id -u):$(id -g)')"
  check "$1 $2 --user" "0" "$($run --user 0 -- id -u 2>/dev/null)"
  check "$1 $2 --user of no name" "1234" "$($run --user 1234 -- id -u 2>/dev/null)"
  check "$1 $2 capabilities" "0000000000000000" \
    "$($run -- sh -c 'sed -n "/^Cap/s/.*\t//p" /proc/self/status | sort -u')"
  check "$1 $2 root has few" "00000000200404fb" \
    "$($run --user 0 -- sed -n 's/^CapBnd:\t//p' /proc/self/status)"
  check "$1 $2 no new privileges, filter" "1 2" \
    "$($run -- sh -c 'sed -n "s/^NoNewPrivs:\t//p;s/^Seccomp:\t//p" /proc/self/status' | tr '\n' ' ' | sed 's/ $//')"
  check "$1 $2 forbidden call" "no" "$($run --user 0 -- sh -c 'unshare -m true 2>/dev/null || echo no')"
  check "$1 $2 threads and processes work" "ok" "$($run -- sh -c '(echo ok) | cat')"
  check "$1 $2 environment" "A=b c" "$($run -e 'A=b c' -- sh -c 'env | grep ^A=')"
  check "$1 $2 working folder" "/work/deep" "$($run -w /work/deep -- pwd)"
  check "$1 $2 host name" "slipway" "$($run -- hostname)"
  check "$1 $2 own name resolves" "1" "$($run -- grep -c 'slipway$' /etc/hosts)"
  check "$1 $2 network none" "lo" \
    "$($run --network none -- sh -c "sed -n 's/^ *\([a-z0-9]*\):.*/\1/p' /proc/net/dev")"
  check "$1 $2 network host" "$(sed -n 's/^ *\([^:]*\):.*/\1/p' /proc/net/dev)" \
    "$($run -- sed -n 's/^ *\([^:]*\):.*/\1/p' /proc/net/dev)"
  check "$1 $2 /dev/shm" "65536" "$($run --shm 64m -- sh -c 'df -k /dev/shm | awk "END { print \$2 }"')"
  check "$1 $2 open files" "$(ulimit -Hn)" "$($run -- sh -c 'ulimit -n')"
  check "$1 $2 writable root" "x" "$($run --user 0 -- sh -c 'echo x > /made && cat /made' 2>/dev/null)"
  check "$1 $2 read-only root" "no" "$($run --user 0 --read-only -- sh -c 'touch /made 2>/dev/null || echo no' 2>/dev/null)"
  check "$1 $2 masked" "0" "$($run -- sh -c 'cat /proc/keys /proc/timer_list 2>/dev/null | wc -c')"
  check "$1 $2 kernel settings" "no" "$($run --user 0 -- sh -c 'echo 1 2>/dev/null > /proc/sys/kernel/panic || echo no' 2>/dev/null)"
  check "$1 $2 process 1" "/bin/catatonit" "$($run --init /bin/catatonit -- sh -c 'tr "\0" "\n" < /proc/1/cmdline | head -1')"
  check "$1 $2 no input" "0" "$(echo secret | $run -- sh -c 'cat | wc -c')"
  check "$1 $2 -i" "secret" "$(echo secret | $run -i -- cat)"
  # A bind keeps the mode that the host gave; a node of our own is for every user inside.
  mode=crw-rw-rw-
  [ $1 = as_root ] || mode=$(ls -l /dev/fuse | cut -c1-10)
  check "$1 $2 a device" "$mode" "$($run --device /dev/fuse -- sh -c 'ls -l /dev/fuse | cut -c1-10' 2>/dev/null)"
  check "$1 $2 two streams" "out" "$($run -- sh -c 'echo out; echo err >&2' 2>/dev/null)"
  check "$1 $2 changes are thrown away" "" "$(ls "$(folder_of $1)/tree" | grep made)"
}
each world
nothing_left afterwards
finish
