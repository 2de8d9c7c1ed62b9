#!/bin/bash
# All tests, one after another: tools/run_tests.sh [FILTER]
#
# The unit tests that ctest knows (unit/NAME), then tests/cli/*.sh and tests/system/*.sh. One line
# each, and at the end a line `N passed, N failed, N skipped`. Fails if one failed, or none ran.
# FILTER is an extended regular expression for the names.
#
# A test is a program that gets
#   SLIPWAY        the program under test
#   SLIPWAY_BUILD  the build folder
#   SCRATCH        an empty folder of its own; removed after success, named after failure
#   TEST_CACHE     a folder outside the checkout that stays: downloads
# and ends with 0, or with 77 and a line `skip: REASON`, or has failed. A line `# time-out: SECONDS`
# in it changes its time from 300 seconds.
set -u
cd "$(dirname "$0")/.."
filter=${1:-}
export SLIPWAY_BUILD=${SLIPWAY_BUILD:-$PWD/build}
export SLIPWAY=${SLIPWAY:-$SLIPWAY_BUILD/slipway}
export TEST_CACHE=${TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway-test}
mkdir -p "$TEST_CACHE"
# In a place that an ordinary user reaches and that is a disk: overlay mounts need one.
root=$(mktemp -d /var/tmp/slipway-tests.XXXXXX)
chmod 755 "$root"
passed=0 failed=0 skipped=0
running=
stop() {
  [ -z "$running" ] || kill -TERM -- "-$running" 2>/dev/null
  echo "stopped; left in $root" >&2
  exit 130
}
trap stop INT TERM

now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'; }

# run NAME SECONDS COMMAND...
run() {
  local name=$1 limit=$2 began status
  shift 2
  [[ -z $filter || $name =~ $filter ]] || return 0
  local log=$root/${name//\//.}.log
  export SCRATCH=$root/${name//\//.}
  mkdir "$SCRATCH" && chmod 755 "$SCRATCH"
  began=$(now)
  # Its own session: what it leaves running in the background ends with it.
  setsid timeout --foreground --kill-after=10 "$limit" "$@" >"$log" 2>&1 </dev/null &
  running=$!
  wait "$running"
  status=$?
  kill -KILL -- "-$running" 2>/dev/null
  running=
  case $status in
  0)
    passed=$((passed + 1))
    printf 'ok    %-44s %7s s\n' "$name" "$(since "$began")"
    ;;
  77)
    skipped=$((skipped + 1))
    printf 'skip  %-44s %7s s  %s\n' "$name" "$(since "$began")" \
      "$(grep -h '^skip' "$log" | tail -n 1 | sed 's/^skip: *//')"
    ;;
  *)
    failed=$((failed + 1))
    [ $status -ne 124 ] || echo "timed out after $limit s" >>"$log"
    printf 'FAIL  %-44s %7s s\n' "$name" "$(since "$began")"
    tail -n 40 "$log" | sed 's/^/    | /'
    echo "    left in $SCRATCH; all it said is in $log"
    return
    ;;
  esac
  rm -rf "$SCRATCH" "$log"
}

if [ -e "$SLIPWAY_BUILD/CTestTestfile.cmake" ]; then
  for name in $(ctest --test-dir "$SLIPWAY_BUILD" -N 2>/dev/null | sed -n 's/^ *Test *#[0-9]*: //p'); do
    run "unit/$name" 300 ctest --test-dir "$SLIPWAY_BUILD" -R "^$name\$" --output-on-failure
  done
fi
for script in tests/cli/*.sh tests/system/*.sh; do
  case $script in
  *common.sh | */dockerd.sh | *'*'*) continue ;;
  esac
  name=${script#tests/}
  limit=$(sed -n 's/^# time-out: *\([0-9]*\).*/\1/p' "$script" | head -n 1)
  # By its first line, so that a file that lost its executable bit still runs.
  run "${name%.sh}" "${limit:-300}" $(sed -n '1s/^#!//p' "$script") "$script"
done

rmdir "$root" 2>/dev/null
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ $((passed + skipped)) -gt 0 ] && [ "$passed" -gt 0 ]
