#!/bin/bash
# All tests, as many at a time as there are cores: tools/run_tests.sh [FILTER]
#
# The unit tests that ctest knows (unit/NAME), then tests/cli/*.sh and tests/system/*.sh, those with
# most time first. One line each, and at the end a line `N passed, N failed, N skipped`. Fails if one
# failed, or none ran. FILTER is an extended regular expression for the names; JOBS is how many run
# at a time, by default one a core and at most four.
#
# A test is a program that gets
#   SLIPWAY        the program under test
#   SLIPWAY_BUILD  the build folder
#   SCRATCH        an empty folder of its own; removed after success, named after failure
#   TEST_CACHE     a folder outside the checkout that stays: downloads
# and ends with 0, or with 77 and a line `skip: REASON`, or has failed. Others run beside it: it takes
# ports that are free, and fills TEST_CACHE under a lock. Those of tests/cli share a store and copy
# it, so only one of them runs at a time. Lines in it say more:
#   # time-out: SECONDS   instead of 300; twice that where others run beside it
#   # after: NAME         it uses what that test leaves in TEST_CACHE
set -u
cd "$(dirname "$0")/.."
filter=${1:-}
cores=$(nproc)
jobs=${JOBS:-$((cores < 4 ? cores : 4))}
export SLIPWAY_BUILD=${SLIPWAY_BUILD:-$PWD/build}
export SLIPWAY=${SLIPWAY:-$SLIPWAY_BUILD/slipway}
export TEST_CACHE=${TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway-test}
mkdir -p "$TEST_CACHE"
# In a place that an ordinary user reaches and that is a disk: overlay mounts need one.
root=$(mktemp -d /var/tmp/slipway-tests.XXXXXX)
chmod 755 "$root"
# Whom the tests are when they are nobody in particular; made here, so that no two make him at once.
[ "$(id -u)" -ne 0 ] || id slipway-test >/dev/null 2>&1 || useradd --create-home slipway-test
passed=0 failed=0 skipped=0
queue=()                          # names of tests that have not begun, in the order of their start
declare -A seconds command after  # by name: its time, how it is called, whom it waits for
declare -A running=()             # by process id: the name
declare -A began witness          # by name: when it began, the process that tells what hangs

now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'; }

stop() {
  for process in "${!running[@]}" "${witness[@]}"; do kill -TERM -- "-$process" 2>/dev/null; done
  echo "stopped; left in $root" >&2
  exit 130
}
trap stop INT TERM

# add NAME SECONDS AFTER COMMAND...
add() {
  [[ -z $filter || $1 =~ $filter ]] || return 0
  queue+=("$1")
  seconds[$1]=$2 after[$1]=$3 command[$1]=${*:4}
}

# may_begin NAME: whether nobody is to end first
may_begin() {
  local other
  for other in "${queue[@]}" "${running[@]}"; do
    [ "$other" != "${after[$1]}" ] || return 1
  done
  for other in "${running[@]}"; do
    [[ $1 != cli/* || $other != cli/* ]] || return 1
  done
}

begin() {
  local name=$1 limit=${seconds[$1]}
  [ "$jobs" -eq 1 ] || limit=$((2 * limit))
  local log=$root/${name//\//.}.log
  export SCRATCH=$root/${name//\//.}
  mkdir "$SCRATCH" && chmod 755 "$SCRATCH"
  began[$name]=$(now)
  # Its own session: what it leaves running in the background ends with it.
  setsid timeout --foreground --kill-after=10 "$limit" ${command[$name]} >"$log" 2>&1 </dev/null &
  running[$!]=$name
  # Just before its end: what it still waits for.
  setsid bash -c 'sleep "$1"; ps -ww -o pid,ppid,stat,wchan:22,etimes,args -s "$2"' - \
    "$((limit - 2))" "$!" >>"$log" 2>&1 </dev/null &
  witness[$name]=$!
  disown "$!"
}

# begin_next: whether one could begin
begin_next() {
  local place
  for place in "${!queue[@]}"; do
    may_begin "${queue[place]}" || continue
    begin "${queue[place]}"
    unset "queue[place]"
    return 0
  done
  return 1
}

# ended PROCESS STATUS
ended() {
  local process=$1 status=$2 name=${running[$1]}
  local log=$root/${name//\//.}.log scratch=$root/${name//\//.} time
  time=$(since "${began[$name]}")
  unset "running[$process]"
  kill -KILL -- "-$process" "-${witness[$name]}" 2>/dev/null
  case $status in
  0)
    passed=$((passed + 1))
    printf 'ok    %-44s %7s s\n' "$name" "$time"
    ;;
  77)
    skipped=$((skipped + 1))
    printf 'skip  %-44s %7s s  %s\n' "$name" "$time" \
      "$(grep -h '^skip' "$log" | tail -n 1 | sed 's/^skip: *//')"
    ;;
  *)
    failed=$((failed + 1))
    [ "$status" -ne 124 ] || echo "its time was over" >>"$log"
    printf 'FAIL  %-44s %7s s\n' "$name" "$time"
    tail -n 40 "$log" | sed 's/^/    | /'
    echo "    left in $scratch; all it said is in $log"
    return
    ;;
  esac
  rm -rf "$scratch" "$log"
}

# said SCRIPT WORD: what its line `# WORD: ...` says
said() { sed -n "s/^# $2: *\([^ ]*\).*/\1/p" "$1" | head -n 1; }

if [ -e "$SLIPWAY_BUILD/CTestTestfile.cmake" ]; then
  for name in $(ctest --test-dir "$SLIPWAY_BUILD" -N 2>/dev/null | sed -n 's/^ *Test *#[0-9]*: //p'); do
    add "unit/$name" 300 '' ctest --test-dir "$SLIPWAY_BUILD" -R "^$name\$" --output-on-failure
  done
fi
while read -r limit script; do
  name=${script#tests/}
  # By its first line, so that a file that lost its executable bit still runs.
  add "${name%.sh}" "$limit" "$(said "$script" after)" "$(sed -n '1s/^#!//p' "$script")" "$script"
done < <(for script in tests/cli/*.sh tests/system/*.sh; do
  case $script in
  *common.sh | */dockerd.sh | *'*'*) continue ;;
  esac
  limit=$(said "$script" time-out)
  echo "${limit:-300} $script"
done | sort -s -k1,1nr)

while [ ${#queue[@]} -gt 0 ] || [ ${#running[@]} -gt 0 ]; do
  while [ ${#running[@]} -lt "$jobs" ] && begin_next; do :; done
  wait -n -p process "${!running[@]}"
  ended "$process" $?
done

rmdir "$root" 2>/dev/null
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ $((passed + skipped)) -gt 0 ] && [ "$passed" -gt 0 ]
